//! Bugs of what all requests share: malformed first messages, the supported status, the last answer,
//! responsibility.

mod openings;

use dht_protocol::neo::Violation;
use dht_protocol::neo::request::get_hash_range::Range;
use dht_protocol::neo::request::{
    Host, RecordName, RequestCode, SupportedStatus, get, get_channels, get_hash_range, put, update,
};
use dht_protocol::{HashRange, Key};

use self::openings::{
    Fault, behind_odd_key, carry_out_malformed, first_fault, of_record, repaired, store_surplus,
    with_key, with_right_bools,
};
use crate::bugs::Bug;
use crate::bugs::reaction::Reaction;
use crate::bugs::seam::{Call, Fate, HostBug, Message, Seam};
use crate::bugs::wire::OnSegment;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "malformed-first-message-repaired",
        description: "A first message that is incomplete, or whose arrays claim too much, is taken for one \
            that is right.",
        breaks: "NEO-REQ-12",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match first_fault(message) {
                Some(Fault::Wrong) => repaired(message.payload).map_or(Fate::Pass, Fate::changed),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "malformed-first-message-carried-out",
        description: "A malformed first message is carried out as well as it can be, unanswered.",
        breaks: "NEO-REQ-13",
        seam: Seam::Input(|| Box::new(OnSegment(carry_out_malformed))),
    },
    Bug {
        name: "malformed-without-status",
        description: "A malformed first message closes the connection without a supported status.",
        breaks: "NEO-REQ-15",
        seam: Seam::Violation(|violation| match violation {
            Violation::Malformed { .. } => Reaction::CloseMute,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "short-opening-ignored",
        description: "A first message without a command is ignored and the connection stays open.",
        breaks: "NEO-MUX-08",
        seam: Seam::Violation(|violation| match violation {
            Violation::NoCommand { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "unsupported-answered",
        description: "A request that is not supported is answered with an Error behind its status.",
        breaks: "NEO-REQ-07",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.payload {
                [0xfe | 0xff] if message.number == 0 => {
                    Fate::Instead(vec![message.payload.to_vec(), vec![3]])
                }
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "status-missing",
        description: "Requests are answered without a supported status.",
        breaks: "NEO-REQ-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.number {
                0 => Fate::lost(),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "status-with-answer",
        description: "The supported status and the answer are one message.",
        breaks: "NEO-REQ-02",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.number {
                0 => Fate::lost(),
                1 => {
                    let status = SupportedStatus::Supported.encode();
                    Fate::changed([&status, message.payload].concat())
                }
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "status-always-twice",
        description: "The supported status of every request is sent twice.",
        breaks: "NEO-REQ-03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.number {
                0 => Fate::twice(message),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "known-request-unsupported",
        description: "Every request is said to be unknown, and carried out.",
        breaks: "NEO-REQ-04",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.number {
                0 => Fate::changed(SupportedStatus::NotSupported.encode()),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "answer-in-two-bytes",
        description: "An answer that is a type alone has a second byte, but for that of Put.",
        breaks: "NEO-REQ-10",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.payload {
                [code] if is_type_alone(message) => Fate::changed([*code, 0]),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "answer-of-unknown-type",
        description: "An answer that is a type alone, but for that of Put, has a type that no request defines.",
        breaks: "NEO-REQ-09",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.payload {
                [_] if is_type_alone(message) => Fate::changed([99]),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "last-answer-twice",
        description: "The last answer of every request is sent twice.",
        breaks: "NEO-REQ-11",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_last(message) {
                true => Fate::twice(message),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "surplus-stored",
        description: "Surplus bytes close the connection, and are stored as a record of the channel.",
        breaks: "NEO-REQ-16",
        seam: Seam::Input(|| Box::new(OnSegment(store_surplus))),
    },
    Bug {
        name: "surplus-changes-request",
        description: "A request with surplus bytes is taken for a GetHashRange, and that for a GetChannels.",
        breaks: "NEO-REQ-16",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match first_fault(message) {
                Some(Fault::Surplus(_)) if message.is(RequestCode::GetHashRange) => {
                    Fate::changed(get_channels::Open.encode())
                }
                Some(Fault::Surplus(_)) => Fate::changed(get_hash_range::Open.encode()),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "bools-not-checked",
        description: "A bool that is neither 0 nor 1 is taken for true.",
        breaks: "NEO-REQ-18",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match first_fault(message) {
                Some(Fault::Wrong) => with_right_bools(message.payload),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "hash-of-unreversed-key",
        description: "The bits of a key are not reversed before the hash range is looked at.",
        breaks: "NEO-REQ-19",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match of_record(message) {
                Some((channel, key)) => {
                    let key = Key(key.0.reverse_bits());
                    Fate::changed(with_key(message.payload, &channel, key))
                }
                None => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "range-start-excluded",
        description: "The first key of the hash range is answered WrongNode.",
        breaks: "NEO-REQ-20",
        seam: Seam::Host(|| {
            Box::new(Narrowed(|range| {
                HashRange::new(range.min().saturating_add(1), range.max())
            }))
        }),
    },
    Bug {
        name: "range-upper-half-refused",
        description: "Keys of the upper half of the hash range are answered WrongNode.",
        breaks: "NEO-REQ-23",
        seam: Seam::Host(|| {
            Box::new(Narrowed(|range| {
                HashRange::new(range.min(), range.min() / 2 + range.max() / 2)
            }))
        }),
    },
    Bug {
        name: "range-announced-empty",
        description: "GetHashRange says that the hash range is empty.",
        breaks: "NEO-REQ-22",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                if !message.is(RequestCode::GetHashRange) || message.number != 1 {
                    return Fate::Pass;
                }
                let mut payload = Vec::new();
                Range(HashRange::EMPTY).encode(&mut payload);
                Fate::changed(payload)
            })
        }),
    },
    Bug {
        name: "odd-keys-stored-elsewhere",
        description: "A request for an odd key, which is not in the lower half of the hash range, stores a \
            record under the even key below it.",
        breaks: "NEO-REQ-24",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                behind_odd_key(message, |record| {
                    let value = "odd".into();
                    put::Open { record, value }.encode()
                })
            })
        }),
    },
    Bug {
        name: "odd-keys-create-channels",
        description: "A request for an odd key, which is not in the lower half of the hash range, creates \
            its channel.",
        breaks: "NEO-REQ-25",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                behind_odd_key(message, |record| record.opening(RequestCode::Exists))
            })
        }),
    },
    Bug {
        name: "whole-node-requests-fail",
        description: "GetAll, Mirror, GetChannels and RemoveChannel are answered Error.",
        breaks: "NEO-REQ-26",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match (message.request, message.number) {
                    (Some(RequestCode::GetAll | RequestCode::Mirror), 1) => Fate::changed([6]),
                    (Some(RequestCode::GetChannels), 1) => Fate::changed([1]),
                    (Some(RequestCode::RemoveChannel), 1) => Fate::changed([3]),
                    _ => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "reads-remove-the-record",
        description: "Get, Exists and GetRecord remove the record that they have read.",
        breaks: "NEO-REQ-28",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let Some((channel, key)) = of_record(message) else {
                    return Fate::Pass;
                };
                let removal = match message.request {
                    Some(RequestCode::Get | RequestCode::Exists) => {
                        RecordName { channel, key }.opening(RequestCode::Remove)
                    }
                    Some(RequestCode::Update) if message.payload.get(2) == Some(&1) => {
                        update::FromClient::RemoveRecord.encode()
                    }
                    _ => return Fate::Pass,
                };
                Fate::Instead(vec![message.payload.to_vec(), removal])
            })
        }),
    },
];

/// Is it an answer that is a type alone? Those of Put are left, so that there can be records.
fn is_type_alone(message: &Message<'_>) -> bool {
    message.number > 0 && message.payload.len() == 1 && !message.is(RequestCode::Put)
}

/// Is it the message after which nothing comes?
fn is_last(message: &Message<'_>) -> bool {
    let Some(request) = message.request else {
        return false;
    };
    match (request, message.payload) {
        _ if message.number == 0 => false,
        (RequestCode::Get, [code]) => *code != get::Reply::Got as u8,
        (RequestCode::Get, _) => true,
        (RequestCode::Mirror | RequestCode::GetAll, [code]) => *code != 5,
        (_, payload) => payload.len() == 1,
    }
}

/// Looks at another hash range than it tells.
struct Narrowed(fn(HashRange) -> Option<HashRange>);

impl HostBug for Narrowed {
    fn range(&self, host: &dyn Host, call: Call) -> HashRange {
        let range = host.range();
        match call.is(RequestCode::GetHashRange) {
            true => range,
            false => (self.0)(range).unwrap_or(range),
        }
    }
}
