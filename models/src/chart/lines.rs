//! What is in each line of a chart: the same for text and for SVG.

use super::flight::{Flight, flights};
use super::layout::{Layout, called, ordered, told};
use super::words::{Alphabet, cut, length, wrap};
use super::{Chart, Mark, MessageId, Row};

/// Words at a lane take no more lines.
const LINES_OF_WORDS: usize = 4;
/// Words across the chart take no more lines.
const LINES_ACROSS: usize = 6;
/// What the two ends of an arrow take of its length, beside the label.
const ENDS: usize = 7;
/// So far from its lane a lost message ends.
pub(super) const SHORT: usize = 3;
/// Less of a label says nothing.
const LEAST_OF_LABEL: usize = 6;

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    /// Of which row it is.
    pub(super) row: usize,
    /// Whether it is the row's first.
    pub(super) first: bool,
    /// What is in it; nothing overlaps.
    pub(super) pieces: Vec<Piece>,
}

/// Something in a line.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Its first column.
    pub(super) from: usize,
    /// The column after its last.
    pub(super) to: usize,
    pub(super) what: What,
}

/// What a piece is.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Words, at the left or right end of the piece.
    Words {
        text: String,
        right: bool,
        /// In which lane something happens, if these are its first words.
        dot: Option<Dot>,
    },
    /// An arrow, or a part of it.
    Arrow {
        id: MessageId,
        part: Part,
        lost: bool,
        rightward: bool,
        /// The number, and the label if there is room.
        label: String,
    },
    /// The label of the arrow below.
    Label { text: String, rightward: bool },
    /// A line with words in it.
    Across { text: String, kind: Across },
    /// Something is wrong.
    Violation(String),
}

/// Where something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dot {
    pub(super) lane: usize,
    pub(super) user: bool,
}

/// How much of an arrow there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Start,
    End,
    Whole,
}

/// What a line across means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Across {
    /// Something happens in no lane.
    Elsewhere,
    Breaks,
    Returns,
}

/// The lines of all rows.
pub(super) fn lines(chart: &Chart, layout: &Layout, alphabet: Alphabet) -> Vec<Line> {
    let mut writer = Writer {
        chart,
        layout,
        alphabet,
        flights: flights(chart),
        drawn: vec![Drawn::default(); chart.messages.len()],
    };
    let rows = chart.rows.iter().enumerate();
    rows.flat_map(|(number, row)| writer.row(number, row))
        .collect()
}

struct Writer<'c> {
    chart: &'c Chart,
    layout: &'c Layout,
    alphabet: Alphabet,
    flights: Vec<Flight>,
    drawn: Vec<Drawn>,
}

/// Which ends of an arrow are there already.
#[derive(Clone, Copy, Default)]
struct Drawn {
    start: bool,
    end: bool,
}

/// Pieces one below the other.
struct Block {
    pieces: Vec<Piece>,
}

