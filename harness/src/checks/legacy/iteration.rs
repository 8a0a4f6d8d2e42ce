//! GetAll and GetAllKeys: which records come.

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::legacy::Order;
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect, same_records};
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, blamed_on};
use crate::wire::legacy::link::named;
use crate::wire::legacy::{LegacyLink, talk, wrong};
use crate::wire::quoted;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "getall.predefined",
            "GetAll finds three records.",
            &[&req::LEG_GETALL_COMPLETE],
            |ground| Box::pin(predefined(ground)),
        )
        .subsumes("GetAll for predefined data"),
        check(
            "getall.complete",
            "GetAll finds a thousand records, which take several batches.",
            &[&req::LEG_GETALL_COMPLETE],
            |ground| Box::pin(complete(ground)),
        ),
        check(
            "getall.values",
            "GetAll tells each record with its value.",
            &[&req::LEG_GETALL_VALUES],
            |ground| Box::pin(values(ground)),
        ),
        check(
            "getall.unique",
            "GetAll tells no record twice.",
            &[&req::LEG_GETALL_UNIQUE],
            |ground| Box::pin(unique(ground)),
        ),
        check(
            "getall.only-channel",
            "GetAll tells no record of another channel.",
            &[&req::LEG_GETALL_ONLY_CHANNEL],
            |ground| Box::pin(only_channel(ground)),
        ),
        check(
            "getall.current",
            "GetAll tells what was put last, and nothing that was removed.",
            &[&req::LEG_GETALL_VALUES, &req::LEG_GETALL_COMPLETE],
            |ground| Box::pin(current(ground)),
        ),
        check(
            "getall.end",
            "An empty array ends the answer, and the next order is answered.",
            &[&req::LEG_GETALL_END],
            |ground| Box::pin(end(ground)),
        ),
        check(
            "getall.large",
            "GetAll finds records of 65000 bytes, one in each batch.",
            &[&req::LEG_GETALL_COMPLETE, &req::LEG_BATCH_FULL],
            |ground| Box::pin(large(ground)),
        ),
        check(
            "getall.too-large",
            "A record that fits into no batch is the only one that is left out.",
            &[&req::LEG_GETALL_TOO_LARGE],
            |ground| Box::pin(too_large(ground)),
        ),
        check(
            "getallkeys.too-large",
            "GetAllKeys tells the key of a record that fits into no batch.",
            &[&req::LEG_GETALL_KEYS_LARGE],
            |ground| Box::pin(keys_of_too_large(ground)),
        ),
        check(
            "getall.concurrent",
            "While records are put and removed, GetAll tells no value that was never put.",
            &[&req::LEG_GETALL_STORED_ONCE],
            |ground| Box::pin(concurrent(ground)),
        ),
        check(
            "getall.two-at-once",
            "Two connections read the same channel at the same time, each all of it.",
            &[&req::LEG_GETALL_COMPLETE],
            |ground| Box::pin(two_at_once(ground)),
        ),
        check(
            "getallkeys.complete",
            "GetAllKeys tells three thousand keys, which take several batches.",
            &[&req::LEG_GETALL_KEYS],
            |ground| Box::pin(keys(ground)),
        ),
        check(
            "getallkeys.only-channel",
            "GetAllKeys tells no key of another channel.",
            &[&req::LEG_GETALL_ONLY_CHANNEL, &req::LEG_GETALL_KEYS],
            |ground| Box::pin(keys_only_channel(ground)),
        ),
    ];
    type Ask = fn(&Scene<'_>) -> Order;
    let three: [(&str, Ask); 3] = [
        ("getall", |scene| talk::get_all(&scene.channel)),
        ("getallkeys", |scene| talk::get_all_keys(&scene.channel)),
        ("getallfilter", |scene| {
            talk::get_all_filter(&scene.channel, "v")
        }),
    ];
    for (name, ask) in three {
        checks.push(check(
            format!("{name}.absent-channel"),
            "In a channel that does not exist nothing is found.",
            &[&req::LEG_GETALL_NOTHING, &req::LEG_BATCH_EMPTY],
            move |ground| Box::pin(nothing(ground, ask, false)),
        ));
        checks.push(check(
            format!("{name}.empty-channel"),
            "In a channel without records nothing is found.",
            &[&req::LEG_GETALL_NOTHING],
            move |ground| Box::pin(nothing(ground, ask, true)),
        ));
        checks.push(check(
            format!("{name}.creates-nothing"),
            "Reading a channel does not create it.",
            &[&req::LEG_GETALL_CREATES_NOTHING],
            move |ground| Box::pin(creates_nothing(ground, ask)),
        ));
    }
    checks
}

fn numbered(ground: &Ground, count: u64) -> Vec<(Key, Bytes)> {
    sample::records(ground, count, 200)
}

/// Stores records by as few orders as it takes.
pub(super) async fn fill(link: &mut LegacyLink, scene: &Fill<'_>) -> Checked {
    for records in scene.records.chunks(200) {
        link.store_batch(scene.channel, records).await?;
    }
    Ok(())
}

