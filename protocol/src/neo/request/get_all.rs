//! GetAll: reads all records, or all keys, of a channel on every node (`neo-requests.md` section 7).
//!
//! ```text
//! client  -- GetAll channel ... ---------->  node
//!         <-- supported ------------------
//!         <-- Started | Error                (Error: end)
//!         <-- RecordBatch                    (as often as needed; the last may be empty)
//!         <-- Finished
//!         -- Ack ------------------------>   (end)
//! ```
//!
//! Meanwhile the client may suspend, resume and stop the request: [`control`](super::control).

use bytes::Bytes;
use memchr::memmem;

use super::control::{ACK, NodeControl};
use super::messages::unknown_type;
use super::stream::{Data, Stream};
use super::{ChannelId, Host, NodeHalf, Opening, Progress, RequestCode};
use crate::channel::ChannelName;
use crate::codec::{DecodeError, Put as _, Reader};
use crate::key::Key;
use crate::neo::batch::{self, GetAllBatch, Pushed};
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::GetAll;

/// How many records, and how many bytes of them, the node looks at before it lets others work (a
/// filter may match none of them).
const RECORDS_A_TURN: usize = 256;
const BYTES_A_TURN: usize = 4 * 1024 * 1024;
/// With how many records the node begins slowly, one a turn. A client can suspend or stop a GetAll only
/// once Started has reached it; a node that hurries would have read all of a small channel by then. The
/// original's test suite suspends one with 1000 records.
const SLOW_RECORDS: u16 = 1024;

/// What a GetAll reads.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Settings {
    /// Only the keys.
    pub keys_only: bool,
    /// Only records whose value contains these bytes; empty: all. Tests the value also if only keys
    /// are read.
    pub value_filter: Bytes,
}

/// The client's first message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Open {
    /// Send nothing before Resume.
    pub start_suspended: bool,
    /// The channel.
    pub channel: ChannelName,
    /// Go on behind this key, the last one that was received.
    pub continue_from: Option<Key>,
    /// What to read.
    pub settings: Settings,
}

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        out.put_bool(self.start_suspended);
        out.put_array(self.channel.as_bytes());
        out.put_bool(self.continue_from.is_some());
        out.put_u64(self.continue_from.unwrap_or_default().0);
        out.put_bool(self.settings.keys_only);
        out.put_array(&self.settings.value_filter);
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let start_suspended = reader.bool("start_suspended")?;
        let channel = ChannelName::copy_from(reader.array("channel")?);
        let continuing = reader.bool("continuing")?;
        let continue_from = Key(reader.u64("continue_from")?);
        let keys_only = reader.bool("keys_only")?;
        let value_filter = Bytes::copy_from_slice(reader.array("value_filter")?);
        reader.finish()?;
        Ok(Self {
            start_suspended,
            channel,
            continue_from: continuing.then_some(continue_from),
            settings: Settings {
                keys_only,
                value_filter,
            },
        })
    }
}

/// What the node says behind the supported status.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromNode {
    /// The client's control message has arrived.
    Ack,
    /// The records come next.
    Started,
    /// The node could not read the channel.
    Error,
    /// Records, compressed; see [`batch`].
    RecordBatch(Bytes),
    /// That was all.
    Finished,
}

impl FromNode {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ack => out.put_u8(ACK),
            Self::Started => out.put_u8(5),
            Self::Error => out.put_u8(6),
            Self::RecordBatch(batch) => {
                out.put_u8(7);
                out.put_array(batch);
            }
            Self::Finished => out.put_u8(8),
        }
    }

    /// Reads the message; a batch is not looked into.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            ACK => Self::Ack,
            5 => Self::Started,
            6 => Self::Error,
            7 => Self::RecordBatch(Bytes::copy_from_slice(reader.array("batch")?)),
            8 => Self::Finished,
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
            Self::RecordBatch(_) => "RecordBatch",
            Self::Finished => "Finished",
        }
    }
}

/// What the user receives.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Item {
    /// A record.
    Record(Key, Bytes),
    /// The key of a record, if only keys were asked for.
    Key(Key),
}

/// The client's half; [`Streaming`](super::stream::Streaming) drives it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    channel: ChannelName,
    settings: Settings,
}

impl Client {
    /// Reads this channel.
    pub fn new(channel: ChannelName, settings: Settings) -> Self {
        Self { channel, settings }
    }
}

impl Stream for Client {
    const CODE: RequestCode = CODE;
    /// The last key that was received from the node: where to go on after a reconnection (P51).
    type Part = Option<Key>;
    type Item = Item;

    fn opening(&self, last_key: &Option<Key>, start_suspended: bool) -> Vec<u8> {
        let Self { channel, settings } = self.clone();
        Open {
            start_suspended,
            channel,
            continue_from: *last_key,
            settings,
        }
        .encode()
    }

