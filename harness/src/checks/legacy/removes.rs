//! Remove and RemoveChannel.

use bytes::Bytes;
use dht_protocol::legacy::Status;
use dht_requirements as req;

use super::check;
use super::scene::{Scene, expect_listed};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;
use crate::wire::legacy::talk;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = of_records();
    checks.extend(of_channels());
    checks
}

fn of_records() -> Vec<Check> {
    vec![
        check(
            "remove.gone",
            "A record that was removed is gone, for another connection too.",
            &[&req::LEG_REMOVE_GONE],
            |ground| Box::pin(gone(ground)),
        ),
        check(
            "remove.put-again",
            "A record that was removed can be put again.",
            &[&req::LEG_REMOVE_GONE, &req::LEG_PUT_STORED],
            |ground| Box::pin(put_again(ground)),
        ),
        check(
            "remove.absent",
            "A Remove of a record that is absent is answered Ok, also the second time.",
            &[&req::LEG_REMOVE_ABSENT],
            |ground| Box::pin(absent(ground)),
        ),
        check(
            "remove.absent-channel",
            "A Remove in a channel that does not exist is answered Ok, and creates nothing.",
            &[&req::LEG_REMOVE_ABSENT, &req::LEG_REMOVE_CREATES_NOTHING],
            |ground| Box::pin(absent_channel(ground)),
        ),
        check(
            "remove.foreign",
            "A Remove of a key outside the range is answered WrongNode.",
            &[&req::LEG_REMOVE_WRONG_NODE],
            |ground| Box::pin(foreign(ground)),
        ),
        check(
            "remove.others-stay",
            "A Remove leaves other records and other channels as they are.",
            &[&req::LEG_REMOVE_OTHERS_STAY],
            |ground| Box::pin(others_stay(ground)),
        ),
        check(
            "remove.channel-stays",
            "A channel whose last record was removed is listed, with no records.",
            &[&req::LEG_REMOVE_CHANNEL_STAYS],
            |ground| Box::pin(channel_stays(ground)),
        ),
    ]
}

fn of_channels() -> Vec<Check> {
    vec![
        check(
            "rmchannel.removing",
            "GetAll finds nothing in a channel that was removed.",
            &[&req::LEG_RMCHANNEL_GONE],
            |ground| Box::pin(removing(ground)),
        )
        .subsumes("Removing channel"),
        check(
            "rmchannel.gone",
            "The records of a channel that was removed are gone, for another connection too.",
            &[&req::LEG_RMCHANNEL_GONE],
            |ground| Box::pin(records_gone(ground)),
        ),
        check(
            "rmchannel.unlisted",
            "A channel that was removed is not listed.",
            &[&req::LEG_RMCHANNEL_UNLISTED],
            |ground| Box::pin(unlisted(ground)),
        ),
        check(
            "rmchannel.absent",
            "A RemoveChannel of a channel that does not exist is answered Ok, and creates nothing.",
            &[&req::LEG_RMCHANNEL_ABSENT],
            |ground| Box::pin(no_channel(ground)),
        ),
        check(
            "rmchannel.twice",
            "A channel can be removed twice.",
            &[&req::LEG_RMCHANNEL_ABSENT],
            |ground| Box::pin(twice(ground)),
        ),
        check(
            "rmchannel.others-stay",
            "Other channels stay, also those whose names begin with the name.",
            &[&req::LEG_RMCHANNEL_OTHERS_STAY],
            |ground| Box::pin(other_channels_stay(ground)),
        ),
        check(
            "rmchannel.again",
            "A channel that is created again after its removal has the new record only.",
            &[&req::LEG_RMCHANNEL_AGAIN],
            |ground| Box::pin(again(ground)),
        ),
    ]
}

async fn gone(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    let mut other = Scene::open(ground).await?;
    other.expect_value(&req::LEG_REMOVE_GONE, 1, "").await
}

async fn put_again(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    scene.expect_value(&req::LEG_REMOVE_GONE, 1, "").await?;
    scene.store(1, "again").await?;
    scene.expect_value(&req::LEG_PUT_STORED, 1, "again").await
}

