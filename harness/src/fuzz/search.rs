//! The loop: rounds of scripts, many at the same time, until the time is up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dht_reports::{Event, Progress};
use dht_workload::case::{Case, Defect, Protocol};
use dht_workload::judge::{self, Fault};
use dht_workload::names::Names;
use dht_workload::rng::Rng;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::GROUP;
use super::alone::{self, perform};
use super::apart;
use super::bystander::Bystander;
use super::machine::Culprit;
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
pub(super) const LIMIT: u32 = 12;
/// So much that is wrong is enough.
const FINDINGS: usize = 40;
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
    /// What makes the process grow, and what keeps it busy, if one of it does and somebody could find out.
    pub(super) leaking: Option<Culprit>,
    pub(super) spinning: Option<Culprit>,
    pub(super) is_over: bool,
    /// Why the legacy protocol is not spoken, if it is not.
    pub(super) neo_alone: Option<String>,
    place: Place,
    /// Where scripts are run by themselves.
    pub(super) stage: Stage<'a>,
    /// What is put in.
    pub(super) menu: Vec<Defect>,
    pub(super) worlds: Vec<WireWorld>,
    pub(super) bystander: Option<Bystander>,
    /// The number of the next script.
    next: u64,
    pub(super) process: Option<Process>,
}

/// What a worker did in a round.
pub(super) struct Done {
    worker: usize,
    pub(super) world: WireWorld,
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
            leaking: None,
            spinning: None,
            is_over: false,
            neo_alone: None,
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
        self.look_for_legacy().await;
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
            self.look_for_culprits().await;
        }
        self.is_over = true;
    }

    /// Is the legacy protocol spoken where it should be? If not, neo is all that there is to fuzz.
    async fn look_for_legacy(&mut self) {
        let legacy = self.target.legacy();
        let missing = match legacy.address() {
            None => Some(legacy.missing()),
            Some(address) => match apart::legacy::answers(&self.place).await {
                true => None,
                false => Some(format!(
                    "no node of the legacy protocol answers on {address}"
                )),
            },
        };
        let Some(missing) = missing else { return };
        self.place.legacy = None;
        self.menu
            .retain(|defect| defect.protocol() == Protocol::Neo);
        if self.menu.is_empty() {
            self.stopped.get_or_insert(missing.clone());
        }
        eprintln!("neo alone: {missing}");
        self.neo_alone = Some(missing);
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
        if self.bystander.is_none() {
            self.bystander = Bystander::arrive(&self.place).await;
        }
        let (menu, last) = (self.menu.clone(), self.options.scripts);
        let done = self.work(&menu, last.unwrap_or(u64::MAX)).await;
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

    /// Runs scripts on all connections, a few each, up to the last one.
    pub(super) async fn work(&mut self, menu: &[Defect], last: u64) -> Vec<Done> {
        let workers = usize::from(self.options.connections).div_ceil(CONNECTIONS);
        while self.worlds.len() < workers {
            let world = WireWorld::new(self.place.clone(), None);
            self.worlds.push(world);
        }
        let menu: Arc<[Defect]> = menu.into();
        let mut working = JoinSet::new();
        for (worker, world) in std::mem::take(&mut self.worlds).into_iter().enumerate() {
            let first = self.next;
            self.next += SCRIPTS.min(last.saturating_sub(first));
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
        done
    }

    /// Is there a node that can be talked to? If not, one that was started for the run is started again.
    pub(super) async fn revive(&mut self) -> bool {
        let limit = self.options.target.timeout;
        let gone = match self.target.is_gone(limit).await {
            Some(why) => Some(why),
            None => self.target.is_stuck(limit).await,
        };
        let Some(why) = gone else {
            // It may have been started again meanwhile.
            if self
                .process
                .is_some_and(|process| process.vitals().is_none())
            {
                self.process = Process::listening(self.target.address());
                self.vitals.clear();
            }
            return true;
        };
        if self.target.restart().await {
            self.process = Process::listening(self.target.address());
            self.vitals.clear();
            return true;
        }
        self.stopped = Some(format!("the node had gone away: {why}"));
        false
    }

    /// Removes what the run has left on the node, as far as that works in a short time.
    pub(super) async fn clean_up(&self) {
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

    pub(super) fn progress(&self) {
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
            let case = script(
                seed,
                &self.menu,
                self.permitted,
                self.place.legacy.is_some(),
            );
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
                world = WireWorld::new(self.place.clone(), None);
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
