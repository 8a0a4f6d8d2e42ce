//! A tokio client for the DHT protocol.
//!
//! A [`Client`] keeps one connection to each node, up for ever, and runs any number of requests on it at
//! once. It knows which node to ask for a key, learns of new nodes, and carries requests that run on
//! all nodes over lost connections. It never judges an answer: what a node says is what the user gets.
//!
//! ```no_run
//! use std::time::Duration;
//! use dht_client::{Client, Credential};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(Credential::default_admin())
//!     .node("127.0.0.1:10100".parse()?)
//!     .build();
//! client.ready(Duration::from_secs(5)).await?;
//!
//! client.put("pets", 5, "cat").await?;
//! assert_eq!(client.get("pets", 5).await?.as_deref(), Some(&b"cat"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! * [`Client`]: connections, requests for one record, RemoveChannel, statistics.
//! * [`GetAll`], [`Mirror`], [`Channels`]: requests that tell many things, as streams.
//! * [`core`]: the client without I/O.
//! * [`legacy`]: a client of the other protocol, the older one.
//!
//! The protocol itself, with the client's half of every request, is in [`dht_protocol`].

mod backoff;
mod builder;
mod channels;
mod client;
mod connections;
pub mod core;
mod dial;
mod error;
mod files;
pub mod legacy;
mod link;
mod mailbox;
mod ready;
mod records;
mod remove_channel;
mod running;
mod shared;
mod stats;
mod tap;
mod ticket;
mod update;
mod waiters;

pub use backoff::Backoff;
pub use builder::Builder;
pub use channels::Channels;
pub use client::Client;
pub use connections::Connections;
pub use core::{ConnectionEvent, MAX_ACTIVE_REQUESTS, RequestStats, TooManyRequests};
pub use error::{ConnectionError, Missing, NotReady, RemoveChannelError, RequestError};
pub use files::{FileError, credential_from_file, nodes_from_file};
pub use running::{Controller, GetAll, Mirror, Running};
pub use stats::{NodeStats, Stats};
pub use tap::Tap;
pub use update::PendingUpdate;

pub use dht_protocol::neo::client::{ChannelEvent, GetAllEvent, MirrorEvent};
pub use dht_protocol::neo::dissect::Side;
pub use dht_protocol::neo::request::stream::{ControlError, Notification};
pub use dht_protocol::neo::request::update::{Decision, Updated};
pub use dht_protocol::neo::request::{Failure, get_all, mirror};
pub use dht_protocol::neo::{Credential, Limits, NodeAddress};
pub use dht_protocol::{ChannelName, HashRange, Key};
