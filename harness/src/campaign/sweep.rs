//! The kill-point sweep: every request, cut at each of its messages. Not random, but too much to be one check
//! each.

use std::time::Instant;
use std::vec;

use dht_reports::Verdict;
use dht_workload::Case;
use dht_workload::generate;

/// The cases of the sweep that are still to be run.
#[derive(Debug)]
pub(super) struct Sweep {
    waiting: vec::IntoIter<Case>,
    /// How many there are in all.
    count: usize,
    /// Was the time up before they were over?
    out_of_time: bool,
}

impl Sweep {
    /// All of them, or, for a client that may not remove channels, those without that.
    pub(super) fn new(removes_channels: bool) -> Self {
        let cases = generate::sweep::sweep(removes_channels);
        Self {
            count: cases.len(),
            waiting: cases.into_iter(),
            out_of_time: false,
        }
    }

    /// The next ones, so many at most.
    pub(super) fn next(&mut self, count: usize) -> Vec<Case> {
        self.waiting.by_ref().take(count).collect()
    }

    /// The last ones were run; until then there was time.
    pub(super) fn played(&mut self, until: Instant) {
        self.out_of_time |= Instant::now() >= until;
    }

    /// Is there none left?
    pub(super) fn is_over(&self) -> bool {
        self.waiting.as_slice().is_empty()
    }

    /// What it says of a node of which it has found nothing wrong.
    pub(super) fn verdict(&self) -> Verdict {
        let left = self.waiting.as_slice().len();
        match left == 0 && !self.out_of_time {
            true => Verdict::Kept,
            false => Verdict::Inconclusive {
                reason: format!(
                    "only {} of {} places were cut before the time was up",
                    self.count - left,
                    self.count
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_says_kept_only_when_it_was_over_in_time() {
        let mut sweep = Sweep::new(false);
        let later = Instant::now() + Duration::from_secs(3600);
        assert!(matches!(sweep.verdict(), Verdict::Inconclusive { .. }));
        while !sweep.is_over() {
            assert!(!sweep.next(8).is_empty());
            sweep.played(later);
        }
        assert_eq!(sweep.verdict(), Verdict::Kept);
        assert!(sweep.next(8).is_empty());
        sweep.played(Instant::now());
        assert!(matches!(sweep.verdict(), Verdict::Inconclusive { .. }));
    }
}
