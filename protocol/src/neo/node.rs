//! A node's connection: the requests that are active on it, and whose turn it is to send
//! (`neo-transport.md` sections 8 and 9).
//!
//! The requests share one output. A message that starts or continues a request is handled at once and
//! answered at once as long as the output has room; what wants to send more waits in a queue and takes
//! turns, a message each. While the output is full nothing is added to it, and while far too much is in
//! it, because the peer does not read, [`wants_input`](NodeConnection::wants_input) says that nothing
//! more should be read either.

mod half;

pub use half::NodeRequest;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::connection::{Connection, Event};
use super::handshake::NodeHandshake;
use super::request::get_hash_range::Update;
use super::request::mirror::Change;
use super::request::{ChannelId, Command, Host, Opening, Progress, mirror};
use super::{ClientName, Limits, Now, RequestId, Violation};

/// From how many bytes in the output on nobody adds to it.
const OUTPUT_FULL: usize = 128 * 1024;
/// From how many bytes in the output on no input is wanted.
const OUTPUT_STUCK: usize = 1024 * 1024;
/// How often a request may send before others have their turn.
const MESSAGES_A_TURN: usize = 4;
/// How many turns are taken before the driver may do something else.
const TURNS: usize = 64;
/// How many turns it counts for when a request has worked without a message to show for it: all that are
/// left. It may have looked through megabytes, or be slow on purpose, to let its client say something.
const LONG_TURN: usize = TURNS;

/// One client's connection to a node.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NodeConnection {
    connection: Connection<NodeHandshake>,
    client: Option<ClientName>,
    limits: Limits,
    requests: BTreeMap<RequestId, Active>,
    /// Requests that may have something to send, in the order of their turns.
    waiting: VecDeque<RequestId>,
    /// When the next dump of a Mirror is due.
    ticks: BTreeSet<(Duration, RequestId)>,
    mirrors: BTreeMap<ChannelId, BTreeSet<RequestId>>,
    /// Changes of the channels that are followed here, for the driver.
    follows: Vec<Follow>,
    /// Room for the message that a request sends. Always empty, so that equal connections are equal.
    scratch: Vec<u8>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Active {
    half: NodeRequest,
    /// Does it stand in the queue?
    waits: bool,
}

/// A connection begins or ceases to follow the changes of a channel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Follow {
    /// The first Mirror on the channel.
    Begin(ChannelId),
    /// The last one has ended.
    End(ChannelId),
}

impl NodeConnection {
    /// A connection on which nothing has been said yet.
    pub fn new(handshake: NodeHandshake, limits: Limits) -> Self {
        Self {
            connection: Connection::new(handshake, limits),
            client: None,
            limits,
            requests: BTreeMap::new(),
            waiting: VecDeque::new(),
            ticks: BTreeSet::new(),
            mirrors: BTreeMap::new(),
            follows: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds bytes as they came from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.connection.feed(bytes);
    }

    /// Handles what was fed and what has become due, and fills the output. Says whether there is more
    /// to do although nothing was fed; others may go first. After an error the connection is to be
    /// closed; what stands in the output is still meant for the client.
    pub fn process<H: Host>(&mut self, now: Now, host: &mut H) -> Result<bool, Violation> {
        let read = self.read(now, host);
        read.inspect_err(|_| self.connection.close())?;
        self.tick(now);
        Ok(self.take_turns(host))
    }

    /// Bytes for the client that the driver has not taken yet. The driver removes what it has written
    /// and calls [`process`](Self::process) again.
    pub fn output(&mut self) -> &mut Vec<u8> {
        self.connection.output()
    }

    /// Is there room enough in the output for the answers to what is read?
    pub fn wants_input(&self) -> bool {
        self.connection.output_len() < OUTPUT_STUCK
    }

    /// Who the client is, once it has proved it.
    pub fn client(&self) -> Option<&ClientName> {
        self.client.as_ref()
    }

    /// How many requests are active.
    pub fn active_requests(&self) -> usize {
        self.requests.len()
    }

    /// Is a request active under this id? A message with any other id starts a request.
    pub fn is_active(&self, id: RequestId) -> bool {
        self.requests.contains_key(&id)
    }

    /// When [`process`](Self::process) is to be called at the latest, as [`Now::elapsed`].
    pub fn next_tick(&self) -> Option<Duration> {
        self.ticks.first().map(|(due, _)| *due)
    }

    /// Channels that this connection has begun or ceased to follow since the last call. The driver
    /// tells it of changes in those it follows.
    pub fn take_follows(&mut self) -> Vec<Follow> {
        std::mem::take(&mut self.follows)
    }

    /// How many Mirrors follow a channel.
    pub fn mirrors(&self, channel: ChannelId) -> usize {
        self.mirrors.get(&channel).map_or(0, BTreeSet::len)
    }

    /// A record of a channel was written or removed.
    pub fn changed(&mut self, channel: ChannelId, change: Change) {
        self.for_mirrors(channel, |mirror| mirror.changed(change));
    }

    /// A channel was removed.
    pub fn channel_removed(&mut self, channel: ChannelId) {
        self.for_mirrors(channel, mirror::Node::channel_removed);
    }

    /// The node's range changed, or another node became known.
    pub fn range_updated(&mut self, update: Update) {
        for (id, active) in &mut self.requests {
            if let NodeRequest::GetHashRange(half) = &mut active.half {
                half.updated(update);
                active.queue(*id, &mut self.waiting);
            }
        }
    }

    /// Handles what was fed.
    fn read<H: Host>(&mut self, now: Now, host: &mut H) -> Result<(), Violation> {
        while let Some(event) = self.connection.next_event(now)? {
            match event {
                Event::Established(client) => self.client = Some(client),
                Event::Message { id, payload } => self.receive(id, &payload, now, host)?,
            }
        }
        Ok(())
    }

    fn for_mirrors(&mut self, channel: ChannelId, mut tell: impl FnMut(&mut mirror::Node)) {
        for id in self.mirrors.get(&channel).into_iter().flatten() {
            if let Some(active) = self.requests.get_mut(id) {
                if let NodeRequest::Mirror(half) = &mut active.half {
                    tell(half);
                }
                active.queue(*id, &mut self.waiting);
            }
        }
    }

    fn receive<H: Host>(
        &mut self,
        id: RequestId,
        payload: &[u8],
        now: Now,
        host: &mut H,
    ) -> Result<(), Violation> {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.receive(payload, host)?;
            if active.half.is_over() {
                self.end(id);
                return Ok(());
            }
        } else if !self.open(id, payload, now, host)? {
            return Ok(());
        }
        for _ in 0..MESSAGES_A_TURN {
            if self.is_full() || self.poll(id, host) != Progress::Sent {
                break;
            }
        }
        if let Some(active) = self.requests.get_mut(&id) {
            active.queue(id, &mut self.waiting);
        }
        Ok(())
    }

