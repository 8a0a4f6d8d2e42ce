//! Update: reads a record and changes it, if nobody else has changed it meanwhile
//! (`neo-requests.md` section 12).
//!
//! ```text
//! client  -- GetRecord channel key -------->  node
//!         <-- supported ------------------
//!         <-- NoRecord | WrongNode | Error    (end)
//!     or  <-- RecordValue
//!         -- UpdateRecord hash value ----->
//!         <-- Ok | UpdateConflict | Error     (end)
//!     or  -- RemoveRecord | LeaveRecord -->
//!         <-- Ok | Error                      (end)
//! ```
//!
//! A record that is found on another node than the newest that covers it moves to the newest one:
//!
//! ```text
//! client  -- UpdateRecord channel key hash value -->  newest
//!         <-- supported, Ok ----------------------
//!         -- RemoveRecord ----------------------->  old node
//!         <-- Ok ---------------------------------
//! ```

use bytes::Bytes;

use super::messages::{RecordName, unknown_type};
use super::outcome::{Effect, Failure};
use super::{Host, NodeHalf, Opening, Progress, RequestCode, SupportedStatus};
use crate::codec::{DecodeError, Put as _, Reader};
use crate::key::fnv1a;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Update;

/// The client's first message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Open {
    /// Read the record.
    GetRecord(RecordName),
    /// Write the record at once.
    UpdateRecord(RecordName, Replacement),
}

/// A new value, and the hash that the value it replaces must have.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Replacement {
    /// [`fnv1a`] of the value that was read.
    pub original_hash: u64,
    /// The new value.
    pub new_value: Bytes,
}

impl Replacement {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.original_hash);
        out.put_array(&self.new_value);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let original_hash = reader.u64("original_hash")?;
        let new_value = Bytes::copy_from_slice(reader.array("new_value")?);
        Ok(Self {
            original_hash,
            new_value,
        })
    }
}

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        match self {
            Self::GetRecord(record) => {
                out.put_u8(1);
                record.encode(&mut out);
            }
            Self::UpdateRecord(record, replacement) => {
                out.put_u8(2);
                record.encode(&mut out);
                replacement.encode(&mut out);
            }
        }
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let message = match reader.u8("type")? {
            1 => Self::GetRecord(RecordName::decode(&mut reader)?),
            2 => {
                let record = RecordName::decode(&mut reader)?;
                Self::UpdateRecord(record, Replacement::decode(&mut reader)?)
            }
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// The client's second message, after the record's value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromClient {
    /// Write the record.
    UpdateRecord(Replacement),
    /// Remove the record, whatever its value is by now.
    RemoveRecord,
    /// Do nothing.
    LeaveRecord,
}

impl FromClient {
    /// The whole message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::UpdateRecord(replacement) => {
                out.put_u8(2);
                replacement.encode(&mut out);
            }
            Self::RemoveRecord => out.put_u8(3),
            Self::LeaveRecord => out.put_u8(4),
        }
        out
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            2 => Self::UpdateRecord(Replacement::decode(&mut reader)?),
            3 => Self::RemoveRecord,
            4 => Self::LeaveRecord,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// What the node says behind the supported status.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromNode {
    /// The record's value. The client's decision is awaited.
    RecordValue(Bytes),
    /// Done.
    Ok,
    /// There is no such record.
    NoRecord,
    /// The record has another value by now; nothing was changed.
    UpdateConflict,
    /// The node is not responsible for the key.
    WrongNode,
    /// The node could not do it.
    Error,
}

impl FromNode {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::RecordValue(value) => {
                out.put_u8(5);
                out.put_array(value);
            }
            Self::Ok => out.put_u8(6),
            Self::NoRecord => out.put_u8(7),
            Self::UpdateConflict => out.put_u8(8),
            Self::WrongNode => out.put_u8(9),
            Self::Error => out.put_u8(10),
        }
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            5 => Self::RecordValue(Bytes::copy_from_slice(reader.array("value")?)),
            6 => Self::Ok,
            7 => Self::NoRecord,
            8 => Self::UpdateConflict,
            9 => Self::WrongNode,
            10 => Self::Error,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Its name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RecordValue(_) => "RecordValue",
            Self::Ok => "Ok",
            Self::NoRecord => "NoRecord",
            Self::UpdateConflict => "UpdateConflict",
            Self::WrongNode => "WrongNode",
            Self::Error => "Error",
        }
    }
}

