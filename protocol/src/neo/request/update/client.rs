//! The client's half of an Update.

use super::{CODE, Decision, FromClient, FromNode, Notification, Open, Replacement, Updated};
use crate::codec::DecodeError;
use crate::key::fnv1a;
use crate::neo::NodeAddress;
use crate::neo::request::{Effect, Failure, RecordName, SupportedStatus};
use crate::neo::violation::Violation;

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
