//! Bytes behind the fields of a first message, and bools that are none.

use dht_protocol::Key;
use dht_protocol::neo::request::mirror;
use dht_requirements as req;

use super::form::{Form, KEPT};
use super::scene::{Scene, key, open_malformed};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
use crate::wire::{Link, Reaction};

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = Form::ALL.map(surplus).into();
    for (form, place, name) in BOOLS {
        checks.extend([2, 255].map(|value| wrong_bool(form, place, name, value)));
    }
    checks
}

fn surplus(form: Form) -> Check {
    Check::raw(
        format!("surplus.{}", form.slug()),
        format!("{form} with surplus bytes is carried out as if they were absent, or not at all."),
        &[&req::REQ_SURPLUS_ALL_OR_NOTHING, &req::REQ_SURPLUS_DIALECT],
        move |ground| Box::pin(with_surplus(ground, form)),
    )
    .on(form.request())
    .hostile()
}

async fn with_surplus(ground: &Ground, form: Form) -> Checked {
    let mut scene = Scene::arrive(ground).await?;
    let mut link = ground.link().await?;
    let mut opening = form.opening(&ground.channel(""), key(ground));
    opening.extend_from_slice(b"more");
    let sent = format!("{form} with 4 bytes behind its fields");
    let id = link.open_supported(&opening).await?;
    let mut reaction = link.reaction(id).await;
    if reaction == Reaction::Ignored {
        // Requests may overtake each other, so it gets another chance.
        link.sentinel().await?;
        if let Some(payload) = link.waiting(id).first() {
            reaction = Reaction::Answered(payload.clone());
        }
    }
    ground.note(
        "Reaction to surplus bytes behind a first message",
        reaction.name(),
    );
    let rule = &req::REQ_SURPLUS_ALL_OR_NOTHING;
    let Reaction::Answered(answer) = reaction else {
        return scene.see_same_records(rule, &sent).await;
    };
    let key = key(ground);
    let failed = form.is_failure(&answer);
    let right = failed || form.is_success(&answer);
    let after = if failed { Some(KEPT) } else { form.leaves() };
    let expected = ["the answer to the request without them"];
    ground.expect(rule, &sent, &expected, right, || shown(&answer))?;
    let records = scene.records().await?;
    let due: Vec<(Key, _)> = after
        .map(|value| (key, bytes::Bytes::from_static(value)))
        .into_iter()
        .collect();
    let expected = ["the records that the answer stands for"];
    ground.expect(rule, &sent, &expected, records == due, || {
        format!("the answer {} and the records {records:?}", shown(&answer))
    })?;
    // What has begun goes on.
    match form {
        Form::Get if !failed => {
            link.answer(id, "Got").await?;
            link.answer(id, "the value behind Got").await.map(drop)
        }
        Form::Mirror if !failed => {
            link.answer(id, "Started").await?;
            expect_refresh(&mut link, id).await
        }
        _ => Ok(()),
    }
}

/// The Mirror dumps the record that is there.
async fn expect_refresh(link: &mut Link, id: dht_protocol::neo::RequestId) -> Checked {
    match link.hear_mirror(id).await? {
        mirror::FromNode::RecordRefreshBatch(_) => Ok(()),
        other => {
            let observed = format!("{other:?}");
            let expected = ["RecordRefreshBatch"];
            let rule = &req::REQ_SURPLUS_ALL_OR_NOTHING;
            let sent = "Mirror with surplus bytes";
            Err(broken(rule, Outcome::Answer, sent, &expected, observed))
        }
    }
}

/// Bools of first messages: in front of the channel, or so many bytes behind it.
const BOOLS: [(Form, Option<usize>, &str); 5] = [
    (Form::GetAll, None, "start-suspended"),
    (Form::GetAll, Some(0), "continuing"),
    (Form::GetAll, Some(9), "keys-only"),
    (Form::Mirror, None, "start-suspended"),
    (Form::Mirror, Some(0), "initial-refresh"),
];

fn wrong_bool(form: Form, place: Option<usize>, name: &str, value: u8) -> Check {
    let sent = format!("{form} with {value} for the bool {name}");
    Check::raw(
        format!("bool.{}-{name}-{value}", form.slug()),
        format!("{sent} is malformed."),
        &[&req::REQ_BOOL_STRICT],
        move |ground| Box::pin(expect_strict(ground, form, place, value, sent.clone())),
    )
    .on(form.request())
    .hostile()
}

async fn expect_strict(
    ground: &Ground,
    form: Form,
    place: Option<usize>,
    value: u8,
    sent: String,
) -> Checked {
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    let mut opening = form.opening(&channel, key(ground));
    let at = place.map_or(2, |behind| 11 + channel.as_bytes().len() + behind);
    if let Some(bool) = opening.get_mut(at) {
        *bool = value;
    }
    let (_, reaction) = open_malformed(&mut link, &opening).await;
    ground.note("Reaction to a bool other than 0 and 1", reaction.name());
    match reaction {
        Reaction::Answered(payload) if !form.is_failure(&payload) => {
            let expected = ["the connection closed", "no answer"];
            let rule = &req::REQ_BOOL_STRICT;
            let observed = shown(&payload);
            Err(broken(rule, Outcome::Answer, sent, &expected, observed))
        }
        _ => Ok(()),
    }
}
