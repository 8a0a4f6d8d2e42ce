//! Does the model's operations through a client, and says what came in the model's words.

use std::time::Duration;

use bytes::Bytes;
use dht_client::{Client, RemoveChannelError, RequestError};
use dht_model::{Action, Answer, Decision, Operation};
use dht_protocol::neo::request::update::{self, Updated};
use dht_protocol::neo::request::{Failure, get_all};
use dht_protocol::{ChannelName, Key};
use tokio::time::timeout;

/// What a user of a client cannot ask for in one step. The model then keeps every possibility, which is
/// sound.
const NOT_DONE: Answer = Answer::Unknown;

/// A client, and what the names of its channels begin with.
#[derive(Clone, Copy, Debug)]
pub struct Executor<'a> {
    client: &'a Client,
    prefix: &'a str,
    patience: Duration,
}

impl<'a> Executor<'a> {
    /// Channels of the operations are called `prefix` and their name. What the client itself sets no limit
    /// to, a GetAll, may take as long as `patience`.
    pub fn new(client: &'a Client, prefix: &'a str, patience: Duration) -> Self {
        Self {
            client,
            prefix,
            patience,
        }
    }

    /// Does one operation. An error says why there is no answer: the connection was lost, the node broke
    /// the protocol, or the time was up.
    pub async fn execute(&self, operation: &Operation) -> Result<Answer, String> {
        let done = match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let channel = self.channel(channel);
                match action {
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
                    Action::UpdateRecord { .. } => return Ok(NOT_DONE),
                }
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
                let reading = async {
                    match keys_only {
                        true => get_all.keys().await.map(Answer::Keys),
                        false => get_all.records().await.map(Answer::Records),
                    }
                };
                let late = || {
                    format!(
                        "no end of the GetAll within {} s",
                        self.patience.as_secs_f32()
                    )
                };
                timeout(self.patience, reading).await.map_err(|_| late())?
            }
            Operation::GetChannels => self.client.channels().collect_all().await.map(|channels| {
                Answer::Channels(channels.iter().filter_map(|name| self.own(name)).collect())
            }),
            Operation::RemoveChannel { channel, .. } => {
                match self.client.remove_channel(self.channel(channel)).await {
                    Ok(()) => Ok(Answer::ChannelRemoved),
                    Err(RemoveChannelError::NotPermitted { .. }) => Ok(Answer::NotPermitted),
                    Err(RemoveChannelError::Request(error)) => Err(error),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Operation::Refresh { .. } | Operation::GetHashRange => return Ok(NOT_DONE),
        };
        done.or_else(|error| failed(&error))
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
fn failed(error: &RequestError) -> Result<Answer, String> {
    match error {
        RequestError::Failed(Failure::NoNode) => Ok(Answer::NoNode),
        RequestError::Failed(Failure::WrongNode { .. }) => Ok(Answer::WrongNode),
        RequestError::Failed(Failure::ValueTooBig { .. }) => Ok(Answer::ValueTooBig),
        RequestError::Failed(Failure::NodeError { .. }) => Ok(Answer::Error),
        error => Err(error.to_string()),
    }
}
