//! What comes and what does not while a Mirror is suspended, and what comes afterwards.

use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{
    CHANGES, Follower, INITIAL, PERIODIC, Told, changes, ending, is_batch, is_change, refreshed,
};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "mirror-suspend.started-suspended",
            "A Mirror that is started suspended reports no change before Resume.",
            &[&req::MIRROR_START_SUSPENDED, &req::MIRROR_SUSPEND_KEEPS],
            |ground| Box::pin(started_suspended(ground)),
        ),
        check(
            "mirror-suspend.started-suspended-refresh",
            "A Mirror that is started suspended sends no refresh before Resume, and a whole one \
             then.",
            &[&req::MIRROR_START_SUSPENDED, &req::MIRROR_REFRESH_COMPLETE],
            |ground| Box::pin(started_suspended_refresh(ground)),
        ),
        check(
            "mirror-suspend.bound",
            "Of 50 changes during a suspension one at most comes before Resume.",
            &[&req::MIRROR_SUSPEND_BOUND],
            |ground| Box::pin(bound(ground)),
        ),
        check(
            "mirror-suspend.quiet",
            "A change during a suspension does not come before Resume.",
            &[&req::MIRROR_SUSPEND_QUIET],
            |ground| Box::pin(quiet(ground)),
        ),
        check(
            "mirror-suspend.keeps",
            "All changes of a suspension are reported after Resume.",
            &[&req::MIRROR_SUSPEND_KEEPS],
            |ground| Box::pin(keeps(ground)),
        ),
        check(
            "mirror-suspend.again-and-again",
            "A Mirror that is suspended and resumed ten times reports the changes of each time.",
            &[&req::CTL_SUSPENSIONS_HARMLESS],
            |ground| Box::pin(again_and_again(ground)),
        ),
        check(
            "mirror-suspend.tick-then-change",
            "Changes are reported after a suspension in which a periodic refresh fell due first.",
            &[&req::MIRROR_UPDATES_SURVIVE],
            |ground| Box::pin(tick_then_change(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "mirror-suspend.change-then-tick",
            "Periodic refreshes go on after a suspension in which a change came first.",
            &[&req::MIRROR_REFRESHES_SURVIVE],
            |ground| Box::pin(change_then_tick(ground)),
        )
        .tagged(Tag::Slow),
    ]
}

async fn started_suspended(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start_suspended(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 20, 50))
        .await?;
    mirror.settle().await?;
    let rule = &req::MIRROR_START_SUSPENDED;
    let sent = "Mirror, started suspended, 20 Puts";
    let quiet = mirror.told.is_empty();
    ground.expect(rule, sent, &["nothing"], quiet, || ending(&mirror.told))?;
    mirror.control(Control::Resume).await?;
    let (due, what) = (&req::MIRROR_SUSPEND_KEEPS, "20 RecordChanged after Resume");
    mirror.until(due, what, |told| changes(told) >= 20).await
}

async fn started_suspended_refresh(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 20, 50))
        .await?;
    let mut mirror = Follower::start_suspended(ground, &channel, INITIAL).await?;
    mirror.settle().await?;
    let rule = &req::MIRROR_START_SUSPENDED;
    let sent = "Mirror with initial refresh of 20 records, started suspended";
    let quiet = mirror.told.is_empty();
    ground.expect(rule, sent, &["nothing"], quiet, || ending(&mirror.told))?;
    mirror.control(Control::Resume).await?;
    let (due, what) = (
        &req::MIRROR_REFRESH_COMPLETE,
        "20 refreshed records after Resume",
    );
    mirror.until(due, what, |told| refreshed(told) >= 20).await
}

/// How many changes come before Resume if so many records are put during a suspension.
async fn leaked(ground: &Ground, count: u64) -> Checked<usize> {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    mirror.control(Control::Suspend).await?;
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, count, 50))
        .await?;
    mirror.settle().await?;
    let leaked = mirror.count(is_change);
    let answer = match leaked {
        0 => "none",
        _ => "a change",
    };
    ground.note("Messages of a Mirror behind the Ack of Suspend", answer);
    Ok(leaked)
}

async fn bound(ground: &Ground) -> Checked {
    let leaked = leaked(ground, 50).await?;
    let rule = &req::MIRROR_SUSPEND_BOUND;
    let expected = ["at most one RecordChanged"];
    ground.expect(
        rule,
        "Suspend, Ack, 50 Puts",
        &expected,
        leaked <= 1,
        || format!("{leaked} RecordChanged"),
    )
}