/// What is to become of the record that was read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Decision {
    /// It gets this value.
    Replace(Bytes),
    /// It is removed.
    Delete,
    /// It stays as it is.
    Leave,
}

/// How an update ended that did not fail.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Updated {
    /// What was decided has been done.
    Done,
    /// There is no such record; nothing was decided.
    NoRecord,
    /// Somebody else changed the record meanwhile; it has their value.
    Conflict,
}

/// What the user of an update is told.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Notification {
    /// The record's value; a [`Decision`] is awaited.
    Received(Bytes),
    /// The last notification.
    Ended(Result<Updated, Failure>),
}

/// The client's half: reads from the newest node that has the record, and brings every node that it
/// read from to an end.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    record: RecordName,
    /// Nodes that cover the key, newest first.
    nodes: Vec<NodeAddress>,
    state: State,
}

/// `at` is the place in `nodes` of the node that the record is read from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum State {
    AwaitSupported {
        at: usize,
    },
    AwaitRecord {
        at: usize,
    },
    Deciding {
        at: usize,
        hash: u64,
    },
    /// The decision was sent to where the record is; `outcome` is what Ok means.
    AwaitEnd {
        at: usize,
        outcome: Result<Updated, Failure>,
    },
    /// The new value was sent to the newest node, which the record moves to.
    Moving {
        at: usize,
        supported: bool,
    },
    /// The user has been told the end, but the node may still ask for a decision.
    Abandoned {
        at: usize,
        supported: bool,
    },
    Ended,
}

type Effects = Vec<Effect<Notification>>;

impl Client {
    /// Asks the first of `nodes`, all of which cover the key, newest first.
    pub fn start(
        record: RecordName,
        nodes: impl IntoIterator<Item = NodeAddress>,
        effects: &mut Effects,
    ) -> Self {
        let mut client = Self {
            record,
            nodes: nodes.into_iter().collect(),
            state: State::Ended,
        };
        match client.nodes.is_empty() {
            true => client.end(Err(Failure::NoNode), effects),
            false => client.ask(0, effects),
        }
        client
    }

    /// An update that has read the record from `holder` and been decided on, at the moment when the record
    /// begins to move to `newest`. Who sees nothing but the connection to `newest` sees it begin there.
    pub fn moving(
        record: RecordName,
        replacement: Replacement,
        [newest, holder]: [NodeAddress; 2],
        effects: &mut Effects,
    ) -> Self {
        let mut client = Self {
            record,
            nodes: vec![newest, holder],
            state: State::Ended,
        };
        client.begin_move(1, replacement, effects);
        client
    }

    /// The user's decision. Nothing happens if none is awaited any more.
    pub fn decide(&mut self, decision: Decision, effects: &mut Effects) {
        let State::Deciding { at, hash } = self.state else {
            return;
        };
        match decision {
            Decision::Replace(new_value) => {
                let replacement = Replacement {
                    original_hash: hash,
                    new_value,
                };
                if at == 0 {
                    self.tell(
                        at,
                        FromClient::UpdateRecord(replacement),
                        Ok(Updated::Done),
                        effects,
                    );
                } else {
                    self.begin_move(at, replacement, effects);
                }
            }
            Decision::Delete => self.tell(at, FromClient::RemoveRecord, Ok(Updated::Done), effects),
            Decision::Leave => self.tell(at, FromClient::LeaveRecord, Ok(Updated::Done), effects),
        }
    }

