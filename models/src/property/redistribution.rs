//! What a GetAll makes of a record that goes to another node meanwhile.

use dht_protocol::Key;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::{get_all, stream};

use super::{About, Kind, Property};
use crate::world::{Frame, Note, REQUESTS};

/// A record that is always on one of the nodes is received. For frames in which nobody removes it.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedAtAll(pub Key);

impl Property for ReceivedAtAll {
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "get-all-whole",
            kind: Kind::Always,
            sentence: "A GetAll that has finished has received a record that was on some node all the time.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, received: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Told(request, Told::GetAll(told)) if key(told) == Some(self.0) => {
                received[*request] = true;
                false
            }
            Note::Told(request, Told::GetAll(stream::Notification::Finished)) => {
                !received[*request]
            }
            _ => false,
        }
    }
}

/// No record is received twice.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedOnce(pub Key);

impl Property for ReceivedOnce {
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "get-all-once",
            kind: Kind::Always,
            sentence: "A GetAll receives a record from one node only.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, received: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Told(request, Told::GetAll(told)) if key(told) == Some(self.0) => {
                std::mem::replace(&mut received[*request], true)
            }
            _ => false,
        }
    }
}

fn key(told: &stream::Notification<get_all::Item>) -> Option<Key> {
    match told {
        stream::Notification::Item(_, get_all::Item::Record(key, _) | get_all::Item::Key(key)) => {
            Some(*key)
        }
        _ => None,
    }
}
