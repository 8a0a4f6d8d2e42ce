//! Whether a node still deviates as its profile says.

use crate::check::{CheckResult, Verdict};
use crate::profile::Deviation;
use crate::run::Run;

/// A deviation of the profile, and what came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation<'a> {
    /// The deviation.
    pub deviation: &'a Deviation,
    /// What came of it.
    pub sighting: Sighting<'a>,
}

/// What came of a deviation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sighting<'a> {
    /// These results show it.
    Happened(Vec<&'a CheckResult>),
    /// No result shows it, and these found the requirement kept.
    UnexpectedlyKept(Vec<&'a CheckResult>),
    /// No result shows it, these found the requirement kept, and that is to be expected now and then.
    KeptThisTime(Vec<&'a CheckResult>),
    /// No check could have shown it.
    NotExercised,
    /// The profile names a requirement that the run does not know.
    UnknownRequirement,
}

impl<'a> Expectation<'a> {
    pub(super) fn of(deviation: &'a Deviation, run: &'a Run) -> Self {
        let happened: Vec<_> = run
            .results()
            .filter(|result| {
                let failure = result.verdict.failure();
                failure.is_some_and(|failure| deviation.excuses(&result.check, failure))
            })
            .collect();
        let kept: Vec<_> = run
            .results()
            .filter(|result| result.verdict == Verdict::Kept && deviation.expects(&result.check))
            .collect();
        let known = run
            .requirements()
            .iter()
            .any(|requirement| requirement.id == deviation.requirement);
        let sighting = if !happened.is_empty() {
            Sighting::Happened(happened)
        } else if !kept.is_empty() && deviation.sometimes {
            Sighting::KeptThisTime(kept)
        } else if !kept.is_empty() {
            Sighting::UnexpectedlyKept(kept)
        } else if known {
            Sighting::NotExercised
        } else {
            Sighting::UnknownRequirement
        };
        Self {
            deviation,
            sighting,
        }
    }
}