    /// A message of the request came from `node`.
    pub fn receive(&mut self, node: NodeAddress, payload: &[u8], effects: &mut Effects) {
        let asked = self.asked() == Some(node);
        match self.state.clone() {
            State::AwaitSupported { at } if asked => match SupportedStatus::decode(payload) {
                Ok(SupportedStatus::Supported) => self.state = State::AwaitRecord { at },
                Ok(status) => self.end(Err(Failure::Unsupported { node, status }), effects),
                Err(error) => self.malformed(node, "supported status", error, effects),
            },
            State::Abandoned {
                at,
                supported: false,
            } if asked => match SupportedStatus::decode(payload) {
                Ok(SupportedStatus::Supported) => {
                    self.state = State::Abandoned {
                        at,
                        supported: true,
                    };
                }
                Ok(_) => self.state = State::Ended,
                Err(error) => self.malformed(node, "supported status", error, effects),
            },
            State::Moving { at, supported } => {
                if node == self.nodes[0] {
                    self.receive_from_newest(at, supported, payload, effects);
                } else if node == self.nodes[at] {
                    self.unexpected(node, "a message before the decision", effects);
                }
            }
            _ if asked => match FromNode::decode(payload) {
                Ok(message) => self.receive_from_holder(node, message, effects),
                Err(error) => self.malformed(node, "answer", error, effects),
            },
            // Nothing was asked there that is still unanswered (`neo-transport.md` 8.4).
            _ => {}
        }
    }

    /// The connection to `node` is down.
    pub fn disconnected(&mut self, node: NodeAddress, effects: &mut Effects) {
        match &self.state {
            State::Moving { at, .. } if node == self.nodes[0] => {
                let at = *at;
                self.tell(
                    at,
                    FromClient::LeaveRecord,
                    Err(Failure::Disconnected { node }),
                    effects,
                );
            }
            _ if self.asked() == Some(node) => {
                self.end(Err(Failure::Disconnected { node }), effects)
            }
            _ => {}
        }
    }

    /// The user does not want to wait any longer. A node that may still ask for a decision is told to
    /// leave the record, so that nothing stays open there (P76).
    pub fn timed_out(&mut self, effects: &mut Effects) {
        let (at, supported) = match self.state {
            State::Ended | State::Abandoned { .. } => return,
            State::AwaitSupported { at } => (at, false),
            State::AwaitRecord { at } => (at, true),
            State::Deciding { at, .. } | State::Moving { at, .. } => {
                let payload = FromClient::LeaveRecord.encode();
                effects.push(Effect::Send {
                    node: self.nodes[at],
                    payload,
                });
                return self.end(Err(Failure::TimedOut), effects);
            }
            State::AwaitEnd { .. } => return self.end(Err(Failure::TimedOut), effects),
        };
        self.end(Err(Failure::TimedOut), effects);
        self.state = State::Abandoned { at, supported };
    }

