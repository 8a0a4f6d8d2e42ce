//! A drawing of the overlap around a fault: a bar for each operation, a row or more for each client.
//!
//! One SVG file that needs nothing else, readable on light and dark ground. Times are drawn to scale within
//! what is shown: the operations that prove the fault, and those on the same record that overlap them. Fine lines
//! mark where the proof's operations begin and end, and the proof is below in words.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use quick_xml::escape::escape;

use crate::explain::{Explanation, did};
use crate::history::{Entry, History, Operation};

/// As many operations are drawn beside those of the proof.
const OTHERS: usize = 60;
/// The longest text in a bar, in characters.
const TEXT: usize = 48;

const WIDTH: f64 = 1_000.0;
const MARGIN: f64 = 90.0;
const ROW: f64 = 30.0;
const BAR: f64 = 22.0;
const TOP: f64 = 56.0;
/// Of a character of the text in bars.
const CHARACTER: f64 = 6.7;
/// Of a line of the proof below the drawing.
const LINE: f64 = 17.0;

const STYLE: &str = "\
text{font:11px ui-monospace,monospace;fill:#777}\
.title{font-size:13px;font-weight:bold}\
.bar{fill:#8884;stroke:#888}\
.proof{fill:#d5503a55;stroke:#d5503a;stroke-width:2}\
.row{stroke:#8883}\
.mark{stroke:#d5503a66;stroke-dasharray:2 3}\
.time{text-anchor:middle}\
.named{fill:#d5503a;font-weight:bold}";

/// The drawing as an SVG document.
pub fn draw(history: &History, explanation: &Explanation) -> String {
    Drawing::of(history, explanation).document()
}

struct Drawing<'h> {
    explanation: &'h Explanation,
    bars: Vec<Bar<'h>>,
    rows: Vec<Row>,
    start: i64,
    end: i64,
    left_out: usize,
}

struct Bar<'h> {
    entry: &'h Entry,
    proof: bool,
    row: usize,
    from: f64,
    to: f64,
    /// Where its text begins.
    text: f64,
    label: String,
}

struct Row {
    client: u64,
    /// Up to where bars and texts take it.
    taken: f64,
}

impl<'h> Drawing<'h> {
    fn of(history: &'h History, explanation: &'h Explanation) -> Self {
        let entries = history.entries();
        let proof: Vec<&Entry> = explanation
            .operations()
            .iter()
            .filter_map(|&index| entries.get(index))
            .collect();
        let start = proof
            .iter()
            .map(|entry| entry.invoked)
            .min()
            .unwrap_or_default();
        let ends = proof
            .iter()
            .map(|entry| returned(entry).unwrap_or(entry.invoked));
        let end = ends.max().unwrap_or(start).max(start.saturating_add(1));
        let mut shown: Vec<(&Entry, bool)> = proof.into_iter().map(|entry| (entry, true)).collect();
        let named: HashSet<usize> = explanation.operations().iter().copied().collect();
        let others = entries.iter().enumerate().filter(|(index, entry)| {
            !named.contains(index)
                && concerns(entry, explanation)
                && entry.invoked <= end
                && returned(entry).is_none_or(|returned| returned >= start)
        });
        let others: Vec<&Entry> = others.map(|(_, entry)| entry).collect();
        let left_out = others.len().saturating_sub(OTHERS);
        shown.extend(others.into_iter().take(OTHERS).map(|entry| (entry, false)));
        let mut drawing = Self {
            explanation,
            bars: Vec::new(),
            rows: Vec::new(),
            start,
            end,
            left_out,
        };
        drawing.place(shown);
        drawing
    }

