//! GetAll of a channel that changes meanwhile, or is removed.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::control::Control;
use dht_requirements::{self as req, Requirement};

use super::complete::read_on;
use super::walk::{Records, Said, Walk, persist, small, store, suspended, whole};
use super::{Check, Ground, Group};
use crate::checks::Tag;
use crate::unkept::{Checked, Outcome};
use crate::wire::Link;

/// How many records there are.
const RECORDS: u64 = 12;
/// How many records are put, one for each batch that comes.
const PUT_MEANWHILE: u64 = 500;

type Run = fn(&Ground) -> super::super::Running<'_>;

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        check(
            "removed-first",
            "The record that a held GetAll is about to deliver is removed: all others come (F06).",
            &[&req::GETALL_REMOVALS_ELSEWHERE, &req::GETALL_NO_PHANTOM],
            |ground| Box::pin(removed(ground, |place| place == 0)),
        ),
        check(
            "removed-every-second",
            "Every second record is removed while a GetAll is held: all others come.",
            &[&req::GETALL_REMOVALS_ELSEWHERE, &req::GETALL_NO_PHANTOM],
            |ground| Box::pin(removed(ground, |place| place % 2 == 0)),
        ),
        check(
            "removed-all",
            "All records are removed while a GetAll is held: it finishes.",
            &[&req::GETALL_NO_PHANTOM, &req::GETALL_REMOVALS_ELSEWHERE],
            |ground| Box::pin(removed(ground, |_| true)),
        ),
        check(
            "removed-current",
            "The record that came last is removed in the midst of a GetAll: all others come (F06).",
            &[
                &req::CTL_SUSPEND_ACKED,
                &req::GETALL_REMOVALS_ELSEWHERE,
                &req::GETALL_NO_PHANTOM,
            ],
            |ground| Box::pin(persist(move || removed_current(ground))),
        ),
        check(
            "removed-behind-another",
            "A second GetAll runs to its end, then the first record is removed: the first GetAll \
             delivers all others (F07).",
            &[&req::GETALL_ITERATIONS_APART, &req::GETALL_NO_PHANTOM],
            |ground| Box::pin(removed_behind_another(ground)),
        ),
        check(
            "inserted",
            "Records that are put while a GetAll is held come at most once, the others exactly \
             once.",
            &[
                &req::GETALL_INSERTED_ONCE,
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
            ],
            |ground| Box::pin(inserted(ground)),
        ),
        check(
            "overwritten",
            "Records that are overwritten while a GetAll is held come once, with the old value \
             or the new.",
            &[
                &req::GETALL_OVERWRITTEN_ONCE,
                &req::GETALL_OVERWRITTEN_VALUE,
            ],
            |ground| Box::pin(overwritten(ground)),
        ),
        check(
            "overwritten-midway",
            "Records that are overwritten in the midst of a GetAll come once, with the old \
             value or the new.",
            &[
                &req::GETALL_OVERWRITTEN_ONCE,
                &req::GETALL_OVERWRITTEN_VALUE,
            ],
            |ground| Box::pin(persist(move || overwritten_midway(ground))),
        ),
        check(
            "put-for-each-batch",
            "A GetAll finishes although a record is put for each batch that comes.",
            &[&req::GETALL_ENDS_UNDER_WRITES, &req::GETALL_COMPLETE],
            |ground| Box::pin(put_for_each_batch(ground)),
        ),
        check(
            "channel-removed",
            "A held GetAll whose channel is removed finishes when it is resumed.",
            &[&req::GETALL_ENDS_WITHOUT_CHANNEL],
            |ground| Box::pin(channel_removed(ground, &[])),
        ),
        check(
            "channel-removed-midway",
            "A GetAll whose channel is removed in its midst finishes.",
            &[&req::GETALL_ENDS_WITHOUT_CHANNEL, &req::GETALL_NO_LEAK],
            |ground| Box::pin(persist(move || channel_removed_midway(ground))),
        ),
        check(
            "channel-removed-others",
            "A GetAll whose channel is removed delivers no record of new channels (F04).",
            &[&req::GETALL_NO_LEAK, &req::GETALL_ENDS_WITHOUT_CHANNEL],
            |ground| Box::pin(channel_removed(ground, &["a", "b", "c"])),
        )
        // The channels created next have to be its own.
        .tagged(Tag::Alone),
        check(
            "channel-removed-again",
            "A GetAll whose channel is removed delivers no record of a new one of that name.",
            &[&req::GETALL_NO_LEAK, &req::GETALL_ENDS_WITHOUT_CHANNEL],
            |ground| Box::pin(channel_removed(ground, &[""])),
        ),
    ];
    checks.into()
}

