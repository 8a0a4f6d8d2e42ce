//! Bugs of the framing of messages: headers, lengths, segments, and the ids of requests.

use std::collections::{BTreeMap, BTreeSet};

use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN, Kind, MAX_AUTH_BODY};
use dht_protocol::neo::request::{RequestCode, SupportedStatus};
use dht_protocol::neo::{Limits, Violation};

use crate::bugs::Bug;
use crate::bugs::reaction::Reaction;
use crate::bugs::seam::{Fate, Message, Seam};
use crate::bugs::wire::{
    Frame, InputBug, OnBody, OnHeader, OnSegment, Phase, RawHeader, Reading, Said,
};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "parity-not-checked",
        description: "A header with any parity is taken for a right one.",
        breaks: "NEO-FRAME-06",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|_, header| {
                header.parity = header.right_parity();
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "parity-error-skipped",
        description: "A message with a wrong parity is skipped and the connection stays open.",
        breaks: "NEO-FRAME-06",
        seam: Seam::Input(|| Box::new(OnHeader(|_, header| skip_if(!header.has_right_parity())))),
    },
    Bug {
        name: "parity-ignores-length",
        description: "The parity is checked over the type and the lowest byte of the length only.",
        breaks: "NEO-FRAME-06",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|_, header| {
                let short = RawHeader {
                    body_len: header.body_len & 0xff,
                    ..*header
                };
                header.parity = match short.has_right_parity() {
                    true => header.right_parity(),
                    false => !header.right_parity(),
                };
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "type-not-checked",
        description: "A header with any type is taken for one of the type that may come.",
        breaks: "NEO-FRAME-07",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                if header.has_right_parity() {
                    header.code = code_of(phase.expected());
                    header.parity = header.right_parity();
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "type-unknown-skipped",
        description: "A message of an unknown type is skipped and the connection stays open.",
        breaks: "NEO-FRAME-07",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|_, header| {
                skip_if(header.has_right_parity() && !matches!(header.code, 1 | 2))
            }))
        }),
    },
    Bug {
        name: "request-without-id-skipped",
        description: "A request message that is too short for an id is skipped.",
        breaks: "NEO-FRAME-09",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                let short = header.body_len < ID_LEN as u64;
                skip_if(phase == Phase::Open && header.code == REQUEST && short)
            }))
        }),
    },
    Bug {
        name: "huge-length-awaited",
        description: "The body of a message is awaited whatever length its header announces.",
        breaks: "NEO-ROBUST-11",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                skip_if(phase == Phase::Open && header.code == REQUEST && is_huge(header))
            }))
        }),
    },
    Bug {
        name: "huge-length-awaited-before-login",
        description: "Before the authentication a body is awaited whatever length its header announces.",
        breaks: "NEO-ROBUST-11",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                skip_if(phase.is_authentication() && is_huge(header))
            }))
        }),
    },
    Bug {
        name: "authentication-too-long-skipped",
        description: "An authentication message that is too long is skipped.",
        breaks: "neo-transport 4.2",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                let long = header.body_len > MAX_AUTH_BODY;
                skip_if(phase.is_authentication() && header.code == AUTHENTICATION && long)
            }))
        }),
    },
    Bug {
        name: "authentication-when-open-skipped",
        description: "An authentication message after the authentication is skipped.",
        breaks: "NEO-FRAME-08",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                skip_if(phase == Phase::Open && header.code == AUTHENTICATION)
            }))
        }),
    },
    Bug {
        name: "request-before-login-skipped",
        description: "A request message before the authentication is skipped.",
        breaks: "neo-transport 4.1",
        seam: Seam::Input(|| {
            Box::new(OnHeader(|phase, header| {
                skip_if(phase.is_authentication() && header.code == REQUEST && !is_huge(header))
            }))
        }),
    },
    Bug {
        name: "id-zero-taken-for-1",
        description: "The request id 0 is taken for 1.",
        breaks: "NEO-MUX-07",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if frame.phase == Phase::Open && body.starts_with(&[0; ID_LEN]) {
                    body[0] = 1;
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "id-zero-ignored",
        description: "A message with the request id 0 is ignored and the connection stays open.",
        breaks: "NEO-MUX-07",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                skip_if(frame.phase == Phase::Open && body.starts_with(&[0; ID_LEN]))
            }))
        }),
    },
    Bug {
        name: "no-command-ignored",
        description: "A first message without code and version is ignored.",
        breaks: "NEO-MUX-08",
        seam: Seam::Violation(|violation| match violation {
            Violation::NoCommand { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "no-command-makes-unusable",
        description: "After a first message without code and version every new connection is closed.",
        breaks: "NEO-ROBUST-16",
        seam: Seam::Violation(|violation| match violation {
            Violation::NoCommand { .. } => Reaction::Unusable,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "parity-judged-behind-body",
        description: "A wrong parity closes the connection only when the body of the message is there.",
        breaks: "NEO-FRAME-10",
        seam: Seam::Input(|| Box::new(JudgedLate::default())),
    },
    Bug {
        name: "parity-error-answered",
        description: "A header with a wrong parity is answered before the connection is closed.",
        breaks: "NEO-FRAME-11",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, bytes| {
                match phase == Phase::Open && wrong_header(&bytes) == Some(0) {
                    // The answer is that there is no such request.
                    true => vec![forge::request_message(u64::MAX, &[u8::MAX, 0]), bytes],
                    false => vec![bytes],
                }
            }))
        }),
    },
    Bug {
        name: "requests-in-front-of-wrong-header-lost",
        description: "Requests in front of a wrong header in the same segment are not handled.",
        breaks: "NEO-FRAME-12",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, mut bytes| {
                if let (Phase::Open, Some(at)) = (phase, wrong_header(&bytes)) {
                    bytes.drain(..at);
                }
                vec![bytes]
            }))
        }),
    },
    Bug {
        name: "split-message-dropped",
        description: "A message that comes in several segments is dropped.",
        breaks: "NEO-FRAME-14",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, _| {
                skip_if(frame.phase == Phase::Open && frame.segments > 1)
            }))
        }),
    },
    Bug {
        name: "split-authentication-dropped",
        description: "An authentication message that comes in several segments is dropped.",
        breaks: "NEO-FRAME-14",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, _| {
                skip_if(frame.phase.is_authentication() && frame.segments > 1)
            }))
        }),
    },
    Bug {
        name: "second-message-of-segment-dropped",
        description: "Of the messages that a segment completes only the first is handled.",
        breaks: "NEO-FRAME-15",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, _| {
                skip_if(frame.phase == Phase::Open && frame.place > 0)
            }))
        }),
    },
    Bug {
        name: "last-byte-not-awaited",
        description: "A message of which only the last byte is missing is handled with a 0 there.",
        breaks: "NEO-FRAME-16",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, mut bytes| {
                let header = bytes.first_chunk().copied().map(RawHeader::decode);
                let length = (bytes.len() + 1) as u64;
                let lacks_one = |header: RawHeader| {
                    header.has_right_parity() && header.body_len == length - HEADER_LEN as u64
                };
                if phase == Phase::Open
                    && length > HEADER_LEN as u64
                    && header.is_some_and(lacks_one)
                {
                    bytes.push(0);
                }
                vec![bytes]
            }))
        }),
    },
    Bug {
        name: "id-cut-to-32-bits",
        description: "Of the id of a request only the lower 32 bits are taken.",
        breaks: "NEO-MUX-02",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if let (Phase::Open, Some(upper)) = (frame.phase, body.get_mut(4..8)) {
                    upper.fill(0);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "id-cut-to-31-bits",
        description: "Of the id of a request only the lower 31 bits are taken.",
        breaks: "NEO-MUX-02",
        seam: Seam::Input(|| {
            Box::new(OnBody(|frame, body| {
                if let (Phase::Open, Some(upper)) = (frame.phase, body.get_mut(3..8)) {
                    upper[0] &= 0x7f;
                    upper[1..].fill(0);
                }
                Reading::Take
            }))
        }),
    },
    Bug {
        name: "active-id-starts-another",
        description: "A message with the id of a GetHashRange starts a request with another id.",
        breaks: "NEO-MUX-05",
        seam: Seam::Input(|| Box::new(Renumbering::default())),
    },
    Bug {
        name: "answer-parity-wrong",
        description: "The parity in the headers of answers is wrong.",
        breaks: "NEO-FRAME-01",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Message {
                    bytes[HEADER_LEN - 1] ^= 1;
                }
            })
        }),
    },
    Bug {
        name: "answer-type-wrong",
        description: "Answers to requests have the type of the authentication.",
        breaks: "NEO-FRAME-02",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Message {
                    swap_type(bytes);
                }
            })
        }),
    },
    Bug {
        name: "nonce-type-wrong",
        description: "The nonce is sent in a message of the type of requests.",
        breaks: "NEO-FRAME-02",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Nonce {
                    swap_type(bytes);
                }
            })
        }),
    },
    Bug {
        name: "foreign-id-answered",
        description: "With every answer comes another one, for a request that nobody has made.",
        breaks: "NEO-MUX-01",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Message {
                    let status = SupportedStatus::Supported.encode();
                    bytes.extend(forge::request_message(u64::MAX, &status));
                }
            })
        }),
    },
    Bug {
        name: "earlier-answer-repeated",
        description: "A new connection receives the last answer of an earlier one behind its first.",
        breaks: "NEO-MUX-22",
        seam: Seam::Output(|| {
            let (mut last, mut stale) = (Vec::new(), None);
            Box::new(move |said, bytes: &mut Vec<u8>| match said {
                Said::Version | Said::Nonce => {}
                Said::Verdict => stale = Some(last.clone()),
                Said::Message => {
                    last.clone_from(bytes);
                    bytes.extend(stale.take().unwrap_or_default());
                }
            })
        }),
    },
    Bug {
        name: "range-with-surplus-byte",
        description: "The answer to GetHashRange ends with a byte that belongs to nothing.",
        breaks: "NEO-FRAME-03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::GetHashRange) && message.number == 1 {
                    true => Fate::changed([message.payload, &[0]].concat()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "range-big-endian",
        description: "The bounds that GetHashRange tells are in big-endian order.",
        breaks: "NEO-FRAME-04",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                if !message.is(RequestCode::GetHashRange) || message.number != 1 {
                    return Fate::Pass;
                }
                let mut payload = message.payload.to_vec();
                for bound in payload.rchunks_exact_mut(8) {
                    bound.reverse();
                }
                Fate::changed(payload)
            })
        }),
    },
    Bug {
        name: "value-without-count",
        description: "The value that Get sends does not begin with its length.",
        breaks: "NEO-FRAME-05",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match (message.is(RequestCode::Get), message.number) {
                    (true, 2) => Fate::changed(message.payload.get(8..).unwrap_or_default()),
                    _ => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "unsupported-answered-twice",
        description: "That a request is not supported is said twice.",
        breaks: "NEO-MUX-11",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let supported = message.payload == SupportedStatus::Supported.encode();
                match message.number == 0 && !supported {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "exists-unanswered-during-get-all",
        description: "Exists is not answered while a GetAll runs.",
        breaks: "NEO-MUX-14",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let busy = message.running.any(RequestCode::GetAll);
                match message.is(RequestCode::Exists) && busy {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "every-500th-message-lost",
        description: "Every 500th message of clients is lost.",
        breaks: "NEO-MUX-17",
        seam: Seam::Arriving(|| {
            let mut count = 0u64;
            Box::new(move |_: &Message<'_>| {
                count += 1;
                match count.is_multiple_of(500) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "ended-requests-counted",
        description: "The 5001st request of a connection closes it, however many have ended.",
        breaks: "NEO-MUX-21",
        seam: Seam::Arriving(|| {
            let mut counts = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                let count: &mut usize = counts.entry(message.connection).or_default();
                *count += usize::from(message.number == 0);
                match *count > Limits::default().active_requests {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "falling-id-closes",
        description: "A request whose id is below the one before closes the connection.",
        breaks: "NEO-MUX-02",
        seam: Seam::Arriving(|| {
            let mut last = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                let before = last.insert(message.connection, message.id);
                match message.number == 0 && before.is_some_and(|before| before > message.id) {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "id-reused-closes",
        description: "A request with an id that its connection has used before closes the connection.",
        breaks: "NEO-MUX-04",
        seam: Seam::Arriving(|| {
            let mut used = BTreeSet::new();
            Box::new(move |message: &Message<'_>| {
                let first = message.number == 0;
                match first && !used.insert((message.connection, message.id)) {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "ids-shared-by-connections",
        description: "A GetHashRange with the id of one on another connection closes the connection.",
        breaks: "NEO-MUX-03",
        seam: Seam::Arriving(|| {
            let mut owners = BTreeMap::new();
            Box::new(move |message: &Message<'_>| {
                if !message.is(RequestCode::GetHashRange) {
                    return Fate::Pass;
                }
                match *owners.entry(message.id).or_insert(message.connection) == message.connection
                {
                    true => Fate::Pass,
                    false => Fate::Close,
                }
            })
        }),
    },
    Bug {
        name: "value-count-cut",
        description: "A Put whose value is said to be longer than its message stores what is there.",
        breaks: "NEO-FRAME-19",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let cut = match message.is(RequestCode::Put) {
                    true => cut_value_count(message.payload),
                    false => None,
                };
                cut.map_or(Fate::Pass, Fate::changed)
            })
        }),
    },
    Bug {
        name: "hanging-up-makes-unusable",
        description: "After a connection of an authenticated client ended every new one is closed.",
        breaks: "NEO-ROBUST-18",
        seam: Seam::Closed(|departure| match departure.phase {
            Phase::Open => Reaction::Unusable,
            _ => Reaction::Close,
        }),
    },
];

fn skip_if(skip: bool) -> Reading {
    match skip {
        true => Reading::Skip,
        false => Reading::Take,
    }
}

/// The type byte of messages of this kind.
fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Request => REQUEST,
        Kind::Authentication => AUTHENTICATION,
    }
}

/// Is it longer than what the node takes?
fn is_huge(header: &RawHeader) -> bool {
    header.has_right_parity() && header.body_len > Limits::default().message
}

/// The message gets the type that it should not have.
fn swap_type(message: &mut [u8]) {
    message[0] ^= REQUEST ^ AUTHENTICATION;
    message[HEADER_LEN - 1] ^= REQUEST ^ AUTHENTICATION;
}

/// A Put with the length that its value has, if it says a larger one.
fn cut_value_count(put: &[u8]) -> Option<Vec<u8>> {
    let count_at = |at: usize| {
        let count = put.get(at..)?.first_chunk()?;
        usize::try_from(u64::from_le_bytes(*count)).ok()
    };
    // Behind code and version, the channel and the key.
    let at = count_at(2)?.checked_add(2 + 8 + 8)?;
    let there = put.len().checked_sub(at)?.checked_sub(8)?;
    (count_at(at)? > there).then(|| {
        let mut cut = put.to_vec();
        cut[at..at + 8].copy_from_slice(&(there as u64).to_le_bytes());
        cut
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

/// Looks at the parity when the body is there.
#[derive(Default)]
struct JudgedLate {
    wrong: bool,
}

impl InputBug for JudgedLate {
    fn header(&mut self, _: Phase, header: &mut RawHeader) -> Reading {
        self.wrong = !header.has_right_parity();
        header.parity = header.right_parity();
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

/// Gives messages another id whose id a GetHashRange has.
#[derive(Default)]
struct Renumbering {
    ids: BTreeSet<[u8; ID_LEN]>,
}

impl InputBug for Renumbering {
    fn body(&mut self, frame: &Frame, body: &mut Vec<u8>) -> Reading {
        let Some((id, payload)) = body.split_first_chunk_mut::<ID_LEN>() else {
            return Reading::Take;
        };
        if frame.phase != Phase::Open {
            return Reading::Take;
        }
        if *payload == [RequestCode::GetHashRange as u8, 0] {
            self.ids.insert(*id);
        } else if self.ids.contains(id) {
            id[ID_LEN - 1] ^= 0x40;
        }
        Reading::Take
    }
}
