//! The client's halves of all requests behind one interface, and the carrying out of what they want.
//! What the halves do is written in `dht_protocol::neo::request`; nothing of it is repeated here.

use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{Gather, Gathering, Notification};
use dht_protocol::neo::request::stream::ControlError;
use dht_protocol::neo::request::visit::{Outcome, Visit, Visitor};
use dht_protocol::neo::request::{
    Effect, RequestCode, exists, get, get_all, get_channels, mirror, put, remove, remove_channel,
    update,
};
use dht_protocol::neo::{NodeAddress, RequestId};

use super::pace::{Backlog, Paced};
use super::wires::Wires;
use super::{Output, Told};

/// What happens to an active request.
#[derive(Clone, Debug)]
pub(super) enum Event<'a> {
    NodeAdded(NodeAddress),
    Connected(NodeAddress),
    Disconnected(NodeAddress),
    Message(NodeAddress, &'a [u8]),
    /// The user does not want to wait any longer.
    Abandoned,
}

/// The client's half of a request, as the core drives it.
trait Half {
    type Notice;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>);

    fn is_over(&self) -> bool;
}

impl<V: Visitor> Half for Visit<V> {
    type Notice = Outcome<V::Output>;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>) {
        match event {
            Event::NodeAdded(_) | Event::Connected(_) => {}
            Event::Disconnected(node) => self.disconnected(node, effects),
            Event::Message(node, payload) => self.receive(node, payload, effects),
            Event::Abandoned => self.timed_out(effects),
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended()
    }
}

impl Half for update::Client {
    type Notice = update::Notification;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>) {
        match event {
            Event::NodeAdded(_) | Event::Connected(_) => {}
            Event::Disconnected(node) => self.disconnected(node, effects),
            Event::Message(node, payload) => self.receive(node, payload, effects),
            Event::Abandoned => self.timed_out(effects),
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended()
    }
}

impl<G: Gather> Half for Gathering<G> {
    type Notice = Notification<G::Notice>;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>) {
        match event {
            Event::NodeAdded(node) => self.add_node(node),
            Event::Connected(node) => self.connected(node, effects),
            Event::Disconnected(node) => self.disconnected(node, effects),
            Event::Message(node, payload) => self.receive(node, payload, effects),
            // Such a request cannot be ended on the nodes; the core forgets it.
            Event::Abandoned => {}
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended()
    }
}

impl<S: dht_protocol::neo::request::stream::Stream> Half for Paced<S> {
    type Notice = dht_protocol::neo::request::stream::Notification<S::Item>;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>) {
        match event {
            Event::NodeAdded(node) => self.add_node(node),
            Event::Connected(node) => self.connected(node, effects),
            Event::Disconnected(node) => self.disconnected(node, effects),
            Event::Message(node, payload) => self.receive(node, payload, effects),
            Event::Abandoned => self.abandon(effects),
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended()
    }
}

/// The client's half of any request but GetHashRange, which belongs to a connection.
#[derive(Clone, Debug)]
pub(super) enum AnyHalf {
    Put(Visit<put::Client>),
    Get(Visit<get::Client>),
    Exists(Visit<exists::Client>),
    Remove(Visit<remove::Client>),
    Update(update::Client),
    GetAll(Paced<get_all::Client>),
    Mirror(Paced<mirror::Client>),
    GetChannels(Gathering<get_channels::Client>),
    RemoveChannel(Gathering<remove_channel::Client>),
}

impl AnyHalf {
    pub(super) fn code(&self) -> RequestCode {
        match self {
            Self::Put(_) => RequestCode::Put,
            Self::Get(_) => RequestCode::Get,
            Self::Exists(_) => RequestCode::Exists,
            Self::Remove(_) => RequestCode::Remove,
            Self::Update(_) => RequestCode::Update,
            Self::GetAll(_) => RequestCode::GetAll,
            Self::Mirror(_) => RequestCode::Mirror,
            Self::GetChannels(_) => RequestCode::GetChannels,
            Self::RemoveChannel(_) => RequestCode::RemoveChannel,
        }
    }

