//! What is written by one protocol, read by the other.

use bytes::Bytes;
use dht_protocol::legacy::Order;
use dht_protocol::neo::request::{exists, get, put, remove, remove_channel, update};
use dht_protocol::{ChannelName, Key, fnv1a};
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect, same_records};
use crate::checks::nameless::Nameless;
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::{Checked, blamed_on, not_applicable};
use crate::wire::{Link, quoted};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = to_legacy();
    checks.extend(to_neo());
    checks
}

fn to_legacy() -> Vec<Check> {
    vec![
        check(
            "both.neo-put",
            "A record of a neo Put is read by legacy Get, Exists and GetAll.",
            &[&req::LEG_BOTH_FROM_NEO],
            |ground| Box::pin(neo_put(ground)),
        ),
        check(
            "both.neo-remove",
            "A record that a neo Remove has removed is gone for legacy orders.",
            &[&req::LEG_BOTH_FROM_NEO],
            |ground| Box::pin(neo_remove(ground)),
        ),
        check(
            "both.neo-update",
            "What a neo Update stores is read by a legacy Get.",
            &[&req::LEG_BOTH_FROM_NEO],
            |ground| Box::pin(neo_update(ground)),
        ),
        check(
            "both.neo-remove-channel",
            "A channel that a neo RemoveChannel has removed is gone for legacy orders.",
            &[&req::LEG_BOTH_FROM_NEO],
            |ground| Box::pin(neo_remove_channel(ground)),
        ),
        check(
            "both.large",
            "A record of 100000 bytes that a neo Put stored is read by a legacy Get.",
            &[&req::LEG_BOTH_FROM_NEO],
            |ground| Box::pin(large(ground)),
        ),
        check(
            "both.keys",
            "Keys are the same numbers in both protocols.",
            &[&req::LEG_KEY_SAME],
            |ground| Box::pin(keys(ground)),
        ),
        check(
            "both.sizes",
            "The sizes count records of neo Puts and Removes.",
            &[&req::LEG_BOTH_SIZES],
            |ground| Box::pin(sizes(ground)),
        ),
        check(
            "both.channels",
            "A channel of the one protocol is listed by the other.",
            &[&req::LEG_BOTH_CHANNELS],
            |ground| Box::pin(channels(ground)),
        ),
        check(
            "both.nameless",
            "All channels are listed although there is one without a name.",
            &[&req::LEG_CHANNELS_NAMELESS],
            |ground| Box::pin(nameless(ground)),
        )
        .tagged(Tag::Alone),
    ]
}

fn to_neo() -> Vec<Check> {
    vec![
        check(
            "both.put",
            "A record of a legacy Put is read by neo Get, Exists and GetAll.",
            &[&req::LEG_BOTH_TO_NEO],
            |ground| Box::pin(put(ground)),
        ),
        check(
            "both.remove",
            "A record that a legacy Remove has removed is gone for neo requests.",
            &[&req::LEG_BOTH_TO_NEO],
            |ground| Box::pin(remove_record(ground)),
        ),
        check(
            "both.put-batch",
            "The records of a PutBatch are read by neo requests.",
            &[&req::LEG_BOTH_TO_NEO],
            |ground| Box::pin(put_batch(ground)),
        ),
        check(
            "both.remove-channel",
            "A channel that a legacy RemoveChannel has removed is gone for neo requests.",
            &[&req::LEG_BOTH_TO_NEO],
            |ground| Box::pin(remove_whole_channel(ground)),
        ),
        check(
            "both.update-conflict",
            "A neo Update whose record a legacy Put has changed meanwhile is told of the conflict.",
            &[&req::LEG_BOTH_UPDATE],
            |ground| Box::pin(update_conflict(ground)),
        ),
        check(
            "both.in-turn",
            "Puts of both protocols in turn each replace the value of the other.",
            &[&req::LEG_BOTH_FROM_NEO, &req::LEG_BOTH_TO_NEO],
            |ground| Box::pin(in_turn(ground)),
        ),
    ]
}

/// A scene and a neo connection.
pub(super) async fn both(ground: &Ground) -> Checked<(Scene<'_>, Link)> {
    Ok((Scene::open(ground).await?, ground.link().await?))
}

async fn neo_put(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let records = sample::records(ground, 5, 60);
    for (key, value) in &records {
        neo.store(&scene.channel, *key, value.clone()).await?;
    }
    let rule = &req::LEG_BOTH_FROM_NEO;
    for (number, (key, value)) in (0..).zip(&records) {
        scene.expect_value(rule, number, value.clone()).await?;
        let exists = scene.link.exists(&scene.channel, *key).await?;
        expect(rule, "neo Put, and Exists", "1", exists, || "0".to_owned())?;
    }
    scene.expect_records(rule, &records).await
}

async fn neo_remove(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "one").await?;
    scene.store(2, "two").await?;
    let reply = neo.remove(&scene.channel, ground.key(1)).await?;
    let rule = &req::LEG_BOTH_FROM_NEO;
    let found = reply == remove::Reply::Removed;
    expect(rule, "neo Remove", "Removed", found, || {
        reply.name().to_owned()
    })?;
    scene.expect_value(rule, 1, "").await?;
    scene.expect_value(rule, 2, "two").await
}

