//! Ten thousand records at once, and every way to read them. They begin first, because they take long.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::request::get_all::Settings;
use dht_protocol::{Key, fnv1a};
use dht_requirements::{self as req, Requirement};

use crate::checks::{Check, Context, Tag};
use crate::unkept::Checked;

/// How many records a bulk check writes.
const RECORDS: u64 = 10_000;

/// What [`verify`] can find broken.
pub(super) static VERIFIED: [&Requirement; 12] = [
    &req::DATA_PUT_VISIBLE,
    &req::GET_VALUE_EXACT,
    &req::GETALL_COMPLETE,
    &req::CHANNELS_COMPLETE,
    &req::DATA_GET_EXISTS_AGREE,
    &req::GETALL_NO_DUPLICATE,
    &req::GETALL_VALUES,
    &req::GETALL_ONLY_CHANNEL,
    &req::GETALL_KEYS_COMPLETE,
    &req::GETALL_FILTER_ALL_MATCHING,
    &req::GETALL_FILTER_ONLY_MATCHING,
    &req::GETALL_FILTER_KEYS_ONLY,
];

pub(super) fn checks() -> Vec<Check> {
    let removed = [&VERIFIED[..], &[&req::REMOVE_PRESENT, &req::REMOVE_GONE]].concat();
    vec![
        Check::through_client(
            "bulk.sequential",
            "10,000 records with consecutive keys are stored, and all requests agree on them.",
            &VERIFIED,
            |cx| Box::pin(sequential(cx)),
        )
        .tagged(Tag::Slow)
        .subsumes("Neo ordered Put test"),
        Check::through_client(
            "bulk.spread",
            "10,000 records with scattered keys are stored, and all requests agree on them.",
            &VERIFIED,
            |cx| Box::pin(spread(cx)),
        )
        .tagged(Tag::Slow)
        .subsumes("Neo unordered Put test"),
        Check::through_client(
            "bulk.put-remove",
            "Of 10,000 records every other is removed; the rest stays, and all requests agree on it.",
            &removed,
            |cx| Box::pin(put_remove(cx)),
        )
        .tagged(Tag::Slow)
        .subsumes("Neo Put / Remove test"),
    ]
}

async fn sequential(cx: &Context<'_>) -> Checked {
    let records = records(|i| cx.key(i));
    cx.put_all(&records).await?;
    verify(cx, &records).await
}

async fn spread(cx: &Context<'_>) -> Checked {
    let records = records(|i| cx.key(fnv1a(&u32::try_from(i).unwrap_or(u32::MAX).to_le_bytes())));
    cx.put_all(&records).await?;
    verify(cx, &records).await
}

async fn put_remove(cx: &Context<'_>) -> Checked {
    let mut records = records(|i| cx.key(i));
    cx.put_all(&records).await?;
    let removed: Vec<_> = records.keys().copied().step_by(2).collect();
    cx.remove_all(&removed).await?;
    for key in &removed {
        records.remove(key);
    }
    verify(cx, &records).await?;
    cx.expect_absent(&removed).await
}

/// Records whose value is their key in decimal digits, as in the reference suite.
fn records(key: impl Fn(u64) -> Key) -> BTreeMap<Key, Bytes> {
    (0..RECORDS)
        .map(key)
        .map(|key| (key, Bytes::from(key.0.to_string())))
        .collect()
}

/// The channel holds exactly these records, whatever request asks for them.
pub(super) async fn verify(cx: &Context<'_>, records: &BTreeMap<Key, Bytes>) -> Checked {
    cx.expect_channels(&[""]).await?;
    cx.expect_all_values(records).await?;
    for keys_only in [false, true] {
        for filter in ["", "0"] {
            let settings = Settings {
                keys_only,
                value_filter: filter.into(),
            };
            cx.expect_get_all(settings, records).await?;
        }
    }
    Ok(())
}
