//! The search for an order, after Wing and Gong (1993) and Lowe (2017).
//!
//! Depth first: at each point any operation may be next that was invoked before the first of the remaining
//! ones returned (the *window*). What was linearized so far and the state it led to are a *configuration*; one
//! that was met before is not entered again. Configurations are remembered as fingerprints of 128 bits, of
//! which two are the same by accident once in more runs than there will ever be.
//!
//! What makes it quick on most histories, and leaves it exact:
//!
//! * An operation that changes nothing and fits is linearized at once.
//! * A value that somebody must still find is not replaced when nobody is left to store it again.
//! * The operation that returns first is tried first, then what could make it possible.
//! * While no operation on the whole channel is in the window, only the record of the operation that returns
//!   first is looked at: operations on different records commute.
//! * Of operations with unknown outcome that are as good as each other, only the first is tried.

mod hints;
mod state;
mod window;

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use crate::budget::{Budget, Limit};
use crate::problem::{ABSENT, Act, Op, Problem};
use hints::Hints;
use state::{State, Undo};
use window::Window;

/// What the search found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An order that explains all. Operations that are not required may be missing.
    Order(Vec<u32>),
    /// That there is none.
    Nothing,
    /// Neither.
    Exhausted(Limit),
}

/// Searches within the budget, and takes the steps that it needed from it.
pub(crate) fn search(problem: &Problem, budget: &mut Budget) -> Found {
    let mut search = Search::new(problem);
    let found = search.run(*budget);
    budget.steps = budget.steps.saturating_sub(search.steps);
    found
}

/// Bytes that a remembered configuration takes in a hash set, on average.
const CONFIGURATION: usize = 40;

struct Search<'p> {
    problem: &'p Problem,
    hints: Hints,
    window: Window,
    state: State<'p>,
    required_left: usize,
    trail: Vec<Undo>,
    frames: Vec<Frame>,
    /// The candidates of all frames, the next one of each frame last.
    candidates: Vec<u32>,
    met: HashSet<u128, BuildHasherDefault<Fingerprint>>,
    steps: u64,
    scratch: Vec<(u8, i64, u32)>,
    tried: Vec<[u64; 2]>,
    round: u64,
}

/// A point where something is to be chosen.
struct Frame {
    trail: usize,
    candidates: usize,
}

impl<'p> Search<'p> {
    fn new(problem: &'p Problem) -> Self {
        Self {
            problem,
            hints: Hints::of(problem),
            window: Window::of(problem),
            state: State::of(problem),
            required_left: problem.ops.iter().filter(|op| op.required).count(),
            trail: Vec::new(),
            frames: Vec::new(),
            candidates: Vec::new(),
            met: HashSet::default(),
            steps: 0,
            scratch: Vec::new(),
            tried: vec![[0; 2]; problem.keys.max(1)],
            round: 0,
        }
    }

    fn run(&mut self, budget: Budget) -> Found {
        loop {
            self.linearize_what_changes_nothing();
            if self.required_left == 0 {
                return Found::Order(self.trail.iter().map(|undo| undo.op).collect());
            }
            if self.steps > budget.steps {
                return Found::Exhausted(Limit::Steps);
            }
            if self.memory() > budget.memory {
                return Found::Exhausted(Limit::Memory);
            }
            let frame = Frame {
                trail: self.trail.len(),
                candidates: self.candidates.len(),
            };
            if self.met.insert(self.state.fingerprint()) {
                self.collect_candidates();
            }
            self.frames.push(frame);
            if !self.advance() {
                return Found::Nothing;
            }
        }
    }

    /// Takes the next candidate of the last frame that has one.
    fn advance(&mut self) -> bool {
        while let Some(frame) = self.frames.last() {
            let (trail, first) = (frame.trail, frame.candidates);
            self.undo_to(trail);
            if self.candidates.len() > first
                && let Some(op) = self.candidates.pop()
            {
                self.linearize(op);
                return true;
            }
            self.frames.pop();
        }
        false
    }

    fn linearize(&mut self, op: u32) {
        self.steps += 1;
        if self.problem.ops[op as usize].act == Act::Clear {
            self.steps += self.problem.keys as u64;
        }
        self.window.remove(op);
        self.required_left -= usize::from(self.problem.ops[op as usize].required);
        let undo = self.state.apply(op);
        self.trail.push(undo);
    }

    fn undo_to(&mut self, length: usize) {
        while self.trail.len() > length
            && let Some(undo) = self.trail.pop()
        {
            self.steps += 1;
            self.window.restore(undo.op);
            self.required_left += usize::from(self.problem.ops[undo.op as usize].required);
            self.state.undo(undo);
        }
    }

    fn linearize_what_changes_nothing(&mut self) {
        let mut at = self.window.first();
        while let Some(op) = self.window.invocation(at) {
            self.steps += 1;
            // Taking the operation out leaves the way from its place onwards intact.
            at = match self.hints.is_eager(op) && self.state.allows(op) {
                true => {
                    let after = self.window.after(at);
                    let skips = self.window.is_return_of(after, op);
                    self.linearize(op);
                    if skips {
                        self.window.after(after)
                    } else {
                        after
                    }
                }
                false => self.window.after(at),
            };
        }
    }

