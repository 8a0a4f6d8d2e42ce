//! A node inside a test, for people who test applications of a DHT: start it, point the application at
//! its address, look into it, and wait for what the application should do.
//!
//! ```
//! use std::time::Duration;
//!
//! use fakedht::TestNode;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = TestNode::start().await?;
//! node.put("orders", 0xbee, "17 jars");
//! // The application under test is told `node.address()` and starts its work ...
//! # let application = async { node.put("invoices", 0xbee, "17 jars of honey") };
//! # application.await;
//! let within = Duration::from_secs(5);
//! let invoice = node
//!     .wait_for_record("invoices", 0xbee, |value| value.is_some(), within)
//!     .await?;
//! assert_eq!(invoice.as_deref(), Some(&b"17 jars of honey"[..]));
//! # Ok(())
//! # }
//! ```

mod files;
mod reserve;
mod wait;

pub use files::ConfigFiles;
pub use wait::{RecordWatch, TimedOut};

use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use dht_protocol::neo::{Credential, Credentials, NodeAddress};
use dht_protocol::{ChannelName, HashRange, Key};
use tokio::net::TcpListener;

use crate::node::{ADMIN, Node, NodeConfig};
use crate::server::{Server, ServerOptions, SharedNode, listen};
use crate::storage::{MemoryStorage, Size};
use reserve::Reserved;

/// A node that listens on free ports of this machine, one for each protocol, until it is dropped.
///
/// Reads and writes through these methods are immediate, are bound neither to the node's hash range nor
/// to a running server, and are told to Mirrors like those of a client. Reading creates no channel.
#[derive(Debug)]
pub struct TestNode {
    node: SharedNode<MemoryStorage>,
    options: ServerOptions,
    servers: Option<[Server; 2]>,
    address: NodeAddress,
    legacy_address: NodeAddress,
    credential: Option<Credential>,
    /// Keep the ports from others while the servers are stopped, where the system allows it.
    _ports: [Option<Reserved>; 2],
}

