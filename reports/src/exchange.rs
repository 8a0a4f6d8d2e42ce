//! The message exchange of one case, as lines of text. Messages come here already dissected: no byte
//! layout is known to this crate.

use serde::{Deserialize, Serialize};

/// One message, or a remark between messages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// Which way it went.
    pub direction: Direction,
    /// The dissected message, or the remark.
    pub text: String,
    /// When, in milliseconds since the case began.
    #[serde(default)]
    pub ms: Option<u64>,
    /// Which connection it went over, such as `client 2`, where a check has several.
    #[serde(default)]
    pub connection: Option<String>,
}

/// Which way a line of an exchange went.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the node.
    ToNode,
    /// From the node to the client.
    ToClient,
    /// No message: a remark, such as a silence or a connection that ended.
    Note,
}

impl Line {
    /// A message from the client to the node.
    pub fn to_node(text: impl Into<String>) -> Self {
        Self::new(Direction::ToNode, text)
    }

    /// A message from the node to the client.
    pub fn to_client(text: impl Into<String>) -> Self {
        Self::new(Direction::ToClient, text)
    }

    /// A remark.
    pub fn note(text: impl Into<String>) -> Self {
        Self::new(Direction::Note, text)
    }

    /// The same line with its time, in milliseconds since the case began.
    #[must_use]
    pub fn at(mut self, ms: u64) -> Self {
        self.ms = Some(ms);
        self
    }

    /// The same line with the name of its connection.
    #[must_use]
    pub fn on(mut self, connection: impl Into<String>) -> Self {
        self.connection = Some(connection.into());
        self
    }

    fn new(direction: Direction, text: impl Into<String>) -> Self {
        Self {
            direction,
            text: text.into(),
            ms: None,
            connection: None,
        }
    }
}
