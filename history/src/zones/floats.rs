//! Fits operations that change nothing and name no value into an order of the others.

use crate::problem::{ABSENT, Act, Op, Problem, Value};

/// The order with exists and refused updates where they are right, if such places are found.
pub(super) fn fit(problem: &Problem, order: Vec<u32>) -> Option<Vec<u32>> {
    let floats: Vec<u32> = (0..)
        .zip(&problem.ops)
        .filter(|(_, op)| op.required && is_float(op.act))
        .map(|(index, _)| index)
        .collect();
    let order = match floats.is_empty() {
        true => order,
        false => Places::of(problem, order).with(&floats)?,
    };
    explains(problem, &order).then_some(order)
}

fn is_float(act: Act) -> bool {
    matches!(act, Act::Present | Act::Refused { .. })
}

/// Whether an operation that changes nothing is right in this state.
fn suits(act: Act, state: Value) -> bool {
    match act {
        Act::Present => state != ABSENT,
        Act::Refused { expected, absent } => state != expected && (absent || state != ABSENT),
        _ => false,
    }
}

/// An order with what decides where another operation may go. Place `n` is before the operation `n`.
struct Places<'p> {
    problem: &'p Problem,
    order: Vec<u32>,
    /// The state at each place.
    states: Vec<Value>,
    /// The latest invocation before each place.
    invoked: Vec<i64>,
    /// The earliest return after each place.
    returned: Vec<i64>,
}

impl<'p> Places<'p> {
    fn of(problem: &'p Problem, order: Vec<u32>) -> Self {
        let op = |index: &u32| &problem.ops[*index as usize];
        let mut states = vec![ABSENT];
        let mut invoked = vec![i64::MIN];
        let (mut state, mut latest) = (ABSENT, i64::MIN);
        for op in order.iter().map(op) {
            state = op.act.writes().unwrap_or(state);
            latest = latest.max(op.invoked);
            states.push(state);
            invoked.push(latest);
        }
        let mut returned = vec![i64::MAX; order.len() + 1];
        let mut earliest = i64::MAX;
        for (place, op) in order.iter().map(op).enumerate().rev() {
            earliest = earliest.min(op.returned);
            returned[place] = earliest;
        }
        Self {
            problem,
            order,
            states,
            invoked,
            returned,
        }
    }

    fn with(self, floats: &[u32]) -> Option<Vec<u32>> {
        let mut placed = Vec::with_capacity(floats.len());
        for &float in floats {
            placed.push((self.place(&self.problem.ops[float as usize])?, float));
        }
        // Operations are numbered in the order of invocation.
        placed.sort_unstable();
        let mut all = Vec::with_capacity(self.order.len() + placed.len());
        let mut placed = placed.into_iter().peekable();
        for place in 0..=self.order.len() {
            while let Some((_, float)) = placed.next_if(|(at, _)| *at == place) {
                all.push(float);
            }
            all.extend(self.order.get(place));
        }
        Some(all)
    }

    /// The last place that time allows, or else the one before the value that does not suit was stored.
    fn place(&self, op: &Op) -> Option<usize> {
        let lowest = self
            .returned
            .partition_point(|&returned| returned < op.invoked);
        let after = self
            .invoked
            .partition_point(|&invoked| invoked <= op.returned);
        let highest = after.checked_sub(1)?;
        let unsuited = self.states[highest];
        if lowest > highest {
            return None;
        }
        if suits(op.act, unsuited) {
            return Some(highest);
        }
        let others = self.states[lowest..highest].iter();
        let back = others.rev().take_while(|state| **state == unsuited).count();
        let place = (highest - lowest).checked_sub(back + 1)? + lowest;
        suits(op.act, self.states[place]).then_some(place)
    }
}

/// Whether the order respects time, and each operation finds what it must.
fn explains(problem: &Problem, order: &[u32]) -> bool {
    let mut latest = i64::MIN;
    let mut state = ABSENT;
    order.iter().all(|&index| {
        let op = &problem.ops[index as usize];
        let in_time = latest <= op.returned;
        latest = latest.max(op.invoked);
        let right = match op.act {
            Act::Write(_) => true,
            Act::Read(value) => state == value,
            Act::Swap { expected, .. } => state == expected,
            act => suits(act, state),
        };
        state = op.act.writes().unwrap_or(state);
        in_time && right
    })
}
