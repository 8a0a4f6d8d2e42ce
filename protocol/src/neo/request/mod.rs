//! The ten requests, a file each: the whole dialogue, that is the messages of both directions with
//! their bytes, the client's half and the node's half.
//!
//! What several requests share stands beside them:
//!
//! * [`supported`]: the node's first word on every request.
//! * [`answer`]: the node's half of requests with a single answer.
//! * [`control`]: Suspend, Resume and Stop of GetAll and Mirror, the node's half.
//! * [`visit`]: the client's half of requests that ask one node after another.
//! * [`gather`]: the client's half of requests that ask all nodes.
//! * [`stream`]: the client's half of requests that ask all nodes and can be suspended.
//!
//! A half is a value. It takes an event and says what is to be done about it; it neither waits nor
//! knows of sockets. Client, node and model checker drive the same ones. What the node's halves need of the
//! node they run on is [`Host`].

pub mod answer;
pub mod control;
pub mod exists;
pub mod gather;
pub mod get;
pub mod get_all;
pub mod get_channels;
pub mod get_hash_range;
pub mod mirror;
pub mod outcome;
pub mod put;
pub mod remove;
pub mod remove_channel;
pub mod stream;
pub mod supported;
pub mod update;
pub mod visit;

mod messages;

pub use crate::host::{ChannelId, Host, HostError};
pub use messages::RecordName;
pub use outcome::{Effect, Failure};
pub use supported::SupportedStatus;

use std::fmt;

use super::violation::Violation;
use super::{ClientName, Limits};
use crate::codec::{DecodeError, Reader};

/// Which request; the first byte of its first message (`neo-requests.md` 1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum RequestCode {
    /// Which keys a node is responsible for, now and from then on.
    GetHashRange = 1,
    /// Store a record.
    Put = 2,
    /// Read a record.
    Get = 3,
    /// Follow the changes of a channel.
    Mirror = 4,
    /// Read all records of a channel.
    GetAll = 5,
    /// List the channels.
    GetChannels = 6,
    /// Is there a record?
    Exists = 7,
    /// Remove a record.
    Remove = 8,
    /// Remove a channel with all its records.
    RemoveChannel = 9,
    /// Read a record and change it if nobody else has.
    Update = 10,
}

/// The version of every request, the second byte of its first message.
pub const REQUEST_VERSION: u8 = 0;

impl RequestCode {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::GetHashRange,
        Self::Put,
        Self::Get,
        Self::Mirror,
        Self::GetAll,
        Self::GetChannels,
        Self::Exists,
        Self::Remove,
        Self::RemoveChannel,
        Self::Update,
    ];

    /// The request with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|request| *request as u8 == code)
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetHashRange => "GetHashRange",
            Self::Put => "Put",
            Self::Get => "Get",
            Self::Mirror => "Mirror",
            Self::GetAll => "GetAll",
            Self::GetChannels => "GetChannels",
            Self::Exists => "Exists",
            Self::Remove => "Remove",
            Self::RemoveChannel => "RemoveChannel",
            Self::Update => "Update",
        }
    }

    /// Where the specification describes it.
    pub fn section(self) -> &'static str {
        match self {
            Self::GetHashRange => "neo-requests 3",
            Self::Put => "neo-requests 4",
            Self::Get => "neo-requests 5",
            Self::Mirror => "neo-requests 6",
            Self::GetAll => "neo-requests 7",
            Self::GetChannels => "neo-requests 8",
            Self::Exists => "neo-requests 9",
            Self::Remove => "neo-requests 10",
            Self::RemoveChannel => "neo-requests 11",
            Self::Update => "neo-requests 12",
        }
    }

    /// The first message of a request without its fields: code and version.
    fn command(self) -> Vec<u8> {
        vec![self as u8, REQUEST_VERSION]
    }

    fn unexpected_second(self) -> Violation {
        Violation::Unexpected {
            request: self,
            message: "a second message",
            state: "before the answer",
        }
    }

    /// For errors in the fields behind the command. Their offset counts from the command on, as that of
    /// every other message counts from the start of the payload.
    fn malformed_first(self) -> impl FnOnce(DecodeError) -> Violation {
        move |mut error| {
            error.offset += Command::LEN;
            self.malformed("first")(error)
        }
    }

    fn malformed(self, message: &'static str) -> impl FnOnce(DecodeError) -> Violation {
        move |error| Violation::Malformed {
            request: self,
            message,
            error,
        }
    }
}

impl fmt::Display for RequestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Code and version at the start of a request's first message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Command {
    /// The request's code, which may be unknown.
    pub code: u8,
    /// The request's version.
    pub version: u8,
}

impl Command {
    /// Bytes of a command.
    pub const LEN: usize = 2;

    /// Splits a first message into its command and the rest.
    pub fn decode(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut reader = Reader::new(payload);
        let command = Self {
            code: reader.u8("code")?,
            version: reader.u8("version")?,
        };
        Ok((command, reader.rest()))
    }

    /// What the node says first.
    pub fn status(self) -> SupportedStatus {
        self.request().err().unwrap_or(SupportedStatus::Supported)
    }

    /// Which request it is; or what of it the node does not know.
    pub fn request(self) -> Result<RequestCode, SupportedStatus> {
        match RequestCode::from_code(self.code) {
            None => Err(SupportedStatus::NotSupported),
            Some(_) if self.version != REQUEST_VERSION => Err(SupportedStatus::VersionNotSupported),
            Some(request) => Ok(request),
        }
    }
}

/// What a node's half of a request does when it may send.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Progress {
    /// It wrote one message and may have another.
    Sent,
    /// It has worked for a while without a message and wants to go on after the others.
    Yielded,
    /// It has nothing to send before something happens.
    Idle,
    /// It has said everything; the request is over and its id free.
    Ended,
}

/// What the node's half of a request starts from.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The fields of the request's first message, behind code and version.
    pub fields: &'a [u8],
    /// Who sent it.
    pub client: &'a ClientName,
    /// What the node accepts.
    pub limits: &'a Limits,
}

/// The node's half of a request.
pub trait NodeHalf: Sized {
    /// The request's first message.
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation>;

    /// A later message of the client.
    fn receive<H: Host>(&mut self, payload: &[u8], host: &mut H) -> Result<(), Violation>;

    /// Appends at most one message to `out`, which is empty.
    fn poll<H: Host>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress;

    /// Has everything been said, so that [`poll`](Self::poll) would say [`Progress::Ended`]?
    fn is_over(&self) -> bool;
}
