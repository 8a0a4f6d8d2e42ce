//! The client's halves of all requests behind one interface.

use super::pace::{Backlog, Paced};
use super::{Request, Told};
use crate::neo::NodeAddress;
use crate::neo::registry::Registry;
use crate::neo::request::control::Control;
use crate::neo::request::gather::{self, Gather, Gathering};
use crate::neo::request::stream::{self, ControlError, Stream};
use crate::neo::request::visit::{Outcome, Visit, Visitor};
use crate::neo::request::{
    Effect, RequestCode, exists, get, get_all, get_channels, mirror, put, remove, remove_channel,
    update,
};

/// What happens to a request under way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Event<'a> {
    /// A node has become known. If it is connected, that follows as an event of its own.
    NodeAdded(NodeAddress),
    /// The connection to a node is up.
    Connected(NodeAddress),
    /// The connection to a node is down.
    Disconnected(NodeAddress),
    /// A message of the request came from a node.
    Message(NodeAddress, &'a [u8]),
    /// The user does not want to wait any longer. A request for one record ends with
    /// [`Failure::TimedOut`](crate::neo::request::Failure::TimedOut), without a word to its node; an Update
    /// that awaits a decision leaves the record; GetAll and Mirror are stopped. GetChannels and
    /// RemoveChannel cannot be ended on the nodes: who drives them forgets them.
    Abandoned,
}

/// The client's half of a request, as [`ClientRequest`] sees it.
trait ClientHalf {
    /// What its user is told.
    type Notice;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>);

    fn is_over(&self) -> bool;

    fn phase(&self, node: NodeAddress) -> &'static str;
}

/// Defines the client's half of any request but GetHashRange, which belongs to a connection, and passes
/// events on to the one that it is.
macro_rules! halves {
    ($($request:ident => $half:ty,)+) => {
        /// The client's half of any request.
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        pub enum ClientRequest {
            $(
                #[doc = concat!("A ", stringify!($request), ".")]
                $request($half),
            )+
        }

        impl ClientRequest {
            /// Which request it is.
            pub fn code(&self) -> RequestCode {
                match self {
                    $(Self::$request(_) => RequestCode::$request,)+
                }
            }

            /// Something has happened.
            pub fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Told>>) {
                match self {
                    $(Self::$request(half) => {
                        telling(effects, Told::$request, |effects| half.handle(event, effects));
                    })+
                }
            }

            /// Has the user been told the end, and is nothing left to be said to a node?
            pub fn is_over(&self) -> bool {
                match self {
                    $(Self::$request(half) => half.is_over(),)+
                }
            }

            /// Where it stands on `node`, by a name that stays the same.
            pub fn phase(&self, node: NodeAddress) -> &'static str {
                match self {
                    $(Self::$request(half) => ClientHalf::phase(half, node),)+
                }
            }
        }
    };
}

halves! {
    Put => Visit<put::Client>,
    Get => Visit<get::Client>,
    Exists => Visit<exists::Client>,
    Remove => Visit<remove::Client>,
    Update => update::Client,
    GetAll => Paced<get_all::Client>,
    Mirror => Paced<mirror::Client>,
    GetChannels => Gathering<get_channels::Client>,
    RemoveChannel => Gathering<remove_channel::Client>,
}

impl ClientRequest {
    /// What a user asks for. A request for one record asks its first node at once; one for all nodes has
    /// to be told which there are. `None` if it ended at once.
    pub fn start(
        request: Request,
        registry: &Registry,
        effects: &mut Vec<Effect<Told>>,
    ) -> Option<Self> {
        let started = match request {
            Request::Put(open) => {
                let newest = registry.covering(open.record.key).into_iter().next();
                match put::Client::new(open) {
                    Ok(client) => Self::Put(visit(client, newest, Told::Put, effects)),
                    Err(failure) => {
                        effects.push(Effect::Notify(Told::Put(Err(failure))));
                        return None;
                    }
                }
            }
            Request::Get(record) => {
                let nodes = registry.covering(record.key);
                Self::Get(visit(get::Client::new(record), nodes, Told::Get, effects))
            }
            Request::Exists(record) => {
                let nodes = registry.covering(record.key);
                let client = exists::Client::new(record);
                Self::Exists(visit(client, nodes, Told::Exists, effects))
            }
            Request::Remove(record) => {
                // Oldest first, so that a failure on the way brings no older copy to light (P22).
                let nodes = registry.covering(record.key).into_iter().rev();
                let client = remove::Client::new(record);
                Self::Remove(visit(client, nodes, Told::Remove, effects))
            }
            Request::Update(record) => {
                let nodes = registry.covering(record.key);
                Self::Update(telling(effects, Told::Update, |effects| {
                    update::Client::start(record, nodes, effects)
                }))
            }
            Request::GetAll(channel, settings) => {
                Self::GetAll(Paced::new(get_all::Client::new(channel, settings)))
            }
            Request::Mirror(channel, settings) => {
                Self::Mirror(Paced::new(mirror::Client::new(channel, settings)))
            }
            Request::GetChannels => {
                Self::GetChannels(Gathering::new(get_channels::Client::default()))
            }
            Request::RemoveChannel(channel) => {
                Self::RemoveChannel(Gathering::new(remove_channel::Client::new(channel)))
            }
        };
        (!started.is_over()).then_some(started)
    }