/// What [`fill`] stores, and where.
pub(super) struct Fill<'a> {
    pub(super) channel: &'a dht_protocol::ChannelName,
    pub(super) records: &'a [(Key, Bytes)],
}

async fn filled(scene: &mut Scene<'_>, records: &[(Key, Bytes)]) -> Checked {
    let channel = &scene.channel;
    fill(&mut scene.link, &Fill { channel, records }).await
}

async fn predefined(ground: &Ground) -> Checked {
    let records = [0, 1, 2].map(|number| {
        let value = Bytes::from(format!("record {number}"));
        (ground.key(number), value)
    });
    let mut scene = Scene::with(ground, &records).await?;
    scene
        .expect_records(&req::LEG_GETALL_COMPLETE, &records)
        .await
}

async fn complete(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = numbered(ground, 1000);
    filled(&mut scene, &records).await?;
    scene
        .expect_records(&req::LEG_GETALL_COMPLETE, &records)
        .await
}

async fn values(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let lengths = [1, 2, 7, 8, 9, 100, 255, 256, 900];
    let records: Vec<_> = lengths
        .iter()
        .zip(0..)
        .map(|(length, number)| (ground.key(number), sample::value(number, *length)))
        .collect();
    for (number, (_, value)) in (0..).zip(&records) {
        scene.store(number, value.clone()).await?;
    }
    scene
        .expect_records(&req::LEG_GETALL_VALUES, &records)
        .await
}

async fn unique(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    filled(&mut scene, &numbered(ground, 600)).await?;
    let channel = scene.channel.clone();
    let records = scene.link.all(&channel).await?;
    let mut seen = BTreeSet::new();
    let twice = records.iter().find(|(key, _)| !seen.insert(*key));
    let (rule, expected) = (&req::LEG_GETALL_UNIQUE, "each record once");
    expect(rule, "GetAll", expected, twice.is_none(), || {
        twice.map_or_else(String::new, |(key, _)| format!("{key} twice"))
    })
}

/// Stores two records, and others in two channels whose names are near.
async fn among_others<'a>(ground: &'a Ground) -> Checked<(Scene<'a>, Vec<(Key, Bytes)>)> {
    let records = vec![
        (ground.key(1), Bytes::from_static(b"one")),
        (ground.key(2), Bytes::from_static(b"two")),
    ];
    let mut scene = Scene::with(ground, &records).await?;
    for name in ["a", "b"] {
        let channel = ground.channel(name);
        for number in 0..5 {
            let key = ground.key(number);
            scene.link.store(&channel, key, "elsewhere").await?;
        }
    }
    Ok((scene, records))
}

async fn only_channel(ground: &Ground) -> Checked {
    let (mut scene, records) = among_others(ground).await?;
    let rule = &req::LEG_GETALL_ONLY_CHANNEL;
    scene.expect_records(rule, &records).await
}

async fn current(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..6 {
        scene.store(number, "old").await?;
    }
    scene.store(1, "new").await?;
    scene.remove(2).await?;
    let left = [0, 1, 3, 4, 5].map(|number| {
        let value = if number == 1 { "new" } else { "old" };
        (scene.key(number), Bytes::from_static(value.as_bytes()))
    });
    scene.expect_records(&req::LEG_GETALL_VALUES, &left).await
}

async fn end(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_GETALL_END;
    let channel = scene.channel.clone();
    scene.link.all(&channel).await.map_err(blamed_on(rule))?;
    scene.link.expect_nothing_more(rule, "GetAll").await
}

async fn large(ground: &Ground) -> Checked {
    let records = sample::records(ground, 5, 65_000);
    let mut scene = Scene::with(ground, &records).await?;
    scene
        .expect_records(&req::LEG_GETALL_COMPLETE, &records)
        .await
}

/// Stores three records, and between them one of 100000 bytes. The check is not applicable if the node does not
/// store that.
async fn with_too_large<'a>(ground: &'a Ground) -> Checked<(Scene<'a>, Vec<(Key, Bytes)>)> {
    let numbers = [0, 1, 3];
    let records: Vec<_> = numbers
        .iter()
        .map(|number| (ground.key(*number), Bytes::from_static(b"small")))
        .collect();
    let mut scene = Scene::with(ground, &records).await?;
    let key = ground.key(2).to_string();
    let data = wrong::strings(&[key.as_bytes(), &sample::value(2, 100_000)]);
    let order = talk::put_batch(&scene.channel, wrong::batch(&data));
    match scene.link.ask(&order).await?.status() {
        dht_protocol::legacy::Status::Ok => Ok((scene, records)),
        _ => crate::unkept::not_applicable("the node does not store a record of 100000 bytes"),
    }
}

