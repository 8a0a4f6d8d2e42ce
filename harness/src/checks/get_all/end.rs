//! The end of a GetAll: Finished, its Ack, control messages that cross it, and the request id behind it.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::SupportedStatus;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::get_all::FromNode;
use dht_requirements as req;

use super::walk::{Records, Said, Walk, as_breach, message, name, small, store, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};
use crate::wire::Link;

/// How often a race is run.
const ROUNDS: usize = 20;
/// Most requests that are answered before the control message of a race is sent.
const MOST_BEFORE: usize = 255;
/// How many GetAlls are left without an Ack.
const UNACKNOWLEDGED: usize = 30;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for control in [Control::Suspend, Control::Resume, Control::Stop] {
        checks.push(late(control));
        checks.push(race(control));
    }
    checks.extend([
        Check::raw(
            "getall-end.late-and-ack",
            "Suspend, Resume, Stop and the Ack of Finished in one piece end the GetAll and \
             nothing else.",
            &[
                &req::CTL_NO_ACK_AFTER_END,
                &req::CTL_CROSSING_HARMLESS,
                &req::CTL_END_FREES_ID,
            ],
            |ground| Box::pin(late_and_ack(ground)),
        ),
        Check::raw(
            "getall-end.id-again",
            "Five GetAlls use the same id, each opened in one piece with the Ack of the one \
             before.",
            &[&req::CTL_END_FREES_ID, &req::GETALL_COMPLETE],
            |ground| Box::pin(id_again(ground)),
        ),
        Check::raw(
            "getall-end.id-after-stop",
            "A GetAll that uses the id of one that was stopped delivers everything.",
            &[
                &req::CTL_STOP_FREES_ID,
                &req::CTL_STOP_ACKED,
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
            ],
            |ground| Box::pin(id_after_stop(ground)),
        ),
        Check::raw(
            "getall-end.unacknowledged",
            "Thirty GetAlls whose Finished is not acknowledged disturb no other request.",
            &[&req::CTL_UNACKED_END_HARMLESS, &req::CTL_END_FREES_ID],
            |ground| Box::pin(unacknowledged(ground)),
        ),
    ]);
    let checks = checks.into_iter();
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn late(control: Control) -> Check {
    Check::raw(
        format!("getall-end.late-{}", name(control)).to_lowercase(),
        format!(
            "A {} that comes when Finished was sent is ignored.",
            name(control)
        ),
        &[
            &req::CTL_NO_ACK_AFTER_END,
            &req::CTL_CROSSING_HARMLESS,
            &req::CTL_END_FREES_ID,
        ],
        move |ground| {
            Box::pin(async move {
                let mut walk = finished(ground).await?;
                walk.control(control).await;
                ignored(&mut walk).await?;
                walk.say(&FromClient::Ack.encode(), "Ack").await;
                walk.reuse(ground, &req::CTL_END_FREES_ID).await
            })
        },
    )
}

fn race(control: Control) -> Check {
    let mut rules = vec![&req::CTL_CROSSING_HARMLESS, &req::CTL_NO_ACK_AFTER_END];
    match control {
        Control::Stop => rules.push(&req::CTL_STOP_OR_END),
        _ => rules.extend([&req::GETALL_SUSPEND_LOSSLESS, &req::GETALL_NO_DUPLICATE]),
    }
    Check::raw(
        format!("getall-end.race-{}", name(control)).to_lowercase(),
        format!(
            "A {} that may cross Finished, 20 times, has its effect or none.",
            name(control)
        ),
        &rules,
        move |ground| Box::pin(raced(ground, control)),
    )
}

/// A GetAll of three records that has finished and was not acknowledged.
async fn finished(ground: &Ground) -> Checked<Walk> {
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &small(ground, 0..3)).await?;
    let mut walk = Walk::start(link, &whole(ground)).await?;
    while walk.hear().await? != Said::Finished {}
    walk.sent = "GetAll, to Finished".to_owned();
    Ok(walk)
}

/// Nothing comes for the GetAll, and the connection works.
async fn ignored(walk: &mut Walk) -> Checked {
    let sent = walk.sent.clone();
    walk.link
        .expect_usable(&req::CTL_CROSSING_HARMLESS, &sent)
        .await?;
    walk.link
        .expect_nothing_more(walk.id, &req::CTL_NO_ACK_AFTER_END, &sent)
        .await
}

async fn late_and_ack(ground: &Ground) -> Checked {
    let mut walk = finished(ground).await?;
    let id = walk.id;
    let controls = [Control::Suspend, Control::Resume, Control::Stop].map(message);
    let mut messages: Vec<(RequestId, &[u8])> =
        controls.iter().map(|control| (id, &control[..])).collect();
    let ack = FromClient::Ack.encode();
    messages.push((id, &ack));
    walk.sent = "GetAll, to Finished, then at once Suspend Resume Stop Ack".to_owned();
    walk.link.say_at_once(&messages).await;
    ignored(&mut walk).await?;
    walk.reuse(ground, &req::CTL_END_FREES_ID).await
}

