//! Suspend, Resume, Stop and Ack of a Mirror as such; what a suspension does to data is in `suspend`.

use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::mirror::Open;
use dht_requirements as req;

use super::check;
use super::follower::{
    CHANGES, Follower, INITIAL, Told, changes, ending, refreshed, remove_channel,
};
use crate::checks::{Check, Ground, sample};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = [
        (
            "suspend-running",
            Control::Suspend,
            false,
            &req::CTL_SUSPEND_ACKED,
        ),
        (
            "suspend-suspended",
            Control::Suspend,
            true,
            &req::CTL_REPEATED_SUSPEND_ACKED,
        ),
        (
            "resume-running",
            Control::Resume,
            false,
            &req::CTL_REPEATED_RESUME_ACKED,
        ),
        (
            "resume-suspended",
            Control::Resume,
            true,
            &req::CTL_RESUME_ACKED,
        ),
        ("stop-running", Control::Stop, false, &req::CTL_STOP_ACKED),
        ("stop-suspended", Control::Stop, true, &req::CTL_STOP_ACKED),
    ]
    .map(acknowledged)
    .into();
    checks.extend([
        check(
            "mirror-control.started-first",
            "Started comes before the data of a refresh.",
            &[&req::CTL_STARTED_FIRST],
            |ground| Box::pin(started_first(ground)),
        ),
        check(
            "mirror-control.pipelined",
            "Four control messages in one piece get four Acks.",
            &[&req::CTL_PIPELINED_ACKED],
            |ground| Box::pin(pipelined(ground)),
        ),
        check(
            "mirror-control.last-wins",
            "After Resume, Suspend, Resume a Mirror reports changes.",
            &[&req::CTL_LAST_WINS],
            |ground| Box::pin(last_wins(ground)),
        ),
        check(
            "mirror-control.not-starved",
            "A Mirror with 500 changes to send acknowledges Stop.",
            &[&req::CTL_NOT_STARVED],
            |ground| Box::pin(not_starved(ground)),
        ),
        check(
            "mirror-control.one-request",
            "Suspend and Stop of a Mirror leave another one on the connection as it is.",
            &[&req::CTL_ONE_REQUEST],
            |ground| Box::pin(one_request(ground)),
        ),
        check(
            "mirror-control.silent-after-stop",
            "A stopped Mirror reports nothing more.",
            &[&req::CTL_SILENT_AFTER_STOP],
            |ground| Box::pin(after_stop(ground, false)),
        ),
        check(
            "mirror-control.stop-or-end",
            "A stopped Mirror does not report the removal of its channel.",
            &[&req::CTL_STOP_OR_END],
            |ground| Box::pin(after_stop(ground, true)),
        ),
        check(
            "mirror-control.id-after-stop",
            "The id of a stopped Mirror can be used for another.",
            &[&req::CTL_STOP_FREES_ID],
            |ground| Box::pin(id_again(ground, &req::CTL_STOP_FREES_ID)),
        ),
        check(
            "mirror-control.id-after-end",
            "The id of a Mirror whose ChannelRemoved was acknowledged can be used for another.",
            &[&req::CTL_END_FREES_ID],
            |ground| Box::pin(id_again(ground, &req::CTL_END_FREES_ID)),
        ),
        check(
            "mirror-control.behind-end",
            "Control messages behind ChannelRemoved are not acknowledged.",
            &[&req::CTL_NO_ACK_AFTER_END],
            |ground| Box::pin(behind_end(ground, &req::CTL_NO_ACK_AFTER_END)),
        ),
        check(
            "mirror-control.crossing",
            "Control messages that cross ChannelRemoved do not cost the connection.",
            &[&req::CTL_CROSSING_HARMLESS],
            |ground| Box::pin(behind_end(ground, &req::CTL_CROSSING_HARMLESS)),
        ),
        check(
            "mirror-control.unacknowledged-end",
            "A ChannelRemoved that is not acknowledged disturbs no other Mirror of the connection.",
            &[&req::CTL_UNACKED_END_HARMLESS],
            |ground| Box::pin(unacknowledged_end(ground)),
        ),
    ]);
    let wrong = [
        ("unknown-type", &[9_u8][..], &req::CTL_UNKNOWN_CLOSES),
        ("undue-ack", &[4], &req::CTL_UNDUE_ACK_CLOSES),
        ("empty", &[], &req::CTL_EMPTY_CLOSES),
    ];
    checks.extend(wrong.map(closes));
    checks
}

