//! The chart as lines of text.

use super::about::{head, role, tail};
use super::layout::{Layout, digits};
use super::lines::{Across, Line, Part, Piece, SHORT, What, lines};
use super::words::{Alphabet, clean, cut, length, wrap};
use super::{Chart, Ending};

/// No chart is narrower, in characters: it could not be read.
pub const NARROWEST: usize = 40;
/// No chart is wider, in characters.
pub const WIDEST: usize = 400;

/// The words of the head and the end take no more lines.
const LINES: usize = 12;
/// So far from its lane the label of an arrow begins.
const LABEL: usize = 4;

/// What a chart in text is drawn with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Glyphs {
    /// Box drawing characters.
    #[default]
    Unicode,
    /// Nothing but ASCII, in the words as well.
    Ascii,
}

/// The chart in text.
pub(super) fn draw(chart: &Chart, width: usize, glyphs: Glyphs) -> String {
    let alphabet = match glyphs {
        Glyphs::Unicode => Alphabet::Unicode,
        Glyphs::Ascii => Alphabet::Ascii,
    };
    let width = width.clamp(NARROWEST, WIDEST);
    let chart = clean(chart, alphabet);
    let page = Page {
        layout: Layout::of(&chart, width),
        pen: Pen::of(glyphs),
        chart: &chart,
        alphabet,
    };
    page.draw()
}

struct Page<'c> {
    layout: Layout,
    pen: Pen,
    chart: &'c Chart,
    alphabet: Alphabet,
}

impl Page<'_> {
    fn draw(&self) -> String {
        let mut text = String::new();
        let width = self.layout.width;
        for words in head(self.chart) {
            push(&mut text, wrap(&words, width, LINES, self.alphabet));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if !self.chart.lanes.is_empty() {
            self.names(&mut text);
            push(&mut text, [self.lanes(self.pen.top).text()]);
        }
        let lines = lines(self.chart, &self.layout, self.alphabet);
        for (index, line) in lines.iter().enumerate() {
            let last = index + 1 == lines.len();
            push(&mut text, [self.line(line, last)]);
        }
        if !self.chart.lanes.is_empty() {
            push(&mut text, [self.lanes(self.pen.bottom).text()]);
        }
        for words in tail(self.chart) {
            push(&mut text, wrap(&words, width, LINES, self.alphabet));
        }
        text
    }

    /// The names of the lanes, and below what they are if the names do not say it.
    fn names(&self, text: &mut String) {
        let lanes = &self.chart.lanes;
        let told = lanes
            .iter()
            .all(|lane| lane.name.to_lowercase().contains(role(lane.role)));
        let names = lanes.iter().map(|lane| lane.name.as_str());
        push(text, [self.centred(names)]);
        if !told {
            let roles = lanes.iter().map(|lane| role(lane.role));
            push(text, [self.centred(roles)]);
        }
    }

    fn centred<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let mut canvas = Canvas::of(self.layout.width);
        for ((lane, name), column) in names.enumerate().zip(&self.layout.columns) {
            let name = cut(name, self.layout.room_for_name(lane), self.alphabet);
            canvas.put(column.saturating_sub(length(&name) / 2), &name);
        }
        canvas.text()
    }

    fn lanes(&self, glyph: char) -> Canvas {
        let mut canvas = Canvas::of(self.layout.width);
        for &column in &self.layout.columns {
            canvas.set(column, glyph);
        }
        canvas
    }

    fn line(&self, line: &Line, last: bool) -> String {
        let mut canvas = self.lanes(self.pen.lane);
        if let Some(Ending::RepeatsFrom(from)) = self.chart.ending
            && line.row >= from
        {
            let glyph = match (line.row == from && line.first, last) {
                (true, _) => self.pen.repeat.0,
                (false, false) => self.pen.repeat.1,
                (false, true) => self.pen.repeat.2,
            };
            canvas.set(0, glyph);
            if line.row == from && line.first {
                canvas.set(1, '>');
            }
        }
        if line.first {
            let number = (line.row + 1).to_string();
            let column = 2 + digits(self.chart).max(2) - length(&number);
            canvas.put(column, &number);
        }
        for piece in &line.pieces {
            self.piece(&mut canvas, piece);
        }
        canvas.text()
    }

    fn piece(&self, canvas: &mut Canvas, piece: &Piece) {
        let (from, to) = (piece.from, piece.to);
        let wide = to.saturating_sub(from);
        match &piece.what {
            What::Words { text, right, dot } => {
                let dot = dot.as_ref();
                let glyph = dot.map(|dot| {
                    if dot.user {
                        self.pen.user
                    } else {
                        self.pen.dot
                    }
                });
                // One column for the lane, one between.
                let inside = length(text) + 2;
                let (lane, words) = match right {
                    true => (to.saturating_sub(1), to.saturating_sub(inside)),
                    false => (from, from + 2),
                };
                canvas.put(words, text);
                if let Some(glyph) = glyph {
                    canvas.set(lane, glyph);
                }
            }
            What::Arrow {
                part,
                lost,
                rightward,
                label,
                ..
            } => {
                let arrow = self.arrow(wide, label, *part, *lost, *rightward);
                let at = match (*part, *rightward) {
                    (Part::Start, true) | (Part::End, false) => from,
                    _ => to.saturating_sub(length(&arrow)),
                };
                canvas.put(at, &arrow);
            }
            What::Label { text, rightward } => {
                let at = match rightward {
                    true => from + LABEL,
                    false => to.saturating_sub(length(text) + LABEL),
                };
                canvas.put(at, text);
            }
            What::Across { text, kind } => {
                let fill = match kind {
                    Across::Elsewhere => '~',
                    Across::Breaks => 'x',
                    Across::Returns => '=',
                };
                canvas.put(from, &across(text, fill, wide));
            }
            What::Violation(text) => {
                canvas.put(from, &" ".repeat(wide));
                canvas.put(from, "!!");
                canvas.put(from + 3, text);
            }
        }
    }

    /// An arrow, drawn rightward and turned round if it goes left.
    fn arrow(&self, wide: usize, label: &str, part: Part, lost: bool, rightward: bool) -> String {
        let pen = &self.pen;
        let label: String = match rightward {
            true => label.to_owned(),
            false => label.chars().rev().collect(),
        };
        let head = match (lost, rightward) {
            (true, _) => 'x',
            (false, true) => '>',
            (false, false) => '<',
        };
        let line = |columns: usize| pen.line.to_string().repeat(columns);
        let flight = |columns: usize| pen.flight.to_string().repeat(columns);
        // A lost message does not come near to its lane.
        let short = if lost { SHORT.min(wide) } else { 0 };
        let free = (wide - short).saturating_sub(length(&label) + 5);
        let (solid, dashed) = (free.min(2), free.saturating_sub(2).min(3));
        let arrow = match part {
            Part::Start => format!("o{} {label} {}{}", line(2), line(solid), flight(dashed)),
            Part::End => format!(
                "{}{} {label} {}{head}",
                flight(dashed),
                line(solid),
                line(2)
            ),
            Part::Whole => format!(
                "o{} {label} {}{head}",
                line(2),
                line(free.saturating_sub(1))
            ),
        };
        let arrow = format!("{arrow}{}", " ".repeat(short));
        match rightward {
            true => arrow,
            false => arrow.chars().rev().collect(),
        }
    }
}

