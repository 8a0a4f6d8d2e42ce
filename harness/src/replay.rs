//! `dhtcheck replay`: kept failures, run again.

use dht_reports::{Event, Exit, Plan, PlannedGroup, RunStarted};

use crate::campaign::corpus;
use crate::certify::examiner::Examiner;
use crate::certify::{self, obstacle, with_causes};
use crate::cli::{Certify, Replay};
use crate::reporter::Reporter;
use crate::target::Target;

/// Runs the files and reports a verdict for each.
pub async fn replay(options: Replay) -> Exit {
    let (junit, json) = (options.junit.clone(), options.json.clone());
    certify::reported(junit, json, async |reporter| run(options, reporter).await).await
}

async fn run(options: Replay, reporter: &Reporter) {
    let files = corpus::load(&options.path);
    let seed = certify::new_seed();
    let count = files.as_ref().map_or(0, Vec::len);
    let mut start = RunStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: format!("{seed:x}"),
        started_ms: certify::now_ms(),
        groups: vec![PlannedGroup {
            name: "corpus".to_owned(),
            plan: Plan::Checks(count),
        }],
        ..RunStarted::default()
    };
    let prepared = match files {
        Err(error) => Err(obstacle(
            &format!("{}.", with_causes(&error)),
            "docs/corpus.md says what such a file holds.",
        )),
        Ok(files) if files.is_empty() => Err(obstacle(
            &format!("there is no case in {}.", options.path.display()),
            "Give a file of a corpus, or a folder with such files.",
        )),
        Ok(files) => Target::prepare(&options.target)
            .await
            .map(|target| (files, target)),
    };
    let (files, target) = match prepared {
        Ok(prepared) => prepared,
        Err(obstacle) => {
            reporter.event(&Event::RunStarted(start));
            reporter.event(&Event::Stopped(obstacle));
            return;
        }
    };
    start.node = target.to_string();
    start.range = Some(target.range().to_string());
    reporter.event(&Event::RunStarted(start));
    let examiner = Examiner::new(Certify::of(options.target), target, seed);
    certify::unless_interrupted(reporter, corpus::run(&examiner, reporter, &files)).await;
    examiner.target.stop().await;
}
