//! What the protocol requires, as data: each requirement with a stable id, its level, one sentence and
//! the place of the specification that it comes from.
//!
//! Model, node, checks and reports name requirements by these constants, so that one that does not exist
//! cannot be named. [`all`] lists them in the order of the report. What a node must do to satisfy them is
//! not here: the checks that look are in the harness.

mod catalogue;

pub use catalogue::*;

use std::fmt;

/// One thing that the protocol requires.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// Stable id, such as `NEO-AUTH-07`. An id that was published never means anything else.
    pub id: &'static str,
    /// How strongly it is required.
    pub level: Level,
    /// Of whom.
    pub party: Party,
    /// What is required, one sentence.
    pub sentence: &'static str,
    /// Where the specification says so: document and section, and the number of the property where it is
    /// one.
    pub source: &'static str,
    /// Why no test from outside can tell, if none can.
    pub hidden: Option<&'static str>,
}

/// How strongly something is required (RFC 2119).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Who does otherwise breaks the protocol.
    Must,
    /// There may be reasons to do otherwise, which ought to be known.
    Should,
    /// Left to the implementation; others have to cope with it either way.
    May,
}

/// Who is bound by a requirement.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Party {
    /// The node.
    Node,
    /// The client. A test of nodes cannot look at these.
    Client,
}

/// Every requirement, in the order of the report.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    catalogue::all()
}

/// The requirement with this id.
pub fn find(id: &str) -> Option<&'static Requirement> {
    all().find(|requirement| requirement.id == id)
}

impl Requirement {
    /// Can a test of a node from outside tell whether it is satisfied?
    pub fn is_checkable(&self) -> bool {
        self.party == Party::Node && self.hidden.is_none()
    }

    /// The part of the id that names its area, such as `NEO-AUTH`.
    pub fn area(&self) -> &'static str {
        self.id.rsplit_once('-').map_or(self.id, |(area, _)| area)
    }
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Requirement {}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        })
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Client => "client",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_of_one_form() {
        let mut ids = BTreeSet::new();
        for Requirement { id, .. } in all() {
            assert!(ids.insert(id), "{id} twice");
            let (area, number) = id.rsplit_once('-').unwrap();
            let protocol = ["NEO-", "LEG-"];
            assert!(protocol.iter().any(|it| area.starts_with(it)), "{id}");
            assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{id}");
        }
    }

    #[test]
    fn numbers_of_an_area_have_no_gaps() {
        let mut last = ("", 0);
        for requirement in all() {
            let area = requirement.area();
            let number: u8 = requirement.id[area.len() + 1..].parse().unwrap();
            let expected = if last.0 == area { last.1 + 1 } else { 1 };
            assert_eq!(number, expected, "{}", requirement.id);
            last = (area, number);
        }
    }

    #[test]
    fn each_says_one_sentence_and_where_it_comes_from() {
        for requirement in all() {
            assert!(requirement.sentence.ends_with('.'), "{}", requirement.id);
            assert!(
                [
                    "neo-transport ",
                    "neo-requests ",
                    "semantics-and-client ",
                    "legacy"
                ]
                .iter()
                .any(|document| requirement.source.starts_with(document)),
                "{}",
                requirement.id
            );
            assert!(requirement.hidden.is_none_or(|why| !why.is_empty()));
        }
    }
}
