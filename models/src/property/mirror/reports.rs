//! What a Mirror reports besides records: changes that it lost, and the end of its channel.

use dht_protocol::Key;

use super::{Courses, Heard, Keys, Mirror, place};
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note};

/// P58: lost changes are reported.
#[derive(Clone, Debug)]
pub struct ReportsLoss(pub Mirror);

impl Property for ReportsLoss {
    type Memory = (Courses, [bool; NODES]);

    fn about(&self) -> About {
        About {
            id: "P58",
            kind: Kind::Eventually,
            sentence: "A change that found no room in a Mirror's queue is followed by UpdateOverflow.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, (courses, lost): &mut Self::Memory, note: &Note) -> bool {
        match self.0.hear(courses, note) {
            Some((node, Heard::Missed(_))) => lost[node] = true,
            // Whoever hears of the end of the channel has no use for the report any more.
            Some((node, Heard::Overflow | Heard::ChannelRemoved | Heard::Ended)) => {
                lost[node] = false;
            }
            _ => {}
        }
        false
    }

    fn owes(&self, (courses, lost): &Self::Memory) -> bool {
        let mut lost = courses.iter().zip(lost);
        lost.any(|(course, lost)| *lost && course.flows())
    }
}

/// P59: only lost changes are reported.
#[derive(Clone, Debug)]
pub struct ReportsLossOnly(pub Mirror);

impl Property for ReportsLossOnly {
    type Memory = [bool; NODES];

    fn about(&self) -> About {
        About {
            id: "P59",
            kind: Kind::Always,
            sentence: "UpdateOverflow is sent only after a change found no room.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, lost: &mut Self::Memory, note: &Note) -> bool {
        match self.0.hear(&mut Courses::default(), note) {
            Some((node, Heard::Missed(_))) => lost[node] = true,
            Some((node, Heard::Opened | Heard::Ended)) => lost[node] = false,
            Some((node, Heard::Overflow)) => return !std::mem::take(&mut lost[node]),
            _ => {}
        }
        false
    }
}

/// P60: the end of the channel is reported, and ends the request.
#[derive(Clone, Debug)]
pub struct ReportsRemoval(pub Mirror);

impl Property for ReportsRemoval {
    type Memory = Courses;

    fn about(&self) -> About {
        About {
            id: "P60",
            kind: Kind::Eventually,
            sentence: "The removal of its channel ends a Mirror: ChannelRemoved, then the client's Ack.",
        }
    }

    fn start(&self, _: &Frame) -> Courses {
        Courses::default()
    }

    fn note(&self, courses: &mut Courses, note: &Note) -> bool {
        self.0.hear(courses, note);
        false
    }

    fn owes(&self, courses: &Courses) -> bool {
        courses.iter().any(|course| course.open && course.removed)
    }
}

/// P64: what is reported as removed was removed by somebody.
#[derive(Clone, Debug)]
pub struct ReportsRealRemovals(pub Mirror);

/// What [`ReportsRealRemovals`] remembers of a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Removals {
    /// Keys that somebody removed.
    removed: Keys,
    /// The key of a record that goes to another node.
    leaving: Option<Key>,
}

impl Property for ReportsRealRemovals {
    type Memory = [Removals; NODES];

    fn about(&self) -> About {
        About {
            id: "P64",
            kind: Kind::Always,
            sentence: "RecordDeleted means that somebody removed the record.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, nodes: &mut Self::Memory, note: &Note) -> bool {
        if let Note::Left(node, channel, key) = note
            && *channel == self.0.channel
        {
            nodes[*node].leaving = Some(*key);
        }
        match self.0.hear(&mut Courses::default(), note) {
            Some((node, Heard::Wrote(key, 0))) => match nodes[node].leaving.take() {
                Some(left) if place(left) == Some(key) => {}
                _ => nodes[node].removed |= 1 << key,
            },
            Some((node, Heard::Deleted(key))) => return nodes[node].removed & (1 << key) == 0,
            _ => {}
        }
        false
    }
}

/// P65: a client that reads slowly costs the node no more than the queue.
#[derive(Clone, Debug)]
pub struct QueueIsBounded(pub Mirror);

impl Property for QueueIsBounded {
    type Memory = usize;

    fn about(&self) -> About {
        About {
            id: "P65",
            kind: Kind::Always,
            sentence: "No more updates wait in a Mirror than its queue has room for.",
        }
    }

    fn start(&self, frame: &Frame) -> usize {
        frame.limits.mirror_queue
    }

    fn note(&self, capacity: &mut usize, note: &Note) -> bool {
        matches!(note, Note::Queued(request, _, waiting)
            if *request == self.0.request && *waiting > *capacity)
    }
}