    /// Pushes what may come next, the most promising last.
    fn collect_candidates(&mut self) {
        self.round += 1;
        self.scratch.clear();
        let mut ops = std::mem::take(&mut self.scratch);
        let mut wide = false;
        let mut at = self.window.first();
        while let Some(op) = self.window.invocation(at) {
            self.steps += 1;
            wide |= self.problem.ops[op as usize].act.is_wide();
            ops.push((0, 0, op));
            at = self.window.after(at);
        }
        let urgent = self.window.returning(at);
        let key = match urgent {
            Some(urgent) if self.is_lost(urgent) => {
                self.scratch = ops;
                return;
            }
            Some(urgent) if !wide => Some(self.problem.ops[urgent as usize].key),
            _ => None,
        };
        ops.retain_mut(|(rank, returned, op)| {
            let this = &self.problem.ops[*op as usize];
            if key.is_some_and(|key| key != this.key)
                || !self.state.allows(*op)
                || self.state.forgets(*op)
                || !(this.required || self.is_first_of_its_kind(*op))
            {
                return false;
            }
            *rank = self.rank(*op, urgent);
            *returned = this.returned;
            true
        });
        ops.sort_unstable();
        self.candidates
            .extend(ops.iter().rev().map(|(_, _, op)| op));
        self.scratch = ops;
    }

    /// Whether nothing can make this operation possible any more.
    fn is_lost(&self, urgent: u32) -> bool {
        let op = &self.problem.ops[urgent as usize];
        match op.act {
            Act::Impossible => true,
            act => act.needs().is_some_and(|value| {
                value != ABSENT && !self.state.allows(urgent) && self.state.is_gone(value)
            }),
        }
    }

    fn is_first_of_its_kind(&mut self, op: u32) -> bool {
        let Op { key, act, .. } = self.problem.ops[op as usize];
        let kind = match act {
            Act::Write(value) if self.hints.is_blind(value) => 0,
            Act::Empty => 1,
            _ => return true,
        };
        let tried = &mut self.tried[key as usize][kind];
        std::mem::replace(tried, self.round) != self.round
    }

    fn rank(&self, op: u32, urgent: Option<u32>) -> u8 {
        let this = &self.problem.ops[op as usize];
        let Some(urgent) = urgent else {
            return 0;
        };
        if op == urgent {
            return 0;
        }
        let other = &self.problem.ops[urgent as usize];
        let same = this.key == other.key || this.act.is_wide();
        let helps = match other.act {
            Act::Read(ABSENT) => this.act.removes(),
            Act::Read(value)
            | Act::Begin { expected: value }
            | Act::Swap {
                expected: value, ..
            } => this.act.writes() == Some(value),
            Act::Commit { expected, .. } => {
                this.act.writes() == Some(expected) || this.act.removes()
            }
            Act::Present | Act::Remove | Act::Refused { .. } => this.act.writes().is_some(),
            Act::Listed(true) => this.act.writes().is_some(),
            Act::Listed(false) => this.act == Act::Clear,
            _ => false,
        };
        match (same, this.required) {
            (true, _) if helps => 1,
            (true, true) => 2,
            (false, true) => 3,
            (_, false) => 4,
        }
    }

    fn memory(&self) -> usize {
        self.met.len() * CONFIGURATION
            + self.candidates.len() * size_of::<u32>()
            + self.frames.len() * size_of::<Frame>()
            + self.trail.len() * size_of::<Undo>()
            + self.state.memory()
    }
}

/// Fingerprints are hashes already.
#[derive(Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zones::{self, Zones};

    /// A record's operations with unique values, from a seed.
    fn problem(seed: u64) -> Problem {
        let mut state = seed;
        let mut below = |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let mut values = 0;
        let ops = (0..5).map(|entry| {
            let invoked = below(12) as i64;
            let known = below(u64::from(values) + 1) as u32;
            let act = match below(3) {
                0 if known > 0 => {
                    values += 1;
                    Act::Swap {
                        expected: known,
                        value: values,
                    }
                }
                1 => Act::Read(known),
                _ => {
                    values += 1;
                    Act::Write(values)
                }
            };
            Op {
                entry,
                key: 0,
                act,
                invoked,
                returned: invoked + below(8) as i64,
                required: true,
            }
        });
        let ops = ops.collect();
        Problem::new(ops, 1, values as usize + 1)
    }

    #[test]
    fn agrees_with_the_zones() {
        let mut orders = 0;
        for seed in 0..20_000 {
            let problem = problem(seed);
            let found = search(&problem, &mut Budget::default());
            match zones::test(&problem) {
                Zones::Order(_) => {
                    assert!(matches!(found, Found::Order(_)), "{problem:?}");
                    orders += 1;
                }
                Zones::Contradiction(_) => assert_eq!(found, Found::Nothing, "{problem:?}"),
                Zones::Undecided => panic!("values are unique: {problem:?}"),
            }
        }
        assert!((5_000..15_000).contains(&orders), "{orders}");
    }

    #[test]
    fn ends_with_its_budget() {
        let mut budget = Budget {
            steps: 1,
            memory: 1 << 20,
        };
        let found = search(&problem(1), &mut budget);
        assert_eq!(found, Found::Exhausted(Limit::Steps));
        assert_eq!(budget.steps, 0);
    }
}
