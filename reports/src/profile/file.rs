//! The file of a profile. It is written by hand, so what it says is checked, and an error says where.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{Deviation, Profile, Restart};

/// Why a text is no profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ProfileError {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

pub(super) fn read(text: &str) -> Result<Profile, ProfileError> {
    let file: File = toml::from_str(text).map_err(|error| ProfileError {
        line: line(text, error.span()),
        reason: error.message().to_owned(),
    })?;
    let wrong = |span: Range<usize>, reason: &str| ProfileError {
        line: line(text, Some(span)),
        reason: reason.to_owned(),
    };
    if file.name.get_ref().trim().is_empty() {
        return Err(wrong(file.name.span(), "a profile needs a name"));
    }
    let mut deviations: Vec<Deviation> = Vec::with_capacity(file.deviations.len());
    for table in file.deviations {
        let span = table.span();
        let deviation = Deviation::from(table.into_inner());
        if let Some(reason) = deviation.flaw() {
            return Err(wrong(span, reason));
        }
        if deviations
            .iter()
            .any(|known| known.matches_like(&deviation))
        {
            return Err(wrong(span, "this deviation is in the profile twice"));
        }
        deviations.push(deviation);
    }
    Ok(Profile {
        name: file.name.into_inner(),
        description: file.description,
        deviations,
        restart: file.restart,
    })
}

/// As [`Profile`], but refuses what it does not know: a field with a slip of the pen would say nothing.
/// Stored events are more tolerant, for the sake of later versions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    description: Option<String>,
    restart: Option<Restart>,
    #[serde(default, rename = "deviation")]
    deviations: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    requirement: String,
    check: Option<String>,
    outcome: Option<String>,
    #[serde(default)]
    sometimes: bool,
    instead: String,
    why: String,
}

impl From<Table> for Deviation {
    fn from(table: Table) -> Self {
        Self {
            requirement: table.requirement,
            check: table.check,
            outcome: table.outcome,
            sometimes: table.sometimes,
            instead: table.instead,
            why: table.why,
        }
    }
}

impl Deviation {
    fn flaw(&self) -> Option<&'static str> {
        let empty = |text: &str| text.trim().is_empty();
        let pattern = self.check.as_deref().unwrap_or("any");
        let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
        if empty(&self.requirement) {
            Some("a deviation needs the id of a requirement")
        } else if empty(&self.instead) {
            Some("a deviation must tell what the node does instead")
        } else if empty(&self.why) {
            Some("a deviation must tell why")
        } else if prefix.contains('*') {
            Some("a check's name may have a * at its end only")
        } else if empty(prefix) {
            Some("a deviation that any check may show names none")
        } else if self.outcome.as_deref().is_some_and(empty) {
            Some("a deviation with any outcome names none")
        } else {
            None
        }
    }

    fn matches_like(&self, other: &Self) -> bool {
        self.requirement == other.requirement
            && self.check == other.check
            && self.outcome == other.outcome
    }
}

/// The number of the line on which `span` begins; the first if there is no span.
fn line(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start).min(text.len());
    let before = &text.as_bytes()[..start];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
