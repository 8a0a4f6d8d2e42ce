//! What is written by one protocol, told by the streams of the other.

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::mirror::{FromNode, Open, Settings};
use dht_requirements::{self as req, Requirement};

use super::both::{both, remove_by_neo, update_to};
use super::check;
use super::listen::{expect_told, expect_untold, listening};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Link;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "both.mirror-put",
            "A Mirror is told of a legacy Put.",
            &[&req::LEG_BOTH_MIRROR_PUT],
            |ground| Box::pin(mirror_put(ground)),
        ),
        check(
            "both.mirror-remove",
            "A Mirror is told of a legacy Remove.",
            &[&req::LEG_BOTH_MIRROR_REMOVE],
            |ground| Box::pin(mirror_remove(ground)),
        ),
        check(
            "both.mirror-end",
            "A legacy RemoveChannel ends a Mirror.",
            &[&req::LEG_BOTH_MIRROR_END],
            |ground| Box::pin(mirror_end(ground)),
        ),
        check(
            "both.listen-put",
            "A Listen is told of neo Puts.",
            &[&req::LEG_BOTH_LISTEN_PUT],
            |ground| Box::pin(listen_put(ground)),
        ),
        check(
            "both.listen-update",
            "A Listen is told of a neo Update.",
            &[&req::LEG_BOTH_LISTEN_UPDATE],
            |ground| Box::pin(listen_update(ground)),
        ),
        check(
            "both.listen-remove",
            "A Listen is not told of a neo Remove.",
            &[&req::LEG_BOTH_LISTEN_REMOVE],
            |ground| Box::pin(listen_remove(ground)),
        ),
        check(
            "both.listen-end",
            "A neo RemoveChannel ends a Listen with the end marker.",
            &[&req::LEG_BOTH_LISTEN_END],
            |ground| Box::pin(listen_end(ground)),
        ),
        check(
            "both.ends-all",
            "A neo RemoveChannel ends a Mirror and a Listen of the same channel.",
            &[&req::LEG_BOTH_LISTEN_END],
            |ground| Box::pin(ends_all(ground)),
        ),
    ]
}

/// Starts a Mirror of changes.
async fn mirror(neo: &mut Link, channel: &dht_protocol::ChannelName) -> Checked<RequestId> {
    let settings = Settings {
        initial_refresh: false,
        periodic_refresh_s: 0,
    };
    let open = Open {
        start_suspended: false,
        channel: channel.clone(),
        settings,
    };
    neo.start_mirror(&open).await
}

/// The next message of a Mirror is this one; `rule` is broken if not.
async fn expect(
    neo: &mut Link,
    id: RequestId,
    rule: &'static Requirement,
    sent: &str,
    expected: &FromNode,
) -> Checked {
    let payload = neo.answer(id, "a message of Mirror").await;
    let payload = payload.map_err(crate::unkept::blamed_on(rule))?;
    match FromNode::decode(&payload) {
        Ok(said) if said == *expected => Ok(()),
        said => {
            let (expected, observed) = (format!("{expected:?}"), format!("{said:?}"));
            let sent = format!("Mirror, and {sent}");
            Err(broken(rule, Outcome::Data, sent, &[&expected], observed))
        }
    }
}

async fn mirror_put(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let id = mirror(&mut neo, &scene.channel).await?;
    scene.store(1, "value").await?;
    let told = FromNode::RecordChanged(ground.key(1), Bytes::from_static(b"value"));
    let rule = &req::LEG_BOTH_MIRROR_PUT;
    expect(&mut neo, id, rule, "a legacy Put", &told).await
}

async fn mirror_remove(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "value").await?;
    let id = mirror(&mut neo, &scene.channel).await?;
    scene.remove(1).await?;
    let (rule, told) = (
        &req::LEG_BOTH_MIRROR_REMOVE,
        FromNode::RecordDeleted(ground.key(1)),
    );
    expect(&mut neo, id, rule, "a legacy Remove", &told).await
}

async fn mirror_end(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "value").await?;
    let id = mirror(&mut neo, &scene.channel).await?;
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    let (rule, sent) = (&req::LEG_BOTH_MIRROR_END, "a legacy RemoveChannel");
    expect(&mut neo, id, rule, sent, &FromNode::ChannelRemoved).await
}

async fn listen_put(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let records = [1, 2, 3].map(|number| (ground.key(number), Bytes::from("by neo")));
    for (key, value) in &records {
        neo.store(&scene.channel, *key, value.clone()).await?;
    }
    listen.settle(&mut scene.link).await?;
    expect_told(&req::LEG_BOTH_LISTEN_PUT, "neo Puts", &listen, &records)
}

async fn listen_update(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "before").await?;
    let mut listen = listening(&mut scene).await?;
    let channel = scene.channel.clone();
    update_to(&mut neo, &channel, ground.key(1), "after").await?;
    listen.settle(&mut scene.link).await?;
    let records = [(ground.key(1), Bytes::from_static(b"after"))];
    let rule = &req::LEG_BOTH_LISTEN_UPDATE;
    expect_told(rule, "a neo Update", &listen, &records)
}

async fn listen_remove(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    scene.store(1, "value").await?;
    let mut listen = listening(&mut scene).await?;
    neo.remove(&scene.channel, ground.key(1)).await?;
    listen.settle(&mut scene.link).await?;
    expect_untold(&req::LEG_BOTH_LISTEN_REMOVE, "a neo Remove", &listen)
}

async fn listen_end(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let mut listen = listening(&mut scene).await?;
    remove_by_neo(ground, &mut neo, &scene.channel).await?;
    let ended = listen.expect_end().await;
    ended.map_err(crate::unkept::blamed_on(&req::LEG_BOTH_LISTEN_END))
}

async fn ends_all(ground: &Ground) -> Checked {
    let (mut scene, mut neo) = both(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let mut mirroring = ground.link().await?;
    let id = mirror(&mut mirroring, &scene.channel).await?;
    remove_by_neo(ground, &mut neo, &scene.channel).await?;
    let rule = &req::LEG_BOTH_LISTEN_END;
    let sent = "a neo RemoveChannel";
    expect(&mut mirroring, id, rule, sent, &FromNode::ChannelRemoved).await?;
    listen
        .expect_end()
        .await
        .map_err(crate::unkept::blamed_on(rule))
}
