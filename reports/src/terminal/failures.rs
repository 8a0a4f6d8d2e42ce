//! The failures of a run, requirement by requirement: one check of each in full, the others in a line each.

use std::fmt::{self, Display, Formatter};

use crate::check::{CheckResult, Failure};
use crate::judged::Judged;
use crate::style::{Ink, Style};

use super::FailureText;
use super::text::{Crop, count, number, printable};

/// Most requirements shown in full; further ones take a line each, and then a number.
const IN_FULL: usize = 10;
const IN_BRIEF: usize = 40;

/// Most further checks named with a requirement that is shown in full.
const OTHERS: usize = 10;

/// How much of an exchange is printed: how it began, and what led to the failure.
const CROP: Crop = Crop { first: 4, last: 12 };

/// Displays all failures, with a blank line after them. Nothing if there are none.
pub(crate) struct Failures<'a> {
    pub(crate) judged: Judged<'a>,
    pub(crate) style: Style,
}

impl Display for Failures<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let broken = by_requirement(self.judged.failures());
        let (in_full, further) = broken.split_at(broken.len().min(IN_FULL));
        let (in_brief, counted) = further.split_at(further.len().min(IN_BRIEF));
        for broken in in_full {
            self.in_full(f, broken)?;
            writeln!(f)?;
        }
        for broken in in_brief {
            self.in_brief(f, broken)?;
        }
        if !counted.is_empty() {
            let requirements = count(counted.len(), "further broken requirement");
            writeln!(f, "... {requirements}")?;
        }
        if !in_brief.is_empty() {
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Failures<'_> {
    fn in_full(&self, f: &mut Formatter<'_>, broken: &Broken<'_>) -> fmt::Result {
        let Broken {
            first: (result, failure),
            others,
        } = broken;
        let text = FailureText {
            check: &result.check,
            failure,
            style: self.style,
            crop: CROP,
        };
        write!(f, "{text}")?;
        for (result, failure) in others.iter().take(OTHERS) {
            let id = printable(&result.check.id);
            let came = failure.observed.lines().next().unwrap_or_default();
            writeln!(f, "  also broken by {id}: {}", printable(came))?;
        }
        if others.len() > OTHERS {
            writeln!(f, "  ... and {} more", number(others.len() - OTHERS))?;
        }
        Ok(())
    }

    fn in_brief(&self, f: &mut Formatter<'_>, broken: &Broken<'_>) -> fmt::Result {
        let (result, failure) = broken.first;
        let requirement = &failure.requirement;
        let id = self.style.paint(Ink::Broken, &printable(&requirement.id));
        let check = printable(&result.check.id);
        write!(f, "{id}  {}  check {check}", requirement.level)?;
        if !broken.others.is_empty() {
            write!(f, " and {} more", number(broken.others.len()))?;
        }
        writeln!(f)
    }
}

/// A requirement that was broken, by the checks that found it.
pub(super) struct Broken<'a> {
    pub(super) first: (&'a CheckResult, &'a Failure),
    pub(super) others: Vec<(&'a CheckResult, &'a Failure)>,
}

/// In the order of the first failures.
pub(super) fn by_requirement<'a>(
    failures: impl Iterator<Item = (&'a CheckResult, &'a Failure)>,
) -> Vec<Broken<'a>> {
    let mut broken: Vec<Broken<'a>> = Vec::new();
    for (result, failure) in failures {
        let id = &failure.requirement.id;
        match broken
            .iter_mut()
            .find(|known| known.first.1.requirement.id == *id)
        {
            Some(known) => known.others.push((result, failure)),
            None => broken.push(Broken {
                first: (result, failure),
                others: Vec::new(),
            }),
        }
    }
    broken
}
