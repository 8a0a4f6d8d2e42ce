//! Values of all sizes in GetAll, up to those that no batch holds.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_protocol::neo::request::put;
use dht_requirements as req;

use super::complete::{read, read_on};
use super::walk::{Records, noise, small, store, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome, not_applicable};
use crate::wire::Link;
use dht_workload::rng::Rng;

/// Sizes of values.
const SIZES: [usize; 6] = [1, 255, 256, 32_768, MAX_VALUE - 1, MAX_VALUE];
/// What two records have besides their values: two keys and two values with their lengths.
const OVERHEAD: usize = 2 * 24;
/// Plain bytes of a batch.
const BATCH: usize = 65_536;
/// Sizes of values that are too large for a batch.
const OVERSIZE: [usize; 2] = [MAX_VALUE + 1, 100_000];

pub(super) fn checks() -> Vec<Check> {
    let sizes = SIZES.into_iter().map(|size| {
        let mut rules = vec![
            &req::GETALL_COMPLETE,
            &req::GETALL_VALUES,
            &req::BATCH_VALUES,
        ];
        if size == MAX_VALUE {
            rules.push(&req::GETALL_LARGEST_VALUE);
        }
        Check::raw(
            format!("getall-data.value-{size}"),
            format!("GetAll delivers a value of {size} bytes, and the records around it."),
            &rules,
            move |ground| Box::pin(value(ground, size)),
        )
    });
    let fits = [BATCH - 1, BATCH, BATCH + 1].into_iter().map(|plain| {
        Check::raw(
            format!("getall-data.pair-{plain}"),
            format!("GetAll delivers two records that take {plain} bytes together."),
            &[&req::GETALL_COMPLETE, &req::BATCH_GETALL_LIMIT],
            move |ground| Box::pin(pair(ground, plain)),
        )
    });
    let oversize = OVERSIZE.into_iter().flat_map(|size| {
        [
            Check::raw(
                format!("getall-data.oversize-{size}"),
                format!(
                    "A value of {size} bytes is delivered whole or left out, and hides no other."
                ),
                &[&req::GETALL_OVERSIZE_WHOLE, &req::GETALL_OVERSIZE_OTHERS],
                move |ground| Box::pin(oversize(ground, size)),
            ),
            Check::raw(
                format!("getall-data.oversize-key-{size}"),
                format!("With keys_only the key of a value of {size} bytes is delivered."),
                &[&req::GETALL_KEYS_OVERSIZE, &req::GETALL_KEYS_COMPLETE],
                move |ground| Box::pin(oversize_key(ground, size)),
            ),
        ]
    });
    let checks = sizes.chain(fits).chain(oversize);
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

async fn value(ground: &Ground, size: usize) -> Checked {
    let mut records = small(ground, 0..5);
    let value = noise(&mut Rng::new(ground.seed()), size);
    records.insert(ground.key(2), value);
    let walk = read(ground, &records, &whole(ground)).await?;
    let lost = match size {
        MAX_VALUE => &req::GETALL_LARGEST_VALUE,
        _ => &req::GETALL_COMPLETE,
    };
    walk.has([&ground.key(2)], lost)?;
    walk.complete(&records, &req::GETALL_COMPLETE)
}

async fn pair(ground: &Ground, plain: usize) -> Checked {
    let mut rng = Rng::new(ground.seed());
    let first = (plain - OVERHEAD) / 2;
    let values = [first, plain - OVERHEAD - first];
    let records: Records = (0..)
        .zip(values)
        .map(|(number, size)| (ground.key(number), noise(&mut rng, size)))
        .collect();
    let walk = read(ground, &records, &whole(ground)).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)
}

/// Stores records, one of which is too large for a batch.
async fn store_oversize(ground: &Ground, size: usize) -> Checked<(Link, Records)> {
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    let records = small(ground, 0..9);
    store(&mut link, &channel, &records).await?;
    let value = noise(&mut Rng::new(ground.seed()), size);
    if link.put(&channel, ground.key(99), value).await? != put::Reply::Put {
        return not_applicable(format!("the node does not store values of {size} bytes"));
    }
    Ok((link, records))
}

async fn oversize(ground: &Ground, size: usize) -> Checked {
    let (link, records) = store_oversize(ground, size).await?;
    let mut walk = read_on(link, &whole(ground)).await?;
    let large = walk.got.iter().position(|(key, _)| *key == ground.key(99));
    let answer = if large.is_some() {
        "delivered"
    } else {
        "left out"
    };
    ground.note("Values above 65,512 bytes in a GetAll", answer);
    if let Some(place) = large {
        let (_, value) = walk.got.remove(place);
        let whole = noise(&mut Rng::new(ground.seed()), size);
        if value != whole {
            let rule = &req::GETALL_OVERSIZE_WHOLE;
            let expected = ["the whole value, or no such record"];
            let observed = format!("a value of {} bytes, or with others", value.len());
            return Err(walk.broke(rule, Outcome::Data, &expected, observed));
        }
    }
    walk.complete(&records, &req::GETALL_OVERSIZE_OTHERS)
}

async fn oversize_key(ground: &Ground, size: usize) -> Checked {
    let (link, mut records) = store_oversize(ground, size).await?;
    records.insert(ground.key(99), Bytes::new());
    let open = Open {
        settings: Settings {
            keys_only: true,
            ..Settings::default()
        },
        ..whole(ground)
    };
    let walk = read_on(link, &open).await?;
    walk.has([&ground.key(99)], &req::GETALL_KEYS_OVERSIZE)?;
    walk.complete(&records, &req::GETALL_KEYS_COMPLETE)
}
