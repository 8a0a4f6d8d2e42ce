//! Requests for one record.

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Order, Status};
use dht_protocol::{ChannelName, Key};

use super::client::Client;
use super::error::RequestError;

/// Requests for one record. Each is sent to the first node whose range covers the key, and to no other one,
/// also if that says that it is not responsible any more (`WrongNode`): another handshake finds out
/// who is.
impl Client {
    /// Stores a record. The value must not be empty; how large it may be is for the node to say, by
    /// default 65,504 bytes.
    pub async fn put(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        value: impl Into<Bytes>,
    ) -> Result<(), RequestError> {
        let (channel, key, value) = (channel.into(), key.into(), value.into());
        let order = Order::Put {
            channel,
            key: key.into(),
            value,
        };
        self.ask_for(key, order, done).await
    }

    /// Reads a record; `None` if there is no such record.
    pub async fn get(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<Option<Bytes>, RequestError> {
        let (channel, key) = (channel.into(), key.into());
        let order = Order::Get {
            channel,
            key: key.into(),
        };
        self.ask_for(key, order, |answer| match answer {
            // There are no empty values.
            Answer::Value(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            other => Err(other),
        })
        .await
    }

    /// Is there a record?
    pub async fn exists(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<bool, RequestError> {
        let (channel, key) = (channel.into(), key.into());
        let order = Order::Exists {
            channel,
            key: key.into(),
        };
        self.ask_for(key, order, |answer| match answer {
            Answer::Exists(exists) => Ok(exists),
            other => Err(other),
        })
        .await
    }

    /// Removes a record, if there is one: nodes do not tell.
    pub async fn remove(
        &self,
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
    ) -> Result<(), RequestError> {
        let (channel, key) = (channel.into(), key.into());
        let order = Order::Remove {
            channel,
            key: key.into(),
        };
        self.ask_for(key, order, done).await
    }
}

/// Reads an answer that says nothing but Ok.
pub(super) fn done(answer: Answer) -> Result<(), Answer> {
    match answer {
        Answer::Status(Status::Ok) => Ok(()),
        other => Err(other),
    }
}
