//! Wrong codes in a well-formed message with the right name.

use dht_protocol::neo::auth::{self, Code};
use dht_protocol::neo::{AuthKey, Credential};
use dht_requirements::{self as req, Requirement};

use super::steps::{Challenged, expect_accepted, expect_refused};
use super::{Check, Ground, Tag};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = [0, 1, 7, 8, 16, 32, 48, 63].map(one_byte).into();
    checks.extend([
        wrong(
            "two-bytes",
            "whose first and last byte are wrong by the same bit",
            &req::AUTH_WHOLE_CODE_COMPARED,
            |challenged, credential| {
                // A comparison by a sum takes it for right.
                let mut code = challenged.code(credential);
                code[0] ^= 0x80;
                code[63] ^= 0x80;
                code
            },
        ),
        wrong(
            "wrong-key",
            "made with another key",
            &req::AUTH_WRONG_KEY,
            |challenged, credential| {
                let mut key = *credential.key.as_bytes();
                key[0] ^= 1;
                let key = AuthKey::new(key);
                auth::code(&key, challenged.timestamp, challenged.nonce)
            },
        ),
        wrong("zeros", "of zeros", &req::AUTH_WRONG_KEY, |_, _| [0; 64]),
        wrong(
            "other-timestamp",
            "made for a timestamp a second from the one that was sent",
            &req::AUTH_CODE_COVERS_TIMESTAMP,
            |challenged, credential| {
                auth::code(&credential.key, challenged.timestamp ^ 1, challenged.nonce)
            },
        ),
    ]);
    checks.extend([
        Check::raw(
            "code.other-clients-key",
            "A client with the name of another one and its own key is refused.",
            &[&req::AUTH_WRONG_KEY],
            |ground| Box::pin(other_clients_key(ground)),
        ),
        Check::raw(
            "code.replay",
            "A code that another connection was opened with is refused while that one is open.",
            &[&req::AUTH_REPLAY],
            |ground| Box::pin(replay(ground, true)),
        ),
        Check::raw(
            "code.replay-after-close",
            "A code that a connection was opened with is refused after that one is closed.",
            &[&req::AUTH_REPLAY],
            |ground| Box::pin(replay(ground, false)),
        ),
        Check::raw(
            "code.swapped",
            "Codes of two connections that are opened at once are refused on each other's.",
            &[&req::AUTH_REPLAY],
            |ground| Box::pin(swapped(ground)),
        ),
    ]);
    let checks = checks.into_iter();
    checks.map(|check| check.tagged(Tag::Hostile)).collect()
}

fn one_byte(place: usize) -> Check {
    wrong(
        &format!("byte-{place}"),
        &format!("whose byte {place} is wrong by one bit"),
        &req::AUTH_WHOLE_CODE_COMPARED,
        move |challenged, credential| {
            let mut code = challenged.code(credential);
            code[place] ^= 0x10;
            code
        },
    )
}

/// A client that says who it is and gives a wrong code.
fn wrong(
    case: &str,
    words: &str,
    requirement: &'static Requirement,
    code: impl Fn(&Challenged, &Credential) -> Code + Clone + Send + Sync + 'static,
) -> Check {
    let sent = format!("the right name, and a code {words}");
    Check::raw(
        format!("code.{case}"),
        format!("A client with a code {words} is refused."),
        &[requirement],
        move |ground| {
            let (code, sent) = (code.clone(), sent.clone());
            Box::pin(async move {
                let mut challenged = Challenged::now(ground).await?;
                let code = code(&challenged, ground.credential());
                let name = ground.credential().name.as_str();
                challenged.prove(name.as_bytes(), code).await;
                expect_refused(&mut challenged.login, requirement, &sent).await
            })
        },
    )
}

async fn other_clients_key(ground: &Ground) -> Checked {
    let guest = ground.guest()?;
    let mut challenged = Challenged::now(ground).await?;
    let code = challenged.code(guest);
    let name = ground.credential().name.as_str();
    challenged.prove(name.as_bytes(), code).await;
    let other = &guest.name;
    let sent = format!("the name \"{name}\", and a code made with the key of \"{other}\"");
    expect_refused(&mut challenged.login, &req::AUTH_WRONG_KEY, &sent).await
}

async fn replay(ground: &Ground, while_open: bool) -> Checked {
    let (credential, timestamp) = (ground.credential(), ground.now());
    let mut recorded = Challenged::at(ground, timestamp).await?;
    let code = recorded.code(credential);
    recorded.prove_rightly(credential).await;
    let sent = "the right name and code";
    expect_accepted(&mut recorded.login, &req::AUTH_ACCEPTED, sent).await?;
    let _open = while_open.then_some(recorded);

    let mut replayed = Challenged::at(ground, timestamp).await?;
    let name = credential.name.as_str().as_bytes();
    replayed.prove(name, code).await;
    let sent = "the timestamp, name and code that opened another connection";
    expect_refused(&mut replayed.login, &req::AUTH_REPLAY, sent).await
}

async fn swapped(ground: &Ground) -> Checked {
    let (credential, timestamp) = (ground.credential(), ground.now());
    let mut one = Challenged::at(ground, timestamp).await?;
    let mut other = Challenged::at(ground, timestamp).await?;
    let (code, others_code) = (one.code(credential), other.code(credential));
    let name = credential.name.as_str().as_bytes();
    one.prove(name, others_code).await;
    other.prove(name, code).await;
    let sent = "the right name, and the code for the nonce of another connection";
    expect_refused(&mut one.login, &req::AUTH_REPLAY, sent).await?;
    expect_refused(&mut other.login, &req::AUTH_REPLAY, sent).await
}
