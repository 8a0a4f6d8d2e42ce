//! A run as a whole: what its events add up to, and with which status the program ends.

use std::process::ExitCode;
use std::time::Duration;

use crate::check::{CheckResult, Failure};
use crate::event::{Event, Obstacle, Plan, PlannedGroup, Progress, RunStarted, Workload};
use crate::tally::{RuleTally, Tally};

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

    /// The results with a broken rule, group by group: the first is the one to look at first.
    pub fn failures(&self) -> impl Iterator<Item = (&CheckResult, &Failure)> {
        self.results()
            .filter_map(|result| Some((result, result.verdict.failure()?)))
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

    /// All results by verdict.
    pub fn tally(&self) -> Tally {
        self.results().collect()
    }

    /// All rules by what became of them.
    pub fn rules(&self) -> RuleTally {
        self.results().collect()
    }

    /// What should have been done and was not, a phrase each. Empty for a complete run.
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = self.groups.iter().filter_map(Group::missing).collect();
        let tally = self.tally();
        if tally.total() == tally.not_applicable {
            missing.push("no rule was checked".to_owned());
        }
        if self.duration.is_none() {
            missing.push("the run did not reach its end".to_owned());
        }
        missing
    }

    /// With which status the program ends.
    ///
    /// A broken rule counts even if the run could not be completed. Otherwise the run must be complete
    /// and each check must have been able to tell: what was not judged is not certified.
    pub fn exit(&self) -> Exit {
        let tally = self.tally();
        if tally.broken > 0 {
            Exit::Broken
        } else if self.obstacle.is_some() || tally.inconclusive > 0 || !self.missing().is_empty() {
            Exit::CouldNotRun
        } else {
            Exit::Kept
        }
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

    /// Its results by verdict.
    pub fn tally(&self) -> Tally {
        self.results.iter().collect()
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

/// With which status the program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// 0: every check ran, and found its rules kept or not applicable.
    Kept,
    /// 1: a rule was broken.
    Broken,
    /// 2: no rule was found broken, but not all could be judged: the run could not start or was not
    /// completed, or a check was inconclusive.
    CouldNotRun,
}

impl Exit {
    /// The status as a number.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Kept => 0,
            Exit::Broken => 1,
            Exit::CouldNotRun => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Check, Rule, Verdict};
    use crate::event::{CheckStarted, RunFinished};

    fn start(groups: &[(&str, Plan)]) -> Event {
        Event::RunStarted(RunStarted {
            groups: groups
                .iter()
                .map(|&(name, plan)| PlannedGroup {
                    name: name.to_owned(),
                    plan,
                })
                .collect(),
            ..RunStarted::default()
        })
    }

    fn finished(id: &str, verdict: Verdict) -> Event {
        Event::CheckFinished(CheckResult {
            check: Check {
                id: id.to_owned(),
                group: "requests".to_owned(),
                title: String::new(),
                rules: vec!["P1".to_owned(), "P2".to_owned()],
                subsumes: None,
            },
            verdict,
            duration: Duration::ZERO,
        })
    }

    fn broken(rule: &str) -> Verdict {
        Verdict::from(Failure {
            rule: Rule {
                id: rule.to_owned(),
                sentence: String::new(),
            },
            sent: String::new(),
            expected: Vec::new(),
            observed: String::new(),
            exchange: Vec::new(),
            again: String::new(),
            minimal: None,
        })
    }

    fn inconclusive() -> Verdict {
        Verdict::Inconclusive {
            reason: "slow".to_owned(),
        }
    }

    fn end() -> Event {
        Event::RunFinished(RunFinished {
            duration: Duration::from_secs(1),
        })
    }

    fn one_planned(rest: &[Event]) -> Run {
        let first = start(&[("requests", Plan::Checks(1))]);
        [&first].into_iter().chain(rest).collect()
    }

    #[test]
    fn all_kept_is_0() {
        let run = one_planned(&[finished("a", Verdict::Kept), end()]);
        assert_eq!(run.exit(), Exit::Kept);
        assert_eq!(run.missing(), Vec::<String>::new());
        assert_eq!(run.exit().code(), 0);
    }

    #[test]
    fn a_broken_rule_is_1_even_if_the_run_was_stopped() {
        let obstacle = Event::Stopped(Obstacle {
            reason: "the node ended".to_owned(),
            clues: Vec::new(),
            advice: None,
        });
        let run = one_planned(&[finished("a", broken("P1")), obstacle]);
        assert_eq!(run.exit(), Exit::Broken);
        assert_eq!(run.exit().code(), 1);
    }

    #[test]
    fn what_could_not_be_judged_is_2() {
        let not_applicable = Verdict::NotApplicable {
            reason: "full range".to_owned(),
        };
        let runs = [
            Run::default(),
            one_planned(&[end()]),
            one_planned(&[finished("a", Verdict::Kept)]),
            one_planned(&[finished("a", inconclusive()), end()]),
            one_planned(&[finished("a", not_applicable), end()]),
        ];
        for run in runs {
            assert_eq!(run.exit(), Exit::CouldNotRun, "{run:?}");
        }
        assert_eq!(Exit::CouldNotRun.code(), 2);
    }

    #[test]
    fn says_what_is_missing() {
        let run: Run = [
            &start(&[("requests", Plan::Checks(3)), ("random", Plan::Random)]),
            &finished("a", Verdict::Kept),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            run.missing(),
            [
                "requests: 2 of 3 checks did not run",
                "random: did not reach its end",
                "the run did not reach its end",
            ]
        );
    }

    #[test]
    fn counts_rules_once_and_never_as_kept_when_broken() {
        let run = one_planned(&[
            finished("a", Verdict::Kept),
            finished("b", broken("P2")),
            finished("c", broken("P2")),
            finished("d", broken("P9")),
            finished("e", inconclusive()),
        ]);
        let rules = run.rules();
        assert_eq!((rules.exercised, rules.broken, rules.kept), (3, 2, 1));
        let tally = run.tally();
        assert_eq!((tally.kept, tally.broken, tally.inconclusive), (1, 3, 1));
        assert_eq!(tally.total(), 5);
    }

    #[test]
    fn knows_which_checks_are_under_way() {
        let begin = |id: &str| Event::CheckStarted(CheckStarted { id: id.to_owned() });
        let run = one_planned(&[begin("a"), begin("b"), finished("a", Verdict::Kept)]);
        assert_eq!(run.running(), ["b"]);
    }

    #[test]
    fn a_second_start_begins_a_new_run() {
        let run = one_planned(&[
            finished("a", broken("P1")),
            start(&[("requests", Plan::Checks(1))]),
        ]);
        assert_eq!(run.tally().total(), 0);
    }

    #[test]
    fn a_group_nobody_planned_is_kept_apart_and_never_complete() {
        let run: Run = [&start(&[]), &finished("a", Verdict::Kept), &end()]
            .into_iter()
            .collect();
        assert_eq!(run.groups().len(), 1);
        assert!(!run.groups()[0].is_complete());
        assert_eq!(run.exit(), Exit::Kept);
    }
}
