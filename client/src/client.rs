//! The client: a handle to its connections, and requests that have one answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::neo::request::remove_channel::Notice;
use dht_protocol::neo::request::update::{Decision, Updated};
use dht_protocol::neo::request::{Failure, RecordName, gather, get_all, mirror, put};
use dht_protocol::neo::{Credential, NodeAddress, RequestId};
use dht_protocol::{ChannelName, Key};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::ConnectionError;
use crate::builder::Builder;
use crate::channels::Channels;
use crate::connections::Connections;
use crate::core::{ConnectionState, NodeState, Request};
use crate::error::{Missing, NotReady, RemoveChannelError, RequestError};
use crate::mailbox::{Letter, Marks, Receiver, mailbox};
use crate::running::{GetAll, Mirror, Running};
use crate::shared::{Shared, State, Writing};
use crate::stats::Stats;
use crate::update::PendingUpdate;
use crate::waiters::{Answer, Queue};

/// A client of a DHT. Cheap to clone; all clones share connections and requests, which end when the
/// last clone, stream and controller is dropped.
///
/// A request is sent when its future is first polled. Dropping the future gives the request up: whether
/// it will still be carried out is then unknown, as after [`Failure::TimedOut`].
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
    request_timeout: Option<Duration>,
    marks: Marks,
}

/// Ends the connections when nobody uses them any more.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

/// Connections.
impl Client {
    /// Sets up a client that introduces itself with this name and key.
    pub fn builder(credential: Credential) -> Builder {
        Builder::new(credential)
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        request_timeout: Option<Duration>,
        marks: Marks,
    ) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
            request_timeout,
            marks,
        }
    }

    /// Waits until all registered nodes are connected and have told which keys they are responsible
    /// for, but no longer than `patience`, and no longer than until a node says something that waiting
    /// does not change (wrong credentials, another version).
    pub async fn ready(&self, patience: Duration) -> Result<(), NotReady> {
        let ready = self.wait_for(|state| match check(state) {
            Err(NotReady { nodes }) if !nodes.iter().any(|(_, missing)| is_lasting(missing)) => {
                None
            }
            checked => Some(checked),
        });
        match timeout(patience, ready).await {
            Ok(Ok(checked)) => checked,
            // Shut down, or out of patience.
            Ok(Err(_)) | Err(_) => check(&self.shared().lock()),
        }
    }

    /// Waits until all registered nodes are connected, for as long as that takes.
    pub async fn wait_all_connected(&self) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (!nodes.is_empty() && nodes.values().all(is_open)).then_some(())
        })
        .await
    }

    /// Waits until at least `count` nodes are connected, for as long as that takes.
    pub async fn wait_connected(&self, count: usize) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (nodes.values().filter(|node| is_open(node)).count() >= count).then_some(())
        })
        .await
    }

    /// Waits until the ranges of all registered nodes are known, for as long as that takes.
    pub async fn wait_all_ranges_known(&self) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (!nodes.is_empty() && nodes.values().all(|node| node.range.is_some())).then_some(())
        })
        .await
    }

    /// Waits until the ranges of at least `count` nodes are known, for as long as that takes.
    pub async fn wait_ranges_known(&self, count: usize) -> Result<(), RequestError> {
        self.wait_for(|state| (state.core.known_ranges() >= count).then_some(()))
            .await
    }

    /// What happens to the connections from now on; first comes what they are like at this moment.
    pub fn connections(&self) -> Connections {
        Connections::new(self.shared())
    }

    /// Connects to another node from now on. `false` if it is known already.
    pub fn add_node(&self, node: NodeAddress) -> bool {
        let shared = self.shared();
        let mut state = shared.lock();
        if state.shutdown {
            return false;
        }
        let now = shared.now();
        let added = state.core.add_node(node, now);
        shared.carry_out(&mut state, Writing::Later, now);
        added
    }

    /// Drops all connections and establishes them again. Requests see that they were lost.
    pub fn reconnect(&self) {
        for link in self.shared().lock().links.values_mut() {
            link.reconnect();
        }
    }

    /// Closes all connections and ends all requests, of all clones; afterwards the client can do
    /// nothing any more.
    pub fn shutdown(&self) {
        self.shared().shut_down();
    }

    /// Figures of nodes and requests.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared().lock())
    }

    /// Counts bytes and requests from zero again.
    pub fn reset_stats(&self) {
        let mut state = self.shared().lock();
        state.core.reset_request_stats();
        for link in state.links.values_mut() {
            link.bytes_in = 0;
            link.bytes_out = 0;
        }
    }

    /// Waits until `condition` gives something.
    async fn wait_for<T>(
        &self,
        condition: impl Fn(&State) -> Option<T>,
    ) -> Result<T, RequestError> {
        let shared = self.shared();
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let changed = shared.changed.notified();
            {
                let state = shared.lock();
                if state.shutdown {
                    return Err(RequestError::Shutdown);
                }
                if let Some(value) = condition(&state) {
                    return Ok(value);
                }
            }
            changed.await;
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}

