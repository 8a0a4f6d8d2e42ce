//! Runs one check and makes a verdict of what it found, or of the node's not being there any more.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dht_protocol::HashRange;
use dht_protocol::neo::request::RequestCode;
use dht_reports::{CheckResult, Failure, Line, Verdict};
use dht_requirements as req;
use futures_util::FutureExt;
use tokio::time::timeout;

use super::again::again;
use super::{CHECK_LIMIT, described};
use crate::checks::ground::too_slow;
use crate::checks::{Check, Ground};
use crate::cli::Certify;
use crate::target::Target;
use crate::unkept::{Checked, Outcome, Unkept};

/// What a check may take besides the node's answers: periods of a Mirror, for instance, which no node can
/// shorten.
const OWN_TIME: Duration = Duration::from_secs(10);

/// How often a node is started again. The originals do not survive a dozen checks; what dies much more often
/// has been shown to.
const RESTARTS: usize = 40;

/// Runs checks, also several at a time.
#[derive(Debug)]
pub(crate) struct Examiner {
    pub(crate) options: Certify,
    pub(crate) target: Target,
    pub(crate) seed: u64,
    /// The node was there and is not any more.
    gone: AtomicBool,
    /// How often it was started again.
    restarts: AtomicUsize,
}

impl Examiner {
    /// With a node that answers.
    pub(crate) fn new(options: Certify, target: Target, seed: u64) -> Self {
        Self {
            options,
            target,
            seed,
            gone: AtomicBool::new(false),
            restarts: AtomicUsize::new(0),
        }
    }

    /// Runs a check.
    pub(crate) async fn examine(&self, check: &'static Check) -> CheckResult {
        let begun = Instant::now();
        let ground = Ground::new(
            &self.target,
            self.seed,
            &check.id,
            self.options.target.timeout,
        );
        let limit = OWN_TIME + CHECK_LIMIT * self.options.target.timeout;
        let checked = match self.refuses(check) {
            Some(unkept) => Err(unkept),
            None => timeout(limit, unharmed(check.run(&self.target, &ground)))
                .await
                .unwrap_or_else(|_| Err(too_slow(limit))),
        };
        let verdict = match checked {
            Ok(()) => Verdict::Kept,
            Err(unkept) => {
                let exchange = ground.trace().lines();
                self.verdict(&check.id, unkept, exchange).await
            }
        };
        CheckResult {
            check: check.describe(),
            verdict,
            duration: begun.elapsed(),
            dialect: ground.dialect(),
        }
    }

    /// Why a check says nothing of this node, or not any more.
    fn refuses(&self, check: &Check) -> Option<Unkept> {
        if self.is_gone() {
            return Some(Unkept::Inconclusive(GONE.to_owned()));
        }
        // Nearly all look whether a connection works by asking for a record.
        let needs_keys = check.request != Some(RequestCode::GetHashRange);
        (self.target.range() == HashRange::EMPTY && needs_keys).then(|| {
            Unkept::NotApplicable("the node's range is empty: there are no keys".to_owned())
        })
    }

    /// Was the node there, and is not any more?
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Starts a node again that is gone, if it was started for the run.
    pub(crate) async fn revive(&self) {
        if self.is_gone() {
            self.renew().await;
        }
    }

    /// Starts the node again, if it was started for the run.
    pub(crate) async fn renew(&self) {
        if self.restarts.fetch_add(1, Ordering::Relaxed) < RESTARTS
            && self.target.is_ours()
            && self.target.restart().await
        {
            self.gone.store(false, Ordering::Relaxed);
        }
    }

    /// What became of a check, if the reason is that the node is not there any more. The first one to
    /// notice reports it as what it is, unless somebody stopped the node: a crash.
    pub(crate) async fn crash(&self, id: &str, exchange: Vec<Line>) -> Option<Verdict> {
        let Some(reason) = self.target.is_gone(self.options.target.timeout).await else {
            // What the check has found stands; further ones would only wait.
            if self
                .target
                .is_stuck(self.options.target.timeout)
                .await
                .is_some()
            {
                self.gone.store(true, Ordering::Relaxed);
            }
            return None;
        };
        if self.gone.swap(true, Ordering::Relaxed) {
            return Some(Verdict::Inconclusive {
                reason: GONE.to_owned(),
            });
        }
        Some(
            Failure {
                requirement: described(&req::ROBUST_SURVIVES),
                outcome: Outcome::Died.key().to_owned(),
                sent: "the requests of this check, while others ran".to_owned(),
                expected: vec!["a node that goes on".to_owned()],
                observed: format!("the node is not there any more: {reason}"),
                exchange,
                again: again(&self.options, self.seed, id),
                minimal: None,
            }
            .into(),
        )
    }

    async fn verdict(&self, id: &str, unkept: Unkept, exchange: Vec<Line>) -> Verdict {
        let found = match unkept {
            Unkept::Inconclusive(reason) => return Verdict::Inconclusive { reason },
            Unkept::NotApplicable(reason) => return Verdict::NotApplicable { reason },
            Unkept::Broken(found) => found,
        };
        if let Some(crash) = self.crash(id, exchange.clone()).await {
            return crash;
        }
        Failure {
            requirement: described(found.requirement),
            outcome: found.outcome.key().to_owned(),
            sent: found.sent,
            expected: found.expected,
            observed: found.observed,
            exchange,
            again: again(&self.options, self.seed, id),
            minimal: None,
        }
        .into()
    }
}

/// A check that is itself wrong, which is no reason to lose what the others have found.
async fn unharmed(check: impl Future<Output = Checked>) -> Checked {
    let checked = AssertUnwindSafe(check).catch_unwind().await;
    checked.unwrap_or_else(|_| {
        let reason = "the check itself failed, which is a mistake of dhtcheck: please report it";
        Err(Unkept::Inconclusive(reason.to_owned()))
    })
}

/// Why nothing can be said of a check.
pub(crate) const GONE: &str = "the node had gone away";
