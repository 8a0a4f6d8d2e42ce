//! The client's half of requests that run on all nodes and can be controlled: GetAll and Mirror
//! (`neo-requests.md` 2.8, 15.3). The node's half is [`control`](super::control).
//!
//! The user wants the request running, suspended or stopped; each node is brought to that state by a
//! control message, or by the first message where the request has not begun yet. A change that the user
//! asks for while a node is still being opened is remembered and made when the node has started. The
//! user is told when no node is left that has not made the change.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use thiserror::Error;

use super::control::{Control, FromClient};
use super::outcome::Effect;
use super::{RequestCode, SupportedStatus};
use crate::codec::DecodeError;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

/// What is particular to one of these requests.
pub trait Stream: Clone + Debug + Eq + Hash {
    /// Which request.
    const CODE: RequestCode;
    /// What is remembered of a node, also over reconnections.
    type Part: Clone + Debug + Default + Eq + Hash;
    /// What the user receives.
    type Item: Clone + Debug + Eq + Hash;

    /// The first message to a node.
    fn opening(&self, part: &Self::Part, start_suspended: bool) -> Vec<u8>;

    /// A message behind the supported status.
    fn receive(
        &mut self,
        part: &mut Self::Part,
        payload: &[u8],
        items: &mut Vec<Self::Item>,
    ) -> Result<Data<Self::Item>, DecodeError>;
}

/// What a message of a node means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Data<T> {
    /// The request has begun.
    Started,
    /// The node could not begin.
    Error,
    /// A control message was acknowledged.
    Ack,
    /// Items, or none; they stand in the list that was passed.
    Items,
    /// The node has nothing more to send and waits for an Ack. An item may say why.
    Final(Option<T>),
}

/// What the user of such a request is told.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Notification<T> {
    /// Every node that is connected has begun, or none has and a change is made already. Given at most
    /// once, and before any change is.
    Started,
    /// What was asked for, from this node.
    Item(NodeAddress, T),
    /// Every node is suspended.
    Suspended,
    /// Every node has been resumed.
    Resumed,
    /// The connection to a node broke; its part goes on when it is back.
    Disconnected(NodeAddress),
    /// A node failed; it takes no further part.
    NodeError(NodeAddress),
    /// A node does not know the request; it takes no part.
    Unsupported(NodeAddress, SupportedStatus),
    /// The request was stopped. This is the last notification.
    Stopped,
    /// Every node has nothing more to send. This is the last notification.
    Finished,
}

/// A change cannot be made before the one that is under way.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum ControlError {
    /// Nodes have not acknowledged the previous change yet.
    #[error("the previous change of the request is still under way")]
    Busy,
    /// The request is over, or being stopped.
    #[error("the request has ended")]
    Ended,
}

/// A controlled request that runs on all nodes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Streaming<S: Stream> {
    request: S,
    desired: Desired,
    parts: BTreeMap<NodeAddress, (Phase, S::Part)>,
    started: bool,
    /// A change that the user has not been told the end of.
    changing: bool,
    ended: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Desired {
    Running,
    Suspended,
    Stopped,
}

/// Where the request stands on one node; `want` is a change to be made as soon as it has started.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Phase {
    AwaitConnection,
    AwaitSupported { want: Option<Control> },
    AwaitStarted { want: Option<Control> },
    Running,
    AwaitAck(Control),
    Ended,
}

type Effects<S> = Vec<Effect<Notification<<S as Stream>::Item>>>;

impl<S: Stream> Streaming<S> {
    /// A request that knows no node yet.
    pub fn new(request: S) -> Self {
        Self {
            request,
            desired: Desired::Running,
            parts: BTreeMap::new(),
            started: false,
            changing: false,
            ended: false,
        }
    }

    /// A node is known; if it is connected, [`connected`](Self::connected) is to be called as well. A
    /// node that is known already changes nothing.
    pub fn add_node(&mut self, node: NodeAddress) {
        // After Stop nobody is asked any more.
        let phase = match self.desired {
            Desired::Stopped => Phase::Ended,
            Desired::Running | Desired::Suspended => Phase::AwaitConnection,
        };
        self.parts
            .entry(node)
            .or_insert_with(|| (phase, S::Part::default()));
    }

    /// The connection to `node` is up.
    pub fn connected(&mut self, node: NodeAddress, effects: &mut Effects<S>) {
        if self.ended {
            return;
        }
        self.add_node(node);
        let suspended = self.desired == Desired::Suspended;
        if let Some((phase @ Phase::AwaitConnection, part)) = self.parts.get_mut(&node) {
            *phase = Phase::AwaitSupported { want: None };
            effects.push(Effect::Send {
                node,
                payload: self.request.opening(part, suspended),
            });
        }
    }

