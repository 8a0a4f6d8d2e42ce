//! Runs cases against the node of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dht_client::Tap;
use dht_client::legacy::Tap as LegacyTap;
use dht_protocol::neo::monitor::Coverage;
use dht_reports::{Line, Profile, Restart};
use dht_requirements as req;
use dht_workload::case::Protocol;
use dht_workload::judge::sequential::Sequential;
use dht_workload::judge::{self, Fault};
use dht_workload::minimise::{Effort, Minimal, minimise};
use dht_workload::names::Names;
use dht_workload::net::{ConnectError, LegacyOptions, NetWorld, NodeControl, Options};
use dht_workload::recording::{AfterKill, End, Entry};
use dht_workload::{Case, Recording, run};
use tokio::time::timeout;

use crate::certify::remove_channels;
use crate::fuzz;
use crate::target::Target;
use crate::trace::{Ear, Trace};

/// So much longer than the node has ever taken a probe waits for what did not come when it was waited for with
/// patience.
const IMPATIENCE: u32 = 5;
/// A probe waits so long at least: a machine may be busy now and then.
const MOMENT: Duration = Duration::from_millis(100);

/// Why a case that speaks the legacy protocol is not run.
pub(crate) const NO_LEGACY: &str =
    "nobody knows where the node speaks the legacy protocol; --legacy HOST:PORT says so";

/// Where cases are run: a node, and names on it that nobody else uses.
pub struct Stage<'a> {
    target: &'a Target,
    seed: u64,
    patience: Duration,
    /// What can halt and kill the node.
    control: Option<Arc<dyn NodeControl>>,
    /// What is left of the node's records when it was killed.
    after_kill: AfterKill,
    /// How many cases were run, so that no name is used twice.
    plays: Arc<AtomicU64>,
    /// How long the node has taken to say something in a case so far, at most, in microseconds.
    longest_wait: Arc<AtomicU64>,
}

/// What a run of a case came to.
#[derive(Debug)]
pub struct Played {
    /// What is wrong, if something is.
    pub fault: Option<Fault>,
    /// How many operations were done.
    pub operations: u64,
    /// How many things went wrong on purpose.
    pub faults: u64,
    /// The messages, if they were listened to.
    pub exchange: Vec<Line>,
    /// Schedules that could not be followed.
    pub notes: Vec<String>,
    /// What was covered of the requests' automata, if the messages were listened to.
    pub coverage: Coverage,
}

impl Played {
    /// Did the node not survive?
    pub fn is_fatal(&self) -> bool {
        let fault = self.fault.as_ref();
        fault.is_some_and(|fault| fault.requirement.id == req::ROBUST_SURVIVES.id)
    }
}

impl<'a> Stage<'a> {
    /// On this node. `seed` is part of the channels' names.
    pub fn new(target: &'a Target, seed: u64, patience: Duration) -> Self {
        Self {
            target,
            seed,
            patience,
            control: target.control(),
            after_kill: AfterKill::Unknown,
            plays: Arc::default(),
            longest_wait: Arc::default(),
        }
    }

    /// The same stage, with a node of which a profile says what it keeps when it is killed.
    pub fn with_profile(self, profile: &Profile) -> Self {
        let after_kill = match profile.restart {
            Some(Restart::Keeps) => AfterKill::Everything,
            Some(Restart::Loses) => AfterKill::Nothing,
            None => AfterKill::Unknown,
        };
        Self { after_kill, ..self }
    }

    /// The bug that the node was given, if it was one.
    pub fn bug(&self) -> Option<String> {
        match self.target.bugs() {
            [bug] => Some(bug.clone()),
            _ => None,
        }
    }

    /// Can the node be asked for what a case does?
    pub fn can_play(&self, case: &Case) -> bool {
        !case.has_legacy() || self.speaks_legacy()
    }

    /// Does the node speak the legacy protocol, at an address that is known?
    pub fn speaks_legacy(&self) -> bool {
        self.target.legacy().address().is_some()
    }

    /// The connections of a case that speak the legacy protocol, each heard by the ear of its number.
    fn legacy_connections(&self, case: &Case, ears: &[Arc<Ear>]) -> BTreeMap<usize, LegacyOptions> {
        let Some(address) = self.target.legacy().address() else {
            return BTreeMap::new();
        };
        let protocols = case.protocols().into_iter().enumerate();
        let legacy = protocols.filter(|(_, protocol)| *protocol == Protocol::Legacy);
        legacy
            .map(|(connection, _)| {
                let ear = ears.get(connection).map(Arc::clone);
                let tap = ear.map(|ear| ear as Arc<dyn LegacyTap>);
                (connection, LegacyOptions { address, tap })
            })
            .collect()
    }

    /// Can the node be halted for a while?
    pub fn can_halt(&self) -> bool {
        self.control.is_some()
    }

    /// Is there a node again after one that did not survive?
    pub fn can_restart(&self) -> bool {
        self.target.is_ours()
    }

    /// Makes a failing case short within the time; `better` is told of each shorter one as it is found.
    ///
    /// What does not come is not waited for as long as the first time, but for as long as this node may need.
    /// If the shortest case does not fail when it is waited for with patience, all is done again that way.
    pub async fn minimise(
        &self,
        case: &Case,
        fault: &Fault,
        effort: Effort,
        until: Instant,
        mut better: impl FnMut(&Case, &Fault),
    ) -> Minimal {
        let longest = Duration::from_micros(self.longest_wait.load(Ordering::Relaxed));
        let patience = (longest * IMPATIENCE).max(MOMENT).min(self.patience);
        let impatient = self.with_patience(patience);
        let short = impatient.shorten(case, fault, effort, until, &mut better);
        // Boxed, since the compiler looks only so deep into futures within futures.
        let minimal = Box::pin(short).await;
        if patience == self.patience || self.fails(&minimal, until).await {
            return minimal;
        }
        better(case, fault);
        Box::pin(self.shorten(case, fault, effort, until, better)).await
    }

