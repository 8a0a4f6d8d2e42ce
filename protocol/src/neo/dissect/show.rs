//! How the fields of messages are shown.

use std::fmt;

use bytes::Bytes;

use crate::codec::DecodeError;
use crate::key::Key;
use crate::neo::request::{RecordName, update};

/// How many bytes of a value are shown.
const SHOWN: usize = 32;
/// How long a value in a batch may be that is shown.
const SHOWN_IN_BATCH: usize = 12;

/// Which record.
pub(super) fn record(record: &RecordName) -> String {
    format!("channel=\"{}\" key={}", record.channel, record.key)
}

/// The fields of a new value.
pub(super) fn replacement(new: &update::Replacement) -> String {
    format!(
        "original_hash={:016x} new_value={}",
        new.original_hash,
        Value(&new.new_value)
    )
}

/// A record of a batch, where there is little room for each.
pub(super) fn pair((key, value): &(Key, Bytes)) -> String {
    match value.len() {
        0..=SHOWN_IN_BATCH => format!("{key}={}", Value(value)),
        len => format!("{key}={len} bytes"),
    }
}

/// The first few elements.
pub(super) fn list<T>(elements: &[T], show: impl Fn(&T) -> String) -> String {
    let shown: String = elements
        .iter()
        .take(4)
        .map(|element| format!(" {}", show(element)))
        .collect();
    match elements.len() {
        0 => String::new(),
        1..=4 => format!(":{shown}"),
        _ => format!(":{shown} ..."),
    }
}

/// What cannot be read, and why.
pub(super) fn malformed(error: &DecodeError, bytes: &[u8]) -> String {
    format!("malformed ({error}): {}", Hex(bytes))
}

/// A value: its text, cut, and its length if it was cut.
pub(super) struct Value<'a>(pub(super) &'a [u8]);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0..=SHOWN => write!(f, "\"{}\"", self.0.escape_ascii()),
            len => write!(f, "\"{}\"... ({len} bytes)", self.0[..SHOWN].escape_ascii()),
        }
    }
}

/// Bytes in hexadecimal, cut.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for byte in self.0.iter().take(SHOWN) {
            write!(f, "{byte:02x}")?;
        }
        match self.0.len() {
            0..=SHOWN => Ok(()),
            len => write!(f, "... ({len} bytes)"),
        }
    }
}

/// A word that is there or not.
pub(super) fn flag(is_set: bool, word: &'static str) -> &'static str {
    if is_set { word } else { "" }
}