async fn absent(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let (rule, channel) = (&req::LEG_REMOVE_ABSENT, scene.channel.clone());
    for number in [2, 1, 1] {
        let order = talk::remove(&channel, scene.key(number));
        scene.expect_status(rule, &order, Status::Ok).await?;
    }
    Ok(())
}

async fn absent_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = talk::remove(&scene.channel, scene.key(1));
    let rule = &req::LEG_REMOVE_ABSENT;
    scene.expect_status(rule, &order, Status::Ok).await?;
    let rule = &req::LEG_REMOVE_CREATES_NOTHING;
    scene.expect_listed(rule, "Remove", false).await
}

async fn foreign(ground: &Ground) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::remove(&scene.channel, key);
    let rule = &req::LEG_REMOVE_WRONG_NODE;
    scene.expect_status(rule, &order, Status::WrongNode).await
}

async fn others_stay(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (other, key) = (ground.channel("other"), scene.key(1));
    scene.link.store(&other, key, "elsewhere").await?;
    for number in 0..3 {
        scene.store(number, format!("value {number}")).await?;
    }
    scene.remove(2).await?;
    let rule = &req::LEG_REMOVE_OTHERS_STAY;
    let left = [0, 1].map(|number| (scene.key(number), Bytes::from(format!("value {number}"))));
    scene.expect_records(rule, &left).await?;
    scene.channel = other;
    scene.expect_value(rule, 1, "elsewhere").await
}

async fn channel_stays(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.remove(1).await?;
    let rule = &req::LEG_REMOVE_CHANNEL_STAYS;
    scene
        .expect_listed(rule, "Remove of the last record", true)
        .await
}

async fn removing(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "1").await?;
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    scene.expect_records(&req::LEG_RMCHANNEL_GONE, &[]).await
}

async fn records_gone(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..10 {
        scene.store(number, "value").await?;
    }
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    let mut other = ground.legacy_link().await?;
    for number in 0..10 {
        let order = talk::exists(&channel, ground.key(number));
        let none = dht_protocol::legacy::Answer::Exists(false);
        let rule = &req::LEG_RMCHANNEL_GONE;
        other.expect(rule, &order, &none).await?;
    }
    Ok(())
}

async fn unlisted(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    let rule = &req::LEG_RMCHANNEL_UNLISTED;
    scene.expect_listed(rule, "RemoveChannel", false).await
}

async fn no_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = talk::remove_channel(&scene.channel);
    let rule = &req::LEG_RMCHANNEL_ABSENT;
    scene.expect_status(rule, &order, Status::Ok).await?;
    scene.expect_listed(rule, "RemoveChannel", false).await
}

async fn twice(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let order = talk::remove_channel(&scene.channel);
    for _ in 0..2 {
        let rule = &req::LEG_RMCHANNEL_ABSENT;
        scene.expect_status(rule, &order, Status::Ok).await?;
    }
    Ok(())
}

async fn other_channels_stay(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let rule = &req::LEG_RMCHANNEL_OTHERS_STAY;
    let (key, others) = (scene.key(1), ["a", "b"].map(|name| ground.channel(name)));
    for channel in others.iter().chain([&scene.channel]) {
        scene.link.store(channel, key, "value").await?;
    }
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    for other in others {
        let sent = "RemoveChannel of another channel";
        expect_listed(&mut scene.link, rule, sent, &other, true).await?;
        scene.channel = other;
        scene.expect_value(rule, 1, "value").await?;
    }
    Ok(())
}

async fn again(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..5 {
        scene.store(number, "old").await?;
    }
    let channel = scene.channel.clone();
    scene.link.remove_channel(&channel).await?;
    scene.store(7, "new").await?;
    let records = [(scene.key(7), Bytes::from_static(b"new"))];
    let rule = &req::LEG_RMCHANNEL_AGAIN;
    scene.expect_records(rule, &records).await
}
