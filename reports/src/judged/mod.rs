//! A run as a profile sees it: which failures it excuses and which are advice, what became of each
//! requirement, and whether the node still does what the profile says.

mod expectation;
mod standing;

use crate::check::{CheckResult, Failure, Verdict};
use crate::exit::Exit;
use crate::profile::{Deviation, Profile};
use crate::requirement::Level;
use crate::run::{Group, Run};
use crate::tally::{RequirementTally, Tally};

pub use expectation::{Expectation, Sighting};
pub use standing::{Standing, State};

/// A run and the profile that it is judged by. Every rendering is made from this.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    run: &'a Run,
    profile: &'a str,
    deviations: &'a [Deviation],
}

/// What is to be thought of one result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Judgement<'a> {
    /// The node did what the requirements ask.
    Kept,
    /// The node broke a requirement that binds it.
    Broken(&'a Failure),
    /// The node does not do what is only recommended, or left to it: no fault, but worth knowing.
    Advice(&'a Failure),
    /// The node broke a requirement, as the profile says it does.
    Deviation(&'a Failure, &'a Deviation),
    /// The check could not tell, and why.
    Inconclusive(&'a str),
    /// The requirements do not concern this node, and why.
    NotApplicable(&'a str),
}

impl<'a> Judged<'a> {
    /// Without a profile the node must keep every requirement.
    pub(crate) fn new(run: &'a Run, profile: Option<&'a Profile>) -> Self {
        Self {
            run,
            profile: profile.map_or("strict", |profile| &profile.name),
            deviations: profile.map_or(&[], |profile| &profile.deviations),
        }
    }

    /// The run that is judged.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// Name of the profile.
    pub fn profile(&self) -> &'a str {
        self.profile
    }

    /// What is to be thought of `result`.
    pub fn judge(&self, result: &'a CheckResult) -> Judgement<'a> {
        match &result.verdict {
            Verdict::Kept => Judgement::Kept,
            Verdict::Inconclusive { reason } => Judgement::Inconclusive(reason),
            Verdict::NotApplicable { reason } => Judgement::NotApplicable(reason),
            Verdict::Broken(failure) => {
                let excuse = self
                    .deviations
                    .iter()
                    .find(|deviation| deviation.excuses(&result.check, failure));
                match excuse {
                    Some(deviation) => Judgement::Deviation(failure, deviation),
                    None => match failure.requirement.level {
                        Level::Must => Judgement::Broken(failure),
                        Level::Should | Level::May => Judgement::Advice(failure),
                    },
                }
            }
        }
    }

    /// All results, group by group.
    pub fn checks(&self) -> impl Iterator<Item = (&'a CheckResult, Judgement<'a>)> + use<'a> {
        let judged = *self;
        self.run
            .results()
            .map(move |result| (result, judged.judge(result)))
    }

    /// The results with a broken requirement that the profile does not excuse, group by group: the first is
    /// the one to look at first.
    pub fn failures(&self) -> impl Iterator<Item = (&'a CheckResult, &'a Failure)> + use<'a> {
        self.checks()
            .filter_map(|(result, judgement)| match judgement {
                Judgement::Broken(failure) => Some((result, failure)),
                _ => None,
            })
    }

    /// The results that show something the node ought to do and does not, group by group.
    pub fn advice(&self) -> impl Iterator<Item = (&'a CheckResult, &'a Failure)> + use<'a> {
        self.checks()
            .filter_map(|(result, judgement)| match judgement {
                Judgement::Advice(failure) => Some((result, failure)),
                _ => None,
            })
    }

    /// What became of each requirement: the known ones in their order, then any others as they came.
    pub fn requirements(&self) -> Vec<Standing<'a>> {
        standing::standings(self)
    }

    /// Whether the node still does what each deviation of the profile says.
    pub fn expectations(&self) -> Vec<Expectation<'a>> {
        self.deviations
            .iter()
            .map(|deviation| Expectation::of(deviation, self.run))
            .collect()
    }

    /// All results by what is to be thought of them.
    pub fn tally(&self) -> Tally {
        self.checks().map(|(_, judgement)| judgement).collect()
    }

    /// The results of `group`, which is one of this run, by what is to be thought of them.
    pub fn group_tally(&self, group: &'a Group) -> Tally {
        let results = group.results.iter();
        results.map(|result| self.judge(result)).collect()
    }

    /// All requirements by what became of them.
    pub fn requirement_tally(&self) -> RequirementTally {
        self.requirements().iter().collect()
    }

    /// With which status the program ends.
    ///
    /// A broken requirement counts even if the run could not be completed. Otherwise the run must be
    /// complete and each check must have been able to tell: what was not judged is not certified. Advice
    /// changes nothing, and a deviation that did not happen is no fault of the node.
    pub fn exit(&self) -> Exit {
        let tally = self.tally();
        if tally.broken > 0 {
            Exit::Broken
        } else if self.run.obstacle().is_some()
            || tally.inconclusive > 0
            || !self.run.missing().is_empty()
        {
            Exit::CouldNotRun
        } else {
            Exit::Kept
        }
    }
}
