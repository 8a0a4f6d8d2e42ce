//! An order that explains a history: how it comes together from the parts, and its form on disk.
//!
//! Whether it does explain the history is verified apart from how it was found, in [`mod@verify`].

mod verify;

use std::io::{self, Write};

use serde::Serialize;

use crate::history::{History, Operation};
use crate::jsonl;
use crate::octets::Octets;
use crate::plan::Part;
use crate::problem::Act;

pub use verify::{WitnessError, check_witness};

/// The moments at which operations took effect, in order. Operations of unknown outcome without one did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    steps: Vec<Step>,
}

/// One moment of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The operation's index in the history.
    pub entry: usize,
    /// Which of its moments.
    pub moment: Moment,
}

/// Most operations act at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The only one.
    Whole,
    /// An update reads the expected value.
    Reads,
    /// An update stores the new value.
    Stores,
    /// An update of unknown outcome found no record, and created the channel.
    Creates,
    /// get_channels looks at this channel.
    Channel(Box<Octets>),
}

impl Witness {
    /// A witness from anywhere.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// The moments in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Writes JSON Lines: the history's operations in the order of the witness, with `number` (the operation's
    /// place in the history, from 1) and, where an operation has several, its `moment`.
    pub fn write(&self, history: &History, mut target: impl Write) -> io::Result<()> {
        for step in &self.steps {
            if let Some(entry) = history.entries().get(step.entry) {
                let line = Line {
                    number: step.entry + 1,
                    moment: (step.moment != Moment::Whole).then_some(&step.moment),
                    operation: jsonl::Line::from(entry),
                };
                serde_json::to_writer(&mut target, &line)?;
                target.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Merges the orders of parts that do not depend on each other. Each operation takes effect as early as
    /// its own order allows, which is never later than it returned; sorted by that, time is respected across
    /// parts as well.
    pub(crate) fn merge(history: &History, parts: &[(&Part<'_>, Vec<u32>)]) -> Self {
        let steps = match parts {
            [(part, order)] => order.iter().map(|&op| step(history, part, op)).collect(),
            _ => merged(parts)
                .into_iter()
                .map(|(_, part, op)| step(history, parts[part].0, op))
                .collect(),
        };
        Self { steps }
    }
}

fn merged(parts: &[(&Part<'_>, Vec<u32>)]) -> Vec<(i64, usize, u32)> {
    let mut timed = Vec::with_capacity(parts.iter().map(|(_, order)| order.len()).sum());
    for (number, (part, order)) in parts.iter().enumerate() {
        let mut now = i64::MIN;
        for &op in order {
            now = now.max(part.problem.ops[op as usize].invoked);
            timed.push((now, number, op));
        }
    }
    // Stable: what takes effect at the same time keeps its order within the part.
    timed.sort_by_key(|(now, _, _)| *now);
    timed
}

fn step(history: &History, part: &Part<'_>, op: u32) -> Step {
    let op = &part.problem.ops[op as usize];
    let operation = &history.entries()[op.entry as usize].operation;
    Step {
        entry: op.entry as usize,
        moment: match op.act {
            Act::Begin { .. } => Moment::Reads,
            Act::Commit { .. } => Moment::Stores,
            Act::Listed(_) => Moment::Channel(Box::new(part.channel.clone())),
            Act::Touch if matches!(operation, Operation::Update { .. }) => Moment::Creates,
            _ => Moment::Whole,
        },
    }
}

#[derive(Serialize)]
struct Line<'w> {
    number: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<&'w Moment>,
    #[serde(flatten)]
    operation: jsonl::Line,
}
