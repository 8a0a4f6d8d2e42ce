//! Names of clients in a well-formed message, with a code that would be right for the run's client.

use dht_requirements::{self as req, Requirement};

use super::steps::{Challenged, expect_refused};
use super::{Check, Ground, Tag};
use crate::unkept::{Checked, not_applicable};

/// A name made of the right one, if that is possible.
type Name = fn(&str) -> Option<Vec<u8>>;
/// The id of a check, the name in words, itself, and the requirement that is broken if the client is let
/// in.
type Case = (&'static str, &'static str, Name, &'static Requirement);

pub(super) fn checks() -> Vec<Check> {
    NAMES.iter().map(refused).collect()
}

static NAMES: &[Case] = &[
    (
        "auth.unknown-name",
        "that the node does not know",
        |_| some(b"dhtcheck-nobody"),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.unknown-100-bytes",
        "of 100 bytes that the node does not know",
        |_| some(&[b'x'; 100]),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.shortened",
        "that is a known one without its last character",
        |name| match name.as_bytes() {
            [] | [_] => None,
            [shorter @ .., _] => some(shorter),
        },
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.extended",
        "that is a known one with another character",
        |name| some(format!("{name}1").as_bytes()),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.nul-behind",
        "that is a known one with a NUL behind it",
        |name| some(format!("{name}\0").as_bytes()),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.nuls",
        "of NULs",
        |_| some(&[0; 5]),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.not-ascii",
        "of bytes that are no characters",
        |_| some(&[0xff, 0xfe, 0x80, 0xc0]),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.blank-inside",
        "with a blank inside",
        |_| some(b"dhtcheck nobody"),
        &req::AUTH_UNKNOWN_NAME,
    ),
    (
        "name.empty",
        "that is empty",
        |_| some(b""),
        &req::AUTH_EMPTY_NAME,
    ),
    (
        "name.101-bytes",
        "of 101 bytes",
        |_| some(&[b'x'; 101]),
        &req::AUTH_LONG_NAME,
    ),
    (
        "name.927-bytes",
        "of 927 bytes, with which the message has its largest size",
        |_| some(&[b'x'; 927]),
        &req::AUTH_LONG_NAME,
    ),
    (
        "name.filled-up",
        "that is a known one filled up with NULs to 101 bytes",
        |name| {
            let mut name = name.as_bytes().to_vec();
            name.resize(101, 0);
            Some(name)
        },
        &req::AUTH_LONG_NAME,
    ),
    (
        "name.other-case",
        "that is a known one in the other case",
        |name| {
            let other = name.bytes().map(|byte| match byte.is_ascii_lowercase() {
                true => byte.to_ascii_uppercase(),
                false => byte.to_ascii_lowercase(),
            });
            let other: Vec<_> = other.collect();
            (other != name.as_bytes()).then_some(other)
        },
        &req::AUTH_NAME_EXACT,
    ),
    (
        "name.blank-before",
        "that is a known one with a blank before it",
        |name| some(format!(" {name}").as_bytes()),
        &req::AUTH_NAME_EXACT,
    ),
    (
        "name.blank-behind",
        "that is a known one with a blank behind it",
        |name| some(format!("{name} ").as_bytes()),
        &req::AUTH_NAME_EXACT,
    ),
    (
        "name.line-end-behind",
        "that is a known one with a line end behind it",
        |name| some(format!("{name}\r\n").as_bytes()),
        &req::AUTH_NAME_EXACT,
    ),
];

fn some(name: &[u8]) -> Option<Vec<u8>> {
    Some(name.to_vec())
}

fn refused((id, words, name, requirement): &'static Case) -> Check {
    Check::raw(
        *id,
        format!("A client with a name {words} is refused."),
        &[requirement],
        move |ground| Box::pin(refuse(ground, *name, words, requirement)),
    )
    .tagged(Tag::Hostile)
}

async fn refuse(
    ground: &Ground,
    name: Name,
    words: &str,
    requirement: &'static Requirement,
) -> Checked {
    let credential = ground.credential();
    let Some(name) = name(credential.name.as_str()) else {
        let known = &credential.name;
        return not_applicable(format!("\"{known}\" gives no name {words}"));
    };
    let mut challenged = Challenged::now(ground).await?;
    let code = challenged.code(credential);
    challenged.prove(&name, code).await;
    let shown = match name.len() {
        0..=32 => format!(" \"{}\"", name.escape_ascii()),
        _ => String::new(),
    };
    let sent = format!("a name{shown} {words}, and the code of a known client");
    expect_refused(&mut challenged.login, requirement, &sent).await
}
