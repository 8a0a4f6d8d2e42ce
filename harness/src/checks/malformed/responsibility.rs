//! Which keys a node answers for, and that it does nothing about others.

use dht_protocol::neo::request::get_hash_range;
use dht_protocol::{ChannelName, HashRange, Key};
use dht_requirements::{self as req, Requirement};

use super::form::Form;
use super::scene::{Scene, absent};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken, not_applicable};
use crate::wire::Link;
use crate::wire::shown;

/// How many keys of the range are tried.
const INSIDE: u64 = 64;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for form in Form::OF_A_RECORD {
        checks.push(reversed(form));
        checks.push(inside(form));
        checks.push(wrong_node(form));
    }
    let whole = [
        Form::Mirror,
        Form::GetAll,
        Form::GetChannels,
        Form::RemoveChannel,
    ];
    checks.extend(whole.map(whole_node));
    checks.push(Check::raw(
        "range.first-key",
        "The first key of the hash range belongs to the node, the one before it does not.",
        &[&req::REQ_RANGE_MIN_INCLUSIVE, &req::REQ_HASH_REVERSED],
        |ground| {
            let range = ground.range();
            let ends = (range.min(), range.min().checked_sub(1));
            Box::pin(end(ground, ends, &req::REQ_RANGE_MIN_INCLUSIVE))
        },
    ));
    checks.push(Check::raw(
        "range.last-key",
        "The last key of the hash range belongs to the node, the one behind it does not.",
        &[&req::REQ_RANGE_MAX_INCLUSIVE, &req::REQ_HASH_REVERSED],
        |ground| {
            let range = ground.range();
            let ends = (range.max(), range.max().checked_add(1));
            Box::pin(end(ground, ends, &req::REQ_RANGE_MAX_INCLUSIVE))
        },
    ));
    checks.push(Check::raw(
        "range.empty",
        "A node that tells the empty hash range answers WrongNode for every key.",
        &[&req::REQ_RANGE_EMPTY],
        |ground| Box::pin(empty(ground)),
    ));
    checks
}

fn reversed(form: Form) -> Check {
    Check::raw(
        format!("reversed.{}", form.slug()),
        format!("{form} looks at the reversed bits of a key, not at the key."),
        &[&req::REQ_HASH_REVERSED],
        move |ground| Box::pin(tell_apart(ground, form)),
    )
    .on(form.request())
}

async fn tell_apart(ground: &Ground, form: Form) -> Checked {
    let range = ground.range();
    let by_itself = |key: &Key| (range.min()..=range.max()).contains(&key.0);
    let mut inside = (0..INSIDE).map(|number| ground.key(number));
    let inside = inside.find(|key| range.covers(*key) && !by_itself(key));
    let outside = (0..INSIDE).find_map(|number| {
        let key = ground.foreign_key(number).ok();
        key.filter(by_itself)
    });
    if inside.is_none() && outside.is_none() {
        return not_applicable("the node's range tells no key from its reverse");
    }
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    let rule = &req::REQ_HASH_REVERSED;
    if let Some(key) = inside {
        expect_place(&mut link, form, &channel, key, true, rule).await?;
    }
    match outside {
        Some(key) => expect_place(&mut link, form, &channel, key, false, rule).await,
        None => Ok(()),
    }
}

fn inside(form: Form) -> Check {
    Check::raw(
        format!("inside.{}", form.slug()),
        format!("{form} is not answered WrongNode for {INSIDE} keys of the hash range."),
        &[&req::REQ_INSIDE_SERVED],
        move |ground| {
            Box::pin(async move {
                ground.need_keys()?;
                let mut link = ground.link().await?;
                let channel = ground.channel("");
                for number in 0..INSIDE {
                    let (key, rule) = (ground.key(number), &req::REQ_INSIDE_SERVED);
                    expect_place(&mut link, form, &channel, key, true, rule).await?;
                }
                Ok(())
            })
        },
    )
    .on(form.request())
}

