//! The batches that records come in.

use bytes::Bytes;
use dht_protocol::Key;
use dht_requirements as req;

use super::check;
use super::iteration::{Fill, fill};
use super::scene::{Scene, expect, same_records};
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, blamed_on};
use crate::wire::legacy::talk;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "batch.incompressible",
            "Batches of values that do not compress decompress to what they say.",
            &[&req::LEG_BATCH_SIZE],
            |ground| Box::pin(decompresses(ground, 200, 900, false)),
        ),
        check(
            "batch.compressible",
            "Batches of values that compress well decompress to what they say.",
            &[&req::LEG_BATCH_SIZE],
            |ground| Box::pin(decompresses(ground, 200, 900, true)),
        ),
        check(
            "batch.entries",
            "The entries of a batch end where its data end.",
            &[&req::LEG_BATCH_ENTRIES],
            |ground| Box::pin(entries(ground)),
        ),
        check(
            "batch.several",
            "More records than a batch holds come in several.",
            &[&req::LEG_BATCH_FULL],
            |ground| Box::pin(several(ground)),
        ),
        check(
            "batch.of-keys",
            "More keys than a batch holds come in several.",
            &[&req::LEG_BATCH_FULL],
            |ground| Box::pin(of_keys(ground)),
        ),
    ]
}

fn records(ground: &Ground, count: u64, length: usize, compressible: bool) -> Vec<(Key, Bytes)> {
    match compressible {
        false => sample::records(ground, count, length),
        true => (0..count)
            .map(|number| (ground.key(number), Bytes::from(vec![b'x'; length])))
            .collect(),
    }
}

async fn filled<'a>(ground: &'a Ground, records: &[(Key, Bytes)]) -> Checked<Scene<'a>> {
    let mut scene = Scene::open(ground).await?;
    let channel = &scene.channel;
    fill(&mut scene.link, &Fill { channel, records }).await?;
    Ok(scene)
}

async fn decompresses(ground: &Ground, count: u64, length: usize, compressible: bool) -> Checked {
    let records = records(ground, count, length, compressible);
    // Of 200 records of 900 bytes a batch holds 70.
    let mut scene = Scene::open(ground).await?;
    for records in records.chunks(50) {
        let channel = scene.channel.clone();
        scene.link.store_batch(&channel, records).await?;
    }
    let rule = &req::LEG_BATCH_SIZE;
    let channel = scene.channel.clone();
    let found = scene.link.all(&channel).await.map_err(blamed_on(rule))?;
    same_records(rule, "GetAll", &records, found)
}

async fn entries(ground: &Ground) -> Checked {
    let records = records(ground, 100, 1, true);
    let mut scene = filled(ground, &records).await?;
    let rule = &req::LEG_BATCH_ENTRIES;
    let channel = scene.channel.clone();
    let found = scene.link.all(&channel).await.map_err(blamed_on(rule))?;
    same_records(rule, "GetAll", &records, found)
}

async fn several(ground: &Ground) -> Checked {
    let records = records(ground, 1500, 200, false);
    let mut scene = filled(ground, &records).await?;
    let order = talk::get_all(&scene.channel);
    let batches = scene.link.batches(&order).await?;
    let total: usize = batches.iter().map(Vec::len).sum();
    ground.note(
        "legacy: in how many batches do 1500 records of 200 bytes come?",
        batches.len().to_string(),
    );
    let (rule, expected) = (&req::LEG_BATCH_FULL, "1500 records");
    expect(rule, "GetAll", expected, total == 1500, || {
        format!("{total} records in {} batches", batches.len())
    })
}

async fn of_keys(ground: &Ground) -> Checked {
    let records = records(ground, 6000, 1, true);
    let mut scene = filled(ground, &records).await?;
    let channel = scene.channel.clone();
    let found = scene.link.all_keys(&channel).await?.len();
    let (rule, expected) = (&req::LEG_BATCH_FULL, "6000 keys");
    expect(rule, "GetAllKeys", expected, found == 6000, || {
        format!("{found} keys")
    })
}
