//! What a client says and tells its user in a GetAll or Mirror that is suspended, resumed and stopped.

use dht_protocol::neo::request::control::Control;

use super::{Answer, Event, Said, Stragglers, Stream, Tidings, properties, starts_suspended};
use crate::world::NODES;

properties! {
    /// P06: what is over on a node is over.
    SilentAfterEnd: "P06", Always,
    "After a node's last message, and its Ack if it wants one, the client says nothing more to it about the request.",
    [Talk; NODES],
    |_, talks, event| match event {
        Event::ClientSaid(node, said) => {
            let over = talks[node] == Talk::Over;
            match said {
                Said::Control(Control::Stop) => talks[node] = Talk::Stopping,
                Said::Ack => talks[node] = Talk::Over,
                _ => {}
            }
            over
        }
        Event::ClientHeard(node, Answer::Ack) if talks[node] == Talk::Stopping => {
            talks[node] = Talk::Over;
            false
        }
        Event::ClientHeard(node, Answer::Error | Answer::Refused) => {
            talks[node] = Talk::Over;
            false
        }
        _ => false,
    };

    /// P10: a node that is back takes part again.
    Restarts: "P10", Eventually,
    "After its connection broke a node is asked again, unless the request is over there.",
    [Part; NODES],
    |_, parts, event| {
        match event {
            Event::ClientSaid(node, Said::Open(_)) => parts[node] = Part::Asked,
            Event::ClientSaid(node, Said::Ack)
            | Event::ClientHeard(node, Answer::Error | Answer::Refused) => parts[node] = Part::None,
            Event::ClientDown(node) if parts[node] == Part::Asked => parts[node] = Part::Lost,
            Event::Called(Control::Stop, true) | Event::Over => *parts = Default::default(),
            _ => {}
        }
        false
    },
    |parts| parts.contains(&Part::Lost);

    /// P27: one control message at a time.
    OneAtATime: "P27", Always,
    "Between a control message and its Ack the client sends the node nothing but the Ack of its final message.",
    [Waits; NODES],
    |_, waits, event| match event {
        Event::ClientSaid(node, said) => match (waits[node], said) {
            (Waits::ForAck, _) => true,
            (_, Said::Control(_)) => {
                waits[node] = Waits::ForAck;
                false
            }
            _ => false,
        },
        Event::ClientHeard(node, Answer::Ack | Answer::Final) | Event::ClientDown(node) => {
            waits[node] = Waits::ForNothing;
            false
        }
        _ => false,
    };

    /// P32: the final message is acknowledged, once.
    AcknowledgesFinal: "P32", Always,
    "The final message of a node is acknowledged at once, and once.",
    [Thanks; NODES],
    |_, thanks, event| match event {
        Event::ClientHeard(node, Answer::Final) => {
            let again = thanks[node] == Thanks::Due;
            thanks[node] = Thanks::Due;
            again
        }
        Event::ClientSaid(node, Said::Ack) => {
            std::mem::replace(&mut thanks[node], Thanks::Done) != Thanks::Due
        }
        Event::ClientDown(node) => {
            thanks[node] = Thanks::None;
            false
        }
        Event::Over => thanks.contains(&Thanks::Due),
        // Telling the user comes before or after, in the same step.
        Event::Told(_) => false,
        _ => thanks.contains(&Thanks::Due),
    };

    /// P35: stop() stops.
    StopEnds: "P35", Eventually,
    "After an accepted stop the request ends, whether its connections are up or down.",
    bool,
    |_, owed, event| {
        match event {
            Event::Called(Control::Stop, true) => *owed = true,
            Event::Over => *owed = false,
            _ => {}
        }
        false
    },
    |owed| *owed;

    /// P36: how a request that was stopped ends.
    StopIsTold: "P36", Always,
    "A request that was stopped tells that it was, or that it finished if all nodes had before; no other tells that it was stopped.",
    (bool, [Part; NODES]),
    |_, (stopped, parts), event| {
        match event {
            Event::ClientSaid(node, Said::Open(_)) => parts[node] = Part::Asked,
            Event::ClientHeard(node, Answer::Final | Answer::Error | Answer::Refused) => {
                parts[node] = Part::None;
            }
            Event::Called(Control::Stop, true) => *stopped = true,
            Event::Told(Tidings::Finished) => return *stopped && parts.contains(&Part::Asked),
            Event::Told(Tidings::Stopped) => return !*stopped,
            Event::Over => *parts = Default::default(),
            _ => {}
        }
        false
    };

    /// P37: the user hears of what it has asked for.
    ChangeIsTold: "P37", Eventually,
    "After an accepted suspend or resume the user is told when it is done, unless the request ends or another call replaces it.",
    Option<Control>,
    |_, owed, event| {
        match (event, *owed) {
            (Event::Called(Control::Stop, true) | Event::Over, _) => *owed = None,
            (Event::Called(control, true), _) => *owed = Some(control),
            (Event::Told(Tidings::Suspended), Some(Control::Suspend))
            | (Event::Told(Tidings::Resumed), Some(Control::Resume))
            | (Event::Told(Tidings::Stopped | Tidings::Finished), _) => *owed = None,
            _ => {}
        }
        false
    },
    |owed| owed.is_some();

    /// P38: a request starts once, and before anything else.
    StartsFirst: "P38", Always,
    "The user is told at most once that the request has started, and before it is told of any change.",
    bool,
    |_, started, event| match event {
        Event::Told(Tidings::Started) => std::mem::replace(started, true),
        Event::Told(Tidings::Suspended | Tidings::Resumed) => !*started,
        // A request may be stopped before it has started; then it does not start any more.
        Event::Told(Tidings::Stopped | Tidings::Finished) => {
            *started = true;
            false
        }
        _ => false,
    };

    /// P39: users cannot break connections.
    CallsAreHarmless: "P39", Always,
    "No call of a user leads to a connection being closed.",
    bool,
    |_, called, event| match event {
        Event::Called(_, true) => {
            *called = true;
            false
        }
        Event::Closed(..) => *called,
        Event::Over => {
            *called = false;
            false
        }
        _ => false,
    };

    /// Slow readers do not notice that their nodes are suspended meanwhile.
    OwnChanges: "own-changes", Always,
    "The user is told of suspending and resuming only what it has called for, and once.",
    Option<Control>,
    |_, called, event| match event {
        Event::Called(control, true) => {
            *called = Some(control);
            false
        }
        Event::Told(Tidings::Suspended) => called.take() != Some(Control::Suspend),
        Event::Told(Tidings::Resumed) => called.take() != Some(Control::Resume),
        Event::Over => {
            *called = None;
            false
        }
        _ => false,
    };

    /// P40: a node begins as the user wants it.
    StartsAsWanted: "P40", Always,
    "A request begins suspended on a node exactly if the last accepted call was a suspend.",
    bool,
    |_, suspended, event| match event {
        Event::Called(control, true) => {
            *suspended = control == Control::Suspend;
            false
        }
        Event::ClientSaid(_, Said::Open(open)) => starts_suspended(open) != *suspended,
        Event::Over => {
            *suspended = false;
            false
        }
        _ => false,
    };

    /// P41: a suspended user is left alone.
    QuietWhileSuspended: "P41", Always,
    "Between being told that the request is suspended and resuming it the user gets nothing but what a suspended node may still send.",
    Option<[Stragglers; NODES]>,
    |stream, came, event| match event {
        Event::Told(Tidings::Suspended) => {
            *came = Some(came.unwrap_or_default());
            false
        }
        Event::Called(Control::Resume | Control::Stop, true) | Event::Over => {
            *came = None;
            false
        }
        Event::ClientDown(node) => {
            if let Some(came) = came {
                came[node] = Stragglers::default();
            }
            false
        }
        Event::ClientHeard(node, Answer::Data(data)) => {
            came.as_mut().is_some_and(|came| came[node].count(stream, data))
        }
        _ => false,
    };
}

/// How far a client is with a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Talk {
    /// They talk, or have not begun.
    #[default]
    Open,
    /// Stop was sent.
    Stopping,
    /// All is said.
    Over,
}

/// Which part a node takes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Part {
    /// None, or no longer.
    #[default]
    None,
    /// It was asked.
    Asked,
    /// It was asked, and its connection broke.
    Lost,
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Waits {
    /// Nothing that would keep it from sending.
    #[default]
    ForNothing,
    /// An Ack.
    ForAck,
}

/// The Ack of a final message.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Thanks {
    /// There was no final message.
    #[default]
    None,
    /// It is due.
    Due,
    /// It was sent.
    Done,
}