/// Requests for one record. Each ends with its outcome or a [`RequestError`].
impl Client {
    /// A handle to the same client whose requests with one answer are waited for this long: those for
    /// one record, each of the two steps of an Update, [`remove_channel`](Self::remove_channel) and
    /// [`Channels::collect_all`]. Afterwards they fail with [`Failure::TimedOut`]; the node is not told.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let mut client = self.clone();
        client.request_timeout = Some(timeout);
        client
    }

    /// A handle to the same client whose requests are waited for as long as the connection lasts.
    #[must_use]
    pub fn without_timeout(&self) -> Self {
        let mut client = self.clone();
        client.request_timeout = None;
        client
    }

    /// Stores a record, on the newest node that is responsible for the key. The value may have up to
    /// [`put::MAX_VALUE`] bytes.
    pub async fn put(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        value: impl Into<Bytes>,
    ) -> Result<(), RequestError> {
        let open = put::Open {
            record: record(channel, key),
            value: value.into(),
        };
        self.ask(Request::Put(open), Answer::Put).await
    }

    /// Reads a record; `None` if there is no such record on any node that is responsible for the key.
    pub async fn get(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<Option<Bytes>, RequestError> {
        let request = Request::Get(record(channel, key));
        self.ask(request, Answer::Get).await
    }

    /// Is there a record, on any node that is responsible for the key?
    pub async fn exists(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<bool, RequestError> {
        let request = Request::Exists(record(channel, key));
        self.ask(request, Answer::Exists).await
    }

    /// Removes a record from all nodes that are responsible for the key. Did any of them have it?
    pub async fn remove(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<bool, RequestError> {
        let request = Request::Remove(record(channel, key));
        self.ask(request, Answer::Remove).await
    }

    /// Reads a record and does with it what `decide` says of its value, unless somebody else changes it
    /// meanwhile. `decide` is not called if there is no such record.
    pub async fn update(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        decide: impl FnOnce(&[u8]) -> Decision,
    ) -> Result<Updated, RequestError> {
        match self.update_later(channel, key).await? {
            Some(pending) => {
                let decision = decide(pending.value());
                pending.decide(decision).await
            }
            None => Ok(Updated::NoRecord),
        }
    }

    /// Reads a record and leaves the decision on it for later; `None` if there is no such record.
    pub async fn update_later(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<Option<PendingUpdate>, RequestError> {
        let request = Request::Update(record(channel, key));
        let (ticket, events) = self.follow(request, Queue::Update)?;
        PendingUpdate::read(self.clone(), ticket, events).await
    }

    /// Starts a request and waits for its answer.
    async fn ask<T>(
        &self,
        request: Request,
        answer: fn(oneshot::Sender<Result<T, Failure>>) -> Answer,
    ) -> Result<T, RequestError> {
        let (sender, mut waiting) = oneshot::channel();
        let mut ticket = {
            let shared = self.shared();
            let mut state = shared.lock();
            let now = shared.now();
            let id = begin(&mut state, request, shared)?;
            state.waiters.expect(id, answer(sender));
            // Who is alone is served at once; a crowd is served together.
            let writing = match state.waiters.answers() {
                1 => Writing::Now,
                _ => Writing::Later,
            };
            shared.carry_out(&mut state, writing, now);
            Ticket::new(self, id)
        };
        let answer = match self.request_timeout {
            None => waiting.await,
            Some(limit) => match timeout(limit, &mut waiting).await {
                Ok(answer) => answer,
                Err(_) => {
                    ticket.abandon();
                    // Either the answer has come after all, or it says that it came too late.
                    waiting.await
                }
            },
        };
        ticket.ended = true;
        Ok(answer.map_err(|_| RequestError::Shutdown)??)
    }
}

/// Requests for channels.
impl Client {
    /// Removes a channel with all its records from all nodes. Waits for all of them, also for those that
    /// are not connected.
    pub async fn remove_channel(
        &self,
        channel: impl Into<ChannelName>,
    ) -> Result<(), RemoveChannelError> {
        let request = Request::RemoveChannel(channel.into());
        let (mut ticket, mut events) = self.follow(request, Queue::RemoveChannel)?;
        let mut outcome = Ok(());
        let told = self.in_time(async {
            while let Some(event) = next(&mut events).await {
                match event {
                    gather::Notification::Finished => return true,
                    // The node is asked again when it is back.
                    gather::Notification::Disconnected(_) => {}
                    _ if outcome.is_err() => {}
                    gather::Notification::Notice(Notice::NotPermitted(node)) => {
                        outcome = Err(RemoveChannelError::NotPermitted { node });
                    }
                    gather::Notification::NodeError(node) => {
                        outcome = Err(Failure::NodeError { node }.into());
                    }
                    gather::Notification::Unsupported(node, status) => {
                        outcome = Err(Failure::Unsupported { node, status }.into());
                    }
                }
            }
            false
        });
        match told.await {
            Ok(true) => {
                ticket.ended = true;
                outcome
            }
            Ok(false) => Err(RequestError::Shutdown.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Lists the channels of all nodes. Waits for all of them, also for those that are not connected.
    pub fn channels(&self) -> Channels {
        let started = self.follow(Request::GetChannels, |sender| Queue::Channels {
            sender,
            weight: 0,
        });
        Channels::new(self.clone(), started)
    }

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

    /// Starts a request that tells more than one thing.
    pub(crate) fn follow<T: Letter>(
        &self,
        request: Request,
        queue: impl FnOnce(crate::mailbox::Sender<T>) -> Queue,
    ) -> Result<(Ticket, Receiver<T>), RequestError> {
        let (sender, receiver) = mailbox(self.marks);
        let shared = self.shared();
        let mut state = shared.lock();
        let now = shared.now();
        let id = begin(&mut state, request, shared)?;
        state.waiters.follow(id, queue(sender));
        shared.carry_out(&mut state, Writing::Later, now);
        Ok((Ticket::new(self, id), receiver))
    }

    /// Waits for an answer as long as requests are waited for.
    pub(crate) async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        match self.request_timeout {
            None => Ok(answer.await),
            Some(limit) => timeout(limit, answer).await.map_err(|_| Failure::TimedOut),
        }
    }
}

/// A request that somebody waits for. Dropped before the request has ended, it gives the request up.
#[derive(Debug)]
pub(crate) struct Ticket {
    shared: Arc<Shared>,
    pub(crate) id: RequestId,
    /// Has it ended?
    pub(crate) ended: bool,
}

impl Ticket {
    fn new(client: &Client, id: RequestId) -> Self {
        Self {
            shared: Arc::clone(client.shared()),
            id,
            ended: false,
        }
    }

    /// Waits no longer; the request tells so if it can.
    fn abandon(&mut self) {
        let mut state = self.shared.lock();
        let now = self.shared.now();
        state.core.abandon(self.id, now);
        self.shared.carry_out(&mut state, Writing::Later, now);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.drop_request(self.id);
        }
    }
}

/// The next thing that a request tells. For requests whose pace does not matter.
pub(crate) async fn next<T: Letter>(events: &mut Receiver<T>) -> Option<T> {
    std::future::poll_fn(|context| events.poll_next(context).0).await
}

fn begin(state: &mut State, request: Request, shared: &Shared) -> Result<RequestId, RequestError> {
    match state.shutdown {
        true => Err(RequestError::Shutdown),
        false => Ok(state.core.start(request, shared.now())?),
    }
}

fn record(channel: impl Into<ChannelName>, key: impl Into<Key>) -> RecordName {
    RecordName {
        channel: channel.into(),
        key: key.into(),
    }
}

fn is_open(node: &NodeState) -> bool {
    node.connection == ConnectionState::Open
}

/// What do the nodes lack to be ready?
fn check(state: &State) -> Result<(), NotReady> {
    let nodes = state.core.nodes();
    let missing = nodes.iter().filter_map(|(node, known)| {
        let missing = match &known.connection {
            ConnectionState::Open if known.range.is_some() => return None,
            ConnectionState::Open => Missing::Range,
            _ if state.shutdown => ConnectionError::Shutdown.into(),
            ConnectionState::Failed(error) => error.clone().into(),
            ConnectionState::Connecting | ConnectionState::Authenticating => {
                ConnectionError::TimedOut.into()
            }
        };
        Some((*node, missing))
    });
    let missing: Vec<_> = missing.collect();
    match missing.is_empty() && !nodes.is_empty() {
        true => Ok(()),
        false => Err(NotReady { nodes: missing }),
    }
}

fn is_lasting(missing: &Missing) -> bool {
    matches!(missing, Missing::Connection(error) if error.is_lasting())
}
