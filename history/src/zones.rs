//! The near-linear test for records whose values are unique.
//!
//! Where no two writes store the same value, each read names its write. The write of a value, its reads, the
//! update that replaced it, that update's reads, and so on, form a *chain*: no other write can come in
//! between, so that its operations are consecutive in any order that explains the history. Let `f` be the
//! earliest return in a chain and `s` the latest invocation. Chain A must precede chain B if f(A) < s(B). The
//! chains can be ordered if and only if no two must precede each other (Gibbons and Korach, *Testing shared
//! memories*, 1997, with chains in place of single writes): the interval between `f` and `s`, the chain's
//! *zone*, tells. Reads of nothing form the chain that comes first, as long as nothing is ever removed.
//!
//! Operations that neither change anything nor name a value (exists, a refused update) are fitted in
//! afterwards. That is not exact, nor is anything here once records are removed: then there is no order
//! from here, but a contradiction still is one, since leaving out removals and reads of nothing explains no
//! less.

mod chains;
mod floats;

use crate::problem::{Act, Problem};
use chains::Chains;

/// What the test says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Zones {
    /// This order explains everything. Operations that are not required may be missing.
    Order(Vec<u32>),
    /// No order does.
    Contradiction(Contradiction),
    /// The test does not apply, or could not tell.
    Undecided,
}

/// Operations, by their index in the problem, that no order explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// Found a value that nobody stores.
    Unwritten { read: u32 },
    /// Two updates replaced the same value.
    Twice { first: u32, second: u32 },
    /// The update could only follow one that itself follows it.
    Circle { update: u32 },
    /// Within a chain `first` comes before `second`, but it began after `second` had returned.
    Backwards { first: u32, second: u32 },
    /// Each of two chains must be before the other: `a.first` returned before `b.last` began, and `b.first`
    /// returned before `a.last` began.
    Overlap { a: Zone, b: Zone },
}

/// The ends of a chain in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// What returned first; nothing if it is the beginning of everything.
    pub(crate) first: Option<u32>,
    /// What began last.
    pub(crate) last: u32,
}

/// Tests a problem of one record.
pub(crate) fn test(problem: &Problem) -> Zones {
    let chains = match Chains::of(problem) {
        Ok(Some(chains)) => chains,
        Ok(None) => return Zones::Undecided,
        Err(contradiction) => return Zones::Contradiction(contradiction),
    };
    let order = match chains.order() {
        Ok(order) => order,
        Err(contradiction) => return Zones::Contradiction(contradiction),
    };
    if problem.ops.iter().any(|op| blurs(op.act)) {
        return Zones::Undecided;
    }
    match floats::fit(problem, order) {
        Some(order) => Zones::Order(order),
        None => Zones::Undecided,
    }
}

/// Whether chains do not tell everything about a problem with this act.
fn blurs(act: Act) -> bool {
    match act {
        Act::Remove
        | Act::Empty
        | Act::Clear
        | Act::Listed(_)
        | Act::Begin { .. }
        | Act::Commit { .. }
        | Act::Touch
        | Act::Impossible => true,
        Act::Write(_) | Act::Read(_) | Act::Present | Act::Swap { .. } | Act::Refused { .. } => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{ABSENT, Op};

    /// Operations of one record that all took effect: what, invoked, returned.
    fn problem(ops: &[(Act, i64, i64)]) -> Problem {
        let ops = (0..).zip(ops).map(|(entry, &(act, invoked, returned))| Op {
            entry,
            key: 0,
            act,
            invoked,
            returned,
            required: true,
        });
        Problem::new(ops.collect(), 1, 5)
    }

    fn swap(expected: u32, value: u32) -> Act {
        Act::Swap { expected, value }
    }

    #[test]
    fn chains_of_updates_are_kept_together() {
        let order = test(&problem(&[
            (Act::Read(ABSENT), 0, 50),
            (Act::Write(1), 1, 60),
            (Act::Write(2), 2, 60),
            (swap(1, 3), 3, 60),
            (Act::Read(3), 4, 60),
            (Act::Read(1), 5, 60),
        ]));
        assert_eq!(order, Zones::Order(vec![0, 2, 1, 5, 3, 4]));
    }

    #[test]
    fn a_chain_has_one_zone() {
        // Value 2 was there between 1 and its successor 3.
        let zones = test(&problem(&[
            (Act::Write(1), 0, 1),
            (Act::Write(2), 2, 3),
            (swap(1, 3), 4, 5),
        ]));
        let zone = |first, last| Zone {
            first: Some(first),
            last,
        };
        let overlap = Contradiction::Overlap {
            a: zone(0, 2),
            b: zone(1, 1),
        };
        assert_eq!(zones, Zones::Contradiction(overlap));
    }

    #[test]
    fn operations_that_name_no_value_find_their_places() {
        let refused = Act::Refused {
            expected: 2,
            absent: false,
        };
        let order = test(&problem(&[
            (Act::Write(1), 0, 10),
            (Act::Write(2), 5, 20),
            (refused, 6, 30),
            (Act::Present, 11, 12),
            (Act::Read(2), 25, 30),
        ]));
        assert_eq!(order, Zones::Order(vec![0, 2, 1, 3, 4]));
    }

    #[test]
    fn a_value_that_is_stored_twice_is_not_for_zones() {
        let zones = test(&problem(&[(Act::Write(1), 0, 1), (Act::Write(1), 2, 3)]));
        assert_eq!(zones, Zones::Undecided);
    }
}
