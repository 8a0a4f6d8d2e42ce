//! Plays a witness through the meaning of the operations, step by step. It shares nothing with the search.

use std::collections::{HashMap, HashSet};

use super::{Moment, Step, Witness};
use crate::history::{Entry, History, Operation, Outcome, Record};
use crate::octets::Octets;
use crate::semantics::Semantics;

/// What is wrong with a witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A step names no entry of the history.
    #[error("step {step} is of an operation that the history does not have")]
    NoEntry {
        /// The step's index.
        step: usize,
    },
    /// A step's operation had returned before an operation of an earlier step was invoked.
    #[error("step {step} is later than time allows")]
    Late {
        /// The step's index.
        step: usize,
    },
    /// A step's operation cannot have found what it found.
    #[error("step {step} does not find what its operation found")]
    Wrong {
        /// The step's index.
        step: usize,
    },
    /// A moment occurs twice, or one that its operation does not have.
    #[error("step {step} is one too many of its operation")]
    Surplus {
        /// The step's index.
        step: usize,
    },
    /// An operation that returned has not all of its moments.
    #[error("operation {} is missing", entry + 1)]
    Missing {
        /// The entry's index.
        entry: usize,
    },
}

/// Whether the witness explains the history: an independent proof of the verdict.
pub fn check_witness(
    history: &History,
    semantics: Semantics,
    witness: &Witness,
) -> Result<(), WitnessError> {
    let mut player = Player::new(history, semantics);
    for (number, step) in witness.steps().iter().enumerate() {
        player.play(number, step)?;
    }
    player.complete()
}

struct Player<'h> {
    entries: &'h [Entry],
    semantics: Semantics,
    /// The latest invocation so far.
    latest: i64,
    channels: HashMap<&'h Octets, Channel<'h>>,
    played: Vec<Played>,
    /// The channels that get_channels has looked at.
    looks: HashSet<(usize, &'h Octets)>,
}

