//! A connection while a request uses it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dht_protocol::legacy::{Answer, Event, Order};
use dht_protocol::neo::NodeAddress;
use tokio::time::timeout;

use super::connection::Connection;
use super::core::{Claim, Ticket};
use super::error::Failure;
use super::shared::Shared;

/// A connection, and the right to use it. Dropped it is closed, for nobody knows what would still come;
/// [`give_back`](Self::give_back) leaves it to the next request.
#[derive(Debug)]
pub(super) struct Lease {
    // Closed before somebody else may open one.
    connection: Connection,
    slot: Slot,
}

impl Lease {
    /// Waits until a connection to `node` is free, no longer than `patience`, and opens one if need be.
    pub(super) async fn take(
        shared: &Arc<Shared>,
        node: NodeAddress,
        patience: Option<Duration>,
    ) -> Result<Self, Failure> {
        let claim = shared.lock().core.claim(node)?;
        let (slot, idle) = match claim {
            Claim::Granted(connection) => (Slot::new(shared, node), connection),
            Claim::Waits(ticket) => {
                let mut turn = Turn {
                    shared,
                    node,
                    ticket,
                };
                let come = poll_fn(|context| turn.poll(context));
                within(patience, come).await.ok_or(Failure::QueueTimedOut)?
            }
        };
        let connection = match idle.filter(|connection| !connection.is_stale()) {
            Some(connection) => connection,
            None => {
                let settings = &shared.settings;
                let connection = Connection::open(node, settings.connect_timeout).await?;
                connection.tapped(settings.taps.as_ref().map(|taps| taps.open(node)))
            }
        };
        Ok(Self { connection, slot })
    }

    /// Sends an order and waits for its answer.
    pub(super) async fn ask(
        &mut self,
        order: &Order,
        patience: Option<Duration>,
    ) -> Result<Answer, Failure> {
        within(patience, self.connection.ask(order))
            .await
            .unwrap_or(Err(Failure::TimedOut))
    }

    /// Sends an order whose answer comes in pieces, to be had from [`poll_next`](Self::poll_next).
    pub(super) async fn send(
        &mut self,
        order: &Order,
        patience: Option<Duration>,
    ) -> Result<(), Failure> {
        self.connection.send(order);
        within(patience, self.connection.flush())
            .await
            .unwrap_or(Err(Failure::TimedOut))
    }

    /// The next piece of the answer; `None` behind the last one.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Failure>> {
        self.connection.poll_next(context)
    }

    /// Has everything been sent that was to be?
    pub(super) fn is_sent(&self) -> bool {
        self.connection.is_sent()
    }

    /// The request is over. The next one gets the connection if it can be used.
    pub(super) fn give_back(self) {
        let Self {
            connection,
            mut slot,
        } = self;
        // One that is not kept is closed here, before somebody else may open one.
        slot.connection = Some(connection).filter(Connection::is_reusable);
    }
}

/// Waits for something; `None` if it takes too long.
pub(super) async fn within<T>(
    patience: Option<Duration>,
    future: impl Future<Output = T>,
) -> Option<T> {
    match patience {
        None => Some(future.await),
        Some(patience) => timeout(patience, future).await.ok(),
    }
}

/// The right to have a connection, which ends with this object.
#[derive(Debug)]
struct Slot {
    shared: Arc<Shared>,
    node: NodeAddress,
    /// What the next one gets.
    connection: Option<Connection>,
}

impl Slot {
    fn new(shared: &Arc<Shared>, node: NodeAddress) -> Self {
        Self {
            shared: Arc::clone(shared),
            node,
            connection: None,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let mut state = self.shared.lock();
        let next = state.core.give_back(self.node, connection);
        let waker = state.call(next);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A place in the queue. Dropped before its turn has come, it is given up.
struct Turn<'a> {
    shared: &'a Arc<Shared>,
    node: NodeAddress,
    ticket: Ticket,
}

impl Turn<'_> {
    /// Ready with an idle connection, or the right to open one.
    fn poll(&mut self, context: &Context<'_>) -> Poll<(Slot, Option<Connection>)> {
        let mut state = self.shared.lock();
        match state.core.fetch(self.ticket) {
            Some(connection) => Poll::Ready((Slot::new(self.shared, self.node), connection)),
            None => {
                let waker = context.waker().clone();
                state.wakers.insert(self.ticket, waker);
                Poll::Pending
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.wakers.remove(&self.ticket);
        let next = state.core.cancel(self.ticket);
        let waker = state.call(next);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
