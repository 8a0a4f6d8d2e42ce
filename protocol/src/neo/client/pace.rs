//! GetAll and Mirror for a user who may read slowly.
//!
//! What a node sends and the user has not read yet takes memory. When there is too much of it the
//! request is suspended, with the protocol's own Suspend, and resumed when the user has read enough;
//! nodes keep a place in the iteration (GetAll) or a bounded queue (Mirror) for this. Not reading the
//! connection instead would stop all its other requests too, and a user who waits for one of those
//! before it reads on would wait for ever.
//!
//! A user who suspends or resumes meanwhile does not notice: it is told of its own changes alone.

use crate::neo::NodeAddress;
use crate::neo::request::Effect;
use crate::neo::request::control::Control;
use crate::neo::request::stream::{ControlError, Notification, Stream, Streaming};

/// How much the user has still to read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Backlog {
    /// Little; the nodes may send.
    #[default]
    Low,
    /// Enough for now; the nodes are to be suspended.
    High,
    /// Far more than nodes that obey a Suspend can have had under way. Who keeps sending is not
    /// listened to before the user has read on.
    Excessive,
}

type Effects<S> = Vec<Effect<Notification<<S as Stream>::Item>>>;

/// A request that is suspended while its user has too much to read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Paced<S: Stream> {
    half: Streaming<S>,
    backlog: Backlog,
    /// What the user wants.
    user: Control,
    /// Is the user to be told when its last change is made?
    user_waits: bool,
    /// What the half was asked for last.
    asked: Control,
    /// Has it not said yet that this is so?
    changing: bool,
}

impl<S: Stream> Paced<S> {
    pub fn new(request: S) -> Self {
        Self {
            half: Streaming::new(request),
            backlog: Backlog::Low,
            user: Control::Resume,
            user_waits: false,
            asked: Control::Resume,
            changing: false,
        }
    }

    pub fn is_ended(&self) -> bool {
        self.half.is_ended()
    }

    /// See [`Streaming::phase`].
    pub fn phase(&self, node: NodeAddress) -> &'static str {
        self.half.phase(node)
    }

    pub fn add_node(&mut self, node: NodeAddress) {
        // A request that is being stopped has no business with a new node.
        if self.user != Control::Stop {
            self.half.add_node(node);
        }
    }

    pub fn connected(&mut self, node: NodeAddress, effects: &mut Effects<S>) {
        if self.user != Control::Stop && self.backlog != Backlog::Excessive {
            self.run(effects, |half, effects| half.connected(node, effects));
        }
    }

    pub fn disconnected(&mut self, node: NodeAddress, effects: &mut Effects<S>) {
        self.run(effects, |half, effects| half.disconnected(node, effects));
    }

    pub fn receive(&mut self, node: NodeAddress, payload: &[u8], effects: &mut Effects<S>) {
        self.run(effects, |half, effects| {
            half.receive(node, payload, effects)
        });
    }

    /// The user wants a change.
    pub fn control(
        &mut self,
        control: Control,
        effects: &mut Effects<S>,
    ) -> Result<(), ControlError> {
        if self.half.is_ended() || self.user == Control::Stop {
            return Err(ControlError::Ended);
        }
        let paced = self.changing && !self.user_waits;
        let undisturbed = self.backlog == Backlog::Low && self.asked == self.user && !paced;
        let before = (self.user, self.user_waits);
        (self.user, self.user_waits) = (control, true);
        // A change that changes nothing goes to the nodes as well, as it does in the original.
        if undisturbed && let Err(error) = self.ask(control, effects) {
            (self.user, self.user_waits) = before;
            return Err(error);
        }
        self.pursue(effects);
        Ok(())
    }

    /// There is nobody any more to tell anything to.
    pub fn abandon(&mut self, effects: &mut Effects<S>) {
        self.user = Control::Stop;
        self.user_waits = false;
        self.pursue(effects);
    }

    /// The user has more or less to read than before; `open` are the nodes that are connected.
    pub fn pace(&mut self, backlog: Backlog, open: Vec<NodeAddress>, effects: &mut Effects<S>) {
        self.backlog = backlog;
        // Those that were not listened to are asked again; those that are running take no notice.
        for node in open {
            self.connected(node, effects);
        }
        self.pursue(effects);
    }

    /// What the nodes are to do: what the user wants, but not more than it can read.
    fn wanted(&self) -> Control {
        match (self.user, self.backlog) {
            (Control::Stop, _) => Control::Stop,
            (Control::Suspend, _) | (_, Backlog::High | Backlog::Excessive) => Control::Suspend,
            (Control::Resume, Backlog::Low) => Control::Resume,
        }
    }

    /// Brings the nodes nearer to what they are to do. What the half cannot do yet is tried again when
    /// something has happened.
    fn pursue(&mut self, effects: &mut Effects<S>) {
        if !self.half.is_ended() && self.asked != self.wanted() {
            // Refused while nodes have not agreed to the previous change.
            let _ = self.ask(self.wanted(), effects);
        }
        let settled = !self.changing && self.asked == self.wanted();
        if self.user_waits && settled && !self.half.is_ended() {
            // The change took nothing from the nodes: they are as the user wants them, or will be when
            // it has read what there is.
            self.user_waits = false;
            effects.push(Effect::Notify(match self.user {
                Control::Suspend => Notification::Suspended,
                Control::Resume | Control::Stop => Notification::Resumed,
            }));
        }
    }

    fn ask(&mut self, control: Control, effects: &mut Effects<S>) -> Result<(), ControlError> {
        let before = (self.asked, self.changing);
        (self.asked, self.changing) = (control, true);
        let accepted = self.collect(effects, |half, effects| half.control(control, effects));
        if accepted.is_err() {
            (self.asked, self.changing) = before;
        }
        accepted
    }

    fn run(
        &mut self,
        effects: &mut Effects<S>,
        event: impl FnOnce(&mut Streaming<S>, &mut Effects<S>),
    ) {
        self.collect(effects, event);
        self.pursue(effects);
    }

    /// Lets the half do something, and keeps from the user what it has not asked for.
    fn collect<T>(
        &mut self,
        effects: &mut Effects<S>,
        event: impl FnOnce(&mut Streaming<S>, &mut Effects<S>) -> T,
    ) -> T {
        let mut at = effects.len();
        let result = event(&mut self.half, effects);
        while let Some(effect) = effects.get(at) {
            let made = match effect {
                Effect::Notify(Notification::Suspended) => Control::Suspend,
                Effect::Notify(Notification::Resumed) => Control::Resume,
                _ => {
                    at += 1;
                    continue;
                }
            };
            self.changing = false;
            if self.user_waits && made == self.user {
                self.user_waits = false;
                at += 1;
            } else {
                effects.remove(at);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
