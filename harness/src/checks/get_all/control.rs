//! Each control message in each state of a running GetAll.

use dht_protocol::neo::request::control::Control;
use dht_requirements::{self as req, Requirement};

use super::walk::{Walk, name, persist, small, store, suspended};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::shown;

/// How a GetAll stands when the control message comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// It was started suspended.
    Held,
    /// It is in the midst of its records.
    Running,
    /// It was suspended in the midst of its records.
    Paused,
}

const CONTROLS: [Control; 3] = [Control::Suspend, Control::Resume, Control::Stop];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for state in [State::Held, State::Running, State::Paused] {
        for control in CONTROLS {
            checks.push(acknowledged(state, control));
        }
    }
    checks.extend([
        Check::raw(
            "getall-control.not-starved",
            "A Suspend reaches a GetAll that always has more to send.",
            &[&req::CTL_NOT_STARVED],
            |ground| Box::pin(not_starved(ground)),
        ),
        Check::raw(
            "getall-control.resume-one",
            "Of two GetAlls with the same channel only that one is resumed whose id the message \
             has.",
            &[&req::CTL_ONE_REQUEST, &req::GETALL_COMPLETE],
            |ground| Box::pin(one_of_two(ground, Control::Resume)),
        ),
        Check::raw(
            "getall-control.stop-one",
            "Of two GetAlls with the same channel only that one is stopped whose id the message \
             has.",
            &[&req::CTL_ONE_REQUEST, &req::GETALL_COMPLETE],
            |ground| Box::pin(one_of_two(ground, Control::Stop)),
        ),
    ]);
    let checks = checks.into_iter();
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn acknowledged(state: State, control: Control) -> Check {
    let id = format!("getall-control.{}-{}", state.name(), name(control)).to_lowercase();
    let title = format!(
        "A GetAll that {} acknowledges {} and obeys.",
        state.words(),
        name(control)
    );
    let mut rules = vec![rule(state, control)];
    if state == State::Paused {
        rules.push(&req::CTL_SUSPEND_ACKED);
    }
    match control {
        Control::Suspend | Control::Resume => {
            rules.extend([&req::GETALL_SUSPEND_LOSSLESS, &req::GETALL_NO_DUPLICATE]);
        }
        Control::Stop => rules.extend([&req::CTL_SILENT_AFTER_STOP, &req::CTL_STOP_FREES_ID]),
    }
    Check::raw(id, title, &rules, move |ground| {
        Box::pin(persist(move || obeyed(ground, state, control)))
    })
}

fn rule(state: State, control: Control) -> &'static Requirement {
    match (control, state) {
        (Control::Stop, _) => &req::CTL_STOP_ACKED,
        (Control::Suspend, State::Running) => &req::CTL_SUSPEND_ACKED,
        (Control::Suspend, State::Held | State::Paused) => &req::CTL_REPEATED_SUSPEND_ACKED,
        (Control::Resume, State::Running) => &req::CTL_REPEATED_RESUME_ACKED,
        (Control::Resume, State::Held | State::Paused) => &req::CTL_RESUME_ACKED,
    }
}

async fn obeyed(ground: &Ground, state: State, control: Control) -> Checked {
    let (mut walk, records) = match state {
        State::Held => {
            let records = small(ground, 0..20);
            (Walk::held(ground, &records).await?, records)
        }
        State::Running => Walk::running(ground).await?,
        State::Paused => Walk::paused(ground).await?,
    };
    let rule = rule(state, control);
    walk.control(control).await;
    walk.hear_ack(rule).await?;
    match control {
        Control::Stop => return stopped(ground, walk).await,
        Control::Suspend => {
            walk.no_more_acks(rule).await?;
            walk.control(Control::Resume).await;
            walk.hear_ack(&req::CTL_RESUME_ACKED).await?;
        }
        Control::Resume => {}
    }
    walk.finish(rule).await?;
    walk.complete(&records, &req::GETALL_SUSPEND_LOSSLESS)
}

/// Stop was acknowledged: that was all, and the id is free.
async fn stopped(ground: &Ground, mut walk: Walk) -> Checked {
    walk.link.sentinel().await?;
    if let Some(payload) = walk.link.waiting(walk.id).first() {
        let rule = match payload[..] {
            [4] => &req::CTL_STOP_ACKED,
            _ => &req::CTL_SILENT_AFTER_STOP,
        };
        let expected = ["nothing behind the Ack of Stop"];
        return Err(walk.broke(rule, Outcome::Extra, &expected, shown(payload)));
    }
    walk.reuse(ground, &req::CTL_STOP_FREES_ID).await
}

/// One that ends without an Ack each time has not looked at the control message.
async fn not_starved(ground: &Ground) -> Checked {
    let reached = persist(|| async {
        let (mut walk, _) = Walk::running(ground).await?;
        walk.control(Control::Suspend).await;
        walk.hear_ack(&req::CTL_NOT_STARVED).await
    });
    match reached.await {
        Err(Unkept::Inconclusive(_)) => {
            let sent = "GetAll of more than any buffer holds, and Suspend, three times";
            let (rule, outcome) = (&req::CTL_NOT_STARVED, Outcome::Answer);
            Err(broken(
                rule,
                outcome,
                sent,
                &["Ack"],
                "Finished without Ack",
            ))
        }
        checked => checked,
    }
}

async fn one_of_two(ground: &Ground, control: Control) -> Checked {
    let rule = &req::CTL_ONE_REQUEST;
    let records = small(ground, 0..5);
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &records).await?;
    let first = link.start_get_all(&suspended(ground)).await?;
    let mut second = Walk::start(link, &suspended(ground)).await?;
    second.control(control).await;
    second.link.sentinel().await?;
    if let Some(payload) = second.link.waiting(first).first() {
        let expected = ["nothing for the other GetAll, which was started suspended"];
        return Err(second.broke(rule, Outcome::Extra, &expected, shown(payload)));
    }
    second.hear_ack(rule).await?;
    if control == Control::Resume {
        second.finish(rule).await?;
        second.complete(&records, &req::GETALL_COMPLETE)?;
    }
    // The other one is as it was.
    let mut first = Walk {
        id: first,
        sent: format!("{}, and for the other GetAll", second.sent),
        got: Vec::new(),
        finished: false,
        ..second
    };
    first.control(Control::Resume).await;
    first.hear_ack(rule).await?;
    first.finish(rule).await?;
    first.complete(&records, rule)
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Running => "running",
            Self::Paused => "paused",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Held => "was started suspended",
            Self::Running => "runs",
            Self::Paused => "was suspended in the midst of its records",
        }
    }
}