fn check(name: &str, title: &str, rules: &[&'static Requirement], run: Run) -> Check {
    Check::raw(format!("getall-changes.{name}"), title, rules, run).in_group(Group::Streams)
}

/// A held GetAll, its records, and the order of the node.
async fn held(ground: &Ground) -> Checked<(Walk, Records, Vec<Key>)> {
    let mut link = ground.link().await?;
    let records = small(ground, 0..RECORDS);
    store(&mut link, &ground.channel(""), &records).await?;
    let walk = read_on(link, &whole(ground)).await?;
    walk.has(records.keys(), &req::GETALL_COMPLETE)?;
    let order = walk.got.into_iter().map(|(key, _)| key).collect();
    let walk = Walk::start(walk.link, &suspended(ground)).await?;
    Ok((walk, records, order))
}

async fn resume(walk: &mut Walk) -> Checked {
    walk.control(Control::Resume).await;
    walk.hear_ack(&req::CTL_RESUME_ACKED).await?;
    walk.finish(&req::CTL_RESUME_ACKED).await
}

async fn removed(ground: &Ground, is_removed: fn(usize) -> bool) -> Checked {
    let (mut walk, records, order) = held(ground).await?;
    let places = order.iter().enumerate();
    let (removed, kept): (Vec<_>, Vec<_>) = places.partition(|(place, _)| is_removed(*place));
    for (_, key) in removed {
        walk.link.remove(&ground.channel(""), *key).await?;
    }
    resume(&mut walk).await?;
    let kept = kept.into_iter().map(|(_, key)| key);
    others_came(&walk, &records, kept, &req::GETALL_REMOVALS_ELSEWHERE)
}

async fn removed_current(ground: &Ground) -> Checked {
    let (mut walk, records) = Walk::paused(ground).await?;
    walk.hear_waiting().await?;
    let last = walk.got.last().map(|(key, _)| *key);
    if let Some(last) = last {
        walk.link.remove(&ground.channel(""), last).await?;
    }
    walk.sent.push_str(", Remove of the last record that came");
    resume(&mut walk).await?;
    let kept = records.keys().filter(|key| Some(**key) != last);
    others_came(&walk, &records, kept, &req::GETALL_REMOVALS_ELSEWHERE)
}

async fn removed_behind_another(ground: &Ground) -> Checked {
    let (mut walk, records, order) = held(ground).await?;
    let mut other = read_on(ground.link().await?, &whole(ground)).await?;
    other.link.remove(&ground.channel(""), order[0]).await?;
    resume(&mut walk).await?;
    others_came(&walk, &records, &order[1..], &req::GETALL_ITERATIONS_APART)
}

/// Those that nobody touched have come, and those that were removed with the value that they had, if at all.
fn others_came<'a>(
    walk: &Walk,
    records: &Records,
    untouched: impl IntoIterator<Item = &'a Key>,
    lost: &'static Requirement,
) -> Checked {
    walk.has(untouched, lost)?;
    for (key, value) in &walk.got {
        if records.get(key) != Some(value) {
            let (rule, expected) = (&req::GETALL_NO_PHANTOM, ["values that were stored"]);
            let observed = format!("a value of {} bytes under {key}", value.len());
            return Err(walk.broke(rule, Outcome::Data, &expected, observed));
        }
    }
    Ok(())
}

async fn inserted(ground: &Ground) -> Checked {
    let (mut walk, mut records, order) = held(ground).await?;
    let new = small(ground, RECORDS..5 * RECORDS);
    store(&mut walk.link, &ground.channel(""), &new).await?;
    walk.sent.push_str(", Put of 48 new records");
    resume(&mut walk).await?;
    let came = once(&walk, &new, &req::GETALL_INSERTED_ONCE)?;
    let answer = match came {
        0 => "left out",
        _ => "delivered",
    };
    ground.note("Records put while a GetAll is held", answer);
    records.extend(new);
    walk.nothing_wrong(&records)?;
    walk.has(&order, &req::GETALL_COMPLETE)
}

