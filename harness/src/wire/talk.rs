//! Whole requests in one call, for what a check is not about, and for what it compares.

use bytes::Bytes;
use dht_protocol::neo::request::{
    RecordName, RequestCode, exists, get, get_all, get_channels, mirror, put, remove,
    remove_channel, update,
};
use dht_protocol::neo::{RequestId, batch};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;

use super::link::Link;
use super::shown::shown;
use crate::unkept::{Checked, Outcome, Unkept, broken};

impl Link {
    /// Put, to its answer.
    pub async fn put(
        &mut self,
        channel: &ChannelName,
        key: Key,
        value: impl Into<Bytes>,
    ) -> Checked<put::Reply> {
        let opening = put_opening(channel, key, value);
        let id = self.open_supported(&opening).await?;
        let payload = self.answer(id, "the answer to Put").await?;
        put::Reply::decode(&payload).map_err(|_| undefined("Put", &payload))
    }

    /// Put, which the node stores.
    pub async fn store(
        &mut self,
        channel: &ChannelName,
        key: Key,
        value: impl Into<Bytes>,
    ) -> Checked {
        match self.put(channel, key, value).await? {
            put::Reply::Put => Ok(()),
            other => {
                let (expected, observed) = (["Put (stored)"], other.name());
                let sent = format!("Put {key}");
                Err(broken(
                    &req::REQ_INSIDE_SERVED,
                    Outcome::Answer,
                    sent,
                    &expected,
                    observed,
                ))
            }
        }
    }

    /// Get, to its end; the value where there was one.
    pub async fn get(
        &mut self,
        channel: &ChannelName,
        key: Key,
    ) -> Checked<(get::Reply, Option<Bytes>)> {
        let opening = record(channel, key).opening(RequestCode::Get);
        let id = self.open_supported(&opening).await?;
        let payload = self.answer(id, "the answer to Get").await?;
        let reply = get::Reply::decode(&payload).map_err(|_| undefined("Get", &payload))?;
        if reply != get::Reply::Got {
            return Ok((reply, None));
        }
        let payload = self.answer(id, "the value behind Got").await?;
        let value = get::Value::decode(&payload).map_err(|_| undefined("Get", &payload))?;
        Ok((reply, Some(value.0)))
    }

    /// Exists, to its answer.
    pub async fn exists(&mut self, channel: &ChannelName, key: Key) -> Checked<exists::Reply> {
        let opening = record(channel, key).opening(RequestCode::Exists);
        let id = self.open_supported(&opening).await?;
        let payload = self.answer(id, "the answer to Exists").await?;
        exists::Reply::decode(&payload).map_err(|_| undefined("Exists", &payload))
    }

    /// Remove, to its answer.
    pub async fn remove(&mut self, channel: &ChannelName, key: Key) -> Checked<remove::Reply> {
        let opening = record(channel, key).opening(RequestCode::Remove);
        let id = self.open_supported(&opening).await?;
        let payload = self.answer(id, "the answer to Remove").await?;
        remove::Reply::decode(&payload).map_err(|_| undefined("Remove", &payload))
    }

    /// RemoveChannel, to its answer.
    pub async fn remove_channel(
        &mut self,
        channel: &ChannelName,
    ) -> Checked<remove_channel::Reply> {
        let opening = remove_channel::Open(channel.clone()).encode();
        let id = self.open_supported(&opening).await?;
        let payload = self.answer(id, "the answer to RemoveChannel").await?;
        remove_channel::Reply::decode(&payload).map_err(|_| undefined("RemoveChannel", &payload))
    }

    /// GetChannels, to its end: the names in the order in which they came.
    pub async fn channels(&mut self) -> Checked<Vec<ChannelName>> {
        let id = self.open_supported(&get_channels::Open.encode()).await?;
        let mut names = Vec::new();
        loop {
            let payload = self.answer(id, "ChannelName or Finished").await?;
            match get_channels::FromNode::decode(&payload) {
                Ok(get_channels::FromNode::ChannelName(name)) => names.push(name),
                Ok(get_channels::FromNode::Finished) => return Ok(names),
                Ok(get_channels::FromNode::Error) | Err(_) => {
                    return Err(undefined("GetChannels", &payload));
                }
            }
        }
    }

