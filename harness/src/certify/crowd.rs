//! Checks that run side by side: few at first, so that a node answers each in good time; many when the node
//! leaves them waiting, because those that wait take nobody's time.

use std::fmt;
use std::pin::Pin;

use dht_reports::{CheckResult, Verdict};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::examiner::Examiner;
use crate::checks::Check;

/// How many checks run side by side on a node that answers.
const FEW: usize = 24;
/// How many on one that does not. Most checks have a handful of connections, and a node takes many, but a
/// slow one is not to be drowned.
const MANY: usize = 96;
/// How many more may run for each that has waited in vain.
const MORE: usize = 24;

/// The checks that run.
///
/// All of them run in one task, beside those of an embedded node: a check that has to say something at the
/// right moment is not kept waiting by a node that is busy with others.
pub(super) struct Crowd<'a> {
    examiner: &'a Examiner,
    running: FuturesUnordered<Running<'a>>,
    /// How many may run by now.
    size: usize,
}

type Running<'a> = Pin<Box<dyn Future<Output = Finished> + Send + 'a>>;

/// A check that is over.
pub(super) type Finished = (&'static Check, CheckResult);

impl<'a> Crowd<'a> {
    /// Nobody yet.
    pub(super) fn new(examiner: &'a Examiner) -> Self {
        Self {
            examiner,
            running: FuturesUnordered::new(),
            size: FEW,
        }
    }

    /// May another check begin?
    pub(super) fn has_room(&self) -> bool {
        self.running.len() < self.size
    }

    /// Begins a check.
    pub(super) fn begin(&mut self, check: &'static Check) {
        let examiner = self.examiner;
        let examining = async move { (check, examiner.examine(check).await) };
        self.running.push(Box::pin(examining));
    }

    /// Waits for a check to be over; `None` if none runs.
    pub(super) async fn next(&mut self) -> Option<Finished> {
        let (check, result) = self.running.next().await?;
        let waited = result.duration >= self.examiner.options.target.timeout;
        if waited && result.verdict != Verdict::Kept {
            self.size = MANY.min(self.size + MORE);
        }
        Some((check, result))
    }
}

impl fmt::Debug for Crowd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowd")
            .field("running", &self.running.len())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