    async fn shorten(
        &self,
        case: &Case,
        fault: &Fault,
        effort: Effort,
        until: Instant,
        better: impl FnMut(&Case, &Fault),
    ) -> Minimal {
        let probe = async |case: &Case| match Instant::now() < until {
            true => self.judge(case, until).await,
            false => None,
        };
        minimise(case.clone(), fault.clone(), effort, probe, better).await
    }

    /// Does the case fail here as often as it should? Also if there is no time to see.
    async fn fails(&self, minimal: &Minimal, until: Instant) -> bool {
        let (failed, of) = minimal.fails;
        let runs = match failed {
            0 => 0,
            failed => of - failed + 1,
        };
        for _ in 0..runs {
            if Instant::now() >= until {
                break;
            }
            let fault = self.judge(&minimal.case, until).await;
            if fault.is_some_and(|fault| fault.requirement.id == minimal.fault.requirement.id) {
                return true;
            }
        }
        runs == 0 || Instant::now() >= until
    }

    /// The same stage, for a node that may take so long for anything.
    pub(crate) fn with_patience(&self, patience: Duration) -> Self {
        Self {
            target: self.target,
            seed: self.seed,
            patience,
            control: self.control.clone(),
            after_kill: self.after_kill,
            plays: Arc::clone(&self.plays),
            longest_wait: Arc::clone(&self.longest_wait),
        }
    }

    /// Runs a case until it is over or the time is up. With `listen` the messages are written down.
    pub async fn play(
        &self,
        case: &Case,
        until: Instant,
        listen: bool,
    ) -> Result<Played, ConnectError> {
        let number = self.plays.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("dhtcheck_{:x}_case{number}_", self.seed);
        let permitted = self.target.may_remove_channels();
        let names = Names::new(&prefix, self.target.range(), permitted);
        if case.has_wrongs() {
            return Ok(self.play_wrongly(case, &names, until, listen).await);
        }
        let trace = listen.then(|| Arc::new(Trace::default()));
        let ear = |client| Some(Arc::new(Ear::new(Arc::clone(trace.as_ref()?), client)));
        let ears: Vec<_> = (0..case.connections()).filter_map(ear).collect();
        let taps = ears.iter().map(|ear| Arc::clone(ear) as Arc<dyn Tap>);
        let options = Options {
            taps: taps.collect(),
            faulty: case.has_faults(),
            gated: case.has_schedule(),
            control: self.control.clone(),
            legacy: self.legacy_connections(case, &ears),
            covering: listen,
        };
        let (address, credential) = (self.target.address(), self.target.credential().clone());
        let connections = case.connections();
        let mut world =
            NetWorld::connect(address, credential, connections, self.patience, options).await?;
        let recording = perform(case, &names, &mut world, self.after_kill, until).await;
        let coverage = world.coverage();
        let wait = u64::try_from(world.longest_wait().as_micros()).unwrap_or(u64::MAX);
        self.longest_wait.fetch_max(wait, Ordering::Relaxed);
        world.shutdown().await;
        match recording.end {
            // The next one finds a node again, if it was started for the run.
            Some(End::Gone(_)) => {
                self.target.restart().await;
            }
            _ => self.clean_up(&prefix).await,
        }
        Ok(Played {
            fault: judge::judge(&recording, &names),
            operations: recording.entries.len() as u64,
            faults: recording.faults(),
            exchange: trace.map(|trace| trace.lines()).unwrap_or_default(),
            notes: recording.notes,
            coverage,
        })
    }

    /// Runs a case in which something is said wrongly, which no client does.
    async fn play_wrongly(
        &self,
        case: &Case,
        names: &Names,
        until: Instant,
        listen: bool,
    ) -> Played {
        let trace = listen.then(|| Arc::new(Trace::default()));
        let run = (self.seed, self.patience);
        let alone = fuzz::alone(self.target, run, case, names, until, trace.clone()).await;
        if alone.gone {
            self.target.restart().await;
        }
        Played {
            fault: alone.fault,
            operations: alone.steps,
            faults: alone.wrongs,
            exchange: trace.map(|trace| trace.lines()).unwrap_or_default(),
            notes: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// What is wrong with a case, if something is; also that no client can connect any more.
    pub async fn judge(&self, case: &Case, until: Instant) -> Option<Fault> {
        match self.play(case, until, false).await {
            Ok(played) => played.fault,
            // Whoever probes has seen the node answer.
            Err(_) => None,
        }
    }

    /// Leaves the node as it was found, as far as that works in a short time.
    async fn clean_up(&self, prefix: &str) {
        let client = self.target.client(self.patience, None);
        let removing = async {
            if client.ready(self.patience).await.is_ok() {
                remove_channels(&client, prefix).await;
            }
        };
        let _ = timeout(self.patience, removing).await;
        client.shutdown();
    }
}

/// Does what a case says. A case in which nothing overlaps ends with its first wrong answer.
async fn perform(
    case: &Case,
    names: &Names,
    world: &mut NetWorld,
    after_kill: AfterKill,
    until: Instant,
) -> Recording {
    let mut sequential = case
        .is_sequential()
        .then(|| Sequential::new(names, after_kill));
    let watch = |entry: &Entry| {
        let wrong = sequential
            .as_mut()
            .is_some_and(|judge| judge.observe(entry).is_some());
        match wrong || Instant::now() >= until {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let recording = run::run(case, names, world, watch).await;
    Recording {
        after_kill,
        ..recording
    }
}

impl fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("target", &self.target)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
