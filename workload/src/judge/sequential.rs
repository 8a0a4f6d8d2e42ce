//! Judges what happened one after another: by the reference model, answer for answer.

use dht_model::{Model, NodeId, Route};

use super::Fault;
use crate::case::{self, Protocol, Step};
use crate::names::Names;
use crate::recording::{AfterKill, Entry, Recording};
use crate::world::Ending;

/// Judges answers as they come. It stops to judge where the model does not reach: once nobody knows how
/// something ended, or something goes on over steps. Whether steps overlap its user has to see.
#[derive(Clone, Debug)]
pub struct Sequential<'a> {
    names: &'a Names,
    model: Model,
    after_kill: AfterKill,
    lost: bool,
}

impl<'a> Sequential<'a> {
    /// Nothing has happened yet.
    pub fn new(names: &'a Names, after_kill: AfterKill) -> Self {
        Self {
            names,
            model: empty(names),
            after_kill,
            lost: false,
        }
    }

    /// What is wrong with a step that has ended. Steps come in the order in which they ended.
    pub fn observe(&mut self, entry: &Entry) -> Option<Fault> {
        let Some((_, ending)) = &entry.ended else {
            self.lost = true;
            return None;
        };
        if entry.step == Step::Fault(case::Fault::Kill {}) {
            match self.after_kill {
                AfterKill::Everything => {}
                AfterKill::Nothing => self.model = empty(self.names),
                AfterKill::Unknown => self.lost = true,
            }
        }
        let operation = self.names.operation(entry.word());
        let (Some(operation), false) = (operation, self.lost) else {
            // What is done in several steps is for other judges. What is said wrongly and has no effect changes
            // nothing.
            let nothing = matches!((&entry.step, ending), (Step::Wrong(_), Ending::Nothing(_)));
            self.lost |= !nothing && !matches!(entry.step, Step::Fault(_));
            return None;
        };
        match ending {
            Ending::Answer(answer) => {
                let route = match entry.protocol {
                    Protocol::Neo => Route::Client,
                    Protocol::Legacy => Route::Legacy(NODE),
                };
                let refusal = self.model.observe_on(route, &operation, answer).err()?;
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

/// A node that holds nothing.
fn empty(names: &Names) -> Model {
    let mut model = Model::default();
    model.announce(NODE, names.range());
    model
}

/// The node, of which there is one.
const NODE: NodeId = NodeId(0);

/// How far the model reaches in a recording.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Every answer was judged, and there are no streams.
    All,
    /// Something overlapped, was left open, or is not for the model.
    Some,
}

/// Judges a recording as far as nothing overlaps. The error is the first wrong answer.
pub fn judge(recording: &Recording, names: &Names) -> Result<Reach, Fault> {
    let mut judge = Sequential::new(names, recording.after_kill);
    let alone = &recording.entries[..alone(recording)];
    if let Some(fault) = alone.iter().find_map(|entry| judge.observe(entry)) {
        return Err(fault);
    }
    let all = alone.len() == recording.entries.len() && recording.streams.is_empty();
    Ok(if all && !judge.lost {
        Reach::All
    } else {
        Reach::Some
    })
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

#[cfg(test)]
mod tests {
    use dht_model::Answer;
    use dht_protocol::HashRange;

    use super::*;
    use crate::case::At;

    fn entry(number: u64, step: &str, ending: Ending) -> Entry {
        Entry {
            at: At {
                round: usize::try_from(number).unwrap(),
                step: 0,
            },
            lane: 0,
            protocol: Protocol::Neo,
            step: serde_json::from_str(step).unwrap(),
            invoked: 2 * number,
            ended: Some((2 * number + 1, ending)),
        }
    }

    fn recording(between: Option<&str>) -> Recording {
        let put = r#"{"put": {"channel": "c", "key": "k0", "value": "v1"}}"#;
        let get = r#"{"get": {"channel": "c", "key": "k0"}}"#;
        let mut entries = vec![entry(0, put, Ending::Answer(Answer::Stored))];
        let between = between.map(|step| entry(1, step, Ending::Nothing("done".to_owned())));
        entries.extend(between);
        entries.push(entry(2, get, Ending::Answer(Answer::NoRecord)));
        Recording {
            entries,
            ..Recording::default()
        }
    }

    #[test]
    fn what_was_said_wrongly_and_answered_is_judged_like_anything_else() {
        let names = Names::new("", HashRange::FULL, true);
        let get = r#"{"get": {"channel": "c", "key": "k0"}}"#;
        let trickled = |value: &str| {
            let put = format!(r#"{{"put": {{"channel": "c", "key": "k0", "value": "{value}"}}}}"#);
            format!(r#"{{"wrong": {{"defect": "legacy-trickled", "of": {put}}}}}"#)
        };
        let read = |value: &str| Ending::Answer(Answer::Value(value.to_owned().into()));
        for (ending, found, is_wrong) in [
            (Ending::Answer(Answer::Stored), read("v1"), false),
            (Ending::Answer(Answer::Stored), read("v2"), true),
            (Ending::Nothing("".to_owned()), read("v1"), true),
            (Ending::Unknown("".to_owned()), read("v1"), false),
        ] {
            let put = Entry {
                protocol: Protocol::Legacy,
                ..entry(0, &trickled("v1"), ending)
            };
            let recording = Recording {
                entries: vec![put, entry(1, get, found)],
                ..Recording::default()
            };
            assert_eq!(judge(&recording, &names).is_err(), is_wrong);
        }
    }

    #[test]
    fn a_lost_record_is_seen_unless_the_node_was_killed() {
        let names = Names::new("", HashRange::FULL, true);
        let lost = recording(None);
        assert!(judge(&lost, &names).is_err());
        let halted = recording(Some(r#"{"fault": {"halt": {"ms": 1}}}"#));
        assert!(judge(&halted, &names).is_err());
        let killed = recording(Some(r#"{"fault": {"kill": {}}}"#));
        assert_eq!(judge(&killed, &names), Ok(Reach::Some));
        for (after_kill, is_wrong) in [(AfterKill::Everything, true), (AfterKill::Nothing, false)] {
            let declared = Recording {
                after_kill,
                ..killed.clone()
            };
            let judged = judge(&declared, &names);
            assert_eq!(judged.is_err(), is_wrong);
            assert!(is_wrong || judged == Ok(Reach::All));
        }
    }
}