    /// The connection to `node` is down.
    pub fn disconnected(&mut self, node: NodeAddress, effects: &mut Effects<S>) {
        let Some((phase, _)) = self.parts.get_mut(&node) else {
            return;
        };
        if matches!(phase, Phase::AwaitConnection | Phase::Ended) {
            return;
        }
        *phase = match self.desired {
            Desired::Stopped => Phase::Ended,
            Desired::Running | Desired::Suspended => Phase::AwaitConnection,
        };
        effects.push(Effect::Notify(Notification::Disconnected(node)));
        self.settle(effects);
    }

    /// A message of the request came from `node`.
    pub fn receive(&mut self, node: NodeAddress, payload: &[u8], effects: &mut Effects<S>) {
        let Some((phase, part)) = self.parts.get_mut(&node) else {
            return;
        };
        match *phase {
            // Nothing was asked there that is still unanswered (`neo-transport.md` 8.4).
            Phase::AwaitConnection | Phase::Ended => return,
            Phase::AwaitSupported { want } => match SupportedStatus::decode(payload) {
                Ok(SupportedStatus::Supported) => *phase = Phase::AwaitStarted { want },
                Ok(status) => {
                    *phase = Phase::Ended;
                    effects.push(Effect::Notify(Notification::Unsupported(node, status)));
                }
                Err(error) => effects.push(Self::malformed(node, "supported status", error)),
            },
            Phase::AwaitStarted { .. } | Phase::Running | Phase::AwaitAck(_) => {
                let (mut after, mut items) = (part.clone(), Vec::new());
                match self.request.receive(&mut after, payload, &mut items) {
                    Ok(data) => {
                        // What comes before Started is not believed, only told as a violation.
                        if !matches!(phase, Phase::AwaitStarted { .. }) {
                            *part = after;
                            let notify = |item| Effect::Notify(Notification::Item(node, item));
                            effects.extend(items.into_iter().map(notify));
                        }
                        Self::advance(node, phase, data, effects);
                    }
                    Err(error) => effects.push(Self::malformed(node, "answer", error)),
                }
            }
        }
        self.settle(effects);
    }

    /// The user wants a change.
    pub fn control(
        &mut self,
        control: Control,
        effects: &mut Effects<S>,
    ) -> Result<(), ControlError> {
        if self.ended || self.desired == Desired::Stopped {
            return Err(ControlError::Ended);
        }
        // A change that no node has been sent yet is simply replaced by this one.
        let awaits_ack = |(phase, _): &(Phase, S::Part)| matches!(phase, Phase::AwaitAck(_));
        if self.parts.values().any(awaits_ack) {
            return Err(ControlError::Busy);
        }
        self.desired = match control {
            Control::Suspend => Desired::Suspended,
            Control::Resume => Desired::Running,
            Control::Stop => Desired::Stopped,
        };
        self.changing = true;
        for (node, (phase, _)) in &mut self.parts {
            match phase {
                // The first message will say what is wanted.
                Phase::AwaitConnection if control == Control::Stop => *phase = Phase::Ended,
                Phase::AwaitConnection | Phase::Ended => {}
                Phase::AwaitSupported { want } | Phase::AwaitStarted { want } => {
                    *want = Some(control)
                }
                Phase::Running => *phase = Self::send_control(*node, control, effects),
                // Ruled out above.
                Phase::AwaitAck(_) => {}
            }
        }
        self.settle(effects);
        Ok(())
    }

