//! Bugs of the framing of messages: headers, lengths, segments, integers and arrays.

use dht_protocol::neo::Kind;
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};
use dht_protocol::neo::request::RequestCode;
use dht_requirements as req;

use super::get::is_value;
use super::get_hash_range::is_range;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, becoming, leaving, with_surplus};
use crate::bugs::message::any;
use crate::bugs::seam::Seam;
use crate::bugs::wire::{
    Frame, InputBug, Phase, RawHeader, Reading, Said, bodies, bodies_skipped, headers,
    headers_skipped, input, saying, segments,
};

/// Length of an integer.
const U64: usize = 8;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "answer-parity-wrong",
        description: "The parity in the headers of answers is wrong.",
        breaks: &req::FRAME_SENT_PARITY,
        seam: || saying(Said::Message, |message| message[HEADER_LEN - 1] ^= 1),
    },
    Bug {
        name: "answer-type-wrong",
        description: "Answers to requests have the type of the authentication.",
        breaks: &req::FRAME_SENT_TYPE,
        seam: || saying(Said::Message, |message| swap_type(message)),
    },
    Bug {
        name: "nonce-type-wrong",
        description: "The nonce is sent in a message of the type of requests.",
        breaks: &req::FRAME_SENT_TYPE,
        seam: || saying(Said::Nonce, |nonce| swap_type(nonce)),
    },
    Bug {
        name: "range-with-surplus-byte",
        description: "The answer to GetHashRange ends with a byte that belongs to nothing.",
        breaks: &req::FRAME_SENT_EXACT_LENGTH,
        seam: || leaving(with_surplus(is_range)),
    },
    Bug {
        name: "range-big-endian",
        description: "The bounds that GetHashRange tells are in big-endian order.",
        breaks: &req::FRAME_SENT_LITTLE_ENDIAN,
        seam: || {
            leaving(becoming(is_range, |message| {
                let mut bounds = message.payload.to_vec();
                bounds.rchunks_exact_mut(U64).for_each(<[u8]>::reverse);
                Fate::changed(bounds)
            }))
        },
    },
    Bug {
        name: "value-without-count",
        description: "The value that Get sends does not begin with its length.",
        breaks: &req::FRAME_SENT_ARRAY_COUNT,
        seam: || {
            leaving(becoming(is_value, |message| {
                Fate::changed(message.payload.get(U64..).unwrap_or_default())
            }))
        },
    },
    Bug {
        name: "parity-not-checked",
        description: "A header with any parity is taken for a right one.",
        breaks: &req::FRAME_PARITY_CHECKED,
        seam: || headers(|_, header| header.correct()),
    },
    Bug {
        name: "parity-error-skipped",
        description: "A message with a wrong parity is skipped and the connection stays open.",
        breaks: &req::FRAME_PARITY_CHECKED,
        seam: || headers_skipped(|_, header| !header.has_right_parity()),
    },
    Bug {
        name: "type-not-checked",
        description: "A header with any type is taken for one of the type that may come.",
        breaks: &req::FRAME_TYPE_UNKNOWN_DROPPED,
        seam: || {
            headers(|phase, header| {
                if header.has_right_parity() {
                    header.code = code_of(phase.expected());
                    header.correct();
                }
            })
        },
    },
    Bug {
        name: "type-unknown-skipped",
        description: "A message of an unknown type is skipped and the connection stays open.",
        breaks: &req::FRAME_TYPE_UNKNOWN_DROPPED,
        seam: || {
            headers_skipped(|_, header| {
                header.has_right_parity() && ![REQUEST, AUTHENTICATION].contains(&header.code)
            })
        },
    },
    Bug {
        name: "authentication-when-open-skipped",
        description: "An authentication message after the authentication is skipped.",
        breaks: &req::FRAME_AUTH_TYPE_DROPPED,
        seam: || {
            headers_skipped(|phase, header| phase == Phase::Open && header.code == AUTHENTICATION)
        },
    },
    Bug {
        name: "request-without-id-skipped",
        description: "A request message that is too short for an id is skipped.",
        breaks: &req::FRAME_NO_ROOM_FOR_ID,
        seam: || {
            headers_skipped(|phase, header| {
                let short = header.body_len < ID_LEN as u64;
                phase == Phase::Open && header.code == REQUEST && short
            })
        },
    },
    Bug {
        name: "parity-judged-behind-body",
        description: "A wrong parity closes the connection only when the body of the message is there.",
        breaks: &req::FRAME_CHECKED_BEFORE_BODY,
        seam: || input(JudgedLate::default()),
    },
    Bug {
        name: "parity-error-answered",
        description: "A header with a wrong parity is answered before the connection is closed.",
        breaks: &req::FRAME_DROP_SILENT,
        seam: || {
            open_segments(|bytes| match wrong_header(&bytes) {
                // The answer is that there is no such request.
                Some(0) => vec![forge::request_message(u64::MAX, &[u8::MAX, 0]), bytes],
                _ => vec![bytes],
            })
        },
    },
    Bug {
        name: "requests-in-front-of-wrong-header-lost",
        description: "Requests in front of a wrong header in the same segment are not handled.",
        breaks: &req::FRAME_BEFORE_WRONG_ANSWERED,
        seam: || {
            open_segments(|mut bytes| {
                let front = wrong_header(&bytes).unwrap_or(0);
                vec![bytes.split_off(front)]
            })
        },
    },
    Bug {
        name: "split-message-dropped",
        description: "A message that comes in several segments is dropped.",
        breaks: &req::FRAME_SPLIT,
        seam: || bodies_skipped(|frame, _| frame.phase == Phase::Open && frame.segments > 1),
    },
    Bug {
        name: "split-authentication-dropped",
        description: "An authentication message that comes in several segments is dropped.",
        breaks: &req::FRAME_SPLIT,
        seam: || bodies_skipped(|frame, _| frame.phase.is_authentication() && frame.segments > 1),
    },
    Bug {
        name: "login-in-pieces-refused",
        description: "A message of the authentication that comes in several segments is taken for an empty \
                      one.",
        breaks: &req::FRAME_SPLIT,
        seam: || {
            bodies(|frame, body| {
                if frame.phase.is_authentication() && frame.segments > 1 {
                    body.clear();
                }
            })
        },
    },
    Bug {
        name: "second-message-of-segment-dropped",
        description: "Of the messages that a segment completes only the first is handled.",
        breaks: &req::FRAME_COALESCED,
        seam: || bodies_skipped(|frame, _| frame.phase == Phase::Open && frame.place > 0),
    },
    Bug {
        name: "last-byte-not-awaited",
        description: "A message of which only the last byte is missing is handled with a 0 there.",
        breaks: &req::FRAME_INCOMPLETE_DISCARDED,
        seam: || {
            open_segments(|mut bytes| {
                let header = bytes.first_chunk().copied().map(RawHeader::decode);
                let length = (bytes.len() + 1 - HEADER_LEN.min(bytes.len())) as u64;
                if header
                    .is_some_and(|header| header.has_right_parity() && header.body_len == length)
                {
                    bytes.push(0);
                }
                vec![bytes]
            })
        },
    },
    Bug {
        name: "parity-ignores-length",
        description: "The parity is checked over the type and the lowest byte of the length only.",
        breaks: &req::FRAME_LARGEST_ACCEPTED,
        seam: || {
            headers(|_, header| {
                let mut short = *header;
                short.body_len &= 0xff;
                header.parity = match short.has_right_parity() {
                    true => header.right_parity(),
                    false => !header.right_parity(),
                };
            })
        },
    },
    Bug {
        name: "limit-4096-byte-messages",
        description: "A request message may have no more than 4,096 bytes.",
        breaks: &req::FRAME_LARGEST_ACCEPTED,
        seam: || Seam::Limits(|limits| limits.message = 4096),
    },
    Bug {
        name: "value-count-cut",
        description: "A Put whose value is said to be longer than its message stores what is there.",
        breaks: &req::FRAME_ARRAY_BEYOND_BODY,
        seam: || {
            arriving(becoming(any(RequestCode::Put), |message| {
                Fate::changed_if(cut_value_count(message.payload))
            }))
        },
    },
];

