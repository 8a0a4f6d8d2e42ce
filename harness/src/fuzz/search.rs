//! The loop: rounds of scripts, many at the same time, until the time is up. What looks wrong is run again by
//! itself, which shows whose doing it is, and made short.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dht_reports::{Event, Progress};
use dht_requirements as req;
use dht_workload::case::{Case, Defect, Step};
use dht_workload::corpus::Found;
use dht_workload::judge::{self, Fault};
use dht_workload::names::Names;
use dht_workload::rng::Rng;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::GROUP;
use super::alone::{self, perform};
use super::bystander::Bystander;
use super::place::Place;
use super::script::{CONNECTIONS, script};
use super::tally::Tally;
use super::vitals::{Process, Vitals};
use super::world::WireWorld;
use crate::campaign::finding::Finding;
use crate::campaign::stage::Stage;
use crate::certify::remove_channels;
use crate::cli;
use crate::reporter::Reporter;
use crate::target::Target;

/// How many scripts a worker runs in a round.
const SCRIPTS: u64 = 8;
/// How many answer times a script may take.
const LIMIT: u32 = 12;
/// How long it may take to make a finding short, at least and at most.
const EFFORT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// How long a node may take for an answer when a finding is made short.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How many scripts of a round are run by themselves to see which of them it was.
const SUSPECTS: usize = 48;
/// So much that is wrong is enough.
const FINDINGS: usize = 40;
/// How long the node is left alone before its processor is looked at.
const QUIET: Duration = Duration::from_millis(300);
/// In how many windows it is looked at, and how often in each.
const LOOKS: (u32, u32) = (4, 20);
/// How long it is until the next look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A run of the fuzzer. It reports when it is over, and also when it is dropped before.
pub(super) struct Search<'a> {
    pub(super) options: &'a cli::Fuzz,
    pub(super) target: &'a Target,
    pub(super) reporter: &'a Reporter,
    pub(super) seed: u64,
    pub(super) begun: Instant,
    /// How long scripts were run, without what findings took.
    pub(super) running: Duration,
    pub(super) tally: Tally,
    pub(super) findings: Vec<(Option<Defect>, Finding)>,
    /// Why it could not go on.
    pub(super) stopped: Option<String>,
    /// What the node's process has taken, in the course of the run; none if nobody can tell.
    pub(super) vitals: Vec<Vitals>,
    /// How often the node's process wanted to run at the end, when nobody asked for anything: of all looks, in the
    /// quietest window.
    pub(super) idle_load: Option<f64>,
    pub(super) is_over: bool,
    place: Place,
    /// Where scripts are run by themselves.
    stage: Stage<'a>,
    /// What is put in.
    menu: Vec<Defect>,
    worlds: Vec<WireWorld>,
    bystander: Option<Bystander>,
    /// The number of the next script.
    next: u64,
    process: Option<Process>,
}

/// What a worker did in a round.
struct Done {
    worker: usize,
    world: WireWorld,
    cases: Vec<(Case, Option<Fault>)>,
    tally: Tally,
}

impl<'a> Search<'a> {
    /// Nothing was done yet.
    pub(super) fn new(
        options: &'a cli::Fuzz,
        target: &'a Target,
        reporter: &'a Reporter,
        seed: u64,
    ) -> Self {
        let mut menu = options.defect.clone();
        if menu.is_empty() {
            menu = Defect::ALL.to_vec();
        }
        Self {
            options,
            target,
            reporter,
            seed,
            begun: Instant::now(),
            running: Duration::ZERO,
            tally: Tally::default(),
            findings: Vec::new(),
            stopped: None,
            vitals: Vec::new(),
            idle_load: None,
            is_over: false,
            place: alone::place(target, seed, options.target.timeout),
            stage: Stage::new(target, seed, options.target.timeout),
            menu,
            worlds: Vec::new(),
            bystander: None,
            next: 0,
            process: None,
        }
    }

    /// Runs scripts until the time is up, and reports what came of them.
    pub(super) async fn run(mut self) {
        if self.target.range() == dht_protocol::HashRange::EMPTY {
            self.stopped = Some("the node's range is empty: there are no keys".to_owned());
        }
        self.process = Process::listening(self.target.address());
        while self.stopped.is_none() && self.wants_more() {
            self.round().await;
            self.progress();
        }
        self.worlds.clear();
        self.bystander = None;
        if self.stopped.is_none() {
            self.clean_up().await;
            self.look_at_idle_node().await;
        }
        self.is_over = true;
    }

    /// The scripts that were run so far do not suffice.
    fn wants_more(&self) -> bool {
        if self.findings.len() >= FINDINGS || self.menu.is_empty() {
            return false;
        }
        match self.options.scripts {
            Some(scripts) => self.next < scripts,
            None => self.begun.elapsed() < self.options.budget,
        }
    }

