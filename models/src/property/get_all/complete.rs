//! Whether a GetAll delivers everything.

use super::reading::{Change, Reading, bit, keys, place};
use crate::property::control::{Answer, Event, Said};
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note};

/// P44 (for two requests, P53): what was there all the time is delivered.
#[derive(Clone, Debug)]
pub struct Complete(pub &'static str, pub Reading);

/// What is known of a node's records, as bits for keys.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Course {
    /// Present now, and to be delivered.
    present: u8,
    /// Since the node has begun.
    stable: Option<u8>,
    delivered: u8,
    /// Has the node been asked, and not begun?
    asked: bool,
}

impl Property for Complete {
    type Memory = Option<[Course; NODES]>;

    fn about(&self) -> About {
        About {
            id: self.0,
            kind: Kind::Always,
            sentence: "A record that is there unchanged while a node is read, and fits the request, is delivered.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let held = self.1.first(frame, |value| u8::from(self.1.wants(value)));
        Some(held.map(|held| Course {
            present: keys(&held),
            ..Course::default()
        }))
    }

    fn note(&self, memory: &mut Self::Memory, note: &Note) -> bool {
        let reading = &self.1;
        let Some(courses) = memory else {
            return false;
        };
        match reading.change(note) {
            Some(Change::Record(node, place, value)) => {
                let course = &mut courses[node];
                course.present &= !bit(place);
                if value.is_some_and(|value| reading.wants(value)) {
                    course.present |= bit(place);
                }
                course.stable = course.stable.map(|stable| stable & !bit(place));
            }
            Some(Change::All(node)) => {
                let course = &mut courses[node];
                course.present = 0;
                // What is created by the same name later is another channel than the one that was asked for.
                let is_read = course.stable.is_some() || course.asked;
                course.stable = is_read.then_some(0);
            }
            None => {}
        }
        if let Some((node, key)) = reading.item(note)
            && let Some(place) = place(key)
        {
            courses[node].delivered |= bit(place);
        }
        match reading.stream.event(note) {
            Some(Event::NodeHeard(node, Said::Open(_))) => courses[node].asked = true,
            Some(Event::NodeDown(node)) => courses[node].asked = false,
            Some(Event::NodeSaid(node, Answer::Started)) => {
                let course = &mut courses[node];
                course.asked = false;
                course.stable = course.stable.or(Some(course.present));
            }
            // What has become of it later does not matter.
            Some(Event::NodeSaid(node, Answer::Final)) => {
                let course = &mut courses[node];
                course.present = 0;
            }
            Some(Event::ClientHeard(node, Answer::Final)) => {
                let course = &mut courses[node];
                let missing = course.stable.unwrap_or(0) & !course.delivered;
                *course = Course::default();
                return missing != 0;
            }
            Some(Event::Over) => *memory = None,
            _ => {}
        }
        false
    }
}
