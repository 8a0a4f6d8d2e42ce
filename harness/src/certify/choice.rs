//! What a run is to do: the checks that were asked for, and whether random operations were.

use std::time::Duration;

use dht_reports::{Plan, PlannedGroup};

use super::random;
use crate::checks::{self, Check, Group};
use crate::cli::Certify;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Choice {
    /// The directed checks, in the order of the report.
    pub(super) checks: Vec<&'static Check>,
    /// Random operations as well?
    pub(super) random: bool,
}

impl Choice {
    /// What the command line asks for.
    pub(super) fn of(options: &Certify) -> Self {
        let filter = options.filter.as_deref();
        Self {
            checks: checks::matching(filter),
            random: options.operations > 0
                && options.budget != Some(Duration::ZERO)
                && random::is_chosen(filter),
        }
    }

    /// Is there nothing to do?
    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty() && !self.random
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
            name: random::GROUP.to_owned(),
            plan: Plan::Random,
        });
        directed.chain(random).collect()
    }
}
