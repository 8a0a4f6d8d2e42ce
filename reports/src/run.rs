//! A run as a whole: what its events add up to, before anybody judges it.

use std::time::Duration;

use crate::check::{CheckResult, Verdict};
use crate::event::{Event, Obstacle, Plan, PlannedGroup, Progress, RunStarted, Workload};
use crate::judged::Judged;
use crate::profile::Profile;
use crate::requirement::Requirement;

/// Everything known about a run so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Run {
    start: Option<RunStarted>,
    groups: Vec<Group>,
    running: Vec<String>,
    progress: Option<Progress>,
    obstacle: Option<Obstacle>,
    duration: Option<Duration>,
}

impl Run {
    /// Takes in the next event. Events of unplanned groups and checks are taken as they come.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                *self = Self {
                    groups: start.groups.iter().map(Group::planned).collect(),
                    start: Some(start.clone()),
                    ..Self::default()
                }
            }
            Event::CheckStarted(check) => self.running.push(check.id.clone()),
            Event::CheckFinished(result) => {
                if let Some(at) = self.running.iter().position(|id| *id == result.check.id) {
                    self.running.remove(at);
                }
                self.group(&result.check.group).results.push(result.clone());
            }
            Event::Progress(progress) => self.progress = Some(progress.clone()),
            Event::RandomFinished(workload) => {
                self.progress = None;
                self.group(&workload.group).workload = Some(workload.clone());
            }
            // The first obstacle is the cause; what follows follows from it.
            Event::Stopped(obstacle) => {
                self.obstacle.get_or_insert_with(|| obstacle.clone());
            }
            Event::RunFinished(end) => self.duration = Some(end.duration),
            Event::Other(_) => {}
        }
    }

    /// What is run, against what; none before the first event.
    pub fn start(&self) -> Option<&RunStarted> {
        self.start.as_ref()
    }

    /// The groups: the planned ones in the planned order, then any others as they came.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// All results, group by group.
    pub fn results(&self) -> impl Iterator<Item = &CheckResult> {
        self.groups.iter().flat_map(|group| &group.results)
    }

    /// Names of the checks under way, oldest first.
    pub fn running(&self) -> &[String] {
        &self.running
    }

    /// How far the random workload has come, while it goes on.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why the run could not start or go on.
    pub fn obstacle(&self) -> Option<&Obstacle> {
        self.obstacle.as_ref()
    }

    /// How long the run took; none while it goes on, or if it was cut off.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Every requirement that a node can be checked for, in the order in which it is reported.
    pub fn requirements(&self) -> &[Requirement] {
        self.start().map_or(&[], |start| &start.requirements)
    }

    /// The run as the profile sees it that it was started with.
    pub fn judged(&self) -> Judged<'_> {
        Judged::new(self, self.start().map(|start| &start.profile))
    }

    /// The run as another profile sees it.
    pub fn judged_by<'a>(&'a self, profile: &'a Profile) -> Judged<'a> {
        Judged::new(self, Some(profile))
    }

    /// What should have been done and was not, a phrase each. Empty for a complete run.
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = self.groups.iter().filter_map(Group::missing).collect();
        let nothing =
            |result: &CheckResult| matches!(result.verdict, Verdict::NotApplicable { .. });
        if self.results().all(nothing) {
            missing.push("no requirement was checked".to_owned());
        }
        if self.duration.is_none() {
            missing.push("the run did not reach its end".to_owned());
        }
        missing
    }

    fn group(&mut self, name: &str) -> &mut Group {
        let at = match self.groups.iter().position(|group| group.name == name) {
            Some(at) => at,
            None => {
                self.groups.push(Group {
                    name: name.to_owned(),
                    plan: None,
                    results: Vec::new(),
                    workload: None,
                });
                self.groups.len() - 1
            }
        };
        &mut self.groups[at]
    }
}

impl<'a> FromIterator<&'a Event> for Run {
    fn from_iter<I: IntoIterator<Item = &'a Event>>(events: I) -> Self {
        let mut run = Self::default();
        for event in events {
            run.apply(event);
        }
        run
    }
}

/// The checks that are counted together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How much of it was planned; none if the plan does not name it.
    pub plan: Option<Plan>,
    /// What came of its checks, in the order in which they ended.
    pub results: Vec<CheckResult>,
    /// The random workload that was done.
    pub workload: Option<Workload>,
}

impl Group {
    /// Whether all that was planned has been done. A group that was not planned never is.
    pub fn is_complete(&self) -> bool {
        match self.plan {
            Some(Plan::Checks(planned)) => self.results.len() >= planned,
            Some(Plan::Random) => self.workload.is_some(),
            None => false,
        }
    }

    fn planned(group: &PlannedGroup) -> Self {
        Self {
            name: group.name.clone(),
            plan: Some(group.plan),
            results: Vec::new(),
            workload: None,
        }
    }

    fn missing(&self) -> Option<String> {
        match self.plan? {
            _ if self.is_complete() => None,
            Plan::Checks(planned) => Some(format!(
                "{}: {} of {planned} checks did not run",
                self.name,
                planned - self.results.len()
            )),
            Plan::Random => Some(format!("{}: did not reach its end", self.name)),
        }
    }
}
