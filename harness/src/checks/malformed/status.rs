//! The supported status, the answer behind it, and that nothing follows the last answer.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::{RequestCode, SupportedStatus, get_channels, update};
use dht_requirements as req;

use super::form::Form;
use super::scene::{Scene, absent, key};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Link;
use crate::wire::shown;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = Form::ALL.map(status).into();
    let lasting = Form::ALL
        .into_iter()
        .filter(|form| *form != Form::GetHashRange);
    checks.extend(lasting.map(last));
    checks
}

fn status(form: Form) -> Check {
    Check::raw(
        format!("status.{}", form.slug()),
        format!("{form} is answered fd first, in a message of its own, and once."),
        &[
            &req::REQ_SUPPORTED,
            &req::REQ_STATUS_FIRST,
            &req::REQ_STATUS_ALONE,
            &req::REQ_STATUS_ONCE,
        ],
        move |ground| Box::pin(hear_status(ground, form)),
    )
    .on(form.request())
}

async fn hear_status(ground: &Ground, form: Form) -> Checked {
    let mut link = ground.link().await?;
    let id = link.open(&form.opening(&absent(ground), key(ground))).await;
    let sent = form.to_string();
    let expected = ["supported (fd)"];
    let payload = link.answer(id, "supported (fd)").await?;
    let supported = SupportedStatus::Supported.encode();
    let rule = match &payload[..] {
        status if *status == supported => None,
        [0xfe | 0xff] => Some(&req::REQ_SUPPORTED),
        [0xfd, ..] => Some(&req::REQ_STATUS_ALONE),
        _ => Some(&req::REQ_STATUS_FIRST),
    };
    if let Some(rule) = rule {
        let outcome = Outcome::Answer;
        return Err(broken(rule, outcome, sent, &expected, shown(&payload)));
    }
    let payload = link.answer(id, "the answer").await?;
    let once = payload[..] != supported;
    let expected = ["an answer behind supported"];
    ground.expect(&req::REQ_STATUS_ONCE, &sent, &expected, once, || {
        "supported (fd) once more".to_owned()
    })
}

fn last(form: Form) -> Check {
    Check::raw(
        format!("last.{}", form.slug()),
        format!("{form} gets an answer that it defines, exactly, and nothing after the last one."),
        &[
            &req::REQ_ANSWERED,
            &req::REQ_ANSWER_DEFINED,
            &req::REQ_ANSWER_EXACT,
            &req::REQ_ANSWER_LAST,
        ],
        move |ground| Box::pin(hear_last(ground, form)),
    )
    .on(form.request())
}

async fn hear_last(ground: &Ground, form: Form) -> Checked {
    let mut scene = Scene::arrive(ground).await?;
    let link = scene.witness();
    let opening = form.opening(&ground.channel(""), key(ground));
    let id = link.open_supported(&opening).await?;
    match form {
        Form::GetHashRange => return Ok(()),
        Form::Put | Form::Exists => defined(link, id, form, &[1, 2, 3]).await.map(drop)?,
        Form::Remove | Form::RemoveChannel => {
            defined(link, id, form, &[1, 2, 3, 4]).await.map(drop)?;
        }
        Form::UpdateRecord => defined(link, id, form, &[6, 8, 9, 10]).await.map(drop)?,
        Form::Get => {
            defined(link, id, form, &[2]).await?;
            link.answer(id, "the value").await?;
        }
        Form::GetRecord => {
            link.answer(id, "RecordValue").await?;
            let leave = update::FromClient::LeaveRecord.encode();
            link.say(id, &leave).await;
            defined(link, id, form, &[6]).await?;
        }
        Form::GetChannels => loop {
            let payload = link.answer(id, "ChannelName or Finished").await?;
            match get_channels::FromNode::decode(&payload) {
                Ok(get_channels::FromNode::ChannelName(_)) => {}
                _ => {
                    exactly(&payload, form, &[1, 3])?;
                    break;
                }
            }
        },
        Form::Mirror | Form::GetAll => {
            defined(link, id, form, &[5]).await?;
            stop(link, id, form).await?;
        }
    }
    let sent = format!("{form}, its last answer heard");
    link.expect_nothing_more(id, &req::REQ_ANSWER_LAST, &sent)
        .await
}

/// Stops a GetAll or Mirror. If it has finished before that, Finished is acknowledged.
async fn stop(link: &mut Link, id: RequestId, form: Form) -> Checked {
    const FINISHED: u8 = 8;
    let stop = FromClient::Control(Control::Stop);
    link.say(id, &stop.encode()).await;
    loop {
        let payload = link.answer(id, "Ack").await?;
        match &payload[..] {
            [FINISHED] if form == Form::GetAll => {
                link.acknowledge(id).await;
                return Ok(());
            }
            [_, _, _, ..] => {}
            _ => return exactly(&payload, form, &[4]),
        }
    }
}

/// The next answer is one of these types, alone.
async fn defined(link: &mut Link, id: RequestId, form: Form, types: &[u8]) -> Checked<u8> {
    let payload = link.answer(id, "the answer").await?;
    exactly(&payload, form, types)?;
    Ok(payload.first().copied().unwrap_or_default())
}

fn exactly(payload: &[u8], form: Form, types: &[u8]) -> Checked {
    let rule = match payload {
        [code] if types.contains(code) => return Ok(()),
        [code, _, ..] if types.contains(code) => &req::REQ_ANSWER_EXACT,
        _ => &req::REQ_ANSWER_DEFINED,
    };
    let request: RequestCode = form.request();
    let expected = format!("one byte, an answer of {request}: one of {types:?}");
    let (outcome, observed) = (Outcome::Answer, shown(payload));
    Err(broken(
        rule,
        outcome,
        form.to_string(),
        &[&expected],
        observed,
    ))
}
