//! Values of all lengths and with all bytes are kept as they are.

use bytes::Bytes;
use dht_protocol::neo::request::{RequestCode, get, put};
use dht_requirements as req;

use super::records::{Records, answered};
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::quoted;
use crate::wire::talk::record;

/// Lengths that every node has to store.
const LENGTHS: [usize; 9] = [1, 2, 254, 255, 256, 4_096, 65_500, 65_511, 65_512];
/// Longer ones.
const LARGE: [usize; 4] = [65_513, 65_536, 65_537, 1 << 20];

/// Bytes that are easily lost: id, what they are.
const CONTENTS: [(&str, &str, &[u8]); 7] = [
    ("zeros", "zero bytes only", &[0; 100]),
    ("nul-inside", "a zero byte inside", b"before\0behind"),
    (
        "no-utf8",
        "bytes that are no UTF-8",
        b"\xff\xfe\x80\xc0\xc1\xf5 text",
    ),
    ("blanks", "blanks around", b" \t\r\n value \r\n\t "),
    ("only-blanks", "blanks only", b"  \r\n"),
    (
        "a-length",
        "what looks like another array",
        &[3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
    ),
    (
        "a-message",
        "what looks like a message",
        &[1, 9, 0, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0, 2],
    ),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    checks.extend(LENGTHS.map(|length| {
        Check::raw(
            format!("values.length-{length}"),
            format!("A value of {length} bytes is stored and returned whole."),
            &[&req::DATA_VALUE_SIZES],
            move |ground| Box::pin(of_length(ground, length)),
        )
    }));
    checks.extend(LARGE.map(|length| {
        Check::raw(
            format!("values.large-{length}"),
            format!("A value of {length} bytes is accepted, and then returned whole."),
            &[&req::DATA_VALUE_LARGE, &req::DATA_VALUE_LARGE_WHOLE],
            move |ground| Box::pin(large(ground, length)),
        )
    }));
    checks.extend(CONTENTS.map(|(id, what, value)| {
        Check::raw(
            format!("values.{id}"),
            format!("A value with {what} is returned unchanged."),
            &[&req::DATA_VALUE_OPAQUE],
            move |ground| Box::pin(unchanged(ground, [Bytes::from_static(value)])),
        )
    }));
    checks.push(Check::raw(
        "values.every-byte",
        "A value with every byte there is is returned unchanged.",
        &[&req::DATA_VALUE_OPAQUE],
        |ground| Box::pin(unchanged(ground, [(0..=255).collect()])),
    ));
    checks.push(Check::raw(
        "values.single-bytes",
        "Every byte is a value, returned unchanged.",
        &[&req::DATA_VALUE_OPAQUE],
        |ground| Box::pin(single_bytes(ground)),
    ));
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Put)).collect()
}

async fn of_length(ground: &Ground, length: usize) -> Checked {
    let mut records = Records::open(ground).await?;
    let (key, rule) = (ground.key(1), &req::DATA_VALUE_SIZES);
    records
        .expect_put(key, sample::value(1, length), rule)
        .await?;
    records
        .expect_value(key, sample::value(1, length), rule)
        .await
}

async fn large(ground: &Ground, length: usize) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    let sent = format!("Put of {length} bytes");
    let accepts = "Put of more than 65,512 bytes is accepted";
    match records
        .link
        .put(&records.channel, key, sample::value(1, length))
        .await
    {
        Ok(put::Reply::Put) => ground.note(accepts, "yes"),
        Ok(other) => {
            ground.note(accepts, "no");
            let rule = &req::DATA_VALUE_LARGE;
            return Err(answered(rule, &sent, "Put (stored)", other.name()));
        }
        Err(Unkept::Broken(found)) => {
            ground.note(accepts, "no");
            let expected = ["Put (stored)"];
            let (rule, observed) = (&req::DATA_VALUE_LARGE, found.observed);
            return Err(broken(rule, found.outcome, sent, &expected, observed));
        }
        Err(other) => return Err(other),
    }
    let (reply, value) = records.link.get(&records.channel, key).await?;
    let value = value.unwrap_or_default();
    if reply == get::Reply::Got && value == sample::value(1, length) {
        return Ok(());
    }
    Err(broken(
        &req::DATA_VALUE_LARGE_WHOLE,
        Outcome::Data,
        format!("{sent}, and Get"),
        &[&format!("Got {}", quoted(&sample::value(1, length)))],
        format!("{} {}", reply.name(), quoted(&value)),
    ))
}

async fn unchanged(ground: &Ground, values: impl IntoIterator<Item = Bytes>) -> Checked {
    let mut records = Records::open(ground).await?;
    let (key, rule) = (ground.key(1), &req::DATA_VALUE_OPAQUE);
    for value in values {
        records.put(key, value.clone()).await?;
        records.expect_value(key, value, rule).await?;
    }
    Ok(())
}

/// All at once, since there are many.
async fn single_bytes(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let channel = records.channel.clone();
    let values: Vec<_> = (0..=255)
        .map(|byte| (ground.key(u64::from(byte)), Bytes::copy_from_slice(&[byte])))
        .collect();
    records.link.store_all(&channel, &values).await?;
    let gets: Vec<_> = values
        .iter()
        .map(|(key, _)| record(&channel, *key).opening(RequestCode::Get))
        .collect();
    let gets = records.link.open_at_once(&gets).await;
    for (id, (_, value)) in gets.into_iter().zip(values) {
        records.link.supported(id).await?;
        let rule = &req::DATA_VALUE_OPAQUE;
        let got = get::Reply::Got.encode();
        records.link.expect(id, rule, "Got", &got).await?;
        let what = format!("the value {}", quoted(&value));
        let value = get::Value(value).encode();
        records.link.expect(id, rule, &what, &value).await?;
    }
    Ok(())
}
