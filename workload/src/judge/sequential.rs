//! Judges what happened one after another: by the reference model, answer for answer.

use dht_model::{Model, NodeId};

use super::Fault;
use crate::names::Names;
use crate::recording::{Entry, Recording};
use crate::world::Ending;

/// Judges answers as they come. It stops to judge where the model does not reach: once nobody knows how
/// something ended, or something goes on over steps. Whether steps overlap its user has to see.
#[derive(Clone, Debug)]
pub struct Sequential<'a> {
    names: &'a Names,
    model: Model,
    lost: bool,
}

impl<'a> Sequential<'a> {
    /// Nothing has happened yet.
    pub fn new(names: &'a Names) -> Self {
        let mut model = Model::default();
        model.announce(NodeId(0), names.range());
        Self {
            names,
            model,
            lost: false,
        }
    }

    /// What is wrong with a step that has ended. Steps come in the order in which they ended.
    pub fn observe(&mut self, entry: &Entry) -> Option<Fault> {
        let Some((_, ending)) = &entry.ended else {
            self.lost = true;
            return None;
        };
        let operation = self.names.operation(&entry.step);
        let (Some(operation), false) = (operation, self.lost) else {
            // What is done in several steps is for other judges.
            self.lost |= !matches!(ending, Ending::Nothing(_));
            return None;
        };
        match ending {
            Ending::Answer(answer) => {
                let refusal = self.model.observe(&operation, answer).err()?;
                Some(Fault {
                    requirement: refusal.rule,
                    at: entry.at,
                    sent: entry.step.to_string(),
                    allowed: refusal.allowed.to_string(),
                    observed: refusal.reason,
                })
            }
            Ending::Nothing(_) => None,
            Ending::Read(_) | Ending::Unknown(_) => {
                self.lost = true;
                None
            }
        }
    }
}

/// The first wrong answer of a recording, as far as nothing overlaps.
pub fn judge(recording: &Recording, names: &Names) -> Option<Fault> {
    let mut judge = Sequential::new(names);
    let alone = &recording.entries[..alone(recording)];
    alone.iter().find_map(|entry| judge.observe(entry))
}

/// Does the model reach to the end of a recording? It says nothing of streams.
pub fn reaches_all(recording: &Recording, names: &Names) -> bool {
    let judged = |entry: &Entry| match &entry.ended {
        Some((_, Ending::Nothing(_))) => true,
        Some((_, Ending::Answer(_))) => names.operation(&entry.step).is_some(),
        _ => false,
    };
    recording.streams.is_empty()
        && recording.entries.iter().all(judged)
        && alone(recording) == recording.entries.len()
}

/// How many entries there are before the first one that overlaps with another.
fn alone(recording: &Recording) -> usize {
    let entries = &recording.entries;
    let overlaps = |number: usize| match (&entries[number].ended, entries.get(number + 1)) {
        (Some((ended, _)), Some(next)) => next.invoked < *ended,
        (ended, _) => ended.is_none(),
    };
    let overlapping = (0..entries.len()).find(|number| overlaps(*number));
    overlapping.unwrap_or(entries.len())
}
