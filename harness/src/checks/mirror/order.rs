//! The order of what is reported of a key, by changes and by refreshes, and what is left in the end.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{CHANGES, Follower, INITIAL, Told, changes, ending, refreshed};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;
use crate::wire::Link;
use crate::wire::talk::{put_opening, record};

/// How many records are in the channel while others change it.
const RECORDS: u64 = 2_500;
/// The first of those that nobody changes; the other ones are changed.
const UNTOUCHED: u64 = 2_400;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "mirror-order.one-key",
            "200 Puts of a record without a pause are reported in their order, the last one last.",
            &[&req::MIRROR_ORDER_PER_KEY, &req::MIRROR_EVERY_WRITE],
            |ground| Box::pin(one_key(ground)),
        ),
        check(
            "mirror-order.removal-between",
            "A removal between Puts is reported between them, also after a suspension.",
            &[&req::MIRROR_ORDER_PER_KEY],
            |ground| Box::pin(removal_between(ground)),
        ),
        check(
            "mirror-order.removal-last",
            "Of a record that was put and removed the deletion is reported last.",
            &[&req::MIRROR_LAST_AGREES],
            |ground| Box::pin(removal_last(ground)),
        ),
        check(
            "mirror-order.two-writers",
            "What is reported last of a record with two writers is what it holds.",
            &[&req::MIRROR_LAST_AGREES, &req::MIRROR_EVERY_WRITE],
            |ground| Box::pin(two_writers(ground)),
        ),
        check(
            "mirror-order.refresh-after-puts",
            "A refresh that was held back by a suspension brings no value older than the changes.",
            &[&req::MIRROR_NO_STALE_REFRESH, &req::MIRROR_START_SUSPENDED],
            |ground| Box::pin(refresh_after_puts(ground)),
        ),
        check(
            "mirror-order.refresh-after-removals",
            "A refresh that was held back by a suspension brings no record that was reported as \
             deleted.",
            &[&req::MIRROR_NO_RESURRECTION, &req::MIRROR_START_SUSPENDED],
            |ground| Box::pin(refresh_after_removals(ground)),
        ),
        check(
            "mirror-order.refresh-during-puts",
            "A refresh of 2,500 records during Puts brings no value older than those of the \
             changes before.",
            &[&req::MIRROR_NO_STALE_REFRESH],
            |ground| Box::pin(refresh_during_puts(ground)),
        ),
        check(
            "mirror-order.refresh-during-removals",
            "A refresh of 2,500 records during Removes brings no record that was reported as \
             deleted.",
            &[&req::MIRROR_NO_RESURRECTION],
            |ground| Box::pin(refresh_during_removals(ground)),
        ),
        check(
            "mirror-order.copy-during-puts",
            "A copy made by a Mirror from a refresh during Puts equals the channel.",
            &[&req::MIRROR_CONVERGES],
            |ground| Box::pin(copy_during_puts(ground)),
        ),
        check(
            "mirror-order.copy-during-removals",
            "A copy made by a Mirror from a refresh during Removes equals the channel.",
            &[&req::MIRROR_CONVERGES],
            |ground| Box::pin(copy_during_removals(ground)),
        ),
    ]
}

/// Values that sort as they were written.
fn version(number: u64) -> Bytes {
    format!("{number:06}").into()
}

async fn one_key(ground: &Ground) -> Checked {
    const WRITES: usize = 200;
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    let puts: Vec<_> = (0..WRITES as u64)
        .map(|number| (ground.key(1), version(number)))
        .collect();
    writer.store_all(&channel, &puts).await?;
    let (due, what) = (&req::MIRROR_EVERY_WRITE, "200 RecordChanged");
    mirror
        .until(due, what, |told| changes(told) >= WRITES)
        .await?;
    let values: Vec<_> = mirror.changes().into_iter().filter_map(|it| it.1).collect();
    ground.expect(
        &req::MIRROR_ORDER_PER_KEY,
        "Mirror, 200 Puts of one record in one piece",
        &["values in the order of the Puts, intermediate ones missing or not, the last one last"],
        values.is_sorted() && values.last() == puts.last().map(|(_, value)| value),
        || ending(&mirror.told),
    )
}

