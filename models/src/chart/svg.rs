//! The chart as an SVG document.
//!
//! The lines are those of the chart in text, one below the other; an arrow slants from the line in which a
//! message is sent to the one in which it arrives. Words stand above their arrow.

mod arrow;
mod sheet;

use std::fmt::Write;

use quick_xml::escape::escape;

use super::about::{head, role, tail};
use super::layout::Layout;
use super::lines::{Across, Dot, Line, Part, Piece, What, lines};
use super::words::{Alphabet, clean, cut, length, wrap};
use super::{Chart, Ending, Role};

use arrow::BELOW;
use sheet::{Anchor, Sheet};

/// As wide as a chart becomes, in characters.
const COLUMNS: usize = 150;
/// Of a character: a little more than most need.
const CHARACTER: f64 = 7.0;
/// Of a line of the chart.
const LINE: f64 = 24.0;
/// Of a line of the head.
const HEAD: f64 = 18.0;
const MARGIN: f64 = 14.0;
/// Of the box with a lane's name, and what is below it.
const BOX: f64 = 36.0;
const BELOW_BOX: f64 = 6.0;
/// Between a lane and words.
const BESIDE: f64 = 10.0;
/// The words of the head and the end take no more lines.
const LINES: usize = 12;

const STYLE: &str = "\
text{font:11px sans-serif;fill:#777}\
.title{font-size:13px;font-weight:bold}\
.name{font-weight:bold}\
.role{font-size:9px}\
.user{font-style:italic}\
.number{fill:#8889}\
.box{fill:#8884;stroke:#888}\
.lane{stroke:#8886}\
.arrow{stroke:#4a86c5;stroke-width:1.5;fill:none}\
.head,.label{fill:#4a86c5}\
.open{stroke-dasharray:4 3}\
.cross{stroke:#d5503a;stroke-width:2;fill:none}\
.dot{fill:#888}\
.across{stroke:#888a;stroke-dasharray:2 4}\
.back{stroke:#888}\
.repeat{stroke:#888;stroke-width:1.5;fill:none}\
.bad{fill:#d5503a22}\
.named{fill:#d5503a;font-weight:bold}";

/// The drawing.
pub(super) fn draw(chart: &Chart) -> String {
    let chart = clean(chart, Alphabet::Unicode);
    let layout = Layout::of(&chart, COLUMNS);
    let lines = lines(&chart, &layout, Alphabet::Unicode);
    let above = wrapped(&head(&chart), &layout);
    let below = wrapped(&tail(&chart), &layout);
    let top = MARGIN + HEAD * above.len() as f64 + 4.0;
    let names = if chart.lanes.is_empty() { 0.0 } else { BOX };
    let drawing = Drawing {
        chart: &chart,
        first: top + names + LINE / 2.0,
        bottom: top + names + LINE * (lines.len() as f64 + 0.25),
        layout,
        lines,
        sheet: Sheet::default(),
    };
    drawing.document(&above, &below, top)
}

fn wrapped(words: &[String], layout: &Layout) -> Vec<String> {
    let lines = words.iter();
    lines
        .flat_map(|words| wrap(words, layout.width, LINES, Alphabet::Unicode))
        .collect()
}

struct Drawing<'c> {
    chart: &'c Chart,
    layout: Layout,
    lines: Vec<Line>,
    /// Where the words of the first line are.
    first: f64,
    /// Where the lanes end.
    bottom: f64,
    sheet: Sheet,
}

