//! The first lines of a run: what is run, and a line a group.

use crate::event::{Plan, RunStarted};
use crate::judged::Judged;
use crate::run::{Group, Run};
use crate::style::{Ink, Style};
use crate::tally::Tally;

use super::text::{count, number, printable, seconds};

/// What is run against what, in one line.
pub(crate) fn header(start: &RunStarted, profile: &str) -> String {
    let mut parts = vec![
        format!("dhtcheck {}", start.version),
        format!("seed {}", start.seed),
        format!("node {}", start.node),
    ];
    parts.extend(start.range.as_ref().map(|range| format!("range {range}")));
    parts.push(format!("profile {profile}"));
    parts.extend(
        start
            .filter
            .as_ref()
            .map(|text| format!("filter \"{}\"", text)),
    );
    printable(&parts.join(", "))
}

/// A group in one line: how much of it ran, and what came of it. None for a group that is empty as planned.
pub(crate) fn line<'a>(judged: &Judged<'a>, group: &'a Group, style: Style) -> Option<String> {
    if group.plan == Some(Plan::Checks(0)) && group.results.is_empty() {
        return None;
    }
    let columns = Columns::of(judged.run());
    let name = format!("{:<1$}", printable(&group.name), columns.name);
    let (ink, status) = status(judged.group_tally(group));
    let status = style.paint(ink, &status);
    Some(format!("  {name}   {}   {status}", volume(group, columns)))
}

/// The widths of the columns. They follow from the plan alone, so that a line looks the same whether it is
/// printed while the run goes on or later.
#[derive(Clone, Copy)]
struct Columns {
    name: usize,
    number: usize,
}

impl Columns {
    fn of(run: &Run) -> Self {
        let plan = run.start().map_or(&[][..], |start| &start.groups);
        Self {
            name: plan
                .iter()
                .map(|group| printable(&group.name).chars().count())
                .max()
                .unwrap_or(0),
            number: plan
                .iter()
                .map(|group| match group.plan {
                    Plan::Checks(planned) => number(planned).len(),
                    Plan::Random => 0,
                })
                .max()
                .unwrap_or(0),
        }
    }
}

fn volume(group: &Group, columns: Columns) -> String {
    if let Some(workload) = &group.workload {
        let mut text = format!(
            "{} in {}, {}",
            count(workload.operations, "operation"),
            seconds(workload.duration),
            count(workload.clients, "client")
        );
        if workload.faults > 0 {
            text.push_str(&format!(", {}", count(workload.faults, "fault")));
        }
        return text;
    }
    let done = group.results.len();
    match group.plan {
        Some(Plan::Checks(planned)) if done < planned => {
            format!("{} of {}", number(done), count(planned, "check"))
        }
        Some(Plan::Random) => "unfinished".to_owned(),
        Some(Plan::Checks(_)) | None => {
            let noun = if done == 1 { "check" } else { "checks" };
            format!("{:>1$} {noun:<6}", number(done), columns.number)
        }
    }
}

fn status(tally: Tally) -> (Ink, String) {
    let mut parts = Vec::new();
    let ink = if tally.broken > 0 {
        Ink::Broken
    } else if tally.inconclusive + tally.advice + tally.deviations > 0 || tally.total() == 0 {
        Ink::Unsure
    } else {
        Ink::Kept
    };
    if tally.broken > 0 {
        parts.push(format!("{} broken", number(tally.broken)));
    }
    if tally.advice > 0 {
        parts.push(format!("{} with advice", number(tally.advice)));
    }
    if tally.deviations > 0 {
        parts.push(count(tally.deviations, "deviation"));
    }
    if tally.inconclusive > 0 {
        parts.push(format!("{} inconclusive", number(tally.inconclusive)));
    }
    if parts.is_empty() && tally.kept > 0 {
        parts.push("kept".to_owned());
    }
    if tally.not_applicable > 0 {
        parts.push(format!("{} not applicable", number(tally.not_applicable)));
    }
    if parts.is_empty() {
        parts.push("not judged".to_owned());
    }
    (ink, parts.join(", "))
}
