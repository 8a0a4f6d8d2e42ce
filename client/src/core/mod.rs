//! The client without I/O: connections, requests, and what is known of the nodes, as one value that is
//! told what happens and says what is to be done. The tokio [`Client`](crate::Client) drives it with
//! sockets; a test drives it against a node in the same process, without any.
//!
//! It is deterministic: the same inputs lead to the same outputs, in the same order. It reads no clock
//! ([`Now`](dht_protocol::neo::Now) is passed in), draws no random numbers, and iterates over nothing unordered.
//!
//! # Driving it
//!
//! After any call, take all [outputs](Core::next_output) and do what they say:
//!
//! | output | what to do |
//! |---|---|
//! | [`Connect`](Output::Connect) | open a transport to the node, and again whenever it is lost; then call [`connected`](Core::connected), or [`connect_failed`](Core::connect_failed) |
//! | [`Write`](Output::Write) | take what stands in the node's [`output`](Core::output) and send it |
//! | [`Close`](Output::Close) | close the transport; the core has dropped the connection already |
//! | [`Connection`](Output::Connection), [`Request`](Output::Request) | tell who wants to know |
//!
//! Bytes of a node go to [`received`](Core::received), the end of its transport to
//! [`disconnected`](Core::disconnected), the end of somebody's patience to [`abandon`](Core::abandon).
//! Who cannot read a GetAll or Mirror as fast as it comes says so with [`pace`](Core::pace).
//!
//! ```
//! use dht_client::core::{Core, Output};
//! use dht_protocol::neo::client::{Request, Told};
//! use dht_protocol::neo::{AuthKey, ClientName, Credential, Limits, Now};
//! use dht_protocol::neo::request::{Failure, RecordName};
//!
//! let credential = Credential { name: ClientName::new(b"admin").unwrap(), key: AuthKey::ZERO };
//! let mut core = Core::new(credential, Limits::default());
//! let node = "127.0.0.1:10100".parse().unwrap();
//! core.add_node(node, Now::default());
//! assert_eq!(core.next_output(), Some(Output::Connect(node)));
//!
//! core.connected(node, Now::default());
//! assert_eq!(core.next_output(), Some(Output::Write(node)));
//! assert_eq!(core.output(node).map(|bytes| bytes.as_slice()), Some(&[1][..]), "the version");
//!
//! // The node has not told its range yet.
//! let record = RecordName { channel: "c".into(), key: 5.into() };
//! let id = core.start(Request::Get(record), Now::default()).unwrap();
//! let told = Told::Get(Err(Failure::NoNode));
//! assert_eq!(core.next_output(), Some(Output::Request { id, told }));
//! ```

mod active;
mod nodes;
mod output;
mod stats;
mod wires;

pub use output::{ConnectionEvent, ConnectionState, NodeState, Output};
pub use stats::RequestStats;

use std::collections::BTreeMap;
use std::time::Duration;

use dht_protocol::neo::client::ClientRequest;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::{Credential, Limits, RequestId};
use thiserror::Error;

use stats::Times;
use wires::Wires;

/// How many requests a client may have active at once, the permanent GetHashRange included: as many as
/// a node serves on a connection (`semantics-and-client.md` B9).
pub const MAX_ACTIVE_REQUESTS: usize = 5000;

/// How many nodes are registered at most. What nodes announce beyond that is ignored, so that a node
/// that makes up others cannot fill the memory.
pub const MAX_NODES: usize = 4096;

/// How many bytes stand in the output of a connection at most, about, unless something else is asked for.
/// The requests that can be active at once do not reach it.
pub const MAX_OUTPUT: usize = 512 * 1024 * 1024;

/// The request that asks each node for its range; it has the same id on all connections.
const RANGES: RequestId = RequestId::FIRST;

/// A request was not started because too many are active.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{MAX_ACTIVE_REQUESTS} requests are active, and no more can be")]
pub struct TooManyRequests;

/// The client without I/O.
#[derive(Clone, Debug)]
pub struct Core {
    credential: Credential,
    limits: Limits,
    wires: Wires,
    registry: Registry,
    requests: BTreeMap<RequestId, Active>,
    next_id: RequestId,
    times: Times,
}

#[derive(Clone, Debug)]
struct Active {
    half: ClientRequest,
    begun: Duration,
}

impl Core {
    /// A client that knows no node yet.
    pub fn new(credential: Credential, limits: Limits) -> Self {
        Self::with_max_output(credential, limits, MAX_OUTPUT)
    }

    /// A client that closes a connection when a message is to be sent and more than so many bytes stand
    /// in its [`output`](Self::output) already.
    pub fn with_max_output(credential: Credential, limits: Limits, max_output: usize) -> Self {
        Self {
            credential,
            limits,
            wires: Wires::new(max_output),
            registry: Registry::default(),
            requests: BTreeMap::new(),
            next_id: RANGES.next(),
            times: Times::default(),
        }
    }

    /// What is to be done next; in this order.
    pub fn next_output(&mut self) -> Option<Output> {
        self.wires.next_output()
    }
}
