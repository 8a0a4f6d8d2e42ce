//! Histories as JSON Lines: one operation a line, in any order.
//!
//! ```json
//! {"client":3,"op":"put","channel":"c","key":"000000000000000a","value":"text","invoked":1200,"returned":4500,"result":"ok"}
//! {"client":4,"op":"get","channel":"c","key":"000000000000000a","invoked":1300,"returned":1900,"result":{"value":"text"}}
//! {"client":5,"op":"remove","channel":"c","key":"000000000000000a","invoked":1400,"returned":null}
//! ```
//!
//! | `op` | besides `channel` and `key` | `result` |
//! |---|---|---|
//! | `put` | `value` | `"ok"` |
//! | `get` | | `{"value":...}` or `"no_record"` |
//! | `exists` | | `true` or `false` |
//! | `remove` | | `"removed"`, `"no_record"`, or `"ok"`: gone, if it was there |
//! | `update` | `expected` and `value` | `"ok"`, `"conflict"` or `"no_record"` |
//! | `remove_channel` | no `key` | `"ok"` |
//! | `get_channels` | neither | `{"channels":[...]}` |
//!
//! Times are integers in any unit. `returned` is null where the outcome is unknown, and then there is no
//! `result`. Channels, keys and values are strings, or `{"hex":"..."}` where they are not UTF-8. Other fields
//! are left alone, and so are empty lines.

mod parse;

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::history::{Entry, History, Operation, Outcome, Record};
use crate::octets::Octets;

/// A longer line, in bytes, is refused rather than held in memory.
pub const LINE_LIMIT: usize = 64 << 20;

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error("line {line}: {source}")]
    Io {
        /// Counted from 1.
        line: usize,
        /// What it said.
        source: io::Error,
    },
    /// The line is longer than [`LINE_LIMIT`].
    #[error("line {line} has more than {LINE_LIMIT} bytes")]
    TooLong {
        /// Counted from 1.
        line: usize,
    },
    /// The line is no JSON, lacks a field, or has one of the wrong form.
    #[error("line {line}: {source}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The fields do not fit each other.
    #[error("line {line}: {wrong}")]
    Contradictory {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        wrong: String,
    },
}

/// Reads a history to its end.
pub fn read(mut source: impl BufRead) -> Result<History, ReadError> {
    let mut history = History::default();
    let mut text = Vec::new();
    let mut last = Record::default();
    for line in 1.. {
        text.clear();
        let mut limited = source.by_ref().take(LINE_LIMIT as u64 + 1);
        match limited.read_until(b'\n', &mut text) {
            Ok(0) => break,
            Ok(_) if text.len() > LINE_LIMIT => return Err(ReadError::TooLong { line }),
            Ok(_) => {}
            Err(source) => return Err(ReadError::Io { line, source }),
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let parsed: parse::Line<'_> =
            serde_json::from_slice(&text).map_err(|source| ReadError::Form { line, source })?;
        match parsed.entry(&mut last) {
            Ok(entry) => history.push(entry),
            Err(wrong) => return Err(ReadError::Contradictory { line, wrong }),
        }
    }
    Ok(history)
}

/// Writes a history, a line for each entry.
pub fn write(history: &History, mut target: impl Write) -> io::Result<()> {
    for entry in history.entries() {
        write_entry(entry, &mut target)?;
    }
    Ok(())
}

/// Writes one entry with the end of its line: a history can be written while it happens.
pub fn write_entry(entry: &Entry, mut target: impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut target, &Line::from(entry))?;
    target.write_all(b"\n")
}

/// One line as it is written.
#[derive(Serialize)]
pub(crate) struct Line {
    client: u64,
    op: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<Octets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Octets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Octets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Octets>,
    invoked: i64,
    returned: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Answer>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Put,
    Get,
    Exists,
    Remove,
    Update,
    RemoveChannel,
    GetChannels,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Word(Word),
    Exists(bool),
    Value { value: Octets },
    Channels { channels: Vec<Octets> },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Ok,
    NoRecord,
    Removed,
    Conflict,
}

impl Word {
    fn outcome(self) -> Outcome {
        match self {
            Self::Ok => Outcome::Ok,
            Self::NoRecord => Outcome::NoRecord,
            Self::Removed => Outcome::Removed,
            Self::Conflict => Outcome::Conflict,
        }
    }
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Self {
        match outcome.clone() {
            Outcome::Ok => Self::Word(Word::Ok),
            Outcome::NoRecord => Self::Word(Word::NoRecord),
            Outcome::Removed => Self::Word(Word::Removed),
            Outcome::Conflict => Self::Word(Word::Conflict),
            Outcome::Exists(exists) => Self::Exists(exists),
            Outcome::Value(value) => Self::Value { value },
            Outcome::Channels(channels) => Self::Channels { channels },
        }
    }
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let record = entry.operation.record();
        let mut line = Self {
            client: entry.client,
            op: Name::GetChannels,
            channel: record.map(|record| record.channel.clone()),
            key: record.map(|record| record.key.clone()),
            expected: None,
            value: None,
            invoked: entry.invoked,
            returned: entry.returned.as_ref().map(|returned| returned.at),
            result: entry
                .returned
                .as_ref()
                .map(|returned| Answer::from(&returned.outcome)),
        };
        match &entry.operation {
            Operation::Put(_, value) => {
                line.op = Name::Put;
                line.value = Some(value.clone());
            }
            Operation::Get(_) => line.op = Name::Get,
            Operation::Exists(_) => line.op = Name::Exists,
            Operation::Remove(_) => line.op = Name::Remove,
            Operation::Update {
                expected, value, ..
            } => {
                line.op = Name::Update;
                line.expected = Some(expected.clone());
                line.value = Some(value.clone());
            }
            Operation::RemoveChannel(channel) => {
                line.op = Name::RemoveChannel;
                line.channel = Some(channel.clone());
            }
            Operation::GetChannels => line.op = Name::GetChannels,
        }
        line
    }
}
