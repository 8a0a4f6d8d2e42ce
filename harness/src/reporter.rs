//! Where the events of a run go: the terminal as they happen, and files when it is over.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dht_reports::{Event, Exit, Run, Style, Terminal, junit};
use rustix::termios::tcgetwinsize;

/// Takes the events of a run.
#[derive(Debug)]
pub struct Reporter {
    junit: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    run: Run,
    terminal: Terminal,
}

impl Reporter {
    /// A reporter on standard output; `junit` is written at the end, and an error now if it cannot be.
    pub fn new(junit: Option<PathBuf>) -> Result<Self, String> {
        if let Some(path) = &junit {
            File::create(path).map_err(|error| unwritable(path, &error))?;
        }
        let inner = Inner {
            run: Run::default(),
            terminal: terminal(),
        };
        Ok(Self {
            junit,
            inner: Mutex::new(inner),
        })
    }

    /// Something happened.
    pub fn event(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { run, terminal } = &mut *inner;
        run.apply(event);
        print(&terminal.update(run));
    }

    /// The run is over: writes the files and the last lines. Says how it ended.
    pub fn finish(self) -> Exit {
        let Inner { run, mut terminal } = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut exit = run.exit();
        if let Some(path) = self.junit {
            match write_junit(&run, &path) {
                Ok(()) => terminal = terminal.reports([path.display().to_string()]),
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
        print(&terminal.finish(&run));
        exit
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write the report {}: {error}", path.display())
}

fn write_junit(run: &Run, path: &Path) -> io::Result<()> {
    let mut sink = BufWriter::new(File::create(path)?);
    junit::write(run, &mut sink)?;
    sink.flush()
}

/// A live line and colour only where somebody looks; colour not if `NO_COLOR` is set.
fn terminal() -> Terminal {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Terminal::new(Style::Plain);
    }
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let columns = tcgetwinsize(&stdout)
        .ok()
        .map(|size| usize::from(size.ws_col))
        // Some terminals do not know.
        .filter(|columns| *columns > 0)
        .unwrap_or(80);
    Terminal::new(if colour { Style::Ansi } else { Style::Plain }).live(columns.max(20))
}

/// A reader that has gone away is no reason to stop checking.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
