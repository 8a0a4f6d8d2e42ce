//! GetAll and Mirror as streams of events, and their control.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::stream::{ControlError, Notification};
use dht_protocol::neo::request::{Failure, get_all, mirror};
use dht_protocol::{ChannelName, Key};
use futures_core::Stream;

use crate::client::Client;
use crate::error::RequestError;
use crate::mailbox::{Item, Receiver};
use crate::shared::Writing;
use crate::ticket::Ticket;
use crate::waiters::Queue;
use dht_protocol::neo::client::Request;

impl Client {
    /// Reads all records, or all keys, of a channel on all nodes.
    pub fn get_all(&self, channel: impl Into<ChannelName>, settings: get_all::Settings) -> GetAll {
        let request = Request::GetAll(channel.into(), settings);
        Running::new(self.clone(), self.follow(request, Queue::GetAll))
    }

    /// Follows the changes of a channel on all nodes.
    pub fn mirror(&self, channel: impl Into<ChannelName>, settings: mirror::Settings) -> Mirror {
        let request = Request::Mirror(channel.into(), settings);
        Running::new(self.clone(), self.follow(request, Queue::Mirror))
    }
}

/// A GetAll that runs; see [`Client::get_all`].
pub type GetAll = Running<get_all::Item>;

/// A Mirror that runs; see [`Client::mirror`].
pub type Mirror = Running<mirror::Item>;

/// A request that runs on all nodes, as a stream of what it tells ([`Notification`]). It goes on over
/// lost connections, includes nodes that become known meanwhile, and can be suspended, resumed and
/// stopped, through this object or through a [`Controller`]. Dropping it stops the request.
///
/// The last event is [`Notification::Stopped`] or [`Notification::Finished`]. A stream that ends without
/// one has a [`failure`](Self::failure): the request could not be started, or the client was shut down.
///
/// What its user does not read is kept. When it is
/// [more than a limit](crate::Builder::stream_buffer) the nodes are suspended, and resumed when half of
/// it has been read; the user is not told, and other requests on the same connections go on. A Mirror
/// that is suspended for long will lose updates, and say so
/// ([`mirror::Item::UpdatesLost`]). A node that does not obey the Suspend is disconnected
/// ([`ConnectionError::Flooding`](crate::ConnectionError::Flooding)), and not asked again before its
/// records have been read.
#[derive(Debug)]
pub struct Running<T: Item> {
    client: Client,
    state: Result<(Ticket, Receiver<Notification<T>>), RequestError>,
}

impl<T: Item> Running<T> {
    pub(crate) fn new(
        client: Client,
        state: Result<(Ticket, Receiver<Notification<T>>), RequestError>,
    ) -> Self {
        Self { client, state }
    }

    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<Notification<T>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// Has the nodes send nothing more for now. [`Notification::Suspended`] follows when all of them
    /// have agreed; nothing else is told between that and [`resume`](Self::resume) except a few events
    /// that were under way, and the end. Refused while nodes have not agreed to the previous change.
    pub fn suspend(&self) -> Result<(), ControlError> {
        self.control(Control::Suspend)
    }

    /// Has the nodes go on. [`Notification::Resumed`] follows.
    pub fn resume(&self) -> Result<(), ControlError> {
        self.control(Control::Resume)
    }

    /// Ends the request. [`Notification::Stopped`] follows, or [`Notification::Finished`] if the nodes
    /// had finished already.
    pub fn stop(&self) -> Result<(), ControlError> {
        self.control(Control::Stop)
    }

    /// A handle by which another task can control the request.
    pub fn controller(&self) -> Controller {
        Controller {
            client: self.client.clone(),
            id: self.state.as_ref().ok().map(|(ticket, _)| ticket.id),
        }
    }

    /// Why the stream has ended without a last event.
    pub fn failure(&self) -> Option<&RequestError> {
        self.state.as_ref().err()
    }

