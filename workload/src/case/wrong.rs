//! Something that a client says or does wrongly, on purpose: a legal request with one named defect.
//!
//! The names are part of the files of the corpus, so they do not change. What a defect does to the bytes, and
//! what a node may do about it, is known where it is carried out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Protocol, Step};

/// Something that a client says or does wrongly.
///
/// In JSON: `{"defect": "bad-parity", "of": {"get": {"channel": "c0", "key": "k0"}}}`. A defect is of one protocol;
/// a lane that speaks the other one does not know it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What is wrong.
    pub defect: Defect,
    /// Which of several ways, where there are several: the bit, the length, the place.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub variant: u32,
    /// What would have been said if nothing were wrong. None: it is not about a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Box<Step>>,
}

impl Wrong {
    /// Is what it is said of something that can be said wrongly: one whole request?
    pub fn is_valid(&self) -> bool {
        let request = |step: &Step| {
            matches!(
                step,
                Step::Put { .. }
                    | Step::Get { .. }
                    | Step::Exists { .. }
                    | Step::Remove { .. }
                    | Step::Update { .. }
                    | Step::GetAll { .. }
                    | Step::GetChannels {}
                    | Step::RemoveChannel { .. }
                    | Step::OpenMirror { .. }
                    | Step::PutBatch { .. }
                    | Step::GetSize { .. }
                    | Step::OpenListen { .. }
            )
        };
        self.of.as_deref().is_none_or(request)
    }
}

/// Defines the defects of each protocol with the names that files call them by.
macro_rules! defects {
    ($($protocol:ident {
        $($(#[doc = $about:literal])+ $defect:ident = $name:literal,)+
    })+) => {
        /// What is wrong with what a client says or does.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
        pub enum Defect {
            $($($(#[doc = $about])+ #[serde(rename = $name)] $defect,)+)+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$defect,)+)+];

            /// What files call it.
            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$defect => $name,)+)+
                }
            }

            /// What it is, in one sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $($(Self::$defect => concat!($($about),+).trim_ascii(),)+)+
                }
            }

            /// The protocol that is spoken wrongly: whose lanes know it.
            pub fn protocol(self) -> Protocol {
                match self {
                    $($(Self::$defect)|+ => Protocol::$protocol,)+
                }
            }
        }
    };
}

