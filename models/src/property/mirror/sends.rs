//! What a Mirror has to send.

use super::{Courses, Heard, Keys, Mirror};
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note};

/// P42 (no part of the request ends), P62, P63: what has to be sent is sent, unless the request is suspended.
#[derive(Clone, Debug)]
pub struct Sends {
    /// By which Mirror.
    pub mirror: Mirror,
    /// What.
    pub what: What,
}

/// What has to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// P42: updates and dumps that came while the request was suspended.
    Suspended,
    /// P62: a dump for each period.
    Dumps,
    /// P63: an update for each write.
    Updates,
}

/// What [`Sends`] remembers of a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Due {
    present: Keys,
    updates: Keys,
    dump: Keys,
}

impl Property for Sends {
    type Memory = (Courses, [Due; NODES]);

    fn about(&self) -> About {
        let (id, sentence) = match self.what {
            What::Suspended => (
                "P42-fibers",
                "What came while a Mirror was suspended, updates and dumps, is sent when it is resumed.",
            ),
            What::Dumps => (
                "P62",
                "Every period of a Mirror leads to a dump of all records.",
            ),
            What::Updates => (
                "P63",
                "Every write to a record that stays leads to a RecordChanged.",
            ),
        };
        About {
            id,
            kind: Kind::Eventually,
            sentence,
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let due = self.mirror.present(frame).map(|present| Due {
            present,
            ..Due::default()
        });
        (Courses::default(), due)
    }

    fn note(&self, (courses, due): &mut Self::Memory, note: &Note) -> bool {
        let Some((node, heard)) = self.mirror.hear(courses, note) else {
            return false;
        };
        let (course, due) = (courses[node], &mut due[node]);
        let counts = course.suspended || self.what != What::Suspended;
        match heard {
            Heard::Wrote(key, 0) => {
                due.present &= !(1 << key);
                due.updates &= !(1 << key);
                due.dump &= !(1 << key);
            }
            Heard::Wrote(key, _) => {
                due.present |= 1 << key;
                if course.follows() && counts && self.what != What::Dumps {
                    due.updates |= 1 << key;
                }
            }
            Heard::Missed(key) => due.updates &= !(1 << key),
            Heard::Changed(key, _) => due.updates &= !(1 << key),
            Heard::Ticked if course.follows() && counts && self.what != What::Updates => {
                due.dump = due.present;
            }
            Heard::Batch(records, _) => {
                for (key, _) in records {
                    due.dump &= !(1 << key);
                }
            }
            Heard::Removed => *due = Due::default(),
            Heard::Ended => {
                due.updates = 0;
                due.dump = 0;
            }
            _ => {}
        }
        false
    }

    fn owes(&self, (courses, due): &Self::Memory) -> bool {
        let due = courses.iter().zip(due);
        let mut due = due.filter(|(course, _)| course.flows());
        due.any(|(_, due)| due.updates | due.dump != 0)
    }
}
