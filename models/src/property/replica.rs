//! Properties of what a Mirror's client ends up with (`neo-requests.md` 16.5): each value in its order,
//! and in the end all of them.

use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::mirror::Item;
use dht_protocol::neo::request::stream::Notification;

use super::mirror::{Courses, Heard, KEYS, Mirror, place, tag};
use super::{About, Kind, Property};
use crate::world::{Frame, NODES, Note, node_at};

/// A value for each key of each node; 0 is none.
type Values = [[u8; KEYS]; NODES];

/// P54: the client's replica becomes equal to the channel.
#[derive(Clone, Debug)]
pub struct Converges(pub Mirror);

/// What [`Converges`] remembers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Replica {
    stored: Values,
    known: Values,
    /// Has the request begun, and not been stopped?
    wanted: bool,
    suspended: bool,
    /// Nodes of which the client knows that it does not know everything, and those whose channel is gone.
    excused: [bool; NODES],
}

impl Property for Converges {
    type Memory = Replica;

    fn about(&self) -> About {
        About {
            id: "P54",
            kind: Kind::Eventually,
            sentence: "What a Mirror with an initial dump tells its user adds up to the channel.",
        }
    }

    fn start(&self, frame: &Frame) -> Replica {
        Replica {
            stored: self.0.stored(frame),
            ..Replica::default()
        }
    }

    fn note(&self, replica: &mut Replica, note: &Note) -> bool {
        let mine = self.0.request;
        match note {
            Note::Begun(request) if *request == mine => replica.wanted = true,
            Note::Over(request) if *request == mine => replica.forget(),
            Note::Controlled(request, control, true) if *request == mine => match control {
                Control::Suspend => replica.suspended = true,
                Control::Resume => replica.suspended = false,
                Control::Stop => replica.forget(),
            },
            Note::Told(request, Told::Mirror(told)) if *request == mine => replica.told(told),
            Note::Arrived(node, channel, key, value) if *channel == self.0.channel => {
                if let Some(key) = place(*key) {
                    replica.stored[*node][key] = tag(value);
                }
            }
            _ => match self.0.hear(&mut Courses::default(), note) {
                Some((node, Heard::Wrote(key, value))) => replica.stored[node][key] = value,
                Some((node, Heard::Removed)) => replica.stored[node] = [0; KEYS],
                _ => {}
            },
        }
        false
    }

    fn owes(&self, replica: &Replica) -> bool {
        let differs = |node: usize| replica.known[node] != replica.stored[node];
        let mut nodes = (0..NODES).filter(|node| !replica.excused[*node]);
        replica.wanted && !replica.suspended && nodes.any(differs)
    }
}

impl Replica {
    /// Nobody wants to know any more.
    fn forget(&mut self) {
        *self = Self {
            stored: self.stored,
            ..Self::default()
        };
    }

    fn told(&mut self, told: &Notification<Item>) {
        if !self.wanted {
            return;
        }
        match told {
            Notification::Item(node, item) => {
                let Some(node) = node_at(*node).filter(|node| !self.excused[*node]) else {
                    return;
                };
                match item {
                    Item::Updated(key, value) | Item::Refreshed(key, value) => {
                        if let Some(key) = place(*key) {
                            self.known[node][key] = tag(value);
                        }
                    }
                    Item::Deleted(key) => {
                        if let Some(key) = place(*key) {
                            self.known[node][key] = 0;
                        }
                    }
                    Item::UpdatesLost | Item::ChannelRemoved => {
                        self.excused[node] = true;
                        self.known[node] = [0; KEYS];
                    }
                }
            }
            // What is removed meanwhile is told by nobody: the replica begins anew.
            Notification::Disconnected(node) => {
                if let Some(node) = node_at(*node) {
                    self.known[node] = [0; KEYS];
                    self.excused[node] = false;
                }
            }
            _ => {}
        }
    }
}

/// P55 and P56: what is delivered of a record does not go back in time.
#[derive(Clone, Debug)]
pub struct InOrder {
    /// By which Mirror.
    pub mirror: Mirror,
    /// Behind what.
    pub behind: Behind,
}

/// What no older value is delivered behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behind {
    /// P55: a newer one.
    Value,
    /// P56: the record's removal.
    Removal,
}

/// The values of each record of each node that may be delivered yet, in the order in which they were
/// stored; 0 is a removal.
pub type Histories = [[Vec<u8>; KEYS]; NODES];

impl Property for InOrder {
    type Memory = (Courses, Values, Histories);