    async fn round(&mut self) {
        let begun = Instant::now();
        let workers = usize::from(self.options.connections).div_ceil(CONNECTIONS);
        while self.worlds.len() < workers {
            let world = WireWorld::new(self.place.clone(), CONNECTIONS, None);
            self.worlds.push(world);
        }
        if self.bystander.is_none() {
            self.bystander = Bystander::arrive(&self.place).await;
        }
        let menu: Arc<[Defect]> = self.menu.as_slice().into();
        let mut working = JoinSet::new();
        for (worker, world) in std::mem::take(&mut self.worlds).into_iter().enumerate() {
            let first = self.next;
            let left = self.options.scripts.map_or(SCRIPTS, |all| all - first);
            self.next += SCRIPTS.min(left);
            let job = Job {
                place: self.place.clone(),
                seed: self.seed,
                menu: Arc::clone(&menu),
                range: self.target.range(),
                permitted: self.target.may_remove_channels(),
                first,
                last: self.next,
            };
            working.spawn(job.run(worker, world));
        }
        let mut done = Vec::new();
        while let Some(finished) = working.join_next().await {
            done.extend(finished);
        }
        // So that the same seed looks at the same first.
        done.sort_by_key(|done| done.worker);
        let harmed = match &mut self.bystander {
            Some(bystander) => bystander.look().await.is_err(),
            // It could not even come.
            None => true,
        };
        let mut cases = Vec::new();
        for done in done {
            self.tally.merge(&done.tally);
            self.worlds.push(done.world);
            cases.extend(done.cases);
        }
        self.running += begun.elapsed();
        self.vitals.extend(self.process.and_then(Process::vitals));
        if harmed || cases.iter().any(|(_, fault)| fault.is_some()) {
            self.investigate(cases, harmed).await;
        }
    }

    /// Something looks wrong. Which script was it?
    async fn investigate(&mut self, cases: Vec<(Case, Option<Fault>)>, harmed: bool) {
        self.worlds.clear();
        self.bystander = None;
        if !self.revive().await {
            // It is gone for good: what was seen is all that there is.
            return self.unconfirmed(cases, harmed).await;
        }
        let mut confirmed = false;
        let mut new = false;
        for (case, fault) in &cases {
            let Some(fault) = fault else { continue };
            if self.is_known(case, fault) {
                continue;
            }
            new = true;
            confirmed |= self.confirm(case).await;
        }
        let others = |fault: &Fault| is_others_doing(fault);
        let shared = harmed
            || cases
                .iter()
                .any(|(_, fault)| fault.as_ref().is_some_and(others));
        if shared && !confirmed {
            new = true;
            for (case, _) in cases.iter().take(SUSPECTS) {
                if self.confirm(case).await {
                    confirmed = true;
                    break;
                }
            }
        }
        if new && !confirmed {
            self.unconfirmed(cases, harmed).await;
        }
    }

    /// Runs a script by itself. Whether something is wrong with it, which is made short then.
    async fn confirm(&mut self, case: &Case) -> bool {
        for _ in 0..2 {
            let until = Instant::now() + LIMIT * self.options.target.timeout;
            let Ok(played) = self.stage.play(case, until, false).await else {
                self.revive().await;
                continue;
            };
            if let Some(fault) = played.fault {
                if !self.is_known(case, &fault) {
                    self.found(case.clone(), fault).await;
                }
                return true;
            }
        }
        false
    }

    /// Makes what was found short, and keeps it.
    async fn found(&mut self, case: Case, fault: Fault) {
        let patience = self.options.target.timeout.min(IMPATIENCE);
        let stage = self.stage.with_patience(patience);
        let (least, most) = EFFORT;
        let until = Instant::now() + (self.options.budget / 4).clamp(least, most);
        let found = self.how();
        let folder = self.options.corpus.clone();
        let finding = Finding::of(&stage, case, fault, found, &folder, until, |_| ()).await;
        let defect = last_wrong(&finding.kept.case, &finding.fault);
        self.menu.retain(|other| Some(*other) != defect);
        self.findings.push((defect, finding));
        self.progress();
        self.revive().await;
    }

    /// What was seen and does not show again is kept as it is.
    async fn unconfirmed(&mut self, cases: Vec<(Case, Option<Fault>)>, harmed: bool) {
        let seen = cases
            .into_iter()
            .find_map(|(case, fault)| Some((case, fault?)));
        let Some((case, fault)) = seen else {
            if harmed {
                self.stopped = Some("a connection was lost, and nobody knows why".to_owned());
            }
            return;
        };
        if self.is_known(&case, &fault) {
            return;
        }
        let stage = self.stage.with_patience(self.options.target.timeout);
        let (found, folder) = (self.how(), self.options.corpus.clone());
        let now = Instant::now();
        let finding = Finding::of(&stage, case, fault, found, &folder, now, |_| ()).await;
        let defect = last_wrong(&finding.kept.case, &finding.fault);
        self.findings.push((defect, finding));
    }

