//! A run as a message sequence chart, in text ([`Chart::text`]) and as an SVG document ([`Chart::svg`]).
//!
//! A chart is plain data: lanes, messages between them, and a row of marks for each step of the run. Whoever has
//! a run makes a chart of it; nothing here knows a model. A mark may name a lane or message that does not exist:
//! what can be said of it is written across the chart, the rest is left out.
//!
//! ```text
//!                            client              node
//!                               ┬                  ┬
//!    1        user calls stop() ◆                  │
//!                               o── #1 Stop ──╌╌╌  │
//!    2                          │ ╌╌╌── #1 Stop ──>● ends the request
//!                               │   ╌╌╌── #2 Ack ──o
//!    3    user is told: stopped ◆<── #2 Ack ──╌╌╌  │
//!                               ┴                  ┴
//! ```
//!
//! A message leaves its lane at `o` and arrives at an arrowhead, under one number; if that is in different
//! rows, it was on its way in between. An `x` in place of the arrowhead is where it was lost.

mod about;
mod flight;
mod layout;
mod lines;
mod svg;
mod text;
mod words;

pub use text::{Glyphs, NARROWEST, WIDEST};

/// A run, step by step.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Chart {
    /// What was run.
    pub title: String,
    /// Who takes part, from left to right.
    pub lanes: Vec<Lane>,
    /// What was sent; a [`MessageId`] counts them from zero.
    pub messages: Vec<Message>,
    /// The steps in order; they are shown counted from one.
    pub rows: Vec<Row>,
    /// What the run is an example of, or against.
    pub property: Option<Property>,
    /// The row in which the property becomes false.
    pub bad: Option<usize>,
    /// How the run goes on for ever, if it does.
    pub ending: Option<Ending>,
}

/// Somebody who takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lane {
    /// The name above the lane.
    pub name: String,
    /// What it is.
    pub role: Role,
}

/// What a lane is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The user of a client.
    User,
    /// A client.
    Client,
    /// A node.
    Node,
}

/// A message from one lane to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The lane that sends it.
    pub from: usize,
    /// The lane it is for.
    pub to: usize,
    /// What it says, in a few words.
    pub label: String,
}

/// A message of a chart, by its place in [`Chart::messages`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId(pub usize);

/// One step.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row {
    /// What happens in it, in order.
    pub marks: Vec<Mark>,
}

/// Something that happens in a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mark {
    /// The message leaves its sender. Only the first time counts.
    Sent(MessageId),
    /// The message arrives. Only the first end of a message counts.
    Received(MessageId),
    /// The message will never arrive.
    Lost(MessageId),
    /// Something happens within a lane.
    Happens {
        /// Where.
        lane: usize,
        /// What, for instance `stores k0 = v1`.
        what: String,
    },
    /// The user of a client learns something.
    Told {
        /// The client.
        lane: usize,
        /// What, for instance `suspended`.
        what: String,
    },
    /// The user of a client does something.
    Called {
        /// The client.
        lane: usize,
        /// What, for instance `calls suspend()`.
        what: String,
    },
    /// The connection between two lanes breaks.
    Breaks {
        /// The lanes, in any order.
        between: (usize, usize),
    },
    /// The connection between two lanes is there again.
    Returns {
        /// The lanes, in any order.
        between: (usize, usize),
    },
    /// Something happens that is in no lane, for instance `another client writes k0 = v2`.
    Elsewhere(String),
    /// Something is wrong here.
    Violation(String),
}

/// What is to hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Property {
    /// Its id, for instance `P38`.
    pub id: String,
    /// The property in words.
    pub sentence: String,
}

/// How a run goes on for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The rows from this one on are repeated.
    RepeatsFrom(usize),
    /// Nothing happens any more.
    Stays,
}

impl Chart {
    /// A chart of nobody doing nothing.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Adds a lane to the right of the others, and says which it is.
    pub fn lane(&mut self, name: impl Into<String>, role: Role) -> usize {
        let name = name.into();
        self.lanes.push(Lane { name, role });
        self.lanes.len() - 1
    }

    /// Adds a message, for marks to name.
    pub fn message(&mut self, from: usize, to: usize, label: impl Into<String>) -> MessageId {
        let label = label.into();
        self.messages.push(Message { from, to, label });
        MessageId(self.messages.len() - 1)
    }

    /// Adds a step, and says which row it is.
    pub fn step(&mut self, marks: impl IntoIterator<Item = Mark>) -> usize {
        let marks = marks.into_iter().collect();
        self.rows.push(Row { marks });
        self.rows.len() - 1
    }

    /// The chart as lines of text, none longer than `width` characters, as far as that is at least
    /// [`NARROWEST`]; nor does a chart become wider than [`WIDEST`].
    pub fn text(&self, width: usize, glyphs: Glyphs) -> String {
        text::draw(self, width, glyphs)
    }

    /// The chart as an SVG document that needs nothing else, readable on light and dark ground.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }
}