    /// Does the request run on all nodes, and so want to know of them?
    pub fn runs_on_all_nodes(&self) -> bool {
        matches!(
            self,
            Self::GetAll(_) | Self::Mirror(_) | Self::GetChannels(_) | Self::RemoveChannel(_)
        )
    }

    /// The user suspends, resumes or stops a GetAll or Mirror; any other request has nothing to be
    /// controlled.
    pub fn control(
        &mut self,
        control: Control,
        effects: &mut Vec<Effect<Told>>,
    ) -> Result<(), ControlError> {
        match self {
            Self::GetAll(half) => telling(effects, Told::GetAll, |effects| {
                half.control(control, effects)
            }),
            Self::Mirror(half) => telling(effects, Told::Mirror, |effects| {
                half.control(control, effects)
            }),
            _ => Err(ControlError::Ended),
        }
    }

    /// The user of a GetAll or Mirror reads faster or slower than the nodes send; `open` are the nodes
    /// that are connected.
    pub fn pace(
        &mut self,
        backlog: Backlog,
        open: Vec<NodeAddress>,
        effects: &mut Vec<Effect<Told>>,
    ) {
        match self {
            Self::GetAll(half) => telling(effects, Told::GetAll, |effects| {
                half.pace(backlog, open, effects);
            }),
            Self::Mirror(half) => telling(effects, Told::Mirror, |effects| {
                half.pace(backlog, open, effects);
            }),
            _ => {}
        }
    }

    /// The user's decision on an Update. Nothing happens if none is awaited.
    pub fn decide(&mut self, decision: update::Decision, effects: &mut Vec<Effect<Told>>) {
        if let Self::Update(half) = self {
            telling(effects, Told::Update, |effects| {
                half.decide(decision, effects);
            });
        }
    }
}

impl<V: Visitor> ClientHalf for Visit<V> {
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

    fn phase(&self, node: NodeAddress) -> &'static str {
        self.phase(node)
    }
}

impl ClientHalf for update::Client {
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

    fn phase(&self, _: NodeAddress) -> &'static str {
        self.phase()
    }
}

impl<G: Gather> ClientHalf for Gathering<G> {
    type Notice = gather::Notification<G::Notice>;

    fn handle(&mut self, event: Event<'_>, effects: &mut Vec<Effect<Self::Notice>>) {
        match event {
            Event::NodeAdded(node) => self.add_node(node),
            Event::Connected(node) => self.connected(node, effects),
            Event::Disconnected(node) => self.disconnected(node, effects),
            Event::Message(node, payload) => self.receive(node, payload, effects),
            Event::Abandoned => {}
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended()
    }

    fn phase(&self, node: NodeAddress) -> &'static str {
        self.phase(node)
    }
}

impl<S: Stream> ClientHalf for Paced<S> {
    type Notice = stream::Notification<S::Item>;

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

    fn phase(&self, node: NodeAddress) -> &'static str {
        self.phase(node)
    }
}

fn visit<V: Visitor>(
    visitor: V,
    nodes: impl IntoIterator<Item = NodeAddress>,
    told: fn(Outcome<V::Output>) -> Told,
    effects: &mut Vec<Effect<Told>>,
) -> Visit<V> {
    telling(effects, told, |effects| {
        Visit::start(visitor, nodes, effects)
    })
}

/// Lets a half do something, and adds what it wants to the effects.
fn telling<N, T>(
    effects: &mut Vec<Effect<Told>>,
    told: fn(N) -> Told,
    event: impl FnOnce(&mut Vec<Effect<N>>) -> T,
) -> T {
    let mut wanted = Vec::new();
    let result = event(&mut wanted);
    effects.extend(wanted.into_iter().map(|effect| match effect {
        Effect::Send { node, payload } => Effect::Send { node, payload },
        Effect::Close { node, violation } => Effect::Close { node, violation },
        Effect::Notify(notice) => Effect::Notify(told(notice)),
    }));
    result
}

#[cfg(test)]
mod tests;
