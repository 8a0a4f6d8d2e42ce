//! What a peer did that the protocol forbids. Whoever notices one closes the connection and tells the
//! reason; nothing is sent to the peer.

use thiserror::Error;

use super::auth::Refusal;
use super::header::HEADER_LEN;
use super::request::RequestCode;
use crate::codec::DecodeError;

/// A rule of the protocol that the peer broke; [`Violation::section`] says where the rule stands.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Violation {
    /// The peer speaks another version of the protocol.
    #[error(
        "the peer speaks version {version} of the protocol, not {}",
        super::VERSION
    )]
    Version {
        /// The peer's version.
        version: u8,
    },
    /// Bytes came together with the version byte; the peer did not wait for ours.
    #[error("{extra} bytes came with the version byte, before it was answered")]
    EarlyBytes {
        /// How many.
        extra: usize,
    },
    /// The ten bytes of a header do not XOR to 0.
    #[error("the parity of the header is wrong ({header:02x?})")]
    Parity {
        /// The header as it came.
        header: [u8; HEADER_LEN],
    },
    /// A header with a type that does not exist.
    #[error("there is no message type {code}")]
    MessageType {
        /// The type.
        code: u8,
    },
    /// A request message too short for its request id.
    #[error("a request message of {body_len} bytes has no room for a request id")]
    NoRequestId {
        /// Length of the body, in bytes.
        body_len: u64,
    },
    /// A message longer than this side accepts.
    #[error("a message of {body_len} bytes is announced, {limit} are accepted")]
    TooLong {
        /// Announced length of the body, in bytes.
        body_len: u64,
        /// What is accepted, in bytes.
        limit: u64,
    },
    /// An authentication message after the authentication, or a request message before its end.
    #[error("{kind} message in the wrong phase of the connection")]
    Phase {
        /// What came.
        kind: super::Kind,
    },
    /// A message of the authentication with a wrong layout.
    #[error("malformed {message} message: {error}")]
    Authentication {
        /// Which message.
        message: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The client was not let in; it has been told so.
    #[error("authentication refused: {0}")]
    Refused(Refusal),
    /// The node did not let this client in. It does not say why.
    #[error("the node refused the client's name or key, or its clock")]
    Rejected,
    /// A message with request id 0.
    #[error("request id 0 is reserved")]
    ZeroRequestId,
    /// The first message of a request without a request code and version.
    #[error(
        "the first message of request {id} has {len} bytes, too few for a request code and version"
    )]
    NoCommand {
        /// The request.
        id: u64,
        /// Bytes of the payload.
        len: usize,
    },
    /// More requests on one connection than the node serves.
    #[error("more than {limit} requests active on the connection")]
    TooManyRequests {
        /// How many are served.
        limit: usize,
    },
    /// A message that its request cannot understand.
    #[error("{request}: malformed {message} message: {error}")]
    Malformed {
        /// The request.
        request: RequestCode,
        /// Which message.
        message: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A well-formed message at a moment when the request allows it not.
    #[error("{request}: {message} is not allowed {state}")]
    Unexpected {
        /// The request.
        request: RequestCode,
        /// What came.
        message: &'static str,
        /// When, as in "after Stop".
        state: &'static str,
    },
}

impl Violation {
    /// Where the specification states the rule.
    pub fn section(&self) -> &'static str {
        match self {
            Self::Version { .. } | Self::EarlyBytes { .. } => "neo-transport 3",
            Self::Parity { .. }
            | Self::MessageType { .. }
            | Self::NoRequestId { .. }
            | Self::Phase { .. } => "neo-transport 4.1",
            Self::TooLong { .. } => "neo-transport 4.2",
            Self::Authentication { .. } | Self::Rejected => "neo-transport 6",
            Self::Refused(_) => "neo-transport 6.1",
            Self::ZeroRequestId => "neo-transport 8.2",
            Self::NoCommand { .. } => "neo-transport 8.3",
            Self::TooManyRequests { .. } => "neo-transport 12.1",
            Self::Malformed { request, .. } | Self::Unexpected { request, .. } => request.section(),
        }
    }
}
