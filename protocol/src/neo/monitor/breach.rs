//! What is wrong with a message.

use std::error::Error;
use std::fmt;

use thiserror::Error;

use crate::codec::DecodeError;
use crate::neo::dissect::Side;
use crate::neo::request::{RequestCode, SupportedStatus};
use crate::neo::violation::Violation;

/// A message that the protocol does not allow where it was heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Breach {
    /// Who sent it.
    pub side: Side,
    /// Of which request it is, as far as that is known.
    pub request: Option<RequestCode>,
    /// The id that it bears.
    pub id: u64,
    /// The property of `neo-requests.md` section 16 that it breaks, such as "P30", or the section of the
    /// specification that rules it out.
    pub rule: &'static str,
    /// What is wrong with it.
    pub what: Wrong,
}

/// What is wrong with a message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Wrong {
    /// It has the reserved id.
    #[error("the request id 0 is reserved")]
    ZeroId,
    /// The request's own half does not accept it.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// No request with its id is under way.
    #[error("a message came with the id of a request that was never started")]
    NothingOpen,
    /// The request had ended.
    #[error("a message came after the end of the request, which was {0}")]
    Over(Last),
    /// The node has nothing more to say, and the client has not acknowledged that yet.
    #[error("{message} came behind the final message")]
    BehindFinal {
        /// What came.
        message: &'static str,
    },
    /// More than a suspended request may send.
    #[error("{message} came while the request was suspended, and at most {limit} may")]
    Suspended {
        /// What came.
        message: &'static str,
        /// How many may come.
        limit: u32,
    },
    /// A first message that cannot be read.
    #[error("a first message that cannot be read: {0}")]
    Opening(DecodeError),
    /// A first message of no request.
    #[error("a first message of something else: {0}")]
    Unknown(SupportedStatus),
    /// A first message that a client does not send, whatever its user asks for.
    #[error("a first message that no user can ask for")]
    NobodysOpening,
    /// A first message with the id of a request that is under way.
    #[error("another request was started with the id of one that is under way")]
    IdTaken,
    /// Whatever the user says, a client does not send this now.
    #[error("{message} is nothing that a client sends in the state {state}")]
    NotNow {
        /// What was sent.
        message: &'static str,
        /// The state of the client's half.
        state: &'static str,
    },
}

/// The last message of a request that has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Last {
    /// The request.
    pub request: RequestCode,
    /// Who sent the message.
    pub from: Side,
    /// What it was.
    pub message: &'static str,
}

impl Breach {
    pub(super) fn new(side: Side, request: Option<RequestCode>, id: u64, what: Wrong) -> Self {
        Self {
            side,
            request,
            id,
            rule: what.rule(side, request),
            what,
        }
    }
}

impl Last {
    /// Did the node say that it does not know the request?
    pub fn is_unsupported(&self) -> bool {
        use SupportedStatus::{NotSupported, VersionNotSupported};
        [NotSupported, VersionNotSupported]
            .map(SupportedStatus::name)
            .contains(&self.message)
    }

    /// Was it the node's Ack of Stop?
    pub fn is_stopped(&self) -> bool {
        self.from == Side::Node && self.message == super::name::ACK
    }
}

impl Wrong {
    fn rule(&self, side: Side, request: Option<RequestCode>) -> &'static str {
        let section = request.map_or("neo-transport 8.3", RequestCode::section);
        match self {
            Self::ZeroId | Self::NothingOpen => "neo-transport 8.2",
            Self::Violation(violation) => violation.section(),
            Self::Over(_) if side == Side::Client => "P06",
            Self::Over(last) if last.is_unsupported() => "P02",
            Self::Over(last) if last.is_stopped() => "P30",
            Self::Over(_) => "neo-requests 15.2",
            Self::BehindFinal { message } if *message == super::name::ACK => "P28",
            Self::BehindFinal { .. } => "neo-requests 2.8",
            Self::Suspended { .. } => "P31",
            Self::Unknown(_) => "neo-transport 8.3",
            Self::IdTaken => "P11",
            Self::Opening(_) | Self::NobodysOpening => section,
            Self::NotNow { .. } => match request {
                Some(RequestCode::GetAll | RequestCode::Mirror) => "P27",
                _ => section,
            },
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Client => "the client",
            Side::Node => "the node",
        };
        write!(f, "{side} broke {} in request #{}", self.rule, self.id)?;
        if let Some(request) = self.request {
            write!(f, " ({request})")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl Error for Breach {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.what)
    }
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.from {
            Side::Client => "the client's",
            Side::Node => "the node's",
        };
        write!(f, "{from} \"{}\"", self.message)
    }
}
