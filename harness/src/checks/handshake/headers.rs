//! Headers that are wrong before the authentication is over, and requests that come too early.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::auth::Timestamp;
use dht_protocol::neo::forge::{self, AUTHENTICATION};
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::request::put;
use dht_requirements::{self as req, Requirement};

use super::steps::{Challenged, expect_closed, expect_nothing_stored, proof, versions_exchanged};
use super::{Check, Ground, Tag};
use crate::unkept::Checked;
use crate::wire::Login;
use crate::wire::talk::record;

/// Where the parity stands in a message.
const PARITY: usize = 9;

/// The message that is awaited.
#[derive(Clone, Copy)]
enum Phase {
    Time,
    Proof,
}

/// What comes in its place.
#[derive(Clone, Copy)]
enum Wrong {
    /// It itself, with a parity that is wrong by these bits.
    Parity(u8),
    /// It itself, with another type.
    Type(u8),
    /// Ten zeros.
    Zeros,
    /// A header alone, that announces so many bytes.
    Length(u64),
    /// A Put.
    Request,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Time => "timestamp",
            Self::Proof => "code",
        }
    }
}

impl Wrong {
    fn case(self) -> String {
        match self {
            Self::Parity(bits) => format!("parity-{bits:02x}"),
            Self::Type(code) => format!("type-{code}"),
            Self::Zeros => "zeros".to_owned(),
            Self::Length(length) if length >= 1 << 32 => format!("length-{length:x}"),
            Self::Length(length) => format!("length-{length}"),
            Self::Request => "request".to_owned(),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Parity(bits) => format!("A header with a parity that is wrong by {bits:02x}"),
            Self::Type(code) => format!("A header of type {code}"),
            Self::Zeros => "A header of zeros".to_owned(),
            Self::Length(length) => format!("A header that announces {length} bytes"),
            Self::Request => "A Put".to_owned(),
        }
    }

    fn requirement(self) -> &'static Requirement {
        match self {
            Self::Parity(_) | Self::Type(_) | Self::Zeros => &req::AUTH_HEADER_CHECKED,
            Self::Length(_) => &req::AUTH_MESSAGE_LIMIT,
            Self::Request => &req::AUTH_REQUEST_TOO_EARLY,
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    use Wrong::{Length, Parity, Request, Type, Zeros};
    let both = [
        Parity(0x01),
        Parity(0x80),
        Type(3),
        Type(255),
        Zeros,
        Length(1000),
        Request,
    ];
    let mut cases = Vec::new();
    for phase in [Phase::Time, Phase::Proof] {
        cases.extend(both.map(|wrong| (phase, wrong)));
    }
    cases.push((Phase::Time, Length(1 << 16)));
    cases.push((Phase::Proof, Length(1 << 63)));
    let checks = cases.into_iter();
    checks.map(|(phase, wrong)| check(phase, wrong)).collect()
}

fn check(phase: Phase, wrong: Wrong) -> Check {
    let (place, words) = (phase.name(), wrong.words());
    Check::raw(
        format!("handshake.{}-for-{place}", wrong.case()),
        format!("{words} in place of the {place} closes the connection."),
        &[wrong.requirement()],
        move |ground| Box::pin(is_closed(ground, phase, wrong)),
    )
    .tagged(Tag::Hostile)
}

async fn is_closed(ground: &Ground, phase: Phase, wrong: Wrong) -> Checked {
    let (mut login, right) = reach(ground, phase).await?;
    let message = match wrong {
        Wrong::Parity(bits) => {
            let mut message = forge::message(AUTHENTICATION, right.len() as u64, &right);
            message[PARITY] ^= bits;
            message
        }
        Wrong::Type(code) => forge::message(code, right.len() as u64, &right),
        Wrong::Zeros => vec![0; 10],
        Wrong::Length(length) => forge::message(AUTHENTICATION, length, &[]),
        Wrong::Request => put(ground),
    };
    login.send(&message).await;
    let sent = format!("{} in place of the {}", wrong.words(), phase.name());
    expect_closed(&mut login, wrong.requirement(), &sent).await?;
    match wrong {
        Wrong::Request => {
            let channel = ground.channel("");
            expect_nothing_stored(ground, &channel, wrong.requirement(), &sent).await
        }
        _ => Ok(()),
    }
}

/// A connection in this phase, and the body of the message that should come.
async fn reach(ground: &Ground, phase: Phase) -> Checked<(Login, Vec<u8>)> {
    match phase {
        Phase::Time => {
            let login = versions_exchanged(ground).await?;
            Ok((login, Timestamp(ground.now()).encode()))
        }
        Phase::Proof => {
            let challenged = Challenged::now(ground).await?;
            let credential = ground.credential();
            let name = credential.name.as_str().as_bytes();
            let body = proof(name, challenged.code(credential));
            Ok((challenged.login, body))
        }
    }
}

fn put(ground: &Ground) -> Vec<u8> {
    let open = put::Open {
        record: record(&ground.channel(""), ground.key(0)),
        value: "value".into(),
    };
    let mut message = Vec::new();
    write_request(&mut message, RequestId::FIRST, &open.encode());
    message
}
