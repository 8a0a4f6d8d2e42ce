//! From a defect to the bytes that have it, and to what is done with them.
//!
//! * `neo`, `legacy`: the bytes, by protocol.

pub(super) mod legacy;
pub(super) mod neo;

use dht_workload::case::Defect;
use dht_workload::rng::Rng;

/// How many random bytes are sent in place of something.
const GARBAGE: usize = 40;

/// What is done to say something wrongly on a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    /// These bytes are sent, and behind them a request that shows what the node does about them.
    Say(Vec<u8>),
    /// These bytes are sent; such a request follows when they are answered.
    Ask(Vec<u8>),
    /// These bytes are sent one at a time, and such a request follows.
    Trickle(Vec<u8>),
    /// A request is begun rightly; when so many messages have come for it, these bytes follow.
    Continue {
        /// Its first message.
        opening: Vec<u8>,
        /// How many messages are waited for.
        messages: usize,
        /// What follows.
        then: Vec<u8>,
    },
    /// These bytes are sent, and then the connection ends.
    Leave(Vec<u8>, Leaving),
}

/// How a client ends a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Leaving {
    /// It closes it.
    Close,
    /// It resets it.
    Reset,
    /// It closes its own direction and waits.
    Half,
}

/// Is the defect shown on a connection of its own?
pub(super) fn is_apart(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::WrongVersion
            | Defect::LoginBadHeader
            | Defect::LoginHugeLength
            | Defect::LoginTruncated
            | Defect::LoginWrongCode
            | Defect::LoginTooEarly
            | Defect::LoginBehindCode
            | Defect::LoginAbandoned
            | Defect::Unread
            | Defect::TooManyRequests
            | Defect::LoginLegacyOrder
            | Defect::LegacyListenUnread
            | Defect::LegacyListenInterrupted
            | Defect::LegacyListenHalfClose
            | Defect::LegacyUnread
            | Defect::LegacySilent
    )
}

/// How a client goes that does not wait.
fn leaving(variant: usize) -> Leaving {
    [Leaving::Close, Leaving::Reset][variant % 2]
}

/// Random bytes.
fn garbage(variant: u32) -> Vec<u8> {
    let mut rng = Rng::new(u64::from(variant));
    (0..GARBAGE).map(|_| rng.number() as u8).collect()
}
