//! `dhtcheck model`: the state machines of the protocol, explored.
//!
//! What there is to explore stands in `dht_models`; here models are chosen, explored one after the other,
//! and reported.

pub(crate) mod case;
mod options;
mod subject;
mod tour;

pub use options::Model;

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use dht_models::search::{Options as Search, Progress};
use dht_reports::models::{ModelResult, ModelRun, counterexamples, events, row, summary, titles};
use dht_reports::{Exit, Run, junit};

use crate::certify::interrupt::interrupted;
use crate::certify::with_causes;
use crate::tour::{Tours, tours};
use subject::{Shown, Subject};

/// Explores models. The exit code is 0 if every property holds, 1 if one is violated, 2 if that is not known.
pub async fn model(options: Model) -> Exit {
    match explored(options).await {
        Ok(exit) => exit,
        Err(reason) => {
            eprintln!("{reason}");
            Exit::CouldNotRun
        }
    }
}

async fn explored(options: Model) -> Result<Exit, String> {
    let subjects = chosen(&options)?;
    if options.list {
        for subject in subjects {
            say(&format!("{:<31} {}", subject.name(), subject.about()));
        }
        return Ok(Exit::Kept);
    }
    if options.tour {
        let tours = tokio::task::spawn_blocking(tours);
        let tours = tours
            .await
            .map_err(|error| format!("cannot go on: {error}"))?;
        return show_tours(&options, &subjects, &tours);
    }
    if let Some(address) = &options.explore {
        let [subject] = subjects.as_slice() else {
            return Err(format!(
                "--explore takes one model, and {} are chosen.",
                subjects.len()
            ));
        };
        let address = free(address)?;
        say(&format!(
            "The Explorer is at http://{address}; Ctrl-C ends it."
        ));
        subject.serve(address, options.bounds, options.defect);
        return Ok(Exit::Kept);
    }
    let interrupt = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&interrupt);
    let watcher = tokio::spawn(async move {
        interrupted().await;
        watched.store(true, Ordering::Relaxed);
    });
    let run = tokio::task::spawn_blocking(move || {
        let run = explore(&options, &subjects, &interrupt);
        write_reports(&options, &run).map(|()| run.exit())
    });
    let exit = run
        .await
        .map_err(|error| format!("cannot go on: {error}"))?;
    watcher.abort();
    exit
}

fn show_tours(options: &Model, subjects: &[Subject], tours: &Tours) -> Result<Exit, String> {
    let chosen = |name: &str| subjects.iter().any(|subject| subject.name() == name);
    say(&tour::table(tours, chosen));
    if let Some(folder) = &options.save {
        let runs = tour::save(tours, folder, chosen).map_err(|error| with_causes(&error))?;
        say(&format!("{runs} runs are in {}.", folder.display()));
    }
    Ok(Exit::Kept)
}

/// The address that this text names, if somebody can listen there: stateright would panic.
fn free(address: &str) -> Result<SocketAddr, String> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.local_addr()
    };
    listen().map_err(|error| format!("The Explorer cannot listen at {address}: {error}"))
}

/// The models that are asked for.
fn chosen(options: &Model) -> Result<Vec<Subject>, String> {
    let mut subjects = Subject::all(options.bounds);
    for name in &options.names {
        if !subjects
            .iter()
            .any(|subject| subject.name().starts_with(name.as_str()))
        {
            return Err(format!(
                "There is no model {name:?}; dhtcheck model --list names them."
            ));
        }
    }
    let named = |subject: &Subject| {
        let mut names = options.names.iter();
        names.any(|name| subject.name().starts_with(name.as_str()))
    };
    match options.defect {
        Some(defect) if options.names.is_empty() => {
            subjects.retain(|subject| subject.shows(defect));
            if subjects.is_empty() {
                return Err(format!("No model shows {}.", defect.name()));
            }
        }
        _ if options.names.is_empty() => {}
        // A name that is one model's whole name means that one alone.
        _ => match subjects
            .iter()
            .position(|subject| options.names == [subject.name()])
        {
            Some(exact) => subjects = vec![subjects.swap_remove(exact)],
            None => subjects.retain(named),
        },
    }
    Ok(subjects)
}

