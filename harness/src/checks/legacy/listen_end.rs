//! Listen: what ends it, and what comes then.

use dht_protocol::legacy::{Answer, Order};
use dht_requirements as req;
use tokio::time::Instant;

use super::check;
use super::listen::listening;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::legacy::{LegacyListen, talk};
use crate::wire::shown;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "listen-end.removal",
            "A Listen goes on behind a Put, and ends with the removal of its channel.",
            &[&req::LEG_LISTEN_END, &req::LEG_LISTEN_TELLS],
            |ground| Box::pin(removal(ground)),
        )
        .subsumes("Listen stops after removing channel"),
        check(
            "listen-end.untouched",
            "A Listen that was told nothing ends with the removal of its channel.",
            &[&req::LEG_LISTEN_END],
            |ground| Box::pin(untouched(ground)),
        ),
        check(
            "listen-end.pending",
            "A Listen ends with the removal of its channel also when many Puts come right before it.",
            &[&req::LEG_LISTEN_END],
            |ground| Box::pin(pending(ground)),
        ),
        check(
            "listen-end.several",
            "The removal of a channel ends all Listens of it.",
            &[&req::LEG_LISTEN_END],
            |ground| Box::pin(several(ground)),
        ),
        check(
            "listen-end.other-channel",
            "The removal of another channel ends no Listen.",
            &[&req::LEG_LISTEN_ONLY_CHANNEL],
            |ground| Box::pin(other_channel(ground)),
        ),
        check(
            "listen-end.last",
            "Behind the end nothing comes.",
            &[&req::LEG_LISTEN_END_LAST],
            |ground| Box::pin(last(ground)),
        ),
        check(
            "listen-end.goes-on",
            "After the end the connection takes other orders.",
            &[&req::LEG_LISTEN_GOES_ON],
            |ground| Box::pin(goes_on(ground)),
        ),
        check(
            "listen-end.again",
            "After the end the connection takes another Listen.",
            &[&req::LEG_LISTEN_GOES_ON],
            |ground| Box::pin(again(ground)),
        ),
        check(
            "listen-end.new-channel",
            "A Listen that has ended is told nothing of a channel of the same name that is created later.",
            &[&req::LEG_LISTEN_NEW_CHANNEL],
            |ground| Box::pin(new_channel(ground)),
        ),
        check(
            "listen-end.order",
            "An order during a Listen ends it, and is answered.",
            &[&req::LEG_LISTEN_INPUT_ENDS],
            |ground| Box::pin(order(ground)),
        ),
        check(
            "listen-end.half-close",
            "A client that closes its sending side ends its Listen, and the connection is closed.",
            &[&req::LEG_LISTEN_HALF_CLOSE],
            |ground| Box::pin(half_close(ground)),
        ),
        check(
            "listen-end.half-close-others",
            "A Listen goes on when the client of another one closes its sending side.",
            &[&req::LEG_LISTEN_DROPPED],
            |ground| Box::pin(half_close_others(ground)),
        ),
    ]
}

/// Removes the channel, and hears the end.
async fn end(scene: &mut Scene<'_>, listen: &mut LegacyListen) -> Checked {
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    listen.expect_end().await
}

async fn removal(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    scene.store(0, "whatever").await?;
    listen.expect(ground.key(0), "whatever").await?;
    end(&mut scene, &mut listen).await
}

async fn untouched(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let link = ground.legacy_link().await?;
    let mut listen = LegacyListen::order(link, &channel, ground.legacy_sentinel()).await;
    // The channel is there as soon as the node has handled the order.
    let limit = Instant::now() + ground.patience();
    while !scene.link.lists(&channel).await? && Instant::now() < limit {}
    end(&mut scene, &mut listen).await
}

async fn pending(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    for number in 0..300 {
        scene.store(number, "value").await?;
    }
    end(&mut scene, &mut listen).await
}

async fn several(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut one = listening(&mut scene).await?;
    let mut two = listening(&mut scene).await?;
    end(&mut scene, &mut one).await?;
    two.expect_end().await
}

async fn other_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let shorter = scene.channel.clone();
    scene.channel = ground.channel("longer");
    let mut listen = listening(&mut scene).await?;
    scene.link.remove_channel(&shorter).await?;
    scene.store(1, "value").await?;
    let told = listen.expect(ground.key(1), "value").await;
    told.map_err(blamed_on(&req::LEG_LISTEN_ONLY_CHANNEL))
}

