//! One node's part of a stream.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dht_protocol::legacy::{Command, Event, Order, Status};
use dht_protocol::neo::NodeAddress;
use tokio::time::{Sleep, sleep};

use super::client::Client;
use super::error::{Failure, RequestError};
use super::join::Boxed;
use super::lease::Lease;
use super::running::{Item, StreamEvent};

/// What one node tells, and the connection on which it does.
pub(super) struct Part<T> {
    node: NodeAddress,
    command: Command,
    state: State,
    /// What has come and was not told yet.
    items: VecDeque<T>,
    /// How long the next piece is waited for; `None` as long as it takes.
    patience: Option<Duration>,
    waiting: Option<Pin<Box<Sleep>>>,
}

enum State {
    /// A connection is waited for, and the order sent.
    Starting(Boxed<'static, Result<Lease, RequestError>>),
    Running(Box<Lease>),
    Over,
}

impl<T: Item> Part<T> {
    pub(super) fn new(client: &Client, node: NodeAddress, order: Order) -> Self {
        let command = order.command();
        Self {
            node,
            command,
            patience: client
                .request_timeout
                .filter(|_| command != Command::Listen),
            state: State::Starting(Box::pin(start(client.clone(), node, order))),
            items: VecDeque::new(),
            waiting: None,
        }
    }

    /// Ready when the order has been sent, or cannot be. The error is told by
    /// [`poll`](Self::poll) later on.
    pub(super) fn poll_started(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let State::Starting(starting) = &mut self.state {
            let started = ready!(starting.as_mut().poll(context));
            self.state = match started {
                Ok(lease) => State::Running(Box::new(lease)),
                Err(error) => State::Starting(Box::pin(std::future::ready(Err(error)))),
            };
        }
        Poll::Ready(())
    }

    /// The next event; `None` if all have been told.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamEvent<T>>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(StreamEvent::Item(self.node, item)));
            }
            let lease = match &mut self.state {
                State::Running(lease) => lease,
                State::Over => return Poll::Ready(None),
                State::Starting(starting) => match ready!(starting.as_mut().poll(context)) {
                    Ok(lease) => {
                        self.state = State::Running(Box::new(lease));
                        continue;
                    }
                    Err(error) => {
                        self.state = State::Over;
                        return Poll::Ready(Some(StreamEvent::Failed(error)));
                    }
                },
            };
            let failure = match lease.poll_next(context) {
                Poll::Ready(Ok(Some(event))) => {
                    self.waiting = None;
                    match event {
                        Event::Started => {
                            return Poll::Ready(Some(StreamEvent::Started(self.node)));
                        }
                        Event::Answered(answer) if answer.status() != Status::Ok => {
                            Failure::Status(answer.status())
                        }
                        Event::Ended | Event::Answered(_) => {
                            self.finish();
                            return Poll::Ready(Some(StreamEvent::Ended(self.node)));
                        }
                        piece => {
                            T::unpack(piece, &mut self.items);
                            continue;
                        }
                    }
                }
                Poll::Ready(Ok(None)) => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Poll::Ready(Err(failure)) => failure,
                Poll::Pending => {
                    ready!(self.poll_patience(context));
                    Failure::TimedOut
                }
            };
            return Poll::Ready(Some(self.fail(failure)));
        }
    }

    /// The time since the last piece does not count.
    pub(super) fn forgive(&mut self) {
        self.waiting = None;
    }

    /// Is nothing more to be told?
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over) && self.items.is_empty()
    }

    /// Closes the connection.
    pub(super) fn abandon(&mut self) {
        self.state = State::Over;
        self.items.clear();
        self.waiting = None;
    }

    /// Ready when the next piece has been waited for long enough.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(patience) = self.patience else {
            return Poll::Pending;
        };
        let waiting = &mut self.waiting;
        let timer = waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        timer.as_mut().poll(context)
    }

    /// Leaves the connection to others.
    fn finish(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Running(lease) => {
                let sent = lease.is_sent();
                lease.give_back();
                sent
            }
            State::Starting(_) | State::Over => false,
        }
    }

    fn fail(&mut self, failure: Failure) -> StreamEvent<T> {
        let sent = self.finish();
        StreamEvent::Failed(RequestError {
            command: self.command,
            node: Some(self.node),
            failure,
            sent,
        })
    }
}

impl<T> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Starting(_) => "starting",
            State::Running(_) => "running",
            State::Over => "over",
        };
        write!(f, "Part({} at {}: {state})", self.command, self.node)
    }
}

/// Sends an order on a connection of its own.
async fn start(client: Client, node: NodeAddress, order: Order) -> Result<Lease, RequestError> {
    client.admit(node, &order)?;
    let patience = client.request_timeout;
    let fail = |failure| RequestError::unsent(order.command(), Some(node), failure);
    let mut lease = Lease::take(&client.shared, node, patience)
        .await
        .map_err(fail)?;
    lease.send(&order, patience).await.map_err(fail)?;
    Ok(lease)
}