/// Reads a record by Update, and stores this in its place.
pub(super) async fn update_to(
    neo: &mut Link,
    channel: &ChannelName,
    key: Key,
    value: &str,
) -> Checked<update::FromNode> {
    let (id, said) = neo.read_for_update(channel, key).await?;
    let before = match said {
        update::FromNode::RecordValue(value) => value,
        _ => Bytes::new(),
    };
    let replacement = update::Replacement {
        original_hash: fnv1a(&before),
        new_value: Bytes::copy_from_slice(value.as_bytes()),
    };
    let decision = update::FromClient::UpdateRecord(replacement);
    neo.say(id, &decision.encode()).await;
    neo.hear_update(id).await
}

async fn neo_update(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "before").await?;
    let channel = scene.channel.clone();
    let said = update_to(&mut neo, &channel, ground.key(1), "after").await?;
    let (rule, done) = (&req::LEG_BOTH_FROM_NEO, said == update::FromNode::Ok);
    expect(rule, "neo Update", "Ok", done, || format!("{said:?}"))?;
    scene.expect_value(rule, 1, "after").await
}

/// Removes a channel by a neo request, if the client may.
pub(super) async fn remove_by_neo(
    ground: &Ground,
    neo: &mut Link,
    channel: &ChannelName,
) -> Checked {
    ground.need_admin()?;
    let reply = neo.remove_channel(channel).await?;
    let done = reply == remove_channel::Reply::ChannelRemoved;
    let (rule, expected) = (&req::RMCHANNEL_ANSWER, "ChannelRemoved");
    expect(rule, "neo RemoveChannel", expected, done, || {
        reply.name().to_owned()
    })
}

async fn neo_remove_channel(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "value").await?;
    remove_by_neo(ground, &mut neo, &scene.channel).await?;
    let rule = &req::LEG_BOTH_FROM_NEO;
    scene.expect_records(rule, &[]).await?;
    scene.expect_listed(rule, "neo RemoveChannel", false).await
}

async fn large(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let value = sample::value(1, 100_000);
    let stored = neo
        .store(&scene.channel, ground.key(1), value.clone())
        .await;
    if stored.is_err() {
        return crate::unkept::not_applicable("the node does not store 100000 bytes");
    }
    scene.expect_value(&req::LEG_BOTH_FROM_NEO, 1, value).await
}

async fn keys(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let base = ground.key(1).0;
    let keys = (0..64).step_by(3).map(|bit| Key(base ^ (1 << bit)));
    let keys: Vec<_> = keys.filter(|key| ground.range().covers(*key)).collect();
    let rule = &req::LEG_KEY_SAME;
    let mut stored = Vec::new();
    for key in &keys {
        let value = Bytes::from(key.to_string());
        neo.store(&scene.channel, *key, value.clone()).await?;
        stored.push((*key, value));
    }
    scene.expect_records(rule, &stored).await?;
    for (key, value) in stored {
        let channel = scene.channel.clone();
        let found = scene.link.get(&channel, key).await?;
        let (sent, expected) = (format!("neo Put and Get of {key}"), quoted(&value));
        expect(rule, &sent, &expected, found == value, || quoted(&found))?;
    }
    Ok(())
}

async fn sizes(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    for number in 0..4 {
        neo.store(&scene.channel, ground.key(number), "value")
            .await?;
    }
    neo.remove(&scene.channel, ground.key(1)).await?;
    let channel = scene.channel.clone();
    let found = scene.link.channel_size(&channel).await?.records;
    let rule = &req::LEG_BOTH_SIZES;
    let sent = "four neo Puts, a neo Remove, and GetChannelSize";
    expect(rule, sent, "3 records", found == 3, || found.to_string())?;
    let all = scene.link.size(&Order::GetSize).await?.records;
    expect(rule, "GetSize", "3 records or more", all >= 3, || {
        all.to_string()
    })
}

async fn channels(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let rule = &req::LEG_BOTH_CHANNELS;
    let (by_neo, by_legacy) = (ground.channel("neo"), ground.channel("legacy"));
    neo.store(&by_neo, ground.key(1), "value").await?;
    scene.link.store(&by_legacy, ground.key(1), "value").await?;
    let lists = [
        ("legacy GetChannels", scene.link.channels().await?),
        ("neo GetChannels", neo.channels().await?),
    ];
    for (sent, listed) in lists {
        for name in [&by_neo, &by_legacy] {
            let expected = quoted(name.as_bytes());
            expect(rule, sent, &expected, listed.contains(name), || {
                format!("{} names without it", listed.len())
            })?;
        }
    }
    Ok(())
}

