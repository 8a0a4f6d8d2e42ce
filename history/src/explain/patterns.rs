//! Two or three operations that no order explains, whatever the others do.
//!
//! Each pattern has a *claim*, an operation that found something, and *evidence*, another that returned before
//! the claim began and shows that this was not so then. They contradict each other if nothing that could
//! have made the difference, a *bridge*, overlaps the time between the start of the evidence and the end of
//! the claim. A bridge counts even if nobody knows whether it took effect.

use super::Proof;
use crate::problem::{ABSENT, Act, BEGINNING, NEVER, Op, Problem, Value};
use crate::zones::Contradiction;

/// The pattern whose claim returned first, if there is any. In near-linear time.
pub(crate) fn find(problem: &Problem) -> Option<Proof> {
    let mut proofs = Proofs::default();
    for (index, op) in required(problem) {
        if op.act == Act::Impossible {
            proofs.add(op, Proof::Impossible { op: index });
        }
    }
    if problem.listing {
        channel(problem, &mut proofs);
    } else if problem.keys == 1 {
        values(problem, &mut proofs);
        presence(problem, &mut proofs);
    }
    proofs.first.map(|(_, proof)| proof)
}

#[derive(Default)]
struct Proofs {
    first: Option<(i64, Proof)>,
}

impl Proofs {
    fn add(&mut self, claim: &Op, proof: Proof) {
        if self
            .first
            .is_none_or(|(returned, _)| claim.returned < returned)
        {
            self.first = Some((claim.returned, proof));
        }
    }
}

fn required(problem: &Problem) -> impl Iterator<Item = (u32, &Op)> {
    (0..).zip(&problem.ops).filter(|(_, op)| op.required)
}

/// A record that is not found although it was there, or found although it was not.
fn presence(problem: &Problem, proofs: &mut Proofs) {
    let shows_nothing = |act| {
        matches!(
            act,
            Act::Read(ABSENT) | Act::Remove | Act::Empty | Act::Clear
        )
    };
    let removals = Bridges::of(problem, Act::removes);
    let stores = Bridges::of(problem, |act| {
        matches!(act, Act::Write(_) | Act::Commit { .. })
    });
    let present = Evidence::of(problem, |act| act.writes().is_some() || finds_record(act));
    let absent = Evidence::of(problem, shows_nothing);
    for (read, op) in required(problem) {
        if op.act == Act::Read(ABSENT) {
            if let Some(evidence) = present.before(op, |_| true)
                && !removals.between(problem.ops[evidence as usize].invoked, op, None)
            {
                proofs.add(op, Proof::Lost { evidence, read });
            }
        } else if finds_record(op.act) {
            // An update's own second half comes after what the first half finds.
            let own = matches!(op.act, Act::Begin { .. }).then_some(read + 1);
            if !stores.between(BEGINNING, op, own) {
                let evidence = None;
                proofs.add(op, Proof::Phantom { evidence, read });
            } else if let Some(evidence) = absent.before(op, |_| true)
                && !stores.between(problem.ops[evidence as usize].invoked, op, own)
            {
                let evidence = Some(evidence);
                proofs.add(op, Proof::Phantom { evidence, read });
            }
        }
    }
}

/// Whether it finds that there is a record, whatever its value.
fn finds_record(act: Act) -> bool {
    match act {
        Act::Present | Act::Remove | Act::Refused { absent: false, .. } => true,
        act => act.needs().is_some_and(|value| value != ABSENT),
    }
}

/// A value that is found when nobody can have stored it yet, or when it had been replaced.
fn values(problem: &Problem, proofs: &mut Proofs) {
    let mut writers = vec![Writers::default(); problem.values];
    for (index, op) in (0..).zip(&problem.ops) {
        if let Some(value) = op.act.writes() {
            writers[value as usize].add(index, op);
        }
    }
    let others = Evidence::of(problem, |act| leaves(act).is_some());
    for (read, op) in required(problem) {
        let Some(value) = op.act.needs().filter(|&value| value != ABSENT) else {
            continue;
        };
        let Some(Writers {
            first,
            invoked,
            returned,
        }) = writers[value as usize].known()
        else {
            proofs.add(op, Proof::Zones(Contradiction::Unwritten { read }));
            continue;
        };
        if invoked > op.returned {
            proofs.add(op, Proof::Early { read, write: first });
        }
        if let Some(over) = others.before(op, |left| left != value)
            && problem.ops[over as usize].invoked > returned
        {
            proofs.add(op, Proof::Stale { read, over });
        }
    }
}

/// The value that is there at some moment of the operation.
fn leaves(act: Act) -> Option<Value> {
    match act {
        Act::Remove | Act::Empty | Act::Clear => Some(ABSENT),
        act => act.writes().or(act.needs()),
    }
}

/// All that store one value.
#[derive(Clone, Copy)]
struct Writers {
    /// Which was invoked first.
    first: u32,
    invoked: i64,
    /// When the last one returned.
    returned: i64,
}

impl Default for Writers {
    fn default() -> Self {
        Self {
            first: u32::MAX,
            invoked: NEVER,
            returned: BEGINNING,
        }
    }
}

impl Writers {
    fn add(&mut self, index: u32, op: &Op) {
        if self.first == u32::MAX || op.invoked < self.invoked {
            self.first = index;
            self.invoked = op.invoked;
        }
        self.returned = self.returned.max(op.returned);
    }

