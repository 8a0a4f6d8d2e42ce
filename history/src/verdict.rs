//! What a check says.

use std::fmt;

use crate::budget::Limit;
use crate::explain::Explanation;
use crate::witness::Witness;

/// Whether some order of the operations explains what all of them found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does: this one, which [`check_witness`](crate::check_witness) verifies.
    Linearizable(Witness),
    /// None does.
    NotLinearizable(Explanation),
    /// It could not be decided.
    Unknown(Reason),
}

impl Verdict {
    /// The exit status of a program that checks one history: 0 linearizable, 1 not, 2 unknown.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Linearizable(_) => 0,
            Self::NotLinearizable(_) => 1,
            Self::Unknown(_) => 2,
        }
    }
}

/// Several lines for a terminal, without the last line's end.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable(witness) => write!(
                f,
                "linearizable: an order in {} steps explains every answer",
                witness.steps().len()
            ),
            Self::NotLinearizable(explanation) => write!(f, "not linearizable: {explanation}"),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

/// Why a history was not decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The search was too long.
    #[error("{} ran out before an order was found or ruled out for {place}", match limit {
        Limit::Steps => "the steps",
        Limit::Memory => "the memory",
    })]
    Exhausted {
        /// What ran out.
        limit: Limit,
        /// Which record or channel was undecided.
        place: String,
    },
    /// An empty value was stored, for which real nodes have different meanings.
    #[error("{place} was given an empty value, which has no agreed meaning")]
    EmptyValue {
        /// Which record or channel.
        place: String,
    },
    /// The history is to be one of registers, and has another operation.
    #[error("operation {} is {operation}, which a register does not have", entry + 1)]
    NoRegister {
        /// The entry's index.
        entry: usize,
        /// The operation's name.
        operation: &'static str,
    },
    /// The history is beyond what can be held.
    #[error("the history is too large")]
    TooLarge,
}
