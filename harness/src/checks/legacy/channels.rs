//! GetChannels.

use std::collections::BTreeSet;

use dht_protocol::ChannelName;
use dht_protocol::legacy::Order;
use dht_requirements as req;

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;
use crate::wire::quoted;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "channels.complete",
            "Channels with records are listed.",
            &[&req::LEG_CHANNELS_COMPLETE],
            |ground| Box::pin(complete(ground, 3)),
        ),
        check(
            "channels.many",
            "A hundred channels are listed.",
            &[&req::LEG_CHANNELS_COMPLETE],
            |ground| Box::pin(complete(ground, 100)),
        ),
        check(
            "channels.unique",
            "No channel is listed twice.",
            &[&req::LEG_CHANNELS_UNIQUE],
            |ground| Box::pin(unique(ground)),
        ),
        check(
            "channels.real",
            "No channel of the check is listed but those that it has created.",
            &[&req::LEG_CHANNELS_REAL],
            |ground| Box::pin(real(ground)),
        ),
        check(
            "channels.end",
            "The list ends with an empty name, and the next order is answered.",
            &[&req::LEG_CHANNELS_END],
            |ground| Box::pin(end(ground)),
        ),
        check(
            "channels.empty-channel",
            "A channel without records is listed.",
            &[&req::LEG_CHANNELS_EMPTY_CHANNEL],
            |ground| Box::pin(empty_channel(ground)),
        ),
    ]
}

async fn create(scene: &mut Scene<'_>, count: usize) -> Checked<BTreeSet<ChannelName>> {
    let mut names = BTreeSet::new();
    for number in 0..count {
        let name = scene.ground.channel(&number.to_string());
        let key = scene.key(1);
        scene.link.store(&name, key, "value").await?;
        names.insert(name);
    }
    Ok(names)
}

async fn complete(ground: &Ground, count: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let created = create(&mut scene, count).await?;
    let listed: BTreeSet<_> = scene.link.channels().await?.into_iter().collect();
    let missing = created.difference(&listed).next();
    let rule = &req::LEG_CHANNELS_COMPLETE;
    let expected = format!("{count} channels that were created among others");
    expect(rule, "GetChannels", &expected, missing.is_none(), || {
        let missing = missing.map(|name| quoted(name.as_bytes()));
        format!("{} is missing", missing.unwrap_or_default())
    })
}

async fn unique(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    create(&mut scene, 10).await?;
    let mut seen = BTreeSet::new();
    let listed = scene.link.channels().await?;
    let twice = listed.iter().find(|name| !seen.insert(*name));
    let (rule, expected) = (&req::LEG_CHANNELS_UNIQUE, "each name once");
    expect(rule, "GetChannels", expected, twice.is_none(), || {
        let twice = twice.map(|name| quoted(name.as_bytes()));
        format!("{} twice", twice.unwrap_or_default())
    })
}

async fn real(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let created = create(&mut scene, 5).await?;
    // One that was there, and is not any more.
    let (gone, key) = (ground.channel("gone"), scene.key(1));
    scene.link.store(&gone, key, "value").await?;
    scene.link.remove_channel(&gone).await?;
    let listed = scene.link.channels().await?;
    let ours = listed.into_iter().filter(|name| ground.owns(name));
    let strange: Vec<_> = ours.filter(|name| !created.contains(name)).collect();
    let (rule, expected) = (&req::LEG_CHANNELS_REAL, "channels that exist");
    expect(rule, "GetChannels", expected, strange.is_empty(), || {
        strange
            .first()
            .map_or_else(String::new, |name| quoted(name.as_bytes()))
    })
}

async fn end(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    create(&mut scene, 2).await?;
    let rule = &req::LEG_CHANNELS_END;
    let listed = scene.link.channels().await;
    listed.map_err(crate::unkept::blamed_on(rule))?;
    let name = Order::GetChannels.command().name();
    scene.link.expect_nothing_more(rule, name).await
}

async fn empty_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    let rule = &req::LEG_CHANNELS_EMPTY_CHANNEL;
    scene.expect_listed(rule, "Put and Remove", true).await
}
