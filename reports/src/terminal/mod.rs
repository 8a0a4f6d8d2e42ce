//! A run as text for a terminal, a log or a pipe.
//!
//! [`Terminal::update`] gives what there is to print after each event, [`Terminal::finish`] the rest;
//! [`render`] gives the whole text of a run at once. The order is the reader's: what runs, a line a group,
//! the failures in full, and at the end what answers "is my node right, and if not, what do I look at
//! first?". All of it is a function of the [`Run`]; nothing is written from here.

mod chart;
mod failure;
mod groups;
pub mod progress;
mod summary;
mod text;

use crate::run::Run;
use crate::style::{Ink, Style};

pub(crate) use failure::FailureText;
pub(crate) use text::{Crop, printable};

use summary::Summary;
use text::count;

/// Most failures printed in full; further ones take a line each, and then a number.
const IN_FULL: usize = 10;
const IN_BRIEF: usize = 40;

/// How much of an exchange is printed: how it began, and what led to the failure.
const CROP: Crop = Crop { first: 4, last: 12 };

/// The whole text of a run, as [`Terminal`] prints it bit by bit.
pub fn render(run: &Run, style: Style) -> String {
    Terminal::new(style).finish(run)
}

/// What has been printed of a run, and so what is to be printed next.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    style: Style,
    reports: Vec<String>,
    /// Width of the terminal; none without a live line.
    columns: Option<usize>,
    /// Width of the live line that is on the screen now.
    live: usize,
    header_done: bool,
    groups_done: usize,
    any_line: bool,
}

impl Terminal {
    /// Prints lines only: for a pipe, a log, or a terminal without a live line.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            ..Self::default()
        }
    }

    /// Keeps a live line below the others, on a terminal of `columns` characters a line.
    #[must_use]
    pub fn live(mut self, columns: usize) -> Self {
        // The last column stays free: some terminals begin a new line when it is written.
        self.columns = Some(columns.saturating_sub(1));
        self
    }

    /// Names the files that hold the whole report.
    #[must_use]
    pub fn reports(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.reports = names.into_iter().collect();
        self
    }

    /// What to print now that `run` has taken in another event. It must be written as it is, and shown at
    /// once: a live line has no line end.
    pub fn update(&mut self, run: &Run) -> String {
        let mut lines = self.header(run);
        while let Some(group) = run.groups().get(self.groups_done)
            && group.is_complete()
        {
            lines.push_str(&self.group_line(run));
        }
        let live = self
            .columns
            .map(|columns| progress::line(run, columns))
            .unwrap_or_default();
        self.over_live_line(lines, &live)
    }

    /// What to print at the end: the groups that are not complete, the failures, the summary.
    pub fn finish(&mut self, run: &Run) -> String {
        let mut lines = self.header(run);
        // A run that never began has nothing to say of its groups.
        if run.obstacle().is_none() || run.results().next().is_some() {
            while self.groups_done < run.groups().len() {
                lines.push_str(&self.group_line(run));
            }
        }
        if self.any_line {
            lines.push('\n');
        }
        lines.push_str(&self.failures(run));
        let summary = Summary {
            run,
            style: self.style,
            reports: &self.reports,
        };
        lines.push_str(&summary.to_string());
        self.over_live_line(lines, "")
    }

    fn header(&mut self, run: &Run) -> String {
        match run.start() {
            Some(start) if !self.header_done => {
                self.header_done = true;
                format!("{}\n\n", groups::header(start))
            }
            _ => String::new(),
        }
    }

    /// The line of the next group.
    fn group_line(&mut self, run: &Run) -> String {
        let group = run.groups().get(self.groups_done);
        self.groups_done += 1;
        match group.and_then(|group| groups::line(run, group, self.style)) {
            Some(line) => {
                self.any_line = true;
                format!("{line}\n")
            }
            None => String::new(),
        }
    }

    fn failures(&self, run: &Run) -> String {
        let failures: Vec<_> = run.failures().collect();
        let (in_full, further) = failures.split_at(failures.len().min(IN_FULL));
        let (in_brief, counted) = further.split_at(further.len().min(IN_BRIEF));
        let mut text = String::new();
        for (result, failure) in in_full {
            let failure = FailureText {
                check: &result.check,
                failure,
                style: self.style,
                crop: CROP,
            };
            text.push_str(&format!("{failure}\n"));
        }
        for (result, failure) in in_brief {
            let rule = self.style.paint(Ink::Broken, &printable(&failure.rule.id));
            text.push_str(&format!("{rule}  check {}\n", printable(&result.check.id)));
        }
        if !counted.is_empty() {
            text.push_str(&format!(
                "... {}\n",
                count(counted.len(), "further failure")
            ));
        }
        if !in_brief.is_empty() {
            text.push('\n');
        }
        text
    }

    /// `lines` and a new live line in the place of the old one. Blanks wipe it out: they work on any
    /// terminal, with colour or without.
    fn over_live_line(&mut self, lines: String, live: &str) -> String {
        let old = std::mem::replace(&mut self.live, live.chars().count());
        match (old, lines.is_empty()) {
            (0, _) => format!("{lines}{live}"),
            (_, true) => format!("\r{live:<old$}"),
            (_, false) => format!("\r{:old$}\r{lines}{live}", ""),
        }
    }
}
