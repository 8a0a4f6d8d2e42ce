//! Update through the client: read, decide, write if nobody else has.

use bytes::Bytes;
use dht_protocol::neo::request::update::{Decision, Updated};
use dht_requirements as req;

use crate::checks::{Check, Context};
use crate::unkept::{Checked, effect_of};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::through_client(
            "update.missing",
            "An Update of a record that is not there says so, and nobody is asked for a value.",
            &[&req::UPDATE_READ_ABSENT],
            |cx| Box::pin(missing(cx)),
        )
        .subsumes("Neo Update on an empty channel"),
        Check::through_client(
            "update.replace",
            "An Update reads the value and stores the new one.",
            &[&req::UPDATE_READ, &req::UPDATE_WRITE],
            |cx| Box::pin(replace(cx)),
        )
        .subsumes("Neo Update"),
        Check::through_client(
            "update.serialized",
            "An Update changes a field of a binary value and leaves the others.",
            &[&req::UPDATE_READ, &req::UPDATE_WRITE],
            |cx| Box::pin(serialized(cx)),
        )
        .subsumes("Neo Update with serialization"),
        Check::through_client(
            "update.leave-delete",
            "An Update may leave the record as it is, or remove it.",
            &[
                &req::UPDATE_LEAVE,
                &req::UPDATE_LEAVE_KEEPS,
                &req::UPDATE_REMOVE,
            ],
            |cx| Box::pin(leave_delete(cx)),
        ),
        Check::through_client(
            "update.conflict",
            "An Update whose record was changed meanwhile is refused and changes nothing.",
            &[
                &req::UPDATE_READ,
                &req::UPDATE_CONFLICT,
                &req::UPDATE_CONFLICT_KEEPS,
            ],
            |cx| Box::pin(conflict(cx)),
        ),
    ]
}

async fn missing(cx: &Context<'_>) -> Checked {
    cx.expect_update(0, Decision::Leave, Updated::NoRecord, None)
        .await
}

async fn replace(cx: &Context<'_>) -> Checked {
    cx.put(0, "hello").await?;
    let decision = Decision::Replace("hello world".into());
    cx.expect_update(0, decision, Updated::Done, Some("hello".into()))
        .await?;
    let stored = cx.expect_value(0, "hello world").await;
    stored.map_err(effect_of(&req::UPDATE_WRITE))
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

async fn serialized(cx: &Context<'_>) -> Checked {
    let (before, after) = (account("hello", 23, 1), account("hello", 23, 2));
    cx.put(0, before.clone()).await?;
    let decision = Decision::Replace(after.clone());
    cx.expect_update(0, decision, Updated::Done, Some(before))
        .await?;
    let stored = cx.expect_value(0, after).await;
    stored.map_err(effect_of(&req::UPDATE_WRITE))
}

async fn leave_delete(cx: &Context<'_>) -> Checked {
    let value = || Some(Bytes::from_static(b"hello"));
    cx.put(0, "hello").await?;
    cx.expect_update(0, Decision::Leave, Updated::Done, value())
        .await?;
    let left = cx.expect_value(0, "hello").await;
    left.map_err(effect_of(&req::UPDATE_LEAVE_KEEPS))?;
    cx.expect_update(0, Decision::Delete, Updated::Done, value())
        .await?;
    let removed = cx.expect_no_record(0).await;
    removed.map_err(effect_of(&req::UPDATE_REMOVE))
}

async fn conflict(cx: &Context<'_>) -> Checked {
    cx.put(0, "hello").await?;
    let reading = cx.read_for_update(0, "hello").await?;
    cx.put(0, "somebody else's").await?;
    cx.expect_decided(reading, Decision::Replace("mine".into()), Updated::Conflict)
        .await?;
    let left = cx.expect_value(0, "somebody else's").await;
    left.map_err(effect_of(&req::UPDATE_CONFLICT_KEEPS))
}
