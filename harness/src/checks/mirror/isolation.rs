//! Other channels, other Mirrors and writers: nobody sees or holds up what is not his.

use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{CHANGES, Follower, INITIAL, changes, ending};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::{Checked, shows};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "mirror-isolation.other-channel",
            "A Mirror reports nothing of another channel with the same keys and a similar name.",
            &[&req::MIRROR_ONLY_CHANNEL],
            |ground| Box::pin(other_channel(ground)),
        ),
        check(
            "mirror-isolation.three-mirrors",
            "Each of three Mirrors of a channel on three connections reports every change.",
            &[&req::MIRROR_EACH_SERVED],
            |ground| Box::pin(three_mirrors(ground)),
        ),
        check(
            "mirror-isolation.suspended-neighbour",
            "A suspended Mirror holds up no other Mirror of the channel.",
            &[&req::MIRROR_SUSPENDED_NEIGHBOUR],
            |ground| Box::pin(suspended_neighbour(ground)),
        ),
        check(
            "mirror-isolation.disconnect",
            "A Mirror whose client disconnects disturbs neither writers nor other Mirrors.",
            &[&req::MIRROR_DISCONNECT_HARMLESS],
            |ground| Box::pin(disconnect(ground)),
        )
        .tagged(Tag::Lethal),
        check(
            "mirror-isolation.slow-reader",
            "Writers are answered while the client of a Mirror reads nothing.",
            &[&req::MIRROR_WRITERS_NOT_BLOCKED],
            |ground| Box::pin(slow_reader(ground)),
        )
        .hostile(),
    ]
}

async fn other_channel(ground: &Ground) -> Checked {
    let (channel, other) = (ground.channel("a"), ground.channel("ab"));
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 20, 20);
    writer.store_all(&channel, &records).await?;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    writer.store_all(&other, &records).await?;
    writer.remove(&other, ground.key(1)).await?;
    mirror.settle().await?;
    let sent = "Mirror of one channel, Puts and Remove in another";
    let (rule, quiet) = (&req::MIRROR_ONLY_CHANNEL, mirror.told.is_empty());
    ground.expect(rule, sent, &["nothing"], quiet, || ending(&mirror.told))
}

async fn three_mirrors(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirrors = Vec::new();
    for _ in 0..3 {
        mirrors.push(Follower::start(ground, &channel, CHANGES).await?);
    }
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 30, 20))
        .await?;
    let (due, what) = (&req::MIRROR_EACH_SERVED, "30 RecordChanged");
    for mirror in &mut mirrors {
        mirror.until(due, what, |told| changes(told) >= 30).await?;
    }
    Ok(())
}

async fn suspended_neighbour(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut suspended = Follower::start_suspended(ground, &channel, CHANGES).await?;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 30, 20))
        .await?;
    let (due, what) = (&req::MIRROR_SUSPENDED_NEIGHBOUR, "30 RecordChanged");
    mirror.until(due, what, |told| changes(told) >= 30).await?;
    suspended.control(Control::Stop).await
}

async fn disconnect(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 30, 60_000))
        .await?;
    let mut stays = Follower::start(ground, &channel, CHANGES).await?;
    let idle = Follower::start(ground, &channel, CHANGES).await?;
    let waits = Follower::start_suspended(ground, &channel, CHANGES).await?;
    let refreshes = Follower::start(ground, &channel, INITIAL).await?;
    writer.store(&channel, ground.key(1), "one").await?;
    for mirror in [idle, waits, refreshes] {
        mirror.link.reset();
    }
    let records = sample::records(ground, 30, 20);
    let written = writer.store_all(&channel, &records).await;
    written.map_err(shows(
        &req::MIRROR_DISCONNECT_HARMLESS,
        "Puts behind the disconnection of three Mirrors",
        "they store, and are reported to another Mirror",
    ))?;
    let (due, what) = (&req::MIRROR_DISCONNECT_HARMLESS, "31 RecordChanged");
    stays.until(due, what, |told| changes(told) >= 31).await
}

async fn slow_reader(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    // More than the connection takes at once, and nobody reads.
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 150, 60_000);
    writer.store_all(&channel, &records).await?;
    let due = &req::MIRROR_WRITERS_NOT_BLOCKED;
    mirror
        .until(due, "150 RecordChanged, once they are read", |told| {
            changes(told) >= 150
        })
        .await
}