impl Drawing<'_> {
    fn document(mut self, above: &[String], below: &[String], top: f64) -> String {
        for (line, words) in above.iter().enumerate() {
            let class = if line == 0 { "title" } else { "" };
            let y = MARGIN + HEAD * line as f64 + 8.0;
            self.sheet.text(class, Anchor::Start, MARGIN, y, words);
        }
        self.bad();
        self.repeat();
        self.lanes(top);
        self.arrows();
        for (index, line) in std::mem::take(&mut self.lines).iter().enumerate() {
            self.line(self.y(index), line);
        }
        for (line, words) in (1..).zip(below) {
            let y = self.bottom + HEAD * f64::from(line);
            self.sheet.text("", Anchor::Start, MARGIN, y, words);
        }
        let width = 2.0 * MARGIN + self.layout.width as f64 * CHARACTER;
        let height = self.bottom + HEAD * below.len() as f64 + MARGIN;
        let about: Vec<&str> = above.iter().chain(below).map(String::as_str).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n{}</svg>\n",
            escape(about.join(" ")),
            self.sheet.elements(width, height),
        )
    }

    /// Behind the row in which the property becomes false.
    fn bad(&mut self) {
        let of_row = |line: &Line| Some(line.row) == self.chart.bad;
        let Some(first) = self.lines.iter().position(of_row) else {
            return;
        };
        let lines = self.lines.iter().filter(|line| of_row(line)).count();
        let _ = writeln!(
            self.sheet.above,
            "<rect class=\"bad\" x=\"{MARGIN:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            self.y(first) - LINE + 9.0,
            self.layout.width as f64 * CHARACTER,
            lines as f64 * LINE,
        );
    }

    /// A way back from the last row to where it all begins again.
    fn repeat(&mut self) {
        let Some(Ending::RepeatsFrom(row)) = self.chart.ending else {
            return;
        };
        let Some(first) = self.lines.iter().position(|line| line.row >= row) else {
            return;
        };
        let (above, below) = (self.y(first) - 4.0, self.bottom - 6.0);
        let (near, far) = (MARGIN, MARGIN / 2.0 - 1.0);
        let _ = writeln!(
            self.sheet.above,
            "<path class=\"repeat\" d=\"M{near:.1} {below:.1}H{far:.1}V{above:.1}H{near:.1}m-4 -3l4 3l-4 3\"/>",
        );
    }

    fn lanes(&mut self, top: f64) {
        let lanes = self.chart.lanes.iter().zip(self.layout.columns.clone());
        for (index, (lane, column)) in lanes.enumerate() {
            let x = self.x(column);
            let room = self.layout.room_for_name(index);
            let name = cut(&lane.name, room, Alphabet::Unicode);
            let kind = role(lane.role);
            let said = lane.name.to_lowercase().contains(kind);
            let shown = length(&name).max(if said { 0 } else { kind.len() });
            let wide = (shown as f64 * CHARACTER + 14.0).max(28.0);
            let round = match lane.role {
                Role::User => 12,
                Role::Client => 5,
                Role::Node => 0,
            };
            let (left, high) = (x - wide / 2.0, BOX - BELOW_BOX);
            let _ = writeln!(
                self.sheet.lines,
                "<line class=\"lane\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
                top + high,
                self.bottom,
            );
            let _ = writeln!(
                self.sheet.above,
                "<rect class=\"box\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{high}\" rx=\"{round}\"/>",
            );
            let of_name = top + if said { 19.0 } else { 14.0 };
            self.sheet.text("name", Anchor::Middle, x, of_name, &name);
            if !said {
                self.sheet.text("role", Anchor::Middle, x, top + 25.0, kind);
            }
        }
    }

    fn line(&mut self, y: f64, line: &Line) {
        if line.first {
            let x = self.x(self.layout.gutter.saturating_sub(3));
            let number = (line.row + 1).to_string();
            self.sheet.text("number", Anchor::End, x, y, &number);
        }
        for piece in &line.pieces {
            self.piece(y, piece);
        }
    }

    fn piece(&mut self, y: f64, piece: &Piece) {
        let (left, right) = (self.x(piece.from), self.x(piece.to) - CHARACTER);
        let beside = |at_right: bool| match at_right {
            true => (Anchor::End, right - BESIDE),
            false => (Anchor::Start, left + BESIDE),
        };
        match &piece.what {
            What::Words { text, right, dot } => {
                if let Some(dot) = dot {
                    self.dot(dot, y);
                }
                let class = if dot.is_some_and(|dot| dot.user) {
                    "user"
                } else {
                    ""
                };
                let (anchor, x) = beside(*right);
                self.sheet.words(class, anchor, x, y, text);
            }
            // The label is where the message is sent.
            What::Arrow {
                part: Part::End, ..
            } => {}
            What::Arrow {
                rightward,
                label: text,
                ..
            }
            | What::Label { rightward, text } => {
                let (anchor, x) = beside(!rightward);
                self.sheet.words("label", anchor, x, y, text);
            }
            What::Across { text, kind } => {
                let middle = (left + right) / 2.0;
                let class = if *kind == Across::Breaks { "named" } else { "" };
                self.across(*kind, left, right, y + BELOW);
                self.sheet.words(class, Anchor::Middle, middle, y, text);
            }
            What::Violation(text) => {
                let text = format!("!! {text}");
                self.sheet.words("named", Anchor::Start, left, y, &text);
            }
        }
    }

    fn dot(&mut self, dot: &Dot, y: f64) {
        let x = self.x(self.layout.column(dot.lane).unwrap_or_default());
        let y = y - 4.0;
        let _ = match dot.user {
            true => writeln!(
                self.sheet.above,
                "<path class=\"dot\" d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5Z\"/>",
                y - 5.0,
            ),
            false => writeln!(
                self.sheet.above,
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>",
            ),
        };
    }

    fn across(&mut self, kind: Across, left: f64, right: f64, y: f64) {
        let class = match kind {
            Across::Elsewhere => "across",
            Across::Returns => "back",
            Across::Breaks => {
                let mut crosses = String::new();
                let mut x = left + 4.0;
                while x + 6.0 < right {
                    let _ = write!(crosses, "M{x:.1} {:.1}l6 6m0 -6l-6 6", y - 3.0);
                    x += 16.0;
                }
                let _ = writeln!(self.sheet.lines, "<path class=\"cross\" d=\"{crosses}\"/>");
                return;
            }
        };
        let _ = writeln!(
            self.sheet.lines,
            "<line class=\"{class}\" x1=\"{left:.1}\" y1=\"{y:.1}\" x2=\"{right:.1}\" y2=\"{y:.1}\"/>",
        );
    }

    /// Where a column is.
    fn x(&self, column: usize) -> f64 {
        MARGIN + (column as f64 + 0.5) * CHARACTER
    }

    /// Where the words of a line are.
    fn y(&self, line: usize) -> f64 {
        self.first + LINE * line as f64
    }
}
