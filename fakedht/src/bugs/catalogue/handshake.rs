//! Bugs of the handshake: what is taken for a right name, code or timestamp, and how its messages are
//! read.

use std::collections::VecDeque;

use dht_protocol::neo::auth::{self, Proof};
use dht_protocol::neo::header::HEADER_LEN;
use dht_protocol::neo::{AuthKey, ClientName};

use crate::bugs::Bug;
use crate::bugs::reaction::AcceptBug;
use crate::bugs::seam::{Login, Seam};
use crate::bugs::wire::{
    InputBug, OnBody, OnHeader, Phase, RawHeader, Reading, Said, authentication,
};
use crate::node::ConnectionId;

/// The type byte of an authentication message.
const AUTHENTICATION: u8 = 2;
/// The largest body of one.
const LARGEST: u64 = 999;
/// How far off one of the bugs lets the time in a code be, in seconds.
const NEAR: u64 = 30;
/// How many connections one of the bugs keeps.
const KEPT: usize = 8;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "nonce-sent-unasked",
        description: "A nonce comes with the node's version byte, and another one behind the timestamp.",
        breaks: "NEO-CONN-03",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Version {
                    bytes.extend_from_slice(&authentication(&[1, 2, 3, 4]));
                }
            })
        }),
    },
    Bug {
        name: "logins-close-oldest",
        description: "Every login after the eighth closes the connection that is the oldest.",
        breaks: "NEO-CONN-08",
        seam: Seam::Accept(|| Box::new(Oldest::default())),
    },
    Bug {
        name: "login-time-32-bits",
        description: "Of a client's time only the lower 32 bits are read.",
        breaks: "NEO-AUTH-16",
        seam: Seam::Time(|client, _| client & u64::from(u32::MAX)),
    },
    Bug {
        name: "login-name-until-nul",
        description: "A client's name ends at its first NUL.",
        breaks: "NEO-AUTH-06",
        seam: Seam::Login(|login| {
            let name = login.proof.name.split(|byte| *byte == 0).next();
            renamed(login, name.unwrap_or_default())
        }),
    },
    Bug {
        name: "login-name-prefix",
        description: "Of two names only as many characters are compared as the shorter one has.",
        breaks: "NEO-AUTH-06",
        seam: Seam::Login(|login| {
            let given = &login.proof.name;
            let same = |known: &&ClientName| {
                let known = known.as_str().as_bytes();
                known.starts_with(given) || given.starts_with(known)
            };
            match login.credentials.names().find(same) {
                Some(known) if !given.is_empty() => renamed(login, known.as_str().as_bytes()),
                _ => login.proof.clone(),
            }
        }),
    },
    Bug {
        name: "login-name-length-32-bits",
        description: "Of the length of a client's name only the lower 32 bits are read.",
        breaks: "NEO-AUTH-25",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if let (Phase::Proof, Some(upper)) = (frame.phase, body.get_mut(4..8)) {
                    upper.fill(0);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-code-xor-summed",
        description: "Of a client's code only the XOR of its bytes is compared.",
        breaks: "NEO-AUTH-11",
        seam: Seam::Login(|login| {
            let sum = |proof: &Proof| proof.code.iter().fold(0, |sum, byte| sum ^ byte);
            match right(login) {
                Some(right) if sum(&right) == sum(login.proof) => right,
                _ => login.proof.clone(),
            }
        }),
    },
    Bug {
        name: "login-code-of-near-time",
        description: "A client's code may be made for half a minute before or after its time.",
        breaks: "NEO-AUTH-12",
        seam: Seam::Login(|login| {
            let time = login.timestamp.0;
            let near = time.saturating_sub(NEAR)..=time.saturating_add(NEAR);
            accepted_if(login, |key| {
                near.clone()
                    .any(|time| auth::code(key, time, login.nonce) == login.proof.code)
            })
        }),
    },
    Bug {
        name: "login-key-of-anybody",
        description: "A client's code may be made with the key of any client.",
        breaks: "NEO-AUTH-10",
        seam: Seam::Login(|login| {
            let proofs = login
                .credentials
                .names()
                .filter_map(|name| login.proof_of(name));
            let codes: Vec<_> = proofs.map(|proof| proof.code).collect();
            accepted_if(login, |_| codes.contains(&login.proof.code))
        }),
    },
    Bug {
        name: "login-parity-ignored",
        description: "The parity of a message of the authentication is not checked.",
        breaks: "NEO-AUTH-28",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                if phase.is_authentication() {
                    header.parity = header.right_parity();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-type-ignored",
        description: "The type of a message of the authentication is not checked.",
        breaks: "NEO-AUTH-28",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                if phase.is_authentication() && header.has_right_parity() {
                    header.code = AUTHENTICATION;
                    header.parity = header.right_parity();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-type-zero-skipped",
        description: "A message of type 0 during the authentication is passed over.",
        breaks: "NEO-AUTH-28",
        seam: Seam::Input(|| Box::new(OnHeader(|phase, header| skip_type(phase, header, 0)))),
    },
    Bug {
        name: "login-request-skipped",
        description: "A request during the authentication is passed over, and the connection stays open.",
        breaks: "NEO-AUTH-29",
        seam: Seam::Input(|| Box::new(OnHeader(|phase, header| skip_type(phase, header, 1)))),
    },
    Bug {
        name: "login-length-cut",
        description: "A header of the authentication that announces too many bytes is taken to announce \
                      999.",
        breaks: "NEO-AUTH-27",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                if phase.is_authentication() && header.has_right_parity() {
                    header.body_len = header.body_len.min(LARGEST);
                    header.parity = header.right_parity();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-in-pieces-refused",
        description: "A message of the authentication that comes in several segments is taken for an empty \
                      one.",
        breaks: "NEO-FRAME-14",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if frame.phase.is_authentication() && frame.segments > 1 {
                    body.clear();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "login-company-dropped",
        description: "What comes in one segment with a client's name and code is dropped.",
        breaks: "NEO-AUTH-05",
        seam: Seam::Input(|| Box::new(CompanyDropped)),
    },
    Bug {
        name: "refusal-is-2",
        description: "A client that is refused is told so by the byte 2 instead of 0.",
        breaks: "NEO-AUTH-04",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Verdict && bytes.last() == Some(&0) {
                    *bytes = authentication(&[2]);
                }
            })
        }),
    },
];

