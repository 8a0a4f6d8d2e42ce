//! A certification from its first to its last event: prepare the node, run the directed checks side by
//! side, run random operations, and say what came of it all.

use dht_requirements::{self as req, Level, Requirement};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dht_model::{HashRange, Operation};
use dht_reports::{
    CheckResult, CheckStarted, Event, Exit, Failure, Obstacle, Plan, PlannedGroup, Progress,
    RunFinished, RunStarted, Verdict, Workload,
};
use futures_util::{StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::checks::ground::too_slow;
use crate::checks::{self, Check, Ground, Group, Tag};
use crate::cli::{Certify, DEFAULT_TIMEOUT};
use crate::profiles;
use crate::random::minimise::minimise;
use crate::random::sequential::{self, Settings, Wrong};
use crate::reporter::Reporter;
use crate::target::{DEFAULT_NODE, Target};
use crate::trace::Trace;
use crate::unkept::{Outcome, Unkept};

/// How many checks run side by side.
const PARALLEL: usize = 24;
/// How many answer times a check may take as a whole.
const CHECK_LIMIT: u32 = 6;
/// What a check may take besides: periods of a Mirror, for instance, which no node can shorten.
const OWN_TIME: Duration = Duration::from_secs(10);
/// How many answer times the random part may take, and making a failing run of it short as well.
const RANDOM_LIMIT: u32 = 12;
/// How many random operations say something of a node, if there is no time for all of them.
const ENOUGH: u64 = 1000;
/// The group of the random part, and the id of its only check.
const RANDOM: &str = "random";
const SEQUENTIAL: &str = "random.sequential";

/// Runs a certification.
pub async fn certify(options: Certify) -> Exit {
    let begun = Instant::now();
    let seed = options.seed.unwrap_or_else(new_seed);
    let reporter = match Reporter::new(options.junit.clone(), options.json.clone()) {
        Ok(reporter) => reporter,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return Exit::CouldNotRun;
        }
    };
    let checks = checks::matching(options.filter.as_deref());
    let random = options.operations > 0
        && options.budget != Some(Duration::ZERO)
        && wants_random(options.filter.as_deref());
    let profile = profiles::load(&options.profile);
    let mut start = RunStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: format!("{seed:x}"),
        node: options.node.clone().unwrap_or_else(|| match options.spawn {
            Some(_) => DEFAULT_NODE.to_owned(),
            None => "the embedded fake node".to_owned(),
        }),
        range: None,
        profile: profile.as_ref().cloned().unwrap_or_default(),
        filter: options.filter.clone(),
        started_ms: now_ms(),
        groups: planned(&checks, random),
        requirements: dht_requirements::all()
            .filter(|requirement| requirement.is_checkable())
            .map(described)
            .collect(),
        ..RunStarted::default()
    };
    let prepared = match profile {
        Err(obstacle) => Err(obstacle),
        Ok(_) if checks.is_empty() && !random => Err(obstacle(
            "no check was chosen.",
            "`dhtcheck list` shows what --filter can choose from.",
        )),
        Ok(_) => tokio::select! {
            prepared = Target::prepare(&options) => prepared,
            () = interrupted() => Err(obstacle("it was interrupted.", "Nothing was left on the node.")),
        },
    };
    match prepared {
        Ok(target) => {
            start.node = target.to_string();
            start.range = Some(target.range().to_string());
            reporter.event(&Event::RunStarted(start));
            let mut run = Run {
                options: &options,
                target,
                reporter: &reporter,
                seed,
                gone: AtomicBool::new(false),
            };
            tokio::select! {
                () = run.everything(&checks, random) => {}
                () = interrupted() => {}
            }
            run.clean_up().await;
            run.target.stop().await;
        }
        Err(obstacle) => {
            reporter.event(&Event::RunStarted(start));
            reporter.event(&Event::Stopped(obstacle));
        }
    }
    reporter.event(&Event::RunFinished(RunFinished {
        duration: begun.elapsed(),
    }));
    reporter.finish()
}

fn obstacle(reason: &str, advice: &str) -> Obstacle {
    Obstacle {
        reason: reason.to_owned(),
        clues: Vec::new(),
        advice: Some(advice.to_owned()),
    }
}

