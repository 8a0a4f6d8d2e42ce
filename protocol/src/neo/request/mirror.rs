//! Mirror: follows the changes of a channel on every node, and dumps the channel at the start or
//! periodically (`neo-requests.md` section 6, 15.5).
//!
//! ```text
//! client  -- Mirror channel ... ---------->  node
//!         <-- supported ------------------
//!         <-- Started | Error                (Error: end)
//!         <-- RecordChanged | RecordDeleted  (a write or a removal happened)
//!         <-- RecordRefreshBatch             (part of a dump)
//!         <-- UpdateOverflow                 (changes were lost; the client read too slowly)
//!         <-- ChannelRemoved
//!         -- Ack ------------------------>   (end)
//! ```
//!
//! Meanwhile the client may suspend, resume and stop the request: [`control`](super::control).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::control::{ACK, NodeControl};
use super::messages::unknown_type;
use super::stream::{Data, Stream};
use super::{ChannelId, Host, NodeHalf, Opening, Progress, RequestCode};
use crate::channel::ChannelName;
use crate::codec::{DecodeError, Put as _, Reader};
use crate::key::Key;
use crate::neo::batch::{self, RefreshBatch};
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Mirror;

/// How many records and updates the node looks at before it lets others work.
const STEPS_A_TURN: usize = 256;

/// What a Mirror sends besides changes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Settings {
    /// Send all records once at the start.
    pub initial_refresh: bool,
    /// Send all records every so many seconds, the first time after one period; 0: never.
    pub periodic_refresh_s: u32,
}

impl Default for Settings {
    /// As the original: a dump at the start and every 360 seconds.
    fn default() -> Self {
        Self {
            initial_refresh: true,
            periodic_refresh_s: 360,
        }
    }
}

/// The client's first message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Open {
    /// Send nothing before Resume.
    pub start_suspended: bool,
    /// The channel.
    pub channel: ChannelName,
    /// What to send.
    pub settings: Settings,
}

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        out.put_bool(self.start_suspended);
        out.put_array(self.channel.as_bytes());
        out.put_bool(self.settings.initial_refresh);
        out.put_u32(self.settings.periodic_refresh_s);
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let start_suspended = reader.bool("start_suspended")?;
        let channel = ChannelName::copy_from(reader.array("channel")?);
        let initial_refresh = reader.bool("initial_refresh")?;
        let periodic_refresh_s = reader.u32("periodic_refresh_s")?;
        reader.finish()?;
        Ok(Self {
            start_suspended,
            channel,
            settings: Settings {
                initial_refresh,
                periodic_refresh_s,
            },
        })
    }
}

/// What the node says behind the supported status.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromNode {
    /// The client's control message has arrived.
    Ack,
    /// Changes are followed from now on.
    Started,
    /// The node could not open the channel.
    Error,
    /// A record was written; this is its value now.
    RecordChanged(Key, Bytes),
    /// A record was removed.
    RecordDeleted(Key),
    /// Records, compressed; see [`batch`].
    RecordRefreshBatch(Bytes),
    /// The channel was removed.
    ChannelRemoved,
    /// Changes were lost.
    UpdateOverflow,
}

impl FromNode {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ack => out.put_u8(ACK),
            Self::Started => out.put_u8(5),
            Self::Error => out.put_u8(6),
            Self::RecordChanged(key, value) => {
                out.put_u8(7);
                out.put_u64(key.0);
                out.put_array(value);
            }
            Self::RecordDeleted(key) => {
                out.put_u8(8);
                out.put_u64(key.0);
            }
            Self::RecordRefreshBatch(batch) => {
                out.put_u8(9);
                out.put_array(batch);
            }
            Self::ChannelRemoved => out.put_u8(10),
            Self::UpdateOverflow => out.put_u8(11),
        }
    }

    /// Reads the message; a batch is not looked into.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            ACK => Self::Ack,
            5 => Self::Started,
            6 => Self::Error,
            7 => {
                let key = Key(reader.u64("key")?);
                Self::RecordChanged(key, Bytes::copy_from_slice(reader.array("value")?))
            }
            8 => Self::RecordDeleted(Key(reader.u64("key")?)),
            9 => Self::RecordRefreshBatch(Bytes::copy_from_slice(reader.array("batch")?)),
            10 => Self::ChannelRemoved,
            11 => Self::UpdateOverflow,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Its name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ack => "Ack",
            Self::Started => "Started",
            Self::Error => "Error",
            Self::RecordChanged(..) => "RecordChanged",
            Self::RecordDeleted(_) => "RecordDeleted",
            Self::RecordRefreshBatch(_) => "RecordRefreshBatch",
            Self::ChannelRemoved => "ChannelRemoved",
            Self::UpdateOverflow => "UpdateOverflow",
        }
    }
}

