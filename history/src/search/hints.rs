//! What is known about a problem before the search begins.

use crate::problem::{Act, NEVER, Op, Problem};

/// Facts about operations and values.
pub(super) struct Hints {
    eager: Vec<bool>,
    blind: Vec<bool>,
}

impl Hints {
    pub(super) fn of(problem: &Problem) -> Self {
        let absences = Absences::of(problem);
        let eager = |op: &Op| changes_nothing(op, problem.listing) && !absences.overlap(op);
        let mut blind = vec![true; problem.values];
        for op in &problem.ops {
            if let Act::Read(value)
            | Act::Begin { expected: value }
            | Act::Swap {
                expected: value, ..
            }
            | Act::Commit {
                expected: value, ..
            }
            | Act::Refused {
                expected: value, ..
            } = op.act
            {
                blind[value as usize] = false;
            }
        }
        Self {
            eager: problem.ops.iter().map(eager).collect(),
            blind,
        }
    }

    /// Whether the operation is linearized as soon as it fits.
    pub(super) fn is_eager(&self, op: u32) -> bool {
        self.eager[op as usize]
    }

    /// Whether no operation names the value but those that store it.
    pub(super) fn is_blind(&self, value: u32) -> bool {
        self.blind[value as usize]
    }
}

fn changes_nothing(op: &Op, listing: bool) -> bool {
    match op.act {
        Act::Read(_) | Act::Present | Act::Refused { .. } => op.required,
        // Having read the expected value obliges to nothing, but rules out to have created the channel.
        Act::Begin { .. } => op.required || !listing,
        _ => false,
    }
}

/// The moments at which a channel, if its existence matters, does not exist any more or not yet. An operation
/// that overlaps one may have to wait for it, to create the channel afterwards.
struct Absences {
    /// By invocation, with the latest return of those up to there.
    absences: Vec<(i64, i64)>,
}

impl Absences {
    fn of(problem: &Problem) -> Self {
        let absent = |op: &&Op| matches!(op.act, Act::Clear | Act::Listed(false));
        let mut absences = Vec::new();
        let mut latest = i64::MIN;
        if problem.listing {
            for op in problem.ops.iter().filter(absent) {
                latest = latest.max(if op.required { op.returned } else { NEVER });
                absences.push((op.invoked, latest));
            }
        }
        Self { absences }
    }

    fn overlap(&self, op: &Op) -> bool {
        let before = self
            .absences
            .partition_point(|(invoked, _)| *invoked <= op.returned);
        let latest = before.checked_sub(1).map(|last| self.absences[last].1);
        latest.is_some_and(|latest| latest >= op.invoked)
    }
}
