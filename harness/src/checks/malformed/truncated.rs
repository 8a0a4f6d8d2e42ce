//! First messages that end too early, and arrays that claim more bytes than there are.

use super::form::{CHANGED, Form, KEPT};
use super::scene::{RULES, expect_refusal, opening};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;

/// How much is left of the fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cut {
    Empty,
    Half,
    LastByte,
}

/// An array of a first message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Array {
    Channel,
    /// Value or value filter, which ends the message.
    Last,
}

/// What the array's length says instead of the truth: this, or one byte more than the message has.
type Claim = Option<u64>;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for form in Form::WITH_FIELDS {
        for cut in [Cut::Empty, Cut::Half, Cut::LastByte] {
            // Without fields the two forms of Update are the same.
            if (form, cut) != (Form::UpdateRecord, Cut::Empty) {
                checks.push(truncated(form, cut));
            }
        }
        checks.extend(CLAIMS.map(|claim| overlong(form, Array::Channel, claim)));
        if [Form::Put, Form::GetAll, Form::UpdateRecord].contains(&form) {
            checks.extend(CLAIMS.map(|claim| overlong(form, Array::Last, claim)));
        }
    }
    checks
}

fn truncated(form: Form, cut: Cut) -> Check {
    let (slug, what) = match cut {
        Cut::Empty => ("no-fields", "none of its fields"),
        Cut::Half => ("half", "only half of its fields"),
        Cut::LastByte => ("last-byte", "all of its fields but the last byte"),
    };
    Check::raw(
        format!("truncated.{}-{slug}", form.slug()),
        format!("{form} with {what} does nothing and does not succeed."),
        &RULES,
        move |ground| {
            Box::pin(async move {
                let whole = opening(ground, form);
                let fields = whole.len() - 2;
                let left = match cut {
                    Cut::Empty => 0,
                    Cut::Half => fields / 2,
                    Cut::LastByte => fields - 1,
                };
                let sent = format!("{form}, the first {left} of {fields} bytes of its fields");
                expect_refusal(ground, form, &whole[..2 + left], &sent).await
            })
        },
    )
    .on(form.request())
    .hostile()
}

const CLAIMS: [(&str, &str, Claim); 3] = [
    ("one-more", "one byte more than there is", None),
    ("2-63", "2^63 bytes", Some(1 << 63)),
    ("2-64", "2^64 - 1 bytes", Some(u64::MAX)),
];

fn overlong(form: Form, array: Array, (slug, what, claim): (&str, &str, Claim)) -> Check {
    let (place, name) = match (array, form) {
        (Array::Channel, _) => ("channel", "channel name"),
        (Array::Last, Form::GetAll) => ("filter", "value filter"),
        (Array::Last, _) => ("value", "value"),
    };
    let told = format!("{form} whose {name} claims {what}");
    Check::raw(
        format!("overlong.{}-{place}-{slug}", form.slug()),
        format!("{told} does nothing and does not succeed."),
        &RULES,
        move |ground| Box::pin(claimed(ground, form, array, claim, told.clone())),
    )
    .on(form.request())
    .hostile()
}

async fn claimed(ground: &Ground, form: Form, array: Array, claim: Claim, sent: String) -> Checked {
    let mut opening = opening(ground, form);
    let at = match (array, form) {
        (Array::Channel, Form::Mirror | Form::GetAll | Form::GetRecord | Form::UpdateRecord) => 3,
        (Array::Channel, _) => 2,
        (Array::Last, Form::GetAll) => opening.len() - KEPT.len() - 8,
        (Array::Last, _) => opening.len() - CHANGED.len() - 8,
    };
    let length = claim.unwrap_or((opening.len() - at - 8 + 1) as u64);
    if let Some(field) = opening.get_mut(at..at + 8) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    expect_refusal(ground, form, &opening, &sent).await
}