fn wrong_node(form: Form) -> Check {
    Check::raw(
        format!("wrong-node.{}", form.slug()),
        format!("{form} of a key outside the hash range changes no record and creates no channel."),
        &[
            &req::REQ_HASH_REVERSED,
            &req::REQ_WRONG_NODE_NO_RECORD,
            &req::REQ_WRONG_NODE_NO_CHANNEL,
        ],
        move |ground| {
            Box::pin(async move {
                let key = ground.foreign_key(7)?;
                ground.need_keys()?;
                let mut scene = Scene::arrive(ground).await?;
                let mut link = ground.link().await?;
                let sent = format!("{form} {key}, which is outside the range");
                for channel in [ground.channel(""), absent(ground)] {
                    let rule = &req::REQ_HASH_REVERSED;
                    expect_place(&mut link, form, &channel, key, false, rule).await?;
                }
                let record = &req::REQ_WRONG_NODE_NO_RECORD;
                scene.see_same_records(record, &sent).await?;
                let channel = &req::REQ_WRONG_NODE_NO_CHANNEL;
                scene.see_no_channel(channel, &sent).await
            })
        },
    )
    .on(form.request())
}

/// A key at an end of the range belongs to the node, its neighbour outside does not.
async fn end(
    ground: &Ground,
    (end, beyond): (u64, Option<u64>),
    requirement: &'static Requirement,
) -> Checked {
    if ground.range() == HashRange::EMPTY {
        return not_applicable("the node's range is empty");
    }
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    for form in Form::OF_A_RECORD {
        let key = Key(end.reverse_bits());
        expect_place(&mut link, form, &channel, key, true, requirement).await?;
        if let Some(beyond) = beyond {
            let (key, rule) = (Key(beyond.reverse_bits()), &req::REQ_HASH_REVERSED);
            expect_place(&mut link, form, &channel, key, false, rule).await?;
        }
    }
    Ok(())
}

async fn empty(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let id = link.open_supported(&get_hash_range::Open.encode()).await?;
    let payload = link.answer(id, "the hash range").await?;
    match get_hash_range::Range::decode(&payload) {
        Ok(get_hash_range::Range(HashRange::EMPTY)) => {}
        _ => return not_applicable("the node's range is not empty"),
    }
    let channel = ground.channel("");
    for form in Form::OF_A_RECORD {
        for key in [0, 1, 2, 1 << 63, u64::MAX - 1, u64::MAX].map(Key) {
            expect_place(&mut link, form, &channel, key, false, &req::REQ_RANGE_EMPTY).await?;
        }
    }
    Ok(())
}

/// The key belongs to the node, or it does not and the answer is WrongNode; else `requirement` is broken.
async fn expect_place(
    link: &mut Link,
    form: Form,
    channel: &ChannelName,
    key: Key,
    belongs: bool,
    requirement: &'static Requirement,
) -> Checked {
    let id = link.open_supported(&form.opening(channel, key)).await?;
    let payload = link.answer(id, "the answer").await?;
    if form.is_wrong_node(&payload) != belongs {
        return Ok(());
    }
    let sent = format!("{form} {key}, position {:016x}", key.position());
    let expected = match belongs {
        true => "any answer but WrongNode",
        false => "WrongNode",
    };
    let observed = match belongs {
        true => "WrongNode".to_owned(),
        false => shown(&payload),
    };
    let outcome = Outcome::Answer;
    Err(broken(requirement, outcome, sent, &[expected], observed))
}

fn whole_node(form: Form) -> Check {
    Check::raw(
        format!("whole-node.{}", form.slug()),
        format!("{form} is served by a node that has only a part of the hash range."),
        &[&req::REQ_WHOLE_NODE],
        move |ground| Box::pin(served(ground, form)),
    )
    .on(form.request())
}

async fn served(ground: &Ground, form: Form) -> Checked {
    if ground.range() == HashRange::FULL {
        return not_applicable("the node's range is full");
    }
    if form == Form::RemoveChannel {
        ground.need_admin()?;
    }
    let mut link = ground.link().await?;
    let opening = form.opening(&ground.channel(""), ground.key(0));
    let id = link.open_supported(&opening).await?;
    let payload = link.answer(id, "the answer").await?;
    let served = form.is_success(&payload);
    let sent = format!("{form} to a node with a part of the hash range");
    let expected = ["it is served"];
    ground.expect(&req::REQ_WHOLE_NODE, &sent, &expected, served, || {
        shown(&payload)
    })
}
