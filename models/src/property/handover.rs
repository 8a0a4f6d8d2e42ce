//! What becomes of a record that a node hands over to another one with the machine that nodes run.

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Order};
use dht_protocol::neo::request::RecordName;

use super::linearizable::{self, Linearizable};
use super::{About, Kind, Property};
use crate::world::{Frame, NODES, Node, Note};

/// As [`Linearizable`], whichever node has the record: that it moves is no write.
#[derive(Clone, Debug)]
pub struct LinearizableThroughout(pub RecordName);

impl Property for LinearizableThroughout {
    type Memory = linearizable::Memory;

    fn about(&self) -> About {
        Linearizable(self.0.clone()).about()
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        Linearizable(self.0.clone()).start(frame)
    }

    fn note(&self, memory: &mut Self::Memory, note: &Note) -> bool {
        !matches!(note, Note::Arrived(..) | Note::Left(..))
            && Linearizable(self.0.clone()).note(memory, note)
    }
}

/// What a record is like.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Copies {
    /// As it was written last, anywhere.
    last: Option<Bytes>,
    nodes: [Option<Bytes>; NODES],
    over: bool,
}

impl Copies {
    fn start(frame: &Frame, record: &RecordName) -> Self {
        let copies = super::copies::Copies::at_start(frame, record);
        Self {
            last: copies.0.iter().flatten().next().cloned(),
            nodes: copies.0,
            over: false,
        }
    }

    fn note(&mut self, record: &RecordName, note: &Note) {
        let mut copies = super::copies::Copies(std::mem::take(&mut self.nodes));
        let changed = copies.note(record, note);
        self.nodes = copies.0;
        if let Some((node, _)) = changed
            && matches!(note, Note::Wrote(..) | Note::RemovedChannel(..))
        {
            self.last.clone_from(&self.nodes[node]);
        }
        self.over |= matches!(note, Note::HandoverOver(_));
    }
}

/// The node that takes a record has it, as it was written last, from the moment on in which the other one is not
/// responsible any more; and in the end it alone.
#[derive(Clone, Debug)]
pub struct NothingIsLost {
    /// Which record.
    pub record: RecordName,
    /// Who takes it.
    pub to: Node,
}

impl Property for NothingIsLost {
    type Memory = Copies;

    fn about(&self) -> About {
        About {
            id: "handover-whole",
            kind: Kind::Always,
            sentence: "Whoever takes a record over has it as it was written last as soon as it alone is responsible; \
                       when all is handed over, nobody else has it.",
        }
    }

    fn start(&self, frame: &Frame) -> Copies {
        Copies::start(frame, &self.record)
    }

    fn note(&self, copies: &mut Copies, note: &Note) -> bool {
        copies.note(&self.record, note);
        let taken = copies.nodes[self.to] == copies.last;
        match note {
            Note::Ranged(..) => !taken,
            _ if copies.over => {
                let elsewhere = copies.nodes.iter().enumerate();
                let mut elsewhere = elsewhere.filter(|(node, _)| *node != self.to);
                !taken || elsewhere.any(|(_, copy)| copy.is_some())
            }
            _ => false,
        }
    }
}

/// Legacy clients read what was written last.
#[derive(Clone, Debug)]
pub struct LegacyReadsTheLast(pub RecordName);

impl Property for LegacyReadsTheLast {
    type Memory = Copies;

    fn about(&self) -> About {
        About {
            id: "legacy-get",
            kind: Kind::Always,
            sentence: "A legacy client reads the value that was written last, at whichever node is responsible.",
        }
    }

    fn start(&self, frame: &Frame) -> Copies {
        Copies::start(frame, &self.0)
    }

    fn note(&self, copies: &mut Copies, note: &Note) -> bool {
        copies.note(&self.0, note);
        match note {
            Note::Ordered(_, Order::Get { channel, key }, Answer::Value(value)) => {
                let mine = *channel == self.0.channel && key.parse() == Some(self.0.key);
                mine && *value != copies.last.clone().unwrap_or_default()
            }
            _ => false,
        }
    }
}

/// What is begun is brought to its end.
#[derive(Clone, Copy, Debug)]
pub struct IsOverInTheEnd;

impl Property for IsOverInTheEnd {
    type Memory = bool;

    fn about(&self) -> About {
        About {
            id: "handover-ends",
            kind: Kind::Eventually,
            sentence: "A redistribution that has begun ends, whatever breaks or is written meanwhile.",
        }
    }

    fn start(&self, _: &Frame) -> bool {
        false
    }

    fn note(&self, owed: &mut bool, note: &Note) -> bool {
        match note {
            Note::HandoverBegan(_) => *owed = true,
            Note::HandoverOver(_) => *owed = false,
            _ => {}
        }
        false
    }

    fn owes(&self, owed: &bool) -> bool {
        *owed
    }
}
