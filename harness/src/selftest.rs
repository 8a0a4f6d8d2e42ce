//! `dhtcheck selftest`: the judge is judged. Every bug of the fake node's catalogue is to be found.
//!
//! * `subject`: one bug, and the means by which it is looked for.
//! * `directed`: the directed checks against a node with a bug.
//! * `keep`: a minimised case as a file of the corpus.
//! * `row`, `table`: what came of each, and of all.

mod directed;
mod keep;
mod row;
mod subject;
mod table;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use dht_reports::Exit;
use fakedht::Bugs;
use fakedht::bugs::Bug;
use futures_util::{StreamExt, stream};

pub use row::{Found, Row, Verdict};
pub use subject::Means;

use crate::certify::interrupt::interrupted;
use crate::cli::Selftest;
use subject::Subject;
use table::Table;

/// How many bugs are looked for at the same time.
const TOGETHER: usize = 2;

/// Looks for the bugs and says how well that went.
pub async fn selftest(options: Selftest) -> Exit {
    let bugs = match chosen(&options.bug) {
        Ok(bugs) => bugs,
        Err(name) => {
            eprintln!(
                "cannot start: there is no bug \"{name}\"; `fakedht --list-bugs` names them."
            );
            return Exit::CouldNotRun;
        }
    };
    let options = Arc::new(options);
    let rows = tokio::select! {
        rows = rows(&options, &bugs) => rows,
        () = interrupted() => {
            eprintln!("\ninterrupted.");
            return Exit::CouldNotRun;
        }
    };
    let table = Table::new(rows);
    say(&format!("{table}\n"));
    if let Some(path) = &options.markdown
        && let Err(error) = fs::write(path, table.markdown())
    {
        eprintln!("{} cannot be written: {error}", path.display());
        return Exit::CouldNotRun;
    }
    match table.is_complete() {
        true => Exit::Kept,
        false => Exit::Broken,
    }
}

/// The bugs with these names, or all. Otherwise the name that there is not.
fn chosen(names: &[String]) -> Result<Vec<&'static Bug>, &str> {
    if names.is_empty() {
        return Ok(Bugs::catalogue().collect());
    }
    let find = |name| Bugs::find(name).ok_or(name);
    names.iter().map(String::as_str).map(find).collect()
}

/// A row for each bug, in their order, and in a run over all of them one for the healthy node in front.
async fn rows(options: &Arc<Selftest>, bugs: &[&'static Bug]) -> Vec<Row> {
    let healthy = options.bug.is_empty().then_some(None);
    let subjects: Vec<_> = healthy
        .into_iter()
        .chain(bugs.iter().copied().map(Some))
        .enumerate()
        .collect();
    let count = subjects.len();
    let begin = |(place, bug)| {
        let subject = Subject::new(Arc::clone(options), bug);
        // Each has a task of its own, so that one that computes does not keep the other one waiting.
        let row = tokio::spawn(subject.look());
        async move { (place, row.await.unwrap_or_else(|_| Row::lost(bug))) }
    };
    let mut looking = stream::iter(subjects).map(begin).buffer_unordered(TOGETHER);
    let mut rows = Vec::new();
    while let Some((place, row)) = looking.next().await {
        report(&row, rows.len() + 1, count);
        rows.push((place, row));
    }
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Few rows are worth a line each; of many only those that somebody has to look at.
fn report(row: &Row, done: usize, count: usize) {
    const FEW: usize = 20;
    let live = io::stdout().is_terminal();
    let clear = if live { "\r\x1b[K" } else { "" };
    if count <= FEW || row.is_wrong() {
        say(&format!("{clear}{row}\n"));
    }
    if live {
        say(&format!("\r\x1b[K{done} of {count}: {}", row.name()));
        if done == count {
            say("\r\x1b[K");
        }
    }
}

/// A reader that has gone away is no reason to stop.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
