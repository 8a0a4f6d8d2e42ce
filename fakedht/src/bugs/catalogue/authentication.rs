//! Bugs of the authentication.

use dht_protocol::neo::auth::{MAX_CLOCK_DIFFERENCE, Proof};
use dht_protocol::neo::{ClientName, Violation};

use crate::bugs::Bug;
use crate::bugs::reaction::Reaction;
use crate::bugs::seam::{Login, Seam};
use crate::bugs::wire::{OnBody, Phase, Reading, Said, authentication};

/// How many bytes of a code one of the bugs compares.
const COMPARED: usize = 8;
/// A proof without a name.
const NO_PROOF: Proof = Proof {
    name: Vec::new(),
    code: [0; 64],
};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "login-any-time",
        description: "A client's time is not checked at all.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|_, now| now),
    },
    Bug {
        name: "login-future-time",
        description: "A client's time may be as far in the future as it likes.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|client, now| client.min(now.max(1))),
    },
    Bug {
        name: "login-past-time",
        description: "A client's time may be as far in the past as it likes, but not 0.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|client, now| match client {
            0 => 0,
            _ => client.max(now),
        }),
    },
    Bug {
        name: "login-zero-time",
        description: "A client whose time is 0 is let in.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|client, now| if client == 0 { now } else { client }),
    },
    Bug {
        name: "login-negative-time",
        description: "A client whose time has its highest bit set is let in.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|client, now| match i64::try_from(client) {
            Ok(_) => client,
            Err(_) => now,
        }),
    },
    Bug {
        name: "login-narrow-window",
        description: "The clocks of client and node may differ by a minute only.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(|client, now| if client.abs_diff(now) > 60 { 0 } else { client }),
    },
    Bug {
        name: "login-wide-window",
        description: "The clocks of client and node may differ by two hours.",
        breaks: "neo-transport 6.1",
        seam: Seam::Time(
            |client, now| match client.abs_diff(now) <= 4 * MAX_CLOCK_DIFFERENCE {
                true => now,
                false => client,
            },
        ),
    },
    Bug {
        name: "login-surplus-time",
        description: "Bytes behind a client's time are ignored.",
        breaks: "neo-transport 6.2",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if frame.phase == Phase::Time {
                    body.truncate(8);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-short-time",
        description: "A client's time may have fewer than eight bytes; the rest is taken for zeros.",
        breaks: "neo-transport 6.2",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if frame.phase == Phase::Time && body.len() < 8 {
                    body.resize(8, 0);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-surplus-proof",
        description: "Bytes behind a client's code are ignored.",
        breaks: "neo-transport 6.2",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                let name_len = body.first_chunk().map(|length| u64::from_le_bytes(*length));
                let length = name_len.and_then(|length| {
                    usize::try_from(length)
                        .ok()?
                        .checked_add(8 + NO_PROOF.code.len())
                });
                if let (Phase::Proof, Some(length)) = (frame.phase, length) {
                    body.truncate(length);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-malformed-proof-answered",
        description: "A client whose second message is malformed is told that it is refused.",
        breaks: "neo-transport Q3",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if frame.phase == Phase::Proof && Proof::decode(body).is_err() {
                    *body = NO_PROOF.encode();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-malformed-kept-open",
        description: "A malformed message of the authentication is ignored and another one awaited.",
        breaks: "neo-transport 6.2",
        seam: Seam::Violation(|violation| match violation {
            Violation::Authentication { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "nonce-constant",
        description: "Every connection has the same nonce, so that a recorded authentication can be replayed.",
        breaks: "neo-transport 6.1",
        seam: Seam::Nonce(|_| [0xde, 0xad, 0xbe, 0xef]),
    },
    Bug {
        name: "nonce-too-long",
        description: "The nonce message has five bytes.",
        breaks: "neo-transport 6",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Nonce {
                    *bytes = authentication(&[1, 2, 3, 4, 5]);
                }
            })
        }),
    },
    Bug {
        name: "nonce-never-sent",
        description: "A client's time is never answered with a nonce.",
        breaks: "neo-transport 6",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Nonce {
                    bytes.clear();
                }
            })
        }),
    },
    Bug {
        name: "login-unknown-name",
        description: "A client with a well-formed name that nobody has is let in as another one.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| match named(login) {
            Some(name) if login.credentials.key(&name).is_none() => anybody(login),
            _ => login.proof.clone(),
        }),
    },
    Bug {
        name: "login-empty-name",
        description: "A client with an empty name is let in as another one.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| match login.proof.name.is_empty() {
            true => anybody(login),
            false => login.proof.clone(),
        }),
    },
    Bug {
        name: "login-impossible-name",
        description: "A client with a name that no client can have is let in as another one.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| match named(login) {
            None => anybody(login),
            Some(_) => login.proof.clone(),
        }),
    },
    Bug {
        name: "login-any-case",
        description: "The names of clients are compared without regard to upper and lower case.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| {
            let mut proof = login.proof.clone();
            let names = login
                .credentials
                .names()
                .map(|name| name.as_str().as_bytes());
            let same = |name: &&[u8]| name.eq_ignore_ascii_case(&login.proof.name);
            if let Some(name) = names.into_iter().find(same) {
                proof.name = name.to_vec();
            }
            proof
        }),
    },
    Bug {
        name: "login-trims-name",
        description: "Blanks around a client's name are ignored.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| {
            let mut proof = login.proof.clone();
            proof.name = proof.name.trim_ascii().to_vec();
            proof
        }),
    },
    Bug {
        name: "login-short-code",
        description: "Only the first 8 bytes of a client's code are compared.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| {
            let right = named(login).and_then(|name| login.proof_of(&name));
            match right {
                Some(right) if right.code[..COMPARED] == login.proof.code[..COMPARED] => right,
                _ => login.proof.clone(),
            }
        }),
    },
    Bug {
        name: "login-zero-code",
        description: "A code of zeros is right for every client.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| {
            let right = named(login).and_then(|name| login.proof_of(&name));
            match right {
                Some(right) if login.proof.code == NO_PROOF.code => right,
                _ => login.proof.clone(),
            }
        }),
    },
    Bug {
        name: "refusal-silent",
        description: "A client that is refused is disconnected without being told.",
        breaks: "neo-transport 6",
        seam: Seam::Violation(|violation| match violation {
            Violation::Refused(_) => Reaction::CloseMute,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "refusal-kept-open",
        description: "A client that was refused is not disconnected and may try again.",
        breaks: "neo-transport 6",
        seam: Seam::Violation(|violation| match violation {
            Violation::Refused(_) => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "refusal-says-welcome",
        description: "A client that is refused is told that it is let in, and disconnected.",
        breaks: "neo-transport 6",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Verdict {
                    *bytes = authentication(&[1]);
                }
            })
        }),
    },
    Bug {
        name: "welcome-is-255",
        description: "A client that is let in is told so by the byte 255 instead of 1.",
        breaks: "neo-transport Q5",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Verdict && bytes.last() == Some(&1) {
                    *bytes = authentication(&[255]);
                }
            })
        }),
    },
    Bug {
        name: "welcome-never-sent",
        description: "A client that is let in is not told so.",
        breaks: "neo-transport 6",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Verdict && bytes.last() == Some(&1) {
                    bytes.clear();
                }
            })
        }),
    },
];

/// Who the client says it is, if that can be a name.
fn named(login: &Login<'_>) -> Option<ClientName> {
    ClientName::new(&login.proof.name).ok()
}

/// The right proof of any client that the node knows.
fn anybody(login: &Login<'_>) -> Proof {
    let name = login.credentials.names().next();
    let right = name.and_then(|name| login.proof_of(name));
    right.unwrap_or_else(|| login.proof.clone())
}
