//! What most checks of the legacy protocol begin with: a connection, a channel, and keys.

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Order, Status};
use dht_protocol::{ChannelName, Key};
use dht_requirements::Requirement;

use crate::checks::Ground;
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::legacy::{LegacyLink, talk};
use crate::wire::quoted;

/// See the module.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) ground: &'a Ground,
    pub(super) link: LegacyLink,
    pub(super) channel: ChannelName,
}

impl<'a> Scene<'a> {
    /// Connects. The channel does not exist yet.
    pub(super) async fn open(ground: &'a Ground) -> Checked<Self> {
        ground.need_keys()?;
        Ok(Self {
            ground,
            link: ground.legacy_link().await?,
            channel: ground.channel(""),
        })
    }

    /// Connects, and stores these records.
    pub(super) async fn with(ground: &'a Ground, records: &[(Key, Bytes)]) -> Checked<Self> {
        let mut scene = Self::open(ground).await?;
        for (key, value) in records {
            let value = value.clone();
            scene.link.store(&scene.channel, *key, value).await?;
        }
        Ok(scene)
    }

    /// The key with this number.
    pub(super) fn key(&self, number: u64) -> Key {
        self.ground.key(number)
    }

    pub(super) fn put(&self, number: u64, value: impl Into<Bytes>) -> Order {
        talk::put(&self.channel, self.key(number), value)
    }

    pub(super) fn get(&self, number: u64) -> Order {
        talk::get(&self.channel, self.key(number))
    }

    pub(super) async fn store(&mut self, number: u64, value: impl Into<Bytes>) -> Checked {
        let key = self.key(number);
        self.link.store(&self.channel, key, value).await
    }

    pub(super) async fn remove(&mut self, number: u64) -> Checked {
        let key = self.key(number);
        self.link.remove(&self.channel, key).await
    }

    /// The record has this value, or the empty one if there is to be none. `rule` is broken if not.
    pub(super) async fn expect_value(
        &mut self,
        rule: &'static Requirement,
        number: u64,
        value: impl Into<Bytes>,
    ) -> Checked {
        let order = self.get(number);
        let expected = Answer::Value(value.into());
        self.link.expect(rule, &order, &expected).await
    }

    /// The order has this status; `rule` is broken if not.
    pub(super) async fn expect_status(
        &mut self,
        rule: &'static Requirement,
        order: &Order,
        status: Status,
    ) -> Checked {
        self.link.expect_status(rule, order, status).await
    }

    /// The channel is listed, or not; `rule` is broken if not so.
    pub(super) async fn expect_listed(
        &mut self,
        rule: &'static Requirement,
        sent: &str,
        listed: bool,
    ) -> Checked {
        let channel = self.channel.clone();
        expect_listed(&mut self.link, rule, sent, &channel, listed).await
    }

    /// The channel has these records, in any order, as GetAll tells them; `rule` is broken if not.
    pub(super) async fn expect_records(
        &mut self,
        rule: &'static Requirement,
        expected: &[(Key, Bytes)],
    ) -> Checked {
        let order = talk::get_all(&self.channel);
        let records = self.link.records(&order).await?;
        same_records(rule, "GetAll", expected, records)
    }
}

/// The channel is listed, or not; `rule` is broken if not so.
pub(super) async fn expect_listed(
    link: &mut LegacyLink,
    rule: &'static Requirement,
    sent: &str,
    channel: &ChannelName,
    listed: bool,
) -> Checked {
    if link.lists(channel).await? == listed {
        return Ok(());
    }
    let name = quoted(channel.as_bytes());
    let (expected, observed) = match listed {
        true => ("the channel is listed", format!("{name} is not")),
        false => ("the channel is not listed", format!("{name} is")),
    };
    let sent = format!("{sent}, and GetChannels");
    Err(broken(rule, Outcome::Data, sent, &[expected], observed))
}

/// These are the records, in any order; `rule` is broken if not.
pub(super) fn same_records(
    rule: &'static Requirement,
    sent: &str,
    expected: &[(Key, Bytes)],
    found: Vec<(Key, Bytes)>,
) -> Checked {
    let (mut expected, mut found) = (expected.to_vec(), found);
    expected.sort();
    found.sort();
    if expected == found {
        return Ok(());
    }
    let wanted = format!("{} records: {}", expected.len(), first(&expected, &found));
    let observed = format!("{} records: {}", found.len(), first(&found, &expected));
    Err(broken(rule, Outcome::Data, sent, &[&wanted], observed))
}

/// The first of these that the others do not have.
fn first(these: &[(Key, Bytes)], others: &[(Key, Bytes)]) -> String {
    let alone = these.iter().find(|record| !others.contains(record));
    match alone {
        Some((key, value)) => format!("{key} = {}", quoted(value)),
        None => "no other than these".to_owned(),
    }
}

/// `rule` is kept if `kept`.
pub(super) fn expect(
    rule: &'static Requirement,
    sent: &str,
    expected: &str,
    kept: bool,
    observed: impl FnOnce() -> String,
) -> Checked {
    match kept {
        true => Ok(()),
        false => Err(broken(rule, Outcome::Data, sent, &[expected], observed())),
    }
}
