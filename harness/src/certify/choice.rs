//! What a run is to do: the checks that were asked for, the failures that were kept, and whether random cases
//! were.

use std::time::Duration;

use dht_reports::{Plan, PlannedGroup};

use crate::campaign::corpus::File;
use crate::campaign::tour::{self, TOUR};
use crate::campaign::{self, GROUP};
use crate::checks::{self, Check, Group};
use crate::cli::Certify;
use crate::tour::{Tours, tours};

/// What was asked for.
#[derive(Debug)]
pub(super) struct Choice {
    /// The directed checks, in the order of the report.
    pub(super) checks: Vec<&'static Check>,
    /// Failures that earlier runs have kept.
    pub(super) kept: Vec<File>,
    /// Runs of the models.
    pub(super) tours: Tours,
    /// Random cases as well?
    pub(super) random: bool,
}

impl Choice {
    /// What the command line asks for.
    pub(super) fn of(options: &Certify, kept: Vec<File>) -> Self {
        let filter = options.filter.as_deref();
        let wanted = |file: &File| {
            let id = format!("corpus.{}", file.name());
            let line = format!("{id} {} {}", file.kept().about, file.kept().requirement);
            checks::chooses(filter, &id, &line)
        };
        let mut tours = match options.tour {
            true => tours(),
            false => Tours::default(),
        };
        tours.runs.retain(|run| {
            let id = tour::id(run);
            checks::chooses(filter, &id, &format!("{id} {}", run.about))
        });
        Self {
            tours,
            kept: kept.into_iter().filter(wanted).collect(),
            checks: checks::matching(filter),
            random: options.operations > 0
                && options.budget != Some(Duration::ZERO)
                && campaign::is_chosen(filter),
        }
    }

    /// Is there nothing to do?
    pub(super) fn is_empty(&self) -> bool {
        let none = self.checks.is_empty() && self.kept.is_empty() && self.tours.runs.is_empty();
        none && !self.random
    }

    /// The parts of the report.
    pub(super) fn groups(&self) -> Vec<PlannedGroup> {
        let count = |group| {
            let of_group = self.checks.iter().filter(|check| check.group == group);
            of_group.count()
        };
        let directed = Group::ALL
            .into_iter()
            .filter(|group| count(*group) > 0)
            .map(|group| PlannedGroup {
                name: group.to_string(),
                plan: Plan::Checks(count(group)),
            });
        let random = self.random.then(|| PlannedGroup {
            name: GROUP.to_owned(),
            plan: Plan::Random,
        });
        let kept = (!self.kept.is_empty()).then(|| PlannedGroup {
            name: "corpus".to_owned(),
            plan: Plan::Checks(self.kept.len()),
        });
        let tours = (!self.tours.runs.is_empty()).then(|| PlannedGroup {
            name: TOUR.to_owned(),
            plan: Plan::Checks(self.tours.runs.len()),
        });
        directed.chain(kept).chain(tours).chain(random).collect()
    }
}