/// Waits until somebody wants the run to end.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => terminated.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// The line of the random part in `dhtcheck list`.
pub fn random_line() -> String {
    format!(
        "{SEQUENTIAL:<28} {RANDOM:<9} {RANDOM_TITLE}  [{}]",
        RANDOM_REQUIREMENTS
            .map(|requirement| requirement.id)
            .join(" ")
    )
}

static RANDOM_REQUIREMENTS: [&Requirement; 14] = [
    &req::DATA_PUT_VISIBLE,
    &req::GET_VALUE_EXACT,
    &req::REMOVE_PRESENT,
    &req::REMOVE_GONE,
    &req::GETALL_COMPLETE,
    &req::GETALL_NO_DUPLICATE,
    &req::GETALL_VALUES,
    &req::GETALL_FILTER_ALL_MATCHING,
    &req::CHANNELS_COMPLETE,
    &req::CHANNELS_REAL,
    &req::DATA_GET_EXISTS_AGREE,
    &req::UPDATE_WRITE,
    &req::UPDATE_CONFLICT_KEEPS,
    &req::UPDATE_LEAVE_KEEPS,
];
const RANDOM_TITLE: &str =
    "Random operations, one after another, are answered as the reference model allows.";

/// Does `filter` choose the random part?
pub fn wants_random(filter: Option<&str>) -> bool {
    checks::chooses(filter, SEQUENTIAL, &random_line())
}

fn planned(checks: &[&'static Check], random: bool) -> Vec<PlannedGroup> {
    let count = |group| checks.iter().filter(|check| check.group == group).count();
    let directed = Group::ALL
        .into_iter()
        .filter(|group| count(*group) > 0)
        .map(|group| PlannedGroup {
            name: group.to_string(),
            plan: Plan::Checks(count(group)),
        });
    let random = random.then(|| PlannedGroup {
        name: RANDOM.to_owned(),
        plan: Plan::Random,
    });
    directed.chain(random).collect()
}

/// What the parts of a run share.
struct Run<'a> {
    options: &'a Certify,
    target: Target,
    reporter: &'a Reporter,
    seed: u64,
    /// The node was there and is not any more.
    gone: AtomicBool,
}

