//! Properties of Update (`neo-requests.md` 16.7), which are about what its messages mean at a node.
//!
//! * here: what is open where, and what nodes do (P70 to P72, P79, P76).
//! * [`client`]: what users are told and what becomes of records (P15, P74, P75, P77, P78).
//! * [`moving`]: that nothing is lost when records move (P73).

pub mod client;
pub mod moving;

use dht_protocol::HashRange;
use dht_protocol::fnv1a;
use dht_protocol::neo::request::update::{FromClient, FromNode, Open, Replacement};
use dht_protocol::neo::request::{Command, RecordName, RequestCode};

use super::copies::Copies;
use super::dialogue::Owners;
use super::{About, Kind, Property};
use crate::world::{Frame, NODES, Node, Note, REQUESTS, Request};

/// What the node of an Update is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Word {
    Read,
    Write(Write),
    Remove,
    Leave,
}

/// A value to be written over one with a certain hash, by its own hash.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Write {
    original: u64,
    value: u64,
}

/// Which Updates are open on which nodes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Talks {
    owners: Owners,
    open: [[bool; NODES]; REQUESTS],
}

impl Talks {
    /// None.
    fn new(frame: &Frame) -> Self {
        Self {
            owners: Owners::of(frame),
            open: Default::default(),
        }
    }

    /// Something happened. If it is a message that a node took: what it says.
    fn note(&mut self, note: &Note) -> Option<(Request, Node, Word)> {
        match note {
            Note::NodeTook(request, node, payload) => {
                let open = &mut self.open[*request][*node];
                let word = match open {
                    true => second(payload)?,
                    false => first(payload)?,
                };
                *open = true;
                return Some((*request, *node, word));
            }
            Note::NodeEnded(request, node) => self.open[*request][*node] = false,
            Note::NodeDown(client, node) => {
                for request in (0..REQUESTS).filter(|request| self.owners.own(*client, *request)) {
                    self.open[request][*node] = false;
                }
            }
            _ => {}
        }
        None
    }

    /// What the node of an open Update says, if it says something.
    fn answer(&self, note: &Note) -> Option<(Request, Node, FromNode)> {
        match note {
            Note::NodeSent(request, node, payload) if self.open[*request][*node] => {
                // The supported status is none.
                let answer = FromNode::decode(payload).ok()?;
                Some((*request, *node, answer))
            }
            _ => None,
        }
    }

    /// Which Update has written something on which node.
    fn wrote(&self, note: &Note) -> Option<(Request, Node)> {
        match note {
            Note::Wrote(node, .., Some(request)) if self.open[*request][*node] => {
                Some((*request, *node))
            }
            _ => None,
        }
    }
}

fn first(payload: &[u8]) -> Option<Word> {
    let (command, fields) = Command::decode(payload).ok()?;
    if command.request() != Ok(RequestCode::Update) {
        return None;
    }
    Some(match Open::decode(fields).ok()? {
        Open::GetRecord(_) => Word::Read,
        Open::UpdateRecord(_, replacement) => Word::Write(Write::of(&replacement)),
    })
}

fn second(payload: &[u8]) -> Option<Word> {
    Some(match FromClient::decode(payload).ok()? {
        FromClient::UpdateRecord(replacement) => Word::Write(Write::of(&replacement)),
        FromClient::RemoveRecord => Word::Remove,
        FromClient::LeaveRecord => Word::Leave,
    })
}

impl Write {
    fn of(replacement: &Replacement) -> Self {
        Self {
            original: replacement.original_hash,
            value: fnv1a(&replacement.new_value),
        }
    }
}

/// P70: compare and write is one step.
#[derive(Clone, Debug)]
pub struct CompareAndWrite(pub RecordName);

/// What an Update has to write, and whether it has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Task {
    write: Write,
    written: bool,
}

