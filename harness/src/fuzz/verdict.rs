//! What a node may do about each defect: one table for both protocols.
//!
//! * `neo`, `legacy`: the verdict over what it did, and what requirement it breaks if that was something else.

pub(super) mod legacy;
pub(super) mod neo;

use dht_protocol::legacy::Status as LegacyStatus;
use dht_protocol::neo::request::SupportedStatus;
use dht_requirements::{self as req, Requirement};
use dht_workload::case::Defect;

/// What became of a connection on which something wrong was said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    /// The node closed it.
    Closed,
    /// A request behind it was answered.
    Alive,
    /// Nothing came any more, and it stayed open.
    Stuck,
}

/// What is right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Allowed {
    /// The connection ends, and nothing is said.
    Closed(&'static Requirement),
    /// Only this status is said, and the connection stays.
    Status(&'static Requirement, SupportedStatus),
    /// Only this status is said, of the legacy protocol, and the connection stays.
    Refusal(&'static Requirement, LegacyStatus),
    /// The connection ends and nothing is said; or this status is, and the connection stays.
    ClosedOr(&'static Requirement, LegacyStatus),
    /// The connection ends and nothing is said; or it is served, and the connection stays.
    ClosedOrServed(&'static Requirement),
    /// The connection ends, whatever is said before.
    Ends(&'static Requirement),
    /// Nothing is carried out; the connection should end, for this reason.
    Refused(&'static Requirement),
    /// It is carried out or not; but the connection ends or stays usable.
    Anything(&'static Requirement),
    /// It is carried out like any other request, and the connection stays.
    Served(&'static Requirement),
    /// It is carried out, and then the connection ends.
    Answered(&'static Requirement),
    /// There is nobody to see what is done; others must not suffer.
    Harmless(&'static Requirement),
}

impl After {
    /// In words.
    fn words(self) -> &'static str {
        match self {
            Self::Closed => "was closed",
            Self::Alive => "stayed usable",
            Self::Stuck => "stayed open without an answer",
        }
    }
}

impl Allowed {
    /// What the node may do about this defect.
    pub(super) fn about(defect: Defect) -> Self {
        use Allowed::{
            Answered, Anything, Closed, ClosedOr, ClosedOrServed, Ends, Harmless, Refusal, Refused,
            Served, Status,
        };
        match defect {
            Defect::BadParity => Closed(&req::FRAME_PARITY_CHECKED),
            Defect::UnknownType => Closed(&req::FRAME_TYPE_UNKNOWN_DROPPED),
            Defect::AuthenticationType => Closed(&req::FRAME_AUTH_TYPE_DROPPED),
            Defect::LengthBelowId => Closed(&req::FRAME_NO_ROOM_FOR_ID),
            Defect::HugeLength => Closed(&req::ROBUST_LENGTH_DROPPED),
            Defect::Garbage => Closed(&req::FRAME_PARITY_CHECKED),
            Defect::BehindWrongHeader => Closed(&req::FRAME_TYPE_UNKNOWN_DROPPED),
            Defect::ZeroId => Closed(&req::MUX_ZERO_ID_DROPPED),
            Defect::NoCommand | Defect::WordAfterEnd => Closed(&req::MUX_NO_COMMAND),
            Defect::UnknownCode => Status(&req::MUX_UNKNOWN_CODE, SupportedStatus::NotSupported),
            Defect::UnknownVersion => Status(
                &req::MUX_UNKNOWN_VERSION,
                SupportedStatus::VersionNotSupported,
            ),
            Defect::Truncated => Refused(&req::REQ_TRUNCATED_NO_SUCCESS),
            Defect::ArrayTooLong => Refused(&req::FRAME_ARRAY_BEYOND_BODY),
            Defect::BadBool => Refused(&req::REQ_BOOL_STRICT),
            Defect::Surplus => Anything(&req::REQ_SURPLUS_ALL_OR_NOTHING),
            Defect::UnknownUpdateType => Closed(&req::UPDATE_OPENING_UNKNOWN),
            Defect::UnknownDecision => Closed(&req::UPDATE_DECISION_UNKNOWN),
            Defect::RepeatedOpening => Anything(&req::MUX_ACTIVE_ID_TAKEN),
            Defect::UnknownControl => Closed(&req::CTL_UNKNOWN_CLOSES),
            Defect::UndueAck => Closed(&req::CTL_UNDUE_ACK_CLOSES),
            Defect::EmptyControl => Closed(&req::CTL_EMPTY_CLOSES),
            Defect::HastyControl => Served(&req::CTL_PIPELINED_ACKED),
            Defect::Trickled => Served(&req::FRAME_SPLIT),
            Defect::CutInHeader | Defect::CutInBody => Harmless(&req::FRAME_INCOMPLETE_DISCARDED),
            Defect::ClosedUnread => Harmless(&req::ROBUST_CLOSED_UNREAD),
            Defect::Reset => Harmless(&req::ROBUST_RESET_ANSWERING),
            Defect::HalfClose => Answered(&req::ROBUST_HALF_CLOSE_ANSWERED),
            Defect::WrongVersion => Closed(&req::CONN_WRONG_VERSION_DROPPED),
            Defect::LoginBadHeader => Closed(&req::AUTH_HEADER_CHECKED),
            Defect::LoginHugeLength => Closed(&req::AUTH_MESSAGE_LIMIT),
            Defect::LoginTruncated => Closed(&req::AUTH_CODE_LENGTH),
            Defect::LoginWrongCode => Closed(&req::AUTH_WRONG_KEY),
            Defect::LoginTooEarly => Closed(&req::AUTH_REQUEST_TOO_EARLY),
            Defect::LoginBehindCode => Closed(&req::ROBUST_WRONG_BEHIND_CODE),
            Defect::LoginAbandoned => Harmless(&req::ROBUST_CLOSED_ANY_PHASE),
            Defect::Unread => Harmless(&req::ROBUST_UNREAD_OTHERS_SERVED),
            Defect::TooManyRequests => Closed(&req::MUX_ACTIVE_LIMIT),
            Defect::LoginLegacyOrder => Closed(&req::CONN_WRONG_VERSION_DROPPED),
            Defect::LegacyUnknownCommand | Defect::LegacyNeoGreeting => {
                Closed(&req::LEG_CONN_UNKNOWN_COMMAND)
            }
            Defect::LegacyBehindUnknown => Closed(&req::LEG_CONN_UNKNOWN_BEHIND),
            Defect::LegacyBeforeUnknown => Answered(&req::LEG_CONN_UNKNOWN_BEFORE),
            Defect::LegacyGarbage => Ends(&req::LEG_ROBUST_GARBAGE),
            Defect::LegacyTruncated => Closed(&req::LEG_CONN_CUT_OFF),
            Defect::LegacyCut => Harmless(&req::LEG_CONN_CUT_OFF),
            Defect::LegacyClosedUnread | Defect::LegacyReset => {
                Harmless(&req::LEG_ROBUST_CLOSED_ANSWERING)
            }
            Defect::LegacyHalfClose => Answered(&req::LEG_CONN_HALF_CLOSE_ANSWERED),
            Defect::LegacyTrickled => Served(&req::LEG_CONN_PIECES),
            Defect::LegacyPipelined => Served(&req::LEG_CONN_PIPELINING),
            Defect::LegacyLongArray => Closed(&req::LEG_CONN_ARRAY_TOO_LONG),
            Defect::LegacyImmenseArray => Closed(&req::LEG_ROBUST_LENGTH_IMMENSE),
            Defect::LegacyBadName => Refusal(&req::LEG_NAME_BAD, LegacyStatus::BadChannelName),
            Defect::LegacyBadNameAndMore => {
                Refusal(&req::LEG_NAME_FIRST, LegacyStatus::BadChannelName)
            }
            Defect::LegacyBadKey | Defect::LegacyBatchKey => {
                ClosedOrServed(&req::LEG_KEY_MALFORMED)
            }
            Defect::LegacyEmptyValue => Refusal(&req::LEG_PUT_EMPTY, LegacyStatus::EmptyValue),
            Defect::LegacyLargeValue => Refusal(&req::LEG_PUT_TOO_BIG, LegacyStatus::ValueTooBig),
            Defect::LegacyEmptyFilter => Ends(&req::LEG_GETALL_FILTER_EMPTY),
            Defect::LegacyBatchStream => Closed(&req::LEG_PUTBATCH_GARBAGE),
            Defect::LegacyBatchSize => Closed(&req::LEG_PUTBATCH_SIZE),
            Defect::LegacyBatchImmense => Closed(&req::LEG_PUTBATCH_HUGE),
            Defect::LegacyBatchSwelling => Ends(&req::LEG_PUTBATCH_HUGE),
            Defect::LegacyBatchEntries => Closed(&req::LEG_PUTBATCH_ENTRIES),
            Defect::LegacyListenBadName => {
                Refusal(&req::LEG_LISTEN_BAD_NAME, LegacyStatus::BadChannelName)
            }
            Defect::LegacyListenClosed => Harmless(&req::LEG_LISTEN_DROPPED),
            Defect::LegacyListenUnread => Harmless(&req::LEG_LISTEN_UNREAD),
            Defect::LegacyListenInterrupted => Served(&req::LEG_LISTEN_INPUT_ENDS),
            Defect::LegacyListenHalfClose => Closed(&req::LEG_LISTEN_HALF_CLOSE),
            Defect::LegacyUnread => Harmless(&req::LEG_ROBUST_UNREAD),
            Defect::LegacySilent => Harmless(&req::LEG_ROBUST_SLOW_SENDER),
            Defect::LegacyRedistributeRange => {
                ClosedOr(&req::LEG_REDIST_INVALID, LegacyStatus::Error)
            }
            Defect::LegacyRedistributeNode => {
                ClosedOr(&req::LEG_REDIST_BAD_NODE, LegacyStatus::Error)
            }
        }
    }

    /// The requirement that says so.
    pub(super) fn requirement(self) -> &'static Requirement {
        match self {
            Self::Closed(requirement)
            | Self::Status(requirement, _)
            | Self::Refusal(requirement, _)
            | Self::ClosedOr(requirement, _)
            | Self::ClosedOrServed(requirement)
            | Self::Ends(requirement)
            | Self::Refused(requirement)
            | Self::Anything(requirement)
            | Self::Served(requirement)
            | Self::Answered(requirement)
            | Self::Harmless(requirement) => requirement,
        }
    }

    /// What is right, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Closed(_) => "the node closes the connection and says nothing",
            Self::Status(..) | Self::Refusal(..) => "the status alone, and the connection stays",
            Self::ClosedOr(..) => {
                "the node closes the connection and says nothing, or says an error, and the connection stays"
            }
            Self::ClosedOrServed(_) => {
                "the node closes the connection and says nothing, or serves it, and the connection stays"
            }
            Self::Ends(_) => "whatever is said, the node closes the connection",
            Self::Refused(_) => "no success and no effect; the connection should be closed",
            Self::Anything(_) => "whatever happens to it, the connection is closed or goes on",
            Self::Served(_) => "it is served like any other, and the connection stays",
            Self::Answered(_) => "it is answered, then the node closes the connection",
            Self::Harmless(_) => "nobody else suffers",
        }
    }
}
