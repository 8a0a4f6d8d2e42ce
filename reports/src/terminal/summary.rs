//! The last lines of a run: what could not be judged, where to look first, and the result.

use std::fmt::{self, Display, Formatter};

use crate::check::{CheckResult, Verdict};
use crate::event::Obstacle;
use crate::run::{Exit, Run};
use crate::style::{Ink, Style};

use super::text::{count, number, printable, printable_lines, seconds};

/// Most reasons printed for what was not judged, and most checks named with each.
const REASONS: usize = 8;
const NAMES: usize = 3;

/// Displays the end of a run, each line with its line end.
pub(crate) struct Summary<'a> {
    pub(crate) run: &'a Run,
    pub(crate) style: Style,
    /// Names of the files that hold the whole report.
    pub(crate) reports: &'a [String],
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let judged_any = self.run.results().next().is_some();
        if judged_any {
            self.not_judged(f)?;
        }
        if let Some(obstacle) = self.run.obstacle() {
            self.obstacle(f, obstacle, if judged_any { "go on" } else { "start" })?;
        } else {
            for phrase in self.run.missing() {
                writeln!(f, "incomplete: {}", printable(&phrase))?;
            }
        }
        self.first(f)?;
        if judged_any {
            self.counts(f)?;
        }
        self.result(f)
    }
}

impl Summary<'_> {
    /// The reasons of what was not judged, each once.
    fn not_judged(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<Reason<'_>> = Vec::new();
        for result in self.run.results() {
            let (label, text) = match &result.verdict {
                Verdict::Inconclusive { reason } => ("inconclusive", reason.as_str()),
                Verdict::NotApplicable { reason } => ("not applicable", reason.as_str()),
                Verdict::Kept | Verdict::Broken(_) => continue,
            };
            match reasons
                .iter_mut()
                .find(|known| (known.label, known.text) == (label, text))
            {
                Some(known) => known.results.push(result),
                None => reasons.push(Reason {
                    label,
                    text,
                    results: vec![result],
                }),
            }
        }
        for reason in reasons.iter().take(REASONS) {
            writeln!(f, "{reason}")?;
        }
        if reasons.len() > REASONS {
            writeln!(
                f,
                "... {}",
                count(reasons.len() - REASONS, "further reason")
            )?;
        }
        Ok(())
    }

    fn obstacle(&self, f: &mut Formatter<'_>, obstacle: &Obstacle, verb: &str) -> fmt::Result {
        let label = self.style.paint(Ink::Unsure, &format!("cannot {verb}:"));
        writeln!(f, "{label} {}", printable(&obstacle.reason))?;
        let width = obstacle
            .clues
            .iter()
            .map(|clue| printable(&clue.question).chars().count())
            .max()
            .unwrap_or(0);
        for clue in &obstacle.clues {
            let (question, answer) = (printable(&clue.question), printable(&clue.answer));
            writeln!(f, "  {question:<width$}  {answer}")?;
        }
        for line in printable_lines(obstacle.advice.as_deref().unwrap_or_default()) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }

    /// Groups come in the order in which one builds on the other, so the first failure is the one that
    /// may explain the rest.
    fn first(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some((result, failure)) = self.run.failures().next() else {
            return Ok(());
        };
        let (rule, check) = (printable(&failure.rule.id), printable(&result.check.id));
        writeln!(f, "look first at {rule}, check {check}")?;
        let again = self.style.paint(Ink::Strong, &printable(&failure.again));
        writeln!(f, "  again:  {again}")
    }

    fn counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rules = self.run.rules();
        if rules.broken > 0 {
            let broken = format!("{} broken", count(rules.broken, "rule"));
            let broken = self.style.paint(Ink::Broken, &broken);
            write!(f, "{broken}, {} kept", number(rules.kept))?;
        } else {
            write!(f, "{} kept", count(rules.kept, "rule"))?;
        }
        let tally = self.run.tally();
        write!(f, " in {}", count(tally.total(), "check"))?;
        let others: Vec<String> = [
            (tally.inconclusive, "inconclusive"),
            (tally.not_applicable, "not applicable"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, label)| format!("{} {label}", number(count)))
        .collect();
        if !others.is_empty() {
            write!(f, " ({})", others.join(", "))?;
        }
        if let Some(duration) = self.run.duration() {
            write!(f, ", {}", seconds(duration))?;
        }
        writeln!(f, ".")
    }

    fn result(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exit = self.run.exit();
        let filtered = self.run.start().is_some_and(|start| start.filter.is_some());
        let (ink, result) = match exit {
            // A part of the checks is no certificate.
            Exit::Kept if filtered => (Ink::Kept, "Kept, as far as the filter goes."),
            Exit::Kept => (Ink::Kept, "Certified."),
            Exit::Broken => (Ink::Broken, "Not certified."),
            Exit::CouldNotRun => (Ink::Unsure, "Not certified."),
        };
        write!(f, "{} ", self.style.paint(ink, result))?;
        if !self.reports.is_empty() {
            write!(f, "Report: {}. ", self.reports.join(", "))?;
        }
        writeln!(f, "Exit {}.", exit.code())
    }
}

/// Why some checks were not judged.
struct Reason<'a> {
    label: &'static str,
    text: &'a str,
    results: Vec<&'a CheckResult>,
}

impl Display for Reason<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let named = self.results.iter().take(NAMES);
        let mut names: Vec<String> = named.map(|result| printable(&result.check.id)).collect();
        if self.results.len() > NAMES {
            names.push(format!("{} more", number(self.results.len() - NAMES)));
        }
        let (label, text, names) = (self.label, printable(self.text), names.join(", "));
        write!(f, "{label}: {text} ({names})")
    }
}