impl Property for CompareAndWrite {
    type Memory = (Talks, Copies, [[Option<Task>; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P70",
            kind: Kind::Always,
            sentence: "An Update that is answered with Ok has written its value over the one that its user saw, or over none.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let copies = Copies::at_start(frame, &self.0);
        (Talks::new(frame), copies, Default::default())
    }

    fn note(&self, (talks, copies, tasks): &mut Self::Memory, note: &Note) -> bool {
        let said = talks.note(note);
        if let Some((request, node, word)) = said {
            tasks[request][node] = match word {
                Word::Write(write) => Some(Task {
                    write,
                    written: false,
                }),
                _ => None,
            };
        }
        let mut wrong = false;
        if let Some((request, node)) = talks.wrote(note)
            && let Note::Wrote(.., Some(value), _) = note
        {
            let before = copies.0[node].as_deref().map(fnv1a);
            wrong = match &mut tasks[request][node] {
                Some(task) => {
                    task.written = true;
                    task.write.value != fnv1a(value)
                        || before.is_some_and(|before| before != task.write.original)
                }
                None => true,
            };
        }
        if let Some((request, node, answer)) = talks.answer(note) {
            let task = tasks[request][node].take();
            wrong |= answer == FromNode::Ok && task.is_some_and(|task| !task.written);
        }
        copies.note(&self.0, note);
        wrong
    }
}

/// P71: who is told that nothing was changed has changed nothing.
#[derive(Clone, Copy, Debug)]
pub struct RefusedChangesNothing;

impl Property for RefusedChangesNothing {
    type Memory = (Talks, [[bool; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P71",
            kind: Kind::Always,
            sentence: "An Update that is answered with UpdateConflict, WrongNode or NoRecord has changed nothing.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Talks::new(frame), Default::default())
    }

    fn note(&self, (talks, wrote): &mut Self::Memory, note: &Note) -> bool {
        talks.note(note);
        if let Some((request, node)) = talks.wrote(note) {
            wrote[request][node] = true;
        }
        if let Some((request, node, answer)) = talks.answer(note) {
            let wrote = std::mem::take(&mut wrote[request][node]);
            let refused = [
                FromNode::UpdateConflict,
                FromNode::WrongNode,
                FromNode::NoRecord,
            ];
            return wrote && refused.contains(&answer);
        }
        false
    }
}

/// P72: of two Updates that saw the same value one fails. For frames with one node, in which no value
/// comes back.
#[derive(Clone, Copy, Debug)]
pub struct NoLostUpdate;

/// What an Update has seen and done.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Seen {
    value: Option<u64>,
    writes: bool,
    done: bool,
}

impl Property for NoLostUpdate {
    type Memory = (Talks, [Seen; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P72",
            kind: Kind::Always,
            sentence: "Of two Updates that read the same value at most one is answered with Ok: no update is lost.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Talks::new(frame), Default::default())
    }

    fn note(&self, (talks, seen): &mut Self::Memory, note: &Note) -> bool {
        if let Some((request, _, Word::Write(_))) = talks.note(note) {
            seen[request].writes = true;
        }
        match talks.answer(note) {
            Some((request, _, FromNode::RecordValue(value))) => {
                seen[request].value = Some(fnv1a(&value));
            }
            Some((request, _, FromNode::Ok)) if seen[request].writes => {
                seen[request].done = true;
                let value = seen[request].value;
                let others = seen
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != request);
                return value.is_some() && { others }
                    .any(|(_, other)| other.done && other.value == value);
            }
            _ => {}
        }
        false
    }
}

/// P76: every Update that is open on a node is closed.
#[derive(Clone, Copy, Debug)]
pub struct EveryUpdateIsClosed;

impl Property for EveryUpdateIsClosed {
    type Memory = Talks;

    fn about(&self) -> About {
        About {
            id: "P76",
            kind: Kind::Eventually,
            sentence: "The client brings every Update that is open on a node to an end there, or its connection ends.",
        }
    }

    fn start(&self, frame: &Frame) -> Talks {
        Talks::new(frame)
    }

    fn note(&self, talks: &mut Talks, note: &Note) -> bool {
        talks.note(note);
        false
    }

    fn owes(&self, talks: &Talks) -> bool {
        talks.open.as_flattened().contains(&true)
    }
}

/// P79: no request stores a record on a node that is not responsible for it at that moment.
#[derive(Clone, Copy, Debug)]
pub struct StoredWhereItBelongs;

impl Property for StoredWhereItBelongs {
    type Memory = [HashRange; NODES];

    fn about(&self) -> About {
        About {
            id: "P79",
            kind: Kind::Always,
            sentence: "No request stores a record on a node that is not responsible for its key at that moment.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        std::array::from_fn(|node| {
            let store = frame.nodes.get(node);
            store.map_or(HashRange::EMPTY, |store| store.range)
        })
    }

    fn note(&self, ranges: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Ranged(node, range) => {
                ranges[*node] = *range;
                false
            }
            Note::Wrote(node, _, key, Some(_), Some(_)) => !ranges[*node].covers(*key),
            _ => false,
        }
    }
}
