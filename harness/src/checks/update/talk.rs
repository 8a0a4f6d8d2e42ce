//! Updates said message by message: a record, what is read of it, and what is decided.

use dht_protocol::key::fnv1a;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::get;
use dht_protocol::neo::request::update::{FromClient, FromNode, Open, Replacement};
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};

use crate::checks::Ground;
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
use crate::wire::talk::record;
use crate::wire::{Link, quoted};

/// What the records of these checks hold at first.
pub(in crate::checks) const OLD: &[u8] = b"the old value";
/// And what Updates make of it.
pub(in crate::checks) const NEW: &[u8] = b"a new value";

/// The record that a check is about.
#[derive(Debug)]
pub(in crate::checks) struct Subject {
    pub(in crate::checks) channel: ChannelName,
    pub(in crate::checks) key: Key,
}

impl Subject {
    /// The record with this number in the check's main channel.
    pub(in crate::checks) fn new(ground: &Ground, number: u64) -> Self {
        Self {
            channel: ground.channel(""),
            key: ground.key(number),
        }
    }

    /// A record that holds [`OLD`], stored on this connection.
    pub(in crate::checks) async fn stored(ground: &Ground, link: &mut Link) -> Checked<Self> {
        let subject = Self::new(ground, 1);
        subject.store(link, OLD).await?;
        Ok(subject)
    }

    /// Puts a value.
    pub(in crate::checks) async fn store(&self, link: &mut Link, value: &[u8]) -> Checked {
        link.store(&self.channel, self.key, value.to_vec()).await
    }

    /// The opening that reads the record.
    pub(in crate::checks) fn reading(&self) -> Vec<u8> {
        Open::GetRecord(record(&self.channel, self.key)).encode()
    }

    /// The opening that writes `new` over a value with this hash.
    pub(in crate::checks) fn writing(&self, original_hash: u64, new: &[u8]) -> Vec<u8> {
        let replacement = Replacement {
            original_hash,
            new_value: new.to_vec().into(),
        };
        Open::UpdateRecord(record(&self.channel, self.key), replacement).encode()
    }

    /// Opens an Update that reads `value` and then waits for the decision.
    pub(in crate::checks) async fn read(
        &self,
        link: &mut Link,
        value: &[u8],
    ) -> Checked<RequestId> {
        let id = link.open_supported(&self.reading()).await?;
        let due = FromNode::RecordValue(value.to_vec().into());
        let (sent, expected) = ("Update: GetRecord", "RecordValue with the value");
        hear(link, id, sent, &req::UPDATE_READ, expected, &due).await?;
        Ok(id)
    }

    /// A Get finds this value, or no record; else `requirement` is broken by what was `sent`.
    pub(in crate::checks) async fn holds(
        &self,
        link: &mut Link,
        requirement: &'static Requirement,
        sent: &str,
        value: Option<&[u8]>,
    ) -> Checked {
        let (reply, found) = link.get(&self.channel, self.key).await?;
        if found.as_deref() == value && (value.is_some() || reply == get::Reply::NoRecord) {
            return Ok(());
        }
        let expected = match value {
            Some(value) => format!("the value {}", quoted(value)),
            None => "NoRecord".to_owned(),
        };
        let observed = match found {
            Some(found) => format!("the value {}", quoted(&found)),
            None => reply.name().to_owned(),
        };
        let (sent, outcome) = (format!("{sent}, then Get"), Outcome::Data);
        Err(broken(requirement, outcome, sent, &[&expected], observed))
    }
}

/// The decision to write `new` if `old` is still there.
pub(in crate::checks) fn replace(old: &[u8], new: &[u8]) -> FromClient {
    FromClient::UpdateRecord(Replacement {
        original_hash: fnv1a(old),
        new_value: new.to_vec().into(),
    })
}

/// Sends a decision and hears the answer, `expected`; else `requirement` is broken.
pub(in crate::checks) async fn decide(
    link: &mut Link,
    id: RequestId,
    decision: &FromClient,
    requirement: &'static Requirement,
    expected: &FromNode,
) -> Checked {
    link.say(id, &decision.encode()).await;
    let sent = format!("Update: GetRecord, then {}", name(decision));
    hear(link, id, &sent, requirement, expected.name(), expected).await
}

/// The next message of an Update is `expected`, called `what`; else `requirement` is broken.
pub(in crate::checks) async fn hear(
    link: &mut Link,
    id: RequestId,
    sent: &str,
    requirement: &'static Requirement,
    what: &str,
    expected: &FromNode,
) -> Checked {
    let payload = link.answer(id, what).await?;
    let mut due = Vec::new();
    expected.encode(&mut due);
    if payload == due {
        return Ok(());
    }
    let observed = match FromNode::decode(&payload) {
        Ok(other) if other.name() != expected.name() => other.name().to_owned(),
        _ => shown(&payload),
    };
    let outcome = Outcome::Answer;
    Err(broken(requirement, outcome, sent, &[what], observed))
}

/// What a decision is called.
pub(in crate::checks) fn name(decision: &FromClient) -> &'static str {
    match decision {
        FromClient::UpdateRecord(_) => "UpdateRecord",
        FromClient::RemoveRecord => "RemoveRecord",
        FromClient::LeaveRecord => "LeaveRecord",
    }
}