    /// Opens an Update that reads a record, and hears what the node says of that.
    pub async fn read_for_update(
        &mut self,
        channel: &ChannelName,
        key: Key,
    ) -> Checked<(RequestId, update::FromNode)> {
        let opening = update::Open::GetRecord(record(channel, key)).encode();
        let id = self.open_supported(&opening).await?;
        Ok((id, self.hear_update(id).await?))
    }

    /// The next message of a running Update.
    pub async fn hear_update(&mut self, id: RequestId) -> Checked<update::FromNode> {
        let payload = self.answer(id, "a message of Update").await?;
        update::FromNode::decode(&payload).map_err(|_| undefined("Update", &payload))
    }

    /// Opens a GetAll and hears Started.
    pub async fn start_get_all(&mut self, open: &get_all::Open) -> Checked<RequestId> {
        let id = self.open_supported(&open.encode()).await?;
        let mut started = Vec::new();
        get_all::FromNode::Started.encode(&mut started);
        self.expect(id, &req::CTL_STARTED_FIRST, "Started", &started)
            .await?;
        Ok(id)
    }

    /// The next message of a running GetAll.
    pub async fn hear_get_all(&mut self, id: RequestId) -> Checked<get_all::FromNode> {
        let payload = self.answer(id, "a message of GetAll").await?;
        get_all::FromNode::decode(&payload).map_err(|_| undefined("GetAll", &payload))
    }

    /// A whole GetAll with values, Finished acknowledged: the records in the order in which they came.
    pub async fn all_records(&mut self, channel: &ChannelName) -> Checked<Vec<(Key, Bytes)>> {
        let open = get_all::Open {
            start_suspended: false,
            channel: channel.clone(),
            continue_from: None,
            settings: get_all::Settings::default(),
        };
        let id = self.start_get_all(&open).await?;
        let mut records = Vec::new();
        loop {
            match self.hear_get_all(id).await? {
                get_all::FromNode::RecordBatch(block) => {
                    let batch = batch::decode_records(&block);
                    records.extend(batch.map_err(|_| undefined("GetAll", &block))?);
                }
                get_all::FromNode::Finished => break,
                other => {
                    let observed = format!("{other:?}");
                    let expected = ["RecordBatch or Finished"];
                    let (rule, outcome) = (&req::REQ_ANSWER_DEFINED, Outcome::Answer);
                    return Err(broken(rule, outcome, "GetAll", &expected, observed));
                }
            }
        }
        self.acknowledge(id).await;
        Ok(records)
    }

    /// Acknowledges Finished or ChannelRemoved.
    pub async fn acknowledge(&mut self, id: RequestId) {
        use dht_protocol::neo::request::control::FromClient;
        self.say(id, &FromClient::Ack.encode()).await;
    }

    /// Opens a Mirror and hears Started.
    pub async fn start_mirror(&mut self, open: &mirror::Open) -> Checked<RequestId> {
        let id = self.open_supported(&open.encode()).await?;
        let mut started = Vec::new();
        mirror::FromNode::Started.encode(&mut started);
        self.expect(id, &req::CTL_STARTED_FIRST, "Started", &started)
            .await?;
        Ok(id)
    }

    /// The next message of a running Mirror.
    pub async fn hear_mirror(&mut self, id: RequestId) -> Checked<mirror::FromNode> {
        let payload = self.answer(id, "a message of Mirror").await?;
        mirror::FromNode::decode(&payload).map_err(|_| undefined("Mirror", &payload))
    }
}

/// The record of this channel and key.
pub fn record(channel: &ChannelName, key: Key) -> RecordName {
    RecordName {
        channel: channel.clone(),
        key,
    }
}

/// The opening of a Put.
pub fn put_opening(channel: &ChannelName, key: Key, value: impl Into<Bytes>) -> Vec<u8> {
    let record = record(channel, key);
    let value = value.into();
    put::Open { record, value }.encode()
}

/// Does Exists find a record? `None` if this is not its answer, or that of another node.
pub fn exists_answer(payload: &[u8]) -> Option<bool> {
    match exists::Reply::decode(payload).ok()? {
        exists::Reply::RecordExists => Some(true),
        exists::Reply::NoRecord => Some(false),
        exists::Reply::WrongNode | exists::Reply::Error => None,
    }
}

/// An answer that the request does not have.
fn undefined(request: &str, payload: &[u8]) -> Unkept {
    broken(
        &req::REQ_ANSWER_DEFINED,
        Outcome::Answer,
        request,
        &["an answer that the request has"],
        shown(payload),
    )
}