async fn nameless(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let mut created = Vec::new();
    for number in 0..10 {
        let name = ground.channel(&number.to_string());
        scene.link.store(&name, ground.key(1), "value").await?;
        created.push(name);
    }
    let nameless = Nameless::find(ground).await;
    let put = neo.put(&nameless.channel, Nameless::key(ground), "value");
    if !matches!(put.await, Ok(put::Reply::Put)) {
        return not_applicable("the node stores nothing in a channel without a name");
    }
    let listed = scene.link.channels().await;
    nameless.leave(&mut neo).await;
    let rule = &req::LEG_CHANNELS_NAMELESS;
    let listed = listed.map_err(blamed_on(rule))?;
    let missing = created.iter().find(|name| !listed.contains(name));
    let sent = "GetChannels, where there is a channel without a name";
    let expected = "the 10 channels that were created among others";
    expect(rule, sent, expected, missing.is_none(), || {
        let missing = missing.map(|name| quoted(name.as_bytes()));
        let count = listed.len();
        format!("{count} names, without {}", missing.unwrap_or_default())
    })
}

async fn expect_by_neo(
    neo: &mut Link,
    rule: &'static Requirement,
    channel: &ChannelName,
    key: Key,
    value: Option<&[u8]>,
) -> Checked {
    let (_, found) = neo.get(channel, key).await?;
    let show = |value: Option<&[u8]>| value.map_or("no record".to_owned(), quoted);
    let sent = format!("neo Get {key}, which a legacy order has written");
    let kept = found.as_deref() == value;
    expect(rule, &sent, &show(value), kept, || show(found.as_deref()))?;
    let exists = neo.exists(channel, key).await?;
    let kept = (exists == exists::Reply::RecordExists) == value.is_some();
    let expected = "an answer as that of Get";
    expect(rule, "neo Exists", expected, kept, || {
        exists.name().to_owned()
    })
}

async fn put(ground: &Ground) -> Checked {
    let records = sample::records(ground, 5, 60);
    let mut scene = Scene::with(ground, &records).await?;
    let mut neo = ground.link().await?;
    let rule = &req::LEG_BOTH_TO_NEO;
    for (key, value) in &records {
        expect_by_neo(&mut neo, rule, &scene.channel, *key, Some(value)).await?;
    }
    let found = neo.all_records(&scene.channel).await?;
    same_records(
        rule,
        "neo GetAll of what legacy Puts stored",
        &records,
        found,
    )?;
    scene.link.expect_nothing_more(rule, "Puts").await
}

async fn remove_record(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    for number in [1, 2] {
        neo.store(&scene.channel, ground.key(number), "value")
            .await?;
    }
    scene.remove(1).await?;
    let rule = &req::LEG_BOTH_TO_NEO;
    expect_by_neo(&mut neo, rule, &scene.channel, ground.key(1), None).await?;
    let (_, found) = neo.get(&scene.channel, ground.key(2)).await?;
    expect(
        rule,
        "legacy Remove of another key",
        "a value",
        found.is_some(),
        || get::Reply::NoRecord.name().to_owned(),
    )
}

async fn put_batch(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let records = sample::records(ground, 20, 60);
    let channel = scene.channel.clone();
    scene.link.store_batch(&channel, &records).await?;
    let rule = &req::LEG_BOTH_TO_NEO;
    let found = neo.all_records(&channel).await?;
    same_records(
        rule,
        "neo GetAll of what a PutBatch stored",
        &records,
        found,
    )
}

async fn remove_whole_channel(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    neo.store(&scene.channel, ground.key(1), "value").await?;
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    let rule = &req::LEG_BOTH_TO_NEO;
    let listed = neo.channels().await?.contains(&channel);
    let sent = "legacy RemoveChannel, and neo GetChannels";
    expect(rule, sent, "it is not listed", !listed, || {
        "it is".to_owned()
    })?;
    expect_by_neo(&mut neo, rule, &channel, ground.key(1), None).await
}

async fn update_conflict(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "before").await?;
    let (channel, key) = (scene.channel.clone(), ground.key(1));
    let (id, _) = neo.read_for_update(&channel, key).await?;
    scene.store(1, "meanwhile").await?;
    let replacement = update::Replacement {
        original_hash: fnv1a(b"before"),
        new_value: Bytes::from_static(b"after"),
    };
    let decision = update::FromClient::UpdateRecord(replacement);
    neo.say(id, &decision.encode()).await;
    let said = neo.hear_update(id).await?;
    let (rule, expected) = (&req::LEG_BOTH_UPDATE, "UpdateConflict");
    let kept = said == update::FromNode::UpdateConflict;
    let sent = "neo Update, a legacy Put, and the new value";
    expect(rule, sent, expected, kept, || format!("{said:?}"))?;
    scene.expect_value(rule, 1, "meanwhile").await
}

async fn in_turn(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let key = ground.key(1);
    for round in 0..5 {
        let value = format!("neo {round}");
        neo.store(&scene.channel, key, value.clone()).await?;
        let rule = &req::LEG_BOTH_FROM_NEO;
        scene.expect_value(rule, 1, value).await?;
        let value = format!("legacy {round}");
        scene.store(1, value.clone()).await?;
        let rule = &req::LEG_BOTH_TO_NEO;
        let found = expect_by_neo(&mut neo, rule, &scene.channel, key, Some(value.as_bytes()));
        found.await.map_err(blamed_on(rule))?;
    }
    Ok(())
}
