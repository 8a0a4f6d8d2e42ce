//! What a model consists of and what may happen in it: its frame.

use bytes::Bytes;
use dht_protocol::legacy::Order;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::{Limits, NodeAddress};
use dht_protocol::{ChannelName, HashRange, Key};

use super::note;
use super::store::Store;
use crate::defect::Defects;
use crate::property::AnyProperty;

/// How many clients a model can have.
pub const CLIENTS: usize = 3;
/// How many nodes a model can have.
pub const NODES: usize = 2;
/// How many requests a model can have.
pub const REQUESTS: usize = 4;

/// The address by which clients know a node.
pub fn address(node: note::Node) -> NodeAddress {
    NodeAddress::new([127, 0, 0, 1].into(), 10_100 + node as u16)
}

/// Which node has this address.
pub fn node_at(address: NodeAddress) -> Option<note::Node> {
    (0..NODES).find(|node| self::address(*node) == address)
}

/// A model: processes, what users do, and how often what can go wrong does.
#[derive(Debug)]
pub struct Frame {
    /// A short name, such as `get-all`.
    pub name: String,
    /// What the nodes are responsible for and store at the beginning.
    pub nodes: Vec<Store>,
    /// Who may remove channels, and which nodes each client is connected to and knows the range of at
    /// the beginning, the newest last.
    pub clients: Vec<ClientSetup>,
    /// A client that breaks the protocol: it cuts its messages short.
    pub rude: Option<note::Client>,
    /// Nodes that were lost may never come back, so that nothing can depend on it.
    pub may_stay_away: bool,
    /// What users ask for.
    pub requests: Vec<RequestSetup>,
    /// What somebody else does, each list in its order, at any time.
    pub writers: Vec<Vec<Write>>,
    /// Keys that move from one node to the other.
    pub transfer: Option<Transfer>,
    /// Keys that move from one node to the other by the machine that a node runs.
    pub handover: Option<Handover>,
    /// How often what can happen at any time does.
    pub budget: Budget,
    /// From how many messages on the way to a client on the node waits before it sends more.
    pub room: usize,
    /// What the nodes accept.
    pub limits: Limits,
    /// What is wrong.
    pub defects: Defects,
    /// What has to be true.
    pub properties: Vec<Box<dyn AnyProperty>>,
}

/// A client at the beginning.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientSetup {
    /// May it remove channels?
    pub admin: bool,
    /// The nodes it is connected to, whose ranges it knows; the newest last.
    pub knows: Vec<note::Node>,
}

/// What a user asks for, and does later.
#[derive(Clone, Debug)]
pub struct RequestSetup {
    /// Whose request it is.
    pub client: note::Client,
    /// `None` is the permanent GetHashRange of a client, which begins by itself, and has told the ranges
    /// of the nodes that the client knows when the model begins.
    pub asks: Option<Request>,
    /// What the user may decide of the record of an Update.
    pub decisions: Vec<Decision>,
    /// What the user may do to a GetAll or Mirror, at any time and in any order.
    pub controls: Vec<Control>,
    /// How many control calls there are.
    pub calls: u8,
    /// Begins only when this request is over.
    pub after: Option<note::Request>,
}

/// Something that is written by nobody in the model.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Write {
    /// Where.
    pub node: note::Node,
    /// In which channel.
    pub channel: ChannelName,
    /// What.
    pub what: WriteKind,
}

/// What is written.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum WriteKind {
    /// A record.
    Put(Key, Bytes),
    /// No record.
    Remove(Key),
    /// No channel.
    RemoveChannel,
    /// What a client of the legacy protocol orders, at the node that is responsible.
    Legacy(Order),
}

/// A redistribution: a node loses keys to another one, which is announced, and the records follow one by
/// one (`neo-requests.md` 15.1, Shrink).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transfer {
    /// Who loses keys.
    pub from: note::Node,
    /// Who gets them.
    pub to: note::Node,
    /// What the first one is responsible for afterwards.
    pub keeps: HashRange,
    /// What the second one is responsible for.
    pub gets: HashRange,
}

/// A redistribution by the machine that a node runs, over a connection between the two nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Handover {
    /// Which keys go where.
    pub transfer: Transfer,
    /// How often the connection breaks.
    pub drops: u8,
    /// May what was on its way arrive when the connection has broken?
    pub late: bool,
}