impl Writer<'_> {
    fn row(&mut self, number: usize, row: &Row) -> Vec<Line> {
        let mut page = Page::default();
        for mark in &row.marks {
            if let Some(block) = self.block(number, mark) {
                page.put(block);
            }
        }
        if self.chart.bad == Some(number) {
            let text = match &self.chart.property {
                Some(property) => format!("{} becomes false: {}", property.id, property.sentence),
                None => "here it goes wrong".to_owned(),
            };
            page.put(self.violation(&text));
        }
        if page.lines.is_empty() {
            page.lines.push(Vec::new());
        }
        let lines = page.lines.into_iter().enumerate();
        let lines = lines.map(|(line, pieces)| Line {
            row: number,
            first: line == 0,
            pieces,
        });
        lines.collect()
    }

    fn block(&mut self, row: usize, mark: &Mark) -> Option<Block> {
        Some(match mark {
            Mark::Sent(id) | Mark::Received(id) | Mark::Lost(id) => {
                let part = self.part(row, mark, *id)?;
                self.arrow(*id, part)?
            }
            Mark::Happens { lane, what } => self.words(*lane, what, false),
            Mark::Told { lane, what } => self.words(*lane, &told(what), true),
            Mark::Called { lane, what } => self.words(*lane, &called(what), true),
            Mark::Breaks { between } => self.connection(*between, Across::Breaks),
            Mark::Returns { between } => self.connection(*between, Across::Returns),
            Mark::Elsewhere(what) => self.across(what),
            Mark::Violation(what) => self.violation(what),
        })
    }

    /// What of an arrow this mark stands for, if it counts.
    fn part(&mut self, row: usize, mark: &Mark, id: MessageId) -> Option<Part> {
        let flight = *self.flights.get(id.0)?;
        let drawn = self.drawn.get_mut(id.0)?;
        let starts = flight.sent == Some(row) && !drawn.start;
        let ends = flight.end.is_some_and(|end| end.row == row) && !drawn.end;
        let part = match (starts, ends) {
            (true, true) => Part::Whole,
            (true, false) => Part::Start,
            (false, true) if *mark != Mark::Sent(id) => Part::End,
            _ => return None,
        };
        drawn.start |= part != Part::End;
        drawn.end |= part != Part::Start;
        Some(part)
    }

    fn arrow(&self, id: MessageId, part: Part) -> Option<Block> {
        let message = self.chart.messages.get(id.0)?;
        let lost = self.flights.get(id.0)?.end.is_some_and(|end| end.lost);
        let number = format!("#{}", id.0 + 1);
        let whole = format!("{number} {}", message.label);
        let (left, right) = ordered(message.from, message.to);
        let (left, right) = match (self.layout.column(left), self.layout.column(right)) {
            (Some(left), Some(right)) if message.from != message.to => (left, right),
            (Some(_), Some(_)) => {
                return Some(self.words(message.from, &said(&whole, part, lost), false));
            }
            // Nowhere to draw it.
            _ => return Some(self.across(&said(&whole, part, lost))),
        };
        let rightward = message.from < message.to;
        // The lane of the sender belongs to it, that of the receiver does not.
        let (from, to) = match (part, rightward) {
            (Part::End, _) => (left + 1, right),
            (_, true) => (left, right),
            (_, false) => (left + 1, right + 1),
        };
        let lost = lost && part != Part::Start;
        let taken = if lost { ENDS + SHORT } else { ENDS };
        let room = to.saturating_sub(from).saturating_sub(taken);
        let mut pieces = Vec::new();
        let label = if length(&whole) <= room {
            whole
        } else if part == Part::End {
            // All of it stands where the message is sent.
            self.shortened(&number, &message.label, room)
        } else {
            let inside = to.saturating_sub(from + 6);
            let lines = wrap(&whole, inside, LINES_OF_WORDS, self.alphabet);
            pieces.extend(lines.into_iter().map(|text| Piece {
                from,
                to,
                what: What::Label { text, rightward },
            }));
            cut(&number, room, self.alphabet)
        };
        let what = What::Arrow {
            id,
            part,
            lost,
            rightward,
            label,
        };
        pieces.push(Piece { from, to, what });
        Some(Block { pieces })
    }

    /// The number, and of the label what there is room for, if that says anything.
    fn shortened(&self, number: &str, label: &str, room: usize) -> String {
        match room.checked_sub(length(number) + 1) {
            Some(left @ LEAST_OF_LABEL..) => {
                format!("{number} {}", cut(label, left, self.alphabet))
            }
            _ => cut(number, room, self.alphabet),
        }
    }

    fn words(&self, lane: usize, text: &str, user: bool) -> Block {
        if self.layout.column(lane).is_none() {
            return self.across(text);
        }
        let right = self.layout.to_the_left(lane);
        let (from, to) = self.layout.beside(lane);
        let room = to.saturating_sub(from + 2);
        let lines = wrap(text, room, LINES_OF_WORDS, self.alphabet);
        let pieces = lines.into_iter().enumerate().map(|(line, text)| {
            let dot = (line == 0).then_some(Dot { lane, user });
            // The dot is in the lane.
            let (from, to) = match right {
                true => (from, to + 1),
                false => (from - 1, to),
            };
            let what = What::Words { text, right, dot };
            Piece { from, to, what }
        });
        Block {
            pieces: pieces.collect(),
        }
    }

    fn connection(&self, between: (usize, usize), kind: Across) -> Block {
        let words = match kind {
            Across::Returns => "connection is back",
            _ => "connection breaks",
        };
        let (left, right) = ordered(between.0, between.1);
        let (Some(left), Some(right)) = (self.layout.column(left), self.layout.column(right))
        else {
            return self.across(words);
        };
        if right.saturating_sub(left) < 6 {
            return self.across(words);
        }
        let text = cut(words, right - left - 5, self.alphabet);
        let what = What::Across { text, kind };
        Block {
            pieces: vec![Piece {
                from: left + 1,
                to: right,
                what,
            }],
        }
    }

    fn across(&self, text: &str) -> Block {
        let (from, to) = (self.layout.gutter, self.layout.width);
        let room = to.saturating_sub(from + 6);
        let lines = wrap(text, room, LINES_ACROSS, self.alphabet);
        let pieces = lines.into_iter().map(|text| Piece {
            from,
            to,
            what: What::Across {
                text,
                kind: Across::Elsewhere,
            },
        });
        Block {
            pieces: pieces.collect(),
        }
    }

    fn violation(&self, text: &str) -> Block {
        let (from, to) = (self.layout.gutter, self.layout.width);
        let room = to.saturating_sub(from + 3);
        let lines = wrap(text, room, LINES_ACROSS, self.alphabet);
        let pieces = lines.into_iter().map(|text| Piece {
            from,
            to,
            what: What::Violation(text),
        });
        Block {
            pieces: pieces.collect(),
        }
    }
}

/// The lines of one row while they are filled.
#[derive(Default)]
struct Page {
    lines: Vec<Vec<Piece>>,
    /// Further blocks may begin in this line, beside these columns.
    open: Option<(usize, usize, usize)>,
}

impl Page {
    /// Puts a block beside the one before if they do not overlap, else below.
    fn put(&mut self, block: Block) {
        let from = block.pieces.iter().map(|piece| piece.from).min();
        let to = block.pieces.iter().map(|piece| piece.to).max();
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        // Beside an arrow is beside its line, which is the last of its block.
        let arrow = block
            .pieces
            .iter()
            .position(|piece| matches!(piece.what, What::Arrow { .. }));
        let anchor = arrow.unwrap_or_default();
        let first = match self.open {
            Some((line, left, right)) if anchor == 0 && (from >= right || to <= left) => {
                self.open = Some((line, left.min(from), right.max(to)));
                line
            }
            _ => {
                let line = self.lines.len();
                self.open = Some((line + anchor, from, to));
                line
            }
        };
        for (line, piece) in (first..).zip(block.pieces) {
            match self.lines.get_mut(line) {
                Some(pieces) => pieces.push(piece),
                None => self.lines.push(vec![piece]),
            }
        }
    }
}

/// A message in words, for one that cannot be drawn as an arrow.
fn said(message: &str, part: Part, lost: bool) -> String {
    match (part, lost) {
        (Part::Start, _) => format!("sends {message}"),
        (Part::End, true) => format!("loses {message}"),
        (Part::End, false) => format!("receives {message}"),
        (Part::Whole, true) => format!("sends and loses {message}"),
        (Part::Whole, false) => format!("sends itself {message}"),
    }
}