    fn receive(
        &mut self,
        last_key: &mut Option<Key>,
        payload: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<Data<Item>, DecodeError> {
        Ok(match FromNode::decode(payload)? {
            FromNode::Ack => Data::Ack,
            FromNode::Started => Data::Started,
            FromNode::Error => Data::Error,
            FromNode::Finished => Data::Final(None),
            FromNode::RecordBatch(block) => {
                if self.settings.keys_only {
                    let keys = batch::decode_keys(&block)?;
                    *last_key = keys.last().copied().or(*last_key);
                    items.extend(keys.into_iter().map(Item::Key));
                } else {
                    let records = batch::decode_records(&block)?;
                    *last_key = records.last().map(|(key, _)| *key).or(*last_key);
                    items.extend(
                        records
                            .into_iter()
                            .map(|(key, value)| Item::Record(key, value)),
                    );
                }
                Data::Items
            }
        })
    }
}

/// The node's half: walks the records in the node's order, remembering only the last key, so that
/// records may come and go meanwhile (P44, P53).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    channel: Option<ChannelId>,
    keys_only: bool,
    value_filter: Bytes,
    control: NodeControl,
    step: Step,
    last_key: Option<Key>,
    batch: GetAllBatch,
    /// How many records are still taken slowly.
    slow: u16,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Step {
    /// Started or Error is to be sent.
    Start,
    Walk,
    /// All records were walked; the last batch is to be sent.
    LastBatch,
    Finish,
    /// Error was sent, or Finished; nothing more is said.
    Silent,
}

impl Node {
    /// Does it wait for Resume before it sends more records?
    pub fn is_suspended(&self) -> bool {
        self.control.is_suspended()
    }

    /// Puts records into the batch until it is full or no record is left.
    fn walk<H: Host>(&mut self, channel: ChannelId, host: &H, out: &mut Vec<u8>) -> Progress {
        let mut bytes = 0;
        let records = match self.slow {
            0 => RECORDS_A_TURN,
            _ => 1,
        };
        for _ in 0..records {
            if bytes > BYTES_A_TURN {
                break;
            }
            let Some((key, value)) = host.record_after(channel, self.last_key) else {
                self.step = Step::LastBatch;
                return Progress::Yielded;
            };
            bytes += value.len();
            if memmem::find(&value, &self.value_filter).is_none() {
                self.walked(key);
                continue;
            }
            // A suspension holds back records that match, and nothing else (F23).
            if !self.control.is_flowing() {
                return Progress::Idle;
            }
            let pushed = match self.keys_only {
                true => self.batch.push_key(key),
                false => self.batch.push(key, &value),
            };
            match pushed {
                // A record that no batch can hold is left out (`neo-requests.md` 1.3).
                Pushed::Added | Pushed::TooBig => self.walked(key),
                Pushed::Full => {
                    self.send_batch(out);
                    return Progress::Sent;
                }
            }
        }
        Progress::Yielded
    }

    fn walked(&mut self, key: Key) {
        self.last_key = Some(key);
        self.slow = self.slow.saturating_sub(1);
    }

    fn send_batch(&mut self, out: &mut Vec<u8>) {
        FromNode::RecordBatch(self.batch.finish().into()).encode(out);
    }
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let open = Open::decode(opening.fields).map_err(CODE.malformed_first())?;
        Ok(Self {
            channel: host.open_channel(&open.channel).ok(),
            value_filter: open.settings.value_filter,
            control: NodeControl::new(open.start_suspended),
            step: Step::Start,
            last_key: open.continue_from,
            batch: GetAllBatch::default(),
            keys_only: open.settings.keys_only,
            slow: SLOW_RECORDS,
        })
    }

    fn receive<H: Host>(&mut self, payload: &[u8], _: &mut H) -> Result<(), Violation> {
        self.control.receive(CODE, payload)
    }

    fn poll<H: Host>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        let Some(channel) = self.channel else {
            if self.step == Step::Silent {
                return Progress::Ended;
            }
            self.step = Step::Silent;
            FromNode::Error.encode(out);
            return Progress::Sent;
        };
        if self.step == Step::Start {
            self.step = Step::Walk;
            FromNode::Started.encode(out);
            return Progress::Sent;
        }
        if self.control.poll(out) {
            return Progress::Sent;
        }
        if self.control.is_ended() {
            return Progress::Ended;
        }
        match self.step {
            Step::Start | Step::Walk => self.walk(channel, host, out),
            Step::LastBatch => {
                self.send_batch(out);
                self.step = Step::Finish;
                Progress::Sent
            }
            Step::Finish => {
                self.control.finish();
                self.step = Step::Silent;
                FromNode::Finished.encode(out);
                Progress::Sent
            }
            Step::Silent => Progress::Idle,
        }
    }

    fn is_over(&self) -> bool {
        match self.channel {
            Some(_) => self.control.is_ended(),
            None => self.step == Step::Silent,
        }
    }
}

#[cfg(test)]
mod tests;
