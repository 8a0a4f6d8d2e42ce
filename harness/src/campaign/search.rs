//! The loop over the parts of the search: cases of one after the other, within a budget.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dht_protocol::HashRange;
use dht_reports::{CheckResult, Event, Progress, Verdict, Workload};
use dht_requirements as req;
use dht_workload::case::{self, Case, Step};
use dht_workload::corpus::Found;
use dht_workload::generate;
use dht_workload::hunt::Technique;
use dht_workload::judge::Fault;
use dht_workload::net::ConnectError;
use dht_workload::rng::Rng;
use futures_util::future::join_all;

use super::GROUP;
use super::finding::{Finding, failure};
use super::stage::{NO_LEGACY, Played, Stage};
use super::sweep::Sweep;
use super::techniques::{Part, chosen};
use crate::certify::again;
use crate::certify::examiner::{Examiner, GONE};
use crate::profiles;
use crate::reporter::Reporter;

/// How many answer times the whole search may take if no budget is given, and making a failure short.
const LIMIT: u32 = 12;
/// How many operations of a technique say something of a node, if there is no time for all of them.
const ENOUGH: u64 = 500;
/// What making a failure short may take at least.
const LEAST: Duration = Duration::from_secs(5);
/// How often the node is killed.
const RESTARTS: usize = 3;
/// How many cases with faults run at the same time.
const TOGETHER: usize = 8;
/// A search of a node for what is wrong with it. It reports what it has come to when it is over, and also when
/// it is dropped before.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    examiner: &'a Examiner,
    reporter: &'a Reporter,
    stage: Stage<'a>,
    begun: Instant,
    until: Instant,
    /// What came of each part that was chosen.
    records: Vec<Record>,
    sweep: Sweep,
    /// What is being made short, as short as it is, and by whom it was found.
    best: Mutex<Option<(usize, Finding)>>,
    faults: u64,
    clients: usize,
    is_over: bool,
}

/// What came of one part.
#[derive(Debug)]
struct Record {
    part: Part,
    operations: u64,
    /// How many cases were run.
    cases: usize,
    time: Duration,
    findings: Vec<Finding>,
    /// How often each requirement was seen to be broken.
    seen: BTreeMap<&'static str, u64>,
    /// Why it could not go on.
    stopped: Option<Verdict>,
}

impl<'a> Search<'a> {
    /// Searches the examiner's node, for as long as its options say.
    pub(crate) fn new(examiner: &'a Examiner, reporter: &'a Reporter) -> Self {
        let options = &examiner.options;
        let begun = Instant::now();
        let limit = options.budget.unwrap_or(LIMIT * options.target.timeout);
        let chosen = chosen(options.filter.as_deref());
        // A run with a profile that cannot be read has not begun.
        let profile = profiles::load(&options.profile).unwrap_or_default();
        Self {
            examiner,
            reporter,
            stage: Stage::new(&examiner.target, examiner.seed, options.target.timeout)
                .with_profile(&profile),
            begun,
            until: begun + limit,
            records: chosen.map(Record::new).collect(),
            sweep: Sweep::new(examiner.target.may_remove_channels()),
            best: Mutex::default(),
            faults: 0,
            clients: 1,
            is_over: false,
        }
    }

