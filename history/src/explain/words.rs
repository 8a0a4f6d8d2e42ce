//! Proofs as sentences.

use std::collections::HashSet;

use super::{Fault, Proof};
use crate::history::{Entry, History, Operation, Outcome};
use crate::octets::Octets;
use crate::plan::Part;
use crate::problem::{Act, Op};
use crate::zones::{Contradiction, Zone};

/// As many operations of a core are listed.
const LISTED: usize = 12;

/// As many others are told one by one.
const FEW: usize = 3;

/// A fault, the operations that prove it, and the proof.
type Told = (Fault, Vec<u32>, String);

/// Names the operations of a part.
pub(super) struct Words<'h, 'p> {
    history: &'h History,
    part: &'p Part<'h>,
}

impl<'h, 'p> Words<'h, 'p> {
    pub(super) fn new(history: &'h History, part: &'p Part<'h>) -> Self {
        Self { history, part }
    }

    pub(super) fn proof(&self, proof: Proof) -> Told {
        match proof {
            Proof::Zones(contradiction) => self.contradiction(contradiction),
            Proof::Early { read, write } => self.lines(
                Fault::UnwrittenValue,
                &[read, write],
                &[
                    self.sentence(read, "    "),
                    format!(
                        "    but nobody had begun to store {} then; the first:",
                        self.value(read)
                    ),
                    self.sentence(write, "    "),
                ],
            ),
            Proof::Stale { read, over } => self.stale(read, over),
            Proof::Lost { evidence, read } => self.lines(
                Fault::LostWrite,
                &[evidence, read],
                &[
                    self.sentence(evidence, "    "),
                    self.then(read),
                    "    nothing that could have removed the record overlaps the time between"
                        .into(),
                ],
            ),
            Proof::Phantom { evidence, read } => self.phantom(
                Fault::PhantomRecord,
                evidence,
                read,
                "nothing that could have stored a value",
            ),
            Proof::LostChannel { evidence, listing } => self.lines(
                Fault::LostChannel,
                &[evidence, listing],
                &[
                    self.sentence(evidence, "    "),
                    self.then(listing),
                    "    no remove_channel overlaps the time between".into(),
                ],
            ),
            Proof::PhantomChannel { evidence, listing } => self.phantom(
                Fault::PhantomChannel,
                evidence,
                listing,
                "nothing that could have created the channel",
            ),
            Proof::Impossible { op } => self.lines(
                Fault::ImpossibleAnswer,
                &[op],
                &[
                    self.sentence(op, "    "),
                    "    which is never an answer to that operation".into(),
                ],
            ),
            Proof::Search => self.lines(Fault::NoOrder, &[], &[]),
        }
    }

    /// What is left when all that does not matter is taken away, and what may come in between.
    pub(super) fn core(&self, core: &[u32]) -> String {
        let mut entries = core.to_vec();
        entries.dedup_by_key(|op| self.op(*op).entry);
        let mut lines = vec!["    no order of these explains what they found:".to_owned()];
        lines.extend(
            entries
                .iter()
                .take(LISTED)
                .map(|&op| self.sentence(op, "      ")),
        );
        if let Some(more) = entries.len().checked_sub(LISTED).filter(|&more| more > 0) {
            lines.push(format!("      and {more} more"));
        }
        let kept: HashSet<u32> = entries.iter().map(|&op| self.op(op).entry).collect();
        let ops = (0..).zip(&self.part.problem.ops);
        let changes = ops.filter(|(_, op)| op.act.writes().is_some() || op.act.removes());
        let mut others: Vec<u32> = changes
            .filter(|(_, op)| !kept.contains(&op.entry))
            .map(|(index, _)| index)
            .collect();
        others.dedup_by_key(|op| self.op(*op).entry);
        match others.len() {
            0 => {}
            1..=FEW => {
                lines.push("    even if these are thought of as at any other time, or never:".into());
                lines.extend(others.iter().map(|&op| self.sentence(op, "      ")));
            }
            many => lines.push(format!(
                "    even if the {many} other operations that store or remove something are thought \
                 of as at any other time, or never"
            )),
        }
        lines.join("\n")
    }

