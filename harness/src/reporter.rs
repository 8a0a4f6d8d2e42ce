//! Where the events of a run go: the terminal as they happen, and files when it is over.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dht_reports::{Event, Exit, Judged, Run, Style, Terminal, jsonl, junit};
use rustix::termios::tcgetwinsize;

/// Takes the events of a run.
#[derive(Debug)]
pub struct Reporter {
    junit: Option<PathBuf>,
    json: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Where the events are stored, until it fails.
    events: Option<File>,
    run: Run,
    terminal: Terminal,
}

impl Reporter {
    /// A reporter on standard output; `junit` is written at the end, and an error now if it cannot be.
    pub fn new(junit: Option<PathBuf>, json: Option<PathBuf>) -> Result<Self, String> {
        let events = json
            .as_deref()
            .map(|path| File::create(path).map_err(|error| unwritable(path, &error)))
            .transpose()?;
        if let Some(path) = &junit {
            File::create(path).map_err(|error| unwritable(path, &error))?;
        }
        let inner = Inner {
            events,
            run: Run::default(),
            terminal: terminal(),
        };
        Ok(Self {
            junit,
            json,
            inner: Mutex::new(inner),
        })
    }

    /// Something happened.
    pub fn event(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner {
            events,
            run,
            terminal,
        } = &mut *inner;
        run.apply(event);
        print(&terminal.update(&run.judged()));
        // Each line is on its way before the next event: an interrupted run has stored what it found.
        if let Some(file) = events
            && let Err(error) = jsonl::write(event, file)
        {
            let path = self.json.as_deref().unwrap_or(Path::new(""));
            eprintln!("{}", unwritable(path, &error));
            *events = None;
        }
    }

    /// The run is over: writes the files and the last lines. Says how it ended.
    pub fn finish(self) -> Exit {
        let inner = self.inner.into_inner();
        let Inner {
            events,
            run,
            mut terminal,
        } = inner.unwrap_or_else(PoisonError::into_inner);
        let judged = run.judged();
        let mut exit = judged.exit();
        let mut reports = Vec::new();
        match (&self.json, events) {
            (Some(path), Some(_)) => reports.push(path.display().to_string()),
            (Some(_), None) if exit == Exit::Kept => exit = Exit::CouldNotRun,
            _ => {}
        }
        if let Some(path) = self.junit {
            match write_junit(&judged, &path) {
                Ok(()) => reports.push(path.display().to_string()),
                Err(error) => {
                    eprintln!("{}", unwritable(&path, &error));
                    // A broken rule stays the more important news.
                    exit = if exit == Exit::Kept {
                        Exit::CouldNotRun
                    } else {
                        exit
                    };
                }
            }
        }
        terminal = terminal.reports(reports);
        print(&terminal.finish(&judged));
        exit
    }
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write the report {}: {error}", path.display())
}

/// Writes the JUnit report of a run.
pub fn write_junit(judged: &Judged<'_>, path: &Path) -> io::Result<()> {
    let mut sink = BufWriter::new(File::create(path)?);
    junit::write(judged, &mut sink)?;
    sink.flush()
}

/// Colour only where somebody looks.
pub fn style() -> Style {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match colour && io::stdout().is_terminal() {
        true => Style::Ansi,
        false => Style::Plain,
    }
}

/// A live line and colour only where somebody looks; colour not if `NO_COLOR` is set.
fn terminal() -> Terminal {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Terminal::new(Style::Plain);
    }
    let columns = tcgetwinsize(&stdout)
        .ok()
        .map(|size| usize::from(size.ws_col))
        // Some terminals do not know.
        .filter(|columns| *columns > 0)
        .unwrap_or(80);
    Terminal::new(style()).live(columns.max(20))
}

/// A reader that has gone away is no reason to stop checking.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
