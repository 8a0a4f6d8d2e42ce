//! Chains of operations that are consecutive in any explanation, and the only order they can have.

use super::{Contradiction, Zone};
use crate::problem::{ABSENT, Act, BEGINNING, NEVER, Problem, Value};

const NONE: u32 = u32::MAX;

/// The chains of a problem with unique values.
pub(crate) struct Chains<'p> {
    problem: &'p Problem,
    /// Which operation stores a value.
    writer: Vec<u32>,
    /// Which update replaces a value.
    successor: Vec<u32>,
    readers: Readers,
    chains: Vec<Chain>,
}

struct Chain {
    root: Value,
    zone: Zone,
    earliest_return: i64,
    latest_invocation: i64,
}

impl<'p> Chains<'p> {
    /// The chains, unless two operations store the same value.
    pub(crate) fn of(problem: &'p Problem) -> Result<Option<Self>, Contradiction> {
        let Some(writer) = writers(problem) else {
            return Ok(None);
        };
        let mut chains = Self {
            problem,
            successor: successors(problem)?,
            readers: Readers::of(problem),
            writer,
            chains: Vec::new(),
        };
        chains.nothing();
        chains.roots()?;
        Ok(Some(chains))
    }

    /// All operations of all chains in the one order of chains that can be, if it can.
    pub(crate) fn order(mut self) -> Result<Vec<u32>, Contradiction> {
        self.chains.sort_unstable_by_key(Chain::place);
        self.no_overlap()?;
        let mut order = Vec::with_capacity(self.problem.ops.len());
        for chain in &self.chains {
            let mut value = chain.root;
            loop {
                if value != ABSENT {
                    order.push(self.writer[value as usize]);
                }
                order.extend_from_slice(self.readers.of_value(value));
                match self.successor(value) {
                    Some(next) => value = next,
                    None => break,
                }
            }
        }
        Ok(order)
    }

    /// Reads of nothing come first, if nothing can be removed.
    fn nothing(&mut self) {
        let reads = self.readers.of_value(ABSENT);
        if reads.is_empty() || self.problem.ops.iter().any(|op| op.act.removes()) {
            return;
        }
        let mut chain = Chain::new(ABSENT);
        for &read in reads {
            chain.latest(read, self.problem);
        }
        chain.earliest_return = BEGINNING;
        chain.zone.first = None;
        self.chains.push(chain);
    }

    /// Follows each value that does not come from an update. Values that are not reached then form circles.
    fn roots(&mut self) -> Result<(), Contradiction> {
        let mut reached = 0;
        let mut chains = std::mem::take(&mut self.chains);
        for (value, &writer) in self.writer.iter().enumerate().skip(1) {
            let value = value as Value;
            if writer == NONE {
                match self.readers.of_value(value).first() {
                    Some(&read) => return Err(Contradiction::Unwritten { read }),
                    None => match self.successor[value as usize] {
                        NONE => continue,
                        read => return Err(Contradiction::Unwritten { read }),
                    },
                }
            }
            if !matches!(self.problem.ops[writer as usize].act, Act::Swap { .. }) {
                chains.push(self.follow(value, &mut reached)?);
            }
        }
        self.chains = chains;
        if reached < self.writer.iter().filter(|&&writer| writer != NONE).count() {
            return Err(self.circle());
        }
        Ok(())
    }

    /// The chain from its first value on, each step of which must be possible after those before.
    fn follow(&self, root: Value, reached: &mut usize) -> Result<Chain, Contradiction> {
        let mut chain = Chain::new(root);
        let mut next = Some(root);
        while let Some(value) = next {
            *reached += 1;
            let writer = self.writer[value as usize];
            chain.not_backwards(writer, self.problem)?;
            chain.latest(writer, self.problem);
            chain.earliest(writer, self.problem);
            let readers = self.readers.of_value(value);
            for &read in readers {
                chain.not_backwards(read, self.problem)?;
                chain.earliest(read, self.problem);
            }
            for &read in readers {
                chain.latest(read, self.problem);
            }
            next = self.successor(value);
        }
        Ok(chain)
    }

    fn successor(&self, value: Value) -> Option<Value> {
        match self.successor[value as usize] {
            NONE => None,
            update => self.problem.ops[update as usize].act.writes(),
        }
    }

