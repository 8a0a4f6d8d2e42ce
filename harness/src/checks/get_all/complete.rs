//! GetAll of channels of all sizes: every record, once, with its value.

use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_requirements as req;

use super::walk::{Records, Said, Walk, small, store, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};
use crate::wire::Link;

/// How many records channels have: about the numbers at which nodes let others work, and at which a batch
/// is full.
const COUNTS: [u64; 8] = [1, 2, 10, 11, 12, 33, 256, 2_000];
/// How many keys fill a batch, and one less and one more.
const KEYS: [u64; 4] = [1, 4_095, 4_096, 4_097];

pub(super) fn checks() -> Vec<Check> {
    let records = COUNTS.into_iter().map(|count| {
        Check::raw(
            format!("getall-data.records-{count}"),
            format!("GetAll delivers each of {count} records once, with its value."),
            &[
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
                &req::GETALL_VALUES,
                &req::BATCH_BOUNDARIES_FREE,
                &req::CTL_STARTED_FIRST,
            ],
            move |ground| Box::pin(records(ground, count)),
        )
    });
    let keys = KEYS.into_iter().map(|count| {
        Check::raw(
            format!("getall-data.keys-{count}"),
            format!("GetAll with keys_only delivers each of {count} keys once."),
            &[&req::GETALL_KEYS_COMPLETE, &req::GETALL_NO_DUPLICATE],
            move |ground| Box::pin(keys(ground, count)),
        )
    });
    let others = [
        Check::raw(
            "getall-data.absent-channel",
            "GetAll of a channel that does not exist finishes without a record.",
            &[&req::GETALL_ABSENT_CHANNEL, &req::BATCH_GETALL_EMPTY],
            |ground| Box::pin(absent(ground)),
        ),
        Check::raw(
            "getall-data.emptied-channel",
            "GetAll of a channel whose records were all removed finishes without a record.",
            &[&req::GETALL_EMPTY_CHANNEL, &req::BATCH_GETALL_EMPTY],
            |ground| Box::pin(emptied(ground)),
        ),
        Check::raw(
            "getall-data.neighbours",
            "GetAll delivers no record of channels whose names begin alike.",
            &[&req::GETALL_ONLY_CHANNEL, &req::GETALL_COMPLETE],
            |ground| Box::pin(neighbours(ground)),
        ),
        Check::raw(
            "getall-data.two-clients",
            "GetAlls of one channel on two connections both deliver everything.",
            &[
                &req::GETALL_ITERATIONS_APART,
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
            ],
            |ground| Box::pin(two_clients(ground)),
        ),
    ];
    let checks = records.chain(keys).chain(others);
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

/// Stores records in the main channel and gets what `open` asks for, to the end.
pub(super) async fn read(ground: &Ground, records: &Records, open: &Open) -> Checked<Walk> {
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), records).await?;
    read_on(link, open).await
}

/// Gets what `open` asks for, to the end.
pub(super) async fn read_on(link: Link, open: &Open) -> Checked<Walk> {
    let mut walk = Walk::start(link, open).await?;
    walk.finish(&req::REQ_ANSWER_DEFINED).await?;
    Ok(walk)
}

async fn records(ground: &Ground, count: u64) -> Checked {
    let records = small(ground, 0..count);
    let walk = read(ground, &records, &whole(ground)).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)?;
    if count == 2_000 {
        let batches = walk.batches.to_string();
        ground.note("Batches of a GetAll of 2,000 small records", batches);
    }
    Ok(())
}

async fn keys(ground: &Ground, count: u64) -> Checked {
    let records = small(ground, 0..count);
    let open = Open {
        settings: Settings {
            keys_only: true,
            ..Settings::default()
        },
        ..whole(ground)
    };
    let walk = read(ground, &records, &open).await?;
    walk.complete(&records, &req::GETALL_KEYS_COMPLETE)
}

async fn absent(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (neighbour, records) = (ground.channel("neighbour"), small(ground, 0..3));
    store(&mut link, &neighbour, &records).await?;
    nothing(ground, link, &req::GETALL_ABSENT_CHANNEL).await
}

async fn emptied(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let records = small(ground, 0..3);
    store(&mut link, &ground.channel(""), &records).await?;
    store(&mut link, &ground.channel("neighbour"), &records).await?;
    for key in records.keys() {
        link.remove(&ground.channel(""), *key).await?;
    }
    nothing(ground, link, &req::GETALL_EMPTY_CHANNEL).await
}

/// The main channel has no record. That the last batch is sent although it is empty is allowed.
async fn nothing(
    ground: &Ground,
    link: Link,
    rule: &'static dht_requirements::Requirement,
) -> Checked {
    let mut walk = Walk::start(link, &whole(ground)).await?;
    let first = walk.hear().await?;
    if first == Said::Batch {
        walk.finish(rule).await?;
    }
    let answer = match first {
        Said::Batch => "sent empty",
        Said::Ack | Said::Finished => "not sent",
    };
    ground.note("Batch of a GetAll that has no record", answer);
    match &walk.got[..] {
        [] => Ok(()),
        [(key, _), ..] => {
            let observed = format!("the record of {key}");
            Err(walk.broke(
                rule,
                Outcome::Data,
                &["Finished without a record"],
                observed,
            ))
        }
    }
}

async fn neighbours(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let records = small(ground, 0..10);
    store(&mut link, &ground.channel(""), &records).await?;
    for (name, first) in [("a", 100), ("aa", 200), ("b", 300)] {
        let others = small(ground, first..first + 10);
        store(&mut link, &ground.channel(name), &others).await?;
    }
    let walk = read_on(link, &whole(ground)).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)
}

async fn two_clients(ground: &Ground) -> Checked {
    let records = small(ground, 0..500);
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &records).await?;
    let mut one = Walk::start(link, &whole(ground)).await?;
    let mut other = Walk::start(ground.link().await?, &whole(ground)).await?;
    other.finish(&req::REQ_ANSWER_DEFINED).await?;
    one.finish(&req::REQ_ANSWER_DEFINED).await?;
    other.complete(&records, &req::GETALL_ITERATIONS_APART)?;
    one.complete(&records, &req::GETALL_ITERATIONS_APART)
}
