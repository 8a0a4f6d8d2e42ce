//! The world over sockets: any node, through the public client.
//!
//! Every connection of a case is a client of its own. It goes to the node straight, or, where faults are
//! wanted, through a proxy in this process that counts messages and cuts, splits, joins and delays them.
//! What happens to the node itself, a halt or a kill, is done by whoever has started it
//! ([`NodeControl`]).
//!
//! * `world`: [`NetWorld`].
//! * `legacy`: one client that speaks the legacy protocol.
//! * `link`: one client, and what is known of its connection without asking it.
//! * `perform`: operations through a client, in the words of the model.
//! * `telling`: streams.
//! * `subject`: what a request is about, asked for or on the wire.
//! * `health`: whether the node is there and keeps the protocol. `vigil`: what one connection says of it.
//! * `proxy`: what goes wrong between client and node.

mod health;
mod legacy;
mod link;
mod perform;
mod proxy;
mod subject;
mod telling;
mod vigil;
mod world;

pub use world::NetWorld;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use dht_client::legacy::{RequestError, Tap as LegacyTap};
use dht_client::{NotReady, Tap};
use futures_util::future::BoxFuture;
use thiserror::Error;

/// How a world over sockets is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Who hears what passes: the first one on connection 0, and so on. A connection without one is not
    /// listened to. All of them are told the address of the node, whatever stands in between.
    pub taps: Vec<Arc<dyn Tap>>,
    /// Connections go through a proxy, so that something can go wrong with them.
    pub faulty: bool,
    /// They do, and messages can be held there: what a schedule needs.
    pub gated: bool,
    /// What can halt and kill the node.
    pub control: Option<Arc<dyn NodeControl>>,
    /// Connections that speak the legacy protocol. No gate holds what passes there.
    pub legacy: BTreeMap<usize, LegacyOptions>,
    /// It is remembered what is covered of the requests' automata; see [`NetWorld::coverage`].
    pub covering: bool,
}

/// How a connection is set up that speaks the legacy protocol.
#[derive(Clone, Debug)]
pub struct LegacyOptions {
    /// Where the node does.
    pub address: SocketAddrV4,
    /// Who hears what passes, behind what every client asks first. It is told the address of the node, whatever
    /// stands in between.
    pub tap: Option<Arc<dyn LegacyTap>>,
}

/// Power over the node's process.
pub trait NodeControl: fmt::Debug + Send + Sync {
    /// Halts the process, and lets it go on after this time. Does not wait for that.
    fn halt(&self, time: Duration);

    /// Kills the process and starts it again. Ends when it listens.
    fn kill_and_restart(&self) -> BoxFuture<'static, io::Result<()>>;
}

/// Why there is no world.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// A client could not connect.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// A client that speaks the legacy protocol could not.
    #[error(transparent)]
    Legacy(#[from] RequestError),
    /// A proxy could not listen.
    #[error("no port to listen on: {0}")]
    Listen(#[from] io::Error),
}