    /// Has the user been told the end, and has every node been brought to one?
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Where the request stands, by a name that stays the same.
    pub fn phase(&self) -> &'static str {
        match self.state {
            State::AwaitSupported { .. } => "AwaitSupported",
            State::AwaitRecord { .. } => "AwaitRecord",
            State::Deciding { .. } => "Deciding",
            State::AwaitEnd { .. } => "AwaitEnd",
            State::Moving {
                supported: false, ..
            } => "MovingAwaitSupported",
            State::Moving { .. } => "Moving",
            State::Abandoned { .. } => "Abandoned",
            State::Ended => "Ended",
        }
    }

    /// The node that the record is read from.
    fn asked(&self) -> Option<NodeAddress> {
        match self.state {
            State::AwaitSupported { at }
            | State::AwaitRecord { at }
            | State::Deciding { at, .. }
            | State::AwaitEnd { at, .. }
            | State::Moving { at, .. }
            | State::Abandoned { at, .. } => self.nodes.get(at).copied(),
            State::Ended => None,
        }
    }

    /// The record, read from the node `at`, moves to the newest one.
    fn begin_move(&mut self, at: usize, replacement: Replacement, effects: &mut Effects) {
        self.state = State::Moving {
            at,
            supported: false,
        };
        effects.push(Effect::Send {
            node: self.nodes[0],
            payload: Open::UpdateRecord(self.record.clone(), replacement).encode(),
        });
    }

    fn receive_from_holder(&mut self, node: NodeAddress, message: FromNode, effects: &mut Effects) {
        match (self.state.clone(), message) {
            (State::AwaitRecord { at }, FromNode::RecordValue(value)) => {
                self.state = State::Deciding {
                    at,
                    hash: fnv1a(&value),
                };
                effects.push(Effect::Notify(Notification::Received(value)));
            }
            (State::AwaitRecord { at }, FromNode::NoRecord) if at + 1 < self.nodes.len() => {
                self.ask(at + 1, effects);
            }
            (State::AwaitRecord { .. }, FromNode::NoRecord) => {
                self.end(Ok(Updated::NoRecord), effects)
            }
            (State::AwaitEnd { outcome, .. }, FromNode::Ok) => self.end(outcome, effects),
            (State::AwaitEnd { .. }, FromNode::UpdateConflict) => {
                self.end(Ok(Updated::Conflict), effects)
            }
            (State::Abandoned { .. }, FromNode::RecordValue(_)) => {
                effects.push(Effect::Send {
                    node,
                    payload: FromClient::LeaveRecord.encode(),
                });
                self.state = State::Ended;
            }
            (State::Abandoned { .. }, _) => self.state = State::Ended,
            (State::AwaitRecord { .. } | State::AwaitEnd { .. }, FromNode::WrongNode) => {
                self.end(Err(Failure::WrongNode { node }), effects)
            }
            (State::AwaitRecord { .. } | State::AwaitEnd { .. }, FromNode::Error) => {
                self.end(Err(Failure::NodeError { node }), effects)
            }
            (_, message) => self.unexpected(node, message.name(), effects),
        }
    }

    /// The newest node answers the UpdateRecord that moves the record to it. Whatever it says, the node
    /// that has the record now is told what to do with it.
    fn receive_from_newest(
        &mut self,
        at: usize,
        supported: bool,
        payload: &[u8],
        effects: &mut Effects,
    ) {
        let node = self.nodes[0];
        let malformed = |message| {
            move |error| Failure::Violation {
                node,
                violation: Violation::Malformed {
                    request: CODE,
                    message,
                    error,
                },
            }
        };
        let outcome = if !supported {
            match SupportedStatus::decode(payload) {
                Ok(SupportedStatus::Supported) => {
                    self.state = State::Moving {
                        at,
                        supported: true,
                    };
                    return;
                }
                Ok(status) => Err(Failure::Unsupported { node, status }),
                Err(error) => Err(malformed("supported status")(error)),
            }
        } else {
            match FromNode::decode(payload) {
                Ok(FromNode::Ok) => Ok(Updated::Done),
                Ok(FromNode::UpdateConflict) => Ok(Updated::Conflict),
                Ok(FromNode::WrongNode) => Err(Failure::WrongNode { node }),
                Ok(FromNode::Error) => Err(Failure::NodeError { node }),
                Ok(message) => {
                    let (message, state) = (message.name(), "as the answer to UpdateRecord");
                    let violation = Violation::Unexpected {
                        request: CODE,
                        message,
                        state,
                    };
                    Err(Failure::Violation { node, violation })
                }
                Err(error) => Err(malformed("answer")(error)),
            }
        };
        let message = match outcome {
            Ok(Updated::Done) => FromClient::RemoveRecord,
            _ => FromClient::LeaveRecord,
        };
        self.tell(at, message, outcome, effects);
    }

    fn ask(&mut self, at: usize, effects: &mut Effects) {
        self.state = State::AwaitSupported { at };
        let payload = Open::GetRecord(self.record.clone()).encode();
        effects.push(Effect::Send {
            node: self.nodes[at],
            payload,
        });
    }

    /// Sends the decision to where the record is; `outcome` is what its Ok will mean.
    fn tell(
        &mut self,
        at: usize,
        message: FromClient,
        outcome: Result<Updated, Failure>,
        effects: &mut Effects,
    ) {
        self.state = State::AwaitEnd { at, outcome };
        effects.push(Effect::Send {
            node: self.nodes[at],
            payload: message.encode(),
        });
    }

    fn malformed(
        &mut self,
        node: NodeAddress,
        message: &'static str,
        error: DecodeError,
        effects: &mut Effects,
    ) {
        let violation = Violation::Malformed {
            request: CODE,
            message,
            error,
        };
        self.broken(node, violation, effects);
    }

    fn unexpected(&mut self, node: NodeAddress, message: &'static str, effects: &mut Effects) {
        let violation = Violation::Unexpected {
            request: CODE,
            message,
            state: "now",
        };
        self.broken(node, violation, effects);
    }

    /// What the node believes of this request is unknown by now; only the end of the connection is
    /// certain to end it there as well (P76).
    fn broken(&mut self, node: NodeAddress, violation: Violation, effects: &mut Effects) {
        effects.push(Effect::Close {
            node,
            violation: violation.clone(),
        });
        self.end(Err(Failure::Violation { node, violation }), effects);
    }

    fn end(&mut self, outcome: Result<Updated, Failure>, effects: &mut Effects) {
        let outcome = match std::mem::replace(&mut self.state, State::Ended) {
            State::Abandoned { .. } => return,
            // What went wrong first is what the user wants to know.
            State::AwaitEnd {
                outcome: first @ (Err(_) | Ok(Updated::Conflict)),
                ..
            } => first,
            _ => outcome,
        };
        effects.push(Effect::Notify(Notification::Ended(outcome)));
    }
}

