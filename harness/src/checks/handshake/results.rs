//! The result of the authentication, and what follows it.

use bytes::Bytes;
use dht_protocol::neo::Credential;
use dht_protocol::neo::request::exists;
use dht_protocol::neo::request::get::Reply;
use dht_requirements as req;

use super::steps::{Challenged, expect_accepted, expect_closed, expect_refused};
use super::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::handshake::Step;

/// How often a client is refused before it gives the right code.
const REFUSALS: usize = 5;
/// A code that is right once in 2^512 times.
const WRONG: [u8; 64] = [0x5a; 64];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "result.accepted",
            "A known name with the right code is let in, and its requests are served.",
            &[&req::AUTH_ACCEPTED],
            |ground| Box::pin(async move { served(ground, ground.credential()).await }),
        ),
        Check::raw(
            "result.guest-accepted",
            "A client that is not \"admin\" is let in, and its requests are served.",
            &[&req::AUTH_ACCEPTED],
            |ground| Box::pin(async move { served(ground, ground.guest()?).await }),
        ),
        Check::raw(
            "result.form-accepted",
            "The result of a client that is let in is one byte of value 1.",
            &[&req::AUTH_RESULT_FORM],
            |ground| Box::pin(form(ground, true)),
        ),
    ];
    let hostile = [
        Check::raw(
            "result.form-refused",
            "The result of a client that is refused is one byte of value 0.",
            &[&req::AUTH_RESULT_FORM],
            |ground| Box::pin(form(ground, false)),
        ),
        Check::raw(
            "result.refused-closed",
            "The connection of a client that is refused is closed.",
            &[&req::AUTH_REJECTED_DROPPED, &req::AUTH_WRONG_KEY],
            |ground| Box::pin(refused(ground, false)),
        ),
        Check::raw(
            "result.refused-tries-again",
            "A client that is refused cannot try again on the same connection.",
            &[&req::AUTH_REJECTED_DROPPED, &req::AUTH_WRONG_KEY],
            |ground| Box::pin(refused(ground, true)),
        ),
        Check::raw(
            "result.refused-not-banned",
            "A client that was refused several times is let in with the right code.",
            &[&req::AUTH_REJECTED_NOT_BANNED, &req::AUTH_WRONG_KEY],
            |ground| Box::pin(not_banned(ground)),
        ),
    ];
    checks.extend(hostile.map(|check| check.tagged(Tag::Hostile)));
    checks
}

async fn served(ground: &Ground, credential: &Credential) -> Checked {
    let mut challenged = Challenged::now(ground).await?;
    challenged.prove_rightly(credential).await;
    let sent = format!("the name \"{}\" and the right code", credential.name);
    expect_accepted(&mut challenged.login, &req::AUTH_ACCEPTED, &sent).await?;
    let mut link = ground.open(challenged.login);
    let channel = ground.channel("");
    link.store(&channel, ground.key(1), "value").await?;
    let (reply, value) = link.get(&channel, ground.key(1)).await?;
    ground.expect(
        &req::AUTH_ACCEPTED,
        "Put and Get on a connection that was let in",
        &["the value"],
        (reply, value.as_ref()) == (Reply::Got, Some(&Bytes::from_static(b"value"))),
        || format!("{}, {value:?}", reply.name()),
    )
}

async fn form(ground: &Ground, accepted: bool) -> Checked {
    let mut challenged = Challenged::now(ground).await?;
    let (due, sent) = match accepted {
        true => (1, "the right name and code"),
        false => (0, "the right name and a wrong code"),
    };
    match accepted {
        true => challenged.prove_rightly(ground.credential()).await,
        false => prove_wrongly(ground, &mut challenged).await,
    }
    let (outcome, observed) = match challenged.login.message().await {
        Step::Said(body) if body == [due] => return Ok(()),
        Step::Said(body) => (
            Outcome::Data,
            format!("a message with the body {body:02x?}"),
        ),
        other => (other.outcome(), other.to_string()),
    };
    let expected = format!("a message with the body [{due:02x}]");
    let rule = &req::AUTH_RESULT_FORM;
    Err(broken(rule, outcome, sent, &[&expected], observed))
}

async fn refused(ground: &Ground, tries_again: bool) -> Checked {
    let mut challenged = Challenged::now(ground).await?;
    prove_wrongly(ground, &mut challenged).await;
    let sent = "the right name and a wrong code";
    expect_refused(&mut challenged.login, &req::AUTH_WRONG_KEY, sent).await?;
    let sent = if tries_again {
        challenged.prove_rightly(ground.credential()).await;
        "a wrong code, and behind the result 0 the right one"
    } else {
        "a wrong code, to which the result 0 came"
    };
    expect_closed(&mut challenged.login, &req::AUTH_REJECTED_DROPPED, sent).await
}

async fn not_banned(ground: &Ground) -> Checked {
    let rule = &req::AUTH_REJECTED_NOT_BANNED;
    let wrong = shows(
        rule,
        "wrong codes on several connections, and the right one on another",
        "the wrong ones are refused, the right one is accepted",
    );
    for _ in 0..REFUSALS {
        let mut challenged = Challenged::now(ground).await.map_err(&wrong)?;
        prove_wrongly(ground, &mut challenged).await;
        let sent = "the right name and a wrong code";
        expect_refused(&mut challenged.login, &req::AUTH_WRONG_KEY, sent).await?;
    }
    let mut link = ground.link().await.map_err(&wrong)?;
    let channel = ground.channel("");
    let exists = link.exists(&channel, ground.key(0)).await?;
    ground.expect(
        rule,
        "Exists behind the right code",
        &["NoRecord"],
        exists == exists::Reply::NoRecord,
        || exists.name().to_owned(),
    )
}

async fn prove_wrongly(ground: &Ground, challenged: &mut Challenged) {
    let name = ground.credential().name.as_str().as_bytes();
    challenged.prove(name, WRONG).await;
}
