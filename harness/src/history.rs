//! `dhtcheck history`: whether a stored history is linearizable, and the proof.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use dht_history::{Budget, Explanation, Record, Verdict, Witness, check, jsonl, svg};
use dht_reports::Exit;

use crate::cli;

/// What a slow machine does in a second; others wait less than they allowed.
const STEPS_A_SECOND: f64 = 100e6;

/// Checks the history. The exit code is 0 if it is linearizable, 1 if it is not, 2 if that is not known.
pub fn history(options: &cli::History) -> Exit {
    match judge(options) {
        Ok(exit) => exit,
        Err(reason) => {
            eprintln!("{reason}");
            Exit::CouldNotRun
        }
    }
}

fn judge(options: &cli::History) -> Result<Exit, String> {
    let start = Instant::now();
    let history = read(&options.file)?;
    say(&summary(&history, start.elapsed()));
    let start = Instant::now();
    let verdict = check(&history, options.model, budget(options.budget));
    say(&verdict.to_string());
    if let Verdict::NotLinearizable(explanation) = &verdict {
        say(&format!("    {}", numbers(explanation)));
    }
    say(&format!(
        "checked in {:.2} s",
        start.elapsed().as_secs_f64()
    ));
    match &verdict {
        Verdict::Linearizable(witness) => {
            if let Some(path) = &options.witness {
                write_witness(path, witness, &history).map_err(|error| unwritable(path, &error))?;
                say(&format!("the order is in {}", path.display()));
            }
            Ok(Exit::Kept)
        }
        Verdict::NotLinearizable(explanation) => {
            if let Some(path) = &options.svg {
                std::fs::write(path, svg::draw(&history, explanation))
                    .map_err(|error| unwritable(path, &error))?;
                say(&format!("the drawing is in {}", path.display()));
            }
            Ok(Exit::Broken)
        }
        Verdict::Unknown(_) => Ok(Exit::CouldNotRun),
    }
}

fn read(path: &Path) -> Result<dht_history::History, String> {
    if path.as_os_str() == "-" {
        return jsonl::read(io::stdin().lock())
            .map_err(|error| format!("cannot check standard input, {error}"));
    }
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("cannot check {shown}: {error}"))?;
    jsonl::read(BufReader::new(file)).map_err(|error| format!("cannot check {shown}, {error}"))
}

fn budget(limit: Duration) -> Budget {
    Budget {
        // At most an hour, which is far from what does not fit.
        steps: (limit.as_secs_f64() * STEPS_A_SECOND) as u64,
        ..Budget::default()
    }
}

/// How much was read.
fn summary(history: &dht_history::History, took: Duration) -> String {
    let entries = history.entries();
    let clients: HashSet<u64> = entries.iter().map(|entry| entry.client).collect();
    let records = entries.iter().filter_map(|entry| entry.operation.record());
    let records: HashSet<&Record> = records.collect();
    let unknown = entries.iter().filter(|entry| entry.returned.is_none());
    format!(
        "{} of {} on {}, {} of unknown outcome, read in {:.2} s",
        count(entries.len(), "operation"),
        count(clients.len(), "client"),
        count(records.len(), "record"),
        unknown.count(),
        took.as_secs_f64(),
    )
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Where in the file the operations of the proof are: by their number, from 1, empty lines not counted.
fn numbers(explanation: &Explanation) -> String {
    let mut numbers: Vec<usize> = explanation.operations().iter().map(|at| at + 1).collect();
    numbers.sort_unstable();
    let (word, list) = match numbers.as_slice() {
        [only] => ("operation", only.to_string()),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(usize::to_string).collect();
            ("operations", format!("{} and {last}", first.join(", ")))
        }
        [] => ("no operation", String::new()),
    };
    format!("({word} {list} of the history)")
}

fn write_witness(path: &Path, witness: &Witness, history: &dht_history::History) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    witness.write(history, &mut file)?;
    file.flush()
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// A reader that has gone away has what it wanted: the exit code says the rest.
fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
