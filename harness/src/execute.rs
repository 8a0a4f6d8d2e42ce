//! Does the model's operations through a client, and says what came in the model's words.

use bytes::Bytes;
use dht_client::{Client, RemoveChannelError, RequestError};
use dht_model::{Action, Answer, Decision, Operation};
use dht_protocol::neo::request::update::{self, Updated};
use dht_protocol::neo::request::{Failure, get_all};
use dht_protocol::{ChannelName, Key};

/// What a user of a client cannot ask for in one step. The model then keeps every possibility, which is
/// sound.
const NOT_DONE: Answer = Answer::Unknown;

/// A client, and what the names of its channels begin with.
#[derive(Clone, Copy, Debug)]
pub struct Executor<'a> {
    client: &'a Client,
    prefix: &'a str,
}

impl<'a> Executor<'a> {
    /// Channels of the operations are called `prefix` and their name.
    pub fn new(client: &'a Client, prefix: &'a str) -> Self {
        Self { client, prefix }
    }

    /// Does one operation.
    pub async fn execute(&self, operation: &Operation) -> Answer {
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let channel = self.channel(channel);
                let done = match action {
                    Action::Put(value) => self
                        .client
                        .put(channel, *key, value.clone())
                        .await
                        .map(|()| Answer::Stored),
                    Action::Get => self
                        .client
                        .get(channel, *key)
                        .await
                        .map(|value| match value {
                            Some(value) => Answer::Value(value),
                            None => Answer::NoRecord,
                        }),
                    Action::Exists => self.client.exists(channel, *key).await.map(Answer::Exists),
                    Action::Remove => self.client.remove(channel, *key).await.map(Answer::Removed),
                    Action::Update(decision) => self.update(channel, *key, decision).await,
                    Action::UpdateRecord { .. } => return NOT_DONE,
                };
                done.unwrap_or_else(|error| failed(&error))
            }
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => {
                let settings = get_all::Settings {
                    keys_only: *keys_only,
                    value_filter: filter.clone(),
                };
                let get_all = self.client.get_all(self.channel(channel), settings);
                let done = match keys_only {
                    true => get_all.keys().await.map(Answer::Keys),
                    false => get_all.records().await.map(Answer::Records),
                };
                done.unwrap_or_else(|error| failed(&error))
            }
            Operation::GetChannels => {
                let channels = self.client.channels().collect_all().await;
                let own = |channels: Vec<ChannelName>| {
                    Answer::Channels(channels.iter().filter_map(|name| self.own(name)).collect())
                };
                channels.map_or_else(|error| failed(&error), own)
            }
            Operation::RemoveChannel { channel, .. } => {
                let removed = self.client.remove_channel(self.channel(channel)).await;
                removed.map_or_else(|error| failed_removal(&error), |()| Answer::ChannelRemoved)
            }
            Operation::Refresh { .. } | Operation::GetHashRange => NOT_DONE,
        }
    }

    async fn update(
        &self,
        channel: ChannelName,
        key: Key,
        decision: &Decision,
    ) -> Result<Answer, RequestError> {
        let mut read = Bytes::new();
        let updated = self
            .client
            .update(channel, key, |value: &[u8]| {
                read = Bytes::copy_from_slice(value);
                match decision {
                    Decision::Replace(value) => update::Decision::Replace(value.clone()),
                    Decision::Leave => update::Decision::Leave,
                    Decision::Delete => update::Decision::Delete,
                }
            })
            .await?;
        Ok(match updated {
            Updated::Done => Answer::Updated { read },
            Updated::NoRecord => Answer::NoRecord,
            Updated::Conflict => Answer::Conflict,
        })
    }

    fn channel(&self, name: &ChannelName) -> ChannelName {
        let mut full = self.prefix.as_bytes().to_vec();
        full.extend_from_slice(name.as_bytes());
        ChannelName::copy_from(&full)
    }

    /// The name that the operations know a channel by, if it is one of theirs.
    fn own(&self, name: &ChannelName) -> Option<ChannelName> {
        name.as_bytes()
            .strip_prefix(self.prefix.as_bytes())
            .map(ChannelName::copy_from)
    }
}

/// What the model makes of a request that did not end as it should.
fn failed(error: &RequestError) -> Answer {
    match error {
        RequestError::Failed(Failure::NoNode) => Answer::NoNode,
        RequestError::Failed(Failure::WrongNode { .. }) => Answer::WrongNode,
        RequestError::Failed(Failure::ValueTooBig { .. }) => Answer::ValueTooBig,
        RequestError::Failed(Failure::NodeError { .. }) => Answer::Error,
        _ => Answer::Unknown,
    }
}

fn failed_removal(error: &RemoveChannelError) -> Answer {
    match error {
        RemoveChannelError::NotPermitted { .. } => Answer::NotPermitted,
        RemoveChannelError::Request(error) => failed(error),
        _ => Answer::Unknown,
    }
}