    /// Has the last notification been given?
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Where the request stands on `node`, by a name that stays the same.
    pub fn phase(&self, node: NodeAddress) -> &'static str {
        let Some((phase, _)) = self.parts.get(&node) else {
            return "AwaitConnection";
        };
        match phase {
            Phase::AwaitConnection => "AwaitConnection",
            Phase::AwaitSupported { .. } => "AwaitSupported",
            Phase::AwaitStarted { .. } => "AwaitStarted",
            Phase::Running if self.desired == Desired::Suspended => "Suspended",
            Phase::Running => "Running",
            Phase::AwaitAck(Control::Suspend) => "AwaitAckOfSuspend",
            Phase::AwaitAck(Control::Resume) => "AwaitAckOfResume",
            Phase::AwaitAck(Control::Stop) => "AwaitAckOfStop",
            Phase::Ended => "Ended",
        }
    }

    /// A well-formed message behind the supported status.
    fn advance(
        node: NodeAddress,
        phase: &mut Phase,
        data: Data<S::Item>,
        effects: &mut Effects<S>,
    ) {
        *phase = match (*phase, data) {
            (Phase::AwaitStarted { want: None }, Data::Started) => Phase::Running,
            (
                Phase::AwaitStarted {
                    want: Some(control),
                },
                Data::Started,
            ) => Self::send_control(node, control, effects),
            // Whatever comes instead of Started means that the node could not begin, for the original
            // too; but only Error says so within the protocol.
            (Phase::AwaitStarted { .. }, Data::Error) => {
                effects.push(Effect::Notify(Notification::NodeError(node)));
                Phase::Ended
            }
            (running @ (Phase::Running | Phase::AwaitAck(_)), Data::Items) => running,
            (Phase::AwaitAck(Control::Stop), Data::Ack) => Phase::Ended,
            (Phase::AwaitAck(_), Data::Ack) => Phase::Running,
            // A control message that crossed the final message is forgotten on both sides.
            (Phase::Running | Phase::AwaitAck(_), Data::Final(item)) => {
                effects.extend(item.map(|item| Effect::Notify(Notification::Item(node, item))));
                effects.push(Effect::Send {
                    node,
                    payload: FromClient::Ack.encode().into(),
                });
                Phase::Ended
            }
            (unchanged, data) => {
                effects.push(Self::unexpected(node, unchanged, &data));
                unchanged
            }
        };
    }

    /// Tells the user what has become true: everybody has started, a change is made everywhere, the
    /// request is over.
    fn settle(&mut self, effects: &mut Effects<S>) {
        if self.ended {
            return;
        }
        let phases = || self.parts.values().map(|(phase, _)| *phase);
        let opening = |phase| {
            matches!(
                phase,
                Phase::AwaitSupported { .. } | Phase::AwaitStarted { .. }
            )
        };
        let running = |phase| matches!(phase, Phase::Running | Phase::AwaitAck(_));
        let waiting = |phase| match phase {
            Phase::AwaitSupported { want } | Phase::AwaitStarted { want } => want.is_some(),
            Phase::AwaitAck(_) => true,
            Phase::AwaitConnection | Phase::Running | Phase::Ended => false,
        };
        let all_ended = phases().all(|phase| phase == Phase::Ended);
        let all_changed = !phases().any(waiting);

        if !self.started && phases().any(running) && !phases().any(opening) {
            self.started = true;
            effects.push(Effect::Notify(Notification::Started));
        }
        // A request that knows no node yet is not over, unless the user does not want it any more.
        if all_ended && (!self.parts.is_empty() || self.desired == Desired::Stopped) {
            self.ended = true;
            effects.push(Effect::Notify(match self.desired {
                Desired::Stopped => Notification::Stopped,
                Desired::Running | Desired::Suspended => Notification::Finished,
            }));
        } else if self.changing && all_changed {
            self.changing = false;
            // Behind this it would come too late (P38).
            if !std::mem::replace(&mut self.started, true) {
                effects.push(Effect::Notify(Notification::Started));
            }
            effects.push(Effect::Notify(match self.desired {
                Desired::Suspended => Notification::Suspended,
                Desired::Running | Desired::Stopped => Notification::Resumed,
            }));
        }
    }

    fn send_control(node: NodeAddress, control: Control, effects: &mut Effects<S>) -> Phase {
        effects.push(Effect::Send {
            node,
            payload: FromClient::Control(control).encode().into(),
        });
        Phase::AwaitAck(control)
    }

    /// The part goes on when the connection is back: a node that broke the protocol once is not left
    /// out for ever (P10, F42).
    fn malformed(
        node: NodeAddress,
        message: &'static str,
        error: DecodeError,
    ) -> Effect<Notification<S::Item>> {
        Effect::Close {
            node,
            violation: Violation::Malformed {
                request: S::CODE,
                message,
                error,
            },
        }
    }

    fn unexpected(
        node: NodeAddress,
        phase: Phase,
        data: &Data<S::Item>,
    ) -> Effect<Notification<S::Item>> {
        let message = match data {
            Data::Started => "Started",
            Data::Error => "Error",
            Data::Ack => "Ack",
            Data::Items => "data",
            Data::Final(_) => "the final message",
        };
        let state = match phase {
            Phase::AwaitStarted { .. } => "before Started",
            _ => "now",
        };
        Effect::Close {
            node,
            violation: Violation::Unexpected {
                request: S::CODE,
                message,
                state,
            },
        }
    }
}

#[cfg(test)]
mod tests;
