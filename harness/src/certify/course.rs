//! The order of a run: first what can run side by side, the slow ones before the others; then what has to be
//! alone; failures that were kept; random cases; at last what may kill the node.

use std::time::Duration;

use dht_reports::{CheckResult, CheckStarted, Event, Verdict};
use dht_requirements as req;

use super::choice::Choice;
use super::crowd::Crowd;
use super::examiner::Examiner;
use super::obstacle;
use crate::campaign::{Search, corpus, tour};
use crate::checks::{Check, Tag};
use crate::reporter::Reporter;

/// How many of the checks that run one at a time may wait in vain for an answer that any node owes; the others
/// would only wait as well.
const UNANSWERED: usize = 2;

/// A run of directed checks and random cases.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub(super) examiner: &'a Examiner,
    pub(super) reporter: &'a Reporter,
}

impl Course<'_> {
    /// All of it.
    pub(super) async fn run(&self, choice: &Choice) {
        let with = |tag| move |check: &&'static Check| check.is(tag);
        let (lethal, checks): (Vec<_>, Vec<_>) =
            choice.checks.iter().copied().partition(with(Tag::Lethal));
        let (alone, mut together): (Vec<_>, Vec<_>) =
            checks.into_iter().partition(with(Tag::Alone));
        together.sort_by_key(|check| !check.is(Tag::Slow));
        let unsettled = self.together(together).await;
        // Which of the checks that ran side by side killed the node shows when each runs alone.
        for check in unsettled.into_iter().chain(alone) {
            self.examiner.revive().await;
            self.check(check).await;
        }
        corpus::run(self.examiner, self.reporter, &choice.kept).await;
        tour::run(self.examiner, self.reporter, &choice.tours).await;
        if choice.random {
            self.examiner.revive().await;
            Search::new(self.examiner, self.reporter).run().await;
        }
        self.lethal(&lethal).await;
        if self.examiner.is_gone() {
            self.reporter.event(&Event::Stopped(obstacle(
                "the node went away during the run.",
                "If nobody stopped it, look at its log: it has crashed, or it hangs. Checks that came after that say \
                 nothing.",
            )));
        }
    }

    /// Checks side by side. Those are returned that say nothing yet, because the node that was started for the
    /// run did not survive one of them.
    async fn together(&self, checks: Vec<&'static Check>) -> Vec<&'static Check> {
        let mut unsettled = Vec::new();
        let mut finished = |check, result: CheckResult| {
            let lost = self.examiner.is_gone() && result.verdict != Verdict::Kept;
            match lost && self.examiner.target.is_ours() {
                true => unsettled.push(check),
                false => self.reporter.event(&Event::CheckFinished(result)),
            }
        };
        let mut crowd = Crowd::new(self.examiner);
        let mut waiting = checks.into_iter();
        loop {
            while crowd.has_room()
                && let Some(check) = waiting.next()
            {
                self.started(check);
                crowd.begin(check);
            }
            match crowd.next().await {
                Some((check, result)) => finished(check, result),
                None => break,
            }
        }
        unsettled
    }

    /// Checks that may kill the node, one after another. A node that was started for the run is started
    /// again after one that it did not survive.
    async fn lethal(&self, checks: &[&'static Check]) {
        let allowed = self.examiner.options.hostile || self.examiner.target.is_ours();
        if !checks.is_empty() {
            // What a dead node cannot say any more another one can.
            self.examiner.revive().await;
        }
        let mut unanswered = 0;
        for check in checks {
            if !allowed {
                let reason =
                    "it may kill a node that is not prepared; --hostile runs it".to_owned();
                self.leave_out(check, Verdict::NotApplicable { reason });
                continue;
            }
            if unanswered == UNANSWERED {
                let reason =
                    "not run: the node left checks before it without an ordinary answer".to_owned();
                self.leave_out(check, Verdict::Inconclusive { reason });
                continue;
            }
            let verdict = self.check(check).await;
            if let Some(failure) = verdict.failure() {
                let is_silent = failure.requirement.id == req::REQ_ANSWERED.id;
                // A node that is gone is another matter: the next one may answer.
                unanswered += usize::from(is_silent && !self.examiner.is_gone());
                self.examiner.renew().await;
            }
        }
    }

    /// Runs a check while no other runs.
    async fn check(&self, check: &'static Check) -> Verdict {
        self.started(check);
        let result = self.examiner.examine(check).await;
        let verdict = result.verdict.clone();
        self.reporter.event(&Event::CheckFinished(result));
        verdict
    }

    fn started(&self, check: &Check) {
        self.reporter.event(&Event::CheckStarted(CheckStarted {
            id: check.id.clone(),
        }));
    }

    fn leave_out(&self, check: &Check, verdict: Verdict) {
        self.reporter.event(&Event::CheckFinished(CheckResult {
            check: check.describe(),
            verdict,
            duration: Duration::ZERO,
            dialect: Vec::new(),
        }));
    }
}
