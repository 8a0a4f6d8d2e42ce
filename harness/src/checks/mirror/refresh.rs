//! Refreshes: all records at the start, and periodically.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{Follower, INITIAL, PERIODIC, ending, is_batch, refreshed};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::Checked;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let channels = [
        ("one-record", 1, 10),
        ("tiny-records", 300, 1),
        ("small-records", 1_500, 100),
        ("large-records", 25, 60_000),
        ("largest-records", 4, 65_512),
    ];
    let mut checks: Vec<Check> = channels.map(complete).into();
    checks.extend([
        check(
            "mirror-refresh.nothing",
            "A refresh of a channel without records sends nothing.",
            &[&req::BATCH_REFRESH_NOT_EMPTY],
            |ground| Box::pin(nothing(ground)),
        ),
        check(
            "mirror-refresh.compressible",
            "A refresh delivers values that compress well byte for byte.",
            &[&req::MIRROR_REFRESH_VALUES, &req::MIRROR_REFRESH_COMPLETE],
            |ground| Box::pin(compressible(ground)),
        ),
        check(
            "mirror-refresh.removals-before",
            "A refresh that was held back by a suspension delivers all records beside the \
             removed ones.",
            &[&req::MIRROR_REFRESH_REMOVALS],
            |ground| Box::pin(removals_before(ground)),
        ),
        check(
            "mirror-refresh.removals-during",
            "A refresh during Removes delivers all records that are not removed.",
            &[&req::MIRROR_REFRESH_REMOVALS],
            |ground| Box::pin(removals_during(ground)),
        ),
        check(
            "mirror-refresh.suspended-midway",
            "A refresh that is suspended and resumed midway delivers all records.",
            &[
                &req::MIRROR_REFRESH_COMPLETE,
                &req::MIRROR_SUSPEND_BOUND,
                &req::CTL_SUSPEND_ACKED,
                &req::CTL_RESUME_ACKED,
            ],
            |ground| Box::pin(suspended_midway(ground)),
        ),
        check(
            "mirror-refresh.periods",
            "Periodic refreshes come after a period at the earliest, again and again, and are \
             complete.",
            &[&req::MIRROR_PERIODIC_FIRST, &req::MIRROR_PERIODIC_REPEATS],
            |ground| Box::pin(periods(ground)),
        )
        .tagged(Tag::Slow),
    ]);
    checks
}

fn complete((name, count, length): (&str, u64, usize)) -> Check {
    check(
        format!("mirror-refresh.{name}"),
        format!("A refresh delivers {count} records with values of {length} bytes."),
        &[
            &req::MIRROR_REFRESH_COMPLETE,
            &req::MIRROR_REFRESH_VALUES,
            &req::BATCH_REFRESH_RECORD,
            &req::BATCH_REFRESH_LIMIT,
            &req::BATCH_REFRESH_NOT_EMPTY,
        ],
        move |ground| {
            Box::pin(async move {
                let records = sample::records(ground, count, length);
                delivers(ground, &records).await
            })
        },
    )
}

/// A Mirror with an initial refresh of a channel with these records delivers them.
async fn delivers(ground: &Ground, records: &[(Key, Bytes)]) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer.store_all(&channel, records).await?;
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    let (due, count) = (&req::MIRROR_REFRESH_COMPLETE, records.len());
    let what = format!("{count} refreshed records");
    mirror
        .until(due, &what, |told| refreshed(told) >= count)
        .await?;
    expect_all(
        ground,
        due,
        &mirror,
        records,
        "Mirror with an initial refresh",
    )?;
    mirror.settle().await?;
    let kept = refreshed(&mirror.told) == count;
    let sent = "Mirror with an initial refresh of a channel that nobody changes";
    ground.expect(due, sent, &["each record once"], kept, || {
        ending(&mirror.told)
    })
}

/// Each of these records has come in a refresh, with its value.
fn expect_all(
    ground: &Ground,
    rule: &'static req::Requirement,
    mirror: &Follower,
    records: &[(Key, Bytes)],
    sent: &str,
) -> Checked {
    let came: BTreeMap<Key, Bytes> = mirror.refreshed().into_iter().collect();
    let missing = records.iter().filter(|(key, _)| !came.contains_key(key));
    let missing = missing.count();
    ground.expect(rule, sent, &["every record"], missing == 0, || {
        format!("{missing} of {} records did not come", records.len())
    })?;
    let mut wrong = records
        .iter()
        .filter(|(key, value)| came.get(key) != Some(value));
    let wrong = wrong.next();
    let rule = &req::MIRROR_REFRESH_VALUES;
    ground.expect(
        rule,
        sent,
        &["every value as it was put"],
        wrong.is_none(),
        || format!("another value of {:?}", wrong.map(|(key, _)| key)),
    )
}

