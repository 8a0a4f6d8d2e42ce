//! What the models of a Mirror have to reach.

use super::{Courses, Heard, KEYS, Keys, Mirror};
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note};

/// What has to happen in some run, so that the properties say something.
#[derive(Clone, Debug)]
pub struct Reaches {
    /// In which Mirror.
    pub mirror: Mirror,
    /// What.
    pub goal: Goal,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Goal {
    /// ChannelRemoved from a Mirror that is suspended and has nothing to send.
    SuspendedRemoval,
    /// UpdateOverflow.
    Overflow,
    /// A batch that is neither full nor the last of its dump: an update of one of its records is due.
    EarlyBatch,
}

impl Property for Reaches {
    /// What each node stores, and of what an update waits.
    type Memory = (Courses, [[Keys; 2]; NODES]);

    fn about(&self) -> About {
        let (id, sentence) = match self.goal {
            Goal::SuspendedRemoval => (
                "suspended-removal",
                "A Mirror that is suspended and has nothing to send reports that its channel is removed.",
            ),
            Goal::Overflow => ("overflow", "A Mirror's queue overflows."),
            Goal::EarlyBatch => (
                "early-batch",
                "A dump's batch is sent early because of an update of one of its records.",
            ),
        };
        About {
            id,
            kind: Kind::Sometimes,
            sentence,
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let present = self.mirror.present(frame);
        (Courses::default(), present.map(|present| [present, 0]))
    }

    fn note(&self, (courses, keys): &mut Self::Memory, note: &Note) -> bool {
        let Some((node, heard)) = self.mirror.hear(courses, note) else {
            return false;
        };
        let (course, [present, waiting]) = (courses[node], &mut keys[node]);
        match heard {
            Heard::Wrote(key, value) => {
                match value {
                    0 => *present &= !(1 << key),
                    _ => *present |= 1 << key,
                }
                if course.follows() {
                    *waiting |= 1 << key;
                }
                false
            }
            Heard::Changed(key, _) | Heard::Deleted(key) => {
                *waiting &= !(1 << key);
                false
            }
            Heard::Removed => {
                *present = 0;
                false
            }
            Heard::Ended => {
                *waiting = 0;
                false
            }
            Heard::Batch(records, full) => {
                let last = records.iter().map(|(key, _)| *key).max().unwrap_or(KEYS);
                let more = *present >> last > 1;
                let due = records.iter().any(|(key, _)| *waiting & (1 << key) != 0);
                self.goal == Goal::EarlyBatch && !full && more && due
            }
            Heard::ChannelRemoved => {
                self.goal == Goal::SuspendedRemoval && course.suspended && *waiting == 0
            }
            Heard::Overflow => self.goal == Goal::Overflow,
            _ => false,
        }
    }
}
