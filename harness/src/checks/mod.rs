//! The directed checks: each looks at one thing that the protocol promises, on channels and a connection
//! of its own, so that they can run side by side.
//!
//! [`all`] lists them; a file holds what belongs together. A check reads as the conversation that it has;
//! what it needs for that is in [`context`] and, for GetAll and Mirror, in [`watch`].

mod bulk;
mod channels;
pub mod context;
mod get_all;
mod mirror;
mod records;
mod update;
pub mod watch;

use std::fmt;
use std::pin::Pin;

pub use context::{Broken, Checked, Context, Unkept};

/// One check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable id, such as `getall.suspend-resume`.
    pub id: &'static str,
    /// What it is reported with.
    pub group: &'static str,
    /// What it looks at, one sentence.
    pub title: &'static str,
    /// The rules that it exercises.
    pub rules: &'static [&'static str],
    /// The case of the reference suite that it makes unnecessary.
    pub subsumes: Option<&'static str>,
    /// Looks at it.
    pub run: for<'a> fn(&'a Context) -> Running<'a>,
}

/// A check that runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

/// The groups, in the order in which they are reported.
pub const GROUPS: [&str; 2] = ["requests", "streams"];

/// All checks, in the order in which they are reported.
pub fn all() -> impl Iterator<Item = &'static Check> {
    [
        records::CHECKS,
        update::CHECKS,
        channels::CHECKS,
        bulk::CHECKS,
        get_all::CHECKS,
        mirror::CHECKS,
    ]
    .into_iter()
    .flatten()
}

/// Does `filter` choose the check, or other part of a run, with this id and this line in the list? One
/// that is an id chooses that one alone; any other all whose line contains it.
pub fn chooses(filter: Option<&str>, id: &str, line: &str) -> bool {
    match filter {
        None => true,
        Some(filter) if all().any(|check| check.id == filter) => id == filter,
        Some(filter) => line.contains(filter),
    }
}

/// The checks that `filter` chooses.
pub fn matching(filter: Option<&str>) -> Vec<&'static Check> {
    all()
        .filter(|check| chooses(filter, check.id, &check.to_string()))
        .collect()
}

impl Check {
    /// The check as reports know it.
    pub fn describe(&self) -> dht_reports::Check {
        dht_reports::Check {
            id: self.id.to_owned(),
            group: self.group.to_owned(),
            title: self.title.to_owned(),
            rules: self.rules.iter().map(|rule| (*rule).to_owned()).collect(),
            subsumes: self.subsumes.map(str::to_owned),
        }
    }
}

/// The check as `dhtcheck list` shows it, on one line.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<28} {:<9} {}  [{}]",
            self.id,
            self.group,
            self.title,
            self.rules.join(" ")
        )?;
        match self.subsumes {
            Some(case) => write!(f, "  subsumes \"{case}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::RULES;

    #[test]
    fn ids_are_unique_and_groups_known() {
        let ids: BTreeSet<_> = all().map(|check| check.id).collect();
        assert_eq!(ids.len(), all().count());
        assert!(all().all(|check| GROUPS.contains(&check.group)));
    }

    #[test]
    fn every_check_names_rules_that_exist() {
        for check in all() {
            assert!(!check.rules.is_empty(), "{}", check.id);
            for rule in check.rules {
                assert!(
                    RULES.iter().any(|known| known.id == *rule),
                    "{}: {rule}",
                    check.id
                );
            }
        }
    }

    #[test]
    fn the_24_neo_cases_of_the_reference_suite_are_subsumed() {
        let subsumed: BTreeSet<_> = all().filter_map(|check| check.subsumes).collect();
        let cases = include_str!("../../reference-cases.txt");
        let cases: BTreeSet<_> = cases
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(cases.len(), 24);
        assert_eq!(subsumed, cases);
    }
}
