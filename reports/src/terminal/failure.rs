//! A broken requirement in full: what it says, the case, the exchange, what was allowed, and how to see it
//! again.

use std::fmt::{self, Display, Formatter};

use crate::check::{Check, Failure};
use crate::style::{Ink, Style};

use super::chart;
use super::text::{Crop, count, printable, printable_lines};

/// What a failure means to the node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finding {
    /// It broke a requirement that binds it.
    Broken,
    /// It does not do what is only recommended.
    Advice,
}

impl Finding {
    /// How the finding about the requirement `id` begins.
    pub(super) fn heading(self, id: &str, style: Style) -> String {
        let id = printable(id);
        match self {
            Self::Broken => style.paint(Ink::Broken, &id),
            Self::Advice => format!("{} {id}", style.paint(Ink::Unsure, "advice:")),
        }
    }
}

/// Displays a failure over several lines, each with its line end.
pub(crate) struct FailureText<'a> {
    pub(crate) finding: Finding,
    pub(crate) check: &'a Check,
    pub(crate) failure: &'a Failure,
    pub(crate) style: Style,
    /// How much is shown of the exchange and of the minimal case.
    pub(crate) crop: Crop,
}

impl Display for FailureText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Failure {
            requirement,
            outcome: _,
            sent,
            expected,
            observed,
            exchange,
            again,
            minimal,
        } = self.failure;
        let id = self.finding.heading(&requirement.id, self.style);
        let sentence = printable(&requirement.sentence);
        writeln!(f, "{id}  {}  \"{sentence}\"", requirement.level)?;
        field(f, "source:", &requirement.source)?;
        writeln!(
            f,
            "  check {}: {}",
            printable(&self.check.id),
            printable(&self.check.title)
        )?;
        field(f, "sent:", sent)?;
        if let Some(operations) = minimal {
            self.minimal(f, operations)?;
        }
        field(f, "allowed here:", &expected.join(", or "))?;
        field(f, "came:", observed)?;
        let chart = chart::rows(exchange, self.crop);
        if !chart.is_empty() {
            writeln!(f)?;
            for row in chart {
                writeln!(f, "    {row}")?;
            }
            writeln!(f)?;
        }
        let again = self.style.paint(Ink::Strong, &printable(again));
        writeln!(f, "  again:  {again}")
    }
}

impl FailureText<'_> {
    fn minimal(&self, f: &mut Formatter<'_>, operations: &[String]) -> fmt::Result {
        writeln!(
            f,
            "  minimal case: {}",
            count(operations.len(), "operation")
        )?;
        let (first, left_out, last) = self.crop.ends(operations);
        for operation in first {
            writeln!(f, "    {}", printable(operation))?;
        }
        if left_out > 0 {
            writeln!(f, "    ... {} left out ...", count(left_out, "operation"))?;
        }
        for operation in last {
            writeln!(f, "    {}", printable(operation))?;
        }
        Ok(())
    }
}

/// A labelled text, its further lines indented below the label. Nothing if there is no text.
fn field(f: &mut Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    for (at, line) in printable_lines(text).enumerate() {
        match at {
            0 => writeln!(f, "  {label} {line}")?,
            _ => writeln!(f, "    {line}")?,
        }
    }
    Ok(())
}
