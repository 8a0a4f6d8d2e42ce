//! Bugs of authentication, of the frame that all requests share, and of the announced hash range.

use dht_protocol::HashRange;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::get_hash_range::Range;
use dht_protocol::neo::request::{Host, RequestCode, SupportedStatus};

use crate::bugs::Bug;
use crate::bugs::seam::{Call, Fate, HostBug, Message, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "login-any-key",
        description: "A client with a known name is let in whatever its key is.",
        breaks: "neo-transport 6.1",
        seam: Seam::Login(|login| {
            let name = ClientName::new(&login.proof.name).ok();
            let right = name.and_then(|name| login.proof_of(&name));
            right.unwrap_or_else(|| login.proof.clone())
        }),
    },
    Bug {
        name: "unknown-request-supported",
        description: "A request with an unknown code is answered as if it were supported.",
        breaks: "neo-transport 8.3",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| status(message, SupportedStatus::NotSupported))
        }),
    },
    Bug {
        name: "unknown-version-supported",
        description: "A request with an unknown version is answered as if it were supported.",
        breaks: "neo-transport 8.3",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| status(message, SupportedStatus::VersionNotSupported))
        }),
    },
    Bug {
        name: "status-sent-twice",
        description: "The supported status of Exists is sent twice.",
        breaks: "P01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Exists) && message.number == 0 {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "range-announced-too-small",
        description: "GetHashRange leaves out the first key of the range.",
        breaks: "P66",
        seam: Seam::Leaving(|| Box::new(smaller_range)),
    },
    Bug {
        name: "range-change-not-told",
        description: "Changes of the hash range and new nodes are not told.",
        breaks: "P66",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::GetHashRange) && message.number > 1 {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "range-not-checked",
        description: "Requests for keys outside the node's hash range are carried out.",
        breaks: "semantics-and-client A3",
        seam: Seam::Host(|| Box::new(Responsibility::Unchecked)),
    },
    Bug {
        name: "range-end-excluded",
        description: "The last key of the hash range is answered WrongNode.",
        breaks: "semantics-and-client A3",
        seam: Seam::Host(|| Box::new(Responsibility::EndExcluded)),
    },
];

/// A request that is answered `from` is said to be supported.
fn status(message: &Message<'_>, from: SupportedStatus) -> Fate {
    match message.number == 0 && message.payload == from.encode() {
        true => Fate::changed(SupportedStatus::Supported.encode()),
        false => Fate::Pass,
    }
}

fn smaller_range(message: &Message<'_>) -> Fate {
    if !message.is(RequestCode::GetHashRange) || message.number != 1 {
        return Fate::Pass;
    }
    let smaller = Range::decode(message.payload)
        .ok()
        .and_then(|Range(range)| {
            let min = range.min().checked_add(1)?;
            HashRange::new(min, range.max())
        });
    match smaller {
        Some(range) => {
            let mut payload = Vec::new();
            Range(range).encode(&mut payload);
            Fate::changed(payload)
        }
        None => Fate::Pass,
    }
}

/// What is wrong with the test of responsibility.
enum Responsibility {
    Unchecked,
    EndExcluded,
}

impl HostBug for Responsibility {
    fn range(&self, host: &dyn Host, call: Call) -> HashRange {
        let range = host.range();
        if call.is(RequestCode::GetHashRange) {
            return range;
        }
        match self {
            Self::Unchecked => HashRange::FULL,
            Self::EndExcluded => {
                let max = range.max().checked_sub(1);
                max.and_then(|max| HashRange::new(range.min(), max))
                    .unwrap_or(range)
            }
        }
    }
}
