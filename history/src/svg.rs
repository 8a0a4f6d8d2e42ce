//! A drawing of the overlap around a fault: a bar for each operation, a row or more for each client.
//!
//! One SVG file that needs nothing else, readable on light and dark ground. Times are drawn to scale within
//! what is shown: the operations that prove the fault, and those on the same record that overlap them.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

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
const CHARACTER: f64 = 6.2;

const STYLE: &str = "\
text{font:11px ui-monospace,monospace;fill:#777}\
.title{font-size:13px;font-weight:bold}\
.bar{fill:#8884;stroke:#888}\
.proof{fill:#d5503a55;stroke:#d5503a;stroke-width:2}\
.row{stroke:#8883}\
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
}

struct Row {
    client: u64,
    /// Until when it is taken, if it ever ends.
    taken: Option<i64>,
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

    /// Gives each operation a row of its client in which nothing overlaps it.
    fn place(&mut self, mut shown: Vec<(&'h Entry, bool)>) {
        shown.sort_by_key(|(entry, _)| (entry.client, entry.invoked));
        let mut rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (entry, proof) in shown {
            let own = rows.entry(entry.client).or_default();
            let free = own.iter().copied().find(|&row| {
                self.rows[row]
                    .taken
                    .is_some_and(|taken| taken < entry.invoked)
            });
            let row = free.unwrap_or_else(|| {
                self.rows.push(Row {
                    client: entry.client,
                    taken: None,
                });
                own.push(self.rows.len() - 1);
                self.rows.len() - 1
            });
            self.rows[row].taken = returned(entry);
            self.bars.push(Bar { entry, proof, row });
        }
    }

    fn document(&self) -> String {
        let height = TOP + ROW * self.rows.len() as f64 + 40.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n",
            WIDTH + 2.0 * MARGIN,
            escaped(&self.explanation.to_string()),
        );
        let title = match self.explanation.key() {
            Some(key) => format!("record {key} of channel {}", self.explanation.channel()),
            None => format!("channel {}", self.explanation.channel()),
        };
        text(&mut svg, "title", MARGIN, 20.0, &title);
        self.axis(&mut svg, height);
        let mut last = None;
        for (number, row) in self.rows.iter().enumerate() {
            let y = TOP + ROW * number as f64;
            if last != Some(row.client) {
                line(&mut svg, MARGIN, y - 4.0, MARGIN + WIDTH, y - 4.0);
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
        if self.left_out > 0 {
            let more = format!("{} more operations overlap these", self.left_out);
            text(&mut svg, "", MARGIN, height - 10.0, &more);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axis(&self, svg: &mut String, height: f64) {
        for (time, anchor) in [(self.start, 0.0), (self.end, -60.0)] {
            let x = self.x(time);
            line(svg, x, TOP - 12.0, x, height - 30.0);
            text(svg, "", x + anchor, TOP - 16.0, &time.to_string());
        }
    }

    fn bar(&self, svg: &mut String, bar: &Bar<'_>) {
        let entry = bar.entry;
        let y = TOP + ROW * bar.row as f64;
        let from = self.x(entry.invoked);
        let to = returned(entry).map_or(MARGIN * 2.0 + WIDTH, |at| self.x(at));
        let what = did(entry, self.explanation.channel());
        let when = match returned(entry) {
            Some(at) => format!("{} to {at}", entry.invoked),
            None => format!("{}, outcome unknown", entry.invoked),
        };
        let (class, label) = match bar.proof {
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
        // Texts of bars that are too narrow would cover each other; pointing at a bar shows it.
        let room = ((to - from) / CHARACTER).max(0.0) as usize;
        let room = if bar.proof { TEXT } else { room.min(TEXT) };
        if bar.proof || what.chars().count() <= room {
            let shown: String = what.chars().take(room).collect();
            let width = shown.chars().count() as f64 * CHARACTER;
            let x = (from + 4.0).min(WIDTH + 2.0 * MARGIN - width - 4.0);
            text(svg, label, x, y + 15.0, &shown);
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

fn line(svg: &mut String, x1: f64, y1: f64, x2: f64, y2: f64) {
    let _ = writeln!(
        svg,
        "<line class=\"row\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
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
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no other control characters.
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