/// How often things happen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Budget {
    /// Connections break.
    pub breaks: u8,
    /// Periods of Mirrors end.
    pub ticks: u8,
    /// Users lose patience.
    pub abandons: u8,
    /// Nodes are restarted; what they stored is kept.
    pub restarts: u8,
    /// Clients say something more about a GetHashRange, which they must not.
    pub strays: u8,
    /// The user of a GetAll or Mirror gets more to read than it can, and has read it, in turn.
    pub paces: u8,
    /// Connections between nodes break; how often they may stands in the [`Handover`].
    pub drops: u8,
}

impl Frame {
    /// A frame in which nothing happens yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            nodes: Vec::new(),
            clients: Vec::new(),
            rude: None,
            may_stay_away: false,
            requests: Vec::new(),
            writers: Vec::new(),
            transfer: None,
            handover: None,
            budget: Budget::default(),
            room: 2,
            limits: Limits::default(),
            defects: Defects::default(),
            properties: Vec::new(),
        }
    }

    /// With a node.
    #[must_use]
    pub fn node(mut self, store: Store) -> Self {
        self.nodes.push(store);
        self
    }

    /// With an administrator as client, who knows these nodes, the newest last.
    #[must_use]
    pub fn client(mut self, knows: &[note::Node]) -> Self {
        let knows = knows.to_vec();
        self.clients.push(ClientSetup { admin: true, knows });
        self
    }

    /// With a client that may not remove channels, and knows these nodes, the newest last.
    #[must_use]
    pub fn stranger(mut self, knows: &[note::Node]) -> Self {
        let knows = knows.to_vec();
        self.clients.push(ClientSetup {
            admin: false,
            knows,
        });
        self
    }

    /// With a client that breaks the protocol: it cuts its first messages short.
    #[must_use]
    pub fn rude(mut self, client: note::Client) -> Self {
        self.rude = Some(client);
        self
    }

    /// With a request of the client that was added last.
    #[must_use]
    pub fn asks(self, request: Request) -> Self {
        self.request(Some(request))
    }

    /// With the permanent GetHashRange of the client that was added last.
    #[must_use]
    pub fn asks_ranges(self) -> Self {
        self.request(None)
    }

    /// The user of the last request may control it in these ways, so often.
    #[must_use]
    pub fn controls(mut self, controls: &[Control], calls: u8) -> Self {
        if let Some(request) = self.requests.last_mut() {
            request.controls = controls.to_vec();
            request.calls = calls;
        }
        self
    }

    /// The user of the last request, an Update, decides in one of these ways.
    #[must_use]
    pub fn decides(mut self, decisions: &[Decision]) -> Self {
        if let Some(request) = self.requests.last_mut() {
            request.decisions = decisions.to_vec();
        }
        self
    }

    /// The last request begins only when this one is over.
    #[must_use]
    pub fn after(mut self, other: note::Request) -> Self {
        if let Some(request) = self.requests.last_mut() {
            request.after = Some(other);
        }
        self
    }

    /// With somebody who writes these, in this order.
    #[must_use]
    pub fn writer(mut self, writes: Vec<Write>) -> Self {
        self.writers.push(writes);
        self
    }

    /// With a redistribution.
    #[must_use]
    pub fn transfer(mut self, transfer: Transfer) -> Self {
        self.transfer = Some(transfer);
        self
    }

    /// With a redistribution by the machine that a node runs.
    #[must_use]
    pub fn handover(mut self, handover: Handover) -> Self {
        self.handover = Some(handover);
        self
    }

    /// With these budgets.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// With defects.
    #[must_use]
    pub fn defects(mut self, defects: Defects) -> Self {
        self.defects = defects;
        self
    }

    /// With something that has to be true.
    #[must_use]
    pub fn property(mut self, property: Box<dyn AnyProperty>) -> Self {
        self.properties.push(property);
        self
    }

    fn request(mut self, asks: Option<Request>) -> Self {
        self.requests.push(RequestSetup {
            client: self.clients.len().saturating_sub(1),
            asks,
            decisions: Vec::new(),
            controls: Vec::new(),
            calls: 0,
            after: None,
        });
        self
    }
}
