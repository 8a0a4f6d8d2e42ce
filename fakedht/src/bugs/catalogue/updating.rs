//! Bugs of Update beyond the plainest, of the list of channels, of their removal and of the hash range.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::neo::request::get_channels::FromNode;
use dht_protocol::neo::request::update::{FromClient, Open, Replacement};
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};
use dht_protocol::{ChannelName, Key};

use crate::bugs::Bug;
use crate::bugs::seam::{Call, Fate, HostBug, Message, MessageBug, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "update-cuts-last-byte",
        description: "An Update reads the value without its last byte.",
        breaks: "NEO-UPDATE-01",
        seam: Seam::Leaving(|| Box::new(cut_value)),
    },
    Bug {
        name: "update-wrong-node-says-absent",
        description: "An Update of a key outside the hash range is answered NoRecord.",
        breaks: "NEO-UPDATE-03",
        seam: Seam::Leaving(|| Box::new(|message: &Message<'_>| answered(message, 9, 7))),
    },
    Bug {
        name: "update-hashes-length",
        description: "The hash that an Update compares covers the length of the value.",
        breaks: "NEO-UPDATE-05",
        seam: Seam::Host(|| Box::new(Compares::WithLength)),
    },
    Bug {
        name: "update-hashes-64-bytes",
        description: "The hash that an Update compares covers only the first 64 bytes of the value.",
        breaks: "NEO-UPDATE-05",
        seam: Seam::Host(|| Box::new(Compares::Beginning)),
    },
    Bug {
        name: "update-conflict-spoils-record",
        description: "An Update that is answered UpdateConflict takes the record away from readers.",
        breaks: "NEO-UPDATE-07",
        seam: Seam::Host(|| Box::new(ConflictSpoils::default())),
    },
    Bug {
        name: "update-notices-rewriting",
        description: "An Update is refused if the record was written since, also with the same value.",
        breaks: "NEO-UPDATE-09",
        seam: Seam::Host(|| Box::new(NoticesRewriting::default())),
    },
    Bug {
        name: "update-refuses-same-value",
        description: "An Update with the value that is stored already is answered Error.",
        breaks: "NEO-UPDATE-10",
        seam: Seam::Host(|| Box::new(Refuses::SameValue)),
    },
    Bug {
        name: "update-recreates-nothing",
        description: "An Update of a record that was removed since it was read is answered Error.",
        breaks: "NEO-UPDATE-11",
        seam: Seam::Host(|| Box::new(Refuses::RemovedSince)),
    },
    Bug {
        name: "update-direct-needs-record",
        description: "An Update that opens with UpdateRecord is answered Error if there is no record.",
        breaks: "NEO-UPDATE-15",
        seam: Seam::Host(|| Box::new(Refuses::DirectAbsent)),
    },
    Bug {
        name: "update-direct-miscompares",
        description: "An Update that opens with UpdateRecord compares with another hash than was sent.",
        breaks: "NEO-UPDATE-13",
        seam: Seam::Arriving(|| Box::new(miscompare)),
    },
    Bug {
        name: "update-conflict-says-ok",
        description: "An Update that changed nothing because of a conflict is answered Ok.",
        breaks: "NEO-UPDATE-14",
        seam: Seam::Leaving(|| Box::new(|message: &Message<'_>| answered(message, 8, 6))),
    },
    Bug {
        name: "update-remove-compares",
        description: "RemoveRecord is answered Error if the value has changed since it was read.",
        breaks: "NEO-UPDATE-19",
        seam: Seam::Host(|| Box::new(RemoveCompares::default())),
    },
    Bug {
        name: "update-remove-needs-record",
        description: "RemoveRecord is answered Error if the record is gone already.",
        breaks: "NEO-UPDATE-18",
        seam: Seam::Host(|| Box::new(Refuses::RemovedTwice)),
    },
    Bug {
        name: "update-leave-removes",
        description: "LeaveRecord removes the record.",
        breaks: "NEO-UPDATE-21",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| instead_of_leaving(message, &FromClient::RemoveRecord))
        }),
    },
    Bug {
        name: "update-leave-conflicts",
        description: "LeaveRecord is compared with the record and answered UpdateConflict.",
        breaks: "NEO-UPDATE-20",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let nothing = Replacement {
                    original_hash: 0,
                    new_value: Bytes::new(),
                };
                instead_of_leaving(message, &FromClient::UpdateRecord(nothing))
            })
        }),
    },
    Bug {
        name: "update-keeps-others-waiting",
        description: "While an Update waits for its decision no other request about records is answered.",
        breaks: "NEO-UPDATE-22",
        seam: Seam::Arriving(|| Box::new(keep_waiting)),
    },
    Bug {
        name: "update-hides-record",
        description: "A record that an Update has read is hidden from others until it is written.",
        breaks: "NEO-UPDATE-23",
        seam: Seam::Host(|| Box::new(Hides::default())),
    },
    Bug {
        name: "update-bad-decision-removes",
        description: "A decision that cannot be read is taken for RemoveRecord.",
        breaks: "NEO-UPDATE-26",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let decision = message.is(UPDATE) && message.number > 0;
                match decision && FromClient::decode(message.payload).is_err() {
                    true => Fate::changed(FromClient::RemoveRecord.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "update-compares-any-channel",
        description: "An Update compares with the last value of the key in whatever channel.",
        breaks: "NEO-UPDATE-04",
        seam: Seam::Host(|| Box::new(AnyChannel::default())),
    },
    Bug {
        name: "get-channels-cuts-names",
        description: "GetChannels reports only the first 100 bytes of a name.",
        breaks: "NEO-CHANNELS-01",
        seam: Seam::Leaving(|| Box::new(cut_name)),
    },
    Bug {
        name: "get-channels-finishes-twice",
        description: "GetChannels sends Finished twice.",
        breaks: "NEO-CHANNELS-02",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_CHANNELS, 3) {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-channels-skips-empty",
        description: "GetChannels leaves out channels without records.",
        breaks: "NEO-CHANNELS-04",
        seam: Seam::Host(|| Box::new(SkipsEmpty)),
    },
    Bug {
        name: "get-channels-ends-at-removal",
        description: "The removal of a channel ends the list of a GetChannels that runs.",
        breaks: "NEO-CHANNELS-07",
        seam: Seam::Host(|| Box::new(EndsAtRemoval::default())),
    },
    Bug {
        name: "get-channels-creates",
        description: "Each GetChannels makes a channel that is listed from the next one on.",
        breaks: "NEO-CHANNELS-06",
        seam: Seam::Leaving(|| Box::new(Creates::default())),
    },
    Bug {
        name: "remove-channel-during-get-channels-crashes",
        description: "A RemoveChannel while any GetChannels runs makes the node crash.",
        breaks: "NEO-CHANNELS-07",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let removal = message.is(RequestCode::RemoveChannel);
                match removal && message.running.any(GET_CHANNELS) {
                    true => Fate::Crash,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "remove-channel-takes-longer-names",
        description: "A RemoveChannel also removes the channels whose names begin with the name.",
        breaks: "NEO-RMCHANNEL-04",
        seam: Seam::Host(|| Box::new(Removal::LongerNames)),
    },
    Bug {
        name: "remove-channel-needs-channel",
        description: "A RemoveChannel of a channel that does not exist is answered Error.",
        breaks: "NEO-RMCHANNEL-05",
        seam: Seam::Host(|| Box::new(Removal::NeedsChannel)),
    },
    Bug {
        name: "remove-channel-creates",
        description: "A RemoveChannel of a channel that does not exist creates it.",
        breaks: "NEO-RMCHANNEL-06",
        seam: Seam::Host(|| Box::new(Removal::Creates)),
    },
    Bug {
        name: "remove-channel-says-error",
        description: "A RemoveChannel that was carried out is answered Error.",
        breaks: "NEO-RMCHANNEL-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::RemoveChannel, 1) {
                    true => Fate::changed([3]),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "range-has-type",
        description: "The first answer of GetHashRange has a type byte.",
        breaks: "NEO-RANGE-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_range(message) {
                true => Fate::changed([&[2], message.payload].concat()),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "range-ends-swapped",
        description: "GetHashRange tells the upper end of the range before the lower one.",
        breaks: "NEO-RANGE-02",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.payload.split_at_checked(8) {
                    Some((min, max)) if is_range(message) => Fate::changed([max, min].concat()),
                    _ => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "range-told-once",
        description: "Only the first GetHashRange of a node is told the range, others the empty one.",
        breaks: "NEO-RANGE-05",
        seam: Seam::Leaving(|| {
            let mut told = false;
            Box::new(move |message: &Message<'_>| {
                if !is_range(message) || !std::mem::replace(&mut told, true) {
                    return Fate::Pass;
                }
                Fate::changed([[0xff; 8], [0; 8]].concat())
            })
        }),
    },
    Bug {
        name: "range-repeated",
        description: "The first answer of GetHashRange is sent twice.",
        breaks: "NEO-RANGE-04",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_range(message) {
                true => Fate::twice(message),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "range-begins-again",
        description: "A GetHashRange ends with its first answer and begins again, with its status.",
        breaks: "NEO-RANGE-03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let range = message.payload.to_vec();
                match is_range(message) {
                    true => Fate::Instead(vec![range.clone(), vec![0xfd], range]),
                    false => Fate::Pass,
                }
            })
        }),
    },
];

