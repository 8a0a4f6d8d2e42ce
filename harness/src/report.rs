//! `dhtcheck report`: the reports of a finished run, made again.

use std::fs::File;
use std::io::{self, BufReader, Write};

use dht_reports::{Event, Exit, Run, jsonl, terminal};

use crate::cli::Report;
use crate::profiles;
use crate::reporter::{style, unwritable, write_junit};

/// Makes the reports. The exit code is that of the run, judged again.
pub fn report(options: &Report) -> Exit {
    match make(options) {
        Ok(exit) => exit,
        Err(reason) => {
            eprintln!("cannot report: {reason}");
            Exit::CouldNotRun
        }
    }
}

fn make(options: &Report) -> Result<Exit, String> {
    let shown = options.events.display();
    let file = File::open(&options.events).map_err(|error| format!("{shown}: {error}"))?;
    let events = jsonl::read(BufReader::new(file)).map_err(|error| format!("{shown}: {error}"))?;
    let run: Run = events.iter().collect::<Vec<&Event>>().into_iter().collect();
    if run.start().is_none() {
        return Err(format!("{shown} holds no run"));
    }
    let profile = options
        .profile
        .as_deref()
        .map(profiles::load)
        .transpose()
        .map_err(|obstacle| obstacle.reason)?;
    let judged = match &profile {
        Some(profile) => run.judged_by(profile),
        None => run.judged(),
    };
    // A reader that has gone away has what it wanted.
    let _ = io::stdout().write_all(terminal::render(&judged, style()).as_bytes());
    if let Some(path) = &options.junit {
        write_junit(&judged, path).map_err(|error| unwritable(path, &error))?;
    }
    Ok(judged.exit())
}
