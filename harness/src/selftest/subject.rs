//! One bug, and the means by which it is looked for: random cases in this process for a moment, because they
//! are cheap; then the directed checks; then random cases until the time is up.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dht_protocol::HashRange;
use dht_workload::hunt::{Catch, Hunt, Search, Technique};
use dht_workload::minimise::Effort;
use fakedht::bugs::Bug;
use fakedht::{Bugs, NodeConfig};

use super::row::{Found, Row, Verdict};
use super::{directed, keep};
use crate::cli::Selftest;

/// How long random cases are tried before the directed checks.
const MOMENT: Duration = Duration::from_millis(500);

/// Bugs that are not looked for: what they do cannot be seen through the protocol, or is allowed.
static OUT_OF_SIGHT: [(&str, &str); 4] = [
    (
        "range-change-not-told",
        "it shows only when the node's hash range changes, which no neo request does",
    ),
    ("version-mismatch-not-answered", NOTED),
    ("version-company-answered", NOTED),
    ("login-malformed-proof-answered", NOTED),
];

const NOTED: &str = "it is allowed; what a node does there is noted in the report";

/// A means of finding bugs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Means {
    /// Random cases of a kind, in this process.
    Random(Technique),
    /// The directed checks.
    Directed,
}

impl Means {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Random(Technique::Sequential),
        Self::Random(Technique::Concurrent),
        Self::Random(Technique::Faulty),
        Self::Random(Technique::Mixed),
        Self::Directed,
    ];

    fn name(self) -> String {
        match self {
            Self::Random(technique) => technique.to_string(),
            Self::Directed => "directed".to_owned(),
        }
    }
}

impl FromStr for Means {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|means| means.name() == text);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there are {names}")
        })
    }
}

/// A bug that is looked for; or none: nothing is to be found then.
pub(super) struct Subject {
    options: Arc<Selftest>,
    bug: Option<&'static Bug>,
    hunt: Hunt,
    begun: Instant,
}

impl Subject {
    pub(super) fn new(options: Arc<Selftest>, bug: Option<&'static Bug>) -> Self {
        let hunt = Hunt::new(NodeConfig {
            bugs: Bugs::from_iter(bug),
            range: HashRange::FULL,
            ..NodeConfig::default()
        });
        Self {
            options,
            bug,
            hunt,
            begun: Instant::now(),
        }
    }

    /// Looks for it.
    pub(super) async fn look(mut self) -> Row {
        self.begun = Instant::now();
        let bug = self.bug;
        let out_of_sight = OUT_OF_SIGHT
            .iter()
            .find(|(name, _)| bug.is_some_and(|bug| bug.name == *name));
        let verdict = match out_of_sight {
            Some((_, reason)) => Verdict::OutOfSight(reason),
            None => self.verdict().await,
        };
        Row { bug, verdict }
    }

    async fn verdict(&self) -> Verdict {
        let mut search = self.search();
        let random = !search.techniques().is_empty();
        if random {
            let (went_on, caught) = go_on(search, MOMENT.min(self.options.budget)).await;
            search = went_on;
            if let Some(caught) = caught {
                return self.caught(caught).await;
            }
        }
        if self.uses(Means::Directed)
            && let Some(deviation) = directed::find(self.bug, self.options.timeout).await
        {
            return Verdict::Found(Found {
                by: deviation.check,
                requirement: deviation.requirement,
                operations: None,
                time: self.begun.elapsed(),
                steps: None,
                not_kept: None,
            });
        }
        // Nothing is expected of a healthy node, so that it would take the whole time.
        let rest = self.options.budget.saturating_sub(self.begun.elapsed());
        if random && self.bug.is_some() && !rest.is_zero() {
            let (went_on, caught) = go_on(search, rest).await;
            search = went_on;
            if let Some(caught) = caught {
                return self.caught(caught).await;
            }
        }
        Verdict::Missed(self.begun.elapsed(), search.operations())
    }

    fn search(&self) -> Search {
        let techniques = Technique::ALL.into_iter();
        let wanted = techniques.filter(|technique| self.uses(Means::Random(*technique)));
        self.hunt.begin(self.options.seed, wanted.collect())
    }

    fn uses(&self, means: Means) -> bool {
        self.options.technique.is_empty() || self.options.technique.contains(&means)
    }

    /// Random cases have found it.
    async fn caught(&self, caught: Catch) -> Verdict {
        let time = self.begun.elapsed();
        let mut found = Found {
            by: caught.technique.to_string(),
            requirement: caught.fault.requirement.id.to_owned(),
            operations: Some(caught.operations),
            time,
            steps: None,
            not_kept: None,
        };
        let hunt = self.hunt.clone();
        let minimising = tokio::task::spawn_blocking(move || {
            let minimal = hunt.minimise(&caught, Effort::default());
            (caught, minimal)
        });
        let Ok((caught, minimal)) = minimising.await else {
            return Verdict::Found(found);
        };
        found.steps = Some(minimal.case.len());
        if let (Some(folder), Some(bug)) = (&self.options.save, self.bug) {
            let kept = keep::keep(bug, &caught, &minimal, self.options.seed);
            let written = kept.write_to(&folder.join(format!("{}.json", bug.name)));
            found.not_kept = written.err().map(|error| error.to_string());
        }
        Verdict::Found(found)
    }
}

/// Goes on with a search, without keeping other tasks waiting.
async fn go_on(search: Search, time: Duration) -> (Search, Option<Catch>) {
    let spare = search.clone();
    let searching = tokio::task::spawn_blocking(move || {
        let mut search = search;
        let caught = search.go_on(time);
        (search, caught)
    });
    searching.await.unwrap_or((spare, None))
}