    fn contradiction(&self, contradiction: Contradiction) -> Told {
        match contradiction {
            Contradiction::Unwritten { read } => self.lines(
                Fault::UnwrittenValue,
                &[read],
                &[
                    self.sentence(read, "    "),
                    format!("    but nobody stored {}", self.value(read)),
                ],
            ),
            Contradiction::Twice { first, second } => self.lines(
                Fault::DoubleUpdate,
                &[first, second],
                &[
                    self.sentence(first, "    "),
                    self.sentence(second, "    "),
                    "    both replaced the same value, which was stored only once".into(),
                ],
            ),
            Contradiction::Circle { update } => self.circle(update),
            Contradiction::Backwards { first, second } => self.lines(
                Fault::StaleRead,
                &[first, second],
                &[
                    self.sentence(second, "    "),
                    format!(
                        "    before what it depends on had begun: {}",
                        self.sentence(first, "")
                    ),
                ],
            ),
            Contradiction::Overlap { a, b } => self.overlap(a, b),
        }
    }

    /// Each update on a circle replaced what another one of them stored.
    fn circle(&self, update: u32) -> Told {
        let ops = || (0..).zip(&self.part.problem.ops);
        let mut circle = vec![update];
        let mut needs = self.op(update).act.needs();
        while let Some((op, _)) = ops().find(|(_, op)| needs.is_some() && op.act.writes() == needs)
            && !circle.contains(&op)
        {
            circle.push(op);
            needs = self.op(op).act.needs();
        }
        let mut lines: Vec<String> = circle
            .iter()
            .take(LISTED)
            .map(|&op| self.sentence(op, "    "))
            .collect();
        lines.push("    each needed another one of them before it".into());
        self.lines(Fault::UnwrittenValue, &circle, &lines)
    }

    /// Who stored the value, what came after, and who still found it.
    fn stale(&self, read: u32, over: u32) -> Told {
        let value = self.op(read).act.needs();
        let mut ops: Vec<u32> = (0..)
            .zip(&self.part.problem.ops)
            .filter(|(_, op)| value.is_some() && op.act.writes() == value)
            .map(|(index, _)| index)
            .collect();
        let mut lines: Vec<String> = ops
            .iter()
            .take(LISTED)
            .map(|&op| self.sentence(op, "    "))
            .collect();
        lines.push(self.then(over));
        lines.push(self.then(read));
        lines.push(match self.op(over).act.removes() {
            true => format!(
                "    but {} had been removed, and nobody stored it again",
                self.value(read)
            ),
            false => format!(
                "    but {} had gone, and nobody stored it again",
                self.value(read)
            ),
        });
        ops.extend([over, read]);
        self.lines(Fault::StaleRead, &ops, &lines)
    }

    fn phantom(&self, fault: Fault, evidence: Option<u32>, read: u32, bridges: &str) -> Told {
        match evidence {
            Some(evidence) => self.lines(
                fault,
                &[evidence, read],
                &[
                    self.sentence(evidence, "    "),
                    self.then(read),
                    format!("    {bridges} overlaps the time between"),
                ],
            ),
            None => self.lines(
                fault,
                &[read],
                &[
                    self.sentence(read, "    "),
                    format!("    {bridges} had begun before"),
                ],
            ),
        }
    }

    fn overlap(&self, a: Zone, b: Zone) -> Told {
        let mut ops: Vec<u32> = a.first.into_iter().chain([a.last]).collect();
        ops.extend(b.first.into_iter().chain([b.last]));
        let mut lines = Vec::new();
        match a.first {
            Some(first) => {
                lines.push(
                    "    these belong together, and no other write can be between them:".into(),
                );
                lines.extend(self.pair(first, a.last));
            }
            None => {
                lines.push("    nothing had been stored yet here:".into());
                lines.push(self.sentence(a.last, "      "));
            }
        }
        lines.push("    and so do these:".into());
        lines.extend(
            b.first
                .into_iter()
                .flat_map(|first| self.pair(first, b.last)),
        );
        lines.push(
            "    by their times each of the two groups would have to come before the other".into(),
        );
        self.lines(Fault::CrossedValues, &ops, &lines)
    }

