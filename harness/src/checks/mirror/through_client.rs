//! Mirror through the client: every change is told, and the channel is dumped when that was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::mirror::Settings;
use dht_requirements as req;

use crate::checks::watch::Seen;
use crate::checks::{Check, Context, Group, Tag, sample};
use crate::unkept::{Checked, Unkept};

const QUIET: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};
const INITIAL: Settings = Settings {
    initial_refresh: true,
    periodic_refresh_s: 0,
};
const EVERY_SECOND: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 1,
};

/// The period of `EVERY_SECOND`.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::through_client(
            "mirror.removes",
            "A Mirror tells of each record that is removed, and of nothing else.",
            &[
                &req::MIRROR_PUT_REPORTED,
                &req::MIRROR_LAST_AGREES,
                &req::MIRROR_ONLY_CHANNEL,
            ],
            |cx| Box::pin(removes(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Put followed by neo Mirror + Removes"),
        Check::through_client(
            "mirror.puts",
            "A Mirror tells of each record that is put, with its value.",
            &[
                &req::MIRROR_PUT_REPORTED,
                &req::MIRROR_EVERY_WRITE,
                &req::MIRROR_LAST_AGREES,
                &req::MIRROR_ONLY_CHANNEL,
            ],
            |cx| Box::pin(puts(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Mirror followed by neo Puts"),
        Check::through_client(
            "mirror.order",
            "A Mirror tells of 200 writes to one record one by one, the last value last.",
            &[
                &req::MIRROR_EVERY_WRITE,
                &req::MIRROR_ORDER_PER_KEY,
                &req::MIRROR_LAST_AGREES,
            ],
            |cx| Box::pin(order(cx)),
        )
        .in_group(Group::Streams),
        Check::through_client(
            "mirror.connection-drop",
            "A Mirror whose connection breaks is opened again, and dumps the channel again.",
            &[&req::MIRROR_CONVERGES, &req::MIRROR_ONLY_CHANNEL],
            |cx| Box::pin(connection_drop(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Puts followed by neo Mirror with connection drop"),
        Check::through_client(
            "mirror.suspend-resume",
            "A Mirror that is suspended falls silent; the changes come when it is resumed.",
            &[
                &req::CTL_RESUME_ACKED,
                &req::GETALL_SUSPEND_BOUND,
                &req::MIRROR_PUT_REPORTED,
                &req::MIRROR_EVERY_WRITE,
                &req::MIRROR_SUSPEND_BOUND,
            ],
            |cx| Box::pin(suspend_resume(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Mirror followed by neo Puts and suspend/resume"),
        Check::through_client(
            "mirror.refresh",
            "A Mirror with a period of a second dumps the channel every second.",
            &[&req::MIRROR_PERIODIC_REPEATS, &req::MIRROR_ONLY_CHANNEL],
            |cx| Box::pin(refresh(cx)),
        )
        .in_group(Group::Streams)
        .tagged(Tag::Slow)
        .subsumes("Neo Put followed by refreshing Mirror"),
        Check::through_client(
            "mirror.refresh-suspend",
            "A Mirror that is suspended over two periods dumps the channel when it is resumed.",
            &[
                &req::CTL_RESUME_ACKED,
                &req::MIRROR_PERIODIC_REPEATS,
                &req::MIRROR_SUSPEND_BOUND,
            ],
            |cx| Box::pin(refresh_suspend(cx)),
        )
        .in_group(Group::Streams)
        .tagged(Tag::Slow)
        .subsumes("Neo Put followed by refreshing Mirror and suspends/resumes"),
        Check::through_client(
            "mirror.remove-channel",
            "A Mirror is told when its channel is removed, and of no record of it.",
            &[&req::MIRROR_REMOVED_IDLE],
            |cx| Box::pin(remove_channel(cx)),
        )
        .in_group(Group::Streams)
        .subsumes("Neo Mirror followed by RemoveChannel"),
    ]
}

fn records(cx: &Context<'_>, count: u64, length: usize) -> BTreeMap<Key, Bytes> {
    sample::records(cx, count, length).into_iter().collect()
}

async fn removes(cx: &Context<'_>) -> Checked {
    let records = records(cx, 100, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    let removed: Vec<Key> = records.keys().copied().take(5).collect();
    cx.remove_all(&removed).await?;
    let seen = mirror
        .until(&req::MIRROR_PUT_REPORTED, "5 RecordDeleted", |seen| {
            seen.deleted.len() >= 5
        })
        .await?;
    cx.expect(
        &req::MIRROR_PUT_REPORTED,
        "Mirror, and Removes of 5 of 100 records",
        &["RecordDeleted for each of them, in the order of the Removes or any other"],
        sorted(&seen.deleted) == sorted(&removed),
        || format!("RecordDeleted for {:?}", seen.deleted),
    )?;
    let seen = mirror.stopped().await?;
    expect_counts(
        cx,
        "Mirror, and Removes of 5 of 100 records",
        &seen,
        (0, 0, 5),
    )
}

async fn puts(cx: &Context<'_>) -> Checked {
    let records = records(cx, 100, 128);
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    cx.put_all(&records).await?;
    let seen = mirror
        .until(&req::MIRROR_PUT_REPORTED, "100 RecordChanged", |seen| {
            seen.updated.len() >= records.len()
        })
        .await?;
    cx.expect_records(
        &req::MIRROR_PUT_REPORTED,
        "Mirror, and Puts of 100 records",
        &seen.updated,
        &records,
    )?;
    let seen = mirror.stopped().await?;
    expect_counts(
        cx,
        "Mirror, and Puts of 100 records",
        &seen,
        (records.len(), 0, 0),
    )
}

async fn order(cx: &Context<'_>) -> Checked {
    const WRITES: usize = 200;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    for number in 0..WRITES {
        cx.put(0, format!("{number:03}")).await?;
    }
    let seen = mirror
        .until(&req::MIRROR_EVERY_WRITE, "200 RecordChanged", |seen| {
            seen.updated.len() >= WRITES
        })
        .await?;
    let values: Vec<_> = seen
        .updated
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    // A value is read when it is sent, so a later one may come early, but never an earlier one late.
    cx.expect(
        &req::MIRROR_ORDER_PER_KEY,
        "Mirror, and 200 Puts of one record",
        &["values in the order of the Puts, the last one at the end"],
        values.is_sorted() && values.last().is_some_and(|last| last == "199"),
        || {
            format!(
                "{} values, ending with {:?}",
                values.len(),
                values.iter().rev().take(5).collect::<Vec<_>>()
            )
        },
    )
}

async fn connection_drop(cx: &Context<'_>) -> Checked {
    let records = records(cx, 100, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(INITIAL);
    mirror
        .until(&req::MIRROR_CONVERGES, "100 refreshed records", |seen| {
            seen.refreshed.len() >= 100
        })
        .await?;
    cx.reconnect();
    let seen = mirror
        .until(&req::MIRROR_CONVERGES, "100 more", |seen| {
            seen.refreshed.len() >= 200
        })
        .await?;
    let sent = "Mirror with an initial refresh, a new connection, Mirror again";
    cx.expect_records(
        &req::MIRROR_CONVERGES,
        sent,
        &seen.refreshed[..100],
        &records,
    )?;
    cx.expect_records(
        &req::MIRROR_CONVERGES,
        sent,
        &seen.refreshed[100..],
        &records,
    )?;
    let seen = mirror.stopped().await?;
    expect_counts(cx, sent, &seen, (0, 200, 0))
}

async fn suspend_resume(cx: &Context<'_>) -> Checked {
    let records = records(cx, 1_000, 16_384);
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    mirror.suspend()?;
    mirror
        .until(&req::CTL_RESUME_ACKED, "Suspended", |seen| {
            seen.suspended == 1
        })
        .await?;
    cx.put_all(&records).await?;
    cx.sentinel().await?;
    let sent = "Mirror, Suspend, Puts of 1,000 records, Resume";
    let seen = mirror.resume().await?;
    cx.expect(
        &req::MIRROR_SUSPEND_BOUND,
        sent,
        &["at most 1 RecordChanged between the Acks of Suspend and Resume"],
        seen.leaked.items <= 1,
        || format!("{} RecordChanged", seen.leaked.items),
    )?;
    let seen = mirror
        .until(&req::MIRROR_PUT_REPORTED, "1,000 RecordChanged", |seen| {
            seen.updated.len() >= records.len()
        })
        .await?;
    cx.expect_records(&req::MIRROR_PUT_REPORTED, sent, &seen.updated, &records)?;
    let seen = mirror.stopped().await?;
    expect_counts(cx, sent, &seen, (records.len(), 0, 0))
}

async fn refresh(cx: &Context<'_>) -> Checked {
    const ROUNDS: usize = 2;
    let records = records(cx, 1_000, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(EVERY_SECOND);
    let wanted = ROUNDS * records.len();
    let seen = mirror
        .until_after(
            2 * PERIOD,
            &req::MIRROR_PERIODIC_REPEATS,
            "2 dumps of 1,000 records",
            |seen| seen.refreshed.len() >= wanted,
        )
        .await?;
    let sent = "Mirror with a period of 1 s on 1,000 records";
    for round in seen.refreshed.chunks(records.len()).take(ROUNDS) {
        cx.expect_records(&req::MIRROR_PERIODIC_REPEATS, sent, round, &records)?;
    }
    expect_counts(cx, sent, &seen, (0, seen.refreshed.len(), 0))
}

async fn refresh_suspend(cx: &Context<'_>) -> Checked {
    let records = records(cx, 500, 128);
    cx.put_all(&records).await?;
    let mut suspended = cx.mirror(EVERY_SECOND);
    suspended.suspend()?;
    suspended
        .until(&req::CTL_RESUME_ACKED, "Suspended", |seen| {
            seen.suspended == 1
        })
        .await?;
    // Another Mirror that is not suspended tells when the periods are over.
    let mut clock = cx.mirror(EVERY_SECOND);
    clock
        .until_after(
            2 * PERIOD,
            &req::MIRROR_PERIODIC_REPEATS,
            "2 dumps",
            |seen| seen.refreshed.len() >= 2 * records.len(),
        )
        .await?;
    let sent = "Mirror with a period of 1 s, Suspend, and Resume after two periods";
    let seen = suspended.resume().await?;
    cx.expect(
        &req::MIRROR_SUSPEND_BOUND,
        sent,
        &["at most 1 batch of a refresh between the Acks of Suspend and Resume"],
        seen.leaked.bytes <= batch::REFRESH_LIMIT,
        || format!("{} refreshed records", seen.leaked.items),
    )?;
    let seen = suspended
        .until_after(PERIOD, &req::MIRROR_PERIODIC_REPEATS, "a dump", |seen| {
            seen.refreshed.len() >= records.len()
        })
        .await?;
    cx.expect_records(
        &req::MIRROR_PERIODIC_REPEATS,
        sent,
        &seen.refreshed[..records.len()],
        &records,
    )
}

async fn remove_channel(cx: &Context<'_>) -> Checked {
    cx.put(1, "one").await?;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    cx.remove_channel("").await?;
    let seen = mirror
        .until(&req::MIRROR_REMOVED_IDLE, "ChannelRemoved", |seen| {
            seen.channel_removed
        })
        .await?;
    expect_counts(cx, "Mirror, and RemoveChannel", &seen, (0, 0, 0))
}

/// How many records were told as updated, as refreshed and as deleted.
fn expect_counts(
    cx: &Context<'_>,
    sent: &str,
    seen: &Seen,
    (updated, refreshed, deleted): (usize, usize, usize),
) -> Result<(), Unkept> {
    let show = |(updated, refreshed, deleted): (usize, usize, usize)| {
        format!("{updated} updated, {refreshed} refreshed, {deleted} deleted")
    };
    let counted = (seen.updated.len(), seen.refreshed.len(), seen.deleted.len());
    let expected = show((updated, refreshed, deleted));
    cx.expect(
        &req::MIRROR_ONLY_CHANNEL,
        sent,
        &[&expected],
        counted == (updated, refreshed, deleted),
        || show(counted),
    )
}

fn sorted(keys: &[Key]) -> BTreeSet<Key> {
    keys.iter().copied().collect()
}