const GET_CHANNELS: RequestCode = RequestCode::GetChannels;
const UPDATE: RequestCode = RequestCode::Update;

type Record = (ChannelId, Key);

fn cut_value(message: &Message<'_>) -> Fate {
    match message.payload {
        [5, _, _, _, _, _, _, _, _, value @ .., _] if message.is(UPDATE) => {
            let length = (value.len() as u64).to_le_bytes();
            Fate::changed([&[5], &length[..], value].concat())
        }
        _ => Fate::Pass,
    }
}

/// An Update's answer `of` becomes the answer `to`.
fn answered(message: &Message<'_>, of: u8, to: u8) -> Fate {
    match message.has_type(UPDATE, of) && message.payload.len() == 1 {
        true => Fate::changed([to]),
        false => Fate::Pass,
    }
}

fn instead_of_leaving(message: &Message<'_>, decision: &FromClient) -> Fate {
    match message.has_type(UPDATE, 4) {
        true => Fate::changed(decision.encode()),
        false => Fate::Pass,
    }
}

fn miscompare(message: &Message<'_>) -> Fate {
    let fields = message.payload.get(2..).unwrap_or_default();
    match Open::decode(fields) {
        Ok(Open::UpdateRecord(record, mut replacement)) if message.is(UPDATE) => {
            replacement.original_hash ^= 1;
            Fate::changed(Open::UpdateRecord(record, replacement).encode())
        }
        _ => Fate::Pass,
    }
}