/// The node's half. It holds no lock between the two steps; the second one compares the hash and
/// writes at once.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// The record's value is to be sent.
    SendingValue(RecordName, Bytes),
    /// The client's decision is awaited.
    Deciding(RecordName),
    /// The last answer is to be sent.
    Answering(FromNode),
    /// Everything was said.
    Ended,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        Ok(
            match Open::decode(opening.fields).map_err(CODE.malformed_first())? {
                Open::GetRecord(record) if !host.range().covers(record.key) => {
                    Self::Answering(FromNode::WrongNode)
                }
                Open::GetRecord(record) => {
                    match host
                        .open_channel(&record.channel)
                        .and_then(|id| host.get(id, record.key))
                    {
                        Ok(Some(value)) => Self::SendingValue(record, value),
                        Ok(None) => Self::Answering(FromNode::NoRecord),
                        Err(_) => Self::Answering(FromNode::Error),
                    }
                }
                Open::UpdateRecord(record, replacement) => {
                    Self::Answering(compare_and_write(&record, &replacement, host))
                }
            },
        )
    }

    fn receive<H: Host>(&mut self, payload: &[u8], host: &mut H) -> Result<(), Violation> {
        let Self::Deciding(record) = &*self else {
            return Err(CODE.unexpected_second());
        };
        *self = Self::Answering(
            match FromClient::decode(payload).map_err(CODE.malformed("second"))? {
                FromClient::UpdateRecord(replacement) => {
                    compare_and_write(record, &replacement, host)
                }
                FromClient::RemoveRecord => {
                    let removed = host
                        .open_channel(&record.channel)
                        .and_then(|id| host.remove(id, record.key));
                    removed.map_or(FromNode::Error, |_| FromNode::Ok)
                }
                FromClient::LeaveRecord => FromNode::Ok,
            },
        );
        Ok(())
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        match std::mem::replace(self, Self::Ended) {
            Self::SendingValue(record, value) => {
                FromNode::RecordValue(value).encode(out);
                *self = Self::Deciding(record);
                Progress::Sent
            }
            Self::Answering(answer) => {
                answer.encode(out);
                Progress::Sent
            }
            deciding @ Self::Deciding(_) => {
                *self = deciding;
                Progress::Idle
            }
            Self::Ended => Progress::Ended,
        }
    }

    fn is_over(&self) -> bool {
        *self == Self::Ended
    }
}

/// Writes the new value unless the record has another value than the one that was read. A record that
/// is gone is written as well (F17). The range is looked at again: the node may have lost the key since
/// the record was read (P79, F16).
fn compare_and_write<H: Host>(
    record: &RecordName,
    replacement: &Replacement,
    host: &mut H,
) -> FromNode {
    if !host.range().covers(record.key) {
        return FromNode::WrongNode;
    }
    let written = host.open_channel(&record.channel).and_then(|channel| {
        match host.get(channel, record.key)? {
            Some(value) if fnv1a(&value) != replacement.original_hash => {
                Ok(FromNode::UpdateConflict)
            }
            _ => host
                .put(channel, record.key, &replacement.new_value)
                .map(|()| FromNode::Ok),
        }
    });
    written.unwrap_or(FromNode::Error)
}

#[cfg(test)]
mod tests;
