//! GetAll, GetAllKeys, GetAllFilter and Listen as streams of events, and their control.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dht_protocol::legacy::{Command, Event, KeyText, Order};
use dht_protocol::neo::NodeAddress;
use dht_protocol::{ChannelName, Key};
use futures_core::Stream;

use super::client::Client;
use super::control::{Control, Controller};
use super::error::{Failure, RequestError};
use super::part::Part;

/// Streams. Each asks all nodes, and occupies a connection at each of them until that has told everything.
impl Client {
    /// Reads all records of a channel. Records that are written or removed meanwhile may be missing, and
    /// so are those that do not fit in a batch: that is how the protocol is.
    pub fn get_all(&self, channel: impl Into<ChannelName>) -> GetAll {
        let channel = channel.into();
        Running::new(self, Order::GetAll { channel })
    }

    /// Reads the keys of all records of a channel.
    pub fn get_all_keys(&self, channel: impl Into<ChannelName>) -> GetAllKeys {
        let channel = channel.into();
        Running::new(self, Order::GetAllKeys { channel })
    }

    /// Reads the records of a channel whose value contains `filter`, which must not be empty.
    pub fn get_all_filter(
        &self,
        channel: impl Into<ChannelName>,
        filter: impl Into<Bytes>,
    ) -> GetAll {
        let (channel, filter) = (channel.into(), filter.into());
        Running::new(self, Order::GetAllFilter { channel, filter })
    }

    /// Follows the writes to a channel, which is created if there is none. Returns when the order has been
    /// sent to every node that it can be sent to; when a node has begun is told by
    /// [`StreamEvent::Started`], and by some nodes only together with the first record.
    ///
    /// A node tells of a record that was written several times as often as it likes, with the last value, and
    /// with an empty one if the record has been removed since.
    pub async fn listen(&self, channel: impl Into<ChannelName>) -> Listen {
        let channel = channel.into();
        let mut listen = Running::new(self, Order::Listen { channel });
        listen.started().await;
        listen
    }
}

/// A GetAll or GetAllFilter that runs; see [`Client::get_all`], [`Client::get_all_filter`].
pub type GetAll = Running<(Key, Bytes)>;

/// A GetAllKeys that runs; see [`Client::get_all_keys`].
pub type GetAllKeys = Running<Key>;

/// A Listen that runs; see [`Client::listen`]. Its keys are whatever was written, which need not be a
/// [`Key`] if the node does not ask for one.
pub type Listen = Running<(KeyText, Bytes)>;

/// What a stream tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StreamEvent<T> {
    /// The node has begun to answer.
    Started(NodeAddress),
    /// The node has told this.
    Item(NodeAddress, T),
    /// The node has told everything. For a Listen: the channel was removed.
    Ended(NodeAddress),
    /// The node will not tell the rest. The others go on.
    Failed(RequestError),
    /// All nodes have told everything, or have failed. The last event.
    Finished,
    /// The stream was stopped. The last event.
    Stopped,
}

/// What a stream delivers. Implemented for those that there are, and not to be implemented elsewhere.
pub trait Item: Sized {
    /// Takes the items out of what a node has said.
    fn unpack(event: Event, items: &mut VecDeque<Self>);
}

/// A request that runs on all nodes, as a stream of [`StreamEvent`]s. It can be suspended, resumed and
/// stopped, through this object or through a [`Controller`]. Dropping it closes its connections, for the
/// protocol has no other way to end a request early.
///
/// Nothing is read from the nodes but when the stream is: who does not read, or has suspended it, lets
/// the nodes wait until there is room in the network again. A node that listens for somebody who does not read
/// for long may forget writes, and does not tell.
///
/// A GetAll is sent when the stream is first read. Its next piece is waited for no longer than
/// [`request_timeout`](super::Builder::request_timeout); what a Listen tells is waited for without a
/// limit.
#[derive(Debug)]
pub struct Running<T> {
    parts: Vec<Part<T>>,
    /// Whose turn it is to tell something.
    turn: usize,
    controller: Controller,
    /// How often it was suspended when it was last looked at.
    pauses: u64,
    command: Command,
    /// Has the last event been told?
    over: bool,
}

