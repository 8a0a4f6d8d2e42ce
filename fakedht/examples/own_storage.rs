//! A node on a storage of one's own: what an implementer of a node writes is a [`Storage`], everything
//! else is here. This one wraps the storage in memory and counts what it is asked for; a real one would
//! keep the records on disk, or somewhere else.
//!
//!     cargo run -p fakedht --example own_storage
//!
//! It serves until it is interrupted.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use dht_protocol::{ChannelName, Key};
use fakedht::server::{StderrLog, listen};
use fakedht::storage::ChannelId;
use fakedht::{
    MemoryStorage, Node, NodeConfig, Server, ServerOptions, SharedNode, Size, Storage, StorageError,
};

/// A storage that refuses values above a limit, and counts.
#[derive(Debug, Default)]
struct Counting {
    inner: MemoryStorage,
    stored: u64,
    refused: u64,
}

/// The largest value that is stored, in bytes.
const MAX_VALUE: usize = 65_512;

impl Storage for Counting {
    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, StorageError> {
        self.inner.open_channel(name)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.inner.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<Option<ChannelId>, StorageError> {
        self.inner.remove_channel(name)
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        self.inner.channel_after(after)
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &[u8]) -> Result<(), StorageError> {
        if value.len() > MAX_VALUE {
            self.refused += 1;
            return Err(StorageError(format!("{} bytes are too many", value.len())));
        }
        self.stored += 1;
        self.inner.put(channel, key, value)
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, StorageError> {
        self.inner.get(channel, key)
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, StorageError> {
        self.inner.remove(channel, key)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.inner.record_after(channel, after)
    }

    fn size(&self, channel: ChannelId) -> Size {
        self.inner.size(channel)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let node = SharedNode::new(Node::new(NodeConfig::default(), Counting::default()));
    let listener = listen("127.0.0.1:0".parse().map_err(io::Error::other)?)?;
    let options = ServerOptions {
        log: Arc::new(StderrLog),
        ..ServerOptions::default()
    };
    let server = Server::start(listener, node.clone(), options)?;
    println!("listening on neo {}", server.address());
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    node.with(|node| {
        let Counting {
            stored, refused, ..
        } = node.storage();
        println!("{stored} values stored, {refused} refused");
    });
    Ok(())
}