/// What the user receives.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Item {
    /// A record was written.
    Updated(Key, Bytes),
    /// A record of a dump.
    Refreshed(Key, Bytes),
    /// A record was removed.
    Deleted(Key),
    /// Changes were lost on this node.
    UpdatesLost,
    /// The channel was removed on this node.
    ChannelRemoved,
}

/// The client's half; [`Streaming`](super::stream::Streaming) drives it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    channel: ChannelName,
    settings: Settings,
}

impl Client {
    /// Follows this channel.
    pub fn new(channel: ChannelName, settings: Settings) -> Self {
        Self { channel, settings }
    }
}

impl Stream for Client {
    const CODE: RequestCode = CODE;
    type Part = ();
    type Item = Item;

    fn opening(&self, (): &(), start_suspended: bool) -> Vec<u8> {
        Open {
            start_suspended,
            channel: self.channel.clone(),
            settings: self.settings,
        }
        .encode()
    }

    fn receive(
        &mut self,
        (): &mut (),
        payload: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<Data<Item>, DecodeError> {
        Ok(match FromNode::decode(payload)? {
            FromNode::Ack => Data::Ack,
            FromNode::Started => Data::Started,
            FromNode::Error => Data::Error,
            FromNode::ChannelRemoved => Data::Final(Some(Item::ChannelRemoved)),
            FromNode::RecordChanged(key, value) => {
                items.push(Item::Updated(key, value));
                Data::Items
            }
            FromNode::RecordDeleted(key) => {
                items.push(Item::Deleted(key));
                Data::Items
            }
            FromNode::RecordRefreshBatch(block) => {
                let records = batch::decode_refresh(&block)?;
                items.extend(
                    records
                        .into_iter()
                        .map(|(key, value)| Item::Refreshed(key, value)),
                );
                Data::Items
            }
            FromNode::UpdateOverflow => {
                items.push(Item::UpdatesLost);
                Data::Items
            }
        })
    }
}

/// A change of a record, as it is queued: the value is read when it is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Change {
    /// The record was written.
    Changed(Key),
    /// The record was removed.
    Deleted(Key),
}

/// The node's half.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    channel: Option<ChannelId>,
    period: Option<Duration>,
    control: NodeControl,
    opened: bool,
    updates: VecDeque<Change>,
    capacity: usize,
    overflowed: bool,
    refresh: Refresh,
    /// Is it the dump's turn, if there are updates as well?
    refresh_next: bool,
    batch: RefreshBatch,
    removed: bool,
}

/// A dump of the channel; it remembers only the last key, so that records may come and go meanwhile.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Refresh {
    Idle,
    Walking { last_key: Option<Key> },
}

impl Node {
    /// Which channel is followed; `None` if it could not be opened.
    pub fn channel(&self) -> Option<ChannelId> {
        self.channel
    }

    /// How often [`tick`](Self::tick) is to be called; `None`: never.
    pub fn period(&self) -> Option<Duration> {
        self.period
    }

    /// Does it wait for Resume?
    pub fn is_suspended(&self) -> bool {
        self.control.is_running() && !self.control.is_flowing()
    }

    /// The update that is sent next; `None` if none waits.
    pub fn next_update(&self) -> Option<Change> {
        self.updates.front().copied()
    }

    /// How many updates wait to be sent.
    pub fn updates_waiting(&self) -> usize {
        self.updates.len()
    }

    /// Is a dump under way, or does it wait for Resume?
    pub fn is_refreshing(&self) -> bool {
        self.refresh != Refresh::Idle
    }

    /// Is there anything to be sent, the end of the channel aside?
    pub fn has_work(&self) -> bool {
        !self.updates.is_empty() || self.is_refreshing() || self.overflowed
    }

    /// A record of the channel was written or removed.
    pub fn changed(&mut self, change: Change) {
        match self.updates.len() < self.capacity {
            true => self.updates.push_back(change),
            false => self.overflowed = true,
        }
    }

    /// The channel was removed.
    pub fn channel_removed(&mut self) {
        self.removed = true;
    }

    /// A period is over. A dump that is still under way, or waits for Resume, counts for it.
    pub fn tick(&mut self) {
        if self.refresh == Refresh::Idle {
            self.refresh = Refresh::Walking { last_key: None };
        }
    }