type Requirement = &'static req::Requirement;

fn acknowledged((name, control, suspended, rule): (&str, Control, bool, Requirement)) -> Check {
    let state = match suspended {
        true => "suspended",
        false => "running",
    };
    check(
        format!("mirror-control.{name}"),
        format!("{control:?} of a {state} Mirror is acknowledged once."),
        &[rule],
        move |ground| {
            Box::pin(async move {
                let channel = ground.channel("");
                let link = ground.link().await?;
                let mut mirror = Follower::on(link, &channel, CHANGES, suspended).await?;
                mirror.say(control).await;
                mirror.next(rule, "Ack").await?;
                mirror.settle().await?;
                let sent = format!("{control:?}");
                let kept = mirror.told == [Told::Ack];
                ground.expect(rule, &sent, &["one Ack"], kept, || ending(&mirror.told))
            })
        },
    )
}

/// A malformed message of a running Mirror costs the connection.
fn closes((name, payload, rule): (&str, &'static [u8], Requirement)) -> Check {
    let sent = match payload {
        [] => "An empty message".to_owned(),
        payload => format!("A message of type {}", payload[0]),
    };
    check(
        format!("mirror-control.{name}"),
        format!("{sent} to a running Mirror closes the connection."),
        &[rule],
        move |ground| {
            Box::pin(async move {
                let mut mirror = Follower::start(ground, &ground.channel(""), CHANGES).await?;
                mirror.link.say(mirror.id, payload).await;
                let sent = format!("a message {payload:?} to a running Mirror");
                mirror.link.expect_closed(rule, &sent).await
            })
        },
    )
    .hostile()
}

async fn started_first(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 20, 20))
        .await?;
    // Starting it expects Started.
    let mut mirror = Follower::start(ground, &channel, INITIAL).await?;
    let due = &req::MIRROR_REFRESH_COMPLETE;
    mirror
        .until(due, "20 refreshed records", |told| refreshed(told) >= 20)
        .await
}

async fn pipelined(ground: &Ground) -> Checked {
    let mut mirror = Follower::start(ground, &ground.channel(""), CHANGES).await?;
    let messages = [
        Control::Suspend,
        Control::Resume,
        Control::Suspend,
        Control::Stop,
    ];
    let payloads = messages.map(|control| FromClient::Control(control).encode());
    let id = mirror.id;
    let messages: Vec<_> = payloads.iter().map(|payload| (id, &payload[..])).collect();
    mirror.link.say_at_once(&messages).await;
    let (rule, what) = (&req::CTL_PIPELINED_ACKED, "4 Acks");
    mirror.until(rule, what, |told| told.len() >= 4).await?;
    mirror.settle().await?;
    let sent = "Suspend, Resume, Suspend, Stop in one piece";
    let kept = mirror.told == vec![Told::Ack; 4];
    ground.expect(rule, sent, &[what], kept, || ending(&mirror.told))
}

async fn last_wins(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    for control in [Control::Resume, Control::Suspend, Control::Resume] {
        mirror.control(control).await?;
    }
    let mut writer = ground.link().await?;
    writer.store(&channel, ground.key(1), "one").await?;
    let (due, what) = (&req::CTL_LAST_WINS, "RecordChanged");
    mirror.until(due, what, |told| changes(told) > 0).await
}

