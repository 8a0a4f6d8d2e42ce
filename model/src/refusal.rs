//! Why an answer is wrong, and what would have been right.

use std::fmt;

use bytes::Bytes;
use dht_protocol::{ChannelName, HashRange, Key};
use dht_requirements::Requirement;

use crate::answer::Answer;
use crate::show;

/// An answer that no state allows which agrees with the answers before.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason} ({rule}); allowed: {allowed}")]
pub struct Refusal {
    /// The requirement that the answer breaks.
    pub rule: &'static Requirement,
    /// What was asked, what came, and why that is wrong.
    pub reason: String,
    /// What would have been right.
    pub allowed: Allowed,
}

/// The answers that are right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Allowed {
    /// One of these.
    Answers(Vec<Answer>),
    /// These records, each once, in any order.
    Records(Vec<ExpectedRecord>),
    /// Names of channels, each once, in any order.
    Channels {
        /// They must be there.
        must: Vec<ChannelName>,
        /// They may be there.
        may: Vec<ChannelName>,
    },
    /// These ranges, in any order.
    HashRanges(Vec<HashRange>),
    /// A number of records.
    Count {
        /// At least so many.
        least: u64,
        /// At most so many, if that is known.
        most: Option<u64>,
    },
}

/// A record that a GetAll delivers, or may deliver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpectedRecord {
    /// Its key.
    pub key: Key,
    /// The values that it may have; none if nothing is known of it.
    pub values: Vec<Bytes>,
    /// It may be missing.
    pub optional: bool,
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(answers) if answers.is_empty() => f.write_str("nothing"),
            Self::Answers(answers) => {
                show::list(f, " or ", answers, |f, answer| write!(f, "{answer}"))
            }
            Self::Records(records) if records.is_empty() => f.write_str("no record"),
            Self::Records(records) => {
                show::list(f, ", ", records, |f, record| write!(f, "{record}"))
            }
            Self::Channels { must, may } => {
                let name = |f: &mut fmt::Formatter<'_>, name: &ChannelName| write!(f, "{name:?}");
                match must.is_empty() {
                    true => f.write_str("no channel")?,
                    false => show::list(f, ", ", must, name)?,
                }
                if !may.is_empty() {
                    f.write_str(", perhaps ")?;
                    show::list(f, ", ", may, name)?;
                }
                Ok(())
            }
            Self::HashRanges(ranges) => {
                show::list(f, ", ", ranges, |f, range| write!(f, "{range}"))
            }
            Self::Count { least, most } => match most {
                Some(most) if most == least => write!(f, "{least} records"),
                Some(most) => write!(f, "{least} to {most} records"),
                None => write!(f, "{least} records or more"),
            },
        }
    }
}

impl fmt::Display for ExpectedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.optional {
            f.write_str("perhaps ")?;
        }
        write!(f, "{}", self.key)?;
        f.write_str(if self.values.is_empty() { "" } else { "=" })?;
        show::list(f, "|", &self.values, |f, value| {
            write!(f, "{}", show::Value(value))
        })
    }
}
