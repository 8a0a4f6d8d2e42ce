//! The node side of the DHT: what a node is built from, and a node in memory for tests.
//!
//! * [`storage`]: what the implementer of a node supplies, and a storage in memory.
//! * [`node`]: a whole node without I/O: connections of both protocols, requests, Mirrors, permissions.
//! * [`server`]: the node on TCP.
//! * [`env`](mod@env): a node inside a test, for people who test applications of a DHT.
//! * [`config_file`]: what an original node's configuration says.
//! * [`bugs`]: deviations that can be switched on, to see whether a test notices.
//!
//! The program `fakedht` is this library with a command line.

pub mod bugs;
pub mod config_file;
pub mod env;
pub mod node;
pub mod server;
pub mod storage;

pub use bugs::Bugs;
pub use env::TestNode;
pub use node::{ConnectionId, Node, NodeConfig, RemoveChannels, Violation};
pub use server::{Server, ServerOptions, SharedNode};
pub use storage::{MemoryStorage, Size, Storage, StorageError};
