//! Ten thousand records at once, and every way to read them.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::request::get_all::Settings;
use dht_protocol::{Key, fnv1a};

use super::Check;
use super::context::{Checked, Context};

/// How many records a bulk check writes.
const RECORDS: u64 = 10_000;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "bulk.sequential",
        group: "requests",
        title: "10,000 records with consecutive keys are stored, and all requests agree on them.",
        rules: &["A18.1", "A18.2", "A18.4", "A18.10", "P19", "P45", "P47"],
        subsumes: Some("Neo ordered Put test"),
        run: |cx| Box::pin(sequential(cx)),
    },
    Check {
        id: "bulk.spread",
        group: "requests",
        title: "10,000 records with scattered keys are stored, and all requests agree on them.",
        rules: &["A18.1", "A18.2", "A18.4", "A18.10", "P19", "P45", "P47"],
        subsumes: Some("Neo unordered Put test"),
        run: |cx| Box::pin(spread(cx)),
    },
    Check {
        id: "bulk.put-remove",
        group: "requests",
        title: "Of 10,000 records every other is removed; the rest stays, and all requests agree on it.",
        rules: &["A18.1", "A18.3", "A18.4", "A18.10", "P19", "P20", "P45"],
        subsumes: Some("Neo Put / Remove test"),
        run: |cx| Box::pin(put_remove(cx)),
    },
];

async fn sequential(cx: &Context) -> Checked {
    let records = records(|i| cx.key(i));
    cx.put_all(&records).await?;
    verify(cx, &records).await
}

async fn spread(cx: &Context) -> Checked {
    let records = records(|i| cx.key(fnv1a(&u32::try_from(i).unwrap_or(u32::MAX).to_le_bytes())));
    cx.put_all(&records).await?;
    verify(cx, &records).await
}

async fn put_remove(cx: &Context) -> Checked {
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
pub(super) async fn verify(cx: &Context, records: &BTreeMap<Key, Bytes>) -> Checked {
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
