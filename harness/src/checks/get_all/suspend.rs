//! What a suspended GetAll sends, and what not.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_requirements as req;

use super::walk::{Records, Said, Walk, persist, small, suspended};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};

/// How many sentinels a GetAll has time to send what it must not.
const SENTINELS: usize = 20;
/// How many batches may follow the Ack of Suspend.
const BOUND: usize = 2;

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        Check::raw(
            "getall-suspend.from-start",
            "A GetAll that is started suspended delivers nothing before Resume, and everything \
             then.",
            &[
                &req::GETALL_START_SUSPENDED,
                &req::CTL_RESUME_ACKED,
                &req::GETALL_COMPLETE,
            ],
            |ground| Box::pin(from_start(ground, small(ground, 0..20))),
        ),
        Check::raw(
            "getall-suspend.from-start-largest",
            "A GetAll that is started suspended holds back records that fill a batch each.",
            &[
                &req::GETALL_START_SUSPENDED,
                &req::CTL_RESUME_ACKED,
                &req::GETALL_COMPLETE,
            ],
            |ground| {
                let value = Bytes::from(vec![b's'; MAX_VALUE]);
                let records = (0..4).map(|number| (ground.key(number), value.clone()));
                let records = records.collect();
                Box::pin(from_start(ground, records))
            },
        ),
        Check::raw(
            "getall-suspend.quiet",
            "A GetAll that was suspended in the midst of its records falls silent and loses none.",
            &[
                &req::GETALL_SUSPEND_BOUND,
                &req::GETALL_SUSPEND_QUIET,
                &req::GETALL_SUSPEND_LOSSLESS,
                &req::GETALL_NO_DUPLICATE,
            ],
            |ground| Box::pin(persist(move || quiet(ground))),
        ),
        Check::raw(
            "getall-suspend.empty",
            "A GetAll of an empty channel that is started suspended finishes at once or after \
             Resume.",
            &[&req::GETALL_FINISHED_SUSPENDED, &req::GETALL_EMPTY_CHANNEL],
            |ground| Box::pin(nothing_to_hold(ground, Records::new(), Bytes::new())),
        ),
        Check::raw(
            "getall-suspend.no-match",
            "A suspended GetAll whose filter nothing contains finishes at once or after Resume.",
            &[
                &req::GETALL_FINISHED_SUSPENDED,
                &req::GETALL_FILTER_ONLY_MATCHING,
            ],
            |ground| {
                let records = small(ground, 0..20);
                Box::pin(nothing_to_hold(ground, records, Bytes::from("nowhere")))
            },
        ),
        Check::raw(
            "getall-suspend.others",
            "While a GetAll is suspended another one of its channel delivers everything.",
            &[
                &req::GETALL_ITERATIONS_APART,
                &req::GETALL_COMPLETE,
                &req::GETALL_NO_DUPLICATE,
            ],
            |ground| Box::pin(others(ground)),
        ),
    ];
    let checks = checks.into_iter();
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

async fn from_start(ground: &Ground, records: Records) -> Checked {
    let mut walk = Walk::held(ground, &records).await?;
    for _ in 0..SENTINELS {
        walk.link.sentinel().await?;
    }
    let said = walk.hear_waiting().await?;
    if !said.is_empty() {
        let (rule, expected) = (&req::GETALL_START_SUSPENDED, ["nothing before Resume"]);
        let observed = format!("{said:?}, {} records", walk.got.len());
        return Err(walk.broke(rule, Outcome::Extra, &expected, observed));
    }
    walk.control(Control::Resume).await;
    walk.hear_ack(&req::CTL_RESUME_ACKED).await?;
    walk.finish(&req::CTL_RESUME_ACKED).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)
}

async fn quiet(ground: &Ground) -> Checked {
    let (mut walk, records) = Walk::running(ground).await?;
    walk.control(Control::Suspend).await;
    walk.hear_ack(&req::GETALL_SUSPEND_BOUND).await?;
    let batches = walk.batches;
    let mut finished = false;
    for _ in 0..SENTINELS {
        walk.link.sentinel().await?;
        finished |= walk.hear_waiting().await?.contains(&Said::Finished);
    }
    let more = walk.batches - batches;
    ground.note(
        "Batches of a GetAll behind the Ack of Suspend",
        more.to_string(),
    );
    if more > BOUND {
        let expected = ["at most two batches behind the Ack of Suspend"];
        let observed = format!("{more} batches");
        let rule = &req::GETALL_SUSPEND_BOUND;
        return Err(walk.broke(rule, Outcome::Extra, &expected, observed));
    }
    if finished {
        walk.link.acknowledge(walk.id).await;
    } else {
        walk.control(Control::Resume).await;
        walk.hear_ack(&req::GETALL_SUSPEND_LOSSLESS).await?;
        walk.finish(&req::GETALL_SUSPEND_LOSSLESS).await?;
    }
    walk.complete(&records, &req::GETALL_SUSPEND_LOSSLESS)?;
    // What should be comes last: what must be is looked at even so.
    let quiet = more == 0 || finished;
    ground.expect(
        &req::GETALL_SUSPEND_QUIET,
        &walk.sent,
        &["no batch behind the Ack of Suspend"],
        quiet,
        || format!("{more} batches"),
    )
}

/// The specification allows that such a GetAll is not held back (F23).
async fn nothing_to_hold(ground: &Ground, records: Records, value_filter: Bytes) -> Checked {
    let mut link = ground.link().await?;
    super::walk::store(&mut link, &ground.channel(""), &records).await?;
    let open = Open {
        settings: Settings {
            value_filter,
            ..Settings::default()
        },
        ..suspended(ground)
    };
    let mut walk = Walk::start(link, &open).await?;
    for _ in 0..SENTINELS {
        walk.link.sentinel().await?;
    }
    let question = "GetAll that is started suspended and has nothing to deliver";
    match walk.hear_waiting().await?.contains(&Said::Finished) {
        true => {
            ground.note(question, "finishes without Resume");
            walk.link.acknowledge(walk.id).await;
        }
        false => {
            ground.note(question, "waits for Resume");
            walk.control(Control::Resume).await;
            // Finished may cross Resume.
            if walk.hear().await? != Said::Finished {
                walk.finish(&req::GETALL_FINISHED_SUSPENDED).await?;
            }
        }
    }
    let rule = match records.is_empty() {
        true => &req::GETALL_EMPTY_CHANNEL,
        false => &req::GETALL_FILTER_ONLY_MATCHING,
    };
    let got = walk.got.len();
    ground.expect(rule, &walk.sent, &["no record"], got == 0, || {
        format!("{got} records")
    })
}

async fn others(ground: &Ground) -> Checked {
    let records = small(ground, 0..20);
    let held = Walk::held(ground, &records).await?;
    let id = held.id;
    let mut other = Walk::start(held.link, &super::walk::whole(ground)).await?;
    other.finish(&req::GETALL_ITERATIONS_APART).await?;
    other.complete(&records, &req::GETALL_COMPLETE)?;
    let mut held = Walk {
        id,
        sent: "GetAll started suspended, another GetAll".to_owned(),
        got: Vec::new(),
        finished: false,
        ..other
    };
    held.control(Control::Resume).await;
    held.hear_ack(&req::GETALL_ITERATIONS_APART).await?;
    held.finish(&req::GETALL_ITERATIONS_APART).await?;
    held.complete(&records, &req::GETALL_ITERATIONS_APART)
}