/// The control message is sent the later the more requests are answered before: twice as many after a round
/// in which it came in time, half as many after one in which it did not. So it comes now before the end and
/// now behind it, be the node fast or slow. That it ever comes in time is all but certain: for that one of
/// about ten rounds has to be won in which it is sent at once.
async fn raced(ground: &Ground, control: Control) -> Checked {
    // So many that a node takes a moment for them, and few enough for one batch.
    let records = small(ground, 0..400);
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &records).await?;
    let mut before = 0;
    for _ in 0..ROUNDS {
        let mut walk = Walk::start(link, &whole(ground)).await?;
        for _ in 0..before {
            walk.link.sentinel().await?;
        }
        walk.control(control).await;
        before = match race_over(&mut walk, control, &records).await? {
            Said::Finished => before / 2,
            _ => MOST_BEFORE.min(2 * before + 1),
        };
        link = walk.link;
    }
    Ok(())
}

/// A control message was sent: it has its effect or none. What came first, an Ack or Finished.
async fn race_over(walk: &mut Walk, control: Control, records: &Records) -> Checked<Said> {
    let mut first = walk.hear().await?;
    while first == Said::Batch {
        first = walk.hear().await?;
    }
    let sent = walk.sent.clone();
    walk.link
        .expect_usable(&req::CTL_CROSSING_HARMLESS, &sent)
        .await?;
    let more = walk.hear_waiting().await?;
    if first == Said::Finished && !more.is_empty() {
        let expected = ["nothing behind Finished"];
        let rule = &req::CTL_NO_ACK_AFTER_END;
        return Err(walk.broke(rule, Outcome::Extra, &expected, format!("{more:?}")));
    }
    if control == Control::Stop && first == Said::Ack {
        if !more.is_empty() {
            let expected = ["Ack and nothing else, or Finished without Ack"];
            let observed = format!("Ack, then {more:?}");
            let rule = &req::CTL_STOP_OR_END;
            return Err(walk.broke(rule, Outcome::Extra, &expected, observed));
        }
        return Ok(first);
    }
    if walk.finished {
        walk.link.acknowledge(walk.id).await;
    } else {
        if control == Control::Suspend {
            walk.control(Control::Resume).await;
            walk.hear_ack(&req::GETALL_SUSPEND_LOSSLESS).await?;
        }
        walk.finish(&req::CTL_NO_ACK_AFTER_END).await?;
    }
    walk.complete(records, &req::GETALL_SUSPEND_LOSSLESS)?;
    Ok(first)
}

async fn id_again(ground: &Ground) -> Checked {
    let records = small(ground, 0..3);
    let mut walk = finished(ground).await?;
    for _ in 0..5 {
        let ack = FromClient::Ack.encode();
        let opening = whole(ground).encode();
        let messages: [(RequestId, &[u8]); 2] = [(walk.id, &ack), (walk.id, &opening)];
        walk.link.say_at_once(&messages).await;
        walk.sent = "at once the Ack of Finished and another GetAll with its id".to_owned();
        walk = begun(walk).await?;
        while walk.hear().await? != Said::Finished {}
        walk.complete(&records, &req::GETALL_COMPLETE)?;
    }
    walk.link.acknowledge(walk.id).await;
    Ok(())
}

async fn id_after_stop(ground: &Ground) -> Checked {
    let records = small(ground, 0..20);
    let mut walk = Walk::held(ground, &records).await?;
    walk.control(Control::Stop).await;
    walk.hear_ack(&req::CTL_STOP_ACKED).await?;
    let opening = whole(ground).encode();
    walk.say(&opening, "another GetAll with its id").await;
    walk = begun(walk).await?;
    walk.finish(&req::CTL_STOP_FREES_ID).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)
}

/// A GetAll with the id of one that is over has been opened: it begins.
async fn begun(mut walk: Walk) -> Checked<Walk> {
    let mut started = Vec::new();
    FromNode::Started.encode(&mut started);
    let rule = match walk.sent.contains("Stop") {
        true => &req::CTL_STOP_FREES_ID,
        false => &req::CTL_END_FREES_ID,
    };
    let status = SupportedStatus::Supported.encode();
    let (link, id) = (&mut walk.link, walk.id);
    let answers = async {
        link.expect(id, rule, "supported (fd)", &status).await?;
        link.expect(id, rule, "Started", &started).await
    };
    answers
        .await
        .map_err(as_breach(rule, "supported and Started"))?;
    Ok(Walk {
        got: Vec::new(),
        finished: false,
        ..walk
    })
}

async fn unacknowledged(ground: &Ground) -> Checked {
    let rule = &req::CTL_UNACKED_END_HARMLESS;
    let mut walk = finished(ground).await?;
    let mut ids = vec![walk.id];
    for _ in 1..UNACKNOWLEDGED {
        walk = Walk::start(walk.link, &whole(ground))
            .await
            .map_err(as_breach(rule, "another GetAll starts"))?;
        while walk.hear().await? != Said::Finished {}
        ids.push(walk.id);
    }
    let sent = "30 GetAlls, none of them acknowledged, and Exists";
    walk.link.expect_usable(rule, sent).await?;
    acknowledge_backwards(&mut walk.link, &ids).await;
    walk.sent = "30 GetAlls, acknowledged in reverse order".to_owned();
    walk.reuse(ground, &req::CTL_END_FREES_ID).await
}

async fn acknowledge_backwards(link: &mut Link, ids: &[RequestId]) {
    for id in ids.iter().rev() {
        link.acknowledge(*id).await;
    }
}
