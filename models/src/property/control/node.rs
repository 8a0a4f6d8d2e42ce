//! What a node says in a GetAll or Mirror that is suspended, resumed and stopped.

use dht_protocol::neo::request::control::Control;

use super::{Answer, Event, Said, Stragglers, Stream, properties, starts_suspended};
use crate::world::NODES;

/// What a node was told to do, by the message that it acknowledges next.
type Asked = [Option<Control>; NODES];

properties! {
    /// P28: one Ack for each control message, and none behind the final message.
    Acknowledges: "P28", Always,
    "A node acknowledges every control message once before its final message, and none after it.",
    [Acks; NODES],
    |_, acks, event| match event {
        Event::NodeHeard(node, Said::Open(_)) | Event::NodeDown(node) => {
            acks[node] = Acks::default();
            false
        }
        Event::NodeHeard(node, Said::Control(_)) if !acks[node].last => {
            acks[node].due += 1;
            false
        }
        Event::NodeSaid(node, Answer::Ack) => {
            let unasked = acks[node].due == 0;
            acks[node].due = acks[node].due.saturating_sub(1);
            unasked
        }
        Event::NodeSaid(node, Answer::Final) => {
            acks[node].last = true;
            acks[node].due > 0
        }
        Event::NodeEnded(node) => acks[node].due > 0,
        _ => false,
    };

    /// P29: a request is stopped, or it has come to its end.
    StopsOrFinishes: "P29", Always,
    "A node never both acknowledges Stop and sends its final message.",
    [Ending; NODES],
    |_, endings, event| {
        hear(endings, &event);
        match event {
            Event::NodeSaid(node, Answer::Ack) => match endings[node] {
                Ending::Stopping => {
                    endings[node] = Ending::Stopped;
                    false
                }
                Ending::Final => true,
                Ending::Open | Ending::Stopped => false,
            },
            Event::NodeSaid(node, Answer::Final) => {
                std::mem::replace(&mut endings[node], Ending::Final) == Ending::Stopped
            }
            _ => false,
        }
    };

    /// P30: whoever has acknowledged Stop is silent.
    SilentAfterStop: "P30", Always,
    "After the Ack of Stop the node sends nothing more of the request.",
    [Ending; NODES],
    |_, endings, event| {
        hear(endings, &event);
        match event {
            Event::NodeSaid(node, answer) => match endings[node] {
                Ending::Stopped => true,
                Ending::Stopping if answer == Answer::Ack => {
                    endings[node] = Ending::Stopped;
                    false
                }
                _ => false,
            },
            _ => false,
        }
    };

    /// P31: what was under way when the node was suspended is little.
    FewStragglers: "P31", Always,
    "After the Ack of Suspend and before that of Resume a node sends at most two batches of a GetAll, or one change, one batch and one overflow of a Mirror.",
    (Asked, [Option<Stragglers>; NODES]),
    |stream, (asked, came), event| match event {
        Event::NodeHeard(node, Said::Open(_)) | Event::NodeDown(node) | Event::NodeEnded(node) => {
            (asked[node], came[node]) = (None, None);
            false
        }
        Event::NodeHeard(node, Said::Control(control)) => {
            asked[node] = Some(control);
            false
        }
        Event::NodeSaid(node, Answer::Ack) => {
            came[node] = match asked[node].take() {
                Some(Control::Suspend) => Some(came[node].unwrap_or_default()),
                _ => None,
            };
            false
        }
        Event::NodeSaid(node, Answer::Data(data)) => {
            came[node].as_mut().is_some_and(|came| came.count(stream, data))
        }
        _ => false,
    };

    /// P33: data does not starve control.
    Reacts: "P33", Eventually,
    "A control message that reaches a node is acknowledged in the end, or the node has nothing more to send, or the connection ends.",
    [Owed; NODES],
    |_, owed, event| {
        match event {
            Event::NodeHeard(node, Said::Open(_)) => owed[node] = Owed::Nothing,
            Event::NodeHeard(node, Said::Control(_)) if owed[node] == Owed::Nothing => {
                owed[node] = Owed::Something;
            }
            Event::NodeSaid(node, Answer::Ack) => owed[node] = Owed::Nothing,
            Event::NodeSaid(node, Answer::Final) => owed[node] = Owed::NothingMore,
            Event::NodeEnded(node) | Event::NodeDown(node) => owed[node] = Owed::Nothing,
            _ => {}
        }
        false
    },
    |owed| owed.contains(&Owed::Something);

    /// P34: Stop frees the request's id.
    EndsAfterStop: "P34", Eventually,
    "A request that was stopped ends at the node.",
    [bool; NODES],
    |_, owed, event| {
        match event {
            Event::NodeHeard(node, Said::Control(Control::Stop)) => owed[node] = true,
            Event::NodeEnded(node) | Event::NodeDown(node) => owed[node] = false,
            _ => {}
        }
        false
    },
    |owed| owed.contains(&true);

    /// P42: only Stop stops.
    SurvivesSuspension: "P42", Always,
    "Suspend and Resume never end a request: a node ends it after Stop, an error, or the Ack of its final message.",
    [bool; NODES],
    |_, may_end, event| match event {
        Event::NodeHeard(node, Said::Open(_)) | Event::NodeDown(node) => {
            may_end[node] = false;
            false
        }
        Event::NodeHeard(node, Said::Control(Control::Stop) | Said::Ack)
        | Event::NodeSaid(node, Answer::Error) => {
            may_end[node] = true;
            false
        }
        Event::NodeEnded(node) => !std::mem::take(&mut may_end[node]),
        _ => false,
    };

    /// P43: once nothing is under way, both sides agree.
    Agrees: "P43", Always,
    "When no control message is under way, the node is suspended exactly if the client believes so.",
    [Agreement; NODES],
    |_, agreements, event| {
        let node = match event {
            Event::ClientSaid(node, Said::Open(open)) => {
                agreements[node].agreed = starts_suspended(open);
                node
            }
            Event::ClientSaid(node, Said::Control(control)) => {
                agreements[node].settled = false;
                agreements[node].agreed = control == Control::Suspend;
                node
            }
            Event::ClientHeard(node, Answer::Started | Answer::Ack) => {
                agreements[node].settled = true;
                node
            }
            Event::Suspended(node, suspended) => {
                agreements[node].suspended = suspended;
                node
            }
            // What either side believes of a request that is over on the other does not matter.
            Event::NodeSaid(node, Answer::Final)
            | Event::NodeEnded(node)
            | Event::NodeDown(node)
            | Event::ClientDown(node)
            | Event::ClientHeard(node, Answer::Final) => {
                agreements[node].settled = false;
                node
            }
            Event::NodeHeard(node, Said::Open(_)) => {
                (agreements[node].open, agreements[node].suspended) = (true, false);
                node
            }
            _ => return false,
        };
        let agreement = &mut agreements[node];
        if matches!(event, Event::NodeSaid(_, Answer::Final) | Event::NodeEnded(_) | Event::NodeDown(_)) {
            agreement.open = false;
        }
        agreement.open && agreement.settled && agreement.agreed != agreement.suspended
    };
}

/// The Acks of a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Acks {
    due: u8,
    /// Was the final message sent?
    last: bool,
}

/// How a request ends at a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Ending {
    /// Not yet.
    #[default]
    Open,
    /// Stop has arrived.
    Stopping,
    /// Stop was acknowledged.
    Stopped,
    /// The final message was sent.
    Final,
}

/// A request begins, is to be stopped, or ends with its connection.
fn hear(endings: &mut [Ending; NODES], event: &Event<'_>) {
    match *event {
        Event::NodeHeard(node, Said::Open(_)) | Event::NodeDown(node) => {
            endings[node] = Ending::Open;
        }
        Event::NodeHeard(node, Said::Control(Control::Stop)) if endings[node] == Ending::Open => {
            endings[node] = Ending::Stopping;
        }
        _ => {}
    }
}

/// Whether a node owes an Ack.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Owed {
    /// No.
    #[default]
    Nothing,
    /// Yes.
    Something,
    /// No, and never again.
    NothingMore,
}

/// What client and node believe.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Agreement {
    /// Does the node have the request?
    open: bool,
    /// Is nothing under way?
    settled: bool,
    /// Does the client want the node suspended?
    agreed: bool,
    /// Is it?
    suspended: bool,
}