impl<T: Item> Running<T> {
    fn new(client: &Client, order: Order) -> Self {
        let command = order.command();
        let nodes = client.nodes().into_iter();
        let parts = nodes.map(|node| Part::new(client, node, order.clone()));
        Self {
            parts: parts.collect(),
            turn: 0,
            controller: Controller::default(),
            pauses: 0,
            command,
            over: false,
        }
    }

    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<StreamEvent<T>> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Has the stream tell nothing, and read nothing of the nodes, until it is resumed. Who waits for
    /// its next event goes on waiting.
    pub fn suspend(&self) {
        self.controller.suspend();
    }

    /// Has the stream go on.
    pub fn resume(&self) {
        self.controller.resume();
    }

    /// Ends the stream, by closing its connections; [`StreamEvent::Stopped`] follows, and nothing else, unless
    /// it is over already.
    pub fn stop(&self) {
        self.controller.stop();
    }

    /// A handle by which another task can control the stream.
    pub fn controller(&self) -> Controller {
        self.controller.clone()
    }

    /// Waits until the order has been sent to all nodes, or cannot be.
    async fn started(&mut self) {
        poll_fn(|context| {
            let mut all = Poll::Ready(());
            for part in &mut self.parts {
                if part.poll_started(context).is_pending() {
                    all = Poll::Pending;
                }
            }
            all
        })
        .await;
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamEvent<T>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let (control, pauses) = self.controller.poll(context);
        if std::mem::replace(&mut self.pauses, pauses) != pauses {
            // While it was suspended nobody waited for the nodes.
            self.parts.iter_mut().for_each(Part::forgive);
        }
        match control {
            Control::Go => {}
            Control::Wait => return Poll::Pending,
            Control::Stop => {
                self.parts.iter_mut().for_each(Part::abandon);
                return self.end(StreamEvent::Stopped);
            }
        }
        for _ in 0..self.parts.len() {
            // In turns, so that a node that tells a lot does not keep the others waiting.
            self.turn = (self.turn + 1) % self.parts.len();
            if let Poll::Ready(Some(event)) = self.parts[self.turn].poll(context) {
                return Poll::Ready(Some(event));
            }
        }
        match self.parts.iter().all(Part::is_over) {
            true => self.end(StreamEvent::Finished),
            false => Poll::Pending,
        }
    }

    fn end(&mut self, last: StreamEvent<T>) -> Poll<Option<StreamEvent<T>>> {
        self.over = true;
        Poll::Ready(Some(last))
    }

    /// Reads to the end. Fails if a node fails, or there is none, or the stream is stopped.
    async fn collect(mut self) -> Result<Vec<T>, RequestError> {
        let unsent = |failure| RequestError::unsent(self.command, None, failure);
        let (nobody, stopped) = (unsent(Failure::NoNode), unsent(Failure::Stopped));
        if self.parts.is_empty() {
            return Err(nobody);
        }
        let mut items = Vec::new();
        while let Some(event) = self.next().await {
            match event {
                StreamEvent::Item(_, item) => items.push(item),
                StreamEvent::Failed(error) => return Err(error),
                StreamEvent::Stopped => return Err(stopped),
                StreamEvent::Started(_) | StreamEvent::Ended(_) | StreamEvent::Finished => {}
            }
        }
        Ok(items)
    }
}

impl GetAll {
    /// Reads to the end and gives all records, in the order in which they came. Fails if a node fails, or
    /// the stream is stopped, because then some are missing.
    pub async fn records(self) -> Result<Vec<(Key, Bytes)>, RequestError> {
        self.collect().await
    }
}

impl GetAllKeys {
    /// Reads to the end and gives all keys, in the order in which they came. Fails as
    /// [`GetAll::records`] does.
    pub async fn keys(self) -> Result<Vec<Key>, RequestError> {
        self.collect().await
    }
}

impl<T: Item> Stream for Running<T> {
    type Item = StreamEvent<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context)
    }
}

// Nothing in it is pinned.
impl<T> Unpin for Running<T> {}

impl Item for (Key, Bytes) {
    fn unpack(event: Event, items: &mut VecDeque<Self>) {
        if let Event::Records(records) = event {
            items.extend(records);
        }
    }
}

impl Item for Key {
    fn unpack(event: Event, items: &mut VecDeque<Self>) {
        if let Event::Keys(keys) = event {
            items.extend(keys);
        }
    }
}

impl Item for (KeyText, Bytes) {
    fn unpack(event: Event, items: &mut VecDeque<Self>) {
        if let Event::Written(key, value) = event {
            items.push_back((key, value));
        }
    }
}