async fn too_large(ground: &Ground) -> Checked {
    let (mut scene, records) = with_too_large(ground).await?;
    let channel = scene.channel.clone();
    let mut found = scene.link.all(&channel).await?;
    // A node whose batches are larger may tell it.
    found.retain(|(_, value)| value.len() < 100_000);
    same_records(&req::LEG_GETALL_TOO_LARGE, "GetAll", &records, found)
}

async fn keys_of_too_large(ground: &Ground) -> Checked {
    let (mut scene, _) = with_too_large(ground).await?;
    let channel = scene.channel.clone();
    let found = scene.link.all_keys(&channel).await?;
    let expected = [0, 1, 2, 3].map(|number| ground.key(number));
    same_keys(&req::LEG_GETALL_KEYS_LARGE, &expected, found)
}

fn same_keys(rule: &'static Requirement, expected: &[Key], found: Vec<Key>) -> Checked {
    let with_nothing = |keys: &[Key]| -> Vec<(Key, Bytes)> {
        keys.iter().map(|key| (*key, Bytes::new())).collect()
    };
    same_records(
        rule,
        "GetAllKeys",
        &with_nothing(expected),
        with_nothing(&found),
    )
}

async fn concurrent(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = numbered(ground, 400);
    filled(&mut scene, &records).await?;
    let mut writer = Scene::open(ground).await?;
    let order = talk::get_all(&scene.channel);
    for round in 0..5 {
        scene.link.send(&order).await;
        for number in (round..400).step_by(7) {
            match number % 2 {
                0 => writer.remove(number).await?,
                _ => writer.store(number, "changed").await?,
            }
        }
        let mut request = dht_protocol::legacy::ClientRequest::new(order.command());
        while !request.is_over() {
            let event = scene.link.piece(&mut request).await?;
            let dht_protocol::legacy::Event::Records(found) = event else {
                continue;
            };
            let known = |(key, value): &&(Key, Bytes)| {
                let first = records.iter().find(|(known, _)| known == key);
                let first = first.is_some_and(|(_, first)| first == value);
                first || value.is_empty() || value == "changed"
            };
            let strange = found.iter().find(|record| !known(record));
            let rule = &req::LEG_GETALL_STORED_ONCE;
            let sent = "GetAll while records are put and removed";
            let expected = "values that were put";
            expect(rule, sent, expected, strange.is_none(), || {
                strange.map_or_else(String::new, |(key, value)| {
                    format!("{key} = {}", quoted(value))
                })
            })?;
        }
    }
    Ok(())
}

async fn two_at_once(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = numbered(ground, 600);
    filled(&mut scene, &records).await?;
    let mut other = ground.legacy_link().await?;
    let channel = scene.channel.clone();
    let (one, two) =
        futures_util::future::join(scene.link.all(&channel), other.all(&channel)).await;
    for found in [one?, two?] {
        same_records(
            &req::LEG_GETALL_COMPLETE,
            "GetAll, twice at once",
            &records,
            found,
        )?;
    }
    Ok(())
}

async fn keys(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = sample::records(ground, 3000, 8);
    filled(&mut scene, &records).await?;
    let channel = scene.channel.clone();
    let found = scene.link.all_keys(&channel).await?;
    let expected: Vec<_> = records.iter().map(|(key, _)| *key).collect();
    same_keys(&req::LEG_GETALL_KEYS, &expected, found)
}

async fn keys_only_channel(ground: &Ground) -> Checked {
    let (mut scene, records) = among_others(ground).await?;
    let channel = scene.channel.clone();
    let found = scene.link.all_keys(&channel).await?;
    let expected: Vec<_> = records.iter().map(|(key, _)| *key).collect();
    same_keys(&req::LEG_GETALL_ONLY_CHANNEL, &expected, found)
}

async fn nothing(ground: &Ground, ask: fn(&Scene<'_>) -> Order, exists: bool) -> Checked {
    let mut scene = Scene::open(ground).await?;
    if exists {
        scene.store(1, "value").await?;
        scene.remove(1).await?;
    }
    let order = ask(&scene);
    let rule = &req::LEG_GETALL_NOTHING;
    let pieces = scene.link.pieces(&order).await.map_err(blamed_on(rule))?;
    let records: usize = pieces.iter().map(count).sum();
    expect(rule, &named(&order), "no record", records == 0, || {
        format!("{records} records")
    })?;
    ground.note(
        "legacy: how many batches has an answer without records?",
        pieces.len().to_string(),
    );
    Ok(())
}

fn count(piece: &dht_protocol::legacy::Event) -> usize {
    match piece {
        dht_protocol::legacy::Event::Records(records) => records.len(),
        dht_protocol::legacy::Event::Keys(keys) => keys.len(),
        _ => 0,
    }
}

async fn creates_nothing(ground: &Ground, ask: fn(&Scene<'_>) -> Order) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = ask(&scene);
    scene.link.pieces(&order).await?;
    let rule = &req::LEG_GETALL_CREATES_NOTHING;
    scene.expect_listed(rule, &named(&order), false).await
}
