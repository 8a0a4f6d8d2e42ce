//! Get and Exists.

use bytes::Bytes;
use dht_protocol::legacy::Answer;
use dht_requirements as req;

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, blamed_on};
use crate::wire::legacy::talk;
use crate::wire::quoted;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "get.value",
            "A Get is answered with the value.",
            &[&req::LEG_GET_VALUE],
            |ground| Box::pin(value(ground)),
        ),
        check(
            "get.twice",
            "A Get leaves the record as it is.",
            &[&req::LEG_GET_VALUE],
            |ground| Box::pin(twice(ground)),
        ),
        check(
            "get.absent",
            "A Get of a record that is absent is answered with the empty value.",
            &[&req::LEG_GET_ABSENT],
            |ground| Box::pin(absent(ground)),
        ),
        check(
            "get.removed",
            "A Get of a record that was removed is answered with the empty value.",
            &[&req::LEG_GET_ABSENT],
            |ground| Box::pin(removed(ground)),
        ),
        check(
            "get.absent-channel",
            "A Get in a channel that does not exist is answered with the empty value.",
            &[&req::LEG_GET_ABSENT_CHANNEL],
            |ground| Box::pin(absent_channel(ground)),
        )
        .subsumes("Get for non-existent entry"),
        check(
            "get.creates-nothing",
            "A Get creates no channel.",
            &[&req::LEG_GET_CREATES_NOTHING],
            |ground| Box::pin(get_creates_nothing(ground)),
        ),
        check(
            "get.foreign",
            "A Get of a key outside the range finds nothing, and is not refused.",
            &[&req::LEG_GET_ANY_KEY],
            |ground| Box::pin(get_foreign(ground)),
        ),
        check(
            "get.whole",
            "While two values are put in turn, every Get finds one of them as a whole.",
            &[&req::LEG_GET_WHOLE],
            |ground| Box::pin(whole(ground)),
        ),
        check(
            "exists.present",
            "An Exists of a record that is present is answered 1.",
            &[&req::LEG_EXISTS_PRESENT, &req::LEG_EXISTS_BYTE],
            |ground| Box::pin(present(ground)),
        ),
        check(
            "exists.absent",
            "An Exists of a record that is absent is answered 0.",
            &[&req::LEG_EXISTS_ABSENT, &req::LEG_EXISTS_BYTE],
            |ground| Box::pin(not_there(ground)),
        ),
        check(
            "exists.removed",
            "An Exists of a record that was removed is answered 0.",
            &[&req::LEG_EXISTS_ABSENT],
            |ground| Box::pin(not_there_any_more(ground)),
        ),
        check(
            "exists.absent-channel",
            "An Exists in a channel that does not exist is answered 0.",
            &[&req::LEG_EXISTS_ABSENT_CHANNEL],
            |ground| Box::pin(no_channel(ground)),
        ),
        check(
            "exists.creates-nothing",
            "An Exists creates no channel.",
            &[&req::LEG_EXISTS_CREATES_NOTHING],
            |ground| Box::pin(exists_creates_nothing(ground)),
        ),
        check(
            "exists.foreign",
            "An Exists of a key outside the range finds nothing, and is not refused.",
            &[&req::LEG_EXISTS_ANY_KEY],
            |ground| Box::pin(exists_foreign(ground)),
        ),
        check(
            "exists.reads-only",
            "An Exists leaves the record as it is.",
            &[&req::LEG_EXISTS_PRESENT],
            |ground| Box::pin(reads_only(ground)),
        ),
    ]
}

async fn value(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let value = sample::value(1, 300);
    scene.store(1, value.clone()).await?;
    scene.store(2, "another").await?;
    scene.expect_value(&req::LEG_GET_VALUE, 1, value).await
}

async fn twice(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    for _ in 0..3 {
        scene.expect_value(&req::LEG_GET_VALUE, 1, "value").await?;
    }
    Ok(())
}

async fn absent(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.expect_value(&req::LEG_GET_ABSENT, 2, "").await
}

async fn removed(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    scene.expect_value(&req::LEG_GET_ABSENT, 1, "").await
}

async fn absent_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let rule = &req::LEG_GET_ABSENT_CHANNEL;
    let found = scene.expect_value(rule, 0xa, "").await;
    found.map_err(blamed_on(rule))
}

async fn get_creates_nothing(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    // On a connection of its own: not every node answers it.
    let mut other = ground.legacy_link().await?;
    other.send(&scene.get(1)).await;
    other.send(&dht_protocol::legacy::Order::GetVersion).await;
    // Something was said of the Get, or behind it.
    let limit = tokio::time::Instant::now() + ground.patience();
    other.socket().receive(limit).await;
    let rule = &req::LEG_GET_CREATES_NOTHING;
    scene.expect_listed(rule, "Get", false).await
}

async fn get_foreign(ground: &Ground) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let (rule, order) = (&req::LEG_GET_ANY_KEY, talk::get(&scene.channel, key));
    let none = Answer::Value(Bytes::new());
    scene.link.expect(rule, &order, &none).await
}

async fn whole(ground: &Ground) -> Checked {
    let mut writer = Scene::open(ground).await?;
    let mut reader = Scene::open(ground).await?;
    let values = [Bytes::from(vec![b'a'; 900]), Bytes::from(vec![b'b'; 700])];
    writer.store(1, values[0].clone()).await?;
    for round in 0..100 {
        // Both are under way at the same time.
        let order = writer.put(1, values[round % 2].clone());
        writer.link.send(&order).await;
        let found = reader.link.get(&reader.channel, ground.key(1)).await?;
        writer.link.answer(order.command()).await?;
        let (sent, kept) = ("Get while the record is put", values.contains(&found));
        expect(&req::LEG_GET_WHOLE, sent, "one of two values", kept, || {
            quoted(&found)
        })?;
    }
    Ok(())
}

async fn present(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_EXISTS_PRESENT;
    expect_exists(&mut scene, rule, 1, true).await
}

async fn not_there(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_EXISTS_ABSENT;
    expect_exists(&mut scene, rule, 2, false).await
}

async fn not_there_any_more(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    let rule = &req::LEG_EXISTS_ABSENT;
    expect_exists(&mut scene, rule, 1, false).await
}

async fn no_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let rule = &req::LEG_EXISTS_ABSENT_CHANNEL;
    expect_exists(&mut scene, rule, 1, false).await
}

async fn exists_creates_nothing(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = talk::exists(&scene.channel, scene.key(1));
    scene.link.ask(&order).await?;
    let rule = &req::LEG_EXISTS_CREATES_NOTHING;
    scene.expect_listed(rule, "Exists", false).await
}

async fn exists_foreign(ground: &Ground) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let (rule, order) = (&req::LEG_EXISTS_ANY_KEY, talk::exists(&scene.channel, key));
    let none = Answer::Exists(false);
    scene.link.expect(rule, &order, &none).await
}

async fn reads_only(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_EXISTS_PRESENT;
    for _ in 0..3 {
        expect_exists(&mut scene, rule, 1, true).await?;
    }
    scene.expect_value(rule, 1, "value").await
}

async fn expect_exists(
    scene: &mut Scene<'_>,
    rule: &'static req::Requirement,
    number: u64,
    exists: bool,
) -> Checked {
    let order = talk::exists(&scene.channel, scene.key(number));
    let expected = Answer::Exists(exists);
    scene.link.expect(rule, &order, &expected).await
}
