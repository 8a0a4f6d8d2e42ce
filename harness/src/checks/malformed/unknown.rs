//! Requests that the node does not know, first messages that are none, and types that Update has not.

use dht_protocol::neo::forge;
use dht_protocol::neo::request::{RequestCode, SupportedStatus};
use dht_requirements::{self as req, Requirement};

use super::form::Form;
use super::scene::{RULES, Scene, expect_refusal, opening};
use crate::checks::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome, broken};

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = [0, 11, 12, 127, 128, 255].map(unknown_code).into();
    checks.extend(RequestCode::ALL.map(unknown_version));
    checks.extend([0, 1].map(no_command));
    checks.extend([0, 3, 4, 5, 255].map(unknown_type));
    checks
}

fn unknown_code(code: u8) -> Check {
    Check::raw(
        format!("unknown.code-{code}"),
        format!("A request of code {code} is answered ff, whatever its version, and nothing more."),
        &[&req::REQ_CODE_UNKNOWN, &req::REQ_UNSUPPORTED_ENDS],
        move |ground| {
            Box::pin(async move {
                let fields = &opening(ground, Form::Put)[2..];
                for version in [0, 1, 255] {
                    let opening = forge::opening(code, version, fields);
                    let sent = format!("code {code} in version {version} with the fields of Put");
                    let status = SupportedStatus::NotSupported;
                    let rule = &req::REQ_CODE_UNKNOWN;
                    expect_status(ground, &opening, status, rule, &sent).await?;
                }
                Ok(())
            })
        },
    )
    .in_group(Group::Requests)
}

fn unknown_version(request: RequestCode) -> Check {
    let forms = Form::ALL.into_iter();
    let forms: Vec<_> = forms.filter(|form| form.request() == request).collect();
    let slug = request.name().to_lowercase();
    Check::raw(
        format!("unknown.version-{slug}"),
        format!("{request} in the versions 1, 2 and 255 is answered fe and not carried out."),
        &[&req::REQ_VERSION_UNKNOWN, &req::REQ_UNSUPPORTED_ENDS],
        move |ground| {
            let forms = forms.clone();
            Box::pin(async move {
                for form in forms {
                    let right = opening(ground, form);
                    for version in [1, 2, 255] {
                        let opening = forge::opening(request as u8, version, &right[2..]);
                        let sent = format!("{form} in version {version}");
                        let status = SupportedStatus::VersionNotSupported;
                        let rule = &req::REQ_VERSION_UNKNOWN;
                        expect_status(ground, &opening, status, rule, &sent).await?;
                    }
                }
                Ok(())
            })
        },
    )
    .on(request)
    .in_group(Group::Requests)
}

/// The request gets this status and nothing more, and nothing comes of it.
async fn expect_status(
    ground: &Ground,
    opening: &[u8],
    status: SupportedStatus,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let mut scene = Scene::arrive(ground).await?;
    let mut link = ground.link().await?;
    let id = link.open(opening).await;
    let what = format!("{status} ({:02x})", status as u8);
    link.expect(id, requirement, &what, &status.encode())
        .await?;
    let ends = &req::REQ_UNSUPPORTED_ENDS;
    link.expect_nothing_more(id, ends, sent).await?;
    scene.see_same_records(requirement, sent).await?;
    scene.see_no_channel(requirement, sent).await
}

fn no_command(length: usize) -> Check {
    Check::raw(
        format!("opening.{length}-bytes"),
        format!("A first message with {length} bytes of payload closes the connection."),
        &[&req::MUX_NO_COMMAND],
        move |ground| {
            Box::pin(async move {
                let mut link = ground.link().await?;
                let id = link.open(&[2][..length]).await;
                let sent = format!("a first message with {length} bytes behind its id");
                link.expect_closed(&req::MUX_NO_COMMAND, &sent).await?;
                match link.waiting(id).first() {
                    None => Ok(()),
                    Some(_) => Err(broken(
                        &req::MUX_NO_COMMAND,
                        Outcome::Answer,
                        sent,
                        &["the connection closed without an answer"],
                        "an answer",
                    )),
                }
            })
        },
    )
    .hostile()
}

fn unknown_type(code: u8) -> Check {
    Check::raw(
        format!("update-type.{code}"),
        format!("An Update that begins with the type {code} does nothing and does not succeed."),
        &RULES,
        move |ground| {
            Box::pin(async move {
                let mut opening = opening(ground, Form::UpdateRecord);
                opening[2] = code;
                let sent = format!("Update of type {code} with the fields of UpdateRecord");
                expect_refusal(ground, Form::UpdateRecord, &opening, &sent).await
            })
        },
    )
    .on(RequestCode::Update)
    .hostile()
}