    fn control(&self, control: Control) -> Result<(), ControlError> {
        match &self.state {
            Ok((ticket, _)) => self.client.control(ticket.id, control),
            Err(_) => Err(ControlError::Ended),
        }
    }

    fn poll_event(&mut self, context: &Context<'_>) -> Poll<Option<Notification<T>>> {
        let Ok((ticket, receiver)) = &mut self.state else {
            return Poll::Ready(None);
        };
        let (event, eased) = receiver.poll_next(context);
        if eased {
            self.client.shared().eased(ticket.id, || receiver.backlog());
        }
        match &event {
            Poll::Ready(Some(Notification::Stopped | Notification::Finished)) => {
                ticket.ended = true;
            }
            Poll::Ready(None) if !ticket.ended => self.state = Err(RequestError::Shutdown),
            _ => {}
        }
        event
    }
}

impl<T: Item> Stream for Running<T> {
    type Item = Notification<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context)
    }
}

// Nothing in it is pinned.
impl<T: Item> Unpin for Running<T> {}

impl GetAll {
    /// Reads to the end and gives all records, in the order in which they came; none if only keys were
    /// asked for. Fails if a node fails or the request is stopped, because then some are missing; goes on
    /// over lost connections.
    pub async fn records(self) -> Result<Vec<(Key, Bytes)>, RequestError> {
        self.collect(|item| match item {
            get_all::Item::Record(key, value) => Some((key, value)),
            get_all::Item::Key(_) => None,
        })
        .await
    }

    /// Reads to the end and gives all keys, in the order in which they came. Fails as
    /// [`records`](Self::records) does.
    pub async fn keys(self) -> Result<Vec<Key>, RequestError> {
        self.collect(|item| match item {
            get_all::Item::Record(key, _) | get_all::Item::Key(key) => Some(key),
        })
        .await
    }

    async fn collect<R>(
        mut self,
        pick: impl Fn(get_all::Item) -> Option<R>,
    ) -> Result<Vec<R>, RequestError> {
        let mut collected = Vec::new();
        while let Some(event) = self.next().await {
            match event {
                Notification::Item(_, item) => collected.extend(pick(item)),
                Notification::Finished => return Ok(collected),
                Notification::Stopped => return Err(RequestError::Stopped),
                Notification::NodeError(node) => return Err(Failure::NodeError { node }.into()),
                Notification::Unsupported(node, status) => {
                    return Err(Failure::Unsupported { node, status }.into());
                }
                Notification::Started
                | Notification::Suspended
                | Notification::Resumed
                | Notification::Disconnected(_) => {}
            }
        }
        Err(self.state.err().unwrap_or(RequestError::Shutdown))
    }
}

/// Controls a GetAll or Mirror from anywhere. It keeps the client alive, but not the request.
#[derive(Clone, Debug)]
pub struct Controller {
    client: Client,
    /// `None` if the request could not be started.
    id: Option<RequestId>,
}

impl Controller {
    /// See [`Running::suspend`].
    pub fn suspend(&self) -> Result<(), ControlError> {
        self.control(Control::Suspend)
    }

    /// See [`Running::resume`].
    pub fn resume(&self) -> Result<(), ControlError> {
        self.control(Control::Resume)
    }

    /// See [`Running::stop`].
    pub fn stop(&self) -> Result<(), ControlError> {
        self.control(Control::Stop)
    }

    fn control(&self, control: Control) -> Result<(), ControlError> {
        let id = self.id.ok_or(ControlError::Ended)?;
        self.client.control(id, control)
    }
}

impl Client {
    fn control(&self, id: RequestId, control: Control) -> Result<(), ControlError> {
        let shared = self.shared();
        let mut state = shared.lock();
        if state.shutdown {
            return Err(ControlError::Ended);
        }
        let now = shared.now();
        let accepted = state.core.control(id, control, now);
        shared.carry_out(&mut state, Writing::Now, now);
        accepted
    }
}
