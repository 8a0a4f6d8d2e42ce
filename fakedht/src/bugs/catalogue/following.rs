//! Bugs of Mirror and of the control messages to it: changes, refreshes, overflows, removals, suspensions
//! and neighbours.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::codec::Put as _;
use dht_protocol::lzo;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::batch::{self, GetAllBatch};
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::mirror::{Change, FromNode, Open};
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};

use crate::bugs::Bug;
use crate::bugs::seam::{Call, Fate, HostBug, Message, Seam};
use crate::node::ConnectionId;
use crate::node::host::Event;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "mirror-misses-first-change",
        description: "Mirrors are not told of the first write to a channel.",
        breaks: "NEO-MIRROR-01",
        seam: Seam::Event(|| {
            let mut known = BTreeSet::new();
            Box::new(move |event| match event {
                Event::Record(channel, Change::Changed(_)) if known.insert(channel) => None,
                event => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-misses-rewrites",
        description: "Mirrors are not told of writes to a record that was written before.",
        breaks: "NEO-MIRROR-10",
        seam: Seam::Event(|| {
            let mut known = BTreeSet::new();
            Box::new(move |event| match event {
                Event::Record(channel, Change::Changed(key)) if !known.insert((channel, key)) => {
                    None
                }
                event => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-refreshes-unasked",
        description: "A Mirror sends all records at its start although nobody asked for them.",
        breaks: "NEO-MIRROR-02",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| open.settings.initial_refresh = true)
            })
        }),
    },
    Bug {
        name: "mirror-periodic-comes-at-once",
        description: "A Mirror with periodic refreshes sends the first one at its start.",
        breaks: "NEO-MIRROR-07",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| {
                    open.settings.initial_refresh |= open.settings.periodic_refresh_s > 0;
                })
            })
        }),
    },
    Bug {
        name: "mirror-tells-absent-removals-twice",
        description: "Mirrors are told twice of the Remove of a record that does not exist.",
        breaks: "NEO-MIRROR-15",
        seam: Seam::Host(|| Box::new(AbsentRemovals)),
    },
    Bug {
        name: "mirror-changes-cut-at-64k",
        description: "A Mirror sends no more than 65,536 bytes of a changed value.",
        breaks: "NEO-MIRROR-12",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::RecordChanged(key, value)) if value.len() > 65_536 => {
                    said(&[FromNode::RecordChanged(key, value.slice(..65_536))])
                }
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-swaps-changes",
        description: "A Mirror sends every other change behind the one that follows it.",
        breaks: "NEO-MIRROR-16",
        seam: Seam::Leaving(|| {
            let mut held = false;
            Box::new(move |message: &Message<'_>| {
                held = is_change(message) && !held;
                match held {
                    true => Fate::Hold,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-refresh-sends-replaced-values",
        description: "A refresh sends the values that records had before their last write.",
        breaks: "NEO-MIRROR-18",
        seam: Seam::Host(|| Box::new(Replaced::default())),
    },
    Bug {
        name: "mirror-refresh-sends-removed-records",
        description: "A refresh sends records that were removed.",
        breaks: "NEO-MIRROR-19",
        seam: Seam::Host(|| Box::new(Undead::default())),
    },
    Bug {
        name: "mirror-refresh-overtaken",
        description: "A Mirror sends a refresh with an older value behind each change.",
        breaks: "NEO-MIRROR-18",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(change @ (FromNode::RecordChanged(key, _) | FromNode::RecordDeleted(key))) => {
                    let old = (key, Bytes::from_static(b"000000"));
                    let refresh = FromNode::RecordRefreshBatch(block([old].into_iter()).into());
                    said(&[change, refresh])
                }
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-refresh-keys-with-length",
        description: "A refresh sends the keys with their length, as GetAll does.",
        breaks: "NEO-BATCH-08",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_batch(message, |records| {
                    let mut batch = GetAllBatch::default();
                    for (key, value) in records {
                        // What does not fit any more is lost; the node is wrong anyway.
                        let _ = batch.push(key, &value);
                    }
                    batch.finish()
                })
            })
        }),
    },
    Bug {
        name: "mirror-refresh-wrong-value",
        description: "A refresh sends values whose first byte is another.",
        breaks: "NEO-MIRROR-04",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_batch(message, |records| {
                    block(records.into_iter().map(|(key, value)| {
                        let mut value = value.to_vec();
                        if let Some(first) = value.first_mut() {
                            *first ^= 1;
                        }
                        (key, value.into())
                    }))
                })
            })
        }),
    },
    Bug {
        name: "mirror-refresh-batches-too-long",
        description: "A refresh sends batches of more than 131,071 bytes.",
        breaks: "NEO-BATCH-09",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_batch(message, |records| {
                    block(records.into_iter().cycle().take(150_000))
                })
            })
        }),
    },
    Bug {
        name: "mirror-refresh-begins-empty",
        description: "A refresh at the start begins with an empty batch.",
        breaks: "NEO-BATCH-10",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let asked = open_of(message).is_some_and(|open| open.settings.initial_refresh);
                match from_node(message) {
                    Some(FromNode::Started) if asked => said(&[
                        FromNode::Started,
                        FromNode::RecordRefreshBatch(block([].into_iter()).into()),
                    ]),
                    _ => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-deaf-after-suspension",
        description: "A Mirror that was suspended and resumed reports no more changes.",
        breaks: "NEO-MIRROR-42",
        seam: Seam::Leaving(|| {
            let mut acks = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                let acks = acks_of(&mut acks, message);
                match acks >= 2 && is_change(message) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-no-refresh-after-suspension",
        description: "A Mirror that was suspended and resumed sends no more refreshes.",
        breaks: "NEO-MIRROR-43",
        seam: Seam::Leaving(|| {
            let mut acks = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                let acks = acks_of(&mut acks, message);
                match acks >= 2 && is_batch(message) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-overflow-told-once",
        description: "A Mirror says only once that it lost changes.",
        breaks: "NEO-MIRROR-25",
        seam: Seam::Leaving(|| {
            let mut told = BTreeSet::new();
            Box::new(move |message: &Message<'_>| match from_node(message) {
                Some(FromNode::UpdateOverflow) if !told.insert(name(message)) => Fate::lost(),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-overflow-invented",
        description: "A Mirror says every ten changes that it lost some.",
        breaks: "NEO-MIRROR-24",
        seam: Seam::Leaving(|| {
            let mut changes = 0_u64;
            Box::new(move |message: &Message<'_>| {
                changes += u64::from(is_change(message));
                match from_node(message) {
                    Some(change) if is_change(message) && changes.is_multiple_of(10) => {
                        said(&[change, FromNode::UpdateOverflow])
                    }
                    _ => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-overflow-comes-first",
        description: "A Mirror that lost changes says so before it sends those that it has.",
        breaks: "NEO-MIRROR-23",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_change(message) {
                true => Fate::Hold,
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-removal-lost-behind-change",
        description: "Mirrors are not told that their channel was removed if it was written to before.",
        breaks: "NEO-MIRROR-29",
        seam: Seam::Event(|| {
            let mut written = BTreeSet::new();
            Box::new(move |event| match event {
                Event::Gone(channel) if written.contains(&channel) => None,
                event => {
                    written.insert(event.channel());
                    Some(event)
                }
            })
        }),
    },
    Bug {
        name: "mirror-removal-deletes",
        description: "A Mirror of a removed channel reports a deletion as well.",
        breaks: "NEO-MIRROR-31",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::ChannelRemoved) => {
                    said(&[FromNode::RecordDeleted(Key(1)), FromNode::ChannelRemoved])
                }
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-follows-next-channel",
        description: "A Mirror of a removed channel goes on with the channels that are created then.",
        breaks: "NEO-MIRROR-34",
        seam: Seam::Event(|| {
            let mut gone = None;
            Box::new(move |event| match (event, gone) {
                (Event::Gone(channel), _) => {
                    gone = Some(channel);
                    None
                }
                (
                    Event::Record(channel, Change::Changed(key) | Change::Deleted(key)),
                    Some(gone),
                ) if channel > gone => Some(Event::Record(gone, Change::Deleted(key))),
                (event, _) => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-told-of-other-channels",
        description: "Mirrors of the first channel that is written to are told what happens in all.",
        breaks: "NEO-MIRROR-33",
        seam: Seam::Event(|| {
            let mut first = None;
            Box::new(move |event| match event {
                Event::Record(channel, change) => {
                    let first = *first.get_or_insert(channel);
                    Some(Event::Record(first, change))
                }
                event => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-only-one-served",
        description: "Of all Mirrors only the first is told of changes.",
        breaks: "NEO-MIRROR-35",
        seam: Seam::Leaving(|| {
            let mut first = None;
            Box::new(move |message: &Message<'_>| {
                let first = match message.is(RequestCode::Mirror) {
                    true => *first.get_or_insert(name(message)) == name(message),
                    false => true,
                };
                match is_change(message) && !first {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-suspended-holds-others",
        description: "Once a Mirror was started suspended, no other one is told of changes.",
        breaks: "NEO-MIRROR-36",
        seam: Seam::Leaving(|| {
            let mut suspended = false;
            Box::new(move |message: &Message<'_>| {
                let starts = open_of(message).is_some_and(|open| open.start_suspended);
                suspended |= starts;
                match suspended && !starts && is_change(message) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-acks-twice",
        description: "A Mirror acknowledges control messages twice.",
        breaks: "NEO-CTL-02",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::Ack) => Fate::twice(message),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-repeated-control-lost",
        description: "A Mirror ignores a control message that asks for what it does already.",
        breaks: "NEO-CTL-05",
        seam: Seam::Arriving(|| {
            let mut last = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                if !message.is(RequestCode::Mirror) {
                    return Fate::Pass;
                }
                let wanted = match message.number {
                    0 => vec![Control::Resume as u8],
                    _ => message.payload.to_vec(),
                };
                let before = last.insert(name(message), wanted);
                match message.number > 0 && before.as_deref() == Some(message.payload) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-resume-ignored",
        description: "A Mirror acknowledges Resume and stays suspended.",
        breaks: "NEO-CTL-08",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Mirror) && message.payload == [Control::Resume as u8]
                {
                    true => Fate::changed([Control::Suspend as u8]),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-control-quiets-others",
        description: "Once a Mirror has acknowledged a control message, others on its connection report no more changes.",
        breaks: "NEO-CTL-11",
        seam: Seam::Leaving(|| {
            let mut controlled = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                if from_node(message) == Some(FromNode::Ack) {
                    controlled.insert(message.connection, message.id);
                }
                let quiet = controlled
                    .get(&message.connection)
                    .is_some_and(|controlled| *controlled != message.id);
                match quiet && is_change(message) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-acks-behind-end",
        description: "A Mirror sends an Ack behind ChannelRemoved.",
        breaks: "NEO-CTL-14",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::ChannelRemoved) => said(&[FromNode::ChannelRemoved, FromNode::Ack]),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-id-not-freed",
        description: "A Mirror with an id that a Mirror of the connection had before costs the connection.",
        breaks: "NEO-CTL-13",
        seam: Seam::Arriving(|| {
            let mut used = BTreeSet::new();
            Box::new(move |message: &Message<'_>| {
                let opens = message.is(RequestCode::Mirror) && message.number == 0;
                match opens && !used.insert(name(message)) {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-control-behind-removal-closes",
        description: "A control message for a Mirror costs the connection once any channel was removed.",
        breaks: "NEO-CTL-16",
        seam: Seam::Arriving(|| {
            let mut removed = false;
            Box::new(move |message: &Message<'_>| {
                removed |= message.is(RequestCode::RemoveChannel);
                let control = message.is(RequestCode::Mirror) && matches!(message.payload, [1..=3]);
                match removed && control {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "mirror-started-behind-data",
        description: "A Mirror says that it has started behind its first data.",
        breaks: "NEO-CTL-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::Started) => Fate::Hold,
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "mirror-end-silences-connection",
        description: "Behind ChannelRemoved nothing more is sent on the connection.",
        breaks: "NEO-CTL-18",
        seam: Seam::Leaving(|| {
            let mut ended = BTreeSet::new();
            Box::new(move |message: &Message<'_>| {
                if ended.contains(&message.connection) {
                    return Fate::lost();
                }
                if from_node(message) == Some(FromNode::ChannelRemoved) {
                    ended.insert(message.connection);
                }
                Fate::Pass
            })
        }),
    },
];

/// A request on a connection.
type Name = (ConnectionId, RequestId);

fn name(message: &Message<'_>) -> Name {
    (message.connection, message.id)
}

/// What a Mirror says, its supported status left out.
fn from_node(message: &Message<'_>) -> Option<FromNode> {
    if !message.is(RequestCode::Mirror) || message.number == 0 {
        return None;
    }
    FromNode::decode(message.payload).ok()
}

fn is_change(message: &Message<'_>) -> bool {
    message.has_type(RequestCode::Mirror, 7) || message.has_type(RequestCode::Mirror, 8)
}

fn is_batch(message: &Message<'_>) -> bool {
    message.has_type(RequestCode::Mirror, 9)
}

/// What a Mirror was asked for.
fn open_of(message: &Message<'_>) -> Option<Open> {
    match message.is(RequestCode::Mirror) {
        true => Open::decode(message.opening.get(2..)?).ok(),
        false => None,
    }
}

/// How many Acks the Mirror of a message has sent.
fn acks_of(acks: &mut BTreeMap<Name, u64>, message: &Message<'_>) -> u64 {
    let acks = acks.entry(name(message)).or_default();
    match from_node(message) {
        Some(FromNode::Started) => *acks = 0,
        Some(FromNode::Ack) => *acks += 1,
        _ => {}
    }
    *acks
}

fn said(messages: &[FromNode]) -> Fate {
    let payloads = messages.iter().map(|message| {
        let mut payload = Vec::new();
        message.encode(&mut payload);
        payload
    });
    Fate::Instead(payloads.collect())
}

/// Sends another block than the one of a refresh.
fn in_batch(message: &Message<'_>, change: impl FnOnce(Vec<(Key, Bytes)>) -> Vec<u8>) -> Fate {
    let Some(FromNode::RecordRefreshBatch(block)) = from_node(message) else {
        return Fate::Pass;
    };
    match batch::decode_refresh(&block) {
        Ok(records) => said(&[FromNode::RecordRefreshBatch(change(records).into())]),
        Err(_) => Fate::Pass,
    }
}

/// A block of a refresh, however long.
fn block(records: impl Iterator<Item = (Key, Bytes)>) -> Vec<u8> {
    let mut plain = Vec::new();
    for (key, value) in records {
        plain.put_u64(key.0);
        plain.put_array(&value);
        // Longer than any client takes.
        if plain.len() > 200_000 {
            break;
        }
    }
    lzo::compress(&plain)
}

/// Changes what the client asks for.
fn opened(message: &Message<'_>, change: impl FnOnce(&mut Open)) -> Fate {
    let fields = message.payload.get(2..);
    match fields.map(Open::decode) {
        Some(Ok(mut open)) if message.is(RequestCode::Mirror) && message.number == 0 => {
            change(&mut open);
            Fate::changed(open.encode())
        }
        _ => Fate::Pass,
    }
}

/// Puts an absent record before it is removed, twice.
struct AbsentRemovals;

impl HostBug for AbsentRemovals {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let removed = host.remove(channel, key)?;
        if !removed {
            for _ in 0..2 {
                host.put(channel, key, &Bytes::from_static(b"absent"))?;
                host.remove(channel, key)?;
            }
        }
        Ok(removed)
    }
}

/// Walks find the values that were replaced last.
#[derive(Default)]
struct Replaced(BTreeMap<(ChannelId, Key), Bytes>);

impl HostBug for Replaced {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        if let Some(before) = host.get(channel, key)? {
            self.0.insert((channel, key), before);
        }
        host.put(channel, key, value)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        let (key, value) = host.record_after(channel, after)?;
        let before = self.0.get(&(channel, key)).cloned();
        Some((key, before.unwrap_or(value)))
    }
}

/// Walks find removed records as well.
#[derive(Default)]
struct Undead(BTreeMap<(ChannelId, Key), Bytes>);

impl HostBug for Undead {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        if let Some(value) = host.get(channel, key)? {
            self.0.insert((channel, key), value);
        }
        host.remove(channel, key)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        let mut removed = self
            .0
            .iter()
            .filter(|((of, key), _)| *of == channel && after.is_none_or(|after| *key > after));
        let removed = removed
            .next()
            .map(|((_, key), value)| (*key, value.clone()));
        match (host.record_after(channel, after), removed) {
            (Some(there), Some(removed)) if removed.0 < there.0 => Some(removed),
            (None, removed) => removed,
            (there, _) => there,
        }
    }
}