/// Words in the middle of a line.
fn across(text: &str, fill: char, wide: usize) -> String {
    let words = format!(" {text} ");
    let free = wide.saturating_sub(length(&words));
    // From the words outwards: they have the same distance on both sides.
    let side = |columns: usize| [fill, ' '].into_iter().cycle().take(columns);
    let right: String = side(free - free / 2).collect();
    let left: String = side(free / 2).collect();
    let left: String = left.chars().rev().collect();
    format!("{left}{words}{right}")
}

fn push(text: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// The characters a chart is drawn with.
struct Pen {
    lane: char,
    top: char,
    bottom: char,
    line: char,
    /// Of an arrow whose other end is in another row.
    flight: char,
    dot: char,
    user: char,
    /// Beside the steps that are repeated: the first line, those between, the last.
    repeat: (char, char, char),
}

impl Pen {
    fn of(glyphs: Glyphs) -> Self {
        match glyphs {
            Glyphs::Unicode => Self {
                lane: '│',
                top: '┬',
                bottom: '┴',
                line: '─',
                flight: '╌',
                dot: '●',
                user: '◆',
                repeat: ('╭', '│', '╰'),
            },
            Glyphs::Ascii => Self {
                lane: '|',
                top: '+',
                bottom: '+',
                line: '-',
                flight: '.',
                dot: '*',
                user: '@',
                repeat: ('+', ':', '+'),
            },
        }
    }
}

/// A line of text of which any column can be set; what is outside is left out.
struct Canvas(Vec<char>);

impl Canvas {
    fn of(width: usize) -> Self {
        Self(vec![' '; width])
    }

    fn set(&mut self, column: usize, c: char) {
        if let Some(cell) = self.0.get_mut(column) {
            *cell = c;
        }
    }

    fn put(&mut self, column: usize, text: &str) {
        for (column, c) in (column..).zip(text.chars()) {
            self.set(column, c);
        }
    }

    fn text(&self) -> String {
        self.0.iter().collect()
    }
}
