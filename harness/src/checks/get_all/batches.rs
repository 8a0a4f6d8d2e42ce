//! The batches of GetAll, byte for byte.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::codec::Reader;
use dht_protocol::lzo::{self, LzoError};
use dht_protocol::neo::batch::LIMIT;
use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_requirements::{self as req, Requirement};

use super::walk::{Records, noise, small, store, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
use dht_workload::rng::Rng;

/// The types of RecordBatch and Finished.
const BATCH: u8 = 7;
const FINISHED: u8 = 8;
/// Up to how many plain bytes a batch that is too long is taken apart, to say how long it is.
const PLAIN: usize = 16 * 1024 * 1024;

/// Names, what the records are, and whether only keys are asked for.
const CONTENTS: [(&str, &str, Make, bool); 7] = [
    ("one", "one short record", one, false),
    ("many", "3,000 short records", many, false),
    ("random", "values that do not compress", random, false),
    (
        "zeros",
        "values that compress to almost nothing",
        zeros,
        false,
    ),
    ("mixed", "values that compress in part", mixed, false),
    ("keys", "keys alone", few, true),
    ("many-keys", "more keys than a batch holds", many_keys, true),
];

type Make = fn(&Ground) -> Records;
/// A broken rule, and what was seen.
type Wrong = (&'static Requirement, String);

pub(super) fn checks() -> Vec<Check> {
    let checks = CONTENTS.into_iter().map(|(name, what, make, keys_only)| {
        let mut rules = vec![
            &req::BATCH_FILLS_MESSAGE,
            &req::BATCH_LZO,
            &req::BATCH_EXACT_LENGTH,
            &req::BATCH_WHOLE_RECORDS,
            &req::BATCH_GETALL_LIMIT,
        ];
        match keys_only {
            true => rules.push(&req::BATCH_GETALL_KEY),
            false => rules.extend([&req::BATCH_GETALL_RECORD, &req::BATCH_VALUES]),
        }
        let id = format!("getall-batch.{name}");
        let title = format!("Batches of {what} are as they should be, byte for byte.");
        Check::raw(id, title, &rules, move |ground| {
            Box::pin(inspected(ground, make, keys_only))
        })
    });
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn one(ground: &Ground) -> Records {
    small(ground, [2])
}

fn few(ground: &Ground) -> Records {
    small(ground, 0..20)
}

fn many(ground: &Ground) -> Records {
    small(ground, 0..3_000)
}

fn many_keys(ground: &Ground) -> Records {
    small(ground, 0..4_500)
}

fn random(ground: &Ground) -> Records {
    let mut rng = Rng::new(ground.seed());
    let sizes = [1, 3, 4, 17, 18, 19, 238, 239, 20_000, 40_000];
    (0..)
        .zip(sizes)
        .map(|(number, size)| (ground.key(number), noise(&mut rng, size)))
        .collect()
}

fn zeros(ground: &Ground) -> Records {
    let sizes = [1, 4, 33, 34, 288, 2_048, 16_384, 49_152, 60_000, 60_001];
    (0..)
        .zip(sizes)
        .map(|(number, size)| (ground.key(number), Bytes::from(vec![0; size])))
        .collect()
}

/// Noise that comes again at all the distances that the compression tells apart.
fn mixed(ground: &Ground) -> Records {
    let mut rng = Rng::new(ground.seed());
    let value = |number: usize, rng: &mut Rng| {
        let part = noise(rng, 200);
        let gap = noise(rng, [0, 1_000, 3_000, 17_000, 50_000][number % 5]);
        Bytes::from([&part[..], &gap, &part].concat())
    };
    (0..10)
        .map(|number| (ground.key(number as u64), value(number, &mut rng)))
        .collect()
}

async fn inspected(ground: &Ground, make: Make, keys_only: bool) -> Checked {
    let records = make(ground);
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &records).await?;
    let open = Open {
        settings: Settings {
            keys_only,
            ..Settings::default()
        },
        ..whole(ground)
    };
    let id = link.start_get_all(&open).await?;
    let (sent, right) = ("GetAll", ["a batch as the specification shows it"]);
    loop {
        let payload = link.answer(id, "RecordBatch or Finished").await?;
        let wrong = match payload.first() {
            Some(&FINISHED) => break,
            Some(&BATCH) => inspect(&payload[1..], keys_only)
                .and_then(|got| compare(&got, &records, keys_only))
                .err(),
            _ => Some((&req::REQ_ANSWER_DEFINED, shown(&payload))),
        };
        if let Some((rule, observed)) = wrong {
            return Err(broken(rule, Outcome::Data, sent, &right, observed));
        }
    }
    link.acknowledge(id).await;
    Ok(())
}

/// Takes a batch apart, its array included.
fn inspect(array: &[u8], keys_only: bool) -> Result<Vec<(Key, Bytes)>, Wrong> {
    let fills = |what: String| (&req::BATCH_FILLS_MESSAGE, what);
    let mut reader = Reader::new(array);
    let block = reader
        .array("batch")
        .map_err(|error| fills(error.to_string()))?;
    reader.finish().map_err(|error| fills(error.to_string()))?;
    let plain = lzo::decompress(block, PLAIN).map_err(|error| {
        let rule = match error {
            LzoError::TooLong { .. } | LzoError::Length { .. } => &req::BATCH_EXACT_LENGTH,
            LzoError::AboveLimit { .. } => &req::BATCH_GETALL_LIMIT,
            _ => &req::BATCH_LZO,
        };
        (rule, error.to_string())
    })?;
    if plain.len() > LIMIT {
        return Err((&req::BATCH_GETALL_LIMIT, format!("{} bytes", plain.len())));
    }
    records(&plain, keys_only)
}

fn records(plain: &[u8], keys_only: bool) -> Result<Vec<(Key, Bytes)>, Wrong> {
    let mut reader = Reader::new(plain);
    let mut records = Vec::new();
    while reader.left() > 0 {
        let at = reader.offset();
        let broken_off = |what| {
            let observed = format!("{what} at byte {at} of {}", plain.len());
            (&req::BATCH_WHOLE_RECORDS, observed)
        };
        let length = reader
            .u64("key")
            .map_err(|_| broken_off("less than a length"))?;
        if length != 8 {
            let rule = match keys_only {
                true => &req::BATCH_GETALL_KEY,
                false => &req::BATCH_GETALL_RECORD,
            };
            return Err((rule, format!("{length} instead of 8 in front of a key")));
        }
        let key = reader
            .u64("key")
            .map_err(|_| broken_off("less than a key"))?;
        let value = match keys_only {
            true => &[],
            false => reader
                .array("value")
                .map_err(|_| broken_off("less than a record"))?,
        };
        records.push((Key(key), Bytes::copy_from_slice(value)));
    }
    Ok(records)
}

fn compare(got: &[(Key, Bytes)], records: &Records, keys_only: bool) -> Result<(), Wrong> {
    for (key, value) in got {
        let rule = match keys_only {
            true => &req::BATCH_GETALL_KEY,
            false => &req::BATCH_VALUES,
        };
        match records.get(key) {
            Some(stored) if keys_only || stored == value => {}
            stored => {
                let stored = stored.map_or_else(|| "nothing".to_owned(), |stored| shown(stored));
                let observed = format!("{} under {key}, stored was {stored}", shown(value));
                return Err((rule, observed));
            }
        }
    }
    Ok(())
}
