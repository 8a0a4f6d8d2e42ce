//! Requests that only read, on channels that do not exist and on records that should stay; and what goes
//! on elsewhere while somebody is malformed.

use dht_protocol::neo::request::{mirror, update};
use dht_requirements as req;

use super::form::Form;
use super::scene::{Scene, absent, key};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Heard;
use crate::wire::shown;

pub(super) fn checks() -> Vec<Check> {
    let reading = [Form::Get, Form::Exists, Form::GetRecord];
    let mut checks: Vec<_> = reading.map(reads_only).into();
    checks.extend([Form::Get, Form::Exists, Form::Remove, Form::GetRecord].map(no_channel));
    checks.push(
        Check::raw(
            "malformed.elsewhere",
            "While one connection is malformed again and again, a Mirror on another one goes on.",
            &[&req::ROBUST_FAILURE_LOCAL, &req::ROBUST_DROP_LOCAL],
            |ground| Box::pin(elsewhere(ground)),
        )
        .hostile(),
    );
    checks
}

fn reads_only(form: Form) -> Check {
    Check::raw(
        format!("reads.{}", form.slug()),
        format!("{form} changes no record."),
        &[&req::REQ_READS_ONLY],
        move |ground| {
            Box::pin(async move {
                ground.need_keys()?;
                let mut scene = Scene::arrive(ground).await?;
                let mut link = ground.link().await?;
                let opening = form.opening(&ground.channel(""), key(ground));
                let id = link.open_supported(&opening).await?;
                link.answer(id, "the answer").await?;
                scene
                    .see_same_records(&req::REQ_READS_ONLY, &form.to_string())
                    .await?;
                if form == Form::GetRecord {
                    let leave = update::FromClient::LeaveRecord.encode();
                    link.say(id, &leave).await;
                    link.answer(id, "Ok").await?;
                    let sent = format!("{form}, then LeaveRecord");
                    let rule = &req::REQ_READS_ONLY;
                    scene.see_same_records(rule, &sent).await?;
                }
                Ok(())
            })
        },
    )
    .on(form.request())
}

fn no_channel(form: Form) -> Check {
    Check::raw(
        format!("absent.{}", form.slug()),
        format!("{form} of a channel that does not exist is answered NoRecord."),
        &[&req::REQ_CHANNEL_ABSENT, &req::REQ_CHANNEL_BY_READ],
        move |ground| {
            Box::pin(async move {
                ground.need_keys()?;
                let mut scene = Scene::arrive(ground).await?;
                let mut link = ground.link().await?;
                let opening = form.opening(&absent(ground), key(ground));
                let id = link.open_supported(&opening).await?;
                let payload = link.answer(id, "NoRecord").await?;
                let sent = format!("{form} of a channel that does not exist");
                let (rule, kept) = (&req::REQ_CHANNEL_ABSENT, form.is_no_record(&payload));
                ground.expect(rule, &sent, &["NoRecord"], kept, || shown(&payload))?;
                let created = !scene.strange_channels().await?.is_empty();
                let question = match form {
                    Form::Get => "Get of an absent channel creates it",
                    Form::Exists => "Exists of an absent channel creates it",
                    Form::Remove => "Remove of an absent channel creates it",
                    _ => "GetRecord of an absent channel creates it",
                };
                ground.note(question, if created { "yes" } else { "no" });
                Ok(())
            })
        },
    )
    .on(form.request())
}

/// Each malformed request comes on a connection of its own, and after each the Mirror hears of a Put.
async fn elsewhere(ground: &Ground) -> Checked {
    let mut mirror = ground.link().await?;
    let open = mirror::Open {
        start_suspended: false,
        channel: ground.channel(""),
        settings: mirror::Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        },
    };
    let id = mirror.start_mirror(&open).await?;
    for (number, form) in Form::WITH_FIELDS.into_iter().enumerate() {
        let mut bad = ground.link().await?;
        let opening = form.opening(&ground.channel("other"), ground.key(0));
        let bad_id = bad.open(&opening[..opening.len() - 1]).await;
        bad.hear(bad_id).await;
        bad.reaction(bad_id).await;

        let sent = format!("{form} without its last byte; a good Put on another connection");
        let rule = &req::ROBUST_FAILURE_LOCAL;
        let expected = ["the Mirror on a third connection is told of the Put"];
        let mut good = ground.link().await?;
        let key = ground.key(number as u64);
        good.store(&ground.channel(""), key, "good").await?;
        let heard = mirror.hear(id).await;
        let told = match &heard {
            Heard::Message(payload) => matches!(
                mirror::FromNode::decode(payload),
                Ok(mirror::FromNode::RecordChanged(changed, _)) if changed == key
            ),
            Heard::Closed(_) | Heard::Silence => false,
        };
        if !told {
            let outcome = Outcome::Harm;
            return Err(broken(rule, outcome, sent, &expected, format!("{heard:?}")));
        }
    }
    Ok(())
}