async fn last(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    end(&mut scene, &mut listen).await?;
    let rule = &req::LEG_LISTEN_END_LAST;
    listen
        .link()
        .expect_nothing_more(rule, "the end of a Listen")
        .await
}

async fn goes_on(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    end(&mut scene, &mut listen).await?;
    let (mut link, channel, key) = (listen.into_link(), scene.channel.clone(), ground.key(1));
    let rule = &req::LEG_LISTEN_GOES_ON;
    let stored = link.store(&channel, key, "value").await;
    stored.map_err(blamed_on(rule))?;
    let value = Answer::Value("value".into());
    link.expect(rule, &talk::get(&channel, key), &value).await
}

async fn again(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    end(&mut scene, &mut listen).await?;
    let (link, channel) = (listen.into_link(), scene.channel.clone());
    let sentinel = ground.legacy_sentinel();
    let rule = &req::LEG_LISTEN_GOES_ON;
    let again = LegacyListen::begin(link, &channel, sentinel, &mut scene.link).await;
    let mut listen = again.map_err(blamed_on(rule))?;
    end(&mut scene, &mut listen).await.map_err(blamed_on(rule))
}

async fn new_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut old = listening(&mut scene).await?;
    end(&mut scene, &mut old).await?;
    let mut new = listening(&mut scene).await?;
    scene.store(1, "new").await?;
    new.settle(&mut scene.link).await?;
    let rule = &req::LEG_LISTEN_NEW_CHANNEL;
    let sent = "a Listen that has ended, and Puts in a new channel";
    old.link().expect_nothing_more(rule, sent).await
}

async fn order(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let rule = &req::LEG_LISTEN_INPUT_ENDS;
    let link = listen.link();
    link.send(&Order::GetVersion).await;
    // A node may notice at the next event only.
    let mut version = Vec::new();
    Answer::version().encode(&mut version);
    let limit = Instant::now() + ground.patience();
    let mut round = 0;
    while !link.rest().ends_with(&version) {
        let waited = Instant::now() >= limit || link.socket().closing().is_some();
        let sent = "Listen, GetVersion, and Puts on another connection";
        let expected = ["the answer to GetVersion"];
        if waited {
            let observed = shown(link.rest());
            return Err(broken(rule, Outcome::Silence, sent, &expected, observed));
        }
        round += 1;
        let (channel, key) = (scene.channel.clone(), ground.key(1));
        scene.link.store(&channel, key, format!("{round}")).await?;
        let soon = Instant::now() + std::time::Duration::from_millis(50);
        link.socket().receive(limit.min(soon)).await;
    }
    link.rest().clear();
    link.expect_nothing_more(rule, "Listen, and GetVersion")
        .await?;
    let (channel, key) = (scene.channel.clone(), ground.key(1));
    scene.link.store(&channel, key, "behind").await?;
    let rule = &req::LEG_LISTEN_INPUT_ENDS;
    link.expect_nothing_more(rule, "a Listen that an order has ended, and a Put")
        .await
}

async fn half_close(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let link = listen.link();
    link.socket().half_close();
    let limit = Instant::now() + ground.patience();
    while link.socket().closing().is_none() && Instant::now() < limit {
        // A node may notice at the next event only.
        scene.store(1, "value").await?;
        let soon = Instant::now() + std::time::Duration::from_millis(50);
        link.socket().receive(limit.min(soon)).await;
    }
    let rule = &req::LEG_LISTEN_HALF_CLOSE;
    let sent = "Listen, FIN, and Puts on another connection";
    if link.socket().closing().is_none() {
        let expected = ["the connection is closed"];
        let observed = "it stays open";
        return Err(broken(rule, Outcome::Open, sent, &expected, observed));
    }
    // Records may have been on their way, but no end marker.
    let marked = link.rest().ends_with(&[0; 16]);
    let expected = "no end marker";
    expect(rule, sent, expected, !marked, || shown(link.rest()))
}

async fn half_close_others(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut listen = listening(&mut scene).await?;
    let mut other = listening(&mut scene).await?;
    other.link().socket().half_close();
    let rule = &req::LEG_LISTEN_DROPPED;
    for number in 0..5 {
        scene.store(number, "value").await?;
        let told = listen.expect(ground.key(number), "value").await;
        told.map_err(blamed_on(rule))?;
    }
    Ok(())
}