fn keep_waiting(message: &Message<'_>) -> Fate {
    use RequestCode::{Exists, Get, GetAll, Put, Remove, Update};

    let about_records = matches!(
        message.request,
        Some(Put | Get | Exists | Remove | GetAll | Update)
    );
    match about_records && message.number == 0 && message.running.any(UPDATE) {
        true => Fate::lost(),
        false => Fate::Pass,
    }
}

/// Is it the first answer of a GetHashRange?
fn is_range(message: &Message<'_>) -> bool {
    message.is(RequestCode::GetHashRange) && message.number == 1
}

fn cut_name(message: &Message<'_>) -> Fate {
    match FromNode::decode(message.payload) {
        Ok(FromNode::ChannelName(name))
            if message.is(GET_CHANNELS) && name.as_bytes().len() > 100 =>
        {
            let mut shorter = Vec::new();
            let name = ChannelName::copy_from(&name.as_bytes()[..100]);
            FromNode::ChannelName(name).encode(&mut shorter);
            Fate::changed(shorter)
        }
        _ => Fate::Pass,
    }
}

fn refused<T>(reason: &str) -> Result<T, HostError> {
    Err(HostError(reason.to_owned()))
}

/// What the hash of an Update's second step is made of.
enum Compares {
    WithLength,
    Beginning,
}

impl HostBug for Compares {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        if !call.is(UPDATE) || call.first {
            return Ok(value);
        }
        Ok(value.map(|value| match self {
            Self::WithLength => {
                let length = (value.len() as u64).to_le_bytes();
                [&length[..], &value].concat().into()
            }
            Self::Beginning => value.slice(..value.len().min(64)),
        }))
    }
}

/// What was read by the first steps of Updates, and which records had changed at a second step.
#[derive(Default)]
struct ConflictSpoils {
    read: RefCell<BTreeMap<Record, Bytes>>,
    spoilt: RefCell<BTreeSet<Record>>,
}

impl HostBug for ConflictSpoils {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let (record, value) = ((channel, key), host.get(channel, key)?);
        if !call.is(UPDATE) {
            let spoilt = self.spoilt.borrow().contains(&record);
            return Ok(value.filter(|_| !spoilt));
        }
        if let Some(value) = &value {
            let mut read = self.read.borrow_mut();
            if call.first {
                read.insert(record, value.clone());
            } else if read.get(&record) != Some(value) {
                self.spoilt.borrow_mut().insert(record);
            }
        }
        Ok(value)
    }
}

/// How often each record was written, and how often when an Update read it.
#[derive(Default)]
struct NoticesRewriting {
    writes: BTreeMap<Record, u64>,
    read: RefCell<BTreeMap<Record, u64>>,
}

impl HostBug for NoticesRewriting {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let (record, value) = ((channel, key), host.get(channel, key)?);
        if !call.is(UPDATE) {
            return Ok(value);
        }
        let writes = self.writes.get(&record).copied().unwrap_or_default();
        if call.first {
            self.read.borrow_mut().insert(record, writes);
            return Ok(value);
        }
        let same = self.read.borrow().get(&record) == Some(&writes);
        Ok(match same {
            true => value,
            false => value.map(|value| [&value, &b"rewritten"[..]].concat().into()),
        })
    }

    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        *self.writes.entry((channel, key)).or_default() += 1;
        host.put(channel, key, value)
    }
}