    fn how(&self) -> Found {
        Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.target.to_string(),
            profile: self.options.profile.clone(),
            seed: format!("{:x}", self.seed),
            technique: GROUP.to_owned(),
            operations: self.tally.steps,
            ..Found::default()
        }
    }

    /// Was the same found before?
    fn is_known(&self, case: &Case, fault: &Fault) -> bool {
        let defect = last_wrong(case, fault);
        self.findings.iter().any(|(known, finding)| {
            finding.fault.requirement.id == fault.requirement.id
                && (*known == defect || is_others_doing(fault))
        })
    }

    /// Is there a node that can be talked to? If not, one that was started for the run is started again.
    async fn revive(&mut self) -> bool {
        let limit = self.options.target.timeout;
        let gone = match self.target.is_gone(limit).await {
            Some(why) => Some(why),
            None => self.target.is_stuck(limit).await,
        };
        let Some(why) = gone else { return true };
        if self.target.restart().await {
            self.process = Process::listening(self.target.address());
            self.vitals.clear();
            return true;
        }
        self.stopped = Some(format!("the node had gone away: {why}"));
        false
    }

    /// Removes what the run has left on the node, as far as that works in a short time.
    async fn clean_up(&self) {
        let limit = self.options.target.timeout;
        let client = self.target.client(limit, None);
        let removing = async {
            if client.ready(limit).await.is_ok() {
                remove_channels(&client, &format!("dhtcheck_{:x}_", self.seed)).await;
            }
        };
        let _ = timeout(limit, removing).await;
        client.shutdown();
    }

    /// What does the node's process do when nobody asks for anything?
    async fn look_at_idle_node(&mut self) {
        let Some(process) = self.process else { return };
        sleep(QUIET).await;
        let (windows, looks) = LOOKS;
        let mut least: Option<f64> = None;
        for _ in 0..windows {
            let mut running = 0;
            for _ in 0..looks {
                sleep(BETWEEN_LOOKS).await;
                let Some(runs) = process.wants_to_run() else {
                    return;
                };
                running += u32::from(runs);
            }
            let load = f64::from(running) / f64::from(looks);
            least = Some(least.map_or(load, |least| least.min(load)));
        }
        self.idle_load = least;
        self.vitals.extend(process.vitals());
    }

    fn progress(&self) {
        self.reporter.event(&Event::Progress(Progress {
            group: GROUP.to_owned(),
            operations: self.tally.steps,
            elapsed: self.begun.elapsed(),
            budget: self
                .options
                .scripts
                .is_none()
                .then_some(self.options.budget),
            findings: self.findings.len() as u64,
        }));
    }
}

/// What a worker does in a round.
struct Job {
    place: Place,
    seed: u64,
    menu: Arc<[Defect]>,
    range: dht_protocol::HashRange,
    permitted: bool,
    first: u64,
    last: u64,
}

impl Job {
    /// Runs its scripts, up to the first with which something is wrong.
    async fn run(self, worker: usize, mut world: WireWorld) -> Done {
        let mut cases = Vec::new();
        let mut tally = Tally::default();
        for number in self.first..self.last {
            let seed = Rng::new(self.seed.rotate_left(32) ^ number).number();
            let case = script(seed, &self.menu, self.permitted);
            let prefix = format!("dhtcheck_{:x}_f{number}_", self.seed);
            let names = Names::new(prefix, self.range, self.permitted);
            let until = Instant::now() + LIMIT * self.place.patience;
            let recording = perform(&case, &names, &mut world, until).await;
            let fault = judge::judge(&recording, &names);
            let failed = fault.is_some();
            if !failed {
                world.clean_up(&case, &names).await;
            }
            tally.add(&recording, world.take_traffic());
            cases.push((case, fault));
            if failed {
                world = WireWorld::new(self.place.clone(), CONNECTIONS, None);
                break;
            }
        }
        Done {
            worker,
            world,
            cases,
            tally,
        }
    }
}

/// May somebody else have caused it?
fn is_others_doing(fault: &Fault) -> bool {
    let id = fault.requirement.id;
    [
        &req::ROBUST_SURVIVES,
        &req::ROBUST_DROP_LOCAL,
        &req::ROBUST_NEW_CONNECTIONS,
    ]
    .iter()
    .any(|other| other.id == id)
}

/// What was said wrongly where the fault showed, or last before.
fn last_wrong(case: &Case, fault: &Fault) -> Option<Defect> {
    let defect = |step: &Step| match step {
        Step::Wrong(wrong) => Some(wrong.defect),
        _ => None,
    };
    let there = case.step(fault.at).and_then(|placed| defect(&placed.step));
    there.or_else(|| {
        // What overlaps may have come first.
        let before = case.steps().filter(|(at, _)| at.round <= fault.at.round);
        before.filter_map(|(_, placed)| defect(&placed.step)).last()
    })
}
