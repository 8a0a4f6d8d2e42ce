//! P73: what becomes of values when records move, with an Update or with a redistribution.

use dht_protocol::fnv1a;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::RecordName;
use dht_protocol::neo::request::update::{FromNode, Updated};

use super::Talks;
use super::client::ended;
use crate::property::copies::Copies;
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note, REQUESTS, Request};

/// P73: no value whose writer was told of its success is lost because a record moves. A value is lost if
/// a redistribution writes an other one over it, or if an Update removes it or writes over it without
/// having read it. For frames in which no Update deletes.
#[derive(Clone, Debug)]
pub struct MovesLoseNothing(pub RecordName);

/// Who wrote a value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Writer {
    /// Nobody in the model, who was told so.
    Other,
    /// A request.
    Request(Request),
}

/// The copies with their writers, and how far these are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Memory {
    talks: Talks,
    copies: Copies,
    writers: [Option<Writer>; NODES],
    /// What Updates have read.
    read: [Option<u64>; REQUESTS],
    /// Who was told of its success.
    succeeded: [bool; REQUESTS],
    /// Whose value is lost.
    lost: [bool; REQUESTS],
}

impl Property for MovesLoseNothing {
    type Memory = Memory;

    fn about(&self) -> About {
        About {
            id: "P73",
            kind: Kind::Always,
            sentence: "When a record moves to another node, no value is lost whose writer was told of its success.",
        }
    }

    fn start(&self, frame: &Frame) -> Memory {
        let copies = Copies::at_start(frame, &self.0);
        Memory {
            talks: Talks::new(frame),
            writers: copies
                .0
                .each_ref()
                .map(|copy| copy.as_ref().map(|_| Writer::Other)),
            copies,
            read: Default::default(),
            succeeded: Default::default(),
            lost: Default::default(),
        }
    }

    fn note(&self, memory: &mut Memory, note: &Note) -> bool {
        memory.talks.note(note);
        if let Some((request, _, FromNode::RecordValue(value))) = memory.talks.answer(note) {
            memory.read[request] = Some(fnv1a(&value));
        }
        let update = memory.talks.wrote(note).map(|(request, _)| request);
        let before = memory.copies.clone();
        if let Some((node, by)) = memory.copies.note(&self.0, note) {
            let after = &memory.copies.0[node];
            let unseen = |value: &bytes::Bytes| match update {
                Some(update) => memory.read[update] != Some(fnv1a(value)),
                None => matches!(note, Note::Arrived(..)) && after.as_ref() != Some(value),
            };
            let lost = before.0[node].as_ref().is_some_and(unseen);
            let writer = match (note, by) {
                _ if after.is_none() => None,
                // It came from the other one.
                (Note::Arrived(..), _) => memory.writers[NODES - 1 - node],
                (_, Some(request)) => Some(Writer::Request(request)),
                (_, None) => Some(Writer::Other),
            };
            let writer = std::mem::replace(&mut memory.writers[node], writer);
            return lost && memory.lose(writer);
        }
        if let Note::Told(request, told) = note
            && is_success(told)
        {
            memory.succeeded[*request] = true;
            return memory.lost[*request];
        }
        false
    }
}

impl Memory {
    /// Somebody's value is lost. Was it told of a success?
    fn lose(&mut self, writer: Option<Writer>) -> bool {
        match writer {
            Some(Writer::Request(request)) => {
                self.lost[request] = true;
                self.succeeded[request]
            }
            Some(Writer::Other) => true,
            None => false,
        }
    }
}

fn is_success(told: &Told) -> bool {
    matches!(told, Told::Put(Ok(()))) || ended(told) == Some(Updated::Done)
}
