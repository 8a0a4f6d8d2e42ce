//! What a run shows of a node besides failures: the deviations that the profile knows, those that did not
//! happen, and the dialect.

use std::fmt::{self, Display, Formatter};

use crate::check::CheckResult;
use crate::judged::{Judged, Sighting};
use crate::style::{Ink, Style};

use super::text::{count, printable, times};

/// Displays the notes, a line each, with a blank line after each kind. Nothing if there are none.
pub(crate) struct Notes<'a> {
    pub(crate) judged: Judged<'a>,
    pub(crate) style: Style,
}

impl Display for Notes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.profile(f)?;
        self.dialect(f)
    }
}

impl Notes<'_> {
    fn profile(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut any = false;
        for expectation in self.judged.expectations() {
            let deviation = expectation.deviation;
            let id = printable(&deviation.requirement);
            let (instead, why) = (printable(&deviation.instead), printable(&deviation.why));
            match &expectation.sighting {
                Sighting::Happened(results) => {
                    let label = self.style.paint(Ink::Unsure, "deviation:");
                    writeln!(f, "{label} {id}: {instead} ({}): {why}", named(results))?;
                }
                Sighting::UnexpectedlyKept(results) => {
                    let label = self.style.paint(Ink::Unsure, "unexpectedly kept:");
                    let named = named(results);
                    writeln!(f, "{label} {id}, the profile says: {instead} ({named})")?;
                }
                Sighting::UnknownRequirement => {
                    let label = self.style.paint(Ink::Unsure, "profile:");
                    let name = printable(self.judged.profile());
                    writeln!(
                        f,
                        "{label} {name} has a deviation from {id}, which is no requirement"
                    )?;
                }
                Sighting::KeptThisTime(_) | Sighting::NotExercised => continue,
            }
            any = true;
        }
        if any {
            writeln!(f)?;
        }
        Ok(())
    }

    fn dialect(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let questions = self.judged.run().dialect();
        if questions.is_empty() {
            return Ok(());
        }
        writeln!(f, "dialect (where several answers are allowed)")?;
        for question in &questions {
            let answers: Vec<String> = match question.answers.as_slice() {
                [(answer, _)] => vec![printable(answer)],
                several => several
                    .iter()
                    .map(|(answer, seen)| format!("{} ({})", printable(answer), times(*seen)))
                    .collect(),
            };
            let text = printable(question.text);
            writeln!(f, "  {text}: {}", answers.join(", "))?;
        }
        writeln!(f)
    }
}

/// One check by its name, several by their number.
fn named(results: &[&CheckResult]) -> String {
    match results {
        [result] => printable(&result.check.id),
        several => count(several.len(), "check"),
    }
}
