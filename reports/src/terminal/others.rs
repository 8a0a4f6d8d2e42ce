//! The further checks that found the same requirement broken: what came, and the ids of those to which it
//! came. That is enough to run one of them again.

use std::fmt::{self, Display, Formatter};

use crate::check::{CheckResult, Failure};

use super::failure::Finding;
use super::text::{count, number, printable};

/// Most lines, one for each thing that came, and most checks named in each.
const LINES: usize = 6;
const NAMES: usize = 8;

/// Displays the checks behind the first one. Nothing if there are none.
pub(super) struct Others<'a> {
    pub(super) finding: Finding,
    pub(super) first: (&'a CheckResult, &'a Failure),
    pub(super) others: &'a [(&'a CheckResult, &'a Failure)],
}

impl Display for Others<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let verb = match self.finding {
            Finding::Broken => "broken",
            Finding::Advice => "shown",
        };
        let sorts = self.by_what_came();
        let (shown, counted) = sorts.split_at(sorts.len().min(LINES));
        for Sort { came, checks } in shown {
            let named = checks.iter().take(NAMES).map(|id| printable(id));
            let names = named.collect::<Vec<_>>().join(", ");
            write!(f, "  also {verb} by {names}")?;
            if checks.len() > NAMES {
                let more = number(checks.len() - NAMES);
                write!(f, " and {more} more (--json has all)")?;
            }
            match *came == first_line(self.first.1) {
                true => writeln!(f, ": the same")?,
                false => writeln!(f, ": {came}")?,
            }
        }
        let more: usize = counted.iter().map(|sort| sort.checks.len()).sum();
        if more > 0 {
            let more = count(more, "further check");
            writeln!(f, "  also {verb} by {more} (--json has all)")?;
        }
        match self.again() {
            Some(again) if !shown.is_empty() => writeln!(f, "  each again:  {again}"),
            _ => Ok(()),
        }
    }
}

/// Checks to which the same came.
struct Sort<'a> {
    came: String,
    checks: Vec<&'a str>,
}

impl<'a> Others<'a> {
    /// In the order of the first of each.
    fn by_what_came(&self) -> Vec<Sort<'a>> {
        let mut sorts: Vec<Sort<'a>> = Vec::new();
        for (result, failure) in self.others {
            let (came, id) = (first_line(failure), result.check.id.as_str());
            match sorts.iter_mut().find(|sort| sort.came == came) {
                Some(sort) => sort.checks.push(id),
                None => sorts.push(Sort {
                    came,
                    checks: vec![id],
                }),
            }
        }
        sorts
    }

    /// The command that runs one of them, with a place for its id; none if that is no other than the first.
    fn again(&self) -> Option<String> {
        let (result, failure) = self.first;
        let first = &result.check.id;
        if self
            .others
            .iter()
            .all(|(other, _)| other.check.id == *first)
        {
            return None;
        }
        let chosen = format!("--filter {first}");
        let again = failure.again.replace(&chosen, "--filter ID");
        (again != failure.again).then(|| printable(&again))
    }
}

fn first_line(failure: &Failure) -> String {
    printable(failure.observed.lines().next().unwrap_or_default())
}
