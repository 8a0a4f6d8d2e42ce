//! Properties of the node's side of a Mirror (`neo-requests.md` 16.5), and of suspending it (P42).
//!
//! They listen to the messages of one Mirror, and to what is written in the channel that it follows.
//! What a client ends up with is judged in [`replica`](super::replica).

mod goals;
mod reports;
mod sends;

pub use goals::{Goal, Reaches};
pub use reports::{
    QueueIsBounded, ReportsLoss, ReportsLossOnly, ReportsRealRemovals, ReportsRemoval,
};
pub use sends::{Sends, What};

use dht_protocol::neo::batch::{self, LIMIT};
use dht_protocol::neo::request::Command;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::mirror::{FromNode, Open};
use dht_protocol::{ChannelName, Key};

use crate::world::{Client, Frame, NODES, Node, Note, Request};

/// How many keys the channel of such a model has: 1, 2 and 3.
pub const KEYS: usize = 3;

/// The Mirror that a property is about.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Its request.
    pub request: Request,
    /// Its client.
    pub client: Client,
    /// The channel that it follows.
    pub channel: ChannelName,
}

/// Where a Mirror stands on a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Course {
    /// Has it been opened, and not ended?
    pub open: bool,
    /// Was the last word Suspend, and is it acknowledged?
    pub suspended: bool,
    /// Was its channel removed?
    pub removed: bool,
    /// A control message that is not acknowledged.
    asked: Option<Control>,
}

/// Where a Mirror stands on each node.
pub type Courses = [Course; NODES];

/// Something that concerns a Mirror. A key is its place among [`KEYS`], a value its first byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// The node follows the channel from now on.
    Opened,
    /// A record of the channel was written, or removed (0).
    Wrote(usize, u8),
    /// A change found no room in the queue.
    Missed(usize),
    /// The channel was removed.
    Removed,
    /// RecordChanged was sent.
    Changed(usize, u8),
    /// RecordDeleted was sent.
    Deleted(usize),
    /// RecordRefreshBatch was sent.
    Batch(Vec<(usize, u8)>, bool),
    /// UpdateOverflow was sent.
    Overflow,
    /// ChannelRemoved was sent.
    ChannelRemoved,
    /// A period is over.
    Ticked,
    /// The request has ended here.
    Ended,
}

impl Mirror {
    /// What a note says about the Mirror, and on which node.
    pub fn hear(&self, courses: &mut Courses, note: &Note) -> Option<(Node, Heard)> {
        match note {
            Note::NodeTook(request, node, payload) if *request == self.request => {
                let course = &mut courses[*node];
                if course.open {
                    if let Ok(FromClient::Control(control)) = FromClient::decode(payload) {
                        course.asked = Some(control);
                    }
                    return None;
                }
                let (_, fields) = Command::decode(payload).ok()?;
                *course = Course {
                    open: true,
                    suspended: Open::decode(fields).ok()?.start_suspended,
                    ..Course::default()
                };
                Some((*node, Heard::Opened))
            }
            Note::NodeSent(request, node, payload) if *request == self.request => {
                let heard = courses[*node].sent(FromNode::decode(payload).ok()?)?;
                Some((*node, heard))
            }
            Note::NodeEnded(request, node) if *request == self.request => {
                courses[*node] = Course::default();
                Some((*node, Heard::Ended))
            }
            Note::NodeDown(client, node) if *client == self.client => {
                courses[*node] = Course::default();
                Some((*node, Heard::Ended))
            }
            Note::Wrote(node, channel, key, value, _) if *channel == self.channel => {
                let value = value.as_ref().map_or(0, |value| tag(value));
                Some((*node, Heard::Wrote(place(*key)?, value)))
            }
            Note::Missed(request, node, key) if *request == self.request => {
                Some((*node, Heard::Missed(place(*key)?)))
            }
            Note::RemovedChannel(node, channel, _) if *channel == self.channel => {
                courses[*node].removed = courses[*node].open;
                Some((*node, Heard::Removed))
            }
            Note::Ticked(request, node) if *request == self.request => Some((*node, Heard::Ticked)),
            _ => None,
        }
    }

    /// What the channel holds at the beginning.
    pub fn stored(&self, frame: &Frame) -> [[u8; KEYS]; NODES] {
        let mut stored = [[0; KEYS]; NODES];
        for (stored, store) in stored.iter_mut().zip(&frame.nodes) {
            for (key, stored) in (1..).map(Key).zip(stored) {
                *stored = store
                    .value(&self.channel, key)
                    .map_or(0, |value| tag(value));
            }
        }
        stored
    }

    /// The keys of the records at the beginning.
    fn present(&self, frame: &Frame) -> [Keys; NODES] {
        self.stored(frame).map(|stored| {
            let present = (0..KEYS).filter(|key| stored[*key] != 0);
            present.fold(0, |keys, key| keys | 1 << key)
        })
    }
}

impl Course {
    /// Does the Mirror follow the channel that has the name now?
    pub fn follows(self) -> bool {
        self.open && !self.removed
    }

    /// May it send what it has?
    pub fn flows(self) -> bool {
        self.open && !self.suspended
    }

    fn sent(&mut self, message: FromNode) -> Option<Heard> {
        Some(match message {
            FromNode::Ack => {
                match self.asked.take()? {
                    Control::Suspend => self.suspended = true,
                    Control::Resume => self.suspended = false,
                    Control::Stop => {}
                }
                return None;
            }
            FromNode::Started | FromNode::Error => return None,
            FromNode::RecordChanged(key, value) => Heard::Changed(place(key)?, tag(&value)),
            FromNode::RecordDeleted(key) => Heard::Deleted(place(key)?),
            FromNode::RecordRefreshBatch(block) => {
                let records = batch::decode_refresh(&block).ok()?;
                let bytes: usize = records.iter().map(|(_, value)| 16 + value.len()).sum();
                let records = records.iter();
                let records = records.filter_map(|(key, value)| Some((place(*key)?, tag(value))));
                Heard::Batch(records.collect(), bytes >= LIMIT)
            }
            FromNode::UpdateOverflow => Heard::Overflow,
            FromNode::ChannelRemoved => Heard::ChannelRemoved,
        })
    }
}

/// The place of a key among those of the model.
pub(super) fn place(key: Key) -> Option<usize> {
    let place = usize::try_from(key.0).ok()?.checked_sub(1)?;
    (place < KEYS).then_some(place)
}

/// What a value is known by; 0 is no value.
pub(super) fn tag(value: &[u8]) -> u8 {
    value.first().copied().unwrap_or(0)
}

/// Keys, one bit for each.
type Keys = u8;
