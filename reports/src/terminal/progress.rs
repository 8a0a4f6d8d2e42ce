//! The live line: how far the run is, in one line that is written over again and again. Whether there is a
//! terminal to write it on, and how wide it is, the caller says.

use crate::event::Plan;
use crate::judged::Judged;
use crate::run::Run;

use super::text::{count, number, printable, seconds};

/// How far the run is, in one line of at most `columns` characters without its line end. Empty before the
/// first event and after the last.
pub fn line(judged: &Judged<'_>, columns: usize) -> String {
    let run = judged.run();
    if run.start().is_none() || run.duration().is_some() || run.obstacle().is_some() {
        return String::new();
    }
    let text = format!("  {}{}", volume(run), broken(judged));
    text.chars().take(columns).collect()
}

fn volume(run: &Run) -> String {
    if let Some(progress) = run.progress() {
        let mut text = format!(
            "{}: {} in {}",
            printable(&progress.group),
            count(progress.operations, "operation"),
            seconds(progress.elapsed)
        );
        if let Some(budget) = progress.budget {
            text.push_str(&format!(" of {}", seconds(budget)));
        }
        let ms = progress.elapsed.as_millis();
        if let Some(rate) = (u128::from(progress.operations) * 1_000).checked_div(ms) {
            text.push_str(&format!(", {} a second", number(rate)));
        }
        return text;
    }
    let directed = || {
        run.groups().iter().filter_map(|group| match group.plan {
            Some(Plan::Checks(planned)) => Some((group.results.len().min(planned), planned)),
            Some(Plan::Random) | None => None,
        })
    };
    let done: usize = directed().map(|(done, _)| done).sum();
    let planned: usize = directed().map(|(_, planned)| planned).sum();
    let mut text = format!("{} of {}", number(done), count(planned, "check"));
    // The oldest is the one that keeps the others waiting.
    if let Some((oldest, others)) = run.running().split_first() {
        text.push_str(&format!(", running {}", printable(oldest)));
        if !others.is_empty() {
            text.push_str(&format!(" and {} more", number(others.len())));
        }
    }
    text
}

fn broken(judged: &Judged<'_>) -> String {
    match judged.tally().broken {
        0 => String::new(),
        broken => format!(", {} broken", number(broken)),
    }
}