    fn pair(&self, first: u32, last: u32) -> Vec<String> {
        let mut pair = vec![first, last];
        pair.dedup();
        pair.into_iter()
            .map(|op| self.sentence(op, "      "))
            .collect()
    }

    fn lines(&self, fault: Fault, ops: &[u32], lines: &[String]) -> Told {
        (fault, ops.to_vec(), lines.join("\n"))
    }

    fn then(&self, op: u32) -> String {
        format!("    then {}", self.sentence(op, ""))
    }

    fn sentence(&self, op: u32, indent: &str) -> String {
        let entry = &self.history.entries()[self.op(op).entry as usize];
        let did = match self.op(op).act {
            Act::Listed(listed) => listing(self.part.channel, listed),
            _ => did(entry, self.part.channel),
        };
        let when = match &entry.returned {
            Some(returned) => format!("between {} and {}", entry.invoked, returned.at),
            None => format!("from {} on", entry.invoked),
        };
        format!("{indent}client {} {did} {when}", entry.client)
    }

    /// The value that the operation found.
    fn value(&self, op: u32) -> String {
        let entry = &self.history.entries()[self.op(op).entry as usize];
        let outcome = entry.returned.as_ref().map(|returned| &returned.outcome);
        match (&entry.operation, outcome) {
            (Operation::Update { expected, .. }, _) => expected.to_string(),
            (_, Some(Outcome::Value(value))) => value.to_string(),
            _ => "that value".into(),
        }
    }

    fn op(&self, op: u32) -> &Op {
        &self.part.problem.ops[op as usize]
    }
}

/// What the operation did, in the past tense.
pub(crate) fn did(entry: &Entry, channel: &Octets) -> String {
    let outcome = entry.returned.as_ref().map(|returned| &returned.outcome);
    match (&entry.operation, outcome) {
        (Operation::Put(_, value), _) => format!("put {value}"),
        (Operation::Get(_), Some(Outcome::Value(value))) => format!("got {value}"),
        (Operation::Get(_), Some(Outcome::NoRecord)) => "got no record".into(),
        (Operation::Exists(_), Some(Outcome::Exists(true))) => "was told that it exists".into(),
        (Operation::Exists(_), Some(Outcome::Exists(false))) => {
            "was told that it does not exist".into()
        }
        (Operation::Remove(_), Some(Outcome::Removed)) => "removed it".into(),
        (Operation::Remove(_), Some(Outcome::NoRecord)) => "found no record to remove".into(),
        (Operation::Remove(_), Some(Outcome::Ok)) => "removed it, if it was there".into(),
        (Operation::Remove(_), None) => "tried to remove it".into(),
        (
            Operation::Update {
                expected, value, ..
            },
            Some(Outcome::Ok),
        ) => format!("updated {expected} to {value}"),
        (
            Operation::Update {
                expected, value, ..
            },
            None,
        ) => format!("tried to update {expected} to {value}"),
        (Operation::Update { expected, .. }, Some(Outcome::Conflict)) => {
            format!("was refused an update of {expected}, for another value,")
        }
        (Operation::Update { .. }, Some(Outcome::NoRecord)) => "found no record to update".into(),
        (Operation::RemoveChannel(_), Some(_)) => "removed the channel".into(),
        (Operation::RemoveChannel(_), None) => "tried to remove the channel".into(),
        (Operation::GetChannels, Some(Outcome::Channels(names))) => {
            listing(channel, names.contains(channel))
        }
        (operation, None) => format!("asked for {}, without an answer,", operation.name()),
        (operation, Some(outcome)) => format!("was answered {outcome:?} to {}", operation.name()),
    }
}

fn listing(channel: &Octets, listed: bool) -> String {
    match listed {
        true => format!("was told of channel {channel}"),
        false => format!("was not told of channel {channel}"),
    }
}
