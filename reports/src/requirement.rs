//! What the protocol requires, as a run knows it: enough to tell a reader without asking the catalogue.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// One thing that the protocol requires of a node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Requirement {
    /// Stable id, such as `NEO-AUTH-07`.
    pub id: String,
    /// How strongly it is required.
    pub level: Level,
    /// What is required, one sentence.
    pub sentence: String,
    /// Where the specification says so.
    pub source: String,
}

/// How strongly something is required (RFC 2119).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Who does otherwise breaks the protocol.
    Must,
    /// There may be reasons to do otherwise, which ought to be known.
    Should,
    /// Left to the implementation.
    May,
}

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        })
    }
}
