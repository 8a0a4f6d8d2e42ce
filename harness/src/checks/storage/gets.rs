//! Get: its messages one by one, and what it finds.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::{RequestCode, get};
use dht_requirements as req;

use super::records::{Records, answered};
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
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
    let value = sample::value(1, 40);
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
    let (mut records, id) = ask(ground, sample::value(1, 40)).await?;
    for what in ["Got (2)", "the value"] {
        records.link.answer(id, what).await?;
    }
    records
        .link
        .expect_nothing_more(id, &req::GET_VALUE_FOLLOWS, "Get")
        .await
}

async fn layout(ground: &Ground, length: usize) -> Checked {
    let value = sample::value(1, length);
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
    let gets: Vec<_> = keys
        .iter()
        .map(|key| record(&records.channel, *key).opening(RequestCode::Get))
        .collect();
    let ids = records.link.open_at_once(&gets).await;
    // Read from the last one on, so that none is taken for the one that came next.
    for (id, key) in ids.into_iter().zip(keys).rev() {
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
