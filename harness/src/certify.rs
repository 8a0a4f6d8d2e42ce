//! A certification from its first to its last event: prepare the node, run what was chosen, and say what
//! came of it all.
//!
//! * `choice`: what is run; `course`: in which order; `crowd`: what runs side by side.
//! * `examiner`: one check and its verdict; `again`: the command that repeats it.
//! * `interrupt`: the end before the end.

pub(crate) mod again;
mod choice;
mod course;
mod crowd;
pub(crate) mod examiner;
pub(crate) mod interrupt;

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use dht_client::Client;
use dht_reports::{Event, Exit, Obstacle, Profile, RunFinished, RunStarted};
use dht_requirements::{Level, Requirement};
use tokio::time::timeout;

use crate::campaign::corpus;
use crate::cli::Certify;
use crate::profiles;
use crate::reporter::Reporter;
use crate::target::{DEFAULT_NODE, Target};

use choice::Choice;
use course::Course;
use examiner::Examiner;
use interrupt::interrupted;

/// How many answer times a check may take as a whole.
const CHECK_LIMIT: u32 = 6;

/// Runs a certification.
pub async fn certify(options: Certify) -> Exit {
    let (junit, json) = (options.junit.clone(), options.json.clone());
    reported(junit, json, async |reporter| run(options, reporter).await).await
}

/// Does what says its events to a reporter, and writes the reports.
pub(crate) async fn reported(
    junit: Option<PathBuf>,
    json: Option<PathBuf>,
    run: impl AsyncFnOnce(&Reporter),
) -> Exit {
    let reporter = match Reporter::new(junit, json) {
        Ok(reporter) => reporter,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return Exit::CouldNotRun;
        }
    };
    let begun = Instant::now();
    run(&reporter).await;
    reporter.event(&Event::RunFinished(RunFinished {
        duration: begun.elapsed(),
    }));
    reporter.finish()
}

/// From the first event to the last but one.
async fn run(options: Certify, reporter: &Reporter) {
    let seed = options.seed.unwrap_or_else(new_seed);
    let kept = corpus::load(&options.corpus);
    let unreadable = kept.as_ref().err().map(|error| {
        obstacle(
            &format!("{}.", with_causes(error)),
            "Mend or remove the file, or name another folder with --corpus.",
        )
    });
    let choice = Choice::of(&options, kept.unwrap_or_default());
    let profile = profiles::load(&options.profile);
    let mut start = announcement(&options, &choice, seed);
    start.profile = profile.as_ref().cloned().unwrap_or_default();
    let profile = match unreadable {
        Some(obstacle) => Err(obstacle),
        None => profile,
    };
    let target = match prepare(&options, &choice, profile).await {
        Ok(target) => target,
        Err(obstacle) => {
            reporter.event(&Event::RunStarted(start));
            reporter.event(&Event::Stopped(obstacle));
            return;
        }
    };
    start.node = target.to_string();
    start.range = Some(target.range().to_string());
    reporter.event(&Event::RunStarted(start));
    let examiner = Examiner::new(options, target, seed);
    let course = Course {
        examiner: &examiner,
        reporter,
    };
    unless_interrupted(reporter, course.run(&choice)).await;
    clean_up(&examiner).await;
    examiner.target.stop().await;
}

/// Runs until it is over, or until somebody wants it to end, which is reported.
pub(crate) async fn unless_interrupted(reporter: &Reporter, run: impl Future<Output = ()>) {
    tokio::select! {
        () = run => {}
        () = interrupted() => reporter.event(&Event::Stopped(obstacle(
            "it was interrupted.",
            "What is reported was found before that; the rest was not run.",
        ))),
    }
}

/// A node that can be checked, or why there is none.
async fn prepare(
    options: &Certify,
    choice: &Choice,
    profile: Result<Profile, Obstacle>,
) -> Result<Target, Obstacle> {
    profile?;
    if choice.is_empty() {
        return Err(obstacle(
            "no check was chosen.",
            "`dhtcheck list` shows what --filter can choose from.",
        ));
    }
    tokio::select! {
        prepared = Target::prepare(&options.target) => prepared,
        () = interrupted() => Err(obstacle("it was interrupted.", "Nothing was left on the node.")),
    }
}

/// What is known of a run before its node is.
fn announcement(options: &Certify, choice: &Choice, seed: u64) -> RunStarted {
    RunStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: format!("{seed:x}"),
        node: options
            .target
            .node
            .clone()
            .unwrap_or_else(|| match options.target.spawn {
                Some(_) => DEFAULT_NODE.to_owned(),
                None => "the embedded fake node".to_owned(),
            }),
        filter: options.filter.clone(),
        started_ms: now_ms(),
        groups: choice.groups(),
        requirements: dht_requirements::all()
            .filter(|requirement| requirement.is_checkable())
            .map(described)
            .collect(),
        ..RunStarted::default()
    }
}

/// Removes what the run has left on the node, as far as that works in a short time.
async fn clean_up(examiner: &Examiner) {
    if examiner.is_gone() {
        return;
    }
    let limit = examiner.options.target.timeout;
    let client = examiner.target.client(limit, None);
    let removing = async {
        if client.ready(limit).await.is_ok() {
            remove_channels(&client, &format!("dhtcheck_{:x}_", examiner.seed)).await;
        }
    };
    let _ = timeout(limit, removing).await;
    client.shutdown();
}

/// Leaves a node as it was found, as far as that works.
pub(crate) async fn remove_channels(client: &Client, prefix: &str) {
    let Ok(channels) = client.channels().collect_all().await else {
        return;
    };
    for channel in channels {
        if channel.as_bytes().starts_with(prefix.as_bytes()) {
            let _ = client.remove_channel(channel).await;
        }
    }
}

pub(crate) fn obstacle(reason: &str, advice: &str) -> Obstacle {
    Obstacle {
        reason: reason.to_owned(),
        clues: Vec::new(),
        advice: Some(advice.to_owned()),
    }
}

/// An error and what caused it, as one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some say themselves what caused them.
        if !text.ends_with(&said) {
            text.push_str(&format!(": {said}"));
        }
        cause = error.source();
    }
    text
}

/// A requirement as reports know it.
pub(crate) fn described(requirement: &Requirement) -> dht_reports::Requirement {
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

/// A seed short enough to be typed.
pub(crate) fn new_seed() -> u64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from(u32::from_le_bytes(bytes)),
        Err(_) => now_ms() & u64::from(u32::MAX),
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
