//! The last lines of a run: what could not be judged, where to look first, and the result.

use std::fmt::{self, Display, Formatter};

use crate::check::CheckResult;
use crate::event::Obstacle;
use crate::exit::Exit;
use crate::judged::{Judged, Judgement, Standing, State};
use crate::style::{Ink, Style};
use crate::tally::RequirementTally;

use super::text::{count, number, pieces_of_advice, printable, printable_lines, seconds};

/// Most reasons printed for what was not judged, and most checks named with each.
const REASONS: usize = 8;
const NAMES: usize = 3;

/// Displays the end of a run, each line with its line end.
pub(crate) struct Summary<'a> {
    pub(crate) judged: Judged<'a>,
    pub(crate) style: Style,
    /// Names of the files that hold the whole report.
    pub(crate) reports: &'a [String],
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let judged_any = self.judged.checks().next().is_some();
        if judged_any {
            self.not_judged(f)?;
        }
        if let Some(obstacle) = self.judged.run().obstacle() {
            self.obstacle(f, obstacle, if judged_any { "go on" } else { "start" })?;
        } else {
            for phrase in self.judged.run().missing() {
                writeln!(f, "incomplete: {}", printable(&phrase))?;
            }
        }
        if judged_any {
            self.coverage(f)?;
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
        for (result, judgement) in self.judged.checks() {
            let (label, text) = match judgement {
                Judgement::Inconclusive(reason) => ("inconclusive", reason),
                Judgement::NotApplicable(reason) => ("not applicable", reason),
                Judgement::Kept
                | Judgement::Broken(_)
                | Judgement::Advice(_)
                | Judgement::Deviation(..) => continue,
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
        let Some((result, failure)) = self.judged.failures().next() else {
            return Ok(());
        };
        let (id, check) = (&failure.requirement.id, &result.check.id);
        let came = failure.observed.lines().next().unwrap_or_default();
        let (id, check, came) = (printable(id), printable(check), printable(came));
        writeln!(f, "look first at {id}, check {check}: {came}")?;
        let again = self.style.paint(Ink::Strong, &printable(&failure.again));
        writeln!(f, "  again:  {again}")
    }

    /// How much of the catalogue was looked at.
    fn coverage(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let standings = self.judged.requirements();
        let tally: RequirementTally = standings.iter().collect();
        let (exercised, total) = (
            number(tally.exercised()),
            count(tally.total(), "requirement"),
        );
        write!(f, "{exercised} of {total} exercised")?;
        if tally.not_applicable > 0 {
            let reasons = reasons_why_not(&standings);
            write!(
                f,
                "; {} not applicable ({reasons})",
                number(tally.not_applicable)
            )?;
        }
        for (others, label) in [
            (tally.inconclusive, "inconclusive"),
            (tally.not_exercised, "not exercised"),
        ] {
            if others > 0 {
                write!(f, "; {} {label}", number(others))?;
            }
        }
        writeln!(f)
    }

    fn counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let requirements = self.judged.requirement_tally();
        if requirements.broken > 0 {
            let broken = format!("{} broken", count(requirements.broken, "requirement"));
            let broken = self.style.paint(Ink::Broken, &broken);
            write!(f, "{broken}, {} kept", number(requirements.kept))?;
        } else {
            write!(f, "{} kept", count(requirements.kept, "requirement"))?;
        }
        if requirements.advised > 0 {
            write!(f, ", {} advised", number(requirements.advised))?;
        }
        if requirements.deviations > 0 {
            let deviations = count(requirements.deviations, "known deviation");
            write!(f, ", {deviations}")?;
        }
        let tally = self.judged.tally();
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
        if let Some(duration) = self.judged.run().duration() {
            write!(f, ", {}", seconds(duration))?;
        }
        writeln!(f, ".")
    }

    fn result(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exit = self.judged.exit();
        let filtered = self
            .judged
            .run()
            .start()
            .is_some_and(|start| start.filter.is_some());
        let (ink, mut result) = match exit {
            // A part of the checks is no certificate.
            Exit::Kept if filtered => (Ink::Kept, "Kept, as far as the filter goes".to_owned()),
            Exit::Kept if self.judged.tally().deviations > 0 => {
                let result = "Certified, but for its known deviations".to_owned();
                (Ink::Kept, result)
            }
            Exit::Kept => (Ink::Kept, "Certified".to_owned()),
            Exit::Broken => (Ink::Broken, "Not certified".to_owned()),
            Exit::CouldNotRun => (Ink::Unsure, "Not certified".to_owned()),
        };
        let advised = self.judged.requirement_tally().advised;
        if exit == Exit::Kept && advised > 0 {
            result.push_str(&format!(", with {}", pieces_of_advice(advised)));
        }
        result.push('.');
        write!(f, "{} ", self.style.paint(ink, &result))?;
        if !self.reports.is_empty() {
            write!(f, "Report: {}. ", self.reports.join(", "))?;
        }
        writeln!(f, "Exit {}.", exit.code())
    }
}

/// Why requirements do not concern the node, each reason once.
fn reasons_why_not(standings: &[Standing<'_>]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for standing in standings {
        if let State::NotApplicable(reason) = standing.state
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }
    let named: Vec<String> = reasons
        .iter()
        .take(NAMES)
        .map(|text| printable(text))
        .collect();
    match reasons.len().saturating_sub(NAMES) {
        0 => named.join("; "),
        more => format!(
            "{}; and {}",
            named.join("; "),
            count(more, "further reason")
        ),
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
