//! Messages that nobody should send while a GetAll runs, and what becomes of the connection.

use bytes::Bytes;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_requirements::{self as req, Requirement};

use super::walk::{Said, Walk, message, name, small, store, whole};
use super::{Check, Ground};
use crate::unkept::{Checked, Outcome};
use crate::wire::Reaction;

/// How a GetAll stands when the message comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// It was started suspended.
    Held,
    /// It has sent Finished and was not acknowledged.
    Finished,
    /// It was stopped, and Stop was acknowledged.
    Stopped,
    /// It has sent Finished and was acknowledged.
    Ended,
}

/// States, names, messages, and what breaks if the connection does not close.
const MESSAGES: [(State, &str, &[u8], &Requirement); 17] = [
    (State::Held, "type-0", &[0], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-5", &[5], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-6", &[6], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-7", &[7], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-8", &[8], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-128", &[128], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "type-255", &[255], &req::CTL_UNKNOWN_CLOSES),
    (State::Finished, "type-0", &[0], &req::CTL_UNKNOWN_CLOSES),
    (State::Finished, "type-9", &[9], &req::CTL_UNKNOWN_CLOSES),
    (State::Held, "ack", &[4], &req::CTL_UNDUE_ACK_CLOSES),
    (State::Held, "empty", &[], &req::CTL_EMPTY_CLOSES),
    (State::Finished, "empty", &[], &req::CTL_EMPTY_CLOSES),
    (State::Stopped, "ack", &[4], &req::MUX_NO_COMMAND),
    (State::Stopped, "suspend", &[1], &req::MUX_NO_COMMAND),
    (State::Stopped, "stop", &[3], &req::MUX_NO_COMMAND),
    (State::Ended, "ack", &[4], &req::MUX_NO_COMMAND),
    (State::Ended, "resume", &[2], &req::MUX_NO_COMMAND),
];

pub(super) fn checks() -> Vec<Check> {
    let closed = MESSAGES.map(|(state, message, payload, rule)| {
        Check::raw(
            format!("getall-misuse.{}-{message}", state.name()),
            format!(
                "The message \"{message}\" for a GetAll that {} closes the connection.",
                state.words()
            ),
            &[rule],
            move |ground| Box::pin(closes(ground, state, payload, rule)),
        )
    });
    let surplus = [Control::Suspend, Control::Resume, Control::Stop].map(|control| {
        let id = format!("getall-misuse.surplus-{}", name(control)).to_lowercase();
        let title = format!(
            "A {} with bytes behind it is obeyed as if they were absent, or not at all.",
            name(control)
        );
        let rules = [&req::REQ_SURPLUS_ALL_OR_NOTHING, &req::REQ_SURPLUS_DIALECT];
        Check::raw(id, title, &rules, move |ground| {
            Box::pin(surplus(ground, control))
        })
    });
    let checks = closed.into_iter().chain(surplus);
    checks.map(|check| check.hostile()).collect()
}

async fn closes(
    ground: &Ground,
    state: State,
    payload: &[u8],
    rule: &'static Requirement,
) -> Checked {
    let mut walk = reach(ground, state).await?;
    let what = match payload.first() {
        None => "an empty message".to_owned(),
        Some(code) => format!("a message of type {code}"),
    };
    walk.say(payload, &what).await;
    let sent = walk.sent.clone();
    walk.link.expect_closed(rule, &sent).await
}

/// A GetAll of a few records in this state.
async fn reach(ground: &Ground, state: State) -> Checked<Walk> {
    let records = small(ground, 0..3);
    if matches!(state, State::Held | State::Stopped) {
        let mut walk = Walk::held(ground, &records).await?;
        if state == State::Stopped {
            walk.control(Control::Stop).await;
            walk.hear_ack(&req::CTL_STOP_ACKED).await?;
        }
        return Ok(walk);
    }
    let mut link = ground.link().await?;
    store(&mut link, &ground.channel(""), &records).await?;
    let mut walk = Walk::start(link, &whole(ground)).await?;
    while walk.hear().await? != Said::Finished {}
    walk.sent.push_str(", to Finished");
    if state == State::Ended {
        walk.say(&FromClient::Ack.encode(), "Ack").await;
    }
    Ok(walk)
}

async fn surplus(ground: &Ground, control: Control) -> Checked {
    let mut walk = Walk::held(ground, &small(ground, 0..3)).await?;
    let payload = [&message(control)[..], b"surplus"].concat();
    walk.say(&payload, &format!("{} and 7 bytes", name(control)))
        .await;
    let reaction = walk.link.reaction(walk.id).await;
    let question = "Reaction to a control message of GetAll with surplus bytes";
    ground.note(question, reaction.name());
    if !matches!(&reaction, Reaction::Answered(payload) if payload == &Bytes::from_static(&[4])) {
        return match reaction {
            Reaction::Answered(payload) => {
                let rule = &req::REQ_SURPLUS_ALL_OR_NOTHING;
                let expected = ["Ack", "silence", "the connection is closed"];
                let observed = crate::wire::shown(&payload);
                Err(walk.broke(rule, Outcome::Answer, &expected, observed))
            }
            _ => Ok(()),
        };
    }
    walk.link.sentinel().await?;
    walk.link.sentinel().await?;
    let said = walk.hear_waiting().await?;
    let due: &[Said] = match control {
        Control::Suspend | Control::Stop => &[Said::Ack],
        Control::Resume => &[Said::Ack, Said::Batch, Said::Finished],
    };
    // Resume needs time to take effect, and an empty last batch is allowed.
    let kept = match control {
        Control::Resume => said.first() == Some(&Said::Ack),
        _ => said == due,
    };
    if !kept {
        let rule = &req::REQ_SURPLUS_ALL_OR_NOTHING;
        let expected = format!("{due:?}");
        let observed = format!("{said:?}");
        return Err(walk.broke(rule, Outcome::Extra, &[&expected], observed));
    }
    if control == Control::Resume && !said.contains(&Said::Finished) {
        walk.finish(&req::REQ_SURPLUS_ALL_OR_NOTHING).await?;
    }
    Ok(())
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Held => "was started suspended",
            Self::Finished => "has finished",
            Self::Stopped => "was stopped",
            Self::Ended => "has finished and was acknowledged",
        }
    }
}