async fn not_starved(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start_suspended(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    let puts = vec![(ground.key(1), vec![7; 30_000].into()); 500];
    ground.trace().hide();
    writer.store_all(&channel, &puts).await?;
    ground.trace().show("500 Puts of 30,000 bytes");
    let due = &req::CTL_NOT_STARVED;
    for (control, what) in [
        (Control::Resume, "Ack of Resume"),
        (Control::Stop, "Ack of Stop"),
    ] {
        mirror.say(control).await;
        mirror
            .until_told(due, what, |told| *told == Told::Ack)
            .await?;
    }
    mirror
        .link
        .expect_nothing_more(mirror.id, due, "Resume, Stop")
        .await
}

async fn one_request(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let open = Open {
        start_suspended: false,
        channel: channel.clone(),
        settings: CHANGES,
    };
    let other = mirror.link.start_mirror(&open).await?;
    let mut writer = ground.link().await?;
    let due = &req::CTL_ONE_REQUEST;
    for (number, control) in [Control::Suspend, Control::Stop].into_iter().enumerate() {
        let payload = FromClient::Control(control).encode();
        mirror.link.say(other, &payload).await;
        let ack = FromClient::Ack.encode();
        // What it reported before comes before it.
        while mirror.link.answer(other, "Ack").await? != ack[..] {}
        writer.store(&channel, ground.key(1), "one").await?;
        let what = "RecordChanged by the Mirror that was not meant";
        mirror
            .until(due, what, |told| changes(told) > number)
            .await?;
    }
    Ok(())
}

async fn after_stop(ground: &Ground, remove: bool) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    mirror.control(Control::Stop).await?;
    writer.store(&channel, ground.key(1), "one").await?;
    let (rule, sent) = match remove {
        false => (&req::CTL_SILENT_AFTER_STOP, "Stop, Ack, Put"),
        true => {
            remove_channel(ground, &mut writer, &channel).await?;
            (&req::CTL_STOP_OR_END, "Stop, Ack, Put, RemoveChannel")
        }
    };
    mirror.settle().await?;
    let kept = mirror.told == [Told::Ack];
    let expected = ["nothing behind the Ack of Stop"];
    ground.expect(rule, sent, &expected, kept, || ending(&mirror.told))
}

/// A Mirror that has ended, and another with its id.
async fn id_again(ground: &Ground, rule: Requirement) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    if rule == &req::CTL_STOP_FREES_ID {
        mirror.control(Control::Stop).await?;
    } else {
        remove_channel(ground, &mut writer, &channel).await?;
        mirror.next(rule, "ChannelRemoved").await?;
        mirror.link.acknowledge(mirror.id).await;
    }
    let open = Open {
        start_suspended: false,
        channel: channel.clone(),
        settings: CHANGES,
    };
    mirror.link.say(mirror.id, &open.encode()).await;
    let sent = "the id of a Mirror that is over, for another Mirror";
    mirror.link.expect_usable(rule, sent).await?;
    mirror.link.supported(mirror.id).await?;
    mirror.link.answer(mirror.id, "Started").await?;
    writer.store(&channel, ground.key(1), "one").await?;
    mirror.told.clear();
    let change = mirror.next(rule, "RecordChanged").await?.clone();
    let kept = change == Told::Changed(ground.key(1), "one".into());
    ground.expect(rule, sent, &["RecordChanged"], kept, || ending(&[change]))
}

async fn behind_end(ground: &Ground, rule: Requirement) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    remove_channel(ground, &mut writer, &channel).await?;
    mirror.next(rule, "ChannelRemoved").await?;
    for control in [Control::Suspend, Control::Resume, Control::Stop] {
        mirror.say(control).await;
    }
    let sent = "RemoveChannel, ChannelRemoved, Suspend, Resume, Stop, Ack";
    mirror.link.acknowledge(mirror.id).await;
    mirror.link.expect_usable(rule, sent).await?;
    let kept = mirror.link.waiting(mirror.id).is_empty() && mirror.told == [Told::Removed];
    ground.expect(rule, sent, &["ChannelRemoved alone"], kept, || {
        let more = mirror.link.waiting(mirror.id).len();
        format!("{}, and {more} behind it", ending(&mirror.told))
    })
}

async fn unacknowledged_end(ground: &Ground) -> Checked {
    let (channel, other) = (ground.channel(""), ground.channel("other"));
    let due = &req::CTL_UNACKED_END_HARMLESS;
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    remove_channel(ground, &mut writer, &channel).await?;
    mirror.next(due, "ChannelRemoved").await?;
    let sent = "RemoveChannel, no Ack of ChannelRemoved";
    mirror.link.expect_usable(due, sent).await?;
    let mut second = Follower::on(mirror.link, &other, CHANGES, false).await?;
    writer.store(&other, ground.key(1), "one").await?;
    let what = "RecordChanged by another Mirror";
    second.until(due, what, |told| changes(told) > 0).await
}