impl Run<'_> {
    /// First what can run side by side, the slow ones before the others; then what has to be alone; at
    /// last what may kill the node.
    async fn everything(&mut self, checks: &[&'static Check], random: bool) {
        let with = |tag| move |check: &&'static Check| check.is(tag);
        let (lethal, checks): (Vec<_>, Vec<_>) =
            checks.iter().copied().partition(with(Tag::Lethal));
        let (alone, mut together): (Vec<_>, Vec<_>) =
            checks.into_iter().partition(with(Tag::Alone));
        together.sort_by_key(|check| !check.is(Tag::Slow));
        let mut unsettled = Vec::new();
        let mut results = stream::iter(together)
            .map(async |check| (check, self.check(check).await))
            .buffer_unordered(PARALLEL);
        while let Some((check, result)) = results.next().await {
            match self.gone.load(Ordering::Relaxed) && result.verdict != Verdict::Kept {
                true if self.target.is_ours() => unsettled.push(check),
                _ => self.reporter.event(&Event::CheckFinished(result)),
            }
        }
        drop(results);
        // Which of the checks that ran side by side killed the node shows when each runs alone.
        for check in unsettled.into_iter().chain(alone) {
            self.check_alone(check).await;
        }
        if random {
            self.random().await;
        }
        self.lethal(&lethal).await;
        if self.gone.load(Ordering::Relaxed) {
            self.reporter.event(&Event::Stopped(obstacle(
                "the node went away during the run.",
                "If nobody stopped it, look at its log: it has crashed. Checks that came after that say \
                 nothing.",
            )));
        }
    }

    /// Checks that may kill the node, one after another. A node that was started for the run is started
    /// again after one that it did not survive.
    async fn lethal(&mut self, checks: &[&'static Check]) {
        let allowed = self.options.hostile || self.target.is_ours();
        // What a dead node cannot say any more another one can.
        if !checks.is_empty() && self.gone.load(Ordering::Relaxed) && self.target.restart().await {
            self.gone.store(false, Ordering::Relaxed);
        }
        for check in checks {
            if !allowed {
                let reason =
                    "it may kill a node that is not prepared; --hostile runs it".to_owned();
                self.reporter.event(&Event::CheckFinished(CheckResult {
                    check: check.describe(),
                    verdict: Verdict::NotApplicable { reason },
                    duration: Duration::ZERO,
                    dialect: Vec::new(),
                }));
                continue;
            }
            let result = self.check(check).await;
            let harmed = result.verdict.failure().is_some();
            self.reporter.event(&Event::CheckFinished(result));
            if harmed && self.target.is_ours() && self.target.restart().await {
                self.gone.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Runs a check while no other runs, on a node that is there if that can be helped.
    async fn check_alone(&mut self, check: &'static Check) {
        if self.gone.load(Ordering::Relaxed) && self.target.is_ours() && self.target.restart().await
        {
            self.gone.store(false, Ordering::Relaxed);
        }
        let result = self.check(check).await;
        self.reporter.event(&Event::CheckFinished(result));
    }

    /// What became of a check, if the reason is that the node is not there any more. The first one to
    /// notice reports it as what it is, unless somebody stopped the node: a crash.
    async fn gone(&self, check: &str, exchange: Vec<dht_reports::Line>) -> Option<Verdict> {
        let Some(reason) = self.target.is_gone(self.options.timeout).await else {
            // What the check has found stands; further ones would only wait.
            if self.target.is_stuck(self.options.timeout).await.is_some() {
                self.gone.store(true, Ordering::Relaxed);
            }
            return None;
        };
        if self.gone.swap(true, Ordering::Relaxed) {
            return Some(Verdict::Inconclusive {
                reason: "the node had gone away".to_owned(),
            });
        }
        Some(
            Failure {
                requirement: described(&req::ROBUST_SURVIVES),
                outcome: Outcome::Died.key().to_owned(),
                sent: "the requests of this check, while others ran".to_owned(),
                expected: vec!["a node that goes on".to_owned()],
                observed: format!("the node is not there any more: {reason}"),
                exchange,
                again: self.again(check),
                minimal: None,
            }
            .into(),
        )
    }

    async fn check(&self, check: &'static Check) -> CheckResult {
        self.reporter.event(&Event::CheckStarted(CheckStarted {
            id: check.id.to_owned(),
        }));
        let begun = Instant::now();
        let ground = Ground::new(&self.target, self.seed, &check.id, self.options.timeout);
        let limit = OWN_TIME + CHECK_LIMIT * self.options.timeout;
        let checked = match self.gone.load(Ordering::Relaxed) {
            true => Err(Unkept::Inconclusive("the node had gone away".to_owned())),
            false => timeout(limit, check.run(&self.target, &ground))
                .await
                .unwrap_or_else(|_| Err(too_slow(limit))),
        };
        let verdict = match checked {
            Ok(()) => Verdict::Kept,
            Err(unkept) => {
                self.verdict(&check.id, unkept, ground.trace().lines())
                    .await
            }
        };
        CheckResult {
            check: check.describe(),
            verdict,
            duration: begun.elapsed(),
            dialect: ground.dialect(),
        }
    }

    /// Removes what the run has left on the node, as far as that works in a short time.
    async fn clean_up(&self) {
        if self.gone.load(Ordering::Relaxed) {
            return;
        }
        let client = self.target.client(self.options.timeout, None);
        let removing = async {
            if client.ready(self.options.timeout).await.is_ok() {
                remove_channels(&client, &format!("dhtcheck_{:x}_", self.seed)).await;
            }
        };
        let _ = timeout(self.options.timeout, removing).await;
        client.shutdown();
    }

    async fn random(&self) {
        let begun = Instant::now();
        let limit = self
            .options
            .budget
            .unwrap_or(RANDOM_LIMIT * self.options.timeout);
        let settings = Settings {
            seed: self.seed,
            operations: self.options.operations,
            patience: CHECK_LIMIT * self.options.timeout,
            may_remove_channels: self.target.may_remove_channels(),
            range: self.target.range(),
        };
        let client = self.target.client(self.options.timeout, None);
        let prefix = format!("dhtcheck_{:x}_random_", self.seed);
        let count = usize::try_from(settings.operations).unwrap_or(usize::MAX);
        let progress = |operations| {
            self.reporter.event(&Event::Progress(Progress {
                group: RANDOM.to_owned(),
                operations,
                elapsed: begun.elapsed(),
                budget: None,
            }));
        };
        let connected =
            match self.gone.load(Ordering::Relaxed) {
                _ if settings.range == HashRange::EMPTY => {
                    let reason = "the node's range is empty: there are no keys".to_owned();
                    Err(Verdict::NotApplicable { reason })
                }
                true => Err(Verdict::Inconclusive {
                    reason: "the node had gone away".to_owned(),
                }),
                false => client.ready(self.options.timeout).await.map_err(|error| {
                    Verdict::Inconclusive {
                        reason: format!("no connection for it: {error}"),
                    }
                }),
            };
        let judged = match connected {
            Ok(()) => {
                let operations = settings.operations_of_seed().take(count);
                sequential::run(
                    &client,
                    &settings,
                    &prefix,
                    operations,
                    begun + limit,
                    progress,
                )
                .await
            }
            Err(verdict) => {
                let check = random_check();
                self.reporter.event(&Event::CheckFinished(CheckResult {
                    check,
                    verdict,
                    duration: begun.elapsed(),
                    dialect: Vec::new(),
                }));
                return self.random_finished(0, begun);
            }
        };
        let _ = timeout(self.options.timeout, remove_channels(&client, &prefix)).await;
        client.shutdown();
        let verdict = match judged.refusal {
            None if judged.done < settings.operations.min(ENOUGH) => Verdict::Inconclusive {
                reason: format!(
                    "only {} operations in {} s",
                    judged.done,
                    limit.as_secs_f32()
                ),
            },
            None => Verdict::Kept,
            Some((number, wrong)) => match self.gone(SEQUENTIAL, Vec::new()).await {
                Some(gone) => gone,
                None => self.explain(&settings, number, wrong).await,
            },
        };
        let duration = begun.elapsed();
        self.reporter.event(&Event::CheckFinished(CheckResult {
            check: random_check(),
            verdict,
            duration,
            dialect: Vec::new(),
        }));
        self.random_finished(judged.done, begun);
    }

    fn random_finished(&self, operations: u64, begun: Instant) {
        self.reporter.event(&Event::RandomFinished(Workload {
            group: RANDOM.to_owned(),
            operations,
            clients: 1,
            faults: 0,
            duration: begun.elapsed(),
        }));
    }

    /// Makes a failing run short and shows its messages.
    async fn explain(&self, settings: &Settings, number: usize, wrong: Wrong) -> Verdict {
        let operations: Vec<_> = settings.operations_of_seed().take(number + 1).collect();
        let original = operations.clone();
        let mut probe_number = 0;
        let mut last: Option<(Wrong, Vec<dht_reports::Line>)> = None;
        let limit = Instant::now() + RANDOM_LIMIT * self.options.timeout;
        let (minimal, probes) = minimise(operations, async |candidate: &[Operation]| {
            probe_number += 1;
            match self.probe(settings, probe_number, candidate, limit).await {
                Some((at, wrong, lines)) => {
                    last = Some((wrong, lines));
                    Some(at)
                }
                None => None,
            }
        })
        .await;
        let reproduced = last.is_some();
        let (wrong, exchange) = last.unwrap_or((wrong, Vec::new()));
        let minimal = if reproduced { minimal } else { original };
        let mut observed = wrong.observed;
        observed.push_str(&match reproduced {
            true => format!(" (found at operation {}, {probes} probes)", number + 1),
            false => format!(
                " (at operation {}; repeating it did not fail again)",
                number + 1
            ),
        });
        Failure {
            requirement: described(wrong.rule),
            outcome: Outcome::Data.key().to_owned(),
            sent: wrong.operation.to_string(),
            expected: vec![wrong.allowed],
            observed,
            exchange,
            again: format!("{} --operations {}", self.again(SEQUENTIAL), number + 1),
            minimal: Some(minimal.iter().map(Operation::to_string).collect()),
        }
        .into()
    }

    /// Does these operations on fresh channels and a fresh connection. Which of them fails, if
    /// any, and how?
    async fn probe(
        &self,
        settings: &Settings,
        number: u32,
        operations: &[Operation],
        limit: Instant,
    ) -> Option<(usize, Wrong, Vec<dht_reports::Line>)> {
        if Instant::now() >= limit {
            return None;
        }
        let trace = std::sync::Arc::new(Trace::default());
        let client = self
            .target
            .client(self.options.timeout, Some(trace.clone()));
        client.ready(self.options.timeout).await.ok()?;
        let prefix = format!("dhtcheck_{:x}_probe{number}_", self.seed);
        let operations = operations.iter().cloned();
        let judged = sequential::run(&client, settings, &prefix, operations, limit, |_| {}).await;
        let lines = trace.lines();
        let _ = timeout(self.options.timeout, remove_channels(&client, &prefix)).await;
        client.shutdown();
        judged.refusal.map(|(at, wrong)| (at, wrong, lines))
    }

    async fn verdict(&self, id: &str, unkept: Unkept, exchange: Vec<dht_reports::Line>) -> Verdict {
        if let Unkept::Broken(_) = unkept
            && let Some(gone) = self.gone(id, exchange.clone()).await
        {
            return gone;
        }
        match unkept {
            Unkept::Inconclusive(reason) => Verdict::Inconclusive { reason },
            Unkept::NotApplicable(reason) => Verdict::NotApplicable { reason },
            Unkept::Broken(found) => Failure {
                requirement: described(found.requirement),
                outcome: found.outcome.key().to_owned(),
                sent: found.sent,
                expected: found.expected,
                observed: found.observed,
                exchange,
                again: self.again(id),
                minimal: None,
            }
            .into(),
        }
    }

    /// The command that repeats one check.
    fn again(&self, id: &str) -> String {
        let mut command = "dhtcheck certify".to_owned();
        if let Some(spawn) = &self.options.spawn {
            command.push_str(&format!(" --spawn {}", quoted(spawn)));
        }
        if let Some(node) = &self.options.node {
            command.push_str(&format!(" --node {node}"));
        }
        if let Some(path) = &self.options.credentials {
            command.push_str(&format!(
                " --credentials {}",
                quoted(&path.display().to_string())
            ));
        }
        if self.options.auth.is_some() {
            command.push_str(" --auth NAME:HEXKEY");
        }
        if self.options.guest.is_some() {
            command.push_str(" --guest NAME:HEXKEY");
        }
        if self.options.hostile {
            command.push_str(" --hostile");
        }
        for bug in &self.options.bug {
            command.push_str(&format!(" --bug {bug}"));
        }
        if self.options.timeout != DEFAULT_TIMEOUT {
            command.push_str(&format!(
                " --timeout {}",
                self.options.timeout.as_secs_f64()
            ));
        }
        format!("{command} --seed {:x} --filter {id}", self.seed)
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn random_check() -> dht_reports::Check {
    dht_reports::Check {
        id: SEQUENTIAL.to_owned(),
        group: RANDOM.to_owned(),
        title: RANDOM_TITLE.to_owned(),
        requirements: RANDOM_REQUIREMENTS
            .map(|requirement| requirement.id.to_owned())
            .to_vec(),
        request: None,
        tags: Vec::new(),
        subsumes: None,
    }
}

/// A requirement as reports know it.
pub fn described(requirement: &Requirement) -> dht_reports::Requirement {
    dht_reports::Requirement {
        id: requirement.id.to_owned(),
        level: match requirement.level {
            Level::Must => dht_reports::Level::Must,
            Level::Should => dht_reports::Level::Should,
            Level::May => dht_reports::Level::May,
        },
        sentence: requirement.sentence.to_owned(),
        source: requirement.source.to_owned(),
    }
}

/// Leaves a node as it was found, as far as that works.
async fn remove_channels(client: &dht_client::Client, prefix: &str) {
    let Ok(channels) = client.channels().collect_all().await else {
        return;
    };
    for channel in channels {
        if channel.as_bytes().starts_with(prefix.as_bytes()) {
            let _ = client.remove_channel(channel).await;
        }
    }
}

/// A seed short enough to be typed.
fn new_seed() -> u64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from(u32::from_le_bytes(bytes)),
        Err(_) => now_ms() & u64::from(u32::MAX),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