impl TestNode {
    /// Starts a node with default settings: every key, and the client `admin` with the key of zeros.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(NodeConfig::default(), ServerOptions::default()).await
    }

    /// Starts a node.
    pub async fn start_with(config: NodeConfig, options: ServerOptions) -> io::Result<Self> {
        let credential = first_credential(&config.credentials);
        let node = SharedNode::new(Node::new(config, MemoryStorage::new()));
        let ((port, neo), (legacy_port, legacy)) =
            reserve::listen_and_reserve(Ipv4Addr::LOCALHOST)?;
        let servers = serve(&node, &options, neo, legacy)?;
        Ok(Self {
            node,
            options,
            address: servers[0].address(),
            legacy_address: servers[1].address(),
            servers: Some(servers),
            credential,
            _ports: [port, legacy_port],
        })
    }

    /// Where the node listens for the neo protocol. Stays the same over [`stop`](Self::stop) and [`restart`](Self::restart).
    pub fn address(&self) -> NodeAddress {
        self.address
    }

    /// Where the node listens for the legacy protocol; 100 ports below the other address, unless there were
    /// no such two ports.
    pub fn legacy_address(&self) -> NodeAddress {
        self.legacy_address
    }

    /// The whole node, for what has no method here.
    pub fn node(&self) -> &SharedNode<MemoryStorage> {
        &self.node
    }

    /// Stores a record; the channel is created if need be.
    pub fn put(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        value: impl AsRef<[u8]>,
    ) {
        let (channel, key) = (channel.into(), key.into());
        // Storing in memory fails only in a channel that was removed, and this one was just opened.
        let _ = self
            .node
            .with(|node| node.put(&channel, key, value.as_ref()));
    }

    /// The value of a record.
    pub fn get(&self, channel: impl Into<ChannelName>, key: impl Into<Key>) -> Option<Bytes> {
        let (channel, key) = (channel.into(), key.into());
        self.node.with(|node| wait::value(node, &channel, key))
    }

    /// Removes a record. Was there one?
    pub fn remove(&self, channel: impl Into<ChannelName>, key: impl Into<Key>) -> bool {
        let (channel, key) = (channel.into(), key.into());
        // Removing from memory does not fail.
        let removed = self.node.with(|node| node.remove(&channel, key));
        removed.unwrap_or(false)
    }

    /// The records of a channel, in the order of their keys.
    pub fn records(&self, channel: impl Into<ChannelName>) -> Vec<(Key, Bytes)> {
        let channel = channel.into();
        self.node.with(|node| node.records(&channel).collect())
    }

    /// The keys of a channel, in order.
    pub fn keys(&self, channel: impl Into<ChannelName>) -> Vec<Key> {
        let channel = channel.into();
        let keys = |node: &mut Node<_>| node.records(&channel).map(|(key, _)| key).collect();
        self.node.with(keys)
    }

    /// The channels, in the order of their names.
    pub fn channels(&self) -> Vec<ChannelName> {
        self.node.with(|node| node.channels().collect())
    }

    /// How much is in a channel; nothing if there is no such channel.
    pub fn size(&self, channel: impl Into<ChannelName>) -> Size {
        let channel = channel.into();
        self.node.with(|node| node.size(&channel))
    }

    /// How many Mirrors follow a channel.
    pub fn listeners(&self, channel: impl Into<ChannelName>) -> usize {
        let channel = channel.into();
        self.node.with(|node| node.listeners(&channel))
    }

    /// Removes a channel with its records; its Mirrors are told and end. Was there one?
    pub fn remove_channel(&self, channel: impl Into<ChannelName>) -> bool {
        let channel = channel.into();
        // Removing from memory does not fail.
        let removed = self.node.with(|node| node.remove_channel(&channel));
        removed.unwrap_or(false)
    }

    /// Removes all records of a channel, which stays. Its Mirrors are told of every one.
    pub fn clear_channel(&self, channel: impl Into<ChannelName>) {
        let channel = channel.into();
        self.node.with(|node| clear(node, &channel));
    }

    /// Removes all records of all channels, which stay. Mirrors are told of every one.
    pub fn clear(&self) {
        self.node.with(|node| {
            let channels: Vec<ChannelName> = node.channels().collect();
            for channel in &channels {
                clear(node, channel);
            }
        });
    }

    /// Removes all channels. Mirrors are told and end; connections stay.
    pub fn reset(&self) {
        self.node.with(|node| {
            let channels: Vec<ChannelName> = node.channels().collect();
            for channel in &channels {
                // Removing from memory does not fail.
                let _ = node.remove_channel(channel);
            }
        });
    }

    /// Changes the keys that the node is responsible for, and tells its clients.
    pub fn set_range(&self, range: HashRange) {
        self.node.with(|node| node.set_range(range));
    }

    /// Tells the node's clients that another node is responsible for `range`.
    pub fn announce_node(&self, address: NodeAddress, range: HashRange) {
        self.node.with(|node| node.announce_node(address, range));
    }

    /// Closes all connections, as a bad network would. Clients may connect again at once.
    pub async fn drop_connections(&self) {
        self.node.drop_connections().await;
    }

    /// Stops listening and closes all connections. The data stay, and so does everything here that
    /// needs no client. Does nothing if the node is stopped already.
    pub async fn stop(&mut self) {
        for server in self.servers.take().into_iter().flatten() {
            server.stop().await;
        }
    }

    /// Has a bug made the node crash? It refuses connections until it is [restarted](Self::restart).
    pub fn has_crashed(&self) -> bool {
        self.node.with(|node| node.has_crashed())
    }

    /// Listens again, on the same addresses and with the same data. Stops first if need be.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.stop().await;
        self.node.with(Node::restart);
        let (neo, legacy) = (listen(self.address)?, listen(self.legacy_address)?);
        self.servers = Some(serve(&self.node, &self.options, neo, legacy)?);
        Ok(())
    }
}

/// Serves the neo protocol and the legacy protocol.
fn serve(
    node: &SharedNode<MemoryStorage>,
    options: &ServerOptions,
    neo: TcpListener,
    legacy: TcpListener,
) -> io::Result<[Server; 2]> {
    Ok([
        Server::start(neo, node.clone(), options.clone())?,
        Server::start_legacy(legacy, node.clone(), options.clone())?,
    ])
}

fn clear(node: &mut Node<MemoryStorage>, channel: &ChannelName) {
    let keys: Vec<Key> = node.records(channel).map(|(key, _)| key).collect();
    for key in keys {
        // Removing from memory does not fail.
        let _ = node.remove(channel, key);
    }
}

/// What a client can connect with: `admin` if it may, or else whoever comes first.
fn first_credential(credentials: &Credentials) -> Option<Credential> {
    let mut names = credentials.names();
    let admin = credentials.names().find(|name| name.as_str() == ADMIN);
    let name = admin.or_else(|| names.next())?.clone();
    let key = credentials.key(&name)?.clone();
    Some(Credential { name, key })
}
