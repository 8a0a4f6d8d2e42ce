//! A running Mirror, all that it was told so far, and writes for it to be told of.

use std::time::Duration;

use bytes::Bytes;
use dht_protocol::codec::DecodeError;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::mirror::{FromNode, Open, Settings};
use dht_protocol::neo::request::{remove_channel, update};
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};

use crate::checks::Ground;
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::{Heard, Link};

/// How many requests, one after another, show that nothing more comes.
const SENTINELS: usize = 10;
/// Changes only.
pub(super) const CHANGES: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};
/// All records at the start, and changes.
pub(super) const INITIAL: Settings = Settings {
    initial_refresh: true,
    periodic_refresh_s: 0,
};
/// All records every second, and changes.
pub(super) const PERIODIC: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 1,
};

/// What a Mirror says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Told {
    Ack,
    Changed(Key, Bytes),
    Deleted(Key),
    Batch(Vec<(Key, Bytes)>),
    Removed,
    Overflow,
}

/// A running Mirror and its connection.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) link: Link,
    pub(super) id: RequestId,
    /// Everything that came behind Started.
    pub(super) told: Vec<Told>,
}

impl Follower {
    /// Starts a Mirror.
    pub(super) async fn start(
        ground: &Ground,
        channel: &ChannelName,
        settings: Settings,
    ) -> Checked<Self> {
        Self::on(ground.link().await?, channel, settings, false).await
    }

    /// Starts a Mirror that is suspended from the beginning.
    pub(super) async fn start_suspended(
        ground: &Ground,
        channel: &ChannelName,
        settings: Settings,
    ) -> Checked<Self> {
        Self::on(ground.link().await?, channel, settings, true).await
    }

    /// Starts a Mirror on this connection.
    pub(super) async fn on(
        mut link: Link,
        channel: &ChannelName,
        settings: Settings,
        start_suspended: bool,
    ) -> Checked<Self> {
        let open = Open {
            start_suspended,
            channel: channel.clone(),
            settings,
        };
        let id = link.start_mirror(&open).await?;
        // No node can refresh before a period has passed.
        let period = Duration::from_secs(settings.periodic_refresh_s.into());
        link.socket().allow(period);
        let told = Vec::new();
        Ok(Self { link, id, told })
    }

    /// Its next message, which is due by `requirement`.
    pub(super) async fn next(
        &mut self,
        requirement: &'static Requirement,
        what: &str,
    ) -> Checked<&Told> {
        let id = self.id;
        let heard = self.told.len();
        let sent = format!("Mirror, which is request #{id} and has sent {heard} messages so far");
        let payload = match self.link.hear(id).await {
            Heard::Message(payload) => payload,
            missing => {
                let (outcome, observed) = (missing.outcome(), missing.to_string());
                return Err(broken(requirement, outcome, sent, &[what], observed));
            }
        };
        self.told.push(read(&payload)?);
        Ok(&self.told[self.told.len() - 1])
    }

    /// Hears messages until all that it was told is enough; more of them are due by `requirement`.
    pub(super) async fn until(
        &mut self,
        requirement: &'static Requirement,
        what: &str,
        enough: impl Fn(&[Told]) -> bool,
    ) -> Checked {
        while !enough(&self.told) {
            self.next(requirement, what).await?;
        }
        Ok(())
    }

    /// Hears messages until one is this.
    pub(super) async fn until_told(
        &mut self,
        requirement: &'static Requirement,
        what: &str,
        wanted: impl Fn(&Told) -> bool,
    ) -> Checked {
        while !wanted(self.next(requirement, what).await?) {}
        Ok(())
    }

    /// Sends a control message.
    pub(super) async fn say(&mut self, control: Control) {
        let payload = FromClient::Control(control).encode();
        self.link.say(self.id, &payload).await;
    }

    /// Sends a control message and hears its Ack.
    pub(super) async fn control(&mut self, control: Control) -> Checked {
        let requirement = match control {
            Control::Suspend => &req::CTL_SUSPEND_ACKED,
            Control::Resume => &req::CTL_RESUME_ACKED,
            Control::Stop => &req::CTL_STOP_ACKED,
        };
        self.say(control).await;
        self.until_told(requirement, "Ack", |told| *told == Told::Ack)
            .await
    }

    /// Requests on its connection are answered one after another; what was under way by then has come.
    pub(super) async fn settle(&mut self) -> Checked {
        for _ in 0..SENTINELS {
            self.link.sentinel().await?;
        }
        for payload in self.link.waiting(self.id) {
            self.told.push(read(&payload)?);
            // It is there, so this takes it away and does not wait.
            self.link.hear(self.id).await;
        }
        Ok(())
    }

    /// The changes so far, with their values; `None` for a deletion.
    pub(super) fn changes(&self) -> Vec<(Key, Option<Bytes>)> {
        let changes = self.told.iter().filter_map(|told| match told {
            Told::Changed(key, value) => Some((*key, Some(value.clone()))),
            Told::Deleted(key) => Some((*key, None)),
            _ => None,
        });
        changes.collect()
    }