async fn quiet(ground: &Ground) -> Checked {
    let leaked = leaked(ground, 1).await?;
    let rule = &req::MIRROR_SUSPEND_QUIET;
    let expected = ["nothing before Resume"];
    ground.expect(rule, "Suspend, Ack, Put", &expected, leaked == 0, || {
        format!("{leaked} RecordChanged")
    })
}

async fn keeps(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    mirror.control(Control::Suspend).await?;
    let mut writer = ground.link().await?;
    let records = sample::records(ground, 500, 50);
    writer.store_all(&channel, &records).await?;
    mirror.control(Control::Resume).await?;
    let (due, what) = (&req::MIRROR_SUSPEND_KEEPS, "500 RecordChanged");
    mirror.until(due, what, |told| changes(told) >= 500).await?;
    let mut came = mirror.changes();
    came.sort();
    let mut puts: Vec<_> = records
        .into_iter()
        .map(|(key, it)| (key, Some(it)))
        .collect();
    puts.sort();
    ground.expect(
        due,
        "Suspend, 500 Puts, Resume",
        &["each record with its value"],
        came == puts,
        || ending(&mirror.told),
    )
}

async fn again_and_again(ground: &Ground) -> Checked {
    let (channel, due) = (ground.channel(""), &req::CTL_SUSPENSIONS_HARMLESS);
    let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
    let mut writer = ground.link().await?;
    for round in 0..10 {
        mirror.control(Control::Suspend).await?;
        let (during, after) = (ground.key(2 * round), ground.key(2 * round + 1));
        writer.store(&channel, during, "during").await?;
        mirror.control(Control::Resume).await?;
        writer.store(&channel, after, "after").await?;
        let count = 2 * (round as usize + 1);
        let what = "the changes during the suspension and after it";
        mirror
            .until(due, what, |told| changes(told) >= count)
            .await?;
    }
    Ok(())
}

/// Waits until periodic refreshes of Mirrors that were started before are due, as another one shows.
async fn let_a_period_pass(ground: &Ground) -> Checked {
    let channel = ground.channel("");
    let mut clock = Follower::start(ground, &channel, PERIODIC).await?;
    let (due, what) = (&req::MIRROR_PERIODIC_REPEATS, "a refresh after a period");
    clock.until_told(due, what, is_batch).await
}

/// A Mirror with a period, of a channel with records, that is suspended.
async fn suspended(ground: &Ground) -> Checked<(Follower, crate::wire::Link)> {
    let channel = ground.channel("");
    let mut writer = ground.link().await?;
    writer
        .store_all(&channel, &sample::records(ground, 10, 50))
        .await?;
    let mut mirror = Follower::start(ground, &channel, PERIODIC).await?;
    mirror.control(Control::Suspend).await?;
    Ok((mirror, writer))
}

async fn tick_then_change(ground: &Ground) -> Checked {
    let (mut mirror, mut writer) = suspended(ground).await?;
    let_a_period_pass(ground).await?;
    let (channel, value) = (ground.channel(""), sample::value(99, 50));
    writer.store(&channel, ground.key(99), value).await?;
    mirror.settle().await?;
    mirror.control(Control::Resume).await?;
    writer.store(&channel, ground.key(100), "after").await?;
    let due = &req::MIRROR_UPDATES_SURVIVE;
    let what = "RecordChanged for the Put of the suspension and the one after it";
    let keys = [ground.key(99), ground.key(100)];
    let reported = |told: &[Told]| {
        keys.iter().all(|wanted| {
            let mut told = told.iter();
            told.any(|told| matches!(told, Told::Changed(key, _) if key == wanted))
        })
    };
    // Refreshes go on, so there would never be silence.
    let enough = |told: &[Told]| reported(told) || refreshed(told) >= 50;
    mirror.until(due, what, enough).await?;
    let sent = "Mirror with a period of 1 s, Suspend; 1 s later Put, Resume, Put";
    let kept = reported(&mirror.told);
    ground.expect(due, sent, &[what], kept, || ending(&mirror.told))
}

async fn change_then_tick(ground: &Ground) -> Checked {
    let (mut mirror, mut writer) = suspended(ground).await?;
    let channel = ground.channel("");
    writer.store(&channel, ground.key(99), "during").await?;
    mirror.settle().await?;
    let_a_period_pass(ground).await?;
    mirror.control(Control::Resume).await?;
    let due = &req::MIRROR_REFRESHES_SURVIVE;
    let what = "two more refreshes of 11 records";
    let wanted = refreshed(&mirror.told) + 22;
    mirror
        .until(due, what, |told| refreshed(told) >= wanted)
        .await
}
