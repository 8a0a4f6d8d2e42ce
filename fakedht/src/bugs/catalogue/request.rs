//! Bugs of what all requests share: malformed messages, the supported status, the last answer,
//! responsibility.

use dht_protocol::neo::Violation;
use dht_protocol::neo::request::{
    RecordName, RequestCode, SupportedStatus, get, get_all, get_channels, get_hash_range, mirror,
    put, remove_channel, update,
};
use dht_protocol::{HashRange, Key};
use dht_requirements as req;

use super::get_hash_range::{is_range, range_payload};
use super::openings::{
    Fault, behind_odd_key, carry_out_malformed, first_fault, of_record, repaired, store_surplus,
    with_key, with_right_bools,
};
use crate::bugs::Bug;
use crate::bugs::fate::{
    Fate, arriving, becoming, held, instead, leaving, lost, twice, with_surplus,
};
use crate::bugs::host_bug::responsible_for;
use crate::bugs::message::{FromNode, Message, answer, any, nth};
use crate::bugs::reaction::{Reaction, broken};
use crate::bugs::seam::Seam;
use crate::bugs::wire::segments;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "status-missing",
        description: "Requests are answered without a supported status.",
        breaks: &req::REQ_STATUS_FIRST,
        seam: || leaving(lost(is_status)),
    },
    Bug {
        name: "status-behind-answer",
        description: "The supported status of a Put comes behind its answer.",
        breaks: &req::REQ_STATUS_FIRST,
        seam: || leaving(held(nth(RequestCode::Put, 0))),
    },
    Bug {
        name: "status-with-answer",
        description: "The supported status and the answer are one message.",
        breaks: &req::REQ_STATUS_ALONE,
        seam: || {
            leaving(|message| match message.number {
                0 => Fate::lost(),
                1 => {
                    let status = SupportedStatus::Supported.encode();
                    Fate::changed([&status, message.payload].concat())
                }
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "status-always-twice",
        description: "The supported status of every request is sent twice.",
        breaks: &req::REQ_STATUS_ONCE,
        seam: || leaving(twice(is_status)),
    },
    Bug {
        name: "status-sent-twice",
        description: "The supported status of Exists is sent twice.",
        breaks: &req::REQ_STATUS_ONCE,
        seam: || leaving(twice(nth(RequestCode::Exists, 0))),
    },
    Bug {
        name: "known-request-unsupported",
        description: "Every request is said to be unknown, and carried out.",
        breaks: &req::REQ_SUPPORTED,
        seam: || leaving(instead(is_status, SupportedStatus::NotSupported.encode())),
    },
    Bug {
        name: "unknown-request-supported",
        description: "A request with an unknown code is answered as if it were supported.",
        breaks: &req::REQ_CODE_UNKNOWN,
        seam: || supported(SupportedStatus::NotSupported),
    },
    Bug {
        name: "unknown-version-supported",
        description: "A request with an unknown version is answered as if it were supported.",
        breaks: &req::REQ_VERSION_UNKNOWN,
        seam: || supported(SupportedStatus::VersionNotSupported),
    },
    Bug {
        name: "unsupported-answered",
        description: "A request that is not supported is answered with an Error behind its status.",
        breaks: &req::REQ_UNSUPPORTED_ENDS,
        seam: || {
            let error = put::Reply::Error.encode();
            leaving(becoming(is_refused, move |message| {
                Fate::followed(message, error)
            }))
        },
    },
    Bug {
        name: "get-never-answers",
        description: "A Get is never answered.",
        breaks: &req::REQ_ANSWERED,
        seam: || leaving(lost(any(RequestCode::Get))),
    },
    Bug {
        name: "get-all-never-finishes",
        description: "GetAll sends no Finished.",
        breaks: &req::REQ_ANSWERED,
        seam: || leaving(lost(answer(get_all::FromNode::Finished))),
    },
    Bug {
        name: "get-channels-never-finishes",
        description: "GetChannels sends no Finished.",
        breaks: &req::REQ_ANSWERED,
        seam: || leaving(lost(answer(get_channels::FromNode::Finished))),
    },
    Bug {
        name: "answer-of-unknown-type",
        description: "An answer that is a type alone, but for that of Put, has a type that no request defines.",
        breaks: &req::REQ_ANSWER_DEFINED,
        seam: || leaving(instead(is_type_alone, [99])),
    },
    Bug {
        name: "answer-in-two-bytes",
        description: "An answer that is a type alone has a second byte, but for that of Put.",
        breaks: &req::REQ_ANSWER_EXACT,
        seam: || leaving(with_surplus(is_type_alone)),
    },
    Bug {
        name: "last-answer-twice",
        description: "The last answer of every request is sent twice.",
        breaks: &req::REQ_ANSWER_LAST,
        seam: || leaving(twice(is_last)),
    },
    Bug {
        name: "put-answered-twice",
        description: "The answer to a Put is sent twice.",
        breaks: &req::REQ_ANSWER_LAST,
        seam: || leaving(twice(answer(put::Reply::Put))),
    },
    Bug {
        name: "malformed-first-message-repaired",
        description: "A first message that is incomplete, or whose arrays claim too much, is taken for one \
            that is right.",
        breaks: &req::REQ_TRUNCATED_NO_SUCCESS,
        seam: || {
            arriving(|message| match first_fault(message) {
                Some(Fault::Wrong) => Fate::changed_if(repaired(message.payload)),
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "malformed-first-message-carried-out",
        description: "A malformed first message is carried out as well as it can be, unanswered.",
        breaks: &req::REQ_TRUNCATED_NO_EFFECT,
        seam: || segments(carry_out_malformed),
    },
    Bug {
        name: "malformed-request-ignored",
        description: "A malformed message of a request is ignored and the connection stays open.",
        breaks: &req::REQ_MALFORMED_CLOSES,
        seam: || broken(is_malformed, Reaction::Ignore),
    },
    Bug {
        name: "malformed-without-status",
        description: "A malformed first message closes the connection without a supported status.",
        breaks: &req::REQ_MALFORMED_STATUS,
        seam: || broken(is_malformed, Reaction::CloseMute),
    },
    Bug {
        name: "surplus-stored",
        description: "Surplus bytes close the connection, and are stored as a record of the channel.",
        breaks: &req::REQ_SURPLUS_ALL_OR_NOTHING,
        seam: || segments(store_surplus),
    },
    Bug {
        name: "surplus-changes-request",
        description: "A request with surplus bytes is taken for a GetHashRange, and that for a GetChannels.",
        breaks: &req::REQ_SURPLUS_ALL_OR_NOTHING,
        seam: || {
            arriving(|message| match first_fault(message) {
                Some(Fault::Surplus(_)) if message.is(RequestCode::GetHashRange) => {
                    Fate::changed(get_channels::Open.encode())
                }
                Some(Fault::Surplus(_)) => Fate::changed(get_hash_range::Open.encode()),
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "bools-not-checked",
        description: "A bool that is neither 0 nor 1 is taken for true.",
        breaks: &req::REQ_BOOL_STRICT,
        seam: || {
            arriving(|message| match first_fault(message) {
                Some(Fault::Wrong) => Fate::changed_if(with_right_bools(message.payload)),
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "hash-of-unreversed-key",
        description: "The bits of a key are not reversed before the hash range is looked at.",
        breaks: &req::REQ_HASH_REVERSED,
        seam: || {
            arriving(|message| {
                let unreversed = of_record(message).map(|record| {
                    let key = Key(record.key.0.reverse_bits());
                    with_key(message.payload, &record.channel, key)
                });
                Fate::changed_if(unreversed)
            })
        },
    },
    Bug {
        name: "range-not-checked",
        description: "Requests for keys outside the node's hash range are carried out.",
        breaks: &req::REQ_HASH_REVERSED,
        seam: || responsible_for(|_| Some(HashRange::FULL)),
    },
    Bug {
        name: "range-start-excluded",
        description: "The first key of the hash range is answered WrongNode.",
        breaks: &req::REQ_RANGE_MIN_INCLUSIVE,
        seam: || {
            responsible_for(|range| HashRange::new(range.min().saturating_add(1), range.max()))
        },
    },
    Bug {
        name: "range-end-excluded",
        description: "The last key of the hash range is answered WrongNode.",
        breaks: &req::REQ_RANGE_MAX_INCLUSIVE,
        seam: || responsible_for(|range| HashRange::new(range.min(), range.max().checked_sub(1)?)),
    },
    Bug {
        name: "range-announced-empty",
        description: "GetHashRange says that the hash range is empty.",
        breaks: &req::REQ_RANGE_EMPTY,
        seam: || leaving(instead(is_range, range_payload(HashRange::EMPTY))),
    },
    Bug {
        name: "range-upper-half-refused",
        description: "Keys of the upper half of the hash range are answered WrongNode.",
        breaks: &req::REQ_INSIDE_SERVED,
        seam: || {
            responsible_for(|range| HashRange::new(range.min(), range.min() / 2 + range.max() / 2))
        },
    },
    Bug {
        name: "odd-keys-stored-elsewhere",
        description: "A request for an odd key, which is not in the lower half of the hash range, stores a \
            record under the even key below it.",
        breaks: &req::REQ_WRONG_NODE_NO_RECORD,
        seam: || {
            arriving(|message| {
                behind_odd_key(message, |record| {
                    let value = "odd".into();
                    put::Open { record, value }.encode()
                })
            })
        },
    },
    Bug {
        name: "odd-keys-create-channels",
        description: "A request for an odd key, which is not in the lower half of the hash range, creates \
            its channel.",
        breaks: &req::REQ_WRONG_NODE_NO_CHANNEL,
        seam: || {
            arriving(|message| {
                behind_odd_key(message, |record| record.opening(RequestCode::Exists))
            })
        },
    },
    Bug {
        name: "whole-node-requests-fail",
        description: "GetAll, Mirror, GetChannels and RemoveChannel are answered Error.",
        breaks: &req::REQ_WHOLE_NODE,
        seam: || {
            leaving(|message| {
                let error = match (message.request, message.number) {
                    (Some(RequestCode::GetAll), 1) => get_all::FromNode::Error.payload(),
                    (Some(RequestCode::Mirror), 1) => mirror::FromNode::Error.payload(),
                    (Some(RequestCode::GetChannels), 1) => get_channels::FromNode::Error.payload(),
                    (Some(RequestCode::RemoveChannel), 1) => remove_channel::Reply::Error.payload(),
                    _ => return Fate::Pass,
                };
                Fate::changed(error)
            })
        },
    },
    Bug {
        name: "reads-remove-the-record",
        description: "Get, Exists and GetRecord remove the record that they have read.",
        breaks: &req::REQ_READS_ONLY,
        seam: || {
            arriving(|message| match removal_behind(message) {
                Some(removal) => Fate::followed(message, removal),
                None => Fate::Pass,
            })
        },
    },
];

fn is_malformed(violation: &Violation) -> bool {
    matches!(violation, Violation::Malformed { .. })
}

fn is_status(message: &Message<'_>) -> bool {
    message.is_first()
}

/// Does it say that a request is not supported?
pub(super) fn is_refused(message: &Message<'_>) -> bool {
    is_status(message) && message.payload != SupportedStatus::Supported.encode()
}

/// Requests that this is said of are said to be supported.
fn supported(status: SupportedStatus) -> Seam {
    let refused =
        move |message: &Message<'_>| is_status(message) && message.payload == status.encode();
    leaving(instead(refused, SupportedStatus::Supported.encode()))
}

/// Is it an answer that is a type alone? Those of Put are left, so that there can be records.
fn is_type_alone(message: &Message<'_>) -> bool {
    !message.is_first() && message.payload.len() == 1 && !message.is(RequestCode::Put)
}

/// Is it the message after which nothing comes?
fn is_last(message: &Message<'_>) -> bool {
    let Some(request) = message.request else {
        return false;
    };
    let type_alone = message.payload.len() == 1;
    match request {
        _ if is_status(message) => false,
        RequestCode::Get => !type_alone || message.said() != Some(get::Reply::Got),
        RequestCode::Mirror => type_alone && message.said() != Some(mirror::FromNode::Started),
        RequestCode::GetAll => type_alone && message.said() != Some(get_all::FromNode::Started),
        _ => type_alone,
    }
}

/// The message that removes what this one reads.
fn removal_behind(message: &Message<'_>) -> Option<Vec<u8>> {
    let record: RecordName = of_record(message)?;
    match message.request? {
        RequestCode::Get | RequestCode::Exists => Some(record.opening(RequestCode::Remove)),
        RequestCode::Update => match message.opens()? {
            update::Open::GetRecord(_) => Some(update::FromClient::RemoveRecord.encode()),
            update::Open::UpdateRecord(..) => None,
        },
        _ => None,
    }
}