    /// An update on a circle: from any value that no root leads to, going back often enough finds one.
    fn circle(&self) -> Contradiction {
        let mut on_chain = vec![false; self.writer.len()];
        for root in 1..self.writer.len() {
            let writer = self.writer[root];
            if writer == NONE || matches!(self.problem.ops[writer as usize].act, Act::Swap { .. }) {
                continue;
            }
            let mut next = Some(root as Value);
            while let Some(value) = next {
                on_chain[value as usize] = true;
                next = self.successor(value);
            }
        }
        let left = |value: &usize| self.writer[*value] != NONE && !on_chain[*value];
        let value = (1..self.writer.len()).find(left).unwrap_or_default();
        Contradiction::Circle {
            update: self.writer[value],
        }
    }

    /// Sorted chains: each forward zone must have ended where a later one begins, and contain no backward
    /// one.
    fn no_overlap(&self) -> Result<(), Contradiction> {
        let mut widest: Option<&Chain> = None;
        for chain in &self.chains {
            if let Some(before) = widest
                && chain.earliest_return < before.latest_invocation
                && before.earliest_return < chain.latest_invocation
            {
                return Err(Contradiction::Overlap {
                    a: before.zone,
                    b: chain.zone,
                });
            }
            let ends = |chain: &Chain| chain.latest_invocation;
            if chain.is_forward() && widest.is_none_or(|widest| ends(widest) < ends(chain)) {
                widest = Some(chain);
            }
        }
        Ok(())
    }
}

impl Chain {
    fn new(root: Value) -> Self {
        Self {
            root,
            zone: Zone {
                first: None,
                last: NONE,
            },
            earliest_return: NEVER,
            latest_invocation: BEGINNING,
        }
    }

    fn is_forward(&self) -> bool {
        self.earliest_return < self.latest_invocation
    }

    /// By the lower end of the zone, backward zones first.
    fn place(&self) -> (i64, bool) {
        let low = self.earliest_return.min(self.latest_invocation);
        (low, self.is_forward())
    }

    fn not_backwards(&self, op: u32, problem: &Problem) -> Result<(), Contradiction> {
        match problem.ops[op as usize].returned < self.latest_invocation {
            true => Err(Contradiction::Backwards {
                first: self.zone.last,
                second: op,
            }),
            false => Ok(()),
        }
    }

    fn earliest(&mut self, op: u32, problem: &Problem) {
        let returned = problem.ops[op as usize].returned;
        if self.zone.first.is_none() || returned < self.earliest_return {
            self.earliest_return = returned;
            self.zone.first = Some(op);
        }
    }

    fn latest(&mut self, op: u32, problem: &Problem) {
        let invoked = problem.ops[op as usize].invoked;
        if self.zone.last == NONE || invoked > self.latest_invocation {
            self.latest_invocation = invoked;
            self.zone.last = op;
        }
    }
}

/// Which operation stores each value, of those that certainly took effect. None if a value is not unique.
fn writers(problem: &Problem) -> Option<Vec<u32>> {
    let mut writers = vec![NONE; problem.values];
    let mut unsure = Vec::new();
    for (index, op) in (0..).zip(&problem.ops) {
        let Some(value) = op.act.writes() else {
            continue;
        };
        if writers[value as usize] != NONE {
            return None;
        }
        writers[value as usize] = index;
        if !op.required {
            unsure.push(value);
        }
    }
    // Nobody has seen these.
    for value in unsure {
        writers[value as usize] = NONE;
    }
    Some(writers)
}

fn successors(problem: &Problem) -> Result<Vec<u32>, Contradiction> {
    let mut successors = vec![NONE; problem.values];
    for (index, op) in (0..).zip(&problem.ops) {
        if let Act::Swap { expected, .. } = op.act
            && op.required
        {
            let successor = &mut successors[expected as usize];
            if *successor != NONE {
                return Err(Contradiction::Twice {
                    first: *successor,
                    second: index,
                });
            }
            *successor = index;
        }
    }
    Ok(successors)
}

/// The reads of each value, in the order of invocation.
struct Readers {
    /// Where the reads of a value end in `ops`.
    ends: Vec<u32>,
    ops: Vec<u32>,
}

impl Readers {
    fn of(problem: &Problem) -> Self {
        let reads = || {
            let ops = (0..).zip(&problem.ops).filter(|(_, op)| op.required);
            ops.filter_map(|(index, op)| match op.act {
                Act::Read(value) | Act::Begin { expected: value } => Some((index, value as usize)),
                _ => None,
            })
        };
        let mut ends = vec![0; problem.values];
        for (_, value) in reads() {
            ends[value] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut ops = vec![0; total as usize];
        for (index, value) in reads() {
            ops[ends[value] as usize] = index;
            ends[value] += 1;
        }
        Self { ends, ops }
    }

    fn of_value(&self, value: Value) -> &[u32] {
        let value = value as usize;
        let start = value.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ops[start as usize..self.ends[value] as usize]
    }
}
