//! Bugs of the messages of the authentication: what is sent, what is read, and what follows a refusal.

use dht_protocol::neo::Violation;
use dht_protocol::neo::auth::Proof;
use dht_protocol::neo::forge::{AUTHENTICATION, REQUEST};
use dht_protocol::neo::header::{HEADER_LEN, MAX_AUTH_BODY};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::reaction::{Reaction, broken};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{
    Phase, RawHeader, Said, authentication, bodies, headers, headers_skipped, saying, segments,
};

/// Length of a timestamp, and of the count in front of a name.
const U64: usize = 8;
/// Length of a code.
const CODE: usize = 64;
/// What a client is told that is refused, and one that is let in.
const REFUSED: u8 = 0;
const WELCOME: u8 = 1;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "nonce-too-long",
        description: "The nonce message has five bytes.",
        breaks: &req::AUTH_NONCE_SENT,
        seam: || {
            saying(Said::Nonce, |nonce| {
                *nonce = authentication(&[1, 2, 3, 4, 5])
            })
        },
    },
    Bug {
        name: "nonce-never-sent",
        description: "A client's time is never answered with a nonce.",
        breaks: &req::AUTH_NONCE_SENT,
        seam: || saying(Said::Nonce, Vec::clear),
    },
    Bug {
        name: "nonce-constant",
        description: "Every connection has the same nonce, so that a recorded authentication can be replayed.",
        breaks: &req::AUTH_NONCE_FRESH,
        seam: || Seam::Nonce(|_| [0xde, 0xad, 0xbe, 0xef]),
    },
    Bug {
        name: "welcome-never-sent",
        description: "A client that is let in is not told so.",
        breaks: &req::AUTH_ACCEPTED,
        seam: || verdict(WELCOME, None),
    },
    Bug {
        name: "welcome-is-255",
        description: "A client that is let in is told so by the byte 255 instead of 1.",
        breaks: &req::AUTH_RESULT_FORM,
        seam: || verdict(WELCOME, Some(255)),
    },
    Bug {
        name: "refusal-is-2",
        description: "A client that is refused is told so by the byte 2 instead of 0.",
        breaks: &req::AUTH_RESULT_FORM,
        seam: || verdict(REFUSED, Some(2)),
    },
    Bug {
        name: "refusal-says-welcome",
        description: "A client that is refused is told that it is let in, and disconnected.",
        breaks: &req::AUTH_RESULT_FORM,
        seam: || verdict(REFUSED, Some(WELCOME)),
    },
    Bug {
        name: "refusal-silent",
        description: "A client that is refused is disconnected without being told.",
        breaks: &req::AUTH_UNKNOWN_NAME,
        seam: || broken(is_refusal, Reaction::CloseMute),
    },
    Bug {
        name: "refusal-kept-open",
        description: "A client that was refused is not disconnected and may try again.",
        breaks: &req::AUTH_REJECTED_DROPPED,
        seam: || broken(is_refusal, Reaction::Ignore),
    },
    Bug {
        name: "refusal-makes-unusable",
        description: "After a client was refused every new connection is closed at once.",
        breaks: &req::AUTH_REJECTED_NOT_BANNED,
        seam: || broken(is_refusal, Reaction::Unusable),
    },
    Bug {
        name: "login-company-dropped",
        description: "What comes in one segment with a client's name and code is dropped.",
        breaks: &req::AUTH_REQUESTS_BEHIND_CODE,
        seam: || {
            segments(|phase, mut bytes| {
                if let (Phase::Proof, Some(header)) = (phase, bytes.first_chunk::<HEADER_LEN>()) {
                    let body = usize::try_from(RawHeader::decode(*header).body_len);
                    let length = body.ok().and_then(|body| body.checked_add(HEADER_LEN));
                    bytes.truncate(length.unwrap_or(usize::MAX));
                }
                vec![bytes]
            })
        },
    },
    Bug {
        name: "login-surplus-time",
        description: "Bytes behind a client's time are ignored.",
        breaks: &req::AUTH_TIMESTAMP_LENGTH,
        seam: || body_of(Phase::Time, |time| time.truncate(U64)),
    },
    Bug {
        name: "login-short-time",
        description: "A client's time may have fewer than eight bytes; the rest is taken for zeros.",
        breaks: &req::AUTH_TIMESTAMP_LENGTH,
        seam: || body_of(Phase::Time, |time| time.resize(time.len().max(U64), 0)),
    },
    Bug {
        name: "login-malformed-kept-open",
        description: "A malformed message of the authentication is ignored and another one awaited.",
        breaks: &req::AUTH_CODE_LENGTH,
        seam: || {
            let malformed = |broken: &_| matches!(broken, Violation::Authentication { .. });
            broken(malformed, Reaction::Ignore)
        },
    },
    Bug {
        name: "login-surplus-proof",
        description: "Bytes behind a client's code are ignored.",
        breaks: &req::AUTH_CODE_SURPLUS,
        seam: || {
            body_of(Phase::Proof, |proof| {
                let name = proof.first_chunk().map(|name| u64::from_le_bytes(*name));
                let name = name.and_then(|name| usize::try_from(name).ok());
                if let Some(end) = name.and_then(|name| name.checked_add(U64 + CODE)) {
                    proof.truncate(end);
                }
            })
        },
    },
    Bug {
        name: "login-name-length-32-bits",
        description: "Of the length of a client's name only the lower 32 bits are read.",
        breaks: &req::AUTH_NAME_BEYOND_BODY,
        seam: || {
            body_of(Phase::Proof, |proof| {
                proof.get_mut(4..U64).unwrap_or_default().fill(0);
            })
        },
    },
    Bug {
        name: "login-malformed-proof-answered",
        description: "A client whose second message is malformed is told that it is refused.",
        breaks: &req::AUTH_MALFORMED_SILENT,
        seam: || {
            body_of(Phase::Proof, |proof| {
                if Proof::decode(proof).is_err() {
                    let (name, code) = (Vec::new(), [0; CODE]);
                    *proof = Proof { name, code }.encode();
                }
            })
        },
    },
    Bug {
        name: "authentication-too-long-skipped",
        description: "An authentication message that is too long is skipped.",
        breaks: &req::AUTH_MESSAGE_LIMIT,
        seam: || {
            headers_skipped(|phase, header| {
                let long = header.body_len > MAX_AUTH_BODY;
                phase.is_authentication() && header.code == AUTHENTICATION && long
            })
        },
    },
    Bug {
        name: "login-length-cut",
        description: "A header of the authentication that announces too many bytes is taken to announce 999.",
        breaks: &req::AUTH_MESSAGE_LIMIT,
        seam: || right_headers(|header| header.body_len = header.body_len.min(MAX_AUTH_BODY)),
    },
    Bug {
        name: "login-parity-ignored",
        description: "The parity of a message of the authentication is not checked.",
        breaks: &req::AUTH_HEADER_CHECKED,
        seam: || {
            headers(|phase, header| {
                if phase.is_authentication() {
                    header.correct();
                }
            })
        },
    },
    Bug {
        name: "login-type-ignored",
        description: "The type of a message of the authentication is not checked.",
        breaks: &req::AUTH_HEADER_CHECKED,
        seam: || right_headers(|header| header.code = AUTHENTICATION),
    },
    Bug {
        name: "login-type-zero-skipped",
        description: "A message of type 0 during the authentication is passed over.",
        breaks: &req::AUTH_HEADER_CHECKED,
        seam: || {
            headers_skipped(|phase, header| {
                phase.is_authentication() && header.has_right_parity() && header.code == 0
            })
        },
    },
    Bug {
        name: "request-before-login-skipped",
        description: "A request message before the authentication is skipped.",
        breaks: &req::AUTH_REQUEST_TOO_EARLY,
        seam: || {
            headers_skipped(|phase, header| {
                phase.is_authentication() && header.code == REQUEST && !header.is_huge()
            })
        },
    },
];

/// A verdict is another one, or is not sent.
fn verdict(of: u8, taken: Option<u8>) -> Seam {
    saying(Said::Verdict, move |verdict| {
        if verdict.last() == Some(&of) {
            *verdict = taken.map_or(Vec::new(), |byte| authentication(&[byte]));
        }
    })
}

fn is_refusal(violation: &Violation) -> bool {
    matches!(violation, Violation::Refused(_))
}

/// A message of the authentication is taken for another one.
fn body_of(phase: Phase, change: fn(&mut Vec<u8>)) -> Seam {
    bodies(move |frame, body| {
        if frame.phase == phase {
            change(body);
        }
    })
}

/// The headers of the authentication whose parity is right are taken for others.
fn right_headers(change: fn(&mut RawHeader)) -> Seam {
    headers(move |phase, header| {
        if phase.is_authentication() && header.has_right_parity() {
            change(header);
            header.correct();
        }
    })
}
