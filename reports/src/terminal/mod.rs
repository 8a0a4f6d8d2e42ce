//! A run as text for a terminal, a log or a pipe.
//!
//! [`Terminal::update`] gives what there is to print after each event, [`Terminal::finish`] the rest;
//! [`render`] gives the whole text of a run at once. It begins with what runs, a line a group. What matters
//! most comes last: the deviations and the dialect, the advice, the failures, and what answers "is my node
//! right, and if not, what do I look at first?". All of it is a function of the [`Judged`] run; nothing is
//! written from here.

mod chart;
mod failure;
mod findings;
mod groups;
mod notes;
mod others;
pub mod progress;
mod summary;
mod text;

use crate::judged::Judged;
use crate::style::Style;

pub(crate) use failure::{FailureText, Finding};
pub(crate) use text::{Crop, number, printable};

use findings::Findings;
use notes::Notes;
use summary::Summary;

/// The whole text of a run, as [`Terminal`] prints it bit by bit.
pub fn render(judged: &Judged<'_>, style: Style) -> String {
    Terminal::new(style).finish(judged)
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

    /// What to print now that the run has taken in another event. It must be written as it is, and shown at
    /// once: a live line has no line end.
    pub fn update(&mut self, judged: &Judged<'_>) -> String {
        let run = judged.run();
        let mut lines = self.header(judged);
        while let Some(group) = run.groups().get(self.groups_done)
            && group.is_complete()
        {
            lines.push_str(&self.group_line(judged));
        }
        let live = self
            .columns
            .map(|columns| progress::line(judged, columns))
            .unwrap_or_default();
        self.over_live_line(lines, &live)
    }

    /// What to print at the end: the groups that are not complete, the notes, the advice, the failures,
    /// the summary.
    pub fn finish(&mut self, judged: &Judged<'_>) -> String {
        let run = judged.run();
        let mut lines = self.header(judged);
        // A run that never began has nothing to say of its groups.
        if run.obstacle().is_none() || run.results().next().is_some() {
            while self.groups_done < run.groups().len() {
                lines.push_str(&self.group_line(judged));
            }
        }
        if self.any_line {
            lines.push('\n');
        }
        let (judged, style) = (*judged, self.style);
        lines.push_str(&Notes { judged, style }.to_string());
        // What is broken comes last: it is what is still on the screen when the run is over.
        for finding in [Finding::Advice, Finding::Broken] {
            let findings = Findings {
                finding,
                judged,
                style,
            };
            lines.push_str(&findings.to_string());
        }
        let summary = Summary {
            judged,
            style,
            reports: &self.reports,
        };
        lines.push_str(&summary.to_string());
        self.over_live_line(lines, "")
    }

    fn header(&mut self, judged: &Judged<'_>) -> String {
        match judged.run().start() {
            Some(start) if !self.header_done => {
                self.header_done = true;
                format!("{}\n\n", groups::header(start, judged.profile()))
            }
            _ => String::new(),
        }
    }

    /// The line of the next group.
    fn group_line(&mut self, judged: &Judged<'_>) -> String {
        let group = judged.run().groups().get(self.groups_done);
        self.groups_done += 1;
        match group.and_then(|group| groups::line(judged, group, self.style)) {
            Some(line) => {
                self.any_line = true;
                format!("{line}\n")
            }
            None => String::new(),
        }
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