async fn nothing(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    mirror.settle().await?;
    let (rule, sent) = (
        &req::BATCH_REFRESH_NOT_EMPTY,
        "Mirror with an initial refresh",
    );
    let nothing = mirror.told.is_empty();
    ground.expect(rule, sent, &["nothing"], nothing, || ending(&mirror.told))
}

async fn compressible(ground: &Ground) -> Checked {
    let records: Vec<_> = (0..100)
        .map(|number| (ground.key(number), vec![number as u8; 5_000].into()))
        .collect();
    delivers(ground, &records).await
}

async fn removals_before(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 300, 50);
    writer.store_all(&channel, &records).await?;
    let mut mirror = Follower::start_suspended(ground, &channel, INITIAL).await?;
    let (removed, kept) = records.split_at(100);
    let removed: Vec<Key> = removed.iter().map(|(key, _)| *key).collect();
    writer.remove_all(&channel, &removed).await?;
    mirror.control(Control::Resume).await?;
    let sent = "Mirror with an initial refresh, suspended; Remove of some records, Resume";
    expect_untouched(ground, &mut mirror, kept, sent).await
}

async fn removals_during(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 1_500, 100);
    writer.store_all(&channel, &records).await?;
    let (removed, kept) = records.split_at(750);
    let removals: Vec<_> = removed
        .iter()
        .map(|(key, _)| record(&channel, *key).opening(RequestCode::Remove))
        .collect();
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    for id in writer.open_at_once(&removals).await {
        writer.supported(id).await?;
        writer.answer(id, "Removed").await?;
    }
    let sent = "Mirror with an initial refresh of 1,500 records, Removes of half of them";
    expect_untouched(ground, &mut mirror, kept, sent).await
}

/// The refresh brings at least these records.
async fn expect_untouched(
    ground: &Ground,
    mirror: &mut Follower,
    records: &[(Key, Bytes)],
    sent: &str,
) -> Checked {
    let due = &req::MIRROR_REFRESH_REMOVALS;
    let mut missing: BTreeMap<Key, &Bytes> =
        records.iter().map(|(key, value)| (*key, value)).collect();
    while !missing.is_empty() {
        let what = format!("{} more records of the refresh", missing.len());
        if let super::follower::Told::Batch(batch) = mirror.next(due, &what).await? {
            for (key, value) in batch {
                if let Some(put) = missing.remove(key) {
                    let expected = ["the value that was put"];
                    ground.expect(due, sent, &expected, put == value, || {
                        format!("another value of {key}")
                    })?;
                }
            }
        }
    }
    Ok(())
}

async fn suspended_midway(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 30, 60_000);
    writer.store_all(&channel, &records).await?;
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    let (due, what) = (&req::MIRROR_REFRESH_COMPLETE, "30 refreshed records");
    mirror.until(due, what, |told| refreshed(told) > 0).await?;
    mirror.control(Control::Suspend).await?;
    let before = mirror.count(is_batch);
    mirror.settle().await?;
    let after = mirror.count(is_batch) - before;
    let (rule, sent) = (&req::MIRROR_SUSPEND_BOUND, "Suspend during a refresh");
    let expected = ["at most one batch behind the Ack"];
    ground.expect(rule, sent, &expected, after <= 1, || {
        format!("{after} batches")
    })?;
    mirror.control(Control::Resume).await?;
    mirror
        .until(due, what, |told| refreshed(told) >= 30)
        .await?;
    expect_all(
        ground,
        due,
        &mirror,
        &records,
        "Suspend and Resume during a refresh",
    )
}

async fn periods(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 50, 50);
    writer.store_all(&channel, &records).await?;
    let link = ground.link().await?;
    let start = Instant::now();
    let mut mirror = Follower::on(link, &channel, PERIODIC, false).await?;
    let due = &req::MIRROR_PERIODIC_REPEATS;
    mirror
        .until(due, "a refresh after a period", |told| refreshed(told) > 0)
        .await?;
    // Clocks of timers may be coarser than ours.
    let early = start.elapsed() < Duration::from_millis(950);
    let sent = "Mirror with a period of 1 s";
    let rule = &req::MIRROR_PERIODIC_FIRST;
    let expected = ["the first refresh 1 s after the start or later"];
    let elapsed = start.elapsed();
    ground.expect(rule, sent, &expected, !early, || {
        format!("{elapsed:?} after it")
    })?;
    let twice = 2 * records.len();
    let what = "50 refreshed records, and again after a period";
    mirror
        .until(due, what, |told| refreshed(told) >= twice)
        .await?;
    let mut came = BTreeMap::new();
    for (key, _) in mirror.refreshed() {
        *came.entry(key).or_insert(0) += 1;
    }
    let kept = records.iter().all(|(key, _)| came.get(key) == Some(&2));
    let expected = ["each of 50 records in each refresh"];
    ground.expect(due, sent, &expected, kept, || ending(&mirror.told))
}
