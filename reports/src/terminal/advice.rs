//! What a node ought to do and does not, requirement by requirement: a few lines each. The whole exchange is
//! no more than a repetition away, and would hide the failures.

use std::fmt::{self, Display, Formatter};

use crate::judged::Judged;
use crate::style::{Ink, Style};

use super::failures::{Broken, by_requirement};
use super::text::{count, number, printable};

/// Most requirements shown; further ones are counted.
const SHOWN: usize = 20;

/// Displays all advice, with a blank line after it. Nothing if there is none.
pub(crate) struct Advice<'a> {
    pub(crate) judged: Judged<'a>,
    pub(crate) style: Style,
}

impl Display for Advice<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let advised = by_requirement(self.judged.advice());
        let (shown, counted) = advised.split_at(advised.len().min(SHOWN));
        for advised in shown {
            self.entry(f, advised)?;
        }
        if !counted.is_empty() {
            let requirements = count(counted.len(), "further requirement");
            writeln!(f, "... advice on {requirements}")?;
        }
        if !shown.is_empty() {
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Advice<'_> {
    fn entry(&self, f: &mut Formatter<'_>, advised: &Broken<'_>) -> fmt::Result {
        let (result, failure) = advised.first;
        let label = self.style.paint(Ink::Unsure, "advice:");
        let requirement = &failure.requirement;
        let (id, sentence) = (printable(&requirement.id), printable(&requirement.sentence));
        writeln!(f, "{label} {id}  {}  \"{sentence}\"", requirement.level)?;
        let came = failure.observed.lines().next().unwrap_or_default();
        writeln!(f, "  came: {}", printable(came))?;
        let check = printable(&result.check.id);
        write!(f, "  check {check}")?;
        if !advised.others.is_empty() {
            write!(f, " and {} more", number(advised.others.len()))?;
        }
        writeln!(f)?;
        writeln!(f, "  again:  {}", printable(&failure.again))
    }
}
