//! What the model's states and steps are made of.

use std::collections::VecDeque;

use bytes::Bytes;
use dht_protocol::legacy::redistribution::Link;
use dht_protocol::legacy::{Event, NodeConnection, Violation};

use super::oracle::Oracle;
use super::store::Store;

/// A state.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    /// The clients' connections.
    pub lanes: Vec<Lane>,
    /// What the node stores.
    pub store: Store,
    /// What it should store.
    pub oracle: Oracle,
}

/// A client and its connection.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Lane {
    /// The client's side of the connection.
    pub link: Link,
    /// The node's side of it.
    pub node: NodeConnection,
    /// What is on its way to the node.
    pub to_node: VecDeque<Unit>,
    /// What is on its way to the client.
    pub to_client: VecDeque<Unit>,
    /// What the client has heard of each order that it has sent.
    pub heard: Vec<Vec<Event>>,
    /// What the node should say to each order that it has read.
    pub expected: Vec<Expected>,
    /// Does the client wait for the end of an answer?
    pub waiting: bool,
    /// What the client finds wrong with what it has read.
    pub failed: Option<Violation>,
    /// Did the connection break?
    pub broken: bool,
}

/// What was written at once, or the rest of it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Unit {
    /// The order that it is, or answers.
    pub order: usize,
    /// The bytes.
    pub bytes: Bytes,
    /// Has a part of it arrived?
    pub cut: bool,
}

/// What should be said to an order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Expected {
    /// Exactly this.
    Events(Vec<Event>),
    /// The records of the channel. Those that were there at the beginning, by their number in the oracle's log.
    Records(usize),
    /// The writes to the channel, beginning at this place of the oracle's log.
    Writes(usize),
}

/// A step. The number is that of the client.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// The client sends its next order.
    Order(usize),
    /// What is on its way arrives at the node.
    ToNode(usize, Share),
    /// The node goes on with what it has to say.
    Turn(usize),
    /// What is on its way arrives at the client.
    ToClient(usize, Share),
    /// The connection breaks.
    Break(usize),
}

/// How much arrives of what was written at once.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Share {
    /// All of it, or what is left of it.
    Whole,
    /// The first half.
    Half,
}

impl Lane {
    /// How many orders the client has sent.
    pub fn sent(&self) -> usize {
        self.heard.len()
    }
}
