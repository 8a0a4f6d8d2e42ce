//! Mirror: every change is told, and the channel is dumped when that was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::mirror::Settings;

use super::Check;
use super::context::{Checked, Context, Unkept};
use super::watch::Seen;

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

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "mirror.removes",
        group: "streams",
        title: "A Mirror tells of each record that is removed, and of nothing else.",
        rules: &["P63", "P57", "P61"],
        subsumes: Some("Neo Put followed by neo Mirror + Removes"),
        run: |cx| Box::pin(removes(cx)),
    },
    Check {
        id: "mirror.puts",
        group: "streams",
        title: "A Mirror tells of each record that is put, with its value.",
        rules: &["P63", "A18.7", "P57", "P61"],
        subsumes: Some("Neo Mirror followed by neo Puts"),
        run: |cx| Box::pin(puts(cx)),
    },
    Check {
        id: "mirror.order",
        group: "streams",
        title: "A Mirror tells of 200 writes to one record one by one, the last value last.",
        rules: &["A18.7", "A18.8", "P57"],
        subsumes: None,
        run: |cx| Box::pin(order(cx)),
    },
    Check {
        id: "mirror.connection-drop",
        group: "streams",
        title: "A Mirror whose connection breaks is opened again, and dumps the channel again.",
        rules: &["P54", "P61"],
        subsumes: Some("Neo Puts followed by neo Mirror with connection drop"),
        run: |cx| Box::pin(connection_drop(cx)),
    },
    Check {
        id: "mirror.suspend-resume",
        group: "streams",
        title: "A Mirror that is suspended falls silent; the changes come when it is resumed.",
        rules: &["P28", "P31", "P63", "A18.7", "A18.9"],
        subsumes: Some("Neo Mirror followed by neo Puts and suspend/resume"),
        run: |cx| Box::pin(suspend_resume(cx)),
    },
    Check {
        id: "mirror.refresh",
        group: "streams",
        title: "A Mirror with a period of a second dumps the channel every second.",
        rules: &["P62", "P61"],
        subsumes: Some("Neo Put followed by refreshing Mirror"),
        run: |cx| Box::pin(refresh(cx)),
    },
    Check {
        id: "mirror.refresh-suspend",
        group: "streams",
        title: "A Mirror that is suspended over two periods dumps the channel when it is resumed.",
        rules: &["P28", "P62", "A18.9"],
        subsumes: Some("Neo Put followed by refreshing Mirror and suspends/resumes"),
        run: |cx| Box::pin(refresh_suspend(cx)),
    },
    Check {
        id: "mirror.remove-channel",
        group: "streams",
        title: "A Mirror is told when its channel is removed, and of no record of it.",
        rules: &["P60"],
        subsumes: Some("Neo Mirror followed by RemoveChannel"),
        run: |cx| Box::pin(remove_channel(cx)),
    },
];

fn records(cx: &Context, count: u64, length: usize) -> BTreeMap<Key, Bytes> {
    // Values differ, so that one is not taken for another.
    let value = |i: u64| {
        let mut value = i.to_le_bytes().to_vec();
        value.resize(length, 0);
        Bytes::from(value)
    };
    (0..count).map(|i| (cx.key(i), value(i))).collect()
}