    /// The first message of a request. Is the request active now?
    fn open<H: Host>(
        &mut self,
        id: RequestId,
        payload: &[u8],
        now: Now,
        host: &mut H,
    ) -> Result<bool, Violation> {
        let limit = self.limits.active_requests;
        if self.requests.len() >= limit {
            return Err(Violation::TooManyRequests { limit });
        }
        let (command, fields) = Command::decode(payload).map_err(|_| Violation::NoCommand {
            id: id.get(),
            len: payload.len(),
        })?;
        self.connection.send(id, &command.status().encode());
        // Messages of requests come only after the authentication, which names the client.
        let (Ok(request), Some(client)) = (command.request(), &self.client) else {
            return Ok(false);
        };
        let half = NodeRequest::open(
            request,
            Opening {
                fields,
                client,
                limits: &self.limits,
            },
            host,
        )?;
        if let NodeRequest::Mirror(mirror) = &half {
            if let Some(period) = mirror.period() {
                self.ticks.insert((now.elapsed + period, id));
            }
            if let Some(channel) = mirror.channel() {
                let mirrors = self.mirrors.entry(channel).or_default();
                if mirrors.is_empty() {
                    self.follows.push(Follow::Begin(channel));
                }
                mirrors.insert(id);
            }
        }
        self.requests.insert(id, Active { half, waits: false });
        Ok(true)
    }

    /// Starts the dumps that are due.
    fn tick(&mut self, now: Now) {
        while let Some((due, id)) = self.ticks.first().copied() {
            if due > now.elapsed {
                break;
            }
            self.ticks.pop_first();
            let Some(active) = self.requests.get_mut(&id) else {
                continue;
            };
            let NodeRequest::Mirror(mirror) = &mut active.half else {
                continue;
            };
            mirror.tick();
            if let Some(period) = mirror.period() {
                // Ticks that were missed are not made up for.
                self.ticks.insert(((due + period).max(now.elapsed), id));
            }
            active.queue(id, &mut self.waiting);
        }
    }

    /// Lets those that wait send in turn. Is there more to do?
    fn take_turns<H: Host>(&mut self, host: &mut H) -> bool {
        let mut turns = TURNS;
        while turns > 0 {
            if self.is_full() || !self.connection.is_open() {
                return false;
            }
            let Some(id) = self.waiting.pop_front() else {
                return false;
            };
            let Some(active) = self.requests.get_mut(&id) else {
                continue;
            };
            active.waits = false;
            let progress = self.poll(id, host);
            turns = turns.saturating_sub(match progress {
                Progress::Yielded => LONG_TURN,
                Progress::Sent | Progress::Idle | Progress::Ended => 1,
            });
            if matches!(progress, Progress::Sent | Progress::Yielded)
                && let Some(active) = self.requests.get_mut(&id)
            {
                active.queue(id, &mut self.waiting);
            }
        }
        !self.waiting.is_empty()
    }

    fn poll<H: Host>(&mut self, id: RequestId, host: &mut H) -> Progress {
        let Some(active) = self.requests.get_mut(&id) else {
            return Progress::Ended;
        };
        let mut message = std::mem::take(&mut self.scratch);
        let progress = active.half.poll(host, &mut message);
        match progress {
            Progress::Sent => {
                let over = active.half.is_over();
                self.connection.send(id, &message);
                // The client may use the id again from now on, whenever the next turn is.
                if over {
                    self.end(id);
                }
            }
            Progress::Ended => self.end(id),
            Progress::Yielded | Progress::Idle => {}
        }
        message.clear();
        self.scratch = message;
        progress
    }

    fn end(&mut self, id: RequestId) {
        let Some(Active { half, waits }) = self.requests.remove(&id) else {
            return;
        };
        if waits {
            self.waiting.retain(|waiting| *waiting != id);
        }
        let NodeRequest::Mirror(mirror) = half else {
            return;
        };
        self.ticks.retain(|(_, ticking)| *ticking != id);
        let Some(channel) = mirror.channel() else {
            return;
        };
        let Some(mirrors) = self.mirrors.get_mut(&channel) else {
            return;
        };
        mirrors.remove(&id);
        if mirrors.is_empty() {
            self.mirrors.remove(&channel);
            self.follows.push(Follow::End(channel));
        }
    }

    fn is_full(&self) -> bool {
        self.connection.output_len() >= OUTPUT_FULL
    }
}

impl Active {
    fn queue(&mut self, id: RequestId, waiting: &mut VecDeque<RequestId>) {
        if !self.waits {
            self.waits = true;
            waiting.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
