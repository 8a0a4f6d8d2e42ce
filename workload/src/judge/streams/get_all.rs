//! GetAll: what may come, what must.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_model::{Answer, limits};
use dht_protocol::Key;
use dht_protocol::neo::batch;
use dht_requirements::{self as req, Requirement};

use super::changes::{Change, Changes, Channel, Kind, Record};
use super::name;
use super::walk::{Delivery, Walk};
use crate::case::Protocol;
use crate::judge::Fault;
use crate::recording::Time;

/// What is wrong with a GetAll, if something is.
pub(super) fn judge(walk: &Walk<'_>, changes: &Changes<'_>) -> Option<Fault> {
    let fault = wrong(walk, changes)?;
    Some(match walk.protocol {
        Protocol::Neo => fault,
        Protocol::Legacy => Fault {
            requirement: legacy(fault.requirement),
            ..fault
        },
    })
}

fn wrong(walk: &Walk<'_>, changes: &Changes<'_>) -> Option<Fault> {
    let nothing = Channel::default();
    let channel = changes.channel(walk.channel).unwrap_or(&nothing);
    let horizon = changes.horizon.unwrap_or(Time::MAX);
    let mut earlier: BTreeMap<Key, Delivery<'_>> = BTreeMap::new();
    for delivery in &walk.deliveries {
        if delivery.time >= horizon {
            return None;
        }
        let wrong = delivered(walk, channel, changes, delivery).or_else(|| {
            let first = earlier.get(&delivery.key)?;
            repeated(walk, channel, changes, first, delivery)
        });
        if wrong.is_some() {
            return wrong;
        }
        earlier.entry(delivery.key).or_insert(*delivery);
    }
    let finished = walk.finished.filter(|finished| *finished < horizon)?;
    let mut records = channel.records.iter();
    records.find_map(|(key, record)| {
        let missing = !earlier.contains_key(key);
        missing.then(|| due(walk, channel, record, finished))?
    })
}

/// What is wrong with a single delivery.
fn delivered(
    walk: &Walk<'_>,
    channel: &Channel<'_>,
    changes: &Changes<'_>,
    delivery: &Delivery<'_>,
) -> Option<Fault> {
    let record = channel.records.get(&delivery.key);
    let name = name(channel, delivery.key);
    let Some(value) = delivery.value else {
        return key_delivered(walk, channel, record, delivery, &name);
    };
    let came = format!("record {name} came with {}", shown(value));
    let is_vague = record.is_some_and(Record::is_vague);
    let written: Vec<_> = record
        .iter()
        .flat_map(|record| record.writes_of(value))
        .filter(|write| write.began < delivery.time)
        .collect();
    let Some((record, last)) = record.zip(latest(&written)) else {
        let removed = record.is_some_and(|record| {
            let removal = channel.removal_between(record, walk.began, delivery.time);
            removal.is_some()
        });
        if value.is_empty() && (removed || is_vague) {
            return None;
        }
        return Some(invented(walk, channel, changes, delivery, came));
    };
    if is_vague || is_loose(walk, channel, delivery.time) {
        return None;
    }
    if !walk.wants(value) {
        return Some(walk.fault(
            &req::GETALL_FILTER_ONLY_MATCHING,
            "only records whose value contains the filter",
            came,
        ));
    }
    if let Some(over) = channel.last_before(record, walk.began)
        && last.ended < over.began
    {
        return Some(walk.fault(
            outlived(over, record, walk, delivery),
            "values that the record had during the request",
            format!(
                "{came}, of {last}; but {over} came after that, and was over when this began at {}",
                walk.began
            ),
        ));
    }
    // The channel that the request began with has been removed; another one has its name since.
    let started = walk.started.filter(|_| delivery.losses == 0)?;
    let first = written.iter().min_by_key(|write| write.began)?;
    let mut removals = channel.removals.iter();
    let removal =
        removals.find(|removal| removal.began > started && removal.ended < first.began)?;
    Some(walk.fault(
        &req::GETALL_NO_LEAK,
        "no record of a channel that was created after the removal of the channel",
        format!("{came}, of {first}, after {removal}; this had started at {started}"),
    ))
}