    fn about(&self) -> About {
        let (id, sentence) = match self.behind {
            Behind::Value => (
                "P55",
                "A value of a record is never delivered after one that was stored later.",
            ),
            Behind::Removal => (
                "P56",
                "After RecordDeleted nothing of the record is delivered that was stored before.",
            ),
        };
        About {
            id,
            kind: Kind::Always,
            sentence,
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let stored = self.mirror.stored(frame);
        (Courses::default(), stored, Histories::default())
    }

    fn note(&self, (courses, stored, histories): &mut Self::Memory, note: &Note) -> bool {
        let Some((node, heard)) = self.mirror.hear(courses, note) else {
            return false;
        };
        let (course, stored) = (courses[node], &mut stored[node]);
        let histories = &mut histories[node];
        match heard {
            Heard::Wrote(key, value) => {
                stored[key] = value;
                let matters = value != 0 || self.behind == Behind::Removal;
                if course.follows() && matters {
                    histories[key].push(value);
                }
            }
            Heard::Removed => *stored = [0; KEYS],
            Heard::Opened => {
                let there = |value: u8| (value != 0).then_some(value).into_iter().collect();
                *histories = stored.map(there);
            }
            Heard::Ended => *histories = Default::default(),
            Heard::Changed(key, value) => return self.delivered(&mut histories[key], value),
            Heard::Batch(records, _) => {
                let records = records.into_iter();
                let mut back = false;
                for (key, value) in records {
                    back |= self.delivered(&mut histories[key], value);
                }
                return back;
            }
            Heard::Deleted(key) if self.behind == Behind::Removal => {
                let history = &mut histories[key];
                if let Some(removal) = history.iter().position(|value| *value == 0) {
                    history.drain(..=removal);
                }
            }
            _ => {}
        }
        false
    }
}

impl InOrder {
    /// A value is delivered. Does it come too late?
    fn delivered(&self, history: &mut Vec<u8>, value: u8) -> bool {
        let Some(stored) = history.iter().position(|stored| *stored == value) else {
            return true;
        };
        if self.behind == Behind::Value {
            history.drain(..stored);
        }
        false
    }
}

/// P57: the last that is said of a record agrees with the store.
#[derive(Clone, Debug)]
pub struct Agrees(pub Mirror);

/// What [`Agrees`] remembers of a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Said {
    stored: [u8; KEYS],
    last: [Option<u8>; KEYS],
    lost: bool,
}

impl Property for Agrees {
    type Memory = (Courses, [Said; NODES]);

    fn about(&self) -> About {
        About {
            id: "P57",
            kind: Kind::Eventually,
            sentence: "The last RecordChanged or RecordDeleted of a record agrees with the store.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let said = self.0.stored(frame).map(|stored| Said {
            stored,
            ..Said::default()
        });
        (Courses::default(), said)
    }

    fn note(&self, (courses, said): &mut Self::Memory, note: &Note) -> bool {
        let Some((node, heard)) = self.0.hear(courses, note) else {
            return false;
        };
        let said = &mut said[node];
        match heard {
            Heard::Wrote(key, value) => said.stored[key] = value,
            Heard::Changed(key, value) => said.last[key] = Some(value),
            Heard::Deleted(key) => said.last[key] = Some(0),
            Heard::Missed(_) => said.lost = true,
            Heard::Removed => *said = Said::default(),
            Heard::Opened | Heard::Ended => {
                said.last = [None; KEYS];
                said.lost = false;
            }
            _ => {}
        }
        false
    }

    fn owes(&self, (courses, said): &Self::Memory) -> bool {
        let said = courses.iter().zip(said);
        let mut said =
            said.filter(|(course, said)| course.flows() && course.follows() && !said.lost);
        said.any(|(_, said)| {
            let mut records = said.last.iter().zip(said.stored);
            records.any(|(last, stored)| last.is_some_and(|last| last != stored))
        })
    }
}

/// P61: only records of the channel that is followed are delivered.
#[derive(Clone, Debug)]
pub struct Isolated(pub Mirror);

/// The values of each record that may be delivered, a bit for each.
pub type Allowed = [[u32; KEYS]; NODES];

impl Property for Isolated {
    type Memory = (Courses, Values, Allowed);

    fn about(&self) -> About {
        About {
            id: "P61",
            kind: Kind::Always,
            sentence: "A Mirror delivers nothing but records of the channel that it follows.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Courses::default(), self.0.stored(frame), Allowed::default())
    }

    fn note(&self, (courses, stored, allowed): &mut Self::Memory, note: &Note) -> bool {
        let Some((node, heard)) = self.0.hear(courses, note) else {
            return false;
        };
        let (course, stored, allowed) = (courses[node], &mut stored[node], &mut allowed[node]);
        match heard {
            Heard::Opened => *allowed = stored.map(bit),
            Heard::Ended => *allowed = Default::default(),
            Heard::Removed => *stored = Default::default(),
            Heard::Wrote(key, value) => {
                stored[key] = value;
                if course.follows() {
                    allowed[key] |= bit(value);
                }
            }
            Heard::Changed(key, value) => return allowed[key] & bit(value) == 0,
            Heard::Batch(records, _) => {
                let mut records = records.into_iter();
                return records.any(|(key, value)| allowed[key] & bit(value) == 0);
            }
            _ => {}
        }
        false
    }
}

fn bit(value: u8) -> u32 {
    match value {
        0 => 0,
        value => 1 << (value % 32),
    }
}
