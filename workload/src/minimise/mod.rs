//! Makes a failing case short, so that a person can read it, and gives it a normal form, so that the
//! same bug gives the same file.
//!
//! Every candidate costs a run, a probe; over a network that is what counts. So what the model knows
//! cannot matter goes first and at once: whatever follows the failure, then what concerns other records.
//! After that the tail of what is left is tried, because what a failure needs is usually near it. Only
//! then are parts left out by trial (delta debugging), clients and connections merged, faults dropped,
//! values shortened, and everything renamed.
//!
//! A case that does not fail each time is probed several times before it is taken not to fail. One that
//! does because of its schedule is only replaced by what fails each time as well.
//!
//! * `reduce`: the smaller cases that are tried. `schedule`: what becomes of their schedules.

mod reduce;
mod schedule;

use crate::case::Case;
use crate::judge::Fault;

/// How often in a row a candidate has to fail that takes the place of a case with a schedule.
const CERTAIN: usize = 3;

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
            probes: 200,
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
    prober.takes(schedule::dropped(&prober.best)).await;
    prober.slice().await;
    prober.tail().await;
    prober.merge().await;
    prober.leave_out().await;
    prober.leave_out_moves().await;
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
        if let Some(last) = reduce::last_round(&self.best, self.fault.at) {
            self.best.rounds.truncate(last + 1);
        }
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
        let Some(fault) = self.fails(&candidate).await else {
            return false;
        };
        self.best = candidate;
        self.fault = fault;
        self.cut_off();
        (self.better)(&self.best, &self.fault);
        true
    }

    /// Does a candidate fail as surely as the best case does?
    async fn fails(&mut self, candidate: &Case) -> Option<Fault> {
        if self.best.has_schedule() && self.repetitions == 1 {
            for _ in 1..CERTAIN {
                self.run(candidate).await?;
            }
            return self.run(candidate).await;
        }
        for _ in 0..self.repetitions {
            let fault = self.run(candidate).await;
            if fault.is_some() {
                return fault;
            }
        }
        None
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

    /// Leaves out moves of schedules, as steps were left out.
    async fn leave_out_moves(&mut self) {
        let mut part = schedule::len(&self.best).div_ceil(2);
        while part > 0 && self.probes < self.effort.probes {
            let mut start = 0;
            while start < schedule::len(&self.best) && self.probes < self.effort.probes {
                let candidate = schedule::without(&self.best, start..start + part);
                if !self.takes(candidate).await {
                    start += part;
                }
            }
            part /= 2;
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
            reduce::neo_lanes(&self.best),
            reduce::one_connection(&self.best),
        ] {
            self.takes(candidate).await;
        }
        for lane in self.best.legacy.clone() {
            let candidate = reduce::neo_lane(&self.best, lane);
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
            reduce::short_batches,
            reduce::plain_reads,
            reduce::first_variants,
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

#[cfg(test)]
mod tests {
    use dht_requirements as req;
    use futures_util::FutureExt;

    use super::*;
    use crate::case::{At, Move, Step};

    /// Two Updates that both read before either writes, among much that has no part in it.
    const CASE: &str = r#"{ "lanes": [0, 1, 2], "rounds": [
        [ {"lane": 0, "put": {"channel": "c9", "key": "k0", "value": "v1"}},
          {"lane": 2, "open_mirror": {"stream": "m7", "channel": "c9", "refresh": true}} ],
        {"steps": [
            {"lane": 2, "get": {"channel": "c9", "key": "k0"}},
            {"lane": 0, "exists": {"channel": "c9", "key": "k0"}},
            {"lane": 0, "update": {"channel": "c9", "key": "k0", "decision": {"replace": "v2"}}},
            {"lane": 1, "update": {"channel": "c9", "key": "k0", "decision": {"replace": "v3"}}}],
         "schedule": [
            {"start": 2}, {"start": 0}, {"to_node": 2}, {"end": 0}, {"start": 0}, {"start": 1},
            {"to_node": 0}, {"to_client": "m7"}, {"to_node": 1}, {"cut": 2}, {"end": 0}, {"end": 1}]} ] }"#;

    fn fault(at: At) -> Fault {
        Fault {
            requirement: &req::UPDATE_ONE_WINNER,
            at,
            sent: String::new(),
            allowed: String::new(),
            observed: String::new(),
        }
    }

    /// Fails if two Updates are said to read before anything ends.
    fn judge(case: &Case) -> Option<Fault> {
        assert_eq!(case.validate(), Ok(()), "{case}");
        let round = case.rounds.len() - 1;
        let last = &case.rounds[round];
        let is_update = |lane: usize| {
            let mut steps = last.steps.iter();
            steps.any(|placed| placed.lane == lane && matches!(placed.step, Step::Update { .. }))
        };
        let begun = |lane: usize| last.schedule.contains(&Move::Start(lane));
        let reads = last.schedule.iter().filter(|next| {
            let lane = next.lane().unwrap_or_default();
            matches!(next, Move::ToNode(_)) && is_update(lane) && begun(lane)
        });
        let at = At { round, step: 0 };
        (reads.count() >= 2).then(|| fault(at))
    }

    #[test]
    fn a_case_with_a_schedule_becomes_short_and_keeps_what_matters_of_it() {
        let case: Case = serde_json::from_str(CASE).unwrap();
        let at = At { round: 1, step: 0 };
        let effort = Effort {
            probes: 200,
            ..Effort::default()
        };
        let probe = async |case: &Case| judge(case);
        let minimal = minimise(case, fault(at), effort, probe, |_, _| ()).now_or_never();
        let case = minimal.unwrap().case;
        assert_eq!((case.len(), case.rounds.len()), (2, 1), "{case}");
        assert_eq!(case.lanes.len(), 2, "{case}");
        let schedule = &case.rounds[0].schedule;
        assert_eq!(schedule.len(), 4, "{case}");
        let lanes: Vec<_> = schedule.iter().filter_map(Move::lane).collect();
        assert_eq!(lanes.len(), 4, "{case}");
    }

    /// What is wrong with a stream is found where it began, and shows later.
    #[test]
    fn a_stream_is_followed_to_its_end() {
        let case: Case = serde_json::from_str(
            r#"{ "lanes": [0], "rounds": [
                [ {"lane": 0, "open_mirror": {"stream": "m1", "channel": "c0", "refresh": false}} ],
                [ {"lane": 0, "put": {"channel": "c0", "key": "k0", "value": "v1"}} ],
                [ {"lane": 0, "finish": {"stream": "m1"}} ],
                [ {"lane": 0, "get_channels": {}} ] ] }"#,
        )
        .unwrap();
        let at = At { round: 0, step: 0 };
        let probe = async |case: &Case| {
            let has = |wanted: fn(&Step) -> bool| case.steps().any(|(_, it)| wanted(&it.step));
            let all = has(|step| matches!(step, Step::Put { .. }))
                && has(|step| matches!(step, Step::Finish { .. }))
                && has(|step| matches!(step, Step::OpenMirror { .. }));
            all.then(|| fault(at))
        };
        let minimal = minimise(case, fault(at), Effort::default(), probe, |_, _| ());
        assert_eq!(minimal.now_or_never().unwrap().case.len(), 3);
    }

    #[test]
    fn a_schedule_without_a_part_in_it_goes() {
        let case: Case = serde_json::from_str(CASE).unwrap();
        let at = At { round: 1, step: 0 };
        let probe = async |case: &Case| (case.len() > 1).then(|| fault(at));
        let minimal = minimise(case, fault(at), Effort::default(), probe, |_, _| ());
        assert!(!minimal.now_or_never().unwrap().case.has_schedule());
    }

    /// What fails now and then does not take the place of what fails each time.
    #[test]
    fn what_a_schedule_makes_certain_stays_certain() {
        let case: Case = serde_json::from_str(CASE).unwrap();
        let at = At { round: 1, step: 0 };
        let mut runs = 0;
        let probe = async |case: &Case| {
            runs += 1;
            (case.has_schedule() || runs % 2 == 0).then(|| fault(at))
        };
        let minimal = minimise(case, fault(at), Effort::default(), probe, |_, _| ());
        assert!(minimal.now_or_never().unwrap().case.has_schedule());
    }
}
