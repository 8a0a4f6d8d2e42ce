//! A client that speaks by the rules on a connection of the fuzzer's world: where the two protocols differ.
//!
//! What is forged goes out beside what it says, and what the node answers to that is taken out of what came before
//! the client hears the rest.
//!
//! * `neo`: many requests at once, each with an id; forged ones have ids that no client comes to.
//! * `legacy`: one order at a time; while something forged awaits an answer, all that comes is for it.

mod legacy;
mod neo;

use bytes::Bytes;
use dht_client::ControlError;
use dht_model::{Decision, Operation};
use dht_protocol::neo::Now;
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};
use dht_workload::case::{Protocol, Wrong};
use dht_workload::names::Names;
use dht_workload::world::{Control, Ending, Event, Happening, Stream, Ticket, Violation};

use super::place::Place;
use super::probe::Probe;
use legacy::Legacy;
use neo::Neo;

/// A client that speaks by the rules.
pub(super) enum Speech {
    Neo(Box<Neo>),
    Legacy(Box<Legacy>),
}

/// What a client is asked for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A whole operation.
    Operation(Operation),
    /// The first half of an Update.
    Update(ChannelName, Key),
    /// A stream.
    Stream(ChannelName, Stream),
}

/// What a client wants of who drives it, or tells.
pub(super) enum Wish {
    /// A connection is wanted.
    Connect,
    /// Requests can be sent.
    Ready,
    /// The connection is to be closed; why, if the node is to blame.
    Close(Option<String>),
    /// No connection could be made, for which the node is to blame.
    Fault(String),
    /// Something happened.
    Happened(Happening),
}

/// What came of bytes of the node.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How many messages they were.
    pub(super) messages: u64,
    /// What is for something forged, with its id.
    pub(super) forged: Vec<(u64, Bytes)>,
    /// What is against the rules.
    pub(super) violations: Vec<Violation>,
    /// The client has had enough of the connection.
    pub(super) enough: bool,
}

impl Speech {
    /// A client without a connection.
    pub(super) fn new(protocol: Protocol, place: &Place, now: Now) -> Self {
        match protocol {
            Protocol::Neo => Self::Neo(Box::new(Neo::new(place, now))),
            Protocol::Legacy => Self::Legacy(Box::default()),
        }
    }

    /// What it speaks.
    pub(super) fn protocol(&self) -> Protocol {
        match self {
            Self::Neo(_) => Protocol::Neo,
            Self::Legacy(_) => Protocol::Legacy,
        }
    }

    /// Is nothing under way?
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Neo(neo) => neo.is_idle(),
            Self::Legacy(legacy) => legacy.is_idle(),
        }
    }

    /// May the node close the connection now? A Listen may end so when what it was to tell is gone by then
    /// (`legacy.md` 7.14).
    pub(super) fn may_be_closed(&self) -> bool {
        match self {
            Self::Neo(_) => false,
            Self::Legacy(legacy) => legacy.is_listening(),
        }
    }

    /// There is a connection.
    pub(super) fn connected(&mut self, now: Now) {
        match self {
            Self::Neo(neo) => neo.connected(now),
            Self::Legacy(legacy) => legacy.connected(),
        }
    }

    /// There is none any more.
    pub(super) fn disconnected(&mut self, now: Now) {
        match self {
            Self::Neo(neo) => neo.disconnected(now),
            Self::Legacy(legacy) => legacy.disconnected(),
        }
    }

    /// What it says, and how many messages that is.
    pub(super) fn output(&mut self) -> (Vec<u8>, u64) {
        match self {
            Self::Neo(neo) => neo.output(),
            Self::Legacy(legacy) => legacy.output(),
        }
    }

    /// Bytes came from the node. `probed`: something forged awaits an answer.
    pub(super) fn hear(&mut self, bytes: &[u8], probed: bool, now: Now) -> Heard {
        match self {
            Self::Neo(neo) => neo.hear(bytes, now),
            Self::Legacy(legacy) => legacy.hear(bytes, probed),
        }
    }

    /// What it wants next.
    pub(super) fn next_wish(&mut self, now: Now) -> Option<Wish> {
        match self {
            Self::Neo(neo) => neo.next_wish(now),
            Self::Legacy(legacy) => legacy.next_wish(),
        }
    }

    /// Begins something. What happens at once, if something does.
    pub(super) fn start(&mut self, ticket: Ticket, asked: Asked, now: Now) -> Option<Happening> {
        match self {
            Self::Neo(neo) => neo.start(ticket, asked, now),
            Self::Legacy(legacy) => legacy.start(ticket, asked),
        }
    }

    /// Decides an Update that was read. What happens at once, if something does.
    pub(super) fn decide(
        &mut self,
        ticket: Ticket,
        update: Ticket,
        decision: &Decision,
        now: Now,
    ) -> Option<Happening> {
        let decided = match self {
            Self::Neo(neo) => neo.decide(ticket, update, decision, now),
            Self::Legacy(_) => false,
        };
        // It has ended meanwhile: its connection broke.
        (!decided).then(|| nothing(ticket, "the Update was over"))
    }

    /// Controls a stream. Whether the connection has to be closed for that.
    pub(super) fn control(
        &mut self,
        stream: Ticket,
        control: Control,
        now: Now,
    ) -> Result<bool, ControlError> {
        match self {
            Self::Neo(neo) => neo.control(stream, control, now).map(|()| false),
            Self::Legacy(legacy) => legacy.control(stream, control).map(|()| true),
        }
    }

    /// Something wrong, and its first bytes; or why it cannot be said.
    pub(super) fn forge(
        &mut self,
        ticket: Ticket,
        wrong: &Wrong,
        names: &Names,
        place: &Place,
    ) -> Result<(Probe, Vec<u8>), &'static str> {
        if wrong.defect.protocol() != self.protocol() {
            return Err("it has no place in this protocol");
        }
        match self {
            Self::Neo(neo) => neo.forge(ticket, wrong, names, place),
            Self::Legacy(legacy) => legacy.forge(ticket, wrong, names, place),
        }
    }

    /// Was this id used for something forged?
    pub(super) fn forged_before(&self, id: u64) -> bool {
        match self {
            Self::Neo(neo) => neo.forged_before(id),
            Self::Legacy(_) => true,
        }
    }

    /// What the node breaks that closes a connection on which nothing wrong was said.
    pub(super) fn when_closed(&self) -> &'static Requirement {
        match self {
            Self::Neo(_) => &req::ROBUST_DROP_LOCAL,
            Self::Legacy(_) => &req::LEG_ROBUST_DROP_LOCAL,
        }
    }

    /// What the node breaks that closes every new connection.
    pub(super) fn when_never_ready(&self) -> &'static Requirement {
        match self {
            Self::Neo(_) => &req::ROBUST_NEW_CONNECTIONS,
            Self::Legacy(_) => &req::LEG_ROBUST_NEW_CONNECTIONS,
        }
    }
}

impl Asked {
    /// How it ends if nobody does it.
    pub(super) fn undone(&self, ticket: Ticket, why: &str) -> Happening {
        match self {
            Self::Operation(_) | Self::Update(..) => nothing(ticket, why),
            Self::Stream(..) => Happening::Told(ticket, Event::Failed(why.to_owned())),
        }
    }
}

/// Nothing came of it.
pub(super) fn nothing(ticket: Ticket, why: &str) -> Happening {
    Happening::Ended(ticket, Ending::Nothing(why.to_owned()))
}
