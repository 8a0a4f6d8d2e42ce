//! Listen: what is told while it runs.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::legacy::KeyText;
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::{Checked, blamed_on};
use crate::wire::legacy::LegacyListen;
use crate::wire::quoted;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "listen.put",
            "A Put is told with key and value.",
            &[&req::LEG_LISTEN_TELLS],
            |ground| Box::pin(put(ground)),
        )
        .subsumes("Listen gets activated by Put"),
        check(
            "listen.batch",
            "10000 Puts are all told.",
            &[&req::LEG_LISTEN_TELLS, &req::LEG_LISTEN_SETTLES],
            |ground| Box::pin(batch(ground)),
        )
        .subsumes("Batch Listen test")
        .tagged(Tag::Slow),
        check(
            "listen.status",
            "The status has come when the first record is told.",
            &[&req::LEG_LISTEN_STATUS],
            |ground| Box::pin(status(ground)),
        ),
        check(
            "listen.values",
            "Values of any length and bytes are told as they are.",
            &[&req::LEG_LISTEN_SETTLES],
            |ground| Box::pin(values(ground)),
        ),
        check(
            "listen.overwritten",
            "When a key is put often, the last record of it that is told has its last value.",
            &[&req::LEG_LISTEN_SETTLES],
            |ground| Box::pin(overwritten(ground)),
        ),
        check(
            "listen.identical",
            "A Put of the value that the record has already is told.",
            &[&req::LEG_LISTEN_TELLS],
            |ground| Box::pin(identical(ground)),
        ),
        check(
            "listen.only-stored",
            "Only values are told that were put, each with its key.",
            &[&req::LEG_LISTEN_ONLY_STORED],
            |ground| Box::pin(only_stored(ground)),
        ),
        check(
            "listen.refused",
            "A Put that is refused is not told.",
            &[&req::LEG_LISTEN_ONLY_STORED],
            |ground| Box::pin(refused(ground)),
        ),
        check(
            "listen.not-before",
            "Records that were stored before are not told.",
            &[&req::LEG_LISTEN_NOT_BEFORE],
            |ground| Box::pin(not_before(ground)),
        ),
        check(
            "listen.remove",
            "A Remove is not told.",
            &[&req::LEG_LISTEN_REMOVE],
            |ground| Box::pin(remove(ground)),
        ),
        check(
            "listen.only-channel",
            "Puts in other channels are not told.",
            &[&req::LEG_LISTEN_ONLY_CHANNEL],
            |ground| Box::pin(only_channel(ground)),
        ),
        check(
            "listen.creates",
            "A Listen creates its channel.",
            &[&req::LEG_LISTEN_CREATES],
            |ground| Box::pin(creates(ground)),
        ),
        check(
            "listen.several",
            "Three Listens of one channel are told the same.",
            &[&req::LEG_LISTEN_ALL],
            |ground| Box::pin(several(ground)),
        ),
        check(
            "listen.two-writers",
            "What two connections put is told, all of it.",
            &[&req::LEG_LISTEN_TELLS],
            |ground| Box::pin(two_writers(ground)),
        ),
        check(
            "listen.late-reader",
            "A client that reads late is told of 5000 keys that were put meanwhile.",
            &[&req::LEG_LISTEN_MANY],
            |ground| Box::pin(late_reader(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "listen.unread",
            "A client that never reads what it is told holds nobody up.",
            &[&req::LEG_LISTEN_UNREAD],
            |ground| Box::pin(unread(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "listen.put-batch",
            "If the records of a PutBatch are told, then with their values.",
            &[&req::LEG_LISTEN_ONLY_STORED, &req::LEG_PUTBATCH_LISTEN],
            |ground| Box::pin(put_batch(ground)),
        ),
        check(
            "listen.dropped",
            "A client that goes away during its Listen disturbs neither the writer nor another Listen.",
            &[&req::LEG_LISTEN_DROPPED],
            |ground| Box::pin(dropped(ground, false)),
        ),
        check(
            "listen.reset",
            "Nor does one that resets its connection.",
            &[&req::LEG_LISTEN_DROPPED],
            |ground| Box::pin(dropped(ground, true)),
        ),
    ]
}

/// A Listen of the scene's channel, with the scene's connection as writer.
pub(super) async fn listening(scene: &mut Scene<'_>) -> Checked<LegacyListen> {
    let channel = scene.channel.clone();
    scene.ground.legacy_listen(&channel, &mut scene.link).await
}

/// The last value that was told of each key.
fn last(listen: &LegacyListen) -> BTreeMap<Key, Bytes> {
    let told = listen.told();
    told.filter_map(|(key, value)| Some((key.parse()?, value.clone())))
        .collect()
}

/// The last value that was told of every one of these is its value; `rule` is broken if not.
pub(super) fn expect_told(
    rule: &'static Requirement,
    sent: &str,
    listen: &LegacyListen,
    records: &[(Key, Bytes)],
) -> Checked {
    let last = last(listen);
    let wrong = records
        .iter()
        .find(|(key, value)| last.get(key) != Some(value));
    let expected = match wrong {
        Some((key, value)) => format!("{key} = {}", quoted(value)),
        None => String::new(),
    };
    let sent = format!("Listen, and {sent}");
    expect(rule, &sent, &expected, wrong.is_none(), || {
        match wrong.and_then(|(key, _)| last.get(key)) {
            Some(value) => format!("{} was told last", quoted(value)),
            None => format!("{} other keys were told", last.len()),
        }
    })
}

/// Nothing was told but sentinels; `rule` is broken if not.
pub(super) fn expect_untold(
    rule: &'static Requirement,
    sent: &str,
    listen: &LegacyListen,
) -> Checked {
    let first = listen.told().next();
    let sent = format!("Listen, and {sent}");
    expect(rule, &sent, "nothing is told", first.is_none(), || {
        first.map_or_else(String::new, |(key, value)| {
            format!("{key} = {}", quoted(value))
        })
    })
}

async fn put(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    scene.store(5, "value").await?;
    listen.expect(ground.key(5), "value").await
}

async fn batch(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let records: Vec<_> = (0..10_000)
        .map(|number| (ground.key(number), Bytes::from(number.to_string())))
        .collect();
    ground.trace().hide();
    for (number, (key, value)) in records.iter().enumerate() {
        scene
            .link
            .store(&scene.channel, *key, value.clone())
            .await?;
        // The first ones in lock-step; all of them would take as many periods of a node that flushes.
        if number < 5 {
            listen.expect(*key, value.clone()).await?;
        }
    }
    listen.settle(&mut scene.link).await?;
    ground.trace().show("10000 Puts, and what was told of them");
    expect_told(&req::LEG_LISTEN_TELLS, "10000 Puts", &listen, &records)
}

async fn status(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    // Whatever comes first is taken for the status.
    let listen = listening(&mut scene).await?;
    let rule = &req::LEG_LISTEN_STATUS;
    let started = listen.has_started();
    expect(rule, "Listen, and Puts", "Ok (200)", started, || {
        "a record without it".to_owned()
    })
}

async fn values(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let lengths = [1, 8, 16, 255, 256, 992];
    let mut records: Vec<_> = (10..)
        .zip(lengths)
        .map(|(number, length)| (ground.key(number), sample::value(number, length)))
        .collect();
    records.push((ground.key(1), Bytes::from(vec![0; 16])));
    for (key, value) in &records {
        scene
            .link
            .store(&scene.channel, *key, value.clone())
            .await?;
    }
    listen.settle(&mut scene.link).await?;
    expect_told(&req::LEG_LISTEN_SETTLES, "Puts", &listen, &records)
}

async fn overwritten(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    for round in 0..30 {
        for number in 1..4 {
            scene.store(number, format!("value {round}")).await?;
        }
    }
    listen.settle(&mut scene.link).await?;
    let records = [1, 2, 3].map(|number| (ground.key(number), Bytes::from("value 29")));
    let sent = "30 Puts of each of three keys";
    expect_told(&req::LEG_LISTEN_SETTLES, sent, &listen, &records)
}

async fn identical(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let mut listen = listening(&mut scene).await?;
    scene.store(1, "value").await?;
    listen.expect(ground.key(1), "value").await
}

async fn only_stored(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let mut stored = Vec::new();
    for round in 0..10 {
        for number in 1..6 {
            let value = Bytes::from(format!("{number} in round {round}"));
            scene.store(number, value.clone()).await?;
            stored.push((KeyText::from(ground.key(number)), value));
        }
    }
    listen.settle(&mut scene.link).await?;
    only_these(&listen, &stored)
}

fn only_these(listen: &LegacyListen, stored: &[(KeyText, Bytes)]) -> Checked {
    let known = |(key, value): &(&KeyText, &Bytes)| {
        let same = |(known, stored): &(KeyText, Bytes)| known == *key && stored == *value;
        stored.iter().any(same)
    };
    let strange = listen.told().find(|told| !known(told));
    let rule = &req::LEG_LISTEN_ONLY_STORED;
    let expected = "keys with values that were put";
    expect(
        rule,
        "Listen, and Puts",
        expected,
        strange.is_none(),
        || {
            strange.map_or_else(String::new, |(key, value)| {
                format!("{key} = {}", quoted(value))
            })
        },
    )
}

async fn refused(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    for order in [scene.put(1, ""), scene.put(2, vec![7; 200_000])] {
        scene.link.ask(&order).await?;
    }
    listen.settle(&mut scene.link).await?;
    let rule = &req::LEG_LISTEN_ONLY_STORED;
    // A node may store the large one.
    let large = listen.told().any(|(_, value)| value.len() == 200_000);
    match large {
        true => crate::unkept::not_applicable("the node stores a value of 200000 bytes"),
        false => expect_untold(rule, "Puts that are refused", &listen),
    }
}

async fn not_before(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..10 {
        scene.store(number, "before").await?;
    }
    let channel = scene.channel.clone();
    let link = ground.legacy_link().await?;
    let mut listen = LegacyListen::order(link, &channel, ground.legacy_sentinel()).await;
    listen.settle(&mut scene.link).await?;
    let rule = &req::LEG_LISTEN_NOT_BEFORE;
    expect_untold(rule, "records that were there before", &listen)
}

async fn remove(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..5 {
        scene.store(number, "value").await?;
    }
    let mut listen = listening(&mut scene).await?;
    for number in 0..7 {
        scene.remove(number).await?;
    }
    listen.settle(&mut scene.link).await?;
    expect_untold(&req::LEG_LISTEN_REMOVE, "Removes", &listen)
}

async fn only_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    for name in ["a", "b"] {
        let (channel, key) = (ground.channel(name), scene.key(1));
        scene.link.store(&channel, key, "elsewhere").await?;
    }
    listen.settle(&mut scene.link).await?;
    let rule = &req::LEG_LISTEN_ONLY_CHANNEL;
    expect_untold(rule, "Puts in other channels", &listen)
}

async fn creates(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let link = ground.legacy_link().await?;
    let listen = LegacyListen::order(link, &channel, ground.legacy_sentinel()).await;
    // The node may see the order later than what comes on another connection, so the list is asked for until
    // it is there.
    let limit = tokio::time::Instant::now() + ground.patience();
    while !scene.link.lists(&channel).await? {
        if tokio::time::Instant::now() >= limit {
            let rule = &req::LEG_LISTEN_CREATES;
            return scene.expect_listed(rule, "Listen", true).await;
        }
    }
    drop(listen);
    Ok(())
}

async fn several(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listens = Vec::new();
    for _ in 0..3 {
        listens.push(listening(&mut scene).await?);
    }
    let records = [1, 2, 3].map(|number| (ground.key(number), Bytes::from("value")));
    for (key, value) in &records {
        scene
            .link
            .store(&scene.channel, *key, value.clone())
            .await?;
    }
    let rule = &req::LEG_LISTEN_ALL;
    for listen in &mut listens {
        let settled = listen.settle(&mut scene.link).await;
        settled.map_err(blamed_on(rule))?;
        expect_told(rule, "two others, and three Puts", listen, &records)?;
    }
    Ok(())
}

async fn two_writers(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut other = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let mut records = Vec::new();
    for number in 0..40 {
        let value = Bytes::from(format!("value {number}"));
        let writer = if number % 2 == 0 {
            &mut scene
        } else {
            &mut other
        };
        writer.store(number, value.clone()).await?;
        records.push((ground.key(number), value));
    }
    listen.settle(&mut scene.link).await?;
    let rule = &req::LEG_LISTEN_TELLS;
    expect_told(rule, "Puts on two connections", &listen, &records)
}

async fn late_reader(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let link = ground.narrow_legacy_link().await?;
    let sentinel = ground.legacy_sentinel();
    let mut listen = LegacyListen::begin(link, &channel, sentinel, &mut scene.link).await?;
    let records: Vec<_> = (0..5000)
        .map(|number| (ground.key(number), sample::value(number, 100)))
        .collect();
    ground.trace().hide();
    for (key, value) in &records {
        scene.link.store(&channel, *key, value.clone()).await?;
    }
    let rule = &req::LEG_LISTEN_MANY;
    let settled = listen.settle(&mut scene.link).await;
    settled.map_err(blamed_on(rule))?;
    ground.trace().show("5000 Puts, and what was told of them");
    expect_told(
        rule,
        "5000 Puts before the first is read",
        &listen,
        &records,
    )
}

async fn unread(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let sentinel = ground.legacy_sentinel();
    let deaf = ground.narrow_legacy_link().await?;
    let deaf = LegacyListen::begin(deaf, &channel, sentinel, &mut scene.link).await?;
    let mut other = listening(&mut scene).await?;
    let rule = &req::LEG_LISTEN_UNREAD;
    // More than the buffers of the system hold.
    for number in 0..200 {
        let stored = scene.store(number % 4, sample::value(number, 60_000)).await;
        stored.map_err(blamed_on(rule))?;
        // The other one does read.
        if number % 20 == 0 {
            let told = other.sentinel(&mut scene.link).await;
            told.map_err(blamed_on(rule))?;
        }
    }
    drop(deaf);
    Ok(())
}

async fn put_batch(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let records = [1, 2].map(|number| (ground.key(number), Bytes::from(format!("value {number}"))));
    let channel = scene.channel.clone();
    scene.link.store_batch(&channel, &records).await?;
    listen.settle(&mut scene.link).await?;
    let stored = records.map(|(key, value)| (KeyText::from(key), value));
    let told = listen.told().count() > 0;
    ground.note(
        "legacy: is a Listen told of the records of a PutBatch?",
        if told { "yes" } else { "no" },
    );
    only_these(&listen, &stored)
}

async fn dropped(ground: &Ground, abruptly: bool) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut other = listening(&mut scene).await?;
    let gone = listening(&mut scene).await?;
    match abruptly {
        true => gone.into_link().reset(),
        false => drop(gone),
    }
    let rule = &req::LEG_LISTEN_DROPPED;
    for number in 0..20 {
        let stored = scene.store(number, "value").await;
        stored.map_err(blamed_on(rule))?;
    }
    let settled = other.settle(&mut scene.link).await;
    settled.map_err(blamed_on(rule))?;
    let records = [0, 10, 19].map(|number| (ground.key(number), Bytes::from("value")));
    let sent = "the end of another one, and Puts";
    expect_told(rule, sent, &other, &records)
}