/// What is wrong with a delivered key.
fn key_delivered(
    walk: &Walk<'_>,
    channel: &Channel<'_>,
    record: Option<&Record<'_>>,
    delivery: &Delivery<'_>,
    name: &str,
) -> Option<Fault> {
    let came = format!("key {name} came");
    let Some(record) = record.filter(|record| {
        let mut writes = record.writes();
        writes.any(|(write, _)| write.began < delivery.time)
    }) else {
        return Some(walk.fault(
            &req::GETALL_ONLY_CHANNEL,
            "only records of the channel",
            format!("{came}; nothing was ever written there in this channel"),
        ));
    };
    if record.is_vague() || is_loose(walk, channel, delivery.time) {
        return None;
    }
    let over = channel.last_before(record, walk.began);
    let mut possible = record.writes().filter(|(write, _)| {
        write.began < delivery.time && over.is_none_or(|over| write.ended >= over.began)
    });
    let Some((_, first)) = possible.next() else {
        let over = over?;
        return Some(walk.fault(
            outlived(over, record, walk, delivery),
            "only records that are in the channel",
            format!(
                "{came}; it was removed by {over} before this began at {}",
                walk.began
            ),
        ));
    };
    if walk.wants(first) || possible.any(|(_, value)| walk.wants(value)) {
        return None;
    }
    Some(walk.fault(
        &req::GETALL_FILTER_KEYS_ONLY,
        "only keys whose value contains the filter",
        format!("{came}; it had {}", shown(first)),
    ))
}

/// The rule that a value breaks which comes although something took its place before the request.
fn outlived(
    over: &Change<'_>,
    record: &Record<'_>,
    walk: &Walk<'_>,
    delivery: &Delivery<'_>,
) -> &'static Requirement {
    match over.kind() {
        Kind::RemoveChannel => &req::RMCHANNEL_STARTS_EMPTY,
        Kind::Remove => &req::REMOVE_GONE,
        _ if record.changes_between(walk.began, delivery.time) => &req::GETALL_OVERWRITTEN_VALUE,
        _ => &req::GETALL_VALUES,
    }
}

/// Says where a value comes from that the record never had.
fn invented(
    walk: &Walk<'_>,
    channel: &Channel<'_>,
    changes: &Changes<'_>,
    delivery: &Delivery<'_>,
    came: String,
) -> Fault {
    let value = delivery.value.map_or(&[][..], |value| value);
    let allowed = "values that the record had during the request";
    if let Some(other) = changes.elsewhere(walk.channel, delivery.key, value) {
        let removals = channel.removals.iter();
        let mut removals = removals.filter(|it| it.is_between(walk.began, delivery.time));
        let requirement = match removals.next() {
            Some(_) => &req::GETALL_NO_LEAK,
            None => &req::GETALL_ONLY_CHANNEL,
        };
        let observed = format!("{came}; that was written to channel {other} alone");
        return walk.fault(requirement, allowed, observed);
    }
    let busy = channel
        .records
        .get(&delivery.key)
        .is_some_and(|record| record.changes_between(walk.began, delivery.time));
    let requirement = match busy {
        true => &req::GETALL_OVERWRITTEN_VALUE,
        false => &req::GETALL_VALUES,
    };
    let time = delivery.time;
    let observed = format!("{came} at {time}; nobody had begun to write that there");
    walk.fault(requirement, allowed, observed)
}

/// What is wrong with a record that comes again.
fn repeated(
    walk: &Walk<'_>,
    channel: &Channel<'_>,
    changes: &Changes<'_>,
    first: &Delivery<'_>,
    again: &Delivery<'_>,
) -> Option<Fault> {
    let record = channel.records.get(&again.key)?;
    if record.is_vague() || is_loose(walk, channel, again.time) {
        return None;
    }
    let continued = first.losses != again.losses;
    let undisturbed = match continued || (changes.lossy && !walk.watched) {
        // A node may lose its place when a record is removed, and its order when one is added.
        true => !channel.changes_between(walk.began, again.time),
        false => {
            let removal = channel.removal_between(record, walk.began, again.time);
            removal.is_none()
        }
    };
    if !undisturbed {
        return None;
    }
    let during = record.changes_between(walk.began, again.time);
    let mut writes = record.writes();
    let requirement = match (continued, during) {
        (true, _) => &req::GETALL_CONTINUE_NO_REPEAT,
        (false, false) => &req::GETALL_NO_DUPLICATE,
        (false, true) => match writes.any(|(write, _)| write.ended < walk.began) {
            true => &req::GETALL_OVERWRITTEN_ONCE,
            false => &req::GETALL_INSERTED_ONCE,
        },
    };
    let with = |delivery: &Delivery<'_>| match delivery.value {
        Some(value) => format!(" with {}", shown(value)),
        None => String::new(),
    };
    Some(walk.fault(
        requirement,
        "a record that is not removed meanwhile once",
        format!(
            "record {} came{} at {}, and again{} at {}; nobody removed it between {} and then",
            record.name,
            with(first),
            first.time,
            with(again),
            again.time,
            walk.began,
        ),
    ))
}

