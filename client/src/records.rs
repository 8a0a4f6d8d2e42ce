//! Requests for one record.

use bytes::Bytes;
use dht_protocol::neo::request::update::{Decision, Updated};
use dht_protocol::neo::request::{RecordName, put};
use dht_protocol::{ChannelName, Key};

use crate::client::Client;
use crate::error::RequestError;
use crate::update::PendingUpdate;
use crate::waiters::{Answer, Queue};
use dht_protocol::neo::client::Request;

/// Requests for one record. Each ends with its outcome or a [`RequestError`].
impl Client {
    /// Stores a record, on the newest node that is responsible for the key. The value may have up to
    /// [`put::MAX_VALUE`] bytes.
    pub async fn put(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        value: impl Into<Bytes>,
    ) -> Result<(), RequestError> {
        let open = put::Open {
            record: record(channel, key),
            value: value.into(),
        };
        self.ask(Request::Put(open), Answer::Put).await
    }

    /// Reads a record; `None` if there is no such record on any node that is responsible for the key.
    pub async fn get(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<Option<Bytes>, RequestError> {
        let request = Request::Get(record(channel, key));
        self.ask(request, Answer::Get).await
    }

    /// Is there a record, on any node that is responsible for the key?
    pub async fn exists(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<bool, RequestError> {
        let request = Request::Exists(record(channel, key));
        self.ask(request, Answer::Exists).await
    }

    /// Removes a record from all nodes that are responsible for the key. Did any of them have it?
    pub async fn remove(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<bool, RequestError> {
        let request = Request::Remove(record(channel, key));
        self.ask(request, Answer::Remove).await
    }

    /// Reads a record and does with it what `decide` says of its value, unless somebody else changes it
    /// meanwhile. `decide` is not called if there is no such record.
    pub async fn update(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        decide: impl FnOnce(&[u8]) -> Decision,
    ) -> Result<Updated, RequestError> {
        match self.update_later(channel, key).await? {
            Some(pending) => {
                let decision = decide(pending.value());
                pending.decide(decision).await
            }
            None => Ok(Updated::NoRecord),
        }
    }

    /// Reads a record and leaves the decision on it for later; `None` if there is no such record.
    pub async fn update_later(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<Option<PendingUpdate>, RequestError> {
        let request = Request::Update(record(channel, key));
        let (ticket, events) = self.follow(request, Queue::Update)?;
        PendingUpdate::read(self.clone(), ticket, events).await
    }
}

fn record(channel: impl Into<ChannelName>, key: impl Into<Key>) -> RecordName {
    RecordName {
        channel: channel.into(),
        key: key.into(),
    }
}
