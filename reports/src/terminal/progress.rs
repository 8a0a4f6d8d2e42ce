//! The live line: how far the run is, in one line that is written over again and again. Whether there is a
//! terminal to write it on, and how wide it is, the caller says.

use crate::event::{Plan, Progress};
use crate::judged::Judged;

use super::text::{count, number, printable, seconds};

/// How far the run is, in one line of at most `columns` characters without its line end. Empty before the
/// first event and after the last.
pub fn line(judged: &Judged<'_>, columns: usize) -> String {
    let run = judged.run();
    if run.start().is_none() || run.duration().is_some() || run.obstacle().is_some() {
        return String::new();
    }
    let text = format!("  {}{}", volume(judged), broken(judged));
    text.chars().take(columns).collect()
}

fn volume(judged: &Judged<'_>) -> String {
    let run = judged.run();
    if let Some(progress) = run.progress() {
        return workload(judged, progress);
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

/// The random workload: how fast it is, what it has come to, and how long it still takes.
fn workload(judged: &Judged<'_>, progress: &Progress) -> String {
    let mut text = format!(
        "{}: {}",
        printable(&progress.group),
        count(progress.operations, "operation")
    );
    let ms = progress.elapsed.as_millis();
    if let Some(rate) = (u128::from(progress.operations) * 1_000).checked_div(ms) {
        text.push_str(&format!(", {}/s", number(rate)));
    }
    // What matters most comes first: a narrow terminal cuts off the end.
    match progress.budget {
        Some(budget) => {
            let left = budget.saturating_sub(progress.elapsed);
            text.push_str(&format!(", {} left", seconds(left)));
        }
        None => text.push_str(&format!(", after {}", seconds(progress.elapsed))),
    }
    if progress.findings > 0 {
        text.push_str(&format!(", {}", count(progress.findings, "finding")));
    }
    let exercised = judged.requirement_tally().exercised();
    if exercised > 0 {
        text.push_str(&format!(", {} exercised", count(exercised, "requirement")));
    }
    text
}

fn broken(judged: &Judged<'_>) -> String {
    match judged.tally().broken {
        0 => String::new(),
        broken => format!(", {} broken", number(broken)),
    }
}