/// What is wrong with the absence of a record.
fn due(
    walk: &Walk<'_>,
    channel: &Channel<'_>,
    record: &Record<'_>,
    finished: Time,
) -> Option<Fault> {
    if record.is_vague() || is_loose(walk, channel, finished) {
        return None;
    }
    let over = channel.last_before(record, walk.began);
    let (stored, _) = record
        .writes()
        .filter(|(write, _)| write.ended < walk.began)
        .max_by_key(|(write, _)| write.began)?;
    if channel
        .removal_between(record, stored.began, finished)
        .is_some()
    {
        return None;
    }
    let possible = record.writes().filter(|(write, _)| {
        write.began < finished && over.is_none_or(|over| write.ended >= over.began)
    });
    let limit = match walk.protocol {
        Protocol::Neo => batch::MAX_VALUE,
        Protocol::Legacy => limits::LEGACY_VALUE,
    };
    let mut large = false;
    for (_, value) in possible {
        large |= value.len() > limit;
        if !walk.wants(value) {
            return None;
        }
    }
    if large && !walk.keys_only {
        return None;
    }
    let overwritten = record.changes_between(walk.began, finished);
    let removals = channel.removals_between(walk.began, finished);
    let requirement = if large {
        &req::GETALL_KEYS_OVERSIZE
    } else if walk.losses > 0 && removals {
        &req::GETALL_CONTINUE_REMOVED
    } else if walk.losses > 0 {
        &req::GETALL_CONTINUE_REST
    } else if overwritten {
        &req::GETALL_OVERWRITTEN_ONCE
    } else if removals {
        &req::GETALL_REMOVALS_ELSEWHERE
    } else if walk.suspended {
        &req::GETALL_SUSPEND_LOSSLESS
    } else if walk.keys_only {
        &req::GETALL_KEYS_COMPLETE
    } else if !walk.filter.is_empty() {
        &req::GETALL_FILTER_ALL_MATCHING
    } else {
        &req::GETALL_COMPLETE
    };
    Some(walk.fault(
        requirement,
        "every record that is there all the time",
        format!(
            "record {} did not come; {stored} had stored it before this began at {}, and nobody \
             removed it before this had finished at {finished}",
            record.name, walk.began
        ),
    ))
}

/// Nothing is laid down of how a legacy GetAll takes changes meanwhile, but that it tells nothing that was
/// never stored.
fn is_loose(walk: &Walk<'_>, channel: &Channel<'_>, until: Time) -> bool {
    walk.protocol == Protocol::Legacy && channel.changes_between(walk.began, until)
}

/// The rule of the legacy protocol that says what a rule of neo says.
fn legacy(neo: &'static Requirement) -> &'static Requirement {
    let rules: [(&Requirement, &'static Requirement); 11] = [
        (&req::GETALL_ONLY_CHANNEL, &req::LEG_GETALL_ONLY_CHANNEL),
        (&req::GETALL_NO_LEAK, &req::LEG_GETALL_ONLY_CHANNEL),
        (
            &req::GETALL_FILTER_ONLY_MATCHING,
            &req::LEG_GETALL_FILTER_ONLY,
        ),
        (
            &req::GETALL_FILTER_ALL_MATCHING,
            &req::LEG_GETALL_FILTER_MATCHES,
        ),
        (&req::GETALL_OVERWRITTEN_VALUE, &req::LEG_GETALL_STORED_ONCE),
        (&req::GETALL_NO_DUPLICATE, &req::LEG_GETALL_UNIQUE),
        (&req::GETALL_KEYS_COMPLETE, &req::LEG_GETALL_KEYS),
        (&req::GETALL_KEYS_OVERSIZE, &req::LEG_GETALL_KEYS_LARGE),
        (&req::GETALL_COMPLETE, &req::LEG_GETALL_COMPLETE),
        (&req::RMCHANNEL_STARTS_EMPTY, &req::LEG_RMCHANNEL_AGAIN),
        (&req::REMOVE_GONE, &req::LEG_REMOVE_GONE),
    ];
    let mut found = rules.iter().filter(|(same, _)| same.id == neo.id);
    found
        .next()
        .map_or(&req::LEG_GETALL_VALUES, |(_, legacy)| *legacy)
}

/// The write that may have happened last.
fn latest<'a, 'b>(writes: &[&'b Change<'a>]) -> Option<&'b Change<'a>> {
    writes.iter().copied().max_by_key(|write| write.ended)
}

fn shown(value: &Bytes) -> Answer {
    Answer::Value(value.clone())
}