fn explore(options: &Model, subjects: &[Subject], interrupt: &AtomicBool) -> ModelRun {
    let mut run = ModelRun {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bounds: options.bounds.to_string(),
        defect: options.defect.map(|defect| defect.name().to_owned()),
        models: Vec::new(),
    };
    let threads = options
        .threads
        .or_else(|| std::thread::available_parallelism().ok());
    let live = io::stderr().is_terminal();
    let shown = Shown {
        goals: options.goals,
        svg: options.svg.as_deref(),
        save: options.save.as_deref(),
    };
    say(&titles());
    for subject in subjects {
        if interrupt.load(Ordering::Relaxed) {
            break;
        }
        let (stop, full) = (AtomicBool::new(false), AtomicBool::new(false));
        let progress = |progress: &Progress| {
            if live {
                live_line(subject.name(), progress);
            }
            // What the search counts is not all: the machines' values are kept beside it.
            full.store(resident() > options.max_memory, Ordering::Relaxed);
            let ends = interrupt.load(Ordering::Relaxed) || full.load(Ordering::Relaxed);
            stop.store(ends, Ordering::Relaxed);
        };
        let search = Search {
            threads: threads.unwrap_or(NonZeroUsize::MIN),
            max_memory: options.max_memory,
            max_states: options.max_states.unwrap_or(Search::default().max_states),
            interrupt: Some(&stop),
            progress: Some(&progress),
        };
        let mut result = subject.check(options.bounds, options.defect, search, &shown);
        if live {
            eprint!("\r\x1b[K");
        }
        if let (Some(why), true) = (&mut result.incomplete, full.load(Ordering::Relaxed)) {
            *why = why.replace("interrupted", "memory");
        }
        say(&row(&result));
        run.models.push(result);
    }
    let skipped = subjects.len() - run.models.len();
    write(&counterexamples(&run));
    if options.goals {
        write(&goals(&run));
    }
    if let Some(defect) = options.defect {
        say(&format!(
            "\nSwitched on: {}, {}",
            defect.name(),
            defect.about()
        ));
    }
    if skipped > 0 {
        say(&format!("\nInterrupted: {skipped} models were not begun."));
    }
    say(&format!("\n{}", summary(&run)));
    run
}

/// Runs that reach goals.
fn goals(run: &ModelRun) -> String {
    let reached = |model: &ModelResult| {
        let properties = model.properties.iter();
        let runs = properties.filter(|property| property.verdict.is_good());
        let runs = runs.filter_map(|property| {
            let chart = &property.run.as_ref()?.chart;
            Some(format!(
                "\n{}: {} reached\n\n{chart}",
                model.name, property.id
            ))
        });
        runs.collect::<String>()
    };
    run.models.iter().map(reached).collect()
}

/// How much memory the process uses, in bytes; 0 where that cannot be told.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.map_or(0, |kib| kib * 1024)
}

fn live_line(name: &str, progress: &Progress) {
    eprint!(
        "\r\x1b[K{name}: {} states, depth {}, {} waiting, {:.0} a second",
        progress.unique,
        progress.depth,
        progress.frontier,
        progress.unique_per_second()
    );
    let _ = io::stderr().flush();
}

fn write_reports(options: &Model, run: &ModelRun) -> Result<(), String> {
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(run).map_err(io::Error::from);
        json.and_then(|json| std::fs::write(path, json))
            .map_err(|error| unwritable(path, &error))?;
    }
    if let Some(path) = &options.junit {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let started_ms = started.map_or(0, |time| time.as_millis() as u64);
        let mut checks = Run::default();
        for event in events(run, started_ms) {
            checks.apply(&event);
        }
        let mut xml = Vec::new();
        junit::write(&checks.judged(), &mut xml)
            .and_then(|()| std::fs::write(path, xml))
            .map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

fn say(line: &str) {
    write(&format!("{line}\n"));
}

fn write(text: &str) {
    // Whoever reads only the first lines has what they wanted.
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
