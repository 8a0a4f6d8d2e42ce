//! The version bytes.

use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::Timestamp;
use dht_protocol::neo::frame::write_authentication;
use dht_requirements::{self as req, Requirement};
use tokio::time::Instant;

use super::steps::{
    expect_accepted, expect_closed, expect_nonce, expect_version, versions_exchanged,
};
use super::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Login;
use crate::wire::handshake::Step;

/// Questions of a node's dialect.
const WRONG: &str = "Answer to a wrong version byte";
const COMPANY: &str = "Answer to a version byte with other bytes in its segment";

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "version.answered",
            "The version byte 1 is answered with the version byte 1.",
            &[&req::CONN_VERSION_ANSWERED],
            |ground| Box::pin(async move { versions_exchanged(ground).await.map(drop) }),
        ),
        Check::raw(
            "version.client-first",
            "The node says nothing to a client that says nothing.",
            &[&req::CONN_CLIENT_SPEAKS_FIRST, &req::CONN_VERSION_ANSWERED],
            |ground| Box::pin(client_first(ground)),
        ),
        Check::raw(
            "version.waits-for-timestamp",
            "Behind its version byte the node says nothing until the client's timestamp has come.",
            &[&req::CONN_WAITS_FOR_TIMESTAMP, &req::CONN_VERSION_ANSWERED],
            |ground| Box::pin(waits_for_timestamp(ground)),
        ),
    ];
    let wrong = [0, 2, 255].map(wrong);
    let company = [
        company(
            "wrong-with-company",
            "A wrong version byte together with a timestamp closes the connection.",
            (2, true),
            &req::CONN_WRONG_VERSION_DROPPED,
        ),
        company(
            "timestamp-along",
            "A timestamp together with the version byte closes the connection.",
            (VERSION, true),
            &req::CONN_EARLY_BYTES_DROPPED,
        ),
        company(
            "byte-along",
            "A second byte together with the version byte closes the connection.",
            (VERSION, false),
            &req::CONN_EARLY_BYTES_DROPPED,
        ),
    ];
    let hostile = wrong.into_iter().chain(company);
    checks.extend(hostile.map(|check| check.tagged(Tag::Hostile)));
    checks
}

async fn client_first(ground: &Ground) -> Checked {
    let rule = &req::CONN_CLIENT_SPEAKS_FIRST;
    let mut login = ground.login().await?;
    expect_nothing(ground, &mut login, rule, "nothing").await?;
    login.send(&[VERSION]).await;
    expect_version(&mut login).await?;
    // What was said too early may come late.
    expect_nothing(
        ground,
        &mut login,
        rule,
        "the version byte, after a silence",
    )
    .await?;
    finish(ground, login, rule).await
}

async fn waits_for_timestamp(ground: &Ground) -> Checked {
    let rule = &req::CONN_WAITS_FOR_TIMESTAMP;
    let mut login = versions_exchanged(ground).await?;
    expect_nothing(
        ground,
        &mut login,
        rule,
        "the version byte, and no timestamp",
    )
    .await?;
    finish(ground, login, rule).await
}

fn wrong(version: u8) -> Check {
    Check::raw(
        format!("version.wrong-{version}"),
        format!("The version byte {version} closes the connection."),
        &[
            &req::CONN_WRONG_VERSION_DROPPED,
            &req::CONN_WRONG_VERSION_ANSWERED,
        ],
        move |ground| {
            Box::pin(async move {
                let mut login = ground.login().await?;
                login.send(&[version]).await;
                let sent = format!("the version byte {version}");
                let rule = &req::CONN_WRONG_VERSION_DROPPED;
                expect_dropped(ground, &mut login, WRONG, rule, &sent).await
            })
        },
    )
}

/// A version byte and, in one piece with it, the right timestamp or another byte.
fn company(
    case: &str,
    title: &str,
    (version, with_timestamp): (u8, bool),
    requirement: &'static Requirement,
) -> Check {
    Check::raw(
        format!("version.{case}"),
        title,
        &[requirement],
        move |ground| {
            Box::pin(async move {
                let mut login = ground.login().await?;
                let mut bytes = vec![version];
                let along = if with_timestamp {
                    write_authentication(&mut bytes, &Timestamp(ground.now()).encode());
                    "the right timestamp"
                } else {
                    bytes.push(VERSION);
                    "another byte of value 1"
                };
                login.send(&bytes).await;
                let sent = format!("the version byte {version} and {along} in one piece");
                expect_dropped(ground, &mut login, COMPANY, requirement, &sent).await
            })
        },
    )
}

/// The connection is closed, with nothing said but the node's version byte, or not even that.
async fn expect_dropped(
    ground: &Ground,
    login: &mut Login,
    question: &'static str,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let (outcome, observed) = match login.version().await {
        Step::Closed(_) => {
            ground.note(question, "none");
            return Ok(());
        }
        Step::Said(VERSION) => {
            expect_closed(login, requirement, sent).await?;
            ground.note(question, "its own version byte");
            return Ok(());
        }
        Step::Said(other) => (Outcome::Answer, format!("the version byte {other}")),
        other => (Outcome::Open, other.to_string()),
    };
    let expected = [
        "the connection closed without a word",
        "the version byte 1 and the connection closed behind it",
    ];
    Err(broken(requirement, outcome, sent, &expected, observed))
}

/// Nothing comes from the node while another client is served from beginning to end.
async fn expect_nothing(
    ground: &Ground,
    login: &mut Login,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let served = async { ground.link().await?.sentinel().await };
    let served = served.await;
    let socket = login.socket();
    socket.receive(Instant::now()).await;
    let observed = match (socket.closing(), socket.received().len()) {
        (None, 0) => return served,
        (Some(closing), 0) => format!("the connection closed ({closing})"),
        (_, bytes) => format!("{bytes} bytes from the node"),
    };
    let expected = ["nothing, and the connection stays open"];
    let outcome = Outcome::Extra;
    Err(broken(requirement, outcome, sent, &expected, observed))
}

/// The rest of the authentication, which shows that nothing was said in between.
async fn finish(ground: &Ground, mut login: Login, rule: &'static Requirement) -> Checked {
    let timestamp = ground.now();
    login.send_message(&Timestamp(timestamp).encode()).await;
    let nonce = expect_nonce(&mut login, rule, "the timestamp, after a silence").await?;
    login.prove(ground.credential(), timestamp, nonce).await;
    expect_accepted(&mut login, rule, "the right name and code for the nonce").await
}
