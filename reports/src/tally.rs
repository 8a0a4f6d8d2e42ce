//! Counting: results by verdict, and rules by what became of them.

use std::collections::BTreeSet;

use crate::check::{CheckResult, Verdict};

/// How many results have which verdict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Checks whose rules were kept.
    pub kept: usize,
    /// Checks that found a rule broken.
    pub broken: usize,
    /// Checks that could not tell.
    pub inconclusive: usize,
    /// Checks that do not concern this node.
    pub not_applicable: usize,
}

impl Tally {
    /// All results that were counted.
    pub fn total(&self) -> usize {
        self.kept + self.broken + self.inconclusive + self.not_applicable
    }
}

impl<'a> FromIterator<&'a CheckResult> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a CheckResult>>(results: I) -> Self {
        let mut tally = Self::default();
        for result in results {
            match result.verdict {
                Verdict::Kept => tally.kept += 1,
                Verdict::Broken(_) => tally.broken += 1,
                Verdict::Inconclusive { .. } => tally.inconclusive += 1,
                Verdict::NotApplicable { .. } => tally.not_applicable += 1,
            }
        }
        tally
    }
}

/// How many rules became what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RuleTally {
    /// Rules that a check exercised and judged.
    pub exercised: usize,
    /// Those that a check found broken.
    pub broken: usize,
    /// Those that a check found kept, and none broken. The rules of a check that failed for another rule
    /// are exercised, but neither kept nor broken by it.
    pub kept: usize,
}

impl<'a> FromIterator<&'a CheckResult> for RuleTally {
    fn from_iter<I: IntoIterator<Item = &'a CheckResult>>(results: I) -> Self {
        let mut exercised = BTreeSet::new();
        let mut broken = BTreeSet::new();
        let mut kept = BTreeSet::new();
        for result in results {
            let rules = result.check.rules.iter().map(String::as_str);
            match &result.verdict {
                Verdict::Kept => {
                    kept.extend(rules.clone());
                    exercised.extend(rules);
                }
                Verdict::Broken(failure) => {
                    broken.insert(failure.rule.id.as_str());
                    exercised.insert(failure.rule.id.as_str());
                    exercised.extend(rules);
                }
                Verdict::Inconclusive { .. } | Verdict::NotApplicable { .. } => {}
            }
        }
        Self {
            exercised: exercised.len(),
            broken: broken.len(),
            kept: kept.difference(&broken).count(),
        }
    }
}
