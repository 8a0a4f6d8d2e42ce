//! What a model of a GetAll or Mirror has to show (`neo-requests.md` 16.8).

use dht_protocol::neo::request::control::Control;

use super::{Answer, Data, Event, Said, Stream, Tidings};
use crate::property::{About, Kind, Property};
use crate::world::{Frame, NODES, Note};

/// Something that happens in some run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Goal {
    /// The node's final message and the client's Suspend pass each other.
    FinishedCrossesSuspend,
    /// The final message follows on the Ack of Suspend.
    FinishedWhileSuspended,
    /// A batch without a record.
    EmptyBatch,
    /// A request is stopped.
    Stopped,
}

/// A goal, of this request.
#[derive(Clone, Copy, Debug)]
pub struct Reaches(pub Goal, pub Stream);

/// What was said last about a suspension.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Suspension {
    /// Nothing.
    #[default]
    None,
    /// The client has asked for it.
    Asked,
    /// The node has acknowledged it.
    Acknowledged,
}

impl Property for Reaches {
    type Memory = [Suspension; NODES];

    fn about(&self) -> About {
        let (id, sentence) = match self.0 {
            Goal::FinishedCrossesSuspend => (
                "finished-crosses-suspend",
                "A final message and a Suspend pass each other.",
            ),
            Goal::FinishedWhileSuspended => (
                "finished-while-suspended",
                "A final message follows on the Ack of Suspend.",
            ),
            Goal::EmptyBatch => ("empty-batch", "A batch without a record is sent."),
            Goal::Stopped => ("stopped", "A request is stopped."),
        };
        About {
            id,
            kind: Kind::Sometimes,
            sentence,
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, suspensions: &mut Self::Memory, note: &Note) -> bool {
        let Some(event) = self.1.event(note) else {
            return false;
        };
        match self.0 {
            Goal::Stopped => return event == Event::Told(Tidings::Stopped),
            Goal::EmptyBatch => {
                // Nothing but its type and three lengths' worth of bytes.
                let is_batch = matches!(event, Event::NodeSaid(_, Answer::Data(Data::Batch)));
                return is_batch
                    && matches!(note, Note::NodeSent(_, _, batch) if batch.len() == 20);
            }
            Goal::FinishedCrossesSuspend | Goal::FinishedWhileSuspended => {}
        }
        match event {
            Event::ClientSaid(node, Said::Control(Control::Suspend)) => {
                suspensions[node] = Suspension::Asked;
            }
            Event::ClientSaid(node, _) | Event::ClientDown(node) => {
                suspensions[node] = Suspension::None;
            }
            Event::ClientHeard(node, Answer::Ack) if suspensions[node] == Suspension::Asked => {
                suspensions[node] = Suspension::Acknowledged;
            }
            Event::ClientHeard(node, Answer::Final) => {
                return match suspensions[node] {
                    Suspension::None => false,
                    Suspension::Asked => self.0 == Goal::FinishedCrossesSuspend,
                    Suspension::Acknowledged => self.0 == Goal::FinishedWhileSuspended,
                };
            }
            _ => {}
        }
        false
    }
}
