//! GetChannels as a stream of events.

use std::pin::Pin;
use std::task::{Context, Poll};

use dht_protocol::ChannelName;
use dht_protocol::neo::request::Failure;
use dht_protocol::neo::request::gather::Notification;
use futures_core::Stream;

use crate::client::Client;
use crate::error::RequestError;
use crate::mailbox::Receiver;
use crate::ticket::Ticket;
use crate::waiters::Queue;
use dht_protocol::neo::client::{ChannelEvent, Request};

impl Client {
    /// Lists the channels of all nodes. Waits for all of them, also for those that are not connected.
    pub fn channels(&self) -> Channels {
        let started = self.follow(Request::GetChannels, |sender| Queue::Channels {
            sender,
            weight: 0,
        });
        Channels::new(self.clone(), started)
    }
}

/// A GetChannels that runs on all nodes; see [`Client::channels`]. Each name is told once, however many
/// nodes have the channel. Dropping it gives the request up.
///
/// The last event is [`Notification::Finished`]. A stream that ends without one has a
/// [`failure`](Self::failure).
#[derive(Debug)]
pub struct Channels {
    client: Client,
    state: Result<(Ticket, Receiver<ChannelEvent>), RequestError>,
}

impl Channels {
    pub(crate) fn new(
        client: Client,
        state: Result<(Ticket, Receiver<ChannelEvent>), RequestError>,
    ) -> Self {
        Self { client, state }
    }

    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// Reads to the end and gives all names, in the order in which they came. Fails if a node fails,
    /// because then some are missing; waits for nodes that are not connected, but no longer than the
    /// client's requests are waited for.
    pub async fn collect_all(mut self) -> Result<Vec<ChannelName>, RequestError> {
        let client = self.client.clone();
        client.in_time(self.collect()).await?
    }

    /// Why the stream has ended without a last event.
    pub fn failure(&self) -> Option<&RequestError> {
        self.state.as_ref().err()
    }

    async fn collect(&mut self) -> Result<Vec<ChannelName>, RequestError> {
        let mut names = Vec::new();
        while let Some(event) = self.next().await {
            match event {
                Notification::Notice(name) => names.push(name),
                Notification::Finished => return Ok(names),
                Notification::Disconnected(_) => {}
                Notification::NodeError(node) => return Err(Failure::NodeError { node }.into()),
                Notification::Unsupported(node, status) => {
                    return Err(Failure::Unsupported { node, status }.into());
                }
            }
        }
        Err(self.failure().cloned().unwrap_or(RequestError::Shutdown))
    }

    fn poll_event(&mut self, context: &Context<'_>) -> Poll<Option<ChannelEvent>> {
        let Ok((ticket, receiver)) = &mut self.state else {
            return Poll::Ready(None);
        };
        let (event, _) = receiver.poll_next(context);
        match &event {
            Poll::Ready(Some(Notification::Finished)) => ticket.ended = true,
            Poll::Ready(None) if !ticket.ended => {
                self.state = Err(match self.client.shared().lock().shutdown {
                    true => RequestError::Shutdown,
                    false => RequestError::TooMuch,
                });
            }
            _ => {}
        }
        event
    }
}

impl Stream for Channels {
    type Item = ChannelEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ChannelEvent>> {
        self.get_mut().poll_event(context)
    }
}
