//! Any client half behind one interface.

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::Effect;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{self, Gather, Gathering};
use dht_protocol::neo::request::stream::{self, Stream, Streaming};
use dht_protocol::neo::request::update;
use dht_protocol::neo::request::visit::{Outcome, Visit, Visitor};

/// What can happen to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening<'a> {
    /// There is such a node; it need not be connected.
    Known(NodeAddress),
    Connected(NodeAddress),
    Disconnected(NodeAddress),
    Received(NodeAddress, &'a [u8]),
    /// The user suspends, resumes or stops a stream, or decides on an update.
    Wanted(Control),
    /// The user does not want to wait any longer.
    TimedOut,
}

pub(crate) trait Drive {
    /// What the user is told.
    type Told;

    /// Says whether the user may do that now.
    fn happen(&mut self, happening: Happening<'_>, effects: &mut Vec<Effect<Self::Told>>) -> bool;

    /// Is everything over?
    fn is_ended(&self) -> bool;
}

impl<V: Visitor> Drive for Visit<V> {
    type Told = Outcome<V::Output>;

    fn happen(&mut self, happening: Happening<'_>, effects: &mut Vec<Effect<Self::Told>>) -> bool {
        match happening {
            Happening::Known(_) | Happening::Connected(_) | Happening::Wanted(_) => {}
            Happening::Disconnected(node) => self.disconnected(node, effects),
            Happening::Received(node, payload) => self.receive(node, payload, effects),
            Happening::TimedOut => self.timed_out(effects),
        }
        true
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }
}

impl<G: Gather> Drive for Gathering<G> {
    type Told = gather::Notification<G::Notice>;

    fn happen(&mut self, happening: Happening<'_>, effects: &mut Vec<Effect<Self::Told>>) -> bool {
        match happening {
            Happening::Known(node) => self.add_node(node),
            Happening::Connected(node) => self.connected(node, effects),
            Happening::Disconnected(node) => self.disconnected(node, effects),
            Happening::Received(node, payload) => self.receive(node, payload, effects),
            Happening::Wanted(_) | Happening::TimedOut => {}
        }
        true
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }
}

impl<S: Stream> Drive for Streaming<S> {
    type Told = stream::Notification<S::Item>;

    fn happen(&mut self, happening: Happening<'_>, effects: &mut Vec<Effect<Self::Told>>) -> bool {
        match happening {
            Happening::Known(node) => self.add_node(node),
            Happening::Connected(node) => self.connected(node, effects),
            Happening::Disconnected(node) => self.disconnected(node, effects),
            Happening::Received(node, payload) => self.receive(node, payload, effects),
            Happening::Wanted(control) => return self.control(control, effects).is_ok(),
            Happening::TimedOut => {}
        }
        true
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }
}

/// An update whose user knows what they will decide, but takes their time.
#[derive(Clone, Debug)]
pub(crate) struct Updating {
    pub(crate) client: update::Client,
    pub(crate) decision: update::Decision,
}

impl Drive for Updating {
    type Told = update::Notification;

    fn happen(&mut self, happening: Happening<'_>, effects: &mut Vec<Effect<Self::Told>>) -> bool {
        let client = &mut self.client;
        match happening {
            Happening::Known(_) | Happening::Connected(_) => {}
            Happening::Disconnected(node) => client.disconnected(node, effects),
            Happening::Received(node, payload) => client.receive(node, payload, effects),
            Happening::Wanted(_) => client.decide(self.decision.clone(), effects),
            Happening::TimedOut => client.timed_out(effects),
        }
        true
    }

    fn is_ended(&self) -> bool {
        self.client.is_ended()
    }
}