    /// Searches, and reports what came of it.
    pub(crate) async fn run(mut self) {
        if self.examiner.target.range() == HashRange::EMPTY {
            let reason = "the node's range is empty: there are no keys".to_owned();
            self.stop(&Verdict::NotApplicable { reason });
        } else if self.examiner.is_gone() {
            let reason = GONE.to_owned();
            self.stop(&Verdict::Inconclusive { reason });
        }
        if !self.stage.can_halt() {
            let restarts = self.records.iter_mut();
            let restarts = restarts.filter(|record| record.part == Part::Restarts);
            restarts.for_each(|record| {
                let reason = "only a node that was started with --spawn can be killed".to_owned();
                let verdict = Verdict::NotApplicable { reason };
                record.stopped.get_or_insert(verdict);
            });
        }
        if !self.stage.speaks_legacy() {
            let mixed = Part::Random(Technique::Mixed);
            let records = self.records.iter_mut();
            let records = records.filter(|record| record.part == mixed);
            records.for_each(|record| {
                let reason = NO_LEGACY.to_owned();
                let verdict = Verdict::NotApplicable { reason };
                record.stopped.get_or_insert(verdict);
            });
        }
        for round in 0.. {
            let mut went_on = false;
            for at in 0..self.records.len() {
                if self.wants(at) && Instant::now() < self.until {
                    self.turn(at, round).await;
                    went_on = true;
                }
            }
            if !went_on {
                break;
            }
        }
        self.is_over = true;
    }

    /// May a part go on?
    fn wants(&self, at: usize) -> bool {
        let record = &self.records[at];
        let options = &self.examiner.options;
        if record.stopped.is_some() {
            return false;
        }
        let technique = match record.part {
            Part::Random(technique) => technique,
            Part::KillPoints => return !self.sweep.is_over(),
            Part::Restarts => return record.cases < RESTARTS,
        };
        let operations = match self.records.len() {
            1 => options.operations,
            _ => options.operations * share(technique) / 20,
        };
        match options.budget {
            Some(budget) => !self.leaves_to_sweep(record, budget),
            None => record.operations < operations,
        }
    }

    /// In the second half of the budget a part that has done enough waits until the sweep is over: of that, only
    /// the whole says that the node is right.
    fn leaves_to_sweep(&self, record: &Record, budget: Duration) -> bool {
        let mut sweeps = self.records.iter();
        record.operations >= ENOUGH
            && self.begun.elapsed() >= budget / 2
            && !self.sweep.is_over()
            && sweeps.any(|record| record.part == Part::KillPoints && record.stopped.is_none())
    }

    /// A case of a part; or several at the same time, where the clients mostly wait for connections.
    async fn turn(&mut self, at: usize, round: u64) {
        let part = self.records[at].part;
        let cases = self.cases(part, round);
        let begun = Instant::now();
        let plays = cases
            .iter()
            .map(|case| self.stage.play(case, self.until, false));
        let played = join_all(plays).await;
        self.records[at].time += begun.elapsed();
        if part == Part::KillPoints {
            self.sweep.played(self.until);
        }
        if cases.len() > 1 && played.iter().any(is_fatal) && self.stage.can_restart() {
            return self.one_by_one(at, cases, played).await;
        }
        for (case, played) in cases.into_iter().zip(played) {
            match played {
                Ok(played) => self.played(at, case, played).await,
                Err(error) => {
                    let lost = self.examiner.crash(part.id(), Vec::new());
                    let verdict = lost.await.unwrap_or_else(|| Verdict::Inconclusive {
                        reason: format!("no connection for it: {error}"),
                    });
                    return self.stop(&verdict);
                }
            }
        }
        self.progress();
    }

    /// The node did not survive cases that ran side by side: which of them it was shows when each runs alone. If
    /// none of them does it again, the first that saw it stands for all.
    async fn one_by_one(
        &mut self,
        at: usize,
        cases: Vec<Case>,
        together: Vec<Result<Played, ConnectError>>,
    ) {
        let mut culprit = false;
        for case in &cases {
            if let Ok(alone) = self.stage.play(case, self.until, false).await {
                culprit |= alone.is_fatal();
                self.played(at, case.clone(), alone).await;
            }
        }
        let mut together = cases.into_iter().zip(together);
        if let (false, Some((case, Ok(played)))) =
            (culprit, together.find(|(_, played)| is_fatal(played)))
        {
            self.played(at, case, played).await;
        }
        self.progress();
    }