#[derive(Default)]
struct Channel<'h> {
    existence: Existence,
    records: HashMap<&'h Octets, &'h Octets>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Existence {
    #[default]
    Absent,
    Perhaps,
    Certain,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Played {
    whole: bool,
    read: bool,
    stored: bool,
    created: bool,
}

impl<'h> Player<'h> {
    fn new(history: &'h History, semantics: Semantics) -> Self {
        let entries = history.entries();
        let mut channels = HashMap::new();
        for entry in entries {
            let name = match &entry.operation {
                Operation::RemoveChannel(name) => Some(name),
                operation => operation.record().map(|record| &record.channel),
            };
            if let Some(name) = name {
                channels.entry(name).or_insert_with(Channel::default);
            }
        }
        Self {
            entries,
            semantics,
            latest: i64::MIN,
            channels,
            played: vec![Played::default(); entries.len()],
            looks: HashSet::new(),
        }
    }

    fn play(&mut self, number: usize, step: &Step) -> Result<(), WitnessError> {
        let entries = self.entries;
        let entry = entries
            .get(step.entry)
            .ok_or(WitnessError::NoEntry { step: number })?;
        if entry
            .returned
            .as_ref()
            .is_some_and(|returned| returned.at < self.latest)
        {
            return Err(WitnessError::Late { step: number });
        }
        self.latest = self.latest.max(entry.invoked);
        let outcome = entry.returned.as_ref().map(|returned| &returned.outcome);
        let right = match (&step.moment, &entry.operation) {
            (Moment::Channel(name), Operation::GetChannels) => {
                let Some((&name, channel)) = self.channels.get_key_value(&**name) else {
                    return Err(WitnessError::Surplus { step: number });
                };
                if !self.looks.insert((step.entry, name)) {
                    return Err(WitnessError::Surplus { step: number });
                }
                let existence = channel.existence;
                match outcome {
                    Some(Outcome::Channels(names)) => {
                        let listed = names.contains(name);
                        self.see(name, listed);
                        existence == Existence::Perhaps
                            || (existence == Existence::Certain) == listed
                    }
                    _ => false,
                }
            }
            (moment, operation) => {
                let played = &mut self.played[step.entry];
                let before = *played;
                let fits = match (moment, operation) {
                    (Moment::Whole, Operation::GetChannels) => false,
                    (Moment::Whole, _) => {
                        played.whole = true;
                        before == Played::default()
                    }
                    (Moment::Reads, Operation::Update { .. }) => {
                        played.read = true;
                        before == Played::default()
                    }
                    (Moment::Stores, Operation::Update { .. }) => {
                        played.stored = true;
                        before.read && !before.stored && self.semantics == Semantics::Dht
                    }
                    (Moment::Creates, Operation::Update { .. }) => {
                        played.created = true;
                        before == Played::default() && outcome.is_none()
                    }
                    _ => false,
                };
                if !fits {
                    return Err(WitnessError::Surplus { step: number });
                }
                self.act(moment, operation, outcome)
            }
        };
        match right {
            true => Ok(()),
            false => Err(WitnessError::Wrong { step: number }),
        }
    }

    fn see(&mut self, name: &'h Octets, listed: bool) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.existence = match listed {
                true => Existence::Certain,
                false => Existence::Absent,
            };
        }
    }

    /// Carries the operation out, and tells whether its answer is right.
    fn act(
        &mut self,
        moment: &Moment,
        operation: &'h Operation,
        outcome: Option<&'h Outcome>,
    ) -> bool {
        if let Operation::RemoveChannel(name) = operation {
            self.channels.insert(name, Channel::default());
            return matches!(outcome, None | Some(Outcome::Ok));
        }
        let Some(Record { channel, key }) = operation.record() else {
            return false;
        };
        let channel = self.channels.entry(channel).or_default();
        if channel.existence == Existence::Absent {
            channel.existence = Existence::Perhaps;
        }
        let found = channel.records.get(key).copied();
        let mut store = |value| {
            channel.records.insert(key, value);
            channel.existence = Existence::Certain;
        };
        match (operation, outcome) {
            (Operation::Put(_, value), None | Some(Outcome::Ok)) => {
                store(value);
                true
            }
            (Operation::Get(_) | Operation::Exists(_), None) => true,
            (Operation::Get(_), Some(Outcome::Value(value))) => found == Some(value),
            (Operation::Get(_) | Operation::Remove(_), Some(Outcome::NoRecord)) => found.is_none(),
            (Operation::Exists(_), Some(Outcome::Exists(exists))) => found.is_some() == *exists,
            (Operation::Remove(_), None | Some(Outcome::Ok | Outcome::Removed)) => {
                channel.records.remove(key);
                found.is_some() || outcome != Some(&Outcome::Removed)
            }
            (
                Operation::Update {
                    expected, value, ..
                },
                None | Some(Outcome::Ok),
            ) => match moment {
                Moment::Reads => found == Some(expected),
                Moment::Creates => true,
                // Removed between its halves, the record is created again.
                _ if found == Some(expected) || (found.is_none() && *moment == Moment::Stores) => {
                    store(value);
                    true
                }
                _ => false,
            },
            (Operation::Update { expected, .. }, Some(Outcome::Conflict)) => match found {
                Some(found) => found != expected,
                None => self.semantics == Semantics::Register,
            },
            (Operation::Update { .. }, Some(Outcome::NoRecord)) => {
                found.is_none() && self.semantics == Semantics::Dht
            }
            _ => false,
        }
    }

    fn complete(&self) -> Result<(), WitnessError> {
        for (index, (entry, played)) in self.entries.iter().zip(&self.played).enumerate() {
            if entry.returned.is_none() {
                continue;
            }
            let complete = match &entry.operation {
                Operation::GetChannels => self
                    .channels
                    .keys()
                    .all(|name| self.looks.contains(&(index, name))),
                _ => played.whole || played.stored,
            };
            if !complete {
                return Err(WitnessError::Missing { entry: index });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Returned;

    fn entry(operation: Operation, invoked: i64, at: i64, outcome: Outcome) -> Entry {
        Entry {
            client: 0,
            operation,
            invoked,
            returned: Some(Returned { at, outcome }),
        }
    }

    fn put_then_get() -> History {
        let record = || Record::new("c", "k");
        [
            entry(Operation::Put(record(), "a".into()), 1, 2, Outcome::Ok),
            entry(Operation::Get(record()), 2, 4, Outcome::Value("a".into())),
            entry(Operation::Put(record(), "b".into()), 3, 4, Outcome::Ok),
        ]
        .into_iter()
        .collect()
    }

    fn order(entries: &[usize]) -> Witness {
        let whole = |&entry| Step {
            entry,
            moment: Moment::Whole,
        };
        Witness::new(entries.iter().map(whole).collect())
    }

    #[test]
    fn only_an_order_that_explains_all_is_accepted() {
        let history = put_then_get();
        for (entries, expected) in [
            (&[0, 1, 2][..], Ok(())),
            (&[1, 0, 2], Err(WitnessError::Wrong { step: 0 })),
            (&[0, 2, 1], Err(WitnessError::Wrong { step: 2 })),
            (&[2, 0, 1], Err(WitnessError::Late { step: 1 })),
            (&[0, 1], Err(WitnessError::Missing { entry: 2 })),
            (&[0, 1, 1], Err(WitnessError::Surplus { step: 2 })),
            (&[0, 7], Err(WitnessError::NoEntry { step: 1 })),
        ] {
            let checked = check_witness(&history, Semantics::Dht, &order(entries));
            assert_eq!(checked, expected, "{entries:?}");
        }
    }
}
