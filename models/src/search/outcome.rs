//! What a search found out.

use std::{fmt, time::Duration};

use super::path::Path;

/// What was searched, and each property with its verdict: the material of a table or of JSON.
#[derive(Debug, Clone)]
pub struct Outcome<S, A> {
    /// Steps that were taken, to whatever state; initial states count as well.
    pub generated: u64,
    /// Different states that were found.
    pub unique: u64,
    /// How many of them are first reached with no step, with one, with two ...
    pub levels: Vec<u64>,
    /// States from which no step leads on.
    pub terminal: u64,
    /// Steps that lead out of the model's boundary, and were not followed.
    pub outside: u64,
    /// Whether that is all there is.
    pub coverage: Coverage,
    /// The most bytes that were in use at once, of those that count for a limit.
    pub memory: usize,
    /// How long the search took.
    pub elapsed: Duration,
    /// A verdict for each property.
    pub findings: Vec<Finding<S, A>>,
}

impl<S, A> Outcome<S, A> {
    /// The number of states on the longest of the shortest paths; what stateright calls the maximum depth.
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// The finding about a property.
    pub fn finding(&self, name: &str) -> Option<&Finding<S, A>> {
        self.findings.iter().find(|finding| finding.name == name)
    }

    /// Whether everything was covered and each property is as it should be.
    pub fn is_good(&self) -> bool {
        self.coverage == Coverage::Complete
            && self
                .findings
                .iter()
                .all(|finding| matches!(finding.verdict, Verdict::Held | Verdict::Reached(_)))
    }
}

/// How much of the model's states was covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All within the model's boundary.
    Complete,
    /// Only some.
    Stopped {
        /// Why.
        why: Stop,
        /// Each state on a shortest path of so many states was found and judged.
        depth: usize,
        /// So many states are known that were not expanded.
        frontier: u64,
    },
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Stopped {
                why,
                depth,
                frontier,
            } => write!(
                f,
                "stopped: {why}; every state to depth {depth}, {frontier} states not expanded"
            ),
        }
    }
}

/// Why a search stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The greatest number of states.
    States,
    /// The greatest number of bytes.
    Memory,
    /// Somebody asked for it.
    Interrupted,
    /// A state has more actions than can be told apart (65,535), or an edge a process number above 63.
    Unrepresentable,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::States => "number of states",
            Self::Memory => "memory",
            Self::Interrupted => "interrupted",
            Self::Unrepresentable => "too many actions or processes",
        })
    }
}

/// A property and its verdict.
#[derive(Debug, Clone)]
pub struct Finding<S, A> {
    /// Of the property.
    pub name: &'static str,
    /// What the property asks for.
    pub kind: Kind,
    /// In how many states something is owed, for [`Kind::Eventually`]: a goal that is never owed holds, but says
    /// nothing. None for other kinds.
    pub owing: Option<u64>,
    /// Whether it holds.
    pub verdict: Verdict<S, A>,
}

/// What a property asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each state satisfies it.
    Always,
    /// Some state satisfies it.
    Sometimes,
    /// What is owed is discharged in the end.
    Eventually,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Sometimes => "sometimes",
            Self::Eventually => "eventually",
        })
    }
}

/// Whether a property holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<S, A> {
    /// In every run within the model's boundary.
    Held,
    /// Not in this run. It is a shortest one to a state that violates an `always` property. For `eventually`,
    /// it ends where nobody who is obliged to go on can, or repeats its last steps for ever.
    Violated(Path<S, A>),
    /// A `sometimes` property, by this run, which is a shortest one.
    Reached(Path<S, A>),
    /// No state satisfies a `sometimes` property.
    NotReached,
    /// It could not be decided.
    Unknown(Undecided),
}

impl<S, A> Verdict<S, A> {
    /// The run that shows it.
    pub fn path(&self) -> Option<&Path<S, A>> {
        match self {
            Self::Violated(path) | Self::Reached(path) => Some(path),
            Self::Held | Self::NotReached | Self::Unknown(_) => None,
        }
    }
}

/// Why a property could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// The search stopped before its end, and had found nothing until then.
    Stopped(Stop),
    /// `eventually` needs the graph: [`super::eventually`].
    NeedsGraph,
    /// A run was found but cannot be repeated: the model's actions depend on more than the state.
    NotDeterministic,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(why) => write!(f, "the search stopped: {why}"),
            Self::NeedsGraph => f.write_str("only the search of the graph can decide it"),
            Self::NotDeterministic => {
                f.write_str("its counterexample cannot be repeated: the model is not deterministic")
            }
        }
    }
}
