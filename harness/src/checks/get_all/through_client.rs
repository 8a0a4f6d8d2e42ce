//! GetAll through the client, of a channel that takes many batches: complete, without repetition, over
//! suspensions and reconnections.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::get_all::Settings;
use dht_requirements as req;

use crate::checks::context::Delivery;
use crate::checks::watch::{Seen, Watch};
use crate::checks::{Check, Context, Group, sample};
use crate::unkept::{Checked, Unkept};

const RECORDS: u64 = 1_000;
/// So many that the buffers between node and client do not hold them all: the node has to wait, and can read
/// of a suspension, before it has sent them.
const HELD_RECORDS: u64 = 3_000;
/// Bytes of a value. They do not compress: what does is too quickly sent to be interrupted.
const VALUE: usize = 8_192;
/// How often an interruption is tried before the node is said to be too fast for it.
const ATTEMPTS: usize = 5;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::through_client(
            "getall.complete",
            "GetAll delivers 1,000 records of 8 KiB, each once.",
            &[
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
                &req::GETALL_VALUES,
                &req::GETALL_ONLY_CHANNEL,
                &req::BATCH_WHOLE_RECORDS,
            ],
            |cx| Box::pin(complete(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Puts followed by Task-blocking neo GetAll"),
        Check::through_client(
            "getall.suspend-resume",
            "A GetAll that is suspended falls silent, and goes on where it was when it is resumed.",
            &[
                &req::CTL_RESUME_ACKED,
                &req::GETALL_SUSPEND_BOUND,
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
                &req::GETALL_VALUES,
                &req::GETALL_ONLY_CHANNEL,
            ],
            |cx| Box::pin(suspend_resume(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Puts followed by neo GetAll and suspend/resume"),
        Check::through_client(
            "getall.connection-drop",
            "A GetAll whose connection breaks goes on behind the last key on the next connection.",
            &[
                &req::GETALL_CONTINUE_REST,
                &req::GETALL_NO_DUPLICATE,
                &req::GETALL_VALUES,
                &req::GETALL_ONLY_CHANNEL,
            ],
            |cx| Box::pin(connection_drop(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Puts followed by neo GetAll with connection drop"),
        Check::through_client(
            "getall.stop",
            "A GetAll that is stopped ends, and the connection is as useful as before.",
            &[&req::CTL_RESUME_ACKED, &req::CTL_STOP_ACKED],
            |cx| Box::pin(stop(cx)),
        )
        .in_group(Group::Streams),
    ]
}

/// Fills the channel with so many records.
async fn fill(cx: &Context<'_>, count: u64) -> Checked<BTreeMap<Key, Bytes>> {
    let records = sample::records(cx, count, VALUE).into_iter().collect();
    cx.put_all(&records).await?;
    Ok(records)
}

async fn complete(cx: &Context<'_>) -> Checked {
    let records = fill(cx, RECORDS).await?;
    cx.expect_get_all(Settings::default(), &records).await
}

async fn suspend_resume(cx: &Context<'_>) -> Checked {
    let records = fill(cx, HELD_RECORDS).await?;
    let mut get_all = held_in_the_middle(cx).await?;
    cx.sentinel().await?;
    let seen = get_all.resume().await?;
    cx.expect(
        &req::GETALL_SUSPEND_BOUND,
        "GetAll, Suspend, 20 Exists, Resume",
        &["no more than 2 batches of 64 KiB between the Acks of Suspend and Resume"],
        seen.leaked.bytes <= 2 * batch::LIMIT,
        || format!("{} KiB of records", seen.leaked.bytes / 1024),
    )?;
    let seen = get_all
        .until(&req::REQ_ANSWERED, "Finished", |seen| seen.finished)
        .await?;
    cx.expect_records(
        Delivery::GET_ALL,
        "GetAll, Suspend, Resume",
        &seen.records,
        &records,
    )
}

async fn connection_drop(cx: &Context<'_>) -> Checked {
    let records = fill(cx, HELD_RECORDS).await?;
    let mut get_all = held_in_the_middle(cx).await?;
    cx.reconnect();
    get_all
        .until(&req::REQ_ANSWERED, "the connection to break", |seen| {
            seen.disconnected == 1
        })
        .await?;
    get_all.resume().await?;
    let seen = get_all
        .until(&req::REQ_ANSWERED, "Finished", |seen| seen.finished)
        .await?;
    let sent = "GetAll, a new connection in the middle, GetAll continuing behind the last key";
    let delivery = Delivery {
        missing: &req::GETALL_CONTINUE_REST,
        ..Delivery::GET_ALL
    };
    cx.expect_records(delivery, sent, &seen.records, &records)
}

/// A GetAll that is suspended when some of the records have come and some have not. Whether the node sends
/// everything before it reads of the suspension is a race that it may win, but not every time.
async fn held_in_the_middle(cx: &Context<'_>) -> Checked<Watch> {
    for _ in 0..ATTEMPTS {
        let mut get_all = cx.get_all(Settings::default());
        get_all
            .until(&req::REQ_ANSWERED, "a record", |seen| {
                !seen.records.is_empty()
            })
            .await?;
        get_all.suspend()?;
        let seen = get_all
            .until(&req::CTL_RESUME_ACKED, "Suspended", |seen| {
                seen.suspended == 1 || seen.finished
            })
            .await?;
        if !seen.finished {
            return Ok(get_all);
        }
    }
    Err(Unkept::Inconclusive(format!(
        "in {ATTEMPTS} attempts the node sent all of 24 MB before it could read of the suspension"
    )))
}

async fn stop(cx: &Context<'_>) -> Checked {
    fill(cx, HELD_RECORDS).await?;
    let mut get_all = cx.get_all(Settings::default());
    get_all.stop()?;
    get_all
        .until(&req::CTL_STOP_ACKED, "the end", Seen::is_over)
        .await?;
    cx.sentinel().await
}