defects! {
    Neo {
        /// One bit of the header is another one.
        BadParity = "bad-parity",
        /// The header has a type that there is not.
        UnknownType = "unknown-type",
        /// The header says that it is a message of the authentication.
        AuthenticationType = "authentication-type",
        /// The header announces fewer bytes than a request id has.
        LengthBelowId = "length-below-id",
        /// The header announces more bytes than anybody has.
        HugeLength = "huge-length",
        /// Random bytes stand where a message should.
        Garbage = "garbage",
        /// A wrong header comes, and the request directly behind it.
        BehindWrongHeader = "behind-wrong-header",
        /// The request id is 0.
        ZeroId = "zero-id",
        /// The first message ends before code and version.
        NoCommand = "no-command",
        /// There is no request of this code.
        UnknownCode = "unknown-code",
        /// There is no such version of the request.
        UnknownVersion = "unknown-version",
        /// The body ends too early.
        Truncated = "truncated",
        /// Bytes follow the body.
        Surplus = "surplus",
        /// The channel's name claims to be longer than its message.
        ArrayTooLong = "array-too-long",
        /// A bool is neither 0 nor 1.
        BadBool = "bad-bool",
        /// An Update opens with a type that there is not.
        UnknownUpdateType = "unknown-update-type",
        /// An Update decides in a way that there is not.
        UnknownDecision = "unknown-decision",
        /// The first message is sent twice, with the same id.
        RepeatedOpening = "repeated-opening",
        /// A control message follows a request that has ended.
        WordAfterEnd = "word-after-end",
        /// A control message of a type that there is not.
        UnknownControl = "unknown-control",
        /// An Ack while nothing is to be acknowledged.
        UndueAck = "undue-ack",
        /// An empty message for a running GetAll or Mirror.
        EmptyControl = "empty-control",
        /// A second and a third control message before the first is acknowledged.
        HastyControl = "hasty-control",
        /// Bytes come one at a time.
        Trickled = "trickled",
        /// The connection is closed inside a header.
        CutInHeader = "cut-in-header",
        /// The connection is closed inside a body.
        CutInBody = "cut-in-body",
        /// The connection is closed while answers are under way, none of which was read.
        ClosedUnread = "closed-unread",
        /// The connection is reset while answers are under way.
        Reset = "reset",
        /// The client sends nothing more, and waits for the answer.
        HalfClose = "half-close",
        /// The client's version byte is another one.
        WrongVersion = "wrong-version",
        /// A wrong header comes during the authentication.
        LoginBadHeader = "login-bad-header",
        /// A header announces more bytes than anybody has, before the authentication.
        LoginHugeLength = "login-huge-length",
        /// The client's proof ends too early.
        LoginTruncated = "login-truncated",
        /// The client's proof is made with another key.
        LoginWrongCode = "login-wrong-code",
        /// A request comes before the authentication is over.
        LoginTooEarly = "login-too-early",
        /// A wrong header comes directly behind the client's proof.
        LoginBehindCode = "login-behind-code",
        /// The client goes in the middle of the authentication.
        LoginAbandoned = "login-abandoned",
        /// Large answers are asked for and not read.
        Unread = "unread",
        /// More requests are active at once than a connection may have.
        TooManyRequests = "too-many-requests",
        /// An order of the legacy protocol comes where the version of neo should.
        LoginLegacyOrder = "login-legacy-order",
    }

    Legacy {
        /// There is no command of this number.
        LegacyUnknownCommand = "legacy-unknown-command",
        /// There is no command of this number, and a whole order comes directly behind it.
        LegacyBehindUnknown = "legacy-behind-unknown",
        /// A command that does not exist comes directly behind a whole order.
        LegacyBeforeUnknown = "legacy-before-unknown",
        /// A client of neo greets the legacy port.
        LegacyNeoGreeting = "legacy-neo-greeting",
        /// Random bytes stand where an order should, or behind its command.
        LegacyGarbage = "legacy-garbage",
        /// The client sends nothing more in the middle of an order.
        LegacyTruncated = "legacy-truncated",
        /// The connection is closed or reset in the middle of an order.
        LegacyCut = "legacy-cut",
        /// The connection is closed while the answer is under way, which was not read.
        LegacyClosedUnread = "legacy-closed-unread",
        /// The connection is reset while the answer is under way.
        LegacyReset = "legacy-reset",
        /// The client sends nothing more behind an order, and waits for the answer.
        LegacyHalfClose = "legacy-half-close",
        /// Bytes of an order come one at a time.
        LegacyTrickled = "legacy-trickled",
        /// Orders come before the answers to earlier ones.
        LegacyPipelined = "legacy-pipelined",
        /// An array claims to be longer than any may be; it does not come.
        LegacyLongArray = "legacy-long-array",
        /// An array claims to have more bytes than anybody has.
        LegacyImmenseArray = "legacy-immense-array",
        /// A channel has a name that is not legal.
        LegacyBadName = "legacy-bad-name",
        /// A channel has a name that is not legal, and what else stands in the order is no better.
        LegacyBadNameAndMore = "legacy-bad-name-and-more",
        /// A key is not 16 hexadecimal digits.
        LegacyBadKey = "legacy-bad-key",
        /// A Put stores an empty value.
        LegacyEmptyValue = "legacy-empty-value",
        /// A Put stores a value that is larger than any may be.
        LegacyLargeValue = "legacy-large-value",
        /// A GetAllFilter has an empty filter.
        LegacyEmptyFilter = "legacy-empty-filter",
        /// A batch is too short, or its stream is none.
        LegacyBatchStream = "legacy-batch-stream",
        /// A batch has another size than it says.
        LegacyBatchSize = "legacy-batch-size",
        /// A batch claims more bytes than anybody has.
        LegacyBatchImmense = "legacy-batch-immense",
        /// A batch becomes very large when it is decompressed.
        LegacyBatchSwelling = "legacy-batch-swelling",
        /// The entries of a batch do not end where its data do.
        LegacyBatchEntries = "legacy-batch-entries",
        /// A batch has a key that is not 16 hexadecimal digits.
        LegacyBatchKey = "legacy-batch-key",
        /// A Listen has a channel whose name is not legal.
        LegacyListenBadName = "legacy-listen-bad-name",
        /// A Listen is closed or reset; what it tells was not read.
        LegacyListenClosed = "legacy-listen-closed",
        /// A Listen is not read, while much is written to its channel.
        LegacyListenUnread = "legacy-listen-unread",
        /// An order comes while a Listen runs.
        LegacyListenInterrupted = "legacy-listen-interrupted",
        /// The client of a Listen sends nothing more.
        LegacyListenHalfClose = "legacy-listen-half-close",
        /// Large answers are asked for and not read.
        LegacyUnread = "legacy-unread",
        /// A client falls silent inside an order, and goes on later.
        LegacySilent = "legacy-silent",
        /// A Redistribute wants a range that is upside down.
        LegacyRedistributeRange = "legacy-redistribute-range",
        /// A Redistribute names a node whose range is upside down.
        LegacyRedistributeNode = "legacy-redistribute-node",
    }
}

/// A text that names no defect.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no defect \"{0}\"; `dhtcheck fuzz --list-defects` names those there are")]
pub struct NoDefect(String);

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl FromStr for Defect {
    type Err = NoDefect;

    fn from_str(text: &str) -> Result<Self, NoDefect> {
        let mut all = Self::ALL.iter().copied();
        all.find(|defect| defect.name() == text)
            .ok_or_else(|| NoDefect(text.to_owned()))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.defect.name())?;
        if let Some(step) = &self.of {
            write!(f, " in {step}")?;
        }
        match self.variant {
            0 => Ok(()),
            variant => write!(f, ", variant {variant}"),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_called_by_the_protocol_that_it_is_of() {
        for defect in Defect::ALL {
            let name = defect.name();
            assert_eq!(name.parse(), Ok(*defect));
            let legacy = defect.protocol() == Protocol::Legacy;
            assert_eq!(name.starts_with("legacy-"), legacy, "{name}");
            assert!(defect.about().ends_with('.'), "{name}");
        }
        assert!("legacy-nothing".parse::<Defect>().is_err());
    }
}
