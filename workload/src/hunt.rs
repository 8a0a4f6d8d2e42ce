//! Searches a node in this process for something wrong: the catalogue of bugs is judged with it.
//!
//! A hunt takes the techniques by turns, each time with a new seed. It is a function of its seed, but for
//! the time after which it gives up.

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dht_client::Credential;
use dht_protocol::HashRange;
use fakedht::NodeConfig;
use futures_util::FutureExt;

use crate::case::Case;
use crate::generate::{self, Shape};
use crate::judge::{self, Fault};
use crate::minimise::{self, Effort, Minimal};
use crate::names::Names;
use crate::recording::Recording;
use crate::run;
use crate::sim::SimWorld;

/// A kind of workload.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Technique {
    /// One operation after another, judged by the model.
    Sequential,
    /// Several clients at once, streams, and Updates that wait.
    Concurrent,
    /// The same while connections break, stall, and pass bytes in pieces.
    Faulty,
    /// All of this by turns, by clients of both protocols.
    Mixed,
}

impl Technique {
    /// All of them, the cheapest first.
    pub const ALL: [Self; 4] = [
        Self::Sequential,
        Self::Concurrent,
        Self::Faulty,
        Self::Mixed,
    ];

    /// What its cases look like; `round` counts up, and now and then one is longer than the others.
    pub fn shape(self, round: u64) -> Shape {
        let steps = match round % 16 {
            7 => 2000,
            15 => 12_000,
            _ => 300,
        };
        match self {
            Self::Sequential => Shape::sequential(steps),
            // These are judged as a whole, which longer ones make harder without being better.
            Self::Concurrent => Shape::concurrent(300, 2 + (round % 5) as usize, 3),
            Self::Faulty => Shape::concurrent(300, 4, 1 + (round % 4) as usize).faulty(),
            Self::Mixed => match round % 3 {
                0 => Shape::sequential(300).mixed(1),
                1 => Shape::concurrent(300, 2, 2).mixed(2),
                _ => Shape::concurrent(300, 2, 1 + (round % 2) as usize)
                    .faulty()
                    .mixed(2),
            },
        }
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequential => "sequential",
            Self::Concurrent => "concurrent",
            Self::Faulty => "faults",
            Self::Mixed => "mixed",
        })
    }
}

/// Something wrong that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Catch {
    /// How.
    pub technique: Technique,
    /// The schedule of the world that it was found in.
    pub schedule: u64,
    /// What was done.
    pub case: Case,
    /// What is wrong.
    pub fault: Fault,
    /// How many operations it took.
    pub operations: u64,
    /// And how long.
    pub time: Duration,
}

/// A node in this process, a new one for each case, and the names that are used on it.
#[derive(Clone, Debug)]
pub struct Hunt {
    node: NodeConfig,
    names: Names,
}

impl Hunt {
    /// Searches this node.
    pub fn new(node: NodeConfig) -> Self {
        let names = Names::new("", node.range, true);
        Self { node, names }
    }

    /// Searches until something is found or the time is up.
    pub fn search(&self, seed: u64, budget: Duration) -> Option<Catch> {
        self.begin(seed, Technique::ALL.to_vec()).go_on(budget)
    }

    /// Begins a search with these techniques; without any nothing is found.
    pub fn begin(&self, seed: u64, techniques: Vec<Technique>) -> Search {
        Search {
            hunt: self.clone(),
            seed,
            techniques,
            turns: 0,
            operations: 0,
            time: Duration::ZERO,
        }
    }

    /// Runs one case.
    pub fn play(&self, case: &Case, schedule: u64) -> Recording {
        let admin = Credential::default_admin();
        let mut world = SimWorld::new(self.node.clone(), &admin, &case.protocols(), schedule);
        let go_on = |_: &_| ControlFlow::Continue(());
        let running = run::run(case, &self.names, &mut world, go_on);
        // This world never waits for anything outside.
        running.now_or_never().unwrap_or_default()
    }

    /// What is wrong with a case, if something is.
    pub fn judge(&self, case: &Case, schedule: u64) -> Option<Fault> {
        judge::judge(&self.play(case, schedule), &self.names)
    }

    /// Makes what was found short.
    pub fn minimise(&self, caught: &Catch, effort: Effort) -> Minimal {
        let probe = async |case: &Case| self.judge(case, caught.schedule);
        let (case, fault) = (caught.case.clone(), caught.fault.clone());
        let unchanged = Minimal {
            case: case.clone(),
            fault: fault.clone(),
            probes: 0,
            fails: (1, 1),
        };
        minimise::minimise(case, fault, effort, probe, |_, _| ())
            .now_or_never()
            .unwrap_or(unchanged)
    }
}

/// A search of a node, which can be left and gone on with.
#[derive(Clone, Debug)]
pub struct Search {
    hunt: Hunt,
    seed: u64,
    techniques: Vec<Technique>,
    turns: u64,
    operations: u64,
    time: Duration,
}

impl Search {
    /// Takes turns until something is found or the time is up; one at least.
    pub fn go_on(&mut self, budget: Duration) -> Option<Catch> {
        let begun = Instant::now();
        loop {
            let caught = self.turn();
            if caught.is_some() || begun.elapsed() >= budget {
                return caught;
            }
        }
    }

    /// Runs the next case, and says what is wrong with it if something is.
    pub fn turn(&mut self) -> Option<Catch> {
        let begun = Instant::now();
        let count = self.techniques.len().max(1) as u64;
        let (round, place) = (self.turns / count, self.turns % count);
        let technique = *self.techniques.get(place as usize)?;
        self.turns += 1;
        let schedule = self.seed.wrapping_add(round);
        let case = generate::case(schedule, &technique.shape(round));
        let recording = self.hunt.play(&case, schedule);
        self.operations += recording.entries.len() as u64;
        let fault = judge::judge(&recording, &self.hunt.names);
        self.time += begun.elapsed();
        Some(Catch {
            technique,
            schedule,
            case,
            fault: fault?,
            operations: self.operations,
            time: self.time,
        })
    }

    /// What it goes through.
    pub fn techniques(&self) -> &[Technique] {
        &self.techniques
    }

    /// How many operations were done so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }
}

impl Default for Hunt {
    /// The fake node as it is, responsible for every key.
    fn default() -> Self {
        Self::new(NodeConfig {
            range: HashRange::FULL,
            ..NodeConfig::default()
        })
    }
}