async fn removal_between(ground: &Ground) -> Checked {
    let (channel, key) = (ground.channel(""), ground.key(1));
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    mirror.control(Control::Suspend).await?;
    let mut writer = ground.link().await?;
    writer.store(&channel, key, "x1").await?;
    writer.store(&channel, key, "x2").await?;
    writer.remove(&channel, key).await?;
    writer.store(&channel, key, "x3").await?;
    mirror.control(Control::Resume).await?;
    let due = &req::MIRROR_ORDER_PER_KEY;
    let what = "RecordDeleted, and RecordChanged to \"x3\" behind it";
    let deletion = |told: &Told| matches!(told, Told::Deleted(_));
    mirror.until_told(due, what, deletion).await?;
    mirror.next(due, what).await?;
    mirror.settle().await?;
    let behind = mirror.told.iter().skip_while(|told| !deletion(told));
    let behind: Vec<_> = behind.skip(1).cloned().collect();
    let kept = behind == [Told::Changed(key, "x3".into())] && changes(&mirror.told) <= 4;
    let sent = "Suspend, Put x1, Put x2, Remove, Put x3, Resume";
    ground.expect(due, sent, &[what], kept, || ending(&mirror.told))
}

async fn removal_last(ground: &Ground) -> Checked {
    let (channel, key) = (ground.channel(""), ground.key(1));
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    for _ in 0..10 {
        writer.store(&channel, key, "there").await?;
        writer.remove(&channel, key).await?;
    }
    let due = &req::MIRROR_LAST_AGREES;
    let what = "10 RecordDeleted, one of them last";
    let deletions = |told: &[Told]| {
        told.iter()
            .filter(|told| **told == Told::Deleted(key))
            .count()
    };
    mirror
        .until(due, what, |told| deletions(told) >= 10)
        .await?;
    mirror.settle().await?;
    let kept = mirror.told.last() == Some(&Told::Deleted(key));
    let sent = "Mirror, ten times Put and Remove of a record";
    ground.expect(due, sent, &[what], kept, || ending(&mirror.told))
}

async fn two_writers(ground: &Ground) -> Checked {
    const WRITES: u64 = 100;
    let (channel, key) = (ground.channel(""), ground.key(1));
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut one = ground.link().await?;
    let mut other = ground.link().await?;
    let puts = |offset| -> Vec<_> {
        let puts = (0..WRITES).map(|number| (key, version(2 * number + offset)));
        puts.collect()
    };
    let (evens, odds) = (puts(0), puts(1));
    let (first, second) = tokio::join!(
        one.store_all(&channel, &evens),
        other.store_all(&channel, &odds),
    );
    first?;
    second?;
    let (due, what) = (&req::MIRROR_EVERY_WRITE, "200 RecordChanged");
    let all = 2 * WRITES as usize;
    mirror.until(due, what, |told| changes(told) >= all).await?;
    let (_, holds) = one.get(&channel, key).await?;
    let last = mirror.changes().pop().and_then(|(_, value)| value);
    ground.expect(
        &req::MIRROR_LAST_AGREES,
        "Mirror, 100 Puts of a record on each of two connections, Get",
        &["the last RecordChanged has the value that Get returns"],
        last == holds,
        || format!("RecordChanged {last:?}, Get {holds:?}"),
    )
}

/// Puts the records twice, so that a value that was replaced is older than any that is told.
async fn prepare(ground: &Ground, count: u64) -> Checked<Link> {
    let mut writer = ground.link().await?;
    for round in 0..2 {
        let puts: Vec<_> = (0..count)
            .map(|number| (ground.key(number), version(round)))
            .collect();
        writer.store_all(&ground.channel(""), &puts).await?;
    }
    Ok(writer)
}