    async fn played(&mut self, at: usize, case: Case, played: Played) {
        let record = &mut self.records[at];
        record.operations += played.operations;
        record.cases += 1;
        self.faults += played.faults;
        self.clients = self.clients.max(case.connections());
        if let Some(fault) = played.fault {
            self.found(at, case, fault).await;
        }
    }

    /// What is run in a turn.
    fn cases(&mut self, part: Part, round: u64) -> Vec<Case> {
        match part {
            Part::KillPoints => self.sweep.next(TOGETHER),
            Part::Random(technique @ Technique::Faulty) => {
                let count = TOGETHER as u64;
                let rounds = round * count..(round + 1) * count;
                rounds.map(|round| self.case(technique, round)).collect()
            }
            Part::Random(technique) => vec![self.case(technique, round)],
            Part::Restarts => {
                let (before, behind) = (2 * round, 2 * round + 1);
                let mut case = self.case(Technique::Sequential, before);
                let kill = Step::Fault(case::Fault::Kill {});
                case.rounds.extend(Case::sequential([kill]).rounds);
                case.rounds
                    .extend(self.case(Technique::Sequential, behind).rounds);
                vec![case]
            }
        }
    }

    /// The case of a round: a function of the run's seed.
    fn case(&self, technique: Technique, round: u64) -> Case {
        let mut rng = Rng::new(self.examiner.seed ^ (round << 2) ^ technique as u64);
        let mut shape = technique.shape(round);
        shape.removes_channels = self.examiner.target.may_remove_channels();
        // What they mean is left open, and directed checks look at it.
        shape.empty_values = false;
        shape.halts = self.stage.can_halt();
        if technique == Technique::Sequential {
            // Connecting for each case costs more than its operations.
            shape.steps = shape.steps.max(1000);
        }
        generate::case(rng.number(), &shape)
    }

