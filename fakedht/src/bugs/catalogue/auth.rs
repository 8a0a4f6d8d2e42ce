//! Bugs of the judgement over clients: which time, which name and which code are taken for right ones.

use dht_protocol::neo::auth::{MAX_CLOCK_DIFFERENCE, Proof};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::seam::Seam;

/// How many bytes of a code one of the bugs compares.
const COMPARED: usize = 8;
/// How far off one of the bugs lets the time in a code be, in seconds.
const NEAR: u64 = 30;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "login-unknown-name",
        description: "A client with a well-formed name that nobody has is let in as another one.",
        breaks: &req::AUTH_UNKNOWN_NAME,
        seam: || {
            Seam::Login(|login| {
                let unknown = login.credentials.key(&login.name()?).is_none();
                login.anybody().filter(|_| unknown)
            })
        },
    },
    Bug {
        name: "login-impossible-name",
        description: "A client with a name that no client can have is let in as another one.",
        breaks: &req::AUTH_UNKNOWN_NAME,
        seam: || Seam::Login(|login| login.anybody().filter(|_| login.name().is_none())),
    },
    Bug {
        name: "login-name-until-nul",
        description: "A client's name ends at its first NUL.",
        breaks: &req::AUTH_UNKNOWN_NAME,
        seam: || {
            Seam::Login(|login| {
                let name = login.proof.name.split(|byte| *byte == 0).next();
                name.map(|name| login.renamed(name))
            })
        },
    },
    Bug {
        name: "login-name-prefix",
        description: "Of two names only as many characters are compared as the shorter one has.",
        breaks: &req::AUTH_UNKNOWN_NAME,
        seam: || {
            Seam::Login(|login| {
                let given = &login.proof.name;
                let same = |known: &[u8]| known.starts_with(given) || given.starts_with(known);
                let mut known = login.known().map(|name| name.as_str().as_bytes());
                let known = known.find(|known| same(known) && !given.is_empty());
                known.map(|known| login.renamed(known))
            })
        },
    },
    Bug {
        name: "login-empty-name",
        description: "A client with an empty name is let in as another one.",
        breaks: &req::AUTH_EMPTY_NAME,
        seam: || Seam::Login(|login| login.anybody().filter(|_| login.proof.name.is_empty())),
    },
    Bug {
        name: "login-any-case",
        description: "The names of clients are compared without regard to upper and lower case.",
        breaks: &req::AUTH_NAME_EXACT,
        seam: || {
            Seam::Login(|login| {
                let mut known = login.known().map(|name| name.as_str().as_bytes());
                let same = known.find(|known| known.eq_ignore_ascii_case(&login.proof.name));
                same.map(|known| login.renamed(known))
            })
        },
    },
    Bug {
        name: "login-trims-name",
        description: "Blanks around a client's name are ignored.",
        breaks: &req::AUTH_NAME_EXACT,
        seam: || Seam::Login(|login| Some(login.renamed(login.proof.name.trim_ascii()))),
    },
    Bug {
        name: "login-any-key",
        description: "A client with a known name is let in whatever its key is.",
        breaks: &req::AUTH_WRONG_KEY,
        seam: || Seam::Login(|login| login.right()),
    },
    Bug {
        name: "login-key-of-anybody",
        description: "A client's code may be made with the key of any client.",
        breaks: &req::AUTH_WRONG_KEY,
        seam: || {
            Seam::Login(|login| {
                let mut proofs = login.known().filter_map(|name| login.proof_of(name));
                let anybodys = proofs.any(|proof| proof.code == login.proof.code);
                login.right().filter(|_| anybodys)
            })
        },
    },
    Bug {
        name: "login-zero-code",
        description: "A code of zeros is right for every client.",
        breaks: &req::AUTH_WRONG_KEY,
        seam: || Seam::Login(|login| login.right().filter(|_| login.proof.code == [0; 64])),
    },
    Bug {
        name: "login-short-code",
        description: "Only the first 8 bytes of a client's code are compared.",
        breaks: &req::AUTH_WHOLE_CODE_COMPARED,
        seam: || {
            Seam::Login(|login| {
                let given = &login.proof.code[..COMPARED];
                login
                    .right()
                    .filter(|right| right.code[..COMPARED] == *given)
            })
        },
    },
    Bug {
        name: "login-code-xor-summed",
        description: "Of a client's code only the XOR of its bytes is compared.",
        breaks: &req::AUTH_WHOLE_CODE_COMPARED,
        seam: || {
            Seam::Login(|login| {
                let sum = |proof: &Proof| proof.code.iter().fold(0, |sum, byte| sum ^ byte);
                login.right().filter(|right| sum(right) == sum(login.proof))
            })
        },
    },
    Bug {
        name: "login-code-of-near-time",
        description: "A client's code may be made for half a minute before or after its time.",
        breaks: &req::AUTH_CODE_COVERS_TIMESTAMP,
        seam: || {
            Seam::Login(|login| {
                let (name, time) = (login.name()?, login.timestamp.0);
                let mut near = time.saturating_sub(NEAR)..=time.saturating_add(NEAR);
                let given = Some(login.proof.code);
                let right = near.any(|time| login.code_at(&name, time) == given);
                login.right().filter(|_| right)
            })
        },
    },
    Bug {
        name: "login-narrow-window",
        description: "The clocks of client and node may differ by a minute only.",
        breaks: &req::AUTH_CLOCK_TOLERATED,
        seam: || {
            Seam::Time(|client, node| {
                if client.abs_diff(node) > 60 {
                    0
                } else {
                    client
                }
            })
        },
    },
    Bug {
        name: "login-past-time",
        description: "A client's time may be as far in the past as it likes, but not 0.",
        breaks: &req::AUTH_TIMESTAMP_PAST,
        seam: || Seam::Time(|client, node| if client == 0 { 0 } else { client.max(node) }),
    },
    Bug {
        name: "login-wide-window",
        description: "The clocks of client and node may differ by two hours.",
        breaks: &req::AUTH_TIMESTAMP_PAST,
        seam: || {
            Seam::Time(|client, node| {
                let near = client.abs_diff(node) <= 4 * MAX_CLOCK_DIFFERENCE;
                if near { node } else { client }
            })
        },
    },
    Bug {
        name: "login-future-time",
        description: "A client's time may be as far in the future as it likes.",
        breaks: &req::AUTH_TIMESTAMP_FUTURE,
        seam: || Seam::Time(|client, node| client.min(node.max(1))),
    },
    Bug {
        name: "login-time-32-bits",
        description: "Of a client's time only the lower 32 bits are read.",
        breaks: &req::AUTH_TIMESTAMP_FUTURE,
        seam: || Seam::Time(|client, _| client & u64::from(u32::MAX)),
    },
    Bug {
        name: "login-zero-time",
        description: "A client whose time is 0 is let in.",
        breaks: &req::AUTH_TIMESTAMP_ZERO,
        seam: || Seam::Time(|client, node| if client == 0 { node } else { client }),
    },
    Bug {
        name: "login-any-time",
        description: "A client's time is not checked at all.",
        breaks: &req::AUTH_TIMESTAMP_HUGE,
        seam: || Seam::Time(|_, node| node),
    },
    Bug {
        name: "login-negative-time",
        description: "A client whose time has its highest bit set is let in.",
        breaks: &req::AUTH_TIMESTAMP_HUGE,
        seam: || Seam::Time(|client, node| if client >> 63 == 1 { node } else { client }),
    },
];
