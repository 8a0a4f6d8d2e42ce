//! What a client did wrong, by the one protocol or the other.

use dht_protocol::legacy;
use dht_protocol::neo::auth::Refusal;
use dht_protocol::neo::{Kind, Violation as Neo};
use dht_requirements::{self as req, Requirement};
use thiserror::Error;

/// What a client did that makes the node close the connection.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
pub enum Violation {
    /// On a neo connection.
    #[error(transparent)]
    Neo(#[from] Neo),
    /// On a legacy connection.
    #[error(transparent)]
    Legacy(#[from] legacy::Violation),
}

impl Violation {
    /// Where the specification states the rule.
    pub fn section(&self) -> &'static str {
        match self {
            Self::Neo(violation) => violation.section(),
            Self::Legacy(violation) => violation.section(),
        }
    }

    /// The requirement that makes a node close the connection, before the client is `authenticated` or
    /// after. The legacy protocol has none.
    pub fn requirement(&self, authenticated: bool) -> Option<&'static Requirement> {
        match self {
            Self::Neo(violation) if authenticated => of_open(violation),
            Self::Neo(violation) => of_handshake(violation),
            Self::Legacy(_) => None,
        }
    }
}

fn of_handshake(violation: &Neo) -> Option<&'static Requirement> {
    match violation {
        Neo::Parity { .. } | Neo::MessageType { .. } | Neo::NoRequestId { .. } => {
            Some(&req::AUTH_HEADER_CHECKED)
        }
        Neo::TooLong { .. } => Some(&req::AUTH_MESSAGE_LIMIT),
        violation => of_open(violation),
    }
}

fn of_open(violation: &Neo) -> Option<&'static Requirement> {
    Some(match violation {
        Neo::Version { .. } => &req::CONN_WRONG_VERSION_DROPPED,
        Neo::EarlyBytes { .. } => &req::CONN_EARLY_BYTES_DROPPED,
        Neo::Parity { .. } => &req::FRAME_PARITY_CHECKED,
        Neo::MessageType { .. } => &req::FRAME_TYPE_UNKNOWN_DROPPED,
        Neo::NoRequestId { .. } => &req::FRAME_NO_ROOM_FOR_ID,
        Neo::TooLong { .. } => &req::ROBUST_LENGTH_DROPPED,
        Neo::Phase { kind } => match kind {
            Kind::Authentication => &req::FRAME_AUTH_TYPE_DROPPED,
            Kind::Request => &req::AUTH_REQUEST_TOO_EARLY,
        },
        Neo::Authentication {
            message: "timestamp",
            ..
        } => &req::AUTH_TIMESTAMP_LENGTH,
        Neo::Authentication { .. } => &req::AUTH_MALFORMED_SILENT,
        Neo::Refused(refusal) => match refusal {
            Refusal::Name { .. } | Refusal::Unknown { .. } => &req::AUTH_UNKNOWN_NAME,
            Refusal::Clock { timestamp, now, .. } if timestamp > now => &req::AUTH_TIMESTAMP_FUTURE,
            Refusal::Clock { .. } => &req::AUTH_TIMESTAMP_PAST,
            // A wrong code, the last thing that is looked at.
            _ => &req::AUTH_WRONG_KEY,
        },
        Neo::ZeroRequestId => &req::MUX_ZERO_ID_DROPPED,
        Neo::NoCommand { .. } => &req::MUX_NO_COMMAND,
        Neo::TooManyRequests { .. } => &req::MUX_ACTIVE_LIMIT,
        Neo::Malformed { .. } => &req::REQ_MALFORMED_CLOSES,
        Neo::Unexpected { .. } => &req::MUX_OUT_OF_TURN_DROPPED,
        // Only a client meets what else there is.
        _ => return None,
    })
}
