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
use dht_workload::names::Names;
use dht_workload::net::{ConnectError, LegacyOptions, NetWorld, NodeControl, Options};
use dht_workload::recording::{AfterKill, End, Entry};
use dht_workload::{Case, Recording, run};
use tokio::time::timeout;

use crate::certify::remove_channels;
use crate::fuzz;
use crate::target::Target;
use crate::trace::Trace;

/// How long a probe waits for what did not come when it was waited for with patience.
const IMPATIENCE: Duration = Duration::from_millis(500);

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

    /// The connections of a case that speak the legacy protocol, heard by the trace of their number.
    fn legacy_connections(
        &self,
        case: &Case,
        traces: &[Arc<Trace>],
    ) -> BTreeMap<usize, LegacyOptions> {
        let Some(address) = self.target.legacy().address() else {
            return BTreeMap::new();
        };
        let protocols = case.protocols().into_iter().enumerate();
        let legacy = protocols.filter(|(_, protocol)| *protocol == Protocol::Legacy);
        legacy
            .map(|(connection, _)| {
                let trace = traces.get(connection).map(Arc::clone);
                let tap = trace.map(|trace| trace as Arc<dyn LegacyTap>);
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

    /// The same stage for cases that are run again and again to find a shorter one that fails like this: if
    /// nothing comes, it is not waited for as long as the first time.
    pub fn impatient(&self, fault: &Fault) -> Self {
        let silent = [req::REQ_ANSWERED.id, req::LEG_ANSWER_COMES.id];
        let patience = match silent.contains(&fault.requirement.id) {
            true => self.patience.min(IMPATIENCE),
            false => self.patience,
        };
        self.with_patience(patience)
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
        let traces: Vec<_> = (0..case.connections())
            .filter(|_| listen)
            .map(|_| Arc::new(Trace::default()))
            .collect();
        let options = Options {
            taps: traces
                .iter()
                .map(|trace| Arc::clone(trace) as Arc<dyn Tap>)
                .collect(),
            faulty: case.has_faults(),
            gated: case.has_schedule(),
            control: self.control.clone(),
            legacy: self.legacy_connections(case, &traces),
            covering: listen,
        };
        let (address, credential) = (self.target.address(), self.target.credential().clone());
        let connections = case.connections();
        let mut world =
            NetWorld::connect(address, credential, connections, self.patience, options).await?;
        let recording = perform(case, &names, &mut world, self.after_kill, until).await;
        let coverage = world.coverage();
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
            exchange: merged(&traces),
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

/// The lines of several connections in the order of their times.
fn merged(traces: &[Arc<Trace>]) -> Vec<Line> {
    let several = traces.len() > 1;
    let mut lines = Vec::new();
    for (number, trace) in traces.iter().enumerate() {
        lines.extend(trace.lines().into_iter().map(|mut line| {
            line.connection = several.then(|| format!("client {number}"));
            line
        }));
    }
    lines.sort_by_key(|line| line.ms);
    lines
}

impl fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("target", &self.target)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
