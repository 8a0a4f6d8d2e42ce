//! Bugs that show only when the requests of several clients, or a stream and a write, meet in a certain
//! order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::get::Value;
use dht_protocol::neo::request::mirror::{self, Change};
use dht_protocol::neo::request::{
    Command, Host, RecordName, RequestCode, exists, get_all, put, remove, update,
};
use dht_requirements as req;

use super::batch::{is_batch, with_records};
use super::get::is_value;
use super::mirror::is_change;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, leaving, lost};
use crate::bugs::host_bug::{At, Done, Found, HostBug, RecordId, Removed, host};
use crate::bugs::message::{Message, Opening};
use crate::bugs::seam::{Seam, told};
use crate::node::ConnectionId;
use crate::node::host::Event;

const GET: RequestCode = RequestCode::Get;
const UPDATE: RequestCode = RequestCode::Update;

/// A request among those of all connections.
type RequestName = (ConnectionId, RequestId);

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "update-misses-put-between",
        description: "An Update does not notice a Put that came since it has read the record.",
        breaks: &req::UPDATE_CONFLICT,
        seam: || host(Unnoticed::of(RequestCode::Put)),
    },
    Bug {
        name: "update-misses-update-between",
        description: "An Update does not notice another one that came since it has read the record.",
        breaks: &req::UPDATE_ONE_WINNER,
        seam: || host(Unnoticed::of(RequestCode::Update)),
    },
    Bug {
        name: "update-deleted-still-exists",
        description: "The first look at a record that an Update has deleted still finds it.",
        breaks: &req::UPDATE_REMOVE,
        seam: || host(DeletedStillExists::default()),
    },
    Bug {
        name: "update-answered-as-neighbour",
        description: "An Update that ends directly behind one that conflicted is answered as that one.",
        breaks: &req::UPDATE_WRITE,
        seam: || {
            let mut before = None;
            leaving(move |message| {
                let now = match message.said() {
                    Some(end @ (update::FromNode::Ok | update::FromNode::UpdateConflict)) => end,
                    _ => return Fate::Pass,
                };
                match before.replace(now.clone()) {
                    Some(update::FromNode::UpdateConflict) if now == update::FromNode::Ok => {
                        Fate::said([update::FromNode::UpdateConflict])
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "get-cached-by-connection",
        description: "A connection that has read a record reads it once more as it was after another one \
                      has written it.",
        breaks: &req::DATA_LINEARIZABLE,
        seam: cached_by_connection,
    },
    Bug {
        name: "get-old-during-get-all",
        description: "While a GetAll runs a Get returns the value before the last Put.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || old_while(RequestCode::GetAll),
    },
    Bug {
        name: "get-old-during-update",
        description: "While an Update waits a Get returns the value before the last Put.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || old_while(RequestCode::Update),
    },
    Bug {
        name: "get-value-of-other-connection",
        description: "Of two Gets on two connections which are answered one after the other the second one \
                      gets the value of the first.",
        breaks: &req::GET_VALUE_EXACT,
        seam: || {
            let mut before: Option<(ConnectionId, Vec<u8>)> = None;
            leaving(move |message| {
                if !message.is(GET) {
                    before = None;
                    return Fate::Pass;
                }
                if !is_value(message) {
                    return Fate::Pass;
                }
                let now = (message.connection, message.payload.to_vec());
                match before.replace(now) {
                    Some((connection, value)) if connection != message.connection => {
                        Fate::changed(value)
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "put-lost-behind-another",
        description: "Of two Puts of a record which arrive one after the other on two connections the \
                      second one is acknowledged and not stored.",
        breaks: &req::DATA_LINEARIZABLE,
        seam: || {
            let mut before: Option<(ConnectionId, put::Open)> = None;
            arriving(move |message| {
                let now: Option<put::Open> = message.opens();
                let last = before.take();
                before = now.clone().map(|open| (message.connection, open));
                match (last, now) {
                    (Some((connection, last)), Some(now))
                        if connection != message.connection && last.record == now.record =>
                    {
                        Fate::changed(last.payload())
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "remove-won-twice",
        description: "Of two Removes of a record which come one after the other both are said to have \
                      removed it.",
        breaks: &req::REMOVE_ONE_WINNER,
        seam: || {
            let mut won: Option<RecordName> = None;
            leaving(move |message| match message.said() {
                Some(remove::Reply::Removed) => {
                    won = record_of(message);
                    Fate::Pass
                }
                Some(remove::Reply::NoRecord) if won.is_some() && won == record_of(message) => {
                    Fate::said([remove::Reply::Removed])
                }
                Some(_) => Fate::Pass,
                None => {
                    won = won.take().filter(|_| message.is(RequestCode::Remove));
                    Fate::Pass
                }
            })
        },
    },
    Bug {
        name: "exists-true-behind-remove",
        description: "An Exists directly behind the Remove of its record on another connection is answered \
                      that there is one.",
        breaks: &req::DATA_REMOVE_VISIBLE,
        seam: || {
            let mut removed: Option<(ConnectionId, RecordName)> = None;
            leaving(move |message| {
                if message.said() == Some(remove::Reply::Removed) {
                    removed = record_of(message).map(|record| (message.connection, record));
                    return Fate::Pass;
                }
                if message.said() != Some(exists::Reply::NoRecord) {
                    return Fate::Pass;
                }
                match (removed.take(), record_of(message)) {
                    (Some((connection, removed)), Some(record))
                        if connection != message.connection && removed == record =>
                    {
                        Fate::said([exists::Reply::RecordExists])
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "put-unanswered-during-update",
        description: "A Put of a record that an Update has read and not decided about is not answered.",
        breaks: &req::UPDATE_NO_LOCK,
        seam: put_unanswered_during_update,
    },
    Bug {
        name: "get-all-forgets-rewritten",
        description: "A GetAll that was suspended leaves out records that were written meanwhile.",
        breaks: &req::GETALL_COMPLETE,
        seam: || get_all_after_suspension(forget_written),
    },
    Bug {
        name: "get-all-repeats-after-put",
        description: "A GetAll that was suspended sends a record twice if there was a Put meanwhile.",
        breaks: &req::GETALL_NO_DUPLICATE,
        seam: || get_all_after_suspension(repeat_first),
    },
    Bug {
        name: "mirror-misses-change-of-refreshed",
        description: "The first change of a record behind the refresh that has told it is not reported.",
        breaks: &req::MIRROR_EVERY_WRITE,
        seam: || {
            let mut refreshed = BTreeMap::new();
            leaving(lost(move |message| {
                let refreshed = refreshed.entry(message.name()).or_insert(false);
                if matches!(
                    message.said(),
                    Some(mirror::FromNode::RecordRefreshBatch(_))
                ) {
                    *refreshed = true;
                    return false;
                }
                is_change(message) && std::mem::take(refreshed)
            }))
        },
    },
    Bug {
        name: "mirror-misses-change-behind-resume",
        description: "The first change that a Mirror should report after it was resumed is lost.",
        breaks: &req::MIRROR_UPDATES_SURVIVE,
        seam: || {
            let mut acks = BTreeMap::new();
            leaving(lost(move |message| {
                let acks = acks.entry(message.name()).or_insert(0_u64);
                match message.said() {
                    Some(mirror::FromNode::Started) => *acks = 0,
                    Some(mirror::FromNode::Ack) => *acks += 1,
                    _ => {}
                }
                let resumed = *acks >= 2 && is_change(message);
                if resumed {
                    *acks -= 2;
                }
                resumed
            }))
        },
    },
    Bug {
        name: "mirror-misses-removal-behind-write",
        description: "Mirrors are not told of the removal of the record that was written last.",
        breaks: &req::MIRROR_REMOVE_REPORTED,
        seam: || {
            let mut written = None;
            told(move |event| match event {
                Event::Record(channel, Change::Changed(key)) => {
                    written = Some((channel, key));
                    Some(event)
                }
                Event::Record(channel, Change::Deleted(key)) => {
                    (written.take() != Some((channel, key))).then_some(event)
                }
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-told-once-for-two",
        description: "Of two Mirrors of a channel on one connection only one is told of a removal.",
        breaks: &req::MIRROR_EACH_SERVED,
        seam: || {
            let mut before: Option<(RequestName, Vec<u8>)> = None;
            leaving(lost(move |message| {
                let deleted = matches!(message.said(), Some(mirror::FromNode::RecordDeleted(_)));
                if !deleted {
                    return false;
                }
                let now = (message.name(), message.payload.to_vec());
                let twin = before.as_ref().is_some_and(|((connection, id), payload)| {
                    *connection == message.connection && *id != message.id && *payload == now.1
                });
                before = Some(now);
                twin
            }))
        },
    },
    Bug {
        name: "mirror-third-is-deaf",
        description: "The third Mirror of a connection is told of no changes.",
        breaks: &req::MIRROR_EACH_SERVED,
        seam: || {
            let (mut counts, mut deaf) = (BTreeMap::new(), BTreeSet::new());
            leaving(lost(move |message| {
                if message.said() == Some(mirror::FromNode::Started) {
                    let count = counts.entry(message.connection).or_insert(0_u64);
                    *count += 1;
                    if *count == 3 {
                        deaf.insert(message.name());
                    }
                }
                is_change(message) && deaf.contains(&message.name())
            }))
        },
    },
];

/// The record that a request is for, at whichever of its messages.
fn record_of(message: &Message<'_>) -> Option<RecordName> {
    match message.request? {
        RequestCode::Put => message.opened().map(|open: put::Open| open.record),
        RequestCode::Update => match message.opened()? {
            update::Open::GetRecord(record) | update::Open::UpdateRecord(record, _) => Some(record),
        },
        RequestCode::Get | RequestCode::Exists | RequestCode::Remove => {
            RecordName::decode_fields(message.opening.get(Command::LEN..)?).ok()
        }
        _ => None,
    }
}

/// The record of a Put that is answered now.
fn put_done(message: &Message<'_>) -> Option<put::Open> {
    match message.said() {
        Some(put::Reply::Put) => message.opened(),
        _ => None,
    }
}

/// An Update compares with what it has read if only requests of one kind have written since.
struct Unnoticed {
    request: RequestCode,
    read: RefCell<BTreeMap<RecordId, Read>>,
}

/// What an Update has read, and which kind of request has written since.
type Read = (Option<Bytes>, Option<RequestCode>);

impl Unnoticed {
    fn of(request: RequestCode) -> Self {
        Self {
            request,
            read: RefCell::default(),
        }
    }

    fn written(&self, at: At) {
        if let Some((_, by)) = self.read.borrow_mut().get_mut(&at.record()) {
            *by = at.call.request;
        }
    }
}

impl HostBug for Unnoticed {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.written(at);
        at.put(host, value)
    }

    fn get(&self, host: &dyn Host, at: At) -> Found {
        let value = at.get(host)?;
        if !at.by(UPDATE) {
            return Ok(value);
        }
        let mut read = self.read.borrow_mut();
        if !at.later_by(UPDATE) {
            read.insert(at.record(), (value.clone(), None));
            return Ok(value);
        }
        match read.get(&at.record()) {
            Some((before, Some(by))) if *by == self.request => Ok(before.clone()),
            _ => Ok(value),
        }
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        self.written(at);
        at.remove(host)
    }
}

/// Remembers the records that Updates have deleted, until somebody looks.
#[derive(Default)]
struct DeletedStillExists(RefCell<BTreeMap<RecordId, Bytes>>);

impl HostBug for DeletedStillExists {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.0.borrow_mut().remove(&at.record());
        at.put(host, value)
    }

    fn get(&self, host: &dyn Host, at: At) -> Found {
        match self.0.borrow_mut().remove(&at.record()) {
            Some(deleted) => Ok(Some(deleted)),
            None => at.get(host),
        }
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        let deleted = at.get(host)?.filter(|_| at.later_by(UPDATE));
        let removed = at.remove(host)?;
        self.0
            .borrow_mut()
            .extend(deleted.map(|value| (at.record(), value)));
        Ok(removed)
    }
}

/// What a connection has read of a record; once another one has written it, it is stale.
fn cached_by_connection() -> Seam {
    let mut cache: HashMap<(ConnectionId, RecordName), (Vec<u8>, bool)> = HashMap::new();
    leaving(move |message| {
        if let Some(put) = put_done(message) {
            for ((connection, record), (_, stale)) in &mut cache {
                *stale = *record == put.record && *connection != message.connection;
            }
            return Fate::Pass;
        }
        let Some(record) = record_of(message).filter(|_| is_value(message)) else {
            return Fate::Pass;
        };
        let now = (message.payload.to_vec(), false);
        match cache.insert((message.connection, record), now) {
            Some((cached, true)) => Fate::changed(cached),
            _ => Fate::Pass,
        }
    })
}

/// While such a request runs the values that Puts have replaced are read.
fn old_while(running: RequestCode) -> Seam {
    let mut values: HashMap<RecordName, (Option<Bytes>, Bytes)> = HashMap::new();
    leaving(move |message| {
        if let Some(put) = put_done(message) {
            let before = values.remove(&put.record).map(|(_, value)| value);
            values.insert(put.record, (before, put.value));
            return Fate::Pass;
        }
        let old = record_of(message)
            .filter(|_| is_value(message) && message.running.any(running))
            .and_then(|record| values.get(&record)?.0.clone());
        Fate::changed_if(old.map(|old| Value(old).encode()))
    })
}

/// Remembers which Updates wait for which records.
fn put_unanswered_during_update() -> Seam {
    let mut waiting: BTreeMap<RequestName, RecordName> = BTreeMap::new();
    leaving(lost(move |message| {
        if message.is(UPDATE) {
            match (message.said(), record_of(message)) {
                (Some(update::FromNode::RecordValue(_)), Some(record)) => {
                    waiting.insert(message.name(), record);
                }
                _ => {
                    waiting.remove(&message.name());
                }
            }
        }
        put_done(message).is_some_and(|put| waiting.values().any(|record| *record == put.record))
    }))
}

/// What is known of a GetAll.
#[derive(Default)]
struct Walk {
    /// Has it agreed to be suspended, and not to be resumed?
    suspended: bool,
    /// What was put meanwhile.
    written: BTreeSet<Key>,
}

/// Changes the records that a GetAll sends after it was suspended.
fn get_all_after_suspension(change: fn(&mut Walk, &mut Vec<(Key, Bytes)>)) -> Seam {
    let mut walks: BTreeMap<RequestName, (Option<get_all::Open>, Walk)> = BTreeMap::new();
    leaving(move |message| {
        if let Some(put) = put_done(message) {
            for (open, walk) in walks.values_mut() {
                let same = open
                    .as_ref()
                    .is_some_and(|open| open.channel == put.record.channel);
                if walk.suspended && same {
                    walk.written.insert(put.record.key);
                }
            }
            return Fate::Pass;
        }
        if !message.is(RequestCode::GetAll) {
            return Fate::Pass;
        }
        if message.is_first() {
            walks.insert(message.name(), (message.opened(), Walk::default()));
        }
        let Some((_, walk)) = walks.get_mut(&message.name()) else {
            return Fate::Pass;
        };
        if message.said() == Some(get_all::FromNode::Ack) {
            walk.suspended = !walk.suspended;
        }
        match is_batch(message) {
            true => with_records(message, |records| change(walk, records)),
            false => Fate::Pass,
        }
    })
}

fn forget_written(walk: &mut Walk, records: &mut Vec<(Key, Bytes)>) {
    records.retain(|(key, _)| !walk.written.contains(key));
}

fn repeat_first(walk: &mut Walk, records: &mut Vec<(Key, Bytes)>) {
    if !std::mem::take(&mut walk.written).is_empty() {
        records.extend(records.first().cloned());
    }
}