    fn known(self) -> Option<Self> {
        (self.first != u32::MAX).then_some(self)
    }
}

/// A channel that is listed when it was not there, or not listed when it was.
fn channel(problem: &Problem, proofs: &mut Proofs) {
    let clears = Bridges::of(problem, |act| act == Act::Clear);
    // Whatever asks for a record may create the channel.
    let creations = Bridges::of(problem, |act| !act.is_wide());
    let present = Evidence::of(problem, |act| {
        act.writes().is_some() || finds_record(act) || act == Act::Listed(true)
    });
    let absent = Evidence::of(problem, |act| {
        matches!(act, Act::Clear | Act::Listed(false))
    });
    for (listing, op) in required(problem) {
        match op.act {
            Act::Listed(false) => {
                if let Some(evidence) = present.before(op, |_| true)
                    && !clears.between(problem.ops[evidence as usize].invoked, op, None)
                {
                    proofs.add(op, Proof::LostChannel { evidence, listing });
                }
            }
            Act::Listed(true) => {
                let last = absent.before(op, |_| true);
                let after = |evidence: u32| problem.ops[evidence as usize].invoked;
                for evidence in [None, last] {
                    if !creations.between(evidence.map_or(BEGINNING, after), op, None) {
                        proofs.add(op, Proof::PhantomChannel { evidence, listing });
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

/// Operations that certainly took effect and show something, by their return.
struct Evidence {
    seen: Vec<Seen>,
}

/// Of all that returned until then, the one invoked last, and the last of those that left another value.
struct Seen {
    returned: i64,
    last: Sight,
    other: Option<Sight>,
}

#[derive(Clone, Copy)]
struct Sight {
    invoked: i64,
    op: u32,
    value: Option<Value>,
}

impl Evidence {
    fn of(problem: &Problem, shows: impl Fn(Act) -> bool) -> Self {
        let mut ops: Vec<_> = required(problem).filter(|(_, op)| shows(op.act)).collect();
        ops.sort_by_key(|(_, op)| op.returned);
        let mut seen: Vec<Seen> = Vec::with_capacity(ops.len());
        for (index, op) in ops {
            let new = Sight {
                invoked: op.invoked,
                op: index,
                value: leaves(op.act),
            };
            let (last, other) = match seen.last() {
                None => (new, None),
                Some(Seen { last, other, .. }) => new.among(*last, *other),
            };
            seen.push(Seen {
                returned: op.returned,
                last,
                other,
            });
        }
        Self { seen }
    }

    /// What was invoked last of all that returned before the claim and left a value that fits.
    fn before(&self, claim: &Op, fits: impl Fn(Value) -> bool) -> Option<u32> {
        let count = self
            .seen
            .partition_point(|seen| seen.returned < claim.invoked);
        let Seen { last, other, .. } = &self.seen[count.checked_sub(1)?];
        let fits = |sight: &Sight| sight.value.is_none_or(&fits);
        if fits(last) {
            return Some(last.op);
        }
        other.filter(fits).map(|sight| sight.op)
    }
}

impl Sight {
    /// The last two of three with different values.
    fn among(self, last: Self, other: Option<Self>) -> (Self, Option<Self>) {
        let later = |a: Self, b: Self| if b.invoked > a.invoked { b } else { a };
        if self.value == last.value {
            return (later(last, self), other);
        }
        if self.invoked > last.invoked {
            return (self, Some(last));
        }
        let other = other.map_or(self, |other| later(other, self));
        (last, Some(other))
    }
}

/// Operations that may make a difference, by their invocation.
struct Bridges {
    bridges: Vec<Bridge>,
}

/// Of all that were invoked until then, the two that returned last.
struct Bridge {
    invoked: i64,
    last: (i64, u32),
    other: Option<i64>,
}

impl Bridges {
    fn of(problem: &Problem, bridges: impl Fn(Act) -> bool) -> Self {
        let mut found: Vec<Bridge> = Vec::new();
        for (index, op) in (0..).zip(&problem.ops) {
            if !bridges(op.act) {
                continue;
            }
            let (last, other) = match found.last() {
                None => ((op.returned, index), None),
                Some(Bridge { last, other, .. }) if op.returned > last.0 => (
                    (op.returned, index),
                    Some(other.map_or(last.0, |other| other.max(last.0))),
                ),
                Some(Bridge { last, other, .. }) => (
                    *last,
                    Some(other.map_or(op.returned, |other| other.max(op.returned))),
                ),
            };
            found.push(Bridge {
                invoked: op.invoked,
                last,
                other,
            });
        }
        Self { bridges: found }
    }

    /// Whether any but `own` overlaps the time from `start` until the claim returned.
    fn between(&self, start: i64, claim: &Op, own: Option<u32>) -> bool {
        let count = self
            .bridges
            .partition_point(|bridge| bridge.invoked <= claim.returned);
        let Some(bridge) = count.checked_sub(1).map(|last| &self.bridges[last]) else {
            return false;
        };
        let (returned, op) = bridge.last;
        match own {
            Some(own) if own == op => bridge.other.is_some_and(|returned| returned >= start),
            _ => returned >= start,
        }
    }
}
