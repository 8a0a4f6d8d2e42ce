//! Openings and decisions of Update that are none. They may end the request or the connection; the record
//! stays as it is.

use dht_protocol::key::fnv1a;
use dht_protocol::neo::request::update::FromNode;
use dht_requirements::{self as req, Requirement};

use super::talk::{NEW, OLD, Subject, replace};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Reaction;

const KEEPS: &Requirement = &req::UPDATE_DECISION_INVALID_KEEPS;

/// Type bytes that no message of a client has.
const OPENINGS: [u8; 3] = [0, 3, 255];
const DECISIONS: [u8; 3] = [0, 1, 255];

/// A decision that ends too early: name, in words, and how many bytes of UpdateRecord it has.
const SHORT: [(&str, &str, usize); 6] = [
    ("empty", "is empty", 0),
    ("no-hash", "has no hash", 1),
    ("half-hash", "ends within the hash", 5),
    ("no-length", "ends behind the hash", 9),
    ("half-length", "ends within the length", 13),
    ("half-value", "ends within the value", 20),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for code in OPENINGS {
        checks.push(Check::raw(
            format!("updating.opening-{code}"),
            format!("An Update that opens with type {code} closes the connection."),
            &[&req::UPDATE_OPENING_UNKNOWN],
            move |ground| Box::pin(unknown_opening(ground, code)),
        ));
    }
    for code in DECISIONS {
        checks.push(Check::raw(
            format!("updating.decision-{code}"),
            format!("A decision of type {code} closes the connection and changes nothing."),
            &[&req::UPDATE_DECISION_UNKNOWN, KEEPS],
            move |ground| Box::pin(unknown_decision(ground, code)),
        ));
    }
    for (name, what, length) in SHORT {
        checks.push(Check::raw(
            format!("updating.decision-{name}"),
            format!("An UpdateRecord that {what} changes nothing."),
            &[KEEPS],
            move |ground| Box::pin(short_decision(ground, length)),
        ));
    }
    checks.push(Check::raw(
        "updating.decision-length-beyond",
        "An UpdateRecord whose value is said to be far longer than the message changes nothing.",
        &[KEEPS],
        |ground| Box::pin(length_beyond(ground)),
    ));
    checks.into_iter().map(Check::hostile).collect()
}

async fn unknown_opening(ground: &Ground, code: u8) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let mut opening = subject.writing(fnv1a(OLD), NEW);
    // Behind code and version.
    opening[2] = code;
    link.open(&opening).await;
    let sent = format!("Update with a first message of type {code}");
    let rule = &req::UPDATE_OPENING_UNKNOWN;
    link.expect_closed(rule, &sent).await?;
    let mut other = ground.link().await?;
    subject.holds(&mut other, rule, &sent, Some(OLD)).await
}

async fn unknown_decision(ground: &Ground, code: u8) -> Checked {
    let mut link = ground.link().await?;
    let mut other = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    let mut decision = replace(OLD, NEW).encode();
    decision[0] = code;
    link.say(id, &decision).await;
    let sent = format!("Update: GetRecord, then a decision of type {code}");
    let rule = &req::UPDATE_DECISION_UNKNOWN;
    let closed = link.expect_closed(rule, &sent).await;
    // That the record stays weighs more.
    subject.holds(&mut other, KEEPS, &sent, Some(OLD)).await?;
    closed
}

async fn short_decision(ground: &Ground, length: usize) -> Checked {
    let mut decision = replace(OLD, NEW).encode();
    decision.truncate(length);
    let sent = format!("Update: GetRecord, then the first {length} bytes of UpdateRecord");
    invalid(ground, &decision, &sent).await
}

async fn length_beyond(ground: &Ground) -> Checked {
    let mut decision = replace(OLD, NEW).encode();
    // The length stands in front of the value.
    let length = decision.len() - NEW.len() - 8;
    decision[length..][..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let sent = "Update: GetRecord, then UpdateRecord with a value said to have 2^40 bytes";
    invalid(ground, &decision, sent).await
}

async fn invalid(ground: &Ground, decision: &[u8], sent: &str) -> Checked {
    let mut link = ground.link().await?;
    let mut other = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    link.say(id, decision).await;
    let reaction = link.reaction(id).await;
    subject.holds(&mut other, KEEPS, sent, Some(OLD)).await?;
    ground.note(
        "Reaction to a malformed decision of Update",
        reaction.name(),
    );
    match &reaction {
        Reaction::Answered(payload) if FromNode::decode(payload) == Ok(FromNode::Ok) => {
            let expected = ["the connection closes", "no answer", "Error (0a)"];
            Err(broken(KEEPS, Outcome::Answer, sent, &expected, "Ok (06)"))
        }
        _ => Ok(()),
    }
}
