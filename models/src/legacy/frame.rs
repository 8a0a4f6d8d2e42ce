//! What one model is about: who orders what, and what may go wrong.

use bytes::Bytes;
use dht_protocol::legacy::Order;
use dht_protocol::{HashRange, Key};

/// A configuration of the model, and its bounds.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its name, unique among all models.
    pub name: &'static str,
    /// What it is about, a sentence.
    pub about: &'static str,
    /// The clients, with a connection each.
    pub clients: Vec<Client>,
    /// What the node is responsible for.
    pub range: HashRange,
    /// How many bytes of values it stores.
    pub room: u64,
    /// What it stores at first, in the channel that all is about.
    pub records: Vec<(Key, Bytes)>,
    /// May what is on its way arrive in two parts?
    pub cuts: bool,
    /// Does the node write only when the client has read everything? Otherwise it always can.
    pub stalls: bool,
    /// May the connection of the first client break?
    pub breaks: bool,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// What it orders, one after the other.
    pub orders: Vec<Order>,
    /// May it order the next thing while a Listen is under way?
    pub impatient: bool,
}

impl Client {
    /// A client that waits for the end of each answer.
    pub fn patient(orders: Vec<Order>) -> Self {
        Self {
            orders,
            impatient: false,
        }
    }
}
