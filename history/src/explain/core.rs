//! The operations that are left of a problem when all that does not matter is taken away.
//!
//! Taking away must not make a history look worse than it is. So an operation that changes nothing is left
//! out, but one that stores or removes is *released*: it may have happened at any time, or never. What has no
//! order even then had none before. First everything after the first moment of trouble goes, and then ever
//! smaller groups of operations, as in delta debugging, as long as the search still finds no order.

use crate::budget::Budget;
use crate::problem::{Act, BEGINNING, NEVER, Op, Problem};
use crate::search::{Found, search};

/// For a single attempt: what takes longer is not taken away.
const ATTEMPT: Budget = Budget {
    steps: 300_000,
    memory: 32 << 20,
};
/// For all attempts.
const STEPS: u64 = 30_000_000;

/// Operations, by their index in a problem without an order, that prove that there is none.
pub(super) fn core(problem: &Problem) -> Vec<u32> {
    let mut shrinking = Shrinking {
        problem,
        until: NEVER,
        kept: problem.ops.iter().map(|op| op.entry).collect(),
        steps: STEPS,
    };
    shrinking.kept.sort_unstable();
    shrinking.kept.dedup();
    shrinking.cut();
    shrinking.shrink();
    shrinking.ops()
}

struct Shrinking<'p> {
    problem: &'p Problem,
    /// What was invoked later is left out, and what returned later had not returned.
    until: i64,
    /// The entries that are still as they were. Sorted.
    kept: Vec<u32>,
    steps: u64,
}

impl Shrinking<'_> {
    /// Finds the first return by which there is no order.
    fn cut(&mut self) {
        let required = self.problem.ops.iter().filter(|op| op.required);
        let mut returns: Vec<i64> = required.map(|op| op.returned).collect();
        returns.sort_unstable();
        returns.dedup();
        let (mut low, mut high) = (0, returns.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.has_no_order(returns[middle], &self.kept.clone()) {
                true => {
                    self.until = returns[middle];
                    high = middle;
                }
                false => low = middle + 1,
            }
        }
        let until = self.until;
        let ops = self.problem.ops.iter();
        self.kept = ops
            .filter(|op| op.invoked <= until)
            .map(|op| op.entry)
            .collect();
        self.kept.sort_unstable();
        self.kept.dedup();
    }

    fn shrink(&mut self) {
        let mut size = self.kept.len().div_ceil(2).max(1);
        loop {
            let before = self.kept.len();
            let mut start = 0;
            while start < self.kept.len() {
                let end = (start + size).min(self.kept.len());
                let mut rest = self.kept.clone();
                rest.drain(start..end);
                match self.has_no_order(self.until, &rest) {
                    true => self.kept = rest,
                    false => start = end,
                }
            }
            if size == 1 && self.kept.len() == before {
                return;
            }
            size = size.div_ceil(2);
        }
    }

    fn has_no_order(&mut self, until: i64, kept: &[u32]) -> bool {
        let mut attempt = Budget {
            steps: ATTEMPT.steps.min(self.steps),
            ..ATTEMPT
        };
        let granted = attempt.steps;
        if granted == 0 {
            return false;
        }
        let ops = self.problem.ops.iter().filter(|op| op.invoked <= until);
        let ops: Vec<Op> = ops.filter_map(|op| reduced(op, until, kept)).collect();
        // Building the problem is work too.
        let built = self.problem.ops.len() as u64;
        let problem = Problem::new(ops, self.problem.keys, self.problem.values);
        let found = search(&problem, &mut attempt);
        self.steps = self.steps.saturating_sub(granted - attempt.steps + built);
        found == Found::Nothing
    }

    fn ops(&self) -> Vec<u32> {
        let ops = (0..).zip(&self.problem.ops);
        let kept = ops.filter(|(_, op)| self.kept.binary_search(&op.entry).is_ok());
        kept.map(|(index, _)| index).collect()
    }
}

/// The operation as it is known until then, and released unless it is kept.
fn reduced(op: &Op, until: i64, kept: &[u32]) -> Option<Op> {
    let mut op = *op;
    let released = kept.binary_search(&op.entry).is_err();
    if released || op.returned > until {
        // Nothing is known of it but what it does.
        op.act = match op.act {
            Act::Remove => Act::Empty,
            Act::Read(_) | Act::Present | Act::Refused { .. } => Act::Touch,
            Act::Listed(_) | Act::Impossible => return None,
            act => act,
        };
        op.required = false;
        op.returned = NEVER;
    }
    if released {
        op.invoked = BEGINNING;
    }
    Some(op)
}
