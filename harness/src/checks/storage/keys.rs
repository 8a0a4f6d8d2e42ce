//! Keys are 64 bits, all of which count, and none of which is special.

use std::ops::Range;

use dht_protocol::Key;
use dht_protocol::neo::request::{RequestCode, put};
use dht_requirements as req;

use super::records::{Records, answered};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, not_applicable};

const EXTREMES: [(&str, &str, u64); 3] = [
    ("zero", "0", 0),
    ("half", "2^63", 1 << 63),
    ("last", "2^64 - 1", u64::MAX),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "keys.low-bits",
            "Keys that differ in one of the lower 32 bits are different records.",
            &[&req::DATA_KEY_ALL_BITS],
            |ground| Box::pin(single_bits(ground, 0..32)),
        ),
        Check::raw(
            "keys.high-bits",
            "Keys that differ in one of the upper 32 bits are different records.",
            &[&req::DATA_KEY_ALL_BITS],
            |ground| Box::pin(single_bits(ground, 32..64)),
        ),
    ];
    checks.extend(EXTREMES.map(|(id, title, key)| {
        Check::raw(
            format!("keys.{id}"),
            format!("The key {title} is one like any other: a record's, or another node's."),
            &[&req::DATA_KEY_EXTREMES, &req::PUT_WRONG_NODE],
            move |ground| Box::pin(extreme(ground, Key(key))),
        )
    }));
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Put)).collect()
}

async fn extreme(ground: &Ground, key: Key) -> Checked {
    let mut records = Records::open(ground).await?;
    let rule = &req::DATA_KEY_EXTREMES;
    if !ground.range().covers(key) {
        let sent = format!("Put {key}, outside the range");
        return match records.link.put(&records.channel, key, "value").await? {
            put::Reply::WrongNode => Ok(()),
            other => {
                let (rule, expected) = (&req::PUT_WRONG_NODE, "WrongNode");
                Err(answered(rule, &sent, expected, other.name()))
            }
        };
    }
    records.expect_put(key, "value", rule).await?;
    records.expect_value(key, "value", rule).await?;
    records.expect_exists(key, true, rule).await?;
    let channel = records.channel.clone();
    let listed = records.link.all_records(&channel).await?;
    let kept = listed == [(key, "value".into())];
    let sent = format!("Put {key}, and GetAll");
    ground.expect(rule, &sent, &["the record"], kept, || format!("{listed:?}"))?;
    records.expect_removed(key, true, rule).await?;
    records.expect_absent(key, rule).await
}

async fn single_bits(ground: &Ground, bits: Range<u32>) -> Checked {
    let mut records = Records::open(ground).await?;
    let base = ground.key(1);
    let neighbours = bits.map(|bit| Key(base.0 ^ (1 << bit)));
    let mut keys: Vec<_> = neighbours
        .filter(|key| ground.range().covers(*key))
        .collect();
    if keys.is_empty() {
        return not_applicable("no two keys of the node's range differ in a single of these bits");
    }
    keys.push(base);
    for key in &keys {
        records.put(*key, format!("the value of {key}")).await?;
    }
    for key in keys {
        let value = format!("the value of {key}");
        records
            .expect_value(key, value, &req::DATA_KEY_ALL_BITS)
            .await?;
    }
    Ok(())
}
