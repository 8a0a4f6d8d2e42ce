//! Get: its messages one by one, and what it finds.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::{RequestCode, get};
use dht_requirements as req;

use super::records::{Records, answered, value_of};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::link::shown;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "get.present",
            "A Get of a record that is present is answered Got.",
            &[&req::GET_PRESENT],
            |ground| Box::pin(present(ground)),
        ),
        Check::raw(
            "get.value-behind-got",
            "The value comes behind Got, not before it.",
            &[&req::GET_VALUE_FOLLOWS, &req::GET_PRESENT],
            |ground| Box::pin(value_behind_got(ground)),
        ),
        Check::raw(
            "get.value-once",
            "Behind Got comes one message with the value and nothing more.",
            &[&req::GET_VALUE_FOLLOWS],
            |ground| Box::pin(value_once(ground)),
        ),
        Check::raw(
            "get.twice",
            "A Get leaves the record as it is.",
            &[&req::GET_VALUE_EXACT],
            |ground| Box::pin(twice(ground)),
        ),
        Check::raw(
            "get.pipelined",
            "Of many Gets in one piece each is given the value of its own key.",
            &[&req::GET_VALUE_EXACT],
            |ground| Box::pin(pipelined(ground)),
        ),
        Check::raw(
            "get.absent",
            "A Get of a key that was never put is answered NoRecord, beside other records.",
            &[&req::GET_ABSENT],
            |ground| Box::pin(absent(ground)),
        ),
        Check::raw(
            "get.absent-channel",
            "A Get in a channel that does not exist is answered NoRecord.",
            &[&req::GET_ABSENT],
            |ground| Box::pin(absent_channel(ground)),
        ),
        Check::raw(
            "get.removed",
            "A Get of a record that was removed is answered NoRecord.",
            &[&req::GET_ABSENT],
            |ground| Box::pin(removed(ground)),
        ),
    ];
    checks.extend([1, 255, 256, 65_512].map(|length| {
        Check::raw(
            format!("get.layout-{length}"),
            format!(
                "A value of {length} bytes is sent as its length and its bytes, without a type."
            ),
            &[&req::GET_VALUE_LAYOUT],
            move |ground| Box::pin(layout(ground, length)),
        )
    }));
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Get)).collect()
}

/// A record, and a Get of it that is supported.
async fn ask(ground: &Ground, value: Bytes) -> Checked<(Records, RequestId)> {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, value).await?;
    let opening = record(&records.channel, key).opening(RequestCode::Get);
    let id = records.link.open_supported(&opening).await?;
    Ok((records, id))
}

async fn present(ground: &Ground) -> Checked {
    let (mut records, id) = ask(ground, "value".into()).await?;
    let got = get::Reply::Got.encode();
    records
        .link
        .expect(id, &req::GET_PRESENT, "Got (2)", &got)
        .await
}

async fn value_behind_got(ground: &Ground) -> Checked {
    let value = value_of(40);
    let (mut records, id) = ask(ground, value.clone()).await?;
    let first = records.link.answer(id, "Got (2)").await?;
    if first == get::Value(value).encode() {
        let rule = &req::GET_VALUE_FOLLOWS;
        return Err(answered(rule, "Get", "Got (2)", "the value"));
    }
    if first[..] != get::Reply::Got.encode() {
        let rule = &req::GET_PRESENT;
        return Err(answered(rule, "Get", "Got (2)", &shown(&first)));
    }
    records.link.answer(id, "the value").await.map(drop)
}

async fn value_once(ground: &Ground) -> Checked {
    let (mut records, id) = ask(ground, value_of(40)).await?;
    for what in ["Got (2)", "the value"] {
        records.link.answer(id, what).await?;
    }
    records
        .link
        .expect_nothing_more(id, &req::GET_VALUE_FOLLOWS, "Get")
        .await
}

async fn layout(ground: &Ground, length: usize) -> Checked {
    let value = value_of(length);
    let (mut records, id) = ask(ground, value.clone()).await?;
    records.link.answer(id, "Got (2)").await?;
    let payload = records.link.answer(id, "the value").await?;
    let expected = [&(length as u64).to_le_bytes()[..], &value].concat();
    if payload == expected {
        return Ok(());
    }
    Err(broken(
        &req::GET_VALUE_LAYOUT,
        Outcome::Data,
        format!("Get of a value of {length} bytes"),
        &[&shown(&expected)],
        shown(&payload),
    ))
}

async fn twice(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, "value").await?;
    for _ in 0..3 {
        records
            .expect_value(key, "value", &req::GET_VALUE_EXACT)
            .await?;
    }
    Ok(())
}

async fn pipelined(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let value = |key: Key| format!("the value of {key}");
    let keys: Vec<_> = (0..30).map(|number| ground.key(number)).collect();
    for key in &keys {
        records.put(*key, value(*key)).await?;
    }
    let mut openings = Vec::new();
    for key in keys {
        let opening = record(&records.channel, key).opening(RequestCode::Get);
        openings.push((records.link.fresh_id(), opening, key));
    }
    let messages: Vec<_> = openings
        .iter()
        .map(|(id, opening, _)| (*id, &opening[..]))
        .collect();
    records.link.say_at_once(&messages).await;
    // Read from the last one on, so that none is taken for the one that came next.
    for (id, _, key) in openings.into_iter().rev() {
        records.link.supported(id).await?;
        records.link.answer(id, "Got (2)").await?;
        let payload = records.link.answer(id, "the value").await?;
        let expected = get::Value(value(key).into()).encode();
        let kept = payload == expected;
        let sent = format!("30 Gets at once, of them Get {key}");
        let wanted = shown(&expected);
        ground.expect(&req::GET_VALUE_EXACT, &sent, &[&wanted], kept, || {
            shown(&payload)
        })?;
    }
    Ok(())
}

async fn absent(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    records.put(ground.key(1), "value").await?;
    records.expect_absent(ground.key(2), &req::GET_ABSENT).await
}

async fn absent_channel(ground: &Ground) -> Checked {
    let mut records = Records::of(ground, ground.channel("nowhere")).await?;
    records.expect_absent(ground.key(1), &req::GET_ABSENT).await
}

async fn removed(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, "value").await?;
    records
        .expect_removed(key, true, &req::REMOVE_PRESENT)
        .await?;
    records.expect_absent(key, &req::GET_ABSENT).await
}