    /// Gives each operation a row of its client in which nothing overlaps it, nor its text.
    fn place(&mut self, mut shown: Vec<(&'h Entry, bool)>) {
        shown.sort_by_key(|(entry, _)| (entry.client, entry.invoked));
        let mut rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (entry, proof) in shown {
            let from = self.x(entry.invoked);
            let to = returned(entry).map_or(MARGIN * 2.0 + WIDTH, |at| self.x(at));
            let label = self.label(entry, to - from, proof);
            let width = label.chars().count() as f64 * CHARACTER + 4.0;
            // A text near the right edge begins before its bar.
            let text = (from + 4.0).min(WIDTH + 2.0 * MARGIN - width);
            let own = rows.entry(entry.client).or_default();
            let free = own
                .iter()
                .copied()
                .find(|&row| self.rows[row].taken < from.min(text));
            let row = free.unwrap_or_else(|| {
                self.rows.push(Row {
                    client: entry.client,
                    taken: 0.0,
                });
                own.push(self.rows.len() - 1);
                self.rows.len() - 1
            });
            self.rows[row].taken = to.max(text + width);
            self.bars.push(Bar {
                entry,
                proof,
                row,
                from,
                to,
                text,
                label,
            });
        }
    }

    fn document(&self) -> String {
        let bottom = TOP + ROW * self.rows.len() as f64;
        let mut below: Vec<String> = match self.left_out {
            0 => Vec::new(),
            more => vec![format!("{more} more operations overlap these")],
        };
        let proof = self.explanation.to_string();
        below.extend(proof.lines().skip(1).map(str::to_owned));
        let height = bottom + LINE * (below.len() as f64 + 1.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n",
            WIDTH + 2.0 * MARGIN,
            escaped(&proof),
        );
        let title = match self.explanation.key() {
            Some(key) => format!("record {key} of channel {}", self.explanation.channel()),
            None => format!("channel {}", self.explanation.channel()),
        };
        text(&mut svg, "title", MARGIN, 20.0, &title);
        self.axis(&mut svg, bottom);
        let mut last = None;
        for (number, row) in self.rows.iter().enumerate() {
            let y = TOP + ROW * number as f64;
            if last != Some(row.client) {
                line(
                    &mut svg,
                    "row",
                    8.0,
                    y - 4.0,
                    MARGIN * 2.0 + WIDTH - 8.0,
                    y - 4.0,
                );
                text(
                    &mut svg,
                    "",
                    8.0,
                    y + 15.0,
                    &format!("client {}", row.client),
                );
            }
            last = Some(row.client);
        }
        for bar in &self.bars {
            self.bar(&mut svg, bar);
        }
        for (number, words) in (1..).zip(&below) {
            let y = bottom + LINE * f64::from(number);
            // SVG joins spaces; the indentation of the words becomes a distance.
            let indent = words.len() - words.trim_start().len();
            let x = MARGIN + indent.saturating_sub(4) as f64 * CHARACTER;
            text(&mut svg, "", x, y, words.trim_start());
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Marks where the proof's operations begin and end, with the times as far as there is room.
    fn axis(&self, svg: &mut String, bottom: f64) {
        let proof = self.bars.iter().filter(|bar| bar.proof);
        let mut times: Vec<i64> = proof
            .flat_map(|bar| [Some(bar.entry.invoked), returned(bar.entry)])
            .flatten()
            .collect();
        times.sort_unstable();
        times.dedup();
        let mut taken = 0.0;
        for time in times {
            let x = self.x(time);
            line(svg, "mark", x, TOP - 12.0, x, bottom);
            let shown = time.to_string();
            let half = shown.len() as f64 * CHARACTER / 2.0;
            if x - half > taken {
                text(svg, "time", x, TOP - 16.0, &shown);
                taken = x + half + CHARACTER;
            }
        }
    }

    fn bar(&self, svg: &mut String, bar: &Bar<'_>) {
        let entry = bar.entry;
        let y = TOP + ROW * bar.row as f64;
        let (from, to) = (bar.from, bar.to);
        let what = did(entry, self.explanation.channel());
        let when = match returned(entry) {
            Some(at) => format!("{} to {at}", entry.invoked),
            None => format!("{}, outcome unknown", entry.invoked),
        };
        let (class, class_of_label) = match bar.proof {
            true => ("bar proof", "named"),
            false => ("bar", ""),
        };
        // Unknown outcomes have no end.
        let dashes = if entry.returned.is_none() {
            " stroke-dasharray=\"4 3\""
        } else {
            ""
        };
        let _ = writeln!(
            svg,
            "<g><title>client {}: {} ({when})</title><rect class=\"{class}\" x=\"{from:.1}\" \
             y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\"{dashes}/></g>",
            entry.client,
            escaped(&what),
            (to - from).max(2.0),
        );
        if !bar.label.is_empty() {
            text(svg, class_of_label, bar.text, y + 15.0, &bar.label);
        }
    }

    /// The text in a bar. One that does not fit is left out unless it is of the proof; pointing at a bar shows it.
    fn label(&self, entry: &Entry, width: f64, proof: bool) -> String {
        let what = did(entry, self.explanation.channel());
        let room = match proof {
            true => usize::MAX,
            false => (width / CHARACTER).max(0.0) as usize,
        };
        match what.chars().count() {
            length if length > room => String::new(),
            length if length > TEXT => what.chars().take(TEXT - 3).chain("...".chars()).collect(),
            _ => what,
        }
    }

    /// Where a time is drawn. What is outside lies on the margins.
    fn x(&self, time: i64) -> f64 {
        let span = self.end as f64 - self.start as f64;
        let part = (time as f64 - self.start as f64) / span;
        (MARGIN + part * WIDTH).clamp(MARGIN - 10.0, MARGIN + WIDTH + 10.0)
    }
}

fn returned(entry: &Entry) -> Option<i64> {
    entry.returned.as_ref().map(|returned| returned.at)
}

fn concerns(entry: &Entry, explanation: &Explanation) -> bool {
    match &entry.operation {
        Operation::RemoveChannel(channel) => channel == explanation.channel(),
        Operation::GetChannels => explanation.key().is_none(),
        operation => operation.record().is_some_and(|record| {
            record.channel == *explanation.channel()
                && explanation.key().is_none_or(|key| record.key == *key)
        }),
    }
}

fn line(svg: &mut String, class: &str, x1: f64, y1: f64, x2: f64, y2: f64) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let _ = writeln!(
        svg,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    // XML has no other control characters.
    let is_strange = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}');
    escape(text.replace(is_strange, "\u{fffd}")).into_owned()
}
