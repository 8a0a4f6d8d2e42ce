//! What the user of an Update is told, and what becomes of its record.

use dht_protocol::fnv1a;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::RecordName;
use dht_protocol::neo::request::update::{Decision, Notification, Updated};

use super::{Talks, Word, first, second};
use crate::property::copies::Copies;
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Node, Note, REQUESTS};

/// P15: no node is asked twice for the same by one Update.
#[derive(Clone, Copy, Debug)]
pub struct AskedOnce;

/// What a node was asked for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Asked {
    read: bool,
    changed: bool,
}

impl Property for AskedOnce {
    type Memory = [[Asked; NODES]; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P15",
            kind: Kind::Always,
            sentence: "An Update asks each node at most once for the record, and at most once to change it.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, asked: &mut Self::Memory, note: &Note) -> bool {
        let Note::ClientSent(request, node, payload) = note else {
            return false;
        };
        let asked = &mut asked[*request][*node];
        match first(payload).or_else(|| second(payload)) {
            Some(Word::Read) => std::mem::replace(&mut asked.read, true),
            Some(Word::Write(_) | Word::Remove) => std::mem::replace(&mut asked.changed, true),
            Some(Word::Leave) | None => false,
        }
    }
}

/// P74: a record that is to be left is not changed.
#[derive(Clone, Copy, Debug)]
pub struct LeftIsUnchanged;

impl Property for LeftIsUnchanged {
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P74",
            kind: Kind::Always,
            sentence: "If the user of an Update leaves the record, the Update does not change it.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, left: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Decided(request, Decision::Leave) => left[*request] = true,
            Note::Wrote(.., Some(request)) => return left[*request],
            _ => {}
        }
        false
    }
}

/// P75: after a success the newest node has the value, and no other one has the record. For frames in
/// which the record is on one node at the beginning, and nobody else writes.
#[derive(Clone, Debug)]
pub struct SuccessMoves(pub RecordName);

/// What an Update wants to be written, and whether it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Wanted {
    value: Option<u64>,
    is_newest: bool,
}

impl Property for SuccessMoves {
    /// The newest node, the copies, and what is wanted.
    type Memory = (Option<Node>, Copies, [Wanted; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P75",
            kind: Kind::Always,
            sentence: "After a successful Update the newest node has got the new value, and no older one has the record.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let covers = |node: &&Node| frame.nodes[**node].range.covers(self.0.key);
        let client = frame.clients.first();
        let newest = client.and_then(|client| client.knows.iter().rev().find(covers).copied());
        let copies = Copies::at_start(frame, &self.0);
        (newest, copies, Default::default())
    }

    fn note(&self, (newest, copies, wanted): &mut Self::Memory, note: &Note) -> bool {
        if let Some((node, Some(request))) = copies.note(&self.0, note)
            && Some(node) == *newest
            && let Some(value) = &copies.0[node]
        {
            let wanted = &mut wanted[request];
            wanted.is_newest |= wanted.value == Some(fnv1a(value));
        }
        match note {
            Note::Decided(request, Decision::Replace(value)) => {
                wanted[*request].value = Some(fnv1a(value));
                false
            }
            Note::Told(request, told) if ended(told) == Some(Updated::Done) => {
                let wanted = wanted[*request];
                let mut others = copies.0.iter().enumerate();
                let elsewhere = others.any(|(node, copy)| Some(node) != *newest && copy.is_some());
                wanted.value.is_some() && (!wanted.is_newest || elsewhere)
            }
            _ => false,
        }
    }
}

/// What an Update has removed is gone. For frames in which nobody else writes.
#[derive(Clone, Debug)]
pub struct DeletedIsGone(pub RecordName);

impl Property for DeletedIsGone {
    /// The copies, and who wants them to be removed.
    type Memory = (Copies, [bool; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "deleted",
            kind: Kind::Always,
            sentence: "After an Update that has removed the record no node has it.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Copies::at_start(frame, &self.0), Default::default())
    }

    fn note(&self, (copies, deletes): &mut Self::Memory, note: &Note) -> bool {
        copies.note(&self.0, note);
        match note {
            Note::Decided(request, Decision::Delete) => {
                deletes[*request] = true;
                false
            }
            Note::Told(request, told) if ended(told) == Some(Updated::Done) => {
                deletes[*request] && copies.0.iter().any(Option::is_some)
            }
            _ => false,
        }
    }
}

/// P77: a record is received once, and after a success nobody is asked any more.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedOnce;

/// What a user has been told.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Heard {
    received: bool,
    succeeded: bool,
}

impl Property for ReceivedOnce {
    type Memory = [Heard; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P77",
            kind: Kind::Always,
            sentence: "The user of an Update receives one value, and after a success no further node is asked.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, heard: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Told(request, Told::Update(Notification::Received(_))) => {
                std::mem::replace(&mut heard[*request].received, true)
            }
            Note::Told(request, told) if ended(told) == Some(Updated::Done) => {
                heard[*request].succeeded = true;
                false
            }
            Note::ClientSent(request, _, payload) => {
                heard[*request].succeeded && first(payload).is_some()
            }
            _ => false,
        }
    }
}

/// P78: who is told of a conflict has written nothing, and there was another value.
#[derive(Clone, Debug)]
pub struct ConflictIsReal(pub RecordName);

impl Property for ConflictIsReal {
    /// Which Updates have met another value, and left it alone.
    type Memory = (Talks, Copies, [bool; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P78",
            kind: Kind::Always,
            sentence: "The user of an Update is told of a conflict only if the node had, and keeps, somebody else's value.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let copies = Copies::at_start(frame, &self.0);
        (Talks::new(frame), copies, Default::default())
    }

    fn note(&self, (talks, copies, real): &mut Self::Memory, note: &Note) -> bool {
        if let Some((request, node, Word::Write(write))) = talks.note(note) {
            let value = copies.0[node].as_deref().map(fnv1a);
            real[request] = value.is_some_and(|value| value != write.original);
        }
        if let Some((_, Some(request))) = copies.note(&self.0, note) {
            real[request] = false;
        }
        match note {
            Note::Told(request, told) if ended(told) == Some(Updated::Conflict) => !real[*request],
            _ => false,
        }
    }
}

/// How an Update ended that did not fail.
pub(super) fn ended(told: &Told) -> Option<Updated> {
    match told {
        Told::Update(Notification::Ended(Ok(updated))) => Some(*updated),
        _ => None,
    }
}
