//! Waiting for what an application does. Every wait is woken by the change itself and has a limit.

use std::time::Duration;

use bytes::Bytes;
use dht_protocol::{ChannelName, Key};
use thiserror::Error;

use super::TestNode;
use crate::node::Node;
use crate::server::SharedNode;
use crate::storage::MemoryStorage;

/// What was waited for did not happen in time.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("waited {waited:?} for {awaited}, but {found}")]
pub struct TimedOut {
    /// What should have happened.
    pub awaited: String,
    /// What there was instead, at the end.
    pub found: String,
    /// For how long.
    pub waited: Duration,
}

/// A record's value at one moment, to compare later ones with.
#[derive(Debug)]
pub struct RecordWatch {
    node: SharedNode<MemoryStorage>,
    channel: ChannelName,
    key: Key,
    before: Option<Bytes>,
}

impl TestNode {
    /// Waits until a record's value fulfils a condition; `None` is the value of a record that is not
    /// there. Returns the value. A condition that is fulfilled already is enough.
    pub async fn wait_for_record(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        condition: impl FnMut(Option<&[u8]>) -> bool,
        timeout: Duration,
    ) -> Result<Option<Bytes>, TimedOut> {
        let (channel, key) = (channel.into(), key.into());
        let awaited = format!("record {channel}/{key} to fulfil the condition");
        wait_for_value(&self.node, &channel, key, condition, awaited, timeout).await
    }

    /// Remembers what a record's value is now, so that nothing that happens before
    /// [`changed`](RecordWatch::changed) is missed.
    pub fn watch_record(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> RecordWatch {
        let (channel, key) = (channel.into(), key.into());
        RecordWatch {
            before: self.node.with(|node| value(node, &channel, key)),
            node: self.node.clone(),
            channel,
            key,
        }
    }

    /// Waits until a record has another value than now; appearing and disappearing count. Returns the
    /// new value. If the change may come before this is called, use
    /// [`watch_record`](Self::watch_record).
    pub async fn wait_for_change(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        timeout: Duration,
    ) -> Result<Option<Bytes>, TimedOut> {
        self.watch_record(channel, key).changed(timeout).await
    }

    /// Waits until exactly `listeners` Mirrors follow a channel.
    pub async fn wait_for_listeners(
        &self,
        channel: impl Into<ChannelName>,
        listeners: usize,
        timeout: Duration,
    ) -> Result<(), TimedOut> {
        let channel = channel.into();
        let look = |node: &mut Node<_>| node.listeners(&channel);
        let waited = wait(&self.node, look, |found| *found == listeners, timeout).await;
        waited.map(|_| ()).map_err(|found| TimedOut {
            awaited: format!("channel {channel} to have {listeners} listeners"),
            found: format!("there are {found}"),
            waited: timeout,
        })
    }
}

impl RecordWatch {
    /// The value when the watch began.
    pub fn before(&self) -> Option<&Bytes> {
        self.before.as_ref()
    }

    /// Waits until the record has another value than [before](Self::before). Returns it.
    pub async fn changed(&self, timeout: Duration) -> Result<Option<Bytes>, TimedOut> {
        let before = self.before.as_deref();
        let awaited = format!("record {}/{} to change", self.channel, self.key);
        let differs = |value: Option<&[u8]>| value != before;
        wait_for_value(
            &self.node,
            &self.channel,
            self.key,
            differs,
            awaited,
            timeout,
        )
        .await
    }
}

async fn wait_for_value(
    node: &SharedNode<MemoryStorage>,
    channel: &ChannelName,
    key: Key,
    mut condition: impl FnMut(Option<&[u8]>) -> bool,
    awaited: String,
    timeout: Duration,
) -> Result<Option<Bytes>, TimedOut> {
    let look = |node: &mut Node<_>| value(node, channel, key);
    let fulfils = |value: &Option<Bytes>| condition(value.as_deref());
    let waited = wait(node, look, fulfils, timeout).await;
    waited.map_err(|value| TimedOut {
        awaited,
        found: match value {
            Some(value) => format!("its value is \"{}\"", excerpt(&value)),
            None => "there is no such record".into(),
        },
        waited: timeout,
    })
}

/// Waits until what is seen of the node fulfils a condition, and returns it; after the timeout returns
/// what is seen then. The condition is somebody else's code and runs without the lock.
async fn wait<T>(
    node: &SharedNode<MemoryStorage>,
    look: impl Fn(&mut Node<MemoryStorage>) -> T,
    mut condition: impl FnMut(&T) -> bool,
    timeout: Duration,
) -> Result<T, T> {
    let fulfilled = async {
        loop {
            let (seen, revision) = node.with(|node| (look(node), node.revision()));
            if condition(&seen) {
                return seen;
            }
            node.changed(revision).await;
        }
    };
    let waited = tokio::time::timeout(timeout, fulfilled).await;
    waited.map_err(|_| node.with(look))
}

/// The value of a record; reading from memory does not fail.
pub(super) fn value(node: &Node<MemoryStorage>, channel: &ChannelName, key: Key) -> Option<Bytes> {
    node.get(channel, key).unwrap_or_default()
}

/// A value as text, of a length that suits a message.
fn excerpt(value: &[u8]) -> String {
    const SHOWN: usize = 100;
    match value.get(..SHOWN) {
        Some(start) => format!("{}...", start.escape_ascii()),
        None => value.escape_ascii().to_string(),
    }
}
