//! The file of a run: one event a line, as JSON.
//!
//! Lines are written as things happen, so a run that was interrupted leaves a file whose last line may be
//! cut off. Such a file is read as far as it goes; that the run did not reach its end shows in the [`Run`].
//!
//! [`Run`]: crate::Run

use std::io::{self, BufRead, Read, Write};

use serde_json::Value;

use crate::event::{Event, SCHEMA};

/// Longest line that is read, in bytes. The longest events hold exchanges with a few large values.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Writes `event` and a line end, all at once: a run that is killed cuts off at most its last line.
///
/// # Errors
///
/// Only those of `sink`.
pub fn write(event: &Event, mut sink: impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    sink.write_all(&line)
}

/// Reads the events of a run. Events of a later version become [`Event::Other`].
///
/// # Errors
///
/// If `source` cannot be read, or holds something else than a run of [`SCHEMA`].
pub fn read(mut source: impl BufRead) -> Result<Vec<Event>, ReadError> {
    let mut events = Vec::new();
    for number in 1.. {
        let wrong = |reason| ReadError {
            line: number,
            reason,
        };
        let mut line = Vec::new();
        let read = source
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(|error| wrong(Reason::Io(error)))?;
        if read == 0 {
            break;
        }
        let ended = line.ends_with(b"\n");
        if !ended && line.len() as u64 == LONGEST {
            return Err(wrong(Reason::TooLong));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(&line) {
            Ok(event) if events.is_empty() && !matches!(event, Event::RunStarted(_)) => {
                return Err(wrong(Reason::NoRun));
            }
            Ok(event) => events.push(event),
            // No event that is cut off is JSON.
            Err(Reason::Json(error)) if !ended && !error.is_data() => break,
            Err(reason) => return Err(wrong(reason)),
        }
    }
    if events.is_empty() {
        return Err(ReadError {
            line: 1,
            reason: Reason::NoRun,
        });
    }
    Ok(events)
}

fn parse(line: &[u8]) -> Result<Event, Reason> {
    let value: Value = serde_json::from_slice(line).map_err(Reason::Json)?;
    if let Some(start) = value.get("run_started") {
        // Before anything else: what another schema means by the rest is not known here.
        match start.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => return Err(Reason::Schema(schema)),
            None => return Err(Reason::NoRun),
        }
    }
    match value.as_object().map(|object| object.keys().next()) {
        Some(Some(name)) if !Event::NAMES.contains(&name.as_str()) => Ok(Event::Other(value)),
        _ => serde_json::from_value(value).map_err(Reason::Json),
    }
}

/// Why a file is not the file of a run.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ReadError {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It could not be read.
    #[error("{0}")]
    Io(io::Error),
    /// It is no event.
    #[error("no event: {0}")]
    Json(serde_json::Error),
    /// It is longer than any event.
    #[error("longer than any event")]
    TooLong,
    /// It is of a run whose events this version does not understand.
    #[error("schema {0} is not known to this version, which reads schema {SCHEMA}")]
    Schema(u64),
    /// A run begins with `run_started`, and this is something else.
    #[error("the file does not begin with `run_started`: it is not the file of a run")]
    NoRun,
}
