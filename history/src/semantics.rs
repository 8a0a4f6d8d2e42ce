//! What operations mean: which object a history is checked against.

use std::fmt;
use std::str::FromStr;

/// The object that the operations of a history acted upon.
///
/// Both begin empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// Channels of records, as one node of a DHT keeps them.
    ///
    /// * Put, get, exists and remove act at one moment. Remove tells whether there was a record,
    ///   or only that there is none any more.
    /// * Update reads, and then stores. It is `ok` if what it read was the expected value, and if the
    ///   record still has it, *or has been removed meanwhile*, when it stores: both real nodes re-create the
    ///   record then. `conflict`: there was another value. `no_record`: there was none.
    /// * remove_channel removes all records of the channel at one moment, and the channel.
    /// * get_channels is no snapshot: it looks at each channel at some moment of its own. A channel begins
    ///   with the first put; any other operation on one of its records may create it as well. Channels that
    ///   no operation of the history names may be listed or not: others may use them.
    /// * Storing an empty value has no agreed meaning, so that a history with one is not decided.
    #[default]
    Dht,
    /// Registers with put (write), get (read) and update (compare-and-set). Update is `conflict` where
    /// anything but the expected value is found, nothing included, and never `no_record`.
    Register,
}

impl fmt::Display for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dht => "dht",
            Self::Register => "register",
        })
    }
}

/// Neither `dht` nor `register`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the models are dht and register")]
pub struct UnknownSemantics;

impl FromStr for Semantics {
    type Err = UnknownSemantics;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "dht" => Ok(Self::Dht),
            "register" => Ok(Self::Register),
            _ => Err(UnknownSemantics),
        }
    }
}
