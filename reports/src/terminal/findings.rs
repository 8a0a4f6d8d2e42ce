//! What a run has found, requirement by requirement: one check of each in full, the others by their ids.

use std::fmt::{self, Display, Formatter};

use crate::check::{CheckResult, Failure};
use crate::judged::Judged;
use crate::style::Style;

use super::failure::{FailureText, Finding};
use super::others::Others;
use super::text::{Crop, count, number, printable};

/// How much of an exchange is printed: how it began, and what led to the failure.
const CROP: Crop = Crop { first: 4, last: 12 };

/// Displays all findings of a kind, with a blank line after them. Nothing if there are none.
pub(crate) struct Findings<'a> {
    pub(crate) finding: Finding,
    pub(crate) judged: Judged<'a>,
    pub(crate) style: Style,
}

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let found = match self.finding {
            Finding::Broken => by_requirement(self.judged.failures()),
            Finding::Advice => by_requirement(self.judged.advice()),
        };
        let limits = Limits::of(self.finding);
        let (in_full, further) = found.split_at(found.len().min(limits.in_full));
        let (in_brief, counted) = further.split_at(further.len().min(limits.in_brief));
        for found in in_full {
            self.in_full(f, found)?;
            writeln!(f)?;
        }
        for found in in_brief {
            self.in_brief(f, found)?;
        }
        match (self.finding, counted.len()) {
            (_, 0) => {}
            (Finding::Broken, more) => {
                writeln!(f, "... {}", count(more, "further broken requirement"))?;
            }
            (Finding::Advice, more) => {
                writeln!(f, "... advice on {}", count(more, "further requirement"))?;
            }
        }
        if !in_brief.is_empty() {
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Findings<'_> {
    fn in_full(&self, f: &mut Formatter<'_>, found: &Found<'_>) -> fmt::Result {
        let (result, failure) = found.first;
        let text = FailureText {
            finding: self.finding,
            check: &result.check,
            failure,
            style: self.style,
            crop: CROP,
        };
        let others = Others {
            finding: self.finding,
            first: found.first,
            others: &found.others,
        };
        write!(f, "{text}{others}")
    }

    fn in_brief(&self, f: &mut Formatter<'_>, found: &Found<'_>) -> fmt::Result {
        let (result, failure) = found.first;
        let requirement = &failure.requirement;
        let id = self.finding.heading(&requirement.id, self.style);
        let check = printable(&result.check.id);
        write!(f, "{id}  {}  check {check}", requirement.level)?;
        if !found.others.is_empty() {
            write!(f, " and {} more", number(found.others.len()))?;
        }
        writeln!(f)
    }
}

/// Most requirements that are shown in full, and most that take a line each behind them; any others are
/// counted.
struct Limits {
    in_full: usize,
    in_brief: usize,
}

impl Limits {
    fn of(finding: Finding) -> Self {
        match finding {
            Finding::Broken => Self {
                in_full: 10,
                in_brief: 40,
            },
            // It must not hide what is broken.
            Finding::Advice => Self {
                in_full: 5,
                in_brief: 15,
            },
        }
    }
}

/// What was found about a requirement, by the checks that found it.
struct Found<'a> {
    first: (&'a CheckResult, &'a Failure),
    others: Vec<(&'a CheckResult, &'a Failure)>,
}

/// In the order of the first of each.
fn by_requirement<'a>(
    results: impl Iterator<Item = (&'a CheckResult, &'a Failure)>,
) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for (result, failure) in results {
        let id = &failure.requirement.id;
        match found
            .iter_mut()
            .find(|known| known.first.1.requirement.id == *id)
        {
            Some(known) => known.others.push((result, failure)),
            None => found.push(Found {
                first: (result, failure),
                others: Vec::new(),
            }),
        }
    }
    found
}
