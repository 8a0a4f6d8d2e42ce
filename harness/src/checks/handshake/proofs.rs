//! Malformed messages of name and code: never accepted, whatever is right in them.

use dht_requirements::{self as req, Requirement};

use super::steps::{Challenged, expect_closed, proof};
use super::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::handshake::Step;

/// The length of the count in front of the name.
const COUNT: usize = 8;

/// What is wrong with a message whose body was right.
#[derive(Clone, Copy)]
enum Flaw {
    /// Only so many bytes of the code are there.
    Code(usize),
    /// Only so many bytes of the message are there.
    Body(usize),
    /// So many zeros come behind it.
    Surplus(usize),
    /// The count in front of the name is another one.
    Count(fn(u64) -> u64),
}

/// The name of a case, the message in words, what is wrong with it, and the requirement that it breaks to
/// let the client in.
type Case = (&'static str, &'static str, Flaw, &'static Requirement);

static CASES: &[Case] = &[
    (
        "empty-body",
        "without a byte",
        Flaw::Body(0),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "half-a-count",
        "of four bytes",
        Flaw::Body(COUNT / 2),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "no-code",
        "without a code",
        Flaw::Code(0),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "code-of-32",
        "with the first 32 bytes of the code",
        Flaw::Code(32),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "code-of-63",
        "with the first 63 bytes of the code",
        Flaw::Code(63),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "count-one-more",
        "with a name that takes the first byte of the code",
        Flaw::Count(|count| count + 1),
        &req::AUTH_CODE_LENGTH,
    ),
    (
        "surplus-1",
        "with a byte behind the code",
        Flaw::Surplus(1),
        &req::AUTH_CODE_SURPLUS,
    ),
    (
        "surplus-64",
        "with 64 bytes behind the code",
        Flaw::Surplus(64),
        &req::AUTH_CODE_SURPLUS,
    ),
    (
        "count-beyond-body",
        "with a name longer than its rest by a byte",
        Flaw::Count(|count| count + 65),
        &req::AUTH_NAME_BEYOND_BODY,
    ),
    (
        "count-32-bits",
        "with a name longer than the right one by 2^32 bytes",
        Flaw::Count(|count| count | 1 << 32),
        &req::AUTH_NAME_BEYOND_BODY,
    ),
    (
        "count-sign-bit",
        "with a name longer than the right one by 2^63 bytes",
        Flaw::Count(|count| count | 1 << 63),
        &req::AUTH_NAME_BEYOND_BODY,
    ),
    (
        "count-largest",
        "with a name of 2^64 - 1 bytes",
        Flaw::Count(|_| u64::MAX),
        &req::AUTH_NAME_BEYOND_BODY,
    ),
];

pub(super) fn checks() -> Vec<Check> {
    CASES.iter().map(malformed).collect()
}

fn malformed((case, words, flaw, requirement): &'static Case) -> Check {
    Check::raw(
        format!("proof.{case}"),
        format!("A message of name and code {words} closes the connection."),
        &[requirement, &req::AUTH_MALFORMED_SILENT],
        move |ground| Box::pin(send(ground, *flaw, words, requirement)),
    )
    .tagged(Tag::Hostile)
}

async fn send(
    ground: &Ground,
    flaw: Flaw,
    words: &str,
    requirement: &'static Requirement,
) -> Checked {
    let mut challenged = Challenged::now(ground).await?;
    let name = ground.credential().name.as_str().as_bytes();
    let mut body = proof(name, challenged.code(ground.credential()));
    let count = name.len() as u64;
    match flaw {
        Flaw::Code(length) => body.truncate(COUNT + name.len() + length),
        Flaw::Body(length) => body.truncate(length),
        Flaw::Surplus(length) => body.resize(body.len() + length, 0),
        Flaw::Count(wrong) => body[..COUNT].copy_from_slice(&wrong(count).to_le_bytes()),
    }
    let login = &mut challenged.login;
    login.send_message(&body).await;

    let sent = format!("a message of name and code {words}, right but for that");
    let question = "Answer to a malformed message of name and code";
    let (outcome, observed) = match login.verdict().await {
        Step::Closed(_) => {
            ground.note(question, "none");
            return Ok(());
        }
        Step::Said(false) => {
            ground.note(question, "the result 0");
            return expect_closed(login, requirement, &sent).await;
        }
        Step::Said(true) => (Outcome::Answer, "the result 1".to_owned()),
        Step::Garbage(garbage) => (Outcome::Answer, garbage),
        Step::Silent => (Outcome::Open, Step::<bool>::Silent.to_string()),
    };
    let expected = [
        "the connection closed without a result",
        "the result 0 and the connection closed behind it",
    ];
    Err(broken(requirement, outcome, sent, &expected, observed))
}