async fn removes(cx: &Context) -> Checked {
    let records = records(cx, 100, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    let removed: Vec<Key> = records.keys().copied().take(5).collect();
    cx.remove_all(&removed).await?;
    let seen = mirror
        .until("P63", "5 RecordDeleted", |seen| seen.deleted.len() >= 5)
        .await?;
    cx.expect(
        "P63",
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

async fn puts(cx: &Context) -> Checked {
    let records = records(cx, 100, 128);
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    cx.put_all(&records).await?;
    let seen = mirror
        .until("P63", "100 RecordChanged", |seen| {
            seen.updated.len() >= records.len()
        })
        .await?;
    cx.expect_records(
        "P63",
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

async fn order(cx: &Context) -> Checked {
    const WRITES: usize = 200;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    for number in 0..WRITES {
        cx.put(0, format!("{number:03}")).await?;
    }
    let seen = mirror
        .until("A18.7", "200 RecordChanged", |seen| {
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
        "A18.8",
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

async fn connection_drop(cx: &Context) -> Checked {
    let records = records(cx, 100, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(INITIAL);
    mirror
        .until("P54", "100 refreshed records", |seen| {
            seen.refreshed.len() >= 100
        })
        .await?;
    cx.reconnect();
    let seen = mirror
        .until("P54", "100 more", |seen| seen.refreshed.len() >= 200)
        .await?;
    let sent = "Mirror with an initial refresh, a new connection, Mirror again";
    cx.expect_records("P54", sent, &seen.refreshed[..100], &records)?;
    cx.expect_records("P54", sent, &seen.refreshed[100..], &records)?;
    let seen = mirror.stopped().await?;
    expect_counts(cx, sent, &seen, (0, 200, 0))
}

async fn suspend_resume(cx: &Context) -> Checked {
    let records = records(cx, 1_000, 16_384);
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    mirror.suspend()?;
    mirror
        .until("P28", "Suspended", |seen| seen.suspended == 1)
        .await?;
    cx.put_all(&records).await?;
    cx.sentinel().await?;
    let sent = "Mirror, Suspend, Puts of 1,000 records, Resume";
    let seen = mirror.resume().await?;
    cx.expect(
        "A18.9",
        sent,
        &["at most 1 RecordChanged between the Acks of Suspend and Resume"],
        seen.leaked.items <= 1,
        || format!("{} RecordChanged", seen.leaked.items),
    )?;
    let seen = mirror
        .until("P63", "1,000 RecordChanged", |seen| {
            seen.updated.len() >= records.len()
        })
        .await?;
    cx.expect_records("P63", sent, &seen.updated, &records)?;
    let seen = mirror.stopped().await?;
    expect_counts(cx, sent, &seen, (records.len(), 0, 0))
}

async fn refresh(cx: &Context) -> Checked {
    const ROUNDS: usize = 2;
    let records = records(cx, 1_000, 128);
    cx.put_all(&records).await?;
    let mut mirror = cx.mirror(EVERY_SECOND);
    let wanted = ROUNDS * records.len();
    let seen = mirror
        .until_after(2 * PERIOD, "P62", "2 dumps of 1,000 records", |seen| {
            seen.refreshed.len() >= wanted
        })
        .await?;
    let sent = "Mirror with a period of 1 s on 1,000 records";
    for round in seen.refreshed.chunks(records.len()).take(ROUNDS) {
        cx.expect_records("P62", sent, round, &records)?;
    }
    expect_counts(cx, sent, &seen, (0, seen.refreshed.len(), 0))
}

async fn refresh_suspend(cx: &Context) -> Checked {
    let records = records(cx, 500, 128);
    cx.put_all(&records).await?;
    let mut suspended = cx.mirror(EVERY_SECOND);
    suspended.suspend()?;
    suspended
        .until("P28", "Suspended", |seen| seen.suspended == 1)
        .await?;
    // Another Mirror that is not suspended tells when the periods are over.
    let mut clock = cx.mirror(EVERY_SECOND);
    clock
        .until_after(2 * PERIOD, "P62", "2 dumps", |seen| {
            seen.refreshed.len() >= 2 * records.len()
        })
        .await?;
    let sent = "Mirror with a period of 1 s, Suspend, and Resume after two periods";
    let seen = suspended.resume().await?;
    cx.expect(
        "A18.9",
        sent,
        &["at most 1 batch of a refresh between the Acks of Suspend and Resume"],
        seen.leaked.bytes <= batch::REFRESH_LIMIT,
        || format!("{} refreshed records", seen.leaked.items),
    )?;
    let seen = suspended
        .until_after(PERIOD, "P62", "a dump", |seen| {
            seen.refreshed.len() >= records.len()
        })
        .await?;
    cx.expect_records("P62", sent, &seen.refreshed[..records.len()], &records)
}

async fn remove_channel(cx: &Context) -> Checked {
    cx.put(1, "one").await?;
    let mut mirror = cx.mirror(QUIET);
    mirror.started().await?;
    cx.remove_channel("").await?;
    let seen = mirror
        .until("P60", "ChannelRemoved", |seen| seen.channel_removed)
        .await?;
    expect_counts(cx, "Mirror, and RemoveChannel", &seen, (0, 0, 0))
}

/// How many records were told as updated, as refreshed and as deleted.
fn expect_counts(
    cx: &Context,
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
        "P61",
        sent,
        &[&expected],
        counted == (updated, refreshed, deleted),
        || show(counted),
    )
}

fn sorted(keys: &[Key]) -> BTreeSet<Key> {
    keys.iter().copied().collect()
}
