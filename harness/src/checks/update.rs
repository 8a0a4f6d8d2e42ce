//! Update: read, decide, write if nobody else has.

use bytes::Bytes;
use dht_protocol::neo::request::update::{Decision, Updated};

use super::Check;
use super::context::{Checked, Context};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "update.missing",
        group: "requests",
        title: "An Update of a record that is not there says so, and nobody is asked for a value.",
        rules: &["A12", "P71"],
        subsumes: Some("Neo Update on an empty channel"),
        run: |cx| Box::pin(missing(cx)),
    },
    Check {
        id: "update.replace",
        group: "requests",
        title: "An Update reads the value and stores the new one.",
        rules: &["A12", "A18.2", "P70"],
        subsumes: Some("Neo Update"),
        run: |cx| Box::pin(replace(cx)),
    },
    Check {
        id: "update.serialized",
        group: "requests",
        title: "An Update changes a field of a binary value and leaves the others.",
        rules: &["A12", "A18.2", "P70"],
        subsumes: Some("Neo Update with serialization"),
        run: |cx| Box::pin(serialized(cx)),
    },
    Check {
        id: "update.leave-delete",
        group: "requests",
        title: "An Update may leave the record as it is, or remove it.",
        rules: &["A12", "A18.2", "P74"],
        subsumes: None,
        run: |cx| Box::pin(leave_delete(cx)),
    },
    Check {
        id: "update.conflict",
        group: "requests",
        title: "An Update whose record was changed meanwhile is refused and changes nothing.",
        rules: &["A18.6", "P71"],
        subsumes: None,
        run: |cx| Box::pin(conflict(cx)),
    },
];

async fn missing(cx: &Context) -> Checked {
    cx.expect_update(0, Decision::Leave, Updated::NoRecord, None)
        .await
}

async fn replace(cx: &Context) -> Checked {
    cx.put(0, "hello").await?;
    let decision = Decision::Replace("hello world".into());
    cx.expect_update(0, decision, Updated::Done, Some("hello".into()))
        .await?;
    cx.expect_value(0, "hello world").await
}

/// A struct as the original serializes it: two pointers' worth of zeros for a string, a number, seven
/// daily totals, and behind that the string with its length.
fn account(name: &str, id: u64, first_total: u64) -> Bytes {
    let mut bytes = vec![0; 16];
    bytes.extend_from_slice(&id.to_le_bytes());
    bytes.extend_from_slice(&first_total.to_le_bytes());
    bytes.resize(16 + 8 + 7 * 8, 0);
    bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.into()
}

async fn serialized(cx: &Context) -> Checked {
    let (before, after) = (account("hello", 23, 1), account("hello", 23, 2));
    cx.put(0, before.clone()).await?;
    let decision = Decision::Replace(after.clone());
    cx.expect_update(0, decision, Updated::Done, Some(before))
        .await?;
    cx.expect_value(0, after).await
}

async fn leave_delete(cx: &Context) -> Checked {
    let value = || Some(Bytes::from_static(b"hello"));
    cx.put(0, "hello").await?;
    cx.expect_update(0, Decision::Leave, Updated::Done, value())
        .await?;
    cx.expect_value(0, "hello").await?;
    cx.expect_update(0, Decision::Delete, Updated::Done, value())
        .await?;
    cx.expect_no_record(0).await
}

async fn conflict(cx: &Context) -> Checked {
    cx.put(0, "hello").await?;
    let reading = cx.read_for_update(0, "hello").await?;
    cx.put(0, "somebody else's").await?;
    cx.expect_decided(reading, Decision::Replace("mine".into()), Updated::Conflict)
        .await?;
    cx.expect_value(0, "somebody else's").await
}
