//! Several control messages without waiting for the Ack of each.

use dht_protocol::neo::request::control::Control::{self, Resume, Stop, Suspend};
use dht_requirements as req;

use super::walk::{Said, Walk, as_breach, large, message, small};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};

/// Names and messages.
const SEQUENCES: [(&str, &[Control]); 9] = [
    ("suspend-suspend", &[Suspend, Suspend]),
    ("suspend-resume", &[Suspend, Resume]),
    ("resume-suspend", &[Resume, Suspend]),
    ("resume-resume", &[Resume, Resume]),
    ("suspend-resume-suspend", &[Suspend, Resume, Suspend]),
    ("resume-suspend-resume", &[Resume, Suspend, Resume]),
    ("suspend-stop", &[Suspend, Stop]),
    ("resume-stop", &[Resume, Stop]),
    ("64-suspends", &[Suspend; 64]),
];
/// How often a GetAll is suspended and resumed.
const TURNS: usize = 40;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = SEQUENCES
        .into_iter()
        .map(|(name, controls)| pipelined_check(name, controls))
        .collect();
    checks.push(Check::raw(
        "getall-control.alternating",
        "A GetAll that is suspended and resumed by turns, each acknowledged, is complete.",
        &[
            &req::CTL_SUSPENSIONS_HARMLESS,
            &req::GETALL_NO_DUPLICATE,
            &req::GETALL_VALUES,
        ],
        |ground| Box::pin(alternating(ground)),
    ));
    let checks = checks.into_iter();
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn pipelined_check(name: &str, controls: &'static [Control]) -> Check {
    let mut rules = vec![&req::CTL_PIPELINED_ACKED];
    match controls.last() {
        Some(Stop) => rules.extend([&req::CTL_STOP_OR_END, &req::CTL_SILENT_AFTER_STOP]),
        _ => rules.extend([&req::CTL_LAST_WINS, &req::GETALL_COMPLETE]),
    }
    Check::raw(
        format!("getall-control.pipelined-{name}"),
        format!("Each control message of \"{name}\" is acknowledged, and the last one decides."),
        &rules,
        move |ground| Box::pin(pipelined(ground, controls)),
    )
}

/// The GetAll may end before it sees them all if Resume is among them: a small channel is read quickly.
/// What it sees before it ends is acknowledged.
async fn pipelined(ground: &Ground, controls: &[Control]) -> Checked {
    let records = small(ground, 0..20);
    let mut walk = Walk::held(ground, &records).await?;
    walk.say_at_once(controls).await;
    let may_end = controls.contains(&Resume);
    let mut acks = 0;
    let mut finished = false;
    while acks < controls.len() && !finished {
        match walk.hear().await? {
            Said::Ack => acks += 1,
            Said::Batch => {}
            Said::Finished if may_end => finished = true,
            Said::Finished => {
                let expected = format!("{} Acks", controls.len());
                let observed = format!("{acks} Acks and Finished");
                let rule = &req::CTL_PIPELINED_ACKED;
                return Err(walk.broke(rule, Outcome::Answer, &[&expected], observed));
            }
        }
    }
    let batches = walk.batches;
    walk.link.sentinel().await?;
    let more = walk.hear_waiting().await?;
    if more.contains(&Said::Ack) {
        let expected = ["one Ack for each, and none behind Finished"];
        let rule = &req::CTL_PIPELINED_ACKED;
        return Err(walk.broke(rule, Outcome::Extra, &expected, "more Acks"));
    }
    let last = controls.last();
    if last == Some(&Stop) && !finished {
        return silent(&walk, &more);
    }
    finished |= more.contains(&Said::Finished);
    if last == Some(&Suspend) && !may_end && walk.batches > batches {
        let (rule, expected) = (&req::CTL_LAST_WINS, ["no record before Resume"]);
        return Err(walk.broke(rule, Outcome::Extra, &expected, "a batch"));
    }
    if finished {
        walk.link.acknowledge(walk.id).await;
    } else {
        if last == Some(&Suspend) {
            walk.control(Resume).await;
            walk.hear_ack(&req::CTL_LAST_WINS).await?;
        }
        walk.finish(&req::CTL_LAST_WINS).await?;
    }
    walk.complete(&records, &req::GETALL_COMPLETE)
}

/// Behind the Ack of Stop nothing has come.
fn silent(walk: &Walk, more: &[Said]) -> Checked {
    let rule = match more {
        [] => return Ok(()),
        more if more.contains(&Said::Finished) => &req::CTL_STOP_OR_END,
        _ => &req::CTL_SILENT_AFTER_STOP,
    };
    let expected = ["nothing behind the Ack of Stop"];
    Err(walk.broke(rule, Outcome::Extra, &expected, format!("{more:?}")))
}

/// The GetAll may end before it sees the last of them: then that one is not acknowledged.
async fn alternating(ground: &Ground) -> Checked {
    let rule = &req::CTL_SUSPENSIONS_HARMLESS;
    let harmless = as_breach(rule, "an Ack for each, and data after Resume");
    let records = large(ground);
    let mut walk = Walk::held(ground, &records).await?;
    walk.sent = "GetAll, Suspend and Resume by turns".to_owned();
    for turn in 0..TURNS {
        let control = if turn % 2 == 0 { Suspend } else { Resume };
        walk.link.say(walk.id, &message(control)).await;
        loop {
            match walk.hear().await.map_err(&harmless)? {
                Said::Batch => {}
                Said::Ack => break,
                Said::Finished => {
                    walk.link.acknowledge(walk.id).await;
                    return walk.complete(&records, rule);
                }
            }
        }
    }
    walk.finish(rule).await.map_err(harmless)?;
    walk.complete(&records, rule)
}
