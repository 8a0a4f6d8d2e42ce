//! What happened when a case was run.
//!
//! Everything bears a time: a number that is larger the later something was seen here. What an operation
//! did, it did between its invocation and its return.

use std::borrow::Cow;

use dht_model::Answer;

use crate::case::{At, Protocol, Step};
use crate::names::KeyName;
use crate::world::{Ending, Event, Violation};

/// When something was seen: the first thing has the lowest number, and no two have the same.
pub type Time = u64;

/// What happened when a case was run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The steps that were begun, in that order.
    pub entries: Vec<Entry>,
    /// The streams that were begun, in that order.
    pub streams: Vec<StreamRecord>,
    /// What ended the run before its time.
    pub end: Option<End>,
    /// What is left of the records behind a kill.
    pub after_kill: AfterKill,
    /// What should be known of the run and is no verdict: schedules that could not be followed.
    pub notes: Vec<String>,
}

/// What is left of a node's records when it was killed and started again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AfterKill {
    /// Nobody has said. Nothing is judged that would have to be known.
    #[default]
    Unknown,
    /// Everything that was acknowledged.
    Everything,
    /// Nothing.
    Nothing,
}

/// A step that was begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it stands in the case. Several entries may stand for one step.
    pub at: At,
    /// The lane that did it.
    pub lane: usize,
    /// What it speaks.
    pub protocol: Protocol,
    /// What was done.
    pub step: Step,
    /// When it was begun.
    pub invoked: Time,
    /// When it had ended, and how; `None` if the run ended first.
    pub ended: Option<(Time, Ending)>,
}

/// What a stream told.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// The step that began it.
    pub at: At,
    /// That step.
    pub step: Step,
    /// When it was begun.
    pub invoked: Time,
    /// What it told.
    pub told: Vec<(Time, Event)>,
    /// When it was suspended, resumed and stopped by its user.
    pub controlled: Vec<(Time, crate::world::Control)>,
    /// A Mirror that was to tell what the channel holds, and did not: what is missing or wrong, by the key
    /// on the node.
    pub disagrees: Option<String>,
}

/// What ended a run before its time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The node has broken the protocol.
    Violation(Violation),
    /// The node is gone.
    Gone(String),
    /// Steps were not answered for as long as anybody would wait; these are without an end.
    Silence,
    /// Whoever watched it has seen enough.
    Enough,
}

impl Recording {
    /// The same, with what was said wrongly and was, or may have been, carried out in place of what was wrong with
    /// it.
    pub(crate) fn taken_at_its_word(&self) -> Cow<'_, Self> {
        let is_other = |entry: &Entry| *entry.word() != entry.step;
        if !self.entries.iter().any(is_other) {
            return Cow::Borrowed(self);
        }
        let mut taken = self.clone();
        for entry in &mut taken.entries {
            entry.step = entry.word().clone();
        }
        Cow::Owned(taken)
    }

    /// How many things went wrong on purpose.
    pub fn faults(&self) -> u64 {
        let faults = self.entries.iter();
        faults
            .filter(|entry| matches!(entry.step, Step::Fault(_)))
            .count() as u64
    }
}

impl Entry {
    /// What was done. Of what was said wrongly and did not come to nothing: what was to be said.
    pub fn word(&self) -> &Step {
        match (&self.step, &self.ended) {
            (step, Some((_, Ending::Nothing(_)))) => step,
            (Step::Wrong(wrong), _) => wrong.of.as_deref().unwrap_or(&self.step),
            (step, _) => step,
        }
    }

    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.ended {
            Some((_, Ending::Answer(answer))) => Some(answer),
            _ => None,
        }
    }

    /// May it have had an effect, and nobody knows whether it had?
    pub fn is_unknown(&self) -> bool {
        matches!(&self.ended, None | Some((_, Ending::Unknown(_))))
    }

    /// The channel and the key that it concerns, if it concerns one record.
    pub fn record(&self) -> Option<(&str, KeyName)> {
        Some((self.step.channel()?, self.step.key()?))
    }
}
