//! Bugs of many requests on one connection: their ids, their number, their order, and what is not
//! supported.

use std::collections::{BTreeMap, BTreeSet};

use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::request::{RequestCode, SupportedStatus, get_channels, get_hash_range};
use dht_protocol::neo::{Limits, Violation, forge};
use dht_requirements as req;

use super::request::is_refused;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, closing, held, leaving, lost, twice};
use crate::bugs::message::any;
use crate::bugs::reaction::{Reaction, broken};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{
    Frame, InputBug, Phase, Reading, Said, bodies, bodies_skipped, input, output, saying,
};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "foreign-id-answered",
        description: "With every answer comes another one, for a request that nobody has made.",
        breaks: &req::MUX_NODE_STARTS_NOTHING,
        seam: || {
            saying(Said::Message, |message| {
                let status = SupportedStatus::Supported.encode();
                message.extend(forge::request_message(u64::MAX, &status));
            })
        },
    },
    Bug {
        name: "id-cut-to-32-bits",
        description: "Of the id of a request only the lower 32 bits are taken.",
        breaks: &req::MUX_ANY_ID,
        seam: || in_id(|id| id & 0xffff_ffff),
    },
    Bug {
        name: "id-cut-to-31-bits",
        description: "Of the id of a request only the lower 31 bits are taken.",
        breaks: &req::MUX_ANY_ID,
        seam: || in_id(|id| id & 0x7fff_ffff),
    },
    Bug {
        name: "falling-id-closes",
        description: "A request whose id is below the one before closes the connection.",
        breaks: &req::MUX_ANY_ID,
        seam: || {
            let mut last = BTreeMap::new();
            arriving(closing(move |message| {
                let before = last.insert(message.connection, message.id);
                message.is_first() && before.is_some_and(|before| before > message.id)
            }))
        },
    },
    Bug {
        name: "ids-shared-by-connections",
        description: "A GetHashRange with the id of one on another connection closes the connection.",
        breaks: &req::MUX_ID_PER_CONNECTION,
        seam: || {
            let mut owners = BTreeMap::new();
            arriving(closing(move |message| {
                message.is(RequestCode::GetHashRange)
                    && *owners.entry(message.id).or_insert(message.connection) != message.connection
            }))
        },
    },
    Bug {
        name: "id-reused-closes",
        description: "A request with an id that its connection has used before closes the connection.",
        breaks: &req::MUX_ID_REUSED,
        seam: || {
            let mut used = BTreeSet::new();
            arriving(closing(move |message| {
                message.is_first() && !used.insert(message.name())
            }))
        },
    },
    Bug {
        name: "active-id-starts-another",
        description: "A message with the id of a GetHashRange starts a request with another id.",
        breaks: &req::MUX_ACTIVE_ID_TAKEN,
        seam: || input(Renumbering::default()),
    },
    Bug {
        name: "id-zero-taken-for-1",
        description: "The request id 0 is taken for 1.",
        breaks: &req::MUX_ZERO_ID_DROPPED,
        seam: || in_id(|id| id.max(1)),
    },
    Bug {
        name: "id-zero-ignored",
        description: "A message with the request id 0 is ignored and the connection stays open.",
        breaks: &req::MUX_ZERO_ID_DROPPED,
        seam: || {
            bodies_skipped(|frame, body| {
                frame.phase == Phase::Open && body.starts_with(&[0; ID_LEN])
            })
        },
    },
    Bug {
        name: "no-command-ignored",
        description: "A first message without code and version is ignored.",
        breaks: &req::MUX_NO_COMMAND,
        seam: || {
            let no_command = |broken: &_| matches!(broken, Violation::NoCommand { .. });
            broken(no_command, Reaction::Ignore)
        },
    },
    Bug {
        name: "unknown-request-closes",
        description: "A request with an unknown code makes the node close the connection.",
        breaks: &req::MUX_UNKNOWN_CODE,
        seam: || arriving(closing(|message| message.is_unknown())),
    },
    Bug {
        name: "unsupported-answered-twice",
        description: "That a request is not supported is said twice.",
        breaks: &req::MUX_UNSUPPORTED_SILENT,
        seam: || leaving(twice(is_refused)),
    },
    Bug {
        name: "exists-answered-again-during-update",
        description: "While an Update waits for its decision, the answer to an Exists is said twice.",
        breaks: &req::REQ_ANSWER_LAST,
        seam: || {
            leaving(twice(|message| {
                message.is(RequestCode::Exists)
                    && !message.is_first()
                    && message.running.any(RequestCode::Update)
            }))
        },
    },
    Bug {
        name: "get-channels-status-behind-end",
        description: "Behind the last message of every eighth GetChannels its supported status is said again.",
        breaks: &req::REQ_ANSWER_LAST,
        seam: || {
            let mut count = 0u32;
            leaving(move |message| {
                if message.said() != Some(get_channels::FromNode::Finished) {
                    return Fate::Pass;
                }
                count += 1;
                match count.is_multiple_of(8) {
                    true => Fate::followed(message, SupportedStatus::Supported.encode()),
                    false => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "exists-unanswered-during-get-all",
        description: "Exists is not answered while a GetAll runs.",
        breaks: &req::MUX_FAIR,
        seam: || {
            leaving(lost(|message| {
                message.is(RequestCode::Exists) && message.running.any(RequestCode::GetAll)
            }))
        },
    },
    Bug {
        name: "put-waits-for-next-message",
        description: "A Put is carried out behind the message that follows it on its connection.",
        breaks: &req::MUX_STARTED_IN_ORDER,
        seam: || arriving(held(any(RequestCode::Put))),
    },
    Bug {
        name: "every-500th-message-lost",
        description: "Every 500th message of clients is lost.",
        breaks: &req::MUX_PIPELINED_ALL_ANSWERED,
        seam: || {
            let mut count = 0u64;
            arriving(lost(move |_| {
                count += 1;
                count.is_multiple_of(500)
            }))
        },
    },
    Bug {
        name: "limit-100-requests",
        description: "A connection may have no more than 100 active requests.",
        breaks: &req::MUX_ACTIVE_5000,
        seam: || Seam::Limits(|limits| limits.active_requests = 100),
    },
    Bug {
        name: "too-many-requests-ignored",
        description: "A request beyond the limit of a connection is ignored and the connection stays open.",
        breaks: &req::MUX_ACTIVE_LIMIT,
        seam: || {
            let too_many = |broken: &_| matches!(broken, Violation::TooManyRequests { .. });
            broken(too_many, Reaction::Ignore)
        },
    },
    Bug {
        name: "ended-requests-counted",
        description: "The 5001st request of a connection closes it, however many have ended.",
        breaks: &req::MUX_ENDED_NOT_COUNTED,
        seam: || {
            let mut counts = BTreeMap::new();
            arriving(closing(move |message| {
                let count: &mut usize = counts.entry(message.connection).or_default();
                *count += usize::from(message.is_first());
                *count > Limits::default().active_requests
            }))
        },
    },
    Bug {
        name: "earlier-answer-repeated",
        description: "A new connection receives the last answer of an earlier one behind its first.",
        breaks: &req::MUX_ENDS_WITH_CONNECTION,
        seam: || {
            let (mut last, mut stale) = (Vec::new(), None);
            output(move |said, bytes| match said {
                Said::Version | Said::Nonce => {}
                Said::Verdict => stale = Some(last.clone()),
                Said::Message => {
                    last.clone_from(bytes);
                    bytes.extend(stale.take().unwrap_or_default());
                }
            })
        },
    },
];

/// The ids of requests are taken for others.
fn in_id(taken_for: fn(u64) -> u64) -> Seam {
    bodies(move |frame, body| {
        if let (Phase::Open, Some(id)) = (frame.phase, body.first_chunk_mut()) {
            *id = taken_for(u64::from_le_bytes(*id)).to_le_bytes();
        }
    })
}

/// Gives messages another id whose id a GetHashRange has.
#[derive(Default)]
struct Renumbering {
    ids: BTreeSet<[u8; ID_LEN]>,
}

impl InputBug for Renumbering {
    fn body(&mut self, frame: &Frame, body: &mut Vec<u8>) -> Reading {
        if let (Phase::Open, Some((id, payload))) = (frame.phase, body.split_first_chunk_mut()) {
            if *payload == get_hash_range::Open.encode() {
                self.ids.insert(*id);
            } else if self.ids.contains(id) {
                id[ID_LEN - 1] ^= 0x40;
            }
        }
        Reading::Take
    }
}
