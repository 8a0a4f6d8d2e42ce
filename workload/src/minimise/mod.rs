//! Makes a failing case short, so that a person can read it, and gives it a normal form, so that the
//! same bug gives the same file.
//!
//! Every candidate costs a run, a probe; over a network that is what counts. So what the model knows
//! cannot matter goes first and at once: whatever follows the failure, then what concerns other records.
//! After that the tail of what is left is tried, because what a failure needs is usually near it. Only
//! then are parts left out by trial (delta debugging), clients and connections merged, faults dropped,
//! values shortened, and everything renamed.
//!
//! A case that does not fail each time is probed several times before it is taken not to fail.
//!
//! * `reduce`: the smaller cases that are tried.

mod reduce;

use crate::case::Case;
use crate::judge::Fault;

/// What minimising may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Effort {
    /// How many candidates are tried at most.
    pub probes: usize,
    /// How often a candidate of a case that does not always fail is run.
    pub repetitions: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            probes: 60,
            repetitions: 10,
        }
    }
}

/// The smallest case that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimal {
    /// The case.
    pub case: Case,
    /// How it fails.
    pub fault: Fault,
    /// How many candidates were tried.
    pub probes: usize,
    /// How often it failed at the end, and of how many runs.
    pub fails: (usize, usize),
}

/// Runs candidates.
struct Prober<P, B> {
    probe: P,
    better: B,
    effort: Effort,
    probes: usize,
    /// How often each candidate is run.
    repetitions: usize,
    best: Case,
    fault: Fault,
}

/// The smallest case that still fails as `case` does, which breaks the requirement of `fault`. `probe`
/// runs a case and says what is wrong with it; `better` is told of each smaller one as it is found.
pub async fn minimise<P, B>(
    case: Case,
    fault: Fault,
    effort: Effort,
    probe: P,
    better: B,
) -> Minimal
where
    P: AsyncFnMut(&Case) -> Option<Fault>,
    B: FnMut(&Case, &Fault),
{
    let mut prober = Prober {
        probe,
        better,
        effort,
        probes: 0,
        repetitions: 1,
        best: case,
        fault,
    };
    prober.cut_off();
    let (whole, its_fault) = (prober.best.clone(), prober.fault.clone());
    prober.measure().await;
    prober.slice().await;
    prober.tail().await;
    prober.merge().await;
    prober.leave_out().await;
    prober.merge().await;
    prober.simplify().await;
    let mut fails = prober.count().await;
    if fails.0 == 0 && prober.best != whole {
        // What became short by chance says less than what was seen.
        (prober.best, prober.fault) = (whole, its_fault);
        (prober.better)(&prober.best, &prober.fault);
        fails = prober.count().await;
    }
    Minimal {
        case: prober.best,
        fault: prober.fault,
        probes: prober.probes,
        fails,
    }
}

impl<P, B> Prober<P, B>
where
    P: AsyncFnMut(&Case) -> Option<Fault>,
    B: FnMut(&Case, &Fault),
{
    /// Rounds behind the failure have no part in it.
    fn cut_off(&mut self) {
        self.best.rounds.truncate(self.fault.at.round + 1);
    }

    /// Does the case always fail? If not, candidates get more than one chance.
    async fn measure(&mut self) {
        let case = self.best.clone();
        for _ in 0..3 {
            match self.run(&case).await {
                Some(fault) => self.fault = fault,
                None => self.repetitions = self.effort.repetitions.max(1),
            }
        }
    }

    async fn run(&mut self, case: &Case) -> Option<Fault> {
        let fault = (self.probe)(case).await?;
        (fault.requirement.id == self.fault.requirement.id).then_some(fault)
    }

    /// Takes a candidate if it fails too. False also if nothing may be tried any more.
    async fn takes(&mut self, candidate: Case) -> bool {
        if candidate == self.best || candidate.is_empty() || self.probes >= self.effort.probes {
            return false;
        }
        self.probes += 1;
        for _ in 0..self.repetitions {
            if let Some(fault) = self.run(&candidate).await {
                self.best = candidate;
                self.fault = fault;
                self.cut_off();
                (self.better)(&self.best, &self.fault);
                return true;
            }
        }
        false
    }

    /// Only what concerns the failing record, or else its channel.
    async fn slice(&mut self) {
        for related in [reduce::same_record, reduce::same_channel] {
            let Some(failing) = self.best.step(self.fault.at).map(|placed| &placed.step) else {
                return;
            };
            let slice = reduce::slice(&self.best, failing, related);
            if self.takes(slice).await {
                return;
            }
        }
    }

    /// Only the last rounds: as few as possible, twice as many each time.
    async fn tail(&mut self) {
        let mut rounds = 2;
        while rounds < self.best.rounds.len() {
            if self.takes(reduce::tail(&self.best, rounds)).await {
                return;
            }
            rounds *= 4;
        }
    }

    /// Leaves out parts: half of the steps at first, single ones in the end.
    async fn leave_out(&mut self) {
        let mut part = self.best.len().div_ceil(2);
        while part > 0 && self.probes < self.effort.probes {
            let mut start = 0;
            let mut smaller = false;
            while start < self.best.len() && self.probes < self.effort.probes {
                let candidate = reduce::without(&self.best, start..start + part);
                match self.takes(candidate).await {
                    true => smaller = true,
                    false => start += part,
                }
            }
            // What was needed for what is gone now may go as well.
            part = match part {
                1 if smaller && self.best.len() > 1 => 1,
                part => part / 2,
            };
        }
    }

    /// Fewer connections, fewer lanes, fewer things at the same time.
    async fn merge(&mut self) {
        if self.best.is_sequential() && self.best.lanes.len() == 1 {
            return;
        }
        if self.takes(reduce::one_after_another(&self.best)).await {
            return;
        }
        for candidate in [
            reduce::used_lanes(&self.best),
            reduce::one_connection(&self.best),
        ] {
            self.takes(candidate).await;
        }
        let mut round = 0;
        while round < self.best.rounds.len() && self.probes < self.effort.probes {
            if self.best.rounds[round].steps.len() > 1 {
                self.takes(reduce::split(&self.best, round)).await;
            }
            round += 1;
        }
    }

    /// Shorter values, plainer steps, names in order.
    async fn simplify(&mut self) {
        for simpler in [
            reduce::short_values,
            reduce::plain_reads,
            reduce::used_lanes,
            reduce::renamed,
        ] {
            let candidate = simpler(&self.best);
            self.takes(candidate).await;
        }
    }

    /// How often it fails.
    async fn count(&mut self) -> (usize, usize) {
        let runs = match self.repetitions {
            1 => 1,
            _ => self.effort.repetitions,
        };
        let case = self.best.clone();
        let mut failed = 0;
        for _ in 0..runs {
            failed += usize::from(self.run(&case).await.is_some());
        }
        (failed, runs)
    }
}
