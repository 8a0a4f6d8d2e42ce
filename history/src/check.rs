//! Decides a history: each part by the quick tests first, then by search, with budgets that grow together so
//! that one hard part does not hide that another is easily refuted.

use crate::budget::{Budget, Limit};
use crate::explain::{self, Proof};
use crate::history::History;
use crate::plan::{Part, Plan};
use crate::search::{Found, search};
use crate::semantics::Semantics;
use crate::verdict::{Reason, Verdict};
use crate::witness::Witness;
use crate::zones::{self, Zones};

/// What each part may spend on its first search. Four times as much on each further one.
const FIRST_STEPS: u64 = 200_000;

/// Whether the history is linearizable, with the proof. It ends within the budget, and a history that is not
/// decided is [`Verdict::Unknown`].
pub fn check(history: &History, semantics: Semantics, mut budget: Budget) -> Verdict {
    let plan = match Plan::of(history, semantics) {
        Ok(plan) => plan,
        Err(reason) => return Verdict::Unknown(reason),
    };
    match decide_plan(&plan, &mut budget) {
        Ok(decided) => {
            let orders: Result<Vec<_>, Reason> = decided
                .into_iter()
                .map(|(part, order)| Ok((part, order?)))
                .collect();
            match orders {
                Ok(orders) => Verdict::Linearizable(Witness::merge(history, &orders)),
                Err(reason) => Verdict::Unknown(reason),
            }
        }
        Err(Refuted { part, proof }) => {
            Verdict::NotLinearizable(explain::explain(history, part, proof))
        }
    }
}

/// An order for each of the parts that are sufficient together, or why there is none yet.
fn decide_plan<'p, 'h>(
    plan: &'p Plan<'h>,
    budget: &mut Budget,
) -> Result<Vec<(&'p Part<'h>, Order)>, Refuted<'p, 'h>> {
    let mut necessary = Vec::new();
    let mut sufficient = Vec::new();
    for channel in &plan.channels {
        match &channel.whole {
            Some(whole) => {
                necessary.extend(&channel.records);
                sufficient.push(whole);
            }
            None => sufficient.extend(&channel.records),
        }
    }
    // Single records are quickly refuted.
    decide(&necessary, &mut budget.part(4))?;
    let orders = decide(&sufficient, budget)?;
    Ok(sufficient.into_iter().zip(orders).collect())
}

struct Refuted<'p, 'h> {
    part: &'p Part<'h>,
    proof: Proof,
}

type Order = Result<Vec<u32>, Reason>;

/// An order for each part, or why there is none yet; or a part that has no order.
fn decide<'p, 'h>(
    parts: &[&'p Part<'h>],
    budget: &mut Budget,
) -> Result<Vec<Order>, Refuted<'p, 'h>> {
    let mut orders = Vec::with_capacity(parts.len());
    let mut open = Vec::new();
    for (index, &part) in parts.iter().enumerate() {
        if part.empty_value {
            let place = part.place();
            orders.push(Err(Reason::EmptyValue { place }));
            continue;
        }
        match quick(part) {
            Quick::Order(order) => orders.push(Ok(order)),
            Quick::Refuted(proof) => return Err(Refuted { part, proof }),
            Quick::Open => {
                open.push(index);
                orders.push(Ok(Vec::new()));
            }
        }
    }
    let mut steps = FIRST_STEPS;
    while !open.is_empty() {
        let mut left = Vec::new();
        for index in open {
            let part = parts[index];
            let mut slice = Budget {
                steps: steps.min(budget.steps),
                memory: budget.memory,
            };
            let granted = slice.steps;
            let found = search(&part.problem, &mut slice);
            budget.steps -= granted - slice.steps;
            match found {
                Found::Order(order) => orders[index] = Ok(order),
                Found::Nothing => {
                    let proof = Proof::Search;
                    return Err(Refuted { part, proof });
                }
                Found::Exhausted(limit) => {
                    let place = part.place();
                    orders[index] = Err(Reason::Exhausted { limit, place });
                    if limit == Limit::Steps && budget.steps > 0 {
                        left.push(index);
                    }
                }
            }
        }
        open = left;
        steps = steps.saturating_mul(4);
    }
    Ok(orders)
}

enum Quick {
    Order(Vec<u32>),
    Refuted(Proof),
    Open,
}

fn quick(part: &Part<'_>) -> Quick {
    if part.key.is_some() {
        match zones::test(&part.problem) {
            Zones::Order(order) => return Quick::Order(order),
            Zones::Contradiction(contradiction) => {
                return Quick::Refuted(explain::plainest(&part.problem, contradiction));
            }
            Zones::Undecided => {}
        }
    }
    match explain::patterns(&part.problem) {
        Some(proof) => Quick::Refuted(proof),
        None => Quick::Open,
    }
}
