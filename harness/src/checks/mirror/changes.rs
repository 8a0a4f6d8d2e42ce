//! Writes and removals that a Mirror reports one by one.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::FromClient;
use dht_requirements as req;

use super::check;
use super::follower::{self, CHANGES, Follower, Told, changes, ending};
use crate::checks::update::talk::replace;
use crate::checks::{Check, Ground, sample};
use crate::unkept::Checked;
use crate::wire::Link;

pub(super) fn checks() -> Vec<Check> {
    let sizes = [1, 1_000, 65_512, 200_000];
    let mut checks: Vec<Check> = sizes.map(put_of_size).into();
    checks.extend([
        check(
            "mirror-change.absent-channel",
            "A Mirror of a channel that does not exist reports what is put into it later.",
            &[&req::MIRROR_ABSENT_CHANNEL],
            |ground| Box::pin(absent_channel(ground)),
        ),
        check(
            "mirror-change.quiet",
            "A Mirror without refreshes says nothing of records that nobody changes.",
            &[&req::MIRROR_QUIET],
            |ground| Box::pin(quiet(ground)),
        ),
        check(
            "mirror-change.same-connection",
            "A Mirror reports a Put that was made on its own connection.",
            &[&req::MIRROR_PUT_REPORTED],
            |ground| Box::pin(same_connection(ground)),
        ),
        check(
            "mirror-change.same-value",
            "Three Puts of one value are reported three times.",
            &[&req::MIRROR_EVERY_WRITE],
            |ground| Box::pin(same_value(ground)),
        ),
        check(
            "mirror-change.newest-value",
            "What is reported of two Puts is the first value or the second, and the second at \
             last.",
            &[&req::MIRROR_CHANGED_VALUE],
            |ground| Box::pin(newest_value(ground)),
        ),
        check(
            "mirror-change.update",
            "An Update that stores a value is reported with the new value.",
            &[&req::MIRROR_UPDATE_REPORTED],
            |ground| Box::pin(update(ground)),
        ),
        check(
            "mirror-change.update-removes",
            "An Update that removes a record is reported as a deletion.",
            &[&req::MIRROR_UPDATE_REMOVAL_REPORTED],
            |ground| Box::pin(update_removes(ground)),
        ),
        check(
            "mirror-change.remove",
            "The Remove of a record is reported as a deletion.",
            &[&req::MIRROR_REMOVE_REPORTED],
            |ground| Box::pin(remove(ground)),
        ),
        check(
            "mirror-change.remove-absent",
            "The Remove of a record that does not exist is reported once at most.",
            &[&req::MIRROR_DELETED_ABSENT],
            |ground| Box::pin(remove_absent(ground)),
        ),
    ]);
    checks
}

fn put_of_size(size: usize) -> Check {
    let requirement = match size {
        0..=65_536 => &req::MIRROR_CHANGED_VALUE,
        _ => &req::MIRROR_CHANGED_LARGE,
    };
    check(
        format!("mirror-change.put-{size}-bytes"),
        format!("A Put of {size} bytes is reported with its key and its whole value."),
        &[&req::MIRROR_PUT_REPORTED, requirement],
        move |ground| {
            Box::pin(async move {
                let channel = ground.channel("");
                let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
                let mut writer = ground.link().await?;
                let value = sample::value(1, size);
                writer.store(&channel, ground.key(1), value.clone()).await?;
                let due = &req::MIRROR_PUT_REPORTED;
                let told = mirror.next(due, "RecordChanged").await?.clone();
                let sent = format!("Mirror, Put of {size} bytes");
                let expected = ["RecordChanged with the key and the value"];
                let kept = told == Told::Changed(ground.key(1), value);
                ground.expect(requirement, &sent, &expected, kept, || ending(&[told]))
            })
        },
    )
}

/// The Mirror's next message is this change.
async fn expect_change(
    ground: &Ground,
    mirror: &mut Follower,
    requirement: &'static req::Requirement,
    sent: &str,
    change: Told,
) -> Checked {
    let expected = format!("{change:?}");
    let told = mirror.next(requirement, &expected).await?.clone();
    let kept = told == change;
    ground.expect(requirement, sent, &[&expected], kept, || ending(&[told]))
}

async fn absent_channel(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    writer.store(&channel, ground.key(1), "late").await?;
    let change = Told::Changed(ground.key(1), "late".into());
    let (due, sent) = (&req::MIRROR_ABSENT_CHANNEL, "Mirror of no channel, Put");
    expect_change(ground, &mut mirror, due, sent, change).await
}