    /// The records of all batches so far.
    pub(super) fn refreshed(&self) -> Vec<(Key, Bytes)> {
        let batches = self.told.iter().filter_map(|told| match told {
            Told::Batch(records) => Some(records),
            _ => None,
        });
        batches.flatten().cloned().collect()
    }

    /// How many messages are like this.
    pub(super) fn count(&self, like: impl Fn(&Told) -> bool) -> usize {
        self.told.iter().filter(|told| like(told)).count()
    }
}

/// How many records batches have brought.
pub(super) fn refreshed(told: &[Told]) -> usize {
    let records = told.iter().map(|told| match told {
        Told::Batch(records) => records.len(),
        _ => 0,
    });
    records.sum()
}

/// How many changes and deletions there are.
pub(super) fn changes(told: &[Told]) -> usize {
    told.iter().filter(|told| is_change(told)).count()
}

pub(super) fn is_change(told: &Told) -> bool {
    matches!(told, Told::Changed(..) | Told::Deleted(_))
}

pub(super) fn is_batch(told: &Told) -> bool {
    matches!(told, Told::Batch(_))
}

/// The end of what was told, as a report shows it.
pub(super) fn ending(told: &[Told]) -> String {
    let last: Vec<String> = told
        .iter()
        .skip(told.len().saturating_sub(5))
        .map(|told| match told {
            Told::Batch(records) => format!("RecordRefreshBatch of {}", records.len()),
            Told::Changed(key, value) if value.len() > 32 => {
                format!("RecordChanged {key} ({} bytes)", value.len())
            }
            Told::Changed(key, value) => {
                format!("RecordChanged {key} (\"{}\")", value.escape_ascii())
            }
            Told::Deleted(key) => format!("RecordDeleted {key}"),
            Told::Removed => "ChannelRemoved".to_owned(),
            Told::Overflow => "UpdateOverflow".to_owned(),
            Told::Ack => "Ack".to_owned(),
        })
        .collect();
    match told.len() {
        0 => "nothing".to_owned(),
        1 => format!("one message, {}", last.join(", ")),
        count => format!("{count} messages, ending with {}", last.join(", ")),
    }
}

/// Takes a message apart, a batch included.
fn read(payload: &[u8]) -> Checked<Told> {
    let undefined = |observed: String| {
        let (rule, outcome) = (&req::REQ_ANSWER_DEFINED, Outcome::Answer);
        let expected = ["a message that Mirror has"];
        broken(rule, outcome, "Mirror", &expected, observed)
    };
    let message = FromNode::decode(payload);
    Ok(
        match message.map_err(|error| undefined(error.to_string()))? {
            FromNode::Ack => Told::Ack,
            FromNode::RecordChanged(key, value) => Told::Changed(key, value),
            FromNode::RecordDeleted(key) => Told::Deleted(key),
            FromNode::RecordRefreshBatch(block) => Told::Batch(read_batch(&block)?),
            FromNode::ChannelRemoved => Told::Removed,
            FromNode::UpdateOverflow => Told::Overflow,
            again @ (FromNode::Started | FromNode::Error) => {
                return Err(undefined(format!("{again:?} behind Started")));
            }
        },
    )
}

fn read_batch(block: &[u8]) -> Checked<Vec<(Key, Bytes)>> {
    let wrong = |rule, expected, observed| {
        let sent = "Mirror with refreshes";
        broken(rule, Outcome::Data, sent, &[expected], observed)
    };
    let plain_len = block.first_chunk().copied().map_or(0, u64::from_le_bytes);
    if plain_len > batch::REFRESH_LIMIT as u64 {
        let (rule, expected) = (&req::BATCH_REFRESH_LIMIT, "at most 131,071 plain bytes");
        return Err(wrong(rule, expected, plain_len.to_string()));
    }
    let records = batch::decode_refresh(block).map_err(|error: DecodeError| {
        let expected = "records of a key of 8 bytes and a value with its length";
        wrong(&req::BATCH_REFRESH_RECORD, expected, error.to_string())
    })?;
    if records.is_empty() {
        let (rule, expected) = (&req::BATCH_REFRESH_NOT_EMPTY, "one record or more");
        return Err(wrong(rule, expected, "an empty batch".to_owned()));
    }
    Ok(records)
}

/// Reads a record by Update and answers its value with this.
pub(super) async fn update(
    link: &mut Link,
    channel: &ChannelName,
    key: Key,
    decision: &update::FromClient,
) -> Checked {
    let (id, _) = link.read_for_update(channel, key).await?;
    link.say(id, &decision.encode()).await;
    let mut ok = Vec::new();
    update::FromNode::Ok.encode(&mut ok);
    link.expect(id, &req::REQ_INSIDE_SERVED, "Ok", &ok).await
}

/// Removes a channel. The check is not applicable if its client may not do that.
pub(super) async fn remove_channel(
    ground: &Ground,
    link: &mut Link,
    channel: &ChannelName,
) -> Checked {
    ground.need_admin()?;
    let reply = link.remove_channel(channel).await?;
    ground.expect(
        &req::REQ_INSIDE_SERVED,
        "RemoveChannel",
        &["ChannelRemoved"],
        reply == remove_channel::Reply::ChannelRemoved,
        || reply.name().to_owned(),
    )
}