/// The type byte of messages of this kind.
fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Request => REQUEST,
        Kind::Authentication => AUTHENTICATION,
    }
}

/// The message gets the type that it should not have.
fn swap_type(message: &mut [u8]) {
    message[0] ^= REQUEST ^ AUTHENTICATION;
    message[HEADER_LEN - 1] ^= REQUEST ^ AUTHENTICATION;
}

/// Segments behind the authentication are taken for something else.
fn open_segments(taken_for: fn(Vec<u8>) -> Vec<Vec<u8>>) -> Seam {
    segments(move |phase, bytes| match phase {
        Phase::Open => taken_for(bytes),
        _ => vec![bytes],
    })
}

/// Where in a segment that begins with a message the first header with a wrong parity is.
fn wrong_header(segment: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let header = RawHeader::decode(*segment.get(at..)?.first_chunk()?);
        if !header.has_right_parity() {
            return Some(at);
        }
        let length = usize::try_from(header.body_len).ok()?;
        at = at.checked_add(HEADER_LEN)?.checked_add(length)?;
    }
}

/// A Put with the length that its value has, if it says a larger one.
fn cut_value_count(put: &[u8]) -> Option<Vec<u8>> {
    let count_at = |at: usize| {
        let count = put.get(at..)?.first_chunk()?;
        usize::try_from(u64::from_le_bytes(*count)).ok()
    };
    // Behind code and version, the channel and the key.
    let at = count_at(2)?.checked_add(2 + U64 + U64)?;
    let there = put.len().checked_sub(at)?.checked_sub(U64)?;
    (count_at(at)? > there).then(|| {
        let mut cut = put.to_vec();
        cut[at..at + U64].copy_from_slice(&(there as u64).to_le_bytes());
        cut
    })
}

/// Looks at the parity when the body is there.
#[derive(Default)]
struct JudgedLate {
    wrong: bool,
}

impl InputBug for JudgedLate {
    fn header(&mut self, _: Phase, header: &mut RawHeader) -> Reading {
        self.wrong = !header.has_right_parity();
        header.correct();
        Reading::Take
    }

    fn body(&mut self, _: &Frame, body: &mut Vec<u8>) -> Reading {
        if std::mem::take(&mut self.wrong) {
            // Too short for an id: this closes the connection.
            body.clear();
        }
        Reading::Take
    }
}
