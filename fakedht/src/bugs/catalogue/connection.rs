//! Bugs of connections as such: the version bytes, and how many connections there may be.

use std::collections::{BTreeMap, VecDeque};

use dht_protocol::neo::{ClientName, VERSION, Violation};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::reaction::{AcceptBug, Admission, Arrival, Reaction, accepting, broken};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{Phase, Said, authentication, saying, segments};
use crate::node::ConnectionId;

/// How many connections one of the bugs keeps.
const KEPT: usize = 8;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "version-sent-unasked",
        description: "The node's version byte is sent before the client's has come, and again then.",
        breaks: &req::CONN_CLIENT_SPEAKS_FIRST,
        seam: || accepting(|_| Admission::Greet(&[VERSION])),
    },
    Bug {
        name: "version-answered-2",
        description: "The node's version byte is 2.",
        breaks: &req::CONN_VERSION_ANSWERED,
        seam: || saying(Said::Version, |version| *version = vec![2]),
    },
    Bug {
        name: "version-never-answered",
        description: "The node's version byte is never sent.",
        breaks: &req::CONN_VERSION_ANSWERED,
        seam: || saying(Said::Version, Vec::clear),
    },
    Bug {
        name: "nonce-sent-unasked",
        description: "A nonce comes with the node's version byte, and another one behind the timestamp.",
        breaks: &req::CONN_WAITS_FOR_TIMESTAMP,
        seam: || {
            saying(Said::Version, |version| {
                version.extend(authentication(&[1, 2, 3, 4]));
            })
        },
    },
    Bug {
        name: "version-any-accepted",
        description: "Every version byte of a client is taken for the right one.",
        breaks: &req::CONN_WRONG_VERSION_DROPPED,
        seam: || {
            segments(|phase, mut bytes| {
                if let (Phase::Version, Some(version)) = (phase, bytes.first_mut()) {
                    *version = VERSION;
                }
                vec![bytes]
            })
        },
    },
    Bug {
        name: "version-mismatch-kept-open",
        description: "After a wrong version byte the connection stays open and another byte is awaited.",
        breaks: &req::CONN_WRONG_VERSION_DROPPED,
        seam: || broken(is_version, Reaction::Ignore),
    },
    Bug {
        name: "version-mismatch-not-answered",
        description: "A client with a wrong version byte is disconnected without the node's version byte.",
        breaks: &req::CONN_WRONG_VERSION_ANSWERED,
        seam: || broken(is_version, Reaction::CloseMute),
    },
    Bug {
        name: "version-company-accepted",
        description: "Bytes that come with the version byte are read as messages.",
        breaks: &req::CONN_EARLY_BYTES_DROPPED,
        seam: || with_company(|company| vec![company]),
    },
    Bug {
        name: "version-company-dropped",
        description: "Bytes that come with the version byte are dropped and the connection stays open.",
        breaks: &req::CONN_EARLY_BYTES_DROPPED,
        seam: || with_company(|_| vec![]),
    },
    Bug {
        name: "version-company-answered",
        description: "A client that is disconnected for bytes behind its version byte gets the node's.",
        breaks: &req::CONN_EARLY_BYTES_DROPPED,
        // No header, so the connection is closed.
        seam: || with_company(|_| vec![vec![0xff; 10]]),
    },
    Bug {
        name: "one-connection-per-client",
        description: "A client that connects again loses the connection that it has.",
        breaks: &req::CONN_SAME_NAME_TWICE,
        seam: || accepting(OnePerClient::default()),
    },
    Bug {
        name: "two-connections-at-once",
        description: "Of more than two connections at a time the further ones are closed at once.",
        breaks: &req::CONN_SAME_NAME_TWICE,
        seam: || {
            accepting(|arrival: Arrival| match arrival.open {
                0 | 1 => Admission::Serve,
                _ => Admission::Refuse,
            })
        },
    },
    Bug {
        name: "logins-close-oldest",
        description: "Every login after the eighth closes the connection that is the oldest.",
        breaks: &req::CONN_IDLE_STAYS_OPEN,
        seam: || accepting(Oldest::default()),
    },
];

fn is_version(violation: &Violation) -> bool {
    matches!(violation, Violation::Version { .. })
}

/// What comes with the version byte is taken for other segments behind it.
fn with_company(taken_for: fn(Vec<u8>) -> Vec<Vec<u8>>) -> Seam {
    segments(move |phase, mut bytes| {
        if phase != Phase::Version || bytes.len() < 2 {
            return vec![bytes];
        }
        let company = bytes.split_off(1);
        [vec![bytes], taken_for(company)].concat()
    })
}

/// The connection that each client has.
#[derive(Default)]
struct OnePerClient(BTreeMap<ClientName, ConnectionId>);

impl AcceptBug for OnePerClient {
    fn authenticated(&mut self, new: ConnectionId, client: &ClientName) -> Option<ConnectionId> {
        self.0.insert(client.clone(), new)
    }
}

/// The connections that have authenticated themselves, the oldest first.
#[derive(Default)]
struct Oldest(VecDeque<ConnectionId>);

impl AcceptBug for Oldest {
    fn authenticated(&mut self, new: ConnectionId, _: &ClientName) -> Option<ConnectionId> {
        self.0.push_back(new);
        match self.0.len() > KEPT {
            true => self.0.pop_front(),
            false => None,
        }
    }
}
