//! PutBatch: what is stored, and what is refused.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::legacy::Status;
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::Scene;
use crate::checks::{Check, Ground, sample};
use crate::unkept::Checked;
use crate::wire::legacy::{talk, wrong};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "putbatch.stored",
            "All records of a batch are stored.",
            &[&req::LEG_PUTBATCH_STORED],
            |ground| Box::pin(stored(ground, 3, 20)),
        ),
        check(
            "putbatch.many",
            "A batch of 300 records that do not compress is stored.",
            &[&req::LEG_PUTBATCH_STORED],
            |ground| Box::pin(stored(ground, 300, 180)),
        ),
        check(
            "putbatch.replaces",
            "A batch replaces records, and leaves the others.",
            &[&req::LEG_PUTBATCH_REPLACES],
            |ground| Box::pin(replaces(ground)),
        ),
        check(
            "putbatch.later-wins",
            "Of two records of a batch with one key the later stays.",
            &[&req::LEG_PUTBATCH_REPLACES],
            |ground| Box::pin(later_wins(ground)),
        ),
        check(
            "putbatch.nothing",
            "A batch without records is answered Ok.",
            &[&req::LEG_PUTBATCH_NOTHING],
            |ground| Box::pin(nothing(ground)),
        ),
        check(
            "putbatch.creates",
            "A batch creates its channel.",
            &[&req::LEG_PUTBATCH_CREATES],
            |ground| Box::pin(creates(ground)),
        ),
        check(
            "putbatch.large",
            "A record of a batch may be larger than what Put stores.",
            &[&req::LEG_PUTBATCH_LARGE],
            |ground| Box::pin(large(ground)),
        ),
        check(
            "putbatch.literals",
            "A stream of literals alone is accepted.",
            &[&req::LEG_PUTBATCH_ANY_STREAM],
            |ground| Box::pin(literals(ground, 3)),
        ),
        check(
            "putbatch.long-literals",
            "A long stream of literals alone is accepted.",
            &[&req::LEG_PUTBATCH_ANY_STREAM],
            |ground| Box::pin(literals(ground, 100)),
        ),
    ];
    checks.extend(refusals());
    checks
}

/// What a record of a batch may be.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Good,
    Empty,
    Foreign,
    /// Both.
    EmptyForeign,
}

use Entry::{Empty, EmptyForeign, Foreign, Good};

fn refusals() -> Vec<Check> {
    type Case = (
        &'static str,
        &'static str,
        &'static [Entry],
        Status,
        &'static Requirement,
    );
    let cases: [Case; 8] = [
        (
            "empty",
            "An empty value is refused.",
            &[Empty],
            Status::EmptyValue,
            &req::LEG_PUTBATCH_EMPTY,
        ),
        (
            "foreign",
            "A key outside the range is refused.",
            &[Foreign],
            Status::WrongNode,
            &req::LEG_PUTBATCH_WRONG_NODE,
        ),
        (
            "empty-foreign",
            "An empty value outside the range is refused as empty.",
            &[EmptyForeign],
            Status::EmptyValue,
            &req::LEG_PUTBATCH_EMPTY_FIRST,
        ),
        (
            "empty-behind",
            "An empty value behind good records is refused.",
            &[Good, Good, Empty],
            Status::EmptyValue,
            &req::LEG_PUTBATCH_EMPTY,
        ),
        (
            "foreign-behind",
            "A key outside the range behind good records is refused.",
            &[Good, Good, Foreign],
            Status::WrongNode,
            &req::LEG_PUTBATCH_WRONG_NODE,
        ),
        (
            "empty-first",
            "Of an empty value and a key outside the range behind it the first decides.",
            &[Good, Empty, Foreign],
            Status::EmptyValue,
            &req::LEG_PUTBATCH_FIRST_BAD,
        ),
        (
            "foreign-first",
            "Of a key outside the range and an empty value behind it the first decides.",
            &[Good, Foreign, Empty],
            Status::WrongNode,
            &req::LEG_PUTBATCH_FIRST_BAD,
        ),
        (
            "empty-between",
            "An empty value between good records is refused.",
            &[Good, Empty, Good],
            Status::EmptyValue,
            &req::LEG_PUTBATCH_EMPTY,
        ),
    ];
    let mut checks: Vec<_> = cases
        .into_iter()
        .map(|(name, title, entries, status, rule)| {
            check(format!("putbatch.{name}"), title, &[rule], move |ground| {
                Box::pin(refused(ground, entries, status, rule))
            })
        })
        .collect();
    for (name, bad) in [("empty", Empty), ("foreign", Foreign)] {
        checks.push(check(
            format!("putbatch.before-{name}"),
            format!("Records in front of one that is {name} stay stored."),
            &[&req::LEG_PUTBATCH_BEFORE],
            move |ground| Box::pin(before(ground, bad)),
        ));
        checks.push(check(
            format!("putbatch.behind-{name}"),
            format!("A record behind one that is {name} is not stored, nor is that."),
            &[&req::LEG_PUTBATCH_BEHIND],
            move |ground| Box::pin(behind(ground, bad)),
        ));
    }
    checks
}