    /// Something is wrong. What is new is made short and kept.
    async fn found(&mut self, at: usize, case: Case, fault: Fault) {
        let record = &mut self.records[at];
        let seen = record.seen.entry(fault.requirement.id).or_default();
        *seen += 1;
        if *seen > 1 {
            return;
        }
        let options = &self.examiner.options;
        let found = Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.examiner.target.to_string(),
            profile: options.profile.clone(),
            seed: format!("{:x}", self.examiner.seed),
            technique: record.part.to_string(),
            operations: record.operations,
            ..Found::default()
        };
        // One failure is not to take the time of all others.
        let most = LIMIT * options.target.timeout;
        let budget = options.budget.map(|budget| (budget / 4).max(LEAST));
        let until = Instant::now() + budget.map_or(most, |budget| budget.min(most));
        let folder = options.corpus.clone();
        let best = |finding| *self.best() = Some((at, finding));
        let finding = Finding::of(&self.stage, case, fault, found, &folder, until, best).await;
        let fatal = finding.fault.requirement.id == req::ROBUST_SURVIVES.id;
        let record = &mut self.records[at];
        let id = record.part.id();
        record.findings.push(finding);
        *self.best() = None;
        if fatal && !self.stage.can_restart() {
            // It is reported as what was found; nobody else is to wait for the node.
            let _ = self.examiner.crash(id, Vec::new()).await;
            let reason = GONE.to_owned();
            self.stop(&Verdict::Inconclusive { reason });
        }
    }

    /// A finding is whole at any moment, whatever happened to who held the lock.
    fn best(&self) -> MutexGuard<'_, Option<(usize, Finding)>> {
        self.best.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) {
        let sum = |count: fn(&Record) -> u64| self.records.iter().map(count).sum();
        self.reporter.event(&Event::Progress(Progress {
            group: GROUP.to_owned(),
            operations: sum(|record| record.operations),
            elapsed: self.begun.elapsed(),
            budget: self.examiner.options.budget,
            findings: sum(|record| record.findings.len() as u64),
        }));
    }

    /// Nothing more can be done, for this reason.
    fn stop(&mut self, verdict: &Verdict) {
        for record in &mut self.records {
            record.stopped.get_or_insert_with(|| verdict.clone());
        }
    }

    /// A verdict for each part, or one for each thing that it has found.
    fn report(&self) {
        for record in &self.records {
            for (number, finding) in record.findings.iter().enumerate() {
                let mut check = record.part.described();
                if number > 0 {
                    check.id = format!("{}.{}", check.id, number + 1);
                }
                let failure = self.failure(record, finding);
                self.result(record, check, failure.into());
            }
            if record.findings.is_empty() {
                let check = record.part.described();
                self.result(record, check, self.verdict(record));
            }
        }
        self.reporter.event(&Event::RandomFinished(Workload {
            group: GROUP.to_owned(),
            operations: self.records.iter().map(|record| record.operations).sum(),
            clients: u32::try_from(self.clients).unwrap_or(u32::MAX),
            faults: self.faults,
            duration: self.begun.elapsed(),
        }));
    }

    fn result(&self, record: &Record, check: dht_reports::Check, verdict: Verdict) {
        self.reporter.event(&Event::CheckFinished(CheckResult {
            check,
            verdict,
            duration: record.time,
            dialect: Vec::new(),
        }));
    }

    fn verdict(&self, record: &Record) -> Verdict {
        let enough = ENOUGH.min(self.examiner.options.operations);
        match &record.stopped {
            Some(verdict) => verdict.clone(),
            None if record.part == Part::KillPoints => self.sweep.verdict(),
            None if record.operations < enough => Verdict::Inconclusive {
                reason: format!(
                    "only {} operations in {:.1} s",
                    record.operations,
                    record.time.as_secs_f32()
                ),
            },
            None => Verdict::Kept,
        }
    }

    fn failure(&self, record: &Record, finding: &Finding) -> dht_reports::Failure {
        let options = &self.examiner.options;
        let kept = &finding.kept;
        let found = kept.found.clone().unwrap_or_default();
        let (failed, of) = kept.fails.map_or((0, 0), |rate| (rate.failed, rate.of));
        let mut note = format!(
            "found at operation {}, {} probes",
            found.operations, found.probes
        );
        if kept.fails.is_none() {
            note.push_str(", as short as it became before the time was up");
        }
        if failed < of {
            note.push_str(&format!(", fails {failed} of {of} times"));
        }
        let seen = record.seen.get(finding.fault.requirement.id);
        if let Some(seen @ 2..) = seen {
            note.push_str(&format!(", seen in {seen} cases"));
        }
        let again = match &finding.file {
            Ok(path) => again::replay(&options.target, path),
            Err(error) => {
                note.push_str(&format!("; not kept: {error}"));
                again::again(options, self.examiner.seed, record.part.id())
            }
        };
        let exchange = finding.exchange.clone();
        failure(&finding.fault, &kept.case, exchange, &note, again)
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let unfinished = self.best().take();
            if let Some((at, finding)) = unfinished {
                self.records[at].findings.push(finding);
            }
            for record in &mut self.records {
                let operations = record.operations;
                record.stopped.get_or_insert_with(|| Verdict::Inconclusive {
                    reason: format!("interrupted after {operations} operations"),
                });
            }
        }
        self.report();
    }
}

/// How much of the operations a technique gets, of 20; what mixes protocols comes on top of them.
fn share(technique: Technique) -> u64 {
    match technique {
        Technique::Sequential => 10,
        Technique::Concurrent => 6,
        Technique::Faulty | Technique::Mixed => 4,
    }
}

fn is_fatal(played: &Result<Played, ConnectError>) -> bool {
    played.as_ref().is_ok_and(Played::is_fatal)
}

impl Record {
    fn new(part: Part) -> Self {
        Self {
            part,
            operations: 0,
            cases: 0,
            time: Duration::ZERO,
            findings: Vec::new(),
            seen: BTreeMap::new(),
            stopped: None,
        }
    }
}
