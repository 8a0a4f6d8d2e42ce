//! A client of the legacy protocol, the older one, which nodes speak on a port of their own.
//!
//! A [`Client`] knows from a handshake which node to ask for a key. A connection carries one request at a
//! time, so a client has a pool of them to each node, opens them when they are needed, and has requests wait in
//! the order in which they came when all are in use. It never judges an answer: what a node says is what the
//! user gets. Nothing is repeated by itself; a request that fails [says](RequestError::may_have_been_done)
//! whether it may have been done.
//!
//! ```no_run
//! use std::time::Duration;
//! use dht_client::legacy::{Client, StreamEvent};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().node("127.0.0.1:10000".parse()?).build();
//! client.ready(Duration::from_secs(5)).await?;
//!
//! client.put("pets", 5, "cat").await?;
//! assert_eq!(client.get("pets", 5).await?.as_deref(), Some(&b"cat"[..]));
//! assert_eq!(client.get_channel_size("pets").await.merged()?.records, 1);
//!
//! let mut listen = client.listen("pets").await;
//! client.put("pets", 6, "dog").await?;
//! while let Some(event) = listen.next().await {
//!     if let StreamEvent::Item(_, (key, value)) = event {
//!         println!("{key} is {} now", value.escape_ascii());
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What becomes of a connection after a request:
//!
//! | the request | the connection |
//! |---|---|
//! | was answered Ok, or refused with a status of 4xx or 0 | is kept |
//! | was answered `Error` (500), or with an unknown status | is closed |
//! | was answered with what is malformed, or more than an answer | is closed |
//! | took too long, was given up, or met an error or the end of the connection | is closed |
//!
//! The next request opens another one. A connection that the node closed while nobody used it is replaced
//! without anybody being told.
//!
//! * [`Client`]: the requests, by one record, to all nodes, to a certain node.
//! * [`GetAll`], [`GetAllKeys`], [`Listen`]: requests that tell many things, as streams.
//! * [`Connection`]: a connection by itself, on which orders can be pipelined.
//! * [`core`]: the client without I/O.
//!
//! The protocol itself, with the client's half of every command, is in [`dht_protocol::legacy`].

mod builder;
mod client;
mod connection;
mod control;
pub mod core;
mod error;
mod handshake;
mod join;
mod lease;
mod nodes;
mod part;
mod per_node;
mod records;
mod running;
mod shared;
mod tap;

pub use builder::Builder;
pub use client::Client;
pub use connection::Connection;
pub use control::Controller;
pub use error::{ConnectError, Failure, NotReady, Problem, RequestError};
pub use per_node::{Merge, PerNode};
pub use running::{GetAll, GetAllKeys, Item, Listen, Running, StreamEvent};
pub use tap::Tap;

pub use dht_protocol::Size;
pub use dht_protocol::legacy::{
    Answer, Command, Event, KeyText, Order, Redistribute, Status, Target, Violation,
};
