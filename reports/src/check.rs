//! A check, its verdict, and what a person needs to act on a broken requirement. How these look on a screen
//! or in a file is the business of the renderings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exchange::Line;
use crate::micros;
use crate::requirement::Requirement;

/// One thing that a run looks at: a directed case, or one kind of random workload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Check {
    /// Stable name, such as `getall.suspend-resume`; what `--filter` matches.
    pub id: String,
    /// The group it is counted in, such as `streams`.
    pub group: String,
    /// What it looks at, one sentence.
    pub title: String,
    /// Ids of the requirements it exercises, such as `NEO-AUTH-07`.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The request it is about, such as `GetAll`, where it is about one.
    #[serde(default)]
    pub request: Option<String>,
    /// What else it can be chosen by, such as `hostile`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The case of the reference suite that it makes unnecessary, where there is one.
    #[serde(default)]
    pub subsumes: Option<String>,
}

/// What came of one check.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What it found.
    pub verdict: Verdict,
    /// How long it took; stored in whole microseconds.
    #[serde(rename = "duration_us", with = "micros")]
    pub duration: Duration,
    /// Which of several allowed behaviours the node showed.
    #[serde(default)]
    pub dialect: Vec<Observation>,
}

/// Where the specification allows several behaviours: which one a node showed.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Observation {
    /// What is left open: a noun phrase, always in the same words.
    pub question: String,
    /// What the node did, in words that are the same for the same behaviour.
    pub answer: String,
}

/// What a check found, whatever its level and a profile make of it. More verdicts will come: a `match` outside this
/// crate needs a last arm.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The node did what the requirements ask.
    Kept,
    /// The node broke a requirement.
    Broken(Box<Failure>),
    /// The check ran and could not tell.
    Inconclusive {
        /// Why it could not tell.
        reason: String,
    },
    /// The requirements do not concern this node.
    NotApplicable {
        /// Why they do not.
        reason: String,
    },
}

impl Verdict {
    /// The failure, where a requirement was broken.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Verdict::Broken(failure) => Some(failure),
            Verdict::Kept | Verdict::Inconclusive { .. } | Verdict::NotApplicable { .. } => None,
        }
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Verdict::Broken(Box::new(failure))
    }
}

/// A broken requirement: everything that its reader needs without asking us.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Failure {
    /// The requirement that was broken.
    pub requirement: Requirement,
    /// In what way it was broken, a stable key that profiles can name: `silence`, `closed`, `open`,
    /// `answer`, `data`, `extra`, `harm`, `died`.
    pub outcome: String,
    /// What was sent to the node.
    pub sent: String,
    /// The outcomes that the requirement allows here.
    pub expected: Vec<String>,
    /// What came instead.
    pub observed: String,
    /// The messages that went to and fro, in order.
    #[serde(default)]
    pub exchange: Vec<Line>,
    /// The command that repeats just this case.
    pub again: String,
    /// The fewest operations that still fail, where they have been searched for.
    #[serde(default)]
    pub minimal: Option<Vec<String>>,
}
