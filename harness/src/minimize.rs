//! `dhtcheck minimize`: makes a kept failure shorter.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use dht_reports::Exit;
use dht_workload::Case;
use dht_workload::corpus::{Kept, Rate};
use dht_workload::judge::Fault;
use dht_workload::minimise::Effort;

use crate::campaign::stage::{NO_LEGACY, Stage};
use crate::certify::{new_seed, with_causes};
use crate::cli::Minimize;
use crate::target::Target;

/// How many answer times it may take.
const LIMIT: u32 = 60;

/// Makes the case of a file shorter, and writes each better one into it.
pub async fn minimize(options: Minimize) -> Exit {
    let kept = match Kept::read(&options.file) {
        Ok(kept) => kept,
        Err(error) => return stop(&with_causes(&error)),
    };
    let target = match Target::prepare(&options.target).await {
        Ok(target) => target,
        Err(obstacle) => return stop(&obstacle.reason),
    };
    let exit = shorten(&options, kept, &target).await;
    target.stop().await;
    exit
}

async fn shorten(options: &Minimize, kept: Kept, target: &Target) -> Exit {
    let timeout = options.target.timeout;
    let until = Instant::now() + Duration::max(LIMIT * timeout, Duration::from_secs(60));
    let stage = Stage::new(target, new_seed(), timeout);
    if !stage.can_play(&kept.case) {
        return stop(NO_LEGACY);
    }
    let runs = match kept.fails {
        Some(rate) if rate.failed < rate.of => 10,
        _ => 1,
    };
    let mut fault = None;
    for _ in 0..runs {
        fault = stage.judge(&kept.case, until).await;
        if fault.is_some() {
            break;
        }
    }
    let Some(fault) = fault else {
        say(&format!(
            "{} does not fail on this node.",
            options.file.display()
        ));
        return Exit::Kept;
    };
    let effort = Effort {
        probes: options.probes,
        ..Effort::default()
    };
    let before = kept.case.len();
    let better = |case: &Case, fault: &Fault| {
        write(&with_case(&kept, case, fault), &options.file);
    };
    let minimal = stage
        .minimise(&kept.case, &fault, effort, until, better)
        .await;
    let mut shorter = with_case(&kept, &minimal.case, &minimal.fault);
    let (failed, of) = minimal.fails;
    shorter.fails = Some(Rate { failed, of });
    write(&shorter, &options.file);
    say(&format!(
        "{}: {before} steps before, {} now; {} probes; fails {failed} of {of} times.\n\n{}",
        options.file.display(),
        minimal.case.len(),
        minimal.probes,
        minimal.case
    ));
    Exit::Broken
}

/// The same failure, shown by another case.
fn with_case(kept: &Kept, case: &Case, fault: &Fault) -> Kept {
    Kept {
        sent: fault.sent.clone(),
        allowed: fault.allowed.clone(),
        observed: fault.observed.clone(),
        requirement: fault.requirement.id.to_owned(),
        case: case.clone(),
        exchange: Vec::new(),
        ..kept.clone()
    }
}

fn write(kept: &Kept, file: &Path) {
    if let Err(error) = kept.write_to(file) {
        eprintln!("{}", with_causes(&error));
    }
}

/// Whoever does not listen has what they wanted: the file.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn stop(why: &str) -> Exit {
    eprintln!("cannot start: {why}");
    Exit::CouldNotRun
}
