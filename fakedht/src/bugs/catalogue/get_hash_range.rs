//! Bugs of GetHashRange.

use dht_protocol::HashRange;
use dht_protocol::neo::request::get_hash_range::Range;
use dht_protocol::neo::request::{RequestCode, SupportedStatus};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{Fate, becoming, instead, leaving, lost, twice};
use crate::bugs::message::{Message, nth};

const GET_HASH_RANGE: RequestCode = RequestCode::GetHashRange;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "range-announced-too-small",
        description: "GetHashRange leaves out the first key of the range.",
        breaks: &req::RANGE_ANSWER,
        seam: || {
            leaving(becoming(is_range, |message| {
                Fate::changed_if(smaller(message.payload))
            }))
        },
    },
    Bug {
        name: "range-has-type",
        description: "The first answer of GetHashRange has a type byte.",
        breaks: &req::RANGE_ANSWER,
        seam: || {
            leaving(becoming(is_range, |message| {
                Fate::changed([&[2], message.payload].concat())
            }))
        },
    },
    Bug {
        name: "range-ends-swapped",
        description: "GetHashRange tells the upper end of the range before the lower one.",
        breaks: &req::RANGE_LEGAL,
        seam: || {
            leaving(becoming(is_range, |message| {
                let ends = message.payload.split_at_checked(8);
                Fate::changed_if(ends.map(|(min, max)| [max, min].concat()))
            }))
        },
    },
    Bug {
        name: "range-begins-again",
        description: "A GetHashRange ends with its first answer and begins again, with its status.",
        breaks: &req::RANGE_ENDLESS,
        seam: || {
            leaving(becoming(is_range, |message| {
                let range = message.payload.to_vec();
                let status = SupportedStatus::Supported.encode().to_vec();
                Fate::Instead(vec![range.clone(), status, range])
            }))
        },
    },
    Bug {
        name: "range-repeated",
        description: "The first answer of GetHashRange is sent twice.",
        breaks: &req::RANGE_UPDATES,
        seam: || leaving(twice(is_range)),
    },
    Bug {
        name: "range-told-once",
        description: "Only the first GetHashRange of a node is told the range, others the empty one.",
        breaks: &req::RANGE_SAME_FOR_ALL,
        seam: || {
            let mut told = false;
            let repeated = move |message: &Message<'_>| {
                is_range(message) && std::mem::replace(&mut told, true)
            };
            leaving(instead(repeated, range_payload(HashRange::EMPTY)))
        },
    },
    Bug {
        name: "range-change-not-told",
        description: "Changes of the hash range and new nodes are not told.",
        breaks: &req::RANGE_CHANGE_TOLD,
        seam: || {
            leaving(lost(|message| {
                message.is(GET_HASH_RANGE) && message.number > 1
            }))
        },
    },
];

/// Is it the first answer of a GetHashRange?
pub(super) fn is_range(message: &Message<'_>) -> bool {
    nth(GET_HASH_RANGE, 1)(message)
}

/// The first answer with this range.
pub(super) fn range_payload(range: HashRange) -> Vec<u8> {
    let mut payload = Vec::new();
    Range(range).encode(&mut payload);
    payload
}

/// A range without its first key.
fn smaller(told: &[u8]) -> Option<Vec<u8>> {
    let Range(range) = Range::decode(told).ok()?;
    let smaller = HashRange::new(range.min().checked_add(1)?, range.max())?;
    Some(range_payload(smaller))
}
