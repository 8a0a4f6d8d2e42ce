//! What the model checker found out, as data and as text.
//!
//! A [`ModelResult`] is one model with its properties; a [`ModelRun`] is all of them. Its JSON is what serde
//! makes of it; [`row`] and [`counterexamples`] are what a terminal shows; [`events`](fn@events) are the same
//! as a run of checks, of which [`junit`](crate::junit) makes a file.

mod events;
mod table;

pub use events::events;
pub use table::{counterexamples, row, summary, titles};

use serde::Serialize;

use crate::Exit;

/// Everything that was checked.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ModelRun {
    /// Version of the tool.
    pub version: String,
    /// How far the models were explored: `small`, `default`, `deep`.
    pub bounds: String,
    /// The defect of the original that was switched on, if one was.
    pub defect: Option<String>,
    /// The models.
    pub models: Vec<ModelResult>,
}

/// A model, and what is true of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ModelResult {
    /// Its name, `get-all`.
    pub name: String,
    /// What it is about, in a sentence.
    pub about: String,
    /// Steps that were taken, to whatever state.
    pub generated: u64,
    /// Different states.
    pub unique: u64,
    /// The number of states on the longest of the shortest paths.
    pub depth: u64,
    /// States from which nothing leads on. Where something was still owed in one, a property says so.
    pub terminal: u64,
    /// How long it took to visit every state, in milliseconds.
    pub exploring: u64,
    /// How long it took, with the search for what never comes, in milliseconds.
    pub milliseconds: u64,
    /// The most memory that was in use for states, in bytes.
    pub memory: u64,
    /// What was not covered; none if everything was.
    pub incomplete: Option<String>,
    /// Its properties.
    pub properties: Vec<PropertyResult>,
}

/// A property of a model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PropertyResult {
    /// Its number, `P27`, or name.
    pub id: String,
    /// `always`, `eventually` or `sometimes`.
    pub kind: String,
    /// What it says.
    pub sentence: String,
    /// Whether it holds.
    pub verdict: PropertyVerdict,
    /// The run that shows that it does not hold, or that a goal is reached.
    pub run: Option<Run>,
}

/// Whether a property holds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyVerdict {
    /// It does, in every run.
    Held,
    /// It does not.
    Violated,
    /// It does not, and is known not to: the protocol itself allows it.
    ViolatedAsExpected,
    /// It does although the protocol does not see to it: that would be news.
    HeldUnexpectedly,
    /// A goal that some run reaches.
    Reached,
    /// A goal that no run reaches: the model does not do what it is there for.
    NotReached,
    /// Not known.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// A run of a model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Run {
    /// The steps, a line each.
    pub steps: Vec<String>,
    /// As a message sequence chart.
    pub chart: String,
    /// Where the chart is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub svg: Option<String>,
    /// Where it is kept as a case for a real node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

impl PropertyVerdict {
    /// Is it as it should be?
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Held | Self::ViolatedAsExpected | Self::Reached)
    }

    /// Is it known, and not as it should be?
    pub fn is_bad(&self) -> bool {
        !self.is_good() && !matches!(self, Self::Unknown { .. })
    }
}

impl ModelRun {
    /// The properties that are not as they should be.
    pub fn findings(&self) -> impl Iterator<Item = (&ModelResult, &PropertyResult)> {
        let models = self.models.iter();
        models
            .flat_map(|model| {
                model
                    .properties
                    .iter()
                    .map(move |property| (model, property))
            })
            .filter(|(_, property)| property.verdict.is_bad())
    }

    /// With which status the program ends: 2 if nothing was found and something is not known.
    pub fn exit(&self) -> Exit {
        let unknown = |model: &ModelResult| {
            let mut properties = model.properties.iter();
            model.incomplete.is_some() || properties.any(|property| !property.verdict.is_good())
        };
        if self.findings().next().is_some() {
            Exit::Broken
        } else if self.models.is_empty() || self.models.iter().any(unknown) {
            Exit::CouldNotRun
        } else {
            Exit::Kept
        }
    }
}