    pub(super) fn handle(&mut self, id: RequestId, event: Event<'_>, wires: &mut Wires) {
        match self {
            Self::Put(half) => handle(half, id, event, wires, Told::Put),
            Self::Get(half) => handle(half, id, event, wires, Told::Get),
            Self::Exists(half) => handle(half, id, event, wires, Told::Exists),
            Self::Remove(half) => handle(half, id, event, wires, Told::Remove),
            Self::Update(half) => handle(half, id, event, wires, Told::Update),
            Self::GetAll(half) => handle(half, id, event, wires, Told::GetAll),
            Self::Mirror(half) => handle(half, id, event, wires, Told::Mirror),
            Self::GetChannels(half) => handle(half, id, event, wires, Told::GetChannels),
            Self::RemoveChannel(half) => handle(half, id, event, wires, Told::RemoveChannel),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Put(half) => half.is_over(),
            Self::Get(half) => half.is_over(),
            Self::Exists(half) => half.is_over(),
            Self::Remove(half) => half.is_over(),
            Self::Update(half) => half.is_over(),
            Self::GetAll(half) => half.is_over(),
            Self::Mirror(half) => half.is_over(),
            Self::GetChannels(half) => half.is_over(),
            Self::RemoveChannel(half) => half.is_over(),
        }
    }

    /// The user controls a GetAll or Mirror; any other request has nothing to be controlled.
    pub(super) fn control(
        &mut self,
        id: RequestId,
        control: Control,
        wires: &mut Wires,
    ) -> Result<(), ControlError> {
        match self {
            Self::GetAll(half) => {
                let mut effects = Vec::new();
                let accepted = half.control(control, &mut effects);
                carry_out(half, id, effects, wires, Told::GetAll);
                accepted
            }
            Self::Mirror(half) => {
                let mut effects = Vec::new();
                let accepted = half.control(control, &mut effects);
                carry_out(half, id, effects, wires, Told::Mirror);
                accepted
            }
            _ => Err(ControlError::Ended),
        }
    }

    /// The user of a GetAll or Mirror reads faster or slower than the nodes send.
    pub(super) fn pace(&mut self, id: RequestId, backlog: Backlog, wires: &mut Wires) {
        match self {
            Self::GetAll(half) => {
                let mut effects = Vec::new();
                half.pace(backlog, wires.open_nodes(), &mut effects);
                carry_out(half, id, effects, wires, Told::GetAll);
            }
            Self::Mirror(half) => {
                let mut effects = Vec::new();
                half.pace(backlog, wires.open_nodes(), &mut effects);
                carry_out(half, id, effects, wires, Told::Mirror);
            }
            _ => {}
        }
    }

    /// The user's decision on an Update.
    pub(super) fn decide(&mut self, id: RequestId, decision: update::Decision, wires: &mut Wires) {
        if let Self::Update(half) = self {
            let mut effects = Vec::new();
            half.decide(decision, &mut effects);
            carry_out(half, id, effects, wires, Told::Update);
        }
    }
}

/// A request for one record; it asks its first node at once.
pub(super) fn visit<V: Visitor>(
    visitor: V,
    nodes: impl IntoIterator<Item = NodeAddress>,
    id: RequestId,
    wires: &mut Wires,
    told: fn(Outcome<V::Output>) -> Told,
) -> Visit<V> {
    let mut effects = Vec::new();
    let mut visit = Visit::start(visitor, nodes, &mut effects);
    carry_out(&mut visit, id, effects, wires, told);
    visit
}

/// An Update; it asks its first node at once.
pub(super) fn update(
    record: dht_protocol::neo::request::RecordName,
    nodes: Vec<NodeAddress>,
    id: RequestId,
    wires: &mut Wires,
) -> update::Client {
    let mut effects = Vec::new();
    let mut client = update::Client::start(record, nodes, &mut effects);
    carry_out(&mut client, id, effects, wires, Told::Update);
    client
}

fn handle<H: Half>(
    half: &mut H,
    id: RequestId,
    event: Event<'_>,
    wires: &mut Wires,
    told: fn(H::Notice) -> Told,
) {
    let mut effects = Vec::new();
    half.handle(event, &mut effects);
    carry_out(half, id, effects, wires, told);
}

/// Does what the half wants. A message for a node that is not connected is answered with the loss of
/// the connection, which may lead to further effects.
fn carry_out<H: Half>(
    half: &mut H,
    id: RequestId,
    mut effects: Vec<Effect<H::Notice>>,
    wires: &mut Wires,
    told: fn(H::Notice) -> Told,
) {
    while !effects.is_empty() {
        let mut further = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { node, payload } => {
                    if !wires.send(node, id, &payload) {
                        half.handle(Event::Disconnected(node), &mut further);
                    }
                }
                Effect::Close { node, violation } => {
                    wires.close(node, violation.into());
                    half.handle(Event::Disconnected(node), &mut further);
                }
                Effect::Notify(notice) => wires.push(Output::Request {
                    id,
                    told: told(notice),
                }),
            }
        }
        effects = further;
    }
}