/// Nothing that was told of a key is older than what was told of it before; deletions are the newest of
/// all, as nothing is put again.
fn expect_in_order(ground: &Ground, mirror: &Follower, sent: &str) -> Checked {
    let mut newest: BTreeMap<Key, Option<Bytes>> = BTreeMap::new();
    for told in &mirror.told {
        match told {
            Told::Changed(key, value) => _ = newest.insert(*key, Some(value.clone())),
            Told::Deleted(key) => _ = newest.insert(*key, None),
            Told::Batch(records) => {
                for (key, value) in records {
                    let before = newest.insert(*key, Some(value.clone()));
                    let Some(before) = before else { continue };
                    let (rule, expected) = match before {
                        None => (&req::MIRROR_NO_RESURRECTION, "no record that was deleted"),
                        Some(_) => (&req::MIRROR_NO_STALE_REFRESH, "no older value"),
                    };
                    let kept = before.as_ref().is_some_and(|before| before <= value);
                    ground.expect(rule, sent, &[expected], kept, || {
                        let value = value.escape_ascii();
                        let before = before
                            .as_ref()
                            .map_or("RecordDeleted".to_owned(), |before| {
                                format!("\"{}\"", before.escape_ascii())
                            });
                        format!("{key} with \"{value}\" in a refresh, behind {before}")
                    })?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn refresh_after_puts(ground: &Ground) -> Checked {
    const COUNT: u64 = 200;
    let channel = ground.channel("");
    let mut writer = prepare(ground, COUNT).await?;
    let mut mirror = Follower::start_suspended(ground, &channel, INITIAL).await?;
    let puts: Vec<_> = (0..COUNT)
        .map(|number| (ground.key(number), version(9)))
        .collect();
    writer.store_all(&channel, &puts).await?;
    mirror.control(Control::Resume).await?;
    let due = &req::MIRROR_NO_STALE_REFRESH;
    let count = COUNT as usize;
    mirror
        .until(due, "200 changes, 200 refreshed records", |told| {
            changes(told) >= count && refreshed(told) >= count
        })
        .await?;
    let sent = "Mirror with initial refresh, suspended; Put of every record, Resume";
    expect_in_order(ground, &mirror, sent)
}

async fn refresh_after_removals(ground: &Ground) -> Checked {
    const COUNT: u64 = 200;
    let channel = ground.channel("");
    let mut writer = prepare(ground, COUNT).await?;
    let mut mirror = Follower::start_suspended(ground, &channel, INITIAL).await?;
    let keys: Vec<Key> = (0..COUNT / 2).map(|number| ground.key(number)).collect();
    writer.remove_all(&channel, &keys).await?;
    mirror.control(Control::Resume).await?;
    let due = &req::MIRROR_NO_RESURRECTION;
    let count = COUNT as usize / 2;
    mirror
        .until(due, "100 deletions, 100 refreshed records", |told| {
            changes(told) >= count && refreshed(told) >= count
        })
        .await?;
    mirror.settle().await?;
    let sent = "Mirror with initial refresh, suspended; Remove of half the records, Resume";
    expect_in_order(ground, &mirror, sent)
}

/// A refresh of many records while most of them are changed by requests like these, to its end.
async fn refreshed_during(
    ground: &Ground,
    due: &'static req::Requirement,
    opening: impl Fn(Key) -> Vec<u8>,
) -> Checked<(Follower, Link)> {
    let channel = ground.channel("");
    ground.trace().hide();
    let mut writer = prepare(ground, RECORDS).await?;
    let openings: Vec<_> = (0..UNTOUCHED)
        .map(|number| opening(ground.key(number)))
        .collect();
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    let ids = writer.open_at_once(&openings).await;
    for id in ids {
        writer.supported(id).await?;
        writer.answer(id, "stored or removed").await?;
    }
    let untouched: BTreeSet<Key> = (UNTOUCHED..RECORDS)
        .map(|number| ground.key(number))
        .collect();
    let what = "2,400 changes, and a refresh of the 100 other records";
    let (mut missing, mut read, mut changed) = (untouched, 0, 0);
    while changed < UNTOUCHED as usize || !missing.is_empty() {
        mirror.next(due, what).await?;
        changed += changes(&mirror.told[read..]);
        for told in &mirror.told[read..] {
            if let Told::Batch(records) = told {
                for (key, _) in records {
                    missing.remove(key);
                }
            }
        }
        read = mirror.told.len();
    }
    mirror.settle().await?;
    ground
        .trace()
        .show("2,500 records, a Mirror, 2,400 changes");
    Ok((mirror, writer))
}

fn put_of(ground: &Ground) -> impl Fn(Key) -> Vec<u8> + use<> {
    let channel = ground.channel("");
    move |key| put_opening(&channel, key, version(9))
}

fn remove_of(ground: &Ground) -> impl Fn(Key) -> Vec<u8> + use<> {
    let channel = ground.channel("");
    move |key| record(&channel, key).opening(RequestCode::Remove)
}

const DURING_PUTS: &str = "Mirror with initial refresh of 2,500 records, Puts of 2,400 of them";
const DURING_REMOVALS: &str = "Mirror with initial refresh of 2,500 records, Removes of 2,400";

async fn refresh_during_puts(ground: &Ground) -> Checked {
    let due = &req::MIRROR_NO_STALE_REFRESH;
    let (mirror, _) = refreshed_during(ground, due, put_of(ground)).await?;
    expect_in_order(ground, &mirror, DURING_PUTS)
}

async fn refresh_during_removals(ground: &Ground) -> Checked {
    let due = &req::MIRROR_NO_RESURRECTION;
    let (mirror, _) = refreshed_during(ground, due, remove_of(ground)).await?;
    expect_in_order(ground, &mirror, DURING_REMOVALS)
}

async fn copy_during_puts(ground: &Ground) -> Checked {
    let due = &req::MIRROR_CONVERGES;
    let (mirror, writer) = refreshed_during(ground, due, put_of(ground)).await?;
    expect_copy(ground, &mirror, writer, DURING_PUTS).await
}

async fn copy_during_removals(ground: &Ground) -> Checked {
    let due = &req::MIRROR_CONVERGES;
    let (mirror, writer) = refreshed_during(ground, due, remove_of(ground)).await?;
    expect_copy(ground, &mirror, writer, DURING_REMOVALS).await
}

/// What the Mirror told makes the same records as GetAll returns.
async fn expect_copy(ground: &Ground, mirror: &Follower, mut link: Link, sent: &str) -> Checked {
    let mut copy = BTreeMap::new();
    for told in &mirror.told {
        match told {
            Told::Changed(key, value) => _ = copy.insert(*key, value.clone()),
            Told::Deleted(key) => _ = copy.remove(key),
            Told::Batch(records) => copy.extend(records.iter().cloned()),
            _ => {}
        }
    }
    let all = link.all_records(&ground.channel("")).await?;
    let all: BTreeMap<_, _> = all.into_iter().collect();
    let expected = ["the records that GetAll returns"];
    ground.expect(&req::MIRROR_CONVERGES, sent, &expected, copy == all, || {
        let stale = copy.iter().filter(|(key, value)| {
            let there = all.get(key);
            there.is_some_and(|there| there != *value)
        });
        let undead = copy.keys().filter(|key| !all.contains_key(key));
        let missing = all.keys().filter(|key| !copy.contains_key(key));
        let (stale, undead, missing) = (stale.count(), undead.count(), missing.count());
        format!("{stale} records with another value, {undead} too many, {missing} missing")
    })
}
