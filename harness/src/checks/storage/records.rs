//! The records of one channel as one connection sees them, and what is expected of them.

use bytes::Bytes;
use dht_protocol::neo::request::{exists, get, put, remove, update};
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};

use crate::checks::Ground;
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::{Link, quoted};

/// A connection and a channel. Every expectation names the requirement that it stands for.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) link: Link,
    pub(super) channel: ChannelName,
}

impl Records {
    /// Those of the check's main channel, on a new connection.
    pub(super) async fn open(ground: &Ground) -> Checked<Self> {
        Self::of(ground, ground.channel("")).await
    }

    /// Those of this channel, on a new connection.
    pub(super) async fn of(ground: &Ground, channel: ChannelName) -> Checked<Self> {
        ground.need_keys()?;
        let link = ground.link().await?;
        Ok(Self { link, channel })
    }

    /// Those of the main channel, on a new connection of the client that is not "admin".
    pub(super) async fn as_guest(ground: &Ground) -> Checked<Self> {
        ground.need_keys()?;
        let link = ground.link_as(ground.guest()?).await?;
        let channel = ground.channel("");
        Ok(Self { link, channel })
    }

    /// Stores a record that the check needs.
    pub(super) async fn put(&mut self, key: Key, value: impl Into<Bytes>) -> Checked {
        self.expect_put(key, value, &req::PUT_ANSWER).await
    }

    /// Put is answered Put.
    pub(super) async fn expect_put(
        &mut self,
        key: Key,
        value: impl Into<Bytes>,
        requirement: &'static Requirement,
    ) -> Checked {
        let value = value.into();
        let sent = format!("Put {key} {}", quoted(&value));
        match self.link.put(&self.channel, key, value).await? {
            put::Reply::Put => Ok(()),
            other => Err(answered(requirement, &sent, "Put (stored)", other.name())),
        }
    }

    /// Get finds this value.
    pub(super) async fn expect_value(
        &mut self,
        key: Key,
        value: impl AsRef<[u8]>,
        requirement: &'static Requirement,
    ) -> Checked {
        let wanted = format!("Got {}", quoted(value.as_ref()));
        let sent = format!("Get {key}");
        match self.link.get(&self.channel, key).await? {
            (get::Reply::Got, Some(got)) if got == value.as_ref() => Ok(()),
            (get::Reply::Got, Some(got)) => {
                let observed = format!("Got {}", quoted(&got));
                let outcome = Outcome::Data;
                Err(broken(requirement, outcome, sent, &[&wanted], observed))
            }
            (other, _) => Err(answered(requirement, &sent, &wanted, other.name())),
        }
    }

    /// Get finds no record.
    pub(super) async fn expect_absent(
        &mut self,
        key: Key,
        requirement: &'static Requirement,
    ) -> Checked {
        let sent = format!("Get {key}");
        match self.link.get(&self.channel, key).await? {
            (get::Reply::NoRecord, _) => Ok(()),
            (other, value) => {
                let value = value.map_or_else(String::new, |value| quoted(&value));
                let observed = format!("{} {value}", other.name());
                Err(answered(requirement, &sent, "NoRecord", observed.trim()))
            }
        }
    }

    /// Exists finds a record, or not.
    pub(super) async fn expect_exists(
        &mut self,
        key: Key,
        expected: bool,
        requirement: &'static Requirement,
    ) -> Checked {
        let expected = match expected {
            true => exists::Reply::RecordExists,
            false => exists::Reply::NoRecord,
        };
        match self.link.exists(&self.channel, key).await? {
            answer if answer == expected => Ok(()),
            other => {
                let sent = format!("Exists {key}");
                Err(answered(requirement, &sent, expected.name(), other.name()))
            }
        }
    }

    /// Remove finds a record, or not.
    pub(super) async fn expect_removed(
        &mut self,
        key: Key,
        expected: bool,
        requirement: &'static Requirement,
    ) -> Checked {
        let expected = match expected {
            true => remove::Reply::Removed,
            false => remove::Reply::NoRecord,
        };
        match self.link.remove(&self.channel, key).await? {
            answer if answer == expected => Ok(()),
            other => {
                let sent = format!("Remove {key}");
                Err(answered(requirement, &sent, expected.name(), other.name()))
            }
        }
    }
}

/// Another answer came.
pub(super) fn answered(
    requirement: &'static Requirement,
    sent: &str,
    expected: &str,
    observed: &str,
) -> Unkept {
    let outcome = Outcome::Answer;
    broken(requirement, outcome, sent, &[expected], observed)
}

/// A message of Update as a report shows it.
pub(super) fn told(message: &update::FromNode) -> String {
    match message {
        update::FromNode::RecordValue(value) => format!("RecordValue {}", quoted(value)),
        other => other.name().to_owned(),
    }
}