async fn quiet(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 100, 100);
    writer.store_all(&channel, &records).await?;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    writer.get(&channel, ground.key(1)).await?;
    writer.exists(&channel, ground.key(1)).await?;
    writer.all_records(&channel).await?;
    mirror.settle().await?;
    let sent = "Mirror without refreshes of 100 records, then Get, Exists and GetAll";
    let (rule, quiet) = (&req::MIRROR_QUIET, mirror.told.is_empty());
    ground.expect(rule, sent, &["nothing"], quiet, || ending(&mirror.told))
}

async fn same_connection(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    mirror.link.store(&channel, ground.key(1), "own").await?;
    let change = Told::Changed(ground.key(1), "own".into());
    let (due, sent) = (&req::MIRROR_PUT_REPORTED, "Mirror, Put on its connection");
    expect_change(ground, &mut mirror, due, sent, change).await
}

async fn same_value(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    let puts = vec![(ground.key(1), Bytes::from_static(b"same")); 3];
    writer.store_all(&channel, &puts).await?;
    let (due, what) = (&req::MIRROR_EVERY_WRITE, "3 RecordChanged");
    mirror.until(due, what, |told| changes(told) >= 3).await?;
    mirror.settle().await?;
    let kept = mirror.told == vec![Told::Changed(ground.key(1), "same".into()); 3];
    let sent = "Mirror, three Puts of the same value";
    ground.expect(due, sent, &[what], kept, || ending(&mirror.told))
}

async fn newest_value(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    mirror.control(Control::Suspend).await?;
    let mut writer = ground.link().await?;
    let puts = ["first", "second"].map(|value| (ground.key(1), Bytes::from(value)));
    writer.store_all(&channel, &puts).await?;
    mirror.control(Control::Resume).await?;
    let (due, what) = (&req::MIRROR_CHANGED_VALUE, "2 RecordChanged");
    mirror.until(due, what, |told| changes(told) >= 2).await?;
    let values: Vec<Bytes> = mirror.changes().into_iter().filter_map(|it| it.1).collect();
    let kept = values == ["first", "second"] || values == ["second", "second"];
    let answer = match values.first() == values.last() {
        true => "the newest when it is sent",
        false => "the one that was written",
    };
    ground.note("Value in RecordChanged", answer);
    let expected = ["\"first\", \"second\"", "\"second\" twice"];
    let sent = "Suspend, two Puts, Resume";
    ground.expect(due, sent, &expected, kept, || ending(&mirror.told))
}

/// A Mirror of a channel with one record, and a writer.
async fn with_record(ground: &Ground) -> Checked<(Follower, Link, Key)> {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer.store(&channel, ground.key(1), "old").await?;
    let mirror = Follower::start(ground, &channel, CHANGES).await?;
    Ok((mirror, writer, ground.key(1)))
}

async fn update(ground: &Ground) -> Checked {
    let (mut mirror, mut writer, key) = with_record(ground).await?;
    let decision = replace(b"old", b"new");
    follower::update(&mut writer, &ground.channel(""), key, &decision).await?;
    let change = Told::Changed(key, "new".into());
    let (due, sent) = (&req::MIRROR_UPDATE_REPORTED, "Mirror, Update to \"new\"");
    expect_change(ground, &mut mirror, due, sent, change).await
}

async fn update_removes(ground: &Ground) -> Checked {
    let (mut mirror, mut writer, key) = with_record(ground).await?;
    let decision = FromClient::RemoveRecord;
    follower::update(&mut writer, &ground.channel(""), key, &decision).await?;
    let due = &req::MIRROR_UPDATE_REMOVAL_REPORTED;
    let sent = "Mirror, Update with RemoveRecord";
    expect_change(ground, &mut mirror, due, sent, Told::Deleted(key)).await
}

async fn remove(ground: &Ground) -> Checked {
    let (mut mirror, mut writer, key) = with_record(ground).await?;
    writer.remove(&ground.channel(""), key).await?;
    let (due, sent) = (&req::MIRROR_REMOVE_REPORTED, "Mirror, Remove");
    expect_change(ground, &mut mirror, due, sent, Told::Deleted(key)).await
}

async fn remove_absent(ground: &Ground) -> Checked {
    let (mut mirror, mut writer, _) = with_record(ground).await?;
    let absent = ground.key(2);
    writer.remove(&ground.channel(""), absent).await?;
    mirror.settle().await?;
    let answer = match mirror.told.is_empty() {
        true => "not reported",
        false => "reported as RecordDeleted",
    };
    ground.note("Remove of an absent record in a Mirror", answer);
    ground.expect(
        &req::MIRROR_DELETED_ABSENT,
        "Mirror, Remove of a record that does not exist",
        &["nothing", "one RecordDeleted with its key"],
        mirror.told.is_empty() || mirror.told == [Told::Deleted(absent)],
        || ending(&mirror.told),
    )
}