fn entry(ground: &Ground, number: u64, entry: Entry) -> Checked<(Key, Bytes)> {
    let value = Bytes::from(format!("value {number}"));
    Ok(match entry {
        Good => (ground.key(number), value),
        Empty => (ground.key(number), Bytes::new()),
        Foreign => (ground.foreign_key(number)?, value),
        EmptyForeign => (ground.foreign_key(number)?, Bytes::new()),
    })
}

fn batch(ground: &Ground, entries: &[Entry]) -> Checked<Vec<u8>> {
    let numbered = entries.iter().zip(0..);
    let records: Checked<Vec<_>> = numbered
        .map(|(kind, number)| entry(ground, number, *kind))
        .collect();
    Ok(talk::batch_of(&records?))
}

async fn stored(ground: &Ground, count: u64, length: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = sample::records(ground, count, length);
    let channel = scene.channel.clone();
    scene.link.store_batch(&channel, &records).await?;
    scene
        .expect_records(&req::LEG_PUTBATCH_STORED, &records)
        .await
}

async fn replaces(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..4 {
        scene.store(number, "old").await?;
    }
    let records = [1, 2].map(|number| (ground.key(number), Bytes::from("new")));
    let channel = scene.channel.clone();
    scene.link.store_batch(&channel, &records).await?;
    let expected = [(0, "old"), (1, "new"), (2, "new"), (3, "old")];
    let expected = expected.map(|(number, value)| (ground.key(number), Bytes::from(value)));
    scene
        .expect_records(&req::LEG_PUTBATCH_REPLACES, &expected)
        .await
}

async fn later_wins(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = ["first", "second"].map(|value| (ground.key(1), Bytes::from(value)));
    let channel = scene.channel.clone();
    scene.link.store_batch(&channel, &records).await?;
    scene
        .expect_value(&req::LEG_PUTBATCH_REPLACES, 1, "second")
        .await
}

async fn nothing(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = talk::put_batch(&scene.channel, talk::batch_of(&[]));
    let rule = &req::LEG_PUTBATCH_NOTHING;
    scene.expect_status(rule, &order, Status::Ok).await
}

async fn creates(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let records = sample::records(ground, 1, 10);
    scene.link.store_batch(&channel, &records).await?;
    let rule = &req::LEG_PUTBATCH_CREATES;
    scene.expect_listed(rule, "PutBatch", true).await
}

async fn large(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (key, value) = (ground.key(1).to_string(), sample::value(1, 200_000));
    let data = wrong::strings(&[key.as_bytes(), &value]);
    let order = talk::put_batch(&scene.channel, wrong::batch(&data));
    let rule = &req::LEG_PUTBATCH_LARGE;
    scene.expect_status(rule, &order, Status::Ok).await?;
    scene.expect_value(rule, 1, value).await
}

async fn literals(ground: &Ground, count: u64) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records: Vec<_> = (0..count)
        .map(|number| (ground.key(number), Bytes::from("value")))
        .collect();
    let keys: Vec<_> = records.iter().map(|(key, _)| key.to_string()).collect();
    let strings = keys.iter().flat_map(|key| [key.as_bytes(), b"value"]);
    let data = wrong::strings(&strings.collect::<Vec<_>>());
    let order = talk::put_batch(&scene.channel, wrong::batch_of_literals(&data));
    let rule = &req::LEG_PUTBATCH_ANY_STREAM;
    let answered = scene.expect_status(rule, &order, Status::Ok).await;
    answered.map_err(crate::unkept::blamed_on(rule))?;
    scene.expect_records(rule, &records).await
}

async fn refused(
    ground: &Ground,
    entries: &'static [Entry],
    status: Status,
    rule: &'static Requirement,
) -> Checked {
    let batch = batch(ground, entries)?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::put_batch(&scene.channel, batch);
    scene.expect_status(rule, &order, status).await
}

async fn before(ground: &Ground, bad: Entry) -> Checked {
    let batch = batch(ground, &[Good, Good, bad])?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::put_batch(&scene.channel, batch);
    scene.link.ask(&order).await?;
    for number in 0..2 {
        let value = format!("value {number}");
        let rule = &req::LEG_PUTBATCH_BEFORE;
        scene.expect_value(rule, number, value).await?;
    }
    Ok(())
}

async fn behind(ground: &Ground, bad: Entry) -> Checked {
    let batch = batch(ground, &[Good, bad, Good])?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::put_batch(&scene.channel, batch);
    scene.link.ask(&order).await?;
    let only = [entry(ground, 0, Good)?];
    scene.expect_records(&req::LEG_PUTBATCH_BEHIND, &only).await
}
