//! A state of a model: small, flat, and nothing but numbers.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};

use bytes::Bytes;
use dht_protocol::neo::client::ClientRequest;
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::get_hash_range;
use rustc_hash::FxBuildHasher;

use super::frame::{Budget, CLIENTS, NODES, REQUESTS};
use super::handover::Moving;
use super::note::Request;
use super::store::Store;
use crate::intern::Id;
use crate::property::Memories;

/// Everything that is the case at one moment.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct State {
    /// What each client knows of the nodes.
    pub(super) registries: [Id<Registry>; CLIENTS],
    /// The client's side of each request.
    pub(super) asked: [Id<Asked>; REQUESTS],
    /// The node's side of each request on each node.
    pub(super) served: [[Id<Served>; NODES]; REQUESTS],
    /// Messages on their way to each node.
    pub(super) to_node: [[Id<Queue>; NODES]; REQUESTS],
    /// Messages on their way from each node.
    pub(super) to_client: [[Id<Queue>; NODES]; REQUESTS],
    /// What each node stores.
    pub(super) stores: [Id<Store>; NODES],
    /// How far a redistribution is.
    pub(super) moving: Id<Moving>,
    /// The connections.
    pub links: [[Link; NODES]; CLIENTS],
    /// What has been used of the budgets.
    pub used: Used,
    /// What the properties remember.
    pub(super) memories: Id<Memories>,
    /// Which properties were found violated by the last step, and which goals it reached.
    pub(crate) marked: u64,
}

/// How many numbers of values there are in a state.
const IDS: usize = CLIENTS + REQUESTS + 3 * REQUESTS * NODES + NODES + 2;

/// As few words as possible: every state that a search meets is hashed, and a derived hash takes each field,
/// and the length of each list, one by one.
impl fmt::Debug for State {
    /// The numbers in it say nothing to a reader; this tells states apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state {:016x}", FxBuildHasher.hash_one(self))
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // Whoever adds a field is reminded of it here.
        let Self {
            registries,
            asked,
            served,
            to_node,
            to_client,
            stores,
            moving,
            links,
            used,
            memories,
            marked,
        } = self;
        let (mut numbers, mut len) = ([0; IDS.next_multiple_of(2)], 0);
        let mut add = |number: u32| {
            numbers[len] = u64::from(number);
            len += 1;
        };
        registries.iter().for_each(|id| add(id.number()));
        asked.iter().for_each(|id| add(id.number()));
        served.iter().flatten().for_each(|id| add(id.number()));
        to_node.iter().flatten().for_each(|id| add(id.number()));
        to_client.iter().flatten().for_each(|id| add(id.number()));
        stores.iter().for_each(|id| add(id.number()));
        add(moving.number());
        add(memories.number());
        for pair in numbers.chunks_exact(2) {
            hasher.write_u64(pair[0] << 32 | pair[1]);
        }
        let links = links.as_flattened().iter();
        hasher.write_u64(links.fold(0, |word, link| word << 3 | link.number()));
        used.hash(hasher);
        hasher.write_u64(*marked);
    }
}

/// A connection between a client and a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Link {
    /// The client does not know the node.
    #[default]
    Unknown,
    /// There is none; the client tries to connect.
    Down,
    /// Requests can be sent.
    Up,
    /// It is broken. What was on its way may still arrive as long as the receiver has not noticed.
    Broken {
        /// Has the client noticed?
        client: bool,
        /// Has the node noticed?
        node: bool,
    },
}

impl Link {
    fn number(self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Down => 1,
            Self::Up => 2,
            Self::Broken { client, node } => 4 + 2 * u64::from(client) + u64::from(node),
        }
    }
}

/// What has been used of the budgets, and how far writers and redistribution are.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Used {
    /// How often things have happened.
    pub spent: Budget,
    /// How many writes of each writer have been made.
    pub written: [u8; 2],
    /// Has the redistribution been announced?
    pub announced: bool,
}

/// The client's side of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Asked {
    /// It has not begun.
    Waiting,
    /// It is under way.
    Active {
        /// The machine.
        half: Machine,
        /// How many control calls were made.
        calls: u8,
        /// Is the user asked what becomes of a record?
        deciding: bool,
    },
    /// It is over, and forgotten.
    Over,
}

/// A client's half of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Machine {
    /// What a user asked for.
    Request(ClientRequest),
    /// The permanent request for the ranges of the nodes.
    Ranges(Gathering<get_hash_range::Client>),
}

/// The node's side of a request.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Served {
    /// The machine, if the request is active.
    pub half: Option<NodeRequest>,
    /// A message that a defect holds back.
    pub held: Option<Id<Bytes>>,
    /// What a defect has made unable to go on.
    pub lame: Lame,
}

/// What a defect has made unable to go on (F02).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Lame {
    /// Nothing.
    #[default]
    Not,
    /// The dump of a Mirror.
    Dump,
    /// The updates of a Mirror.
    Updates,
}

/// Messages on their way, the next one first.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Queue(pub(super) Vec<Id<Bytes>>);

/// Which requests a client has.
pub(super) fn requests_of(
    requests: &[super::frame::RequestSetup],
    client: usize,
) -> impl Iterator<Item = Request> {
    let mine = requests.iter().enumerate();
    let mine = mine.filter(move |(_, request)| request.client == client);
    mine.map(|(number, _)| number)
}