/// What an Update is answered Error for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Refuses {
    SameValue,
    RemovedSince,
    RemovedTwice,
    DirectAbsent,
}

impl HostBug for Refuses {
    fn put(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        let stored = host.get(channel, key)?;
        let refuses = match self {
            Self::SameValue => stored.as_ref() == Some(value),
            Self::RemovedSince => !call.first && stored.is_none(),
            Self::DirectAbsent => call.first && stored.is_none(),
            Self::RemovedTwice => false,
        };
        match refuses && call.is(UPDATE) {
            true => refused("not so"),
            false => host.put(channel, key, value),
        }
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let removed = host.remove(channel, key)?;
        match *self == Self::RemovedTwice && call.is(UPDATE) && !removed {
            true => refused("no such record"),
            false => Ok(removed),
        }
    }
}

/// What Updates have read.
#[derive(Default)]
struct RemoveCompares(RefCell<BTreeMap<Record, Bytes>>);

impl HostBug for RemoveCompares {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        if let (true, Some(value)) = (call.is(UPDATE), &value) {
            self.0.borrow_mut().insert((channel, key), value.clone());
        }
        Ok(value)
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let read = self.0.borrow().get(&(channel, key)).cloned();
        let stored = host.get(channel, key)?;
        match call.is(UPDATE) && stored.is_some() && stored != read {
            true => refused("changed"),
            false => host.remove(channel, key),
        }
    }
}

/// The records that Updates have read.
#[derive(Default)]
struct Hides(RefCell<BTreeSet<Record>>);

impl HostBug for Hides {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let (record, value) = ((channel, key), host.get(channel, key)?);
        let mut hidden = self.0.borrow_mut();
        if call.is(UPDATE) {
            hidden.insert(record);
            return Ok(value);
        }
        Ok(value.filter(|_| !hidden.contains(&record)))
    }

    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        self.0.borrow_mut().remove(&(channel, key));
        host.put(channel, key, value)
    }
}

/// The last value of each key.
#[derive(Default)]
struct AnyChannel(BTreeMap<Key, Bytes>);

impl HostBug for AnyChannel {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        Ok(match call.is(UPDATE) && !call.first {
            true => value.and_then(|_| self.0.get(&key).cloned()),
            false => value,
        })
    }

    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        self.0.insert(key, value.clone());
        host.put(channel, key, value)
    }
}

/// Was a channel removed, and no list ended since?
#[derive(Default)]
struct EndsAtRemoval(Cell<bool>);

impl HostBug for EndsAtRemoval {
    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Result<(), HostError> {
        self.0.set(true);
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        match after {
            Some(_) if self.0.take() => None,
            after => host.channel_after(after),
        }
    }
}

struct SkipsEmpty;

impl HostBug for SkipsEmpty {
    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        let mut next = host.channel_after(after)?;
        while let Some(channel) = host.find_channel(&next) {
            if host.record_after(channel, None).is_some() {
                break;
            }
            next = host.channel_after(Some(&next))?;
        }
        Some(next)
    }
}

/// The last message before Finished, and how many lists there were.
#[derive(Default)]
struct Creates {
    last: Vec<u8>,
    lists: u64,
}

impl MessageBug for Creates {
    fn meet(&mut self, message: &Message<'_>) -> Fate {
        if message.has_type(GET_CHANNELS, 2) {
            self.last = message.payload.to_vec();
        }
        if !message.has_type(GET_CHANNELS, 3) {
            return Fate::Pass;
        }
        self.lists += 1;
        match FromNode::decode(&self.last) {
            Ok(FromNode::ChannelName(last)) if self.lists > 1 => {
                let name = [last.as_bytes(), b"-new"].concat();
                let mut created = Vec::new();
                FromNode::ChannelName(ChannelName::copy_from(&name)).encode(&mut created);
                Fate::Instead(vec![created, message.payload.to_vec()])
            }
            _ => Fate::Pass,
        }
    }
}

/// What is wrong with RemoveChannel.
enum Removal {
    LongerNames,
    NeedsChannel,
    Creates,
}

impl HostBug for Removal {
    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Result<(), HostError> {
        let exists = host.find_channel(name).is_some();
        match self {
            Self::NeedsChannel if !exists => refused("no such channel"),
            Self::Creates if !exists => host.open_channel(name).map(drop),
            Self::LongerNames => {
                while let Some(longer) = host.channel_after(Some(name)) {
                    if !longer.as_bytes().starts_with(name.as_bytes()) {
                        break;
                    }
                    host.remove_channel(&longer)?;
                }
                host.remove_channel(name)
            }
            _ => host.remove_channel(name),
        }
    }
}