/// How many of `records` came, each at most once.
fn once(walk: &Walk, records: &Records, rule: &'static Requirement) -> Checked<usize> {
    let mut seen = std::collections::BTreeSet::new();
    let came = walk.got.iter().map(|(key, _)| key);
    for key in came.filter(|key| records.contains_key(key)) {
        if !seen.insert(key) {
            let observed = format!("the record of {key} twice");
            let expected = ["each of these records at most once"];
            return Err(walk.broke(rule, Outcome::Data, &expected, observed));
        }
    }
    Ok(seen.len())
}

async fn overwritten(ground: &Ground) -> Checked {
    let (walk, records, _) = held(ground).await?;
    overwrite(ground, walk, &records).await
}

async fn overwritten_midway(ground: &Ground) -> Checked {
    let (walk, records) = Walk::paused(ground).await?;
    overwrite(ground, walk, &records).await
}

async fn overwrite(ground: &Ground, mut walk: Walk, records: &Records) -> Checked {
    let keys = records.keys();
    let new: Records = keys
        .map(|key| (*key, Bytes::from(format!("new value of {key}"))))
        .collect();
    store(&mut walk.link, &ground.channel(""), &new).await?;
    walk.sent.push_str(", Put of all keys");
    resume(&mut walk).await?;
    once(&walk, records, &req::GETALL_OVERWRITTEN_ONCE)?;
    walk.has(records.keys(), &req::GETALL_OVERWRITTEN_ONCE)?;
    for (key, value) in &walk.got {
        if ![records.get(key), new.get(key)].contains(&Some(value)) {
            let expected = ["the value before or after the Put"];
            let observed = format!("another value of {} bytes under {key}", value.len());
            let rule = &req::GETALL_OVERWRITTEN_VALUE;
            return Err(walk.broke(rule, Outcome::Data, &expected, observed));
        }
    }
    Ok(())
}

async fn put_for_each_batch(ground: &Ground) -> Checked {
    let (mut walk, mut records) = Walk::running(ground).await?;
    let stored: Vec<Key> = records.keys().copied().collect();
    let mut number = 1_000;
    while walk.hear().await? != Said::Finished {
        if number == 1_000 + PUT_MEANWHILE {
            let rule = &req::GETALL_ENDS_UNDER_WRITES;
            let expected = ["Finished, sooner or later"];
            let observed = format!("{} batches and no end", walk.batches);
            return Err(walk.broke(rule, Outcome::Extra, &expected, observed));
        }
        let new = small(ground, [number]);
        store(&mut walk.link, &ground.channel(""), &new).await?;
        records.extend(new);
        number += 1;
    }
    walk.link.acknowledge(walk.id).await;
    walk.sent.push_str(", a Put for each batch");
    walk.nothing_wrong(&records)?;
    walk.has(&stored, &req::GETALL_COMPLETE)
}

/// The channel is removed, and channels with these names are filled then.
async fn channel_removed(ground: &Ground, new: &[&str]) -> Checked {
    let (mut walk, records, _) = held(ground).await?;
    remove_channel(ground, &mut walk.link).await?;
    for name in new {
        let others = small(ground, 100..120);
        store(&mut walk.link, &ground.channel(name), &others).await?;
    }
    walk.sent.push_str(", RemoveChannel, Put to new channels");
    ended(walk, &records).await
}

async fn channel_removed_midway(ground: &Ground) -> Checked {
    let (mut walk, records) = Walk::paused(ground).await?;
    remove_channel(ground, &mut walk.link).await?;
    let others = small(ground, 100..120);
    store(&mut walk.link, &ground.channel("other"), &others).await?;
    walk.sent.push_str(", RemoveChannel, Put to a new channel");
    ended(walk, &records).await
}

async fn remove_channel(ground: &Ground, link: &mut Link) -> Checked {
    ground.need_admin()?;
    link.remove_channel(&ground.channel("")).await.map(drop)
}

/// The GetAll ends, with or without Resume, and delivers nothing but records that there were.
async fn ended(mut walk: Walk, records: &Records) -> Checked {
    walk.control(Control::Resume).await;
    while !walk.finished {
        walk.hear().await?;
    }
    walk.link.acknowledge(walk.id).await;
    match walk.got.iter().find(|(key, _)| !records.contains_key(key)) {
        None => Ok(()),
        Some((key, _)) => {
            let expected = ["records of the channel that was removed, or none"];
            let observed = format!("the record of {key}");
            Err(walk.broke(&req::GETALL_NO_LEAK, Outcome::Data, &expected, observed))
        }
    }
}
