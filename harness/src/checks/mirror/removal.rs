//! The removal of the channel in every state of a Mirror, and what comes afterwards.

use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{CHANGES, Follower, INITIAL, Told, ending, is_change, remove_channel};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = [
        (State::Idle, "idle", "idle"),
        (
            State::Own,
            "own-connection",
            "idle, and removed on its own connection",
        ),
        (
            State::Suspended,
            "suspended",
            "suspended with nothing pending",
        ),
        (State::Pending, "pending", "suspended with a change pending"),
        (
            State::Refreshing,
            "pending-refresh",
            "started suspended, with a refresh pending",
        ),
        (State::Busy, "busy", "sending changes"),
    ]
    .map(removed)
    .into();
    checks.extend([
        check(
            "mirror-removal.no-deletions",
            "The removal of a channel with 50 records is reported without any deletion.",
            &[&req::MIRROR_REMOVED_NO_DELETIONS],
            |ground| Box::pin(no_deletions(ground)),
        ),
        check(
            "mirror-removal.same-name",
            "A Mirror of a removed channel reports nothing of a new channel with its name.",
            &[&req::MIRROR_REMOVED_DETACHED],
            |ground| Box::pin(afterwards(ground, "", &req::MIRROR_REMOVED_DETACHED, false)),
        ),
        check(
            "mirror-removal.other-channel",
            "A Mirror of a removed channel reports nothing of a channel that is created then.",
            &[&req::MIRROR_NO_LEAK],
            |ground| Box::pin(afterwards(ground, "other", &req::MIRROR_NO_LEAK, false)),
        ),
        check(
            "mirror-removal.other-channel-pending",
            "A Mirror that was suspended with a change pending reports nothing of a channel that is \
             created after the removal of its own.",
            &[&req::MIRROR_NO_LEAK],
            |ground| Box::pin(afterwards(ground, "other", &req::MIRROR_NO_LEAK, true)),
        )
        // The channel created next has to be its own.
        .tagged(Tag::Alone),
    ]);
    checks
}

/// What a Mirror does when its channel is removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Idle,
    Own,
    Suspended,
    Pending,
    Refreshing,
    Busy,
}

fn removed((state, name, words): (State, &str, &str)) -> Check {
    let due = match state {
        State::Idle | State::Own => &req::MIRROR_REMOVED_IDLE,
        State::Suspended => &req::MIRROR_REMOVED_SUSPENDED,
        State::Pending | State::Refreshing => &req::MIRROR_REMOVED_PENDING,
        State::Busy => &req::MIRROR_REMOVED_BUSY,
    };
    check(
        format!("mirror-removal.{name}"),
        format!("The removal of its channel is reported by a Mirror that is {words}."),
        &[due],
        move |ground| Box::pin(removal(ground, state, due)),
    )
}

async fn removal(ground: &Ground, state: State, due: &'static req::Requirement) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer.store(&channel, ground.key(1), "one").await?;
    let mut mirror = match state {
        State::Refreshing => Follower::start_suspended(ground, &channel, INITIAL).await?,
        _ => Follower::start(ground, &channel, CHANGES).await?,
    };
    if matches!(state, State::Suspended | State::Pending) {
        mirror.control(Control::Suspend).await?;
    }
    match state {
        State::Pending => writer.store(&channel, ground.key(2), "two").await?,
        State::Busy => {
            // More than the connection takes at once, and nobody reads.
            let records = sample::records(ground, 100, 60_000);
            writer.store_all(&channel, &records).await?;
        }
        _ => {}
    }
    match state {
        State::Own => remove_channel(ground, &mut mirror.link, &channel).await?,
        _ => remove_channel(ground, &mut writer, &channel).await?,
    }
    mirror.settle().await?;
    let mut told = mirror.told.contains(&Told::Removed);
    if matches!(state, State::Pending | State::Refreshing) {
        let answer = match told {
            true => "sent while it is suspended",
            false => "sent after Resume",
        };
        ground.note(
            "ChannelRemoved to a suspended Mirror with changes pending",
            answer,
        );
        if !told {
            mirror.say(Control::Resume).await;
        }
    }
    while !told {
        told = *mirror.next(due, "ChannelRemoved").await? == Told::Removed;
    }
    mirror.link.acknowledge(mirror.id).await;
    let sent = "RemoveChannel, Ack of ChannelRemoved";
    mirror.link.expect_nothing_more(mirror.id, due, sent).await
}

async fn no_deletions(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 50, 50))
        .await?;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    remove_channel(ground, &mut writer, &channel).await?;
    mirror.settle().await?;
    let rule = &req::MIRROR_REMOVED_NO_DELETIONS;
    let changes = mirror.count(is_change);
    let sent = "Mirror of 50 records, RemoveChannel";
    let expected = ["ChannelRemoved alone"];
    ground.expect(rule, sent, &expected, changes == 0, || ending(&mirror.told))
}

/// Nothing is reported of a channel that is created after the removal, whether the removal is reported or
/// not.
async fn afterwards(
    ground: &Ground,
    name: &'static str,
    rule: &'static req::Requirement,
    pending: bool,
) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer.store(&channel, ground.key(1), "old").await?;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    if pending {
        mirror.control(Control::Suspend).await?;
        writer.store(&channel, ground.key(1), "pending").await?;
    }
    remove_channel(ground, &mut writer, &channel).await?;
    let other = ground.channel(name);
    writer.store(&other, ground.key(42), "new").await?;
    if pending {
        mirror.say(Control::Resume).await;
    }
    mirror.settle().await?;
    let value = sample::value(42, 100);
    writer.store(&other, ground.key(42), value).await?;
    mirror.settle().await?;
    let key = ground.key(42);
    let leaked = mirror.count(|told| match told {
        Told::Changed(of, _) | Told::Deleted(of) => *of == key,
        _ => false,
    });
    let sent = "Mirror, RemoveChannel, Puts of another key into a new channel";
    let expected = ["nothing of that key"];
    ground.expect(rule, sent, &expected, leaked == 0, || ending(&mirror.told))
}
