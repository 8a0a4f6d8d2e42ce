//! Why a history is not linearizable: the operations that prove it, in words.
//!
//! A proof is a pattern of two to four operations if there is one ([`patterns`] and the zones of chains), and
//! else what is left when the [`core`] search has taken away all that does not matter.

mod core;
mod patterns;
mod words;

use std::fmt;

use crate::history::History;
use crate::octets::Octets;
use crate::plan::Part;
use crate::problem::Problem;
use crate::zones::Contradiction;
use words::Words;

pub(crate) use patterns::find as patterns;
pub(crate) use words::did;

/// A proof that no order explains a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    fault: Fault,
    channel: Octets,
    key: Option<Octets>,
    operations: Vec<usize>,
    text: String,
}

/// What is wrong, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A value was found that nobody had stored.
    UnwrittenValue,
    /// A value was found that had been replaced or removed.
    StaleRead,
    /// A record was not found although it must have been there.
    LostWrite,
    /// A record was found although it cannot have been there.
    PhantomRecord,
    /// Two updates replaced the same value.
    DoubleUpdate,
    /// A channel was not listed although it must have been there.
    LostChannel,
    /// A channel was listed although it cannot have been there.
    PhantomChannel,
    /// An answer that the operation does not have.
    ImpossibleAnswer,
    /// Each of two values must have been there before the other.
    CrossedValues,
    /// None of these: the operations together cannot be ordered.
    NoOrder,
}

impl Explanation {
    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The channel that it is about.
    pub fn channel(&self) -> &Octets {
        &self.channel
    }

    /// The key of the record that it is about, if it is one.
    pub fn key(&self) -> Option<&Octets> {
        self.key.as_ref()
    }

    /// The entries that prove it, by their index in the history, in the order of invocation.
    pub fn operations(&self) -> &[usize] {
        &self.operations
    }
}

/// The place, and then the proof in several lines without the last one's end.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => writeln!(f, "record {key} of channel {}", self.channel)?,
            None => writeln!(f, "channel {}", self.channel)?,
        }
        f.write_str(&self.text)
    }
}

/// How a part was refuted. Operations are indices in the part's problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// By chains and their zones.
    Zones(Contradiction),
    /// The value was found before anybody began to store it; `write` was the first to do so.
    Early { read: u32, write: u32 },
    /// All that store the value had returned before `over` began, and the state was another then.
    Stale { read: u32, over: u32 },
    /// There was a record at `evidence`, none at `read`, and nothing in between could remove it.
    Lost { evidence: u32, read: u32 },
    /// There was none at `evidence` or in the beginning, one at `read`, and nothing in between stores.
    Phantom { evidence: Option<u32>, read: u32 },
    /// The same of the channel.
    LostChannel { evidence: u32, listing: u32 },
    /// The same of the channel.
    PhantomChannel { evidence: Option<u32>, listing: u32 },
    /// The answer is never right.
    Impossible { op: u32 },
    /// Nothing was found by trying everything.
    Search,
}

/// A pattern says the same as a contradiction of zones, more simply, if there is one.
pub(crate) fn plainest(problem: &Problem, contradiction: Contradiction) -> Proof {
    match contradiction {
        Contradiction::Twice { .. } | Contradiction::Circle { .. } => None,
        _ => patterns(problem),
    }
    .unwrap_or(Proof::Zones(contradiction))
}

/// Puts a proof into words.
pub(crate) fn explain(history: &History, part: &Part<'_>, proof: Proof) -> Explanation {
    let words = Words::new(history, part);
    let (fault, ops, text) = match proof {
        Proof::Search => {
            let core = core::core(&part.problem);
            let text = words.core(&core);
            (Fault::NoOrder, core, text)
        }
        proof => words.proof(proof),
    };
    let mut operations: Vec<usize> = ops
        .iter()
        .map(|&op| part.problem.ops[op as usize].entry as usize)
        .collect();
    operations.sort_by_key(|&entry| (history.entries()[entry].invoked, entry));
    operations.dedup();
    Explanation {
        fault,
        channel: part.channel.clone(),
        key: part.key.cloned(),
        operations,
        text,
    }
}