    /// Takes one update or one record of a dump, in turn if there are both. Did it find anything to do?
    fn step<H: Host>(&mut self, channel: ChannelId, host: &H, out: &mut Vec<u8>) -> bool {
        match (self.updates.front().copied(), self.refresh) {
            (Some(change), Refresh::Walking { .. }) if !self.refresh_next => {
                self.refresh_next = true;
                self.send_update(change, channel, host, out);
            }
            (_, Refresh::Walking { last_key }) => {
                self.refresh_next = false;
                self.refresh_record(last_key, channel, host, out);
            }
            (Some(change), Refresh::Idle) => self.send_update(change, channel, host, out),
            (None, Refresh::Idle) if self.overflowed => {
                self.overflowed = false;
                FromNode::UpdateOverflow.encode(out);
            }
            (None, Refresh::Idle) => return false,
        }
        true
    }

    fn send_update<H: Host>(
        &mut self,
        change: Change,
        channel: ChannelId,
        host: &H,
        out: &mut Vec<u8>,
    ) {
        let (Change::Changed(key) | Change::Deleted(key)) = change;
        // What a dump has read of this record is older than the update, so it has to be sent first
        // (P55, F05).
        if self.batch.contains(key) {
            self.send_batch(out);
            return;
        }
        self.updates.pop_front();
        match change {
            Change::Deleted(key) => FromNode::RecordDeleted(key).encode(out),
            Change::Changed(key) => {
                // A record that is gone again is not worth a word: its removal is queued behind.
                if let Ok(Some(value)) = host.get(channel, key) {
                    FromNode::RecordChanged(key, value).encode(out);
                }
            }
        }
    }

    fn refresh_record<H: Host>(
        &mut self,
        last_key: Option<Key>,
        channel: ChannelId,
        host: &H,
        out: &mut Vec<u8>,
    ) {
        match host.record_after(channel, last_key) {
            Some((key, value)) => {
                self.refresh = Refresh::Walking {
                    last_key: Some(key),
                };
                // A record that no batch can hold is left out (`neo-requests.md` 1.3); a batch that is
                // due is sent at once and so never full.
                let _ = self.batch.push(key, &value);
                if self.batch.is_due() {
                    self.send_batch(out);
                }
            }
            None => {
                self.refresh = Refresh::Idle;
                if !self.batch.is_empty() {
                    self.send_batch(out);
                }
            }
        }
    }

    fn send_batch(&mut self, out: &mut Vec<u8>) {
        FromNode::RecordRefreshBatch(self.batch.finish().into()).encode(out);
    }
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let open = Open::decode(opening.fields).map_err(CODE.malformed_first())?;
        let Settings {
            initial_refresh,
            periodic_refresh_s,
        } = open.settings;
        Ok(Self {
            channel: host.open_channel(&open.channel).ok(),
            period: (periodic_refresh_s > 0)
                .then(|| Duration::from_secs(periodic_refresh_s.into())),
            control: NodeControl::new(open.start_suspended),
            opened: false,
            updates: VecDeque::new(),
            capacity: opening.limits.mirror_queue,
            overflowed: false,
            refresh: match initial_refresh {
                true => Refresh::Walking { last_key: None },
                false => Refresh::Idle,
            },
            refresh_next: false,
            batch: RefreshBatch::default(),
            removed: false,
        })
    }

    fn receive<H: Host>(&mut self, payload: &[u8], _: &mut H) -> Result<(), Violation> {
        self.control.receive(CODE, payload)
    }

    fn poll<H: Host>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        let Some(channel) = self.channel else {
            if self.opened {
                return Progress::Ended;
            }
            self.opened = true;
            FromNode::Error.encode(out);
            return Progress::Sent;
        };
        if !self.opened {
            self.opened = true;
            FromNode::Started.encode(out);
            return Progress::Sent;
        }
        if self.control.poll(out) {
            return Progress::Sent;
        }
        if self.control.is_ended() {
            return Progress::Ended;
        }
        if self.control.is_flowing() {
            for _ in 0..STEPS_A_TURN {
                if !self.step(channel, host, out) {
                    break;
                }
                if !out.is_empty() {
                    return Progress::Sent;
                }
            }
            if self.has_work() {
                return Progress::Yielded;
            }
        }
        // The end of the channel is told in spite of a suspension (`neo-requests.md` 6.2).
        if self.removed && self.control.is_running() {
            self.control.finish();
            FromNode::ChannelRemoved.encode(out);
            return Progress::Sent;
        }
        Progress::Idle
    }

    fn is_over(&self) -> bool {
        match self.channel {
            Some(_) => self.control.is_ended(),
            None => self.opened,
        }
    }
}

#[cfg(test)]
mod tests;
