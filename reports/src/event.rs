//! What a run says while it goes on. Events are all that a run leaves behind: whatever can be shown or
//! reported is made from them, at once or later from a file, so their names do not change.
//!
//! The file of a run holds one event a line, see [`jsonl`](crate::jsonl). Its schema has a number: a change
//! that an older reader would misunderstand gets a new one.
//!
//! A run is `run_started`, then any number of the others, then `run_finished`. A run that cannot start or
//! go on says `stopped`; `run_finished` may still follow. Times come from the caller: the same events are
//! the same text.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::check::CheckResult;
use crate::micros;
use crate::profile::Profile;
use crate::requirement::Requirement;

/// Number of the schema of the events that this version writes, and the only one that it reads.
pub const SCHEMA: u32 = 1;

/// One thing that happened in a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A run began; always the first event.
    RunStarted(RunStarted),
    /// A check began. Several may be under way at the same time.
    CheckStarted(CheckStarted),
    /// A check ended. A random workload ends in one of these if all was kept, else in one for
    /// each thing it found.
    CheckFinished(CheckResult),
    /// How far the random workload has come.
    Progress(Progress),
    /// A random workload ended; its verdicts came before as `check_finished`.
    RandomFinished(Workload),
    /// The run cannot start or cannot go on.
    Stopped(Obstacle),
    /// The run ended.
    RunFinished(RunFinished),
    /// An event of a later version, as it was read. It says nothing here, and is written as it came.
    #[serde(untagged, skip_deserializing)]
    Other(serde_json::Value),
}

impl Event {
    /// Names of the events that this version knows.
    pub(crate) const NAMES: [&str; 7] = [
        "run_started",
        "check_started",
        "check_finished",
        "progress",
        "random_finished",
        "stopped",
        "run_finished",
    ];
}

/// What is run, against what.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunStarted {
    /// Number of the schema, [`SCHEMA`].
    pub schema: u32,
    /// Version of the tool.
    pub version: String,
    /// The seed, as `--seed` takes it.
    pub seed: String,
    /// The node, such as `127.0.0.1:10100 (neo 1)`.
    pub node: String,
    /// The node's hash range, two keys of 16 hexadecimal digits with `..` between; none if not known.
    #[serde(default)]
    pub range: Option<String>,
    /// What is known of the node.
    #[serde(default)]
    pub profile: Profile,
    /// The text that chose the checks; none if all of them run.
    #[serde(default)]
    pub filter: Option<String>,
    /// When the run began, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// What is going to run, in the order in which it is reported.
    pub groups: Vec<PlannedGroup>,
    /// Every requirement that a node can be checked for, in the order in which it is reported.
    #[serde(default)]
    pub requirements: Vec<Requirement>,
}

impl Default for RunStarted {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            version: String::new(),
            seed: String::new(),
            node: String::new(),
            range: None,
            profile: Profile::strict(),
            filter: None,
            started_ms: 0,
            groups: Vec::new(),
            requirements: Vec::new(),
        }
    }
}

/// A group of checks that is going to run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlannedGroup {
    /// Name of the group; [`Check::group`](crate::Check::group) refers to it.
    pub name: String,
    /// How much of it there is.
    pub plan: Plan,
}

/// How much of a group is going to run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// So many checks, each with one verdict.
    Checks(usize),
    /// A random workload, which ends with `random_finished`.
    Random,
}

/// A check that began.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CheckStarted {
    /// Its stable name.
    pub id: String,
}

/// How far a random workload has come.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// Name of the group.
    pub group: String,
    /// Operations done.
    pub operations: u64,
    /// Time spent.
    #[serde(rename = "elapsed_us", with = "micros")]
    pub elapsed: Duration,
    /// Time that may be spent, where it is limited.
    #[serde(rename = "budget_us", with = "micros::optional", default)]
    pub budget: Option<Duration>,
    /// Failures found so far.
    #[serde(default)]
    pub findings: u64,
}

/// A random workload that ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Workload {
    /// Name of the group.
    pub group: String,
    /// Operations done.
    pub operations: u64,
    /// Clients that did them.
    pub clients: u32,
    /// Faults injected.
    pub faults: u64,
    /// Time spent.
    #[serde(rename = "duration_us", with = "micros")]
    pub duration: Duration,
}

/// Why a run cannot start or go on, and what to do about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Obstacle {
    /// What is in the way, one plain sentence without "cannot".
    pub reason: String,
    /// What was looked at to find out.
    #[serde(default)]
    pub clues: Vec<Clue>,
    /// What to do, one or two sentences.
    #[serde(default)]
    pub advice: Option<String>,
}

/// A question about an obstacle, and its answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Clue {
    /// The question.
    pub question: String,
    /// Its answer, such as `no` or `cannot tell from outside`.
    pub answer: String,
}

/// The end of a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunFinished {
    /// How long the whole run took.
    #[serde(rename = "duration_us", with = "micros")]
    pub duration: Duration,
}