/// The proof under another name.
fn renamed(login: &Login<'_>, name: &[u8]) -> Proof {
    Proof {
        name: name.to_vec(),
        code: login.proof.code,
    }
}

/// What the client that it says it is should have given.
fn right(login: &Login<'_>) -> Option<Proof> {
    let name = ClientName::new(&login.proof.name).ok()?;
    login.proof_of(&name)
}

/// The right proof if the code passes with the client's key.
fn accepted_if(login: &Login<'_>, passes: impl Fn(&AuthKey) -> bool) -> Proof {
    let name = ClientName::new(&login.proof.name).ok();
    let key = name.and_then(|name| login.credentials.key(&name));
    match (key, right(login)) {
        (Some(key), Some(right)) if passes(key) => right,
        _ => login.proof.clone(),
    }
}

fn skip_type(phase: Phase, header: &RawHeader, code: u8) -> Reading {
    match phase.is_authentication() && header.has_right_parity() && header.code == code {
        true => Reading::Skip,
        false => Reading::Take,
    }
}

/// The connections that have authenticated themselves, the oldest first.
#[derive(Default)]
struct Oldest(VecDeque<ConnectionId>);

impl AcceptBug for Oldest {
    fn authenticated(&mut self, connection: ConnectionId, _: &ClientName) -> Option<ConnectionId> {
        self.0.push_back(connection);
        match self.0.len() > KEPT {
            true => self.0.pop_front(),
            false => None,
        }
    }
}

struct CompanyDropped;

impl InputBug for CompanyDropped {
    fn segment(&mut self, phase: Phase, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if let (Phase::Proof, Some(header)) = (phase, bytes.first_chunk::<HEADER_LEN>()) {
            let body = usize::try_from(RawHeader::decode(*header).body_len);
            let length = body.ok().and_then(|body| body.checked_add(HEADER_LEN));
            bytes.truncate(length.unwrap_or(usize::MAX));
        }
        vec![bytes]
    }
}
