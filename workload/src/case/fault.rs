//! Faults: what goes wrong between client and node, or with the node.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What goes wrong between client and node, or with the node.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A connection ends when some more has passed on it.
    Cut {
        /// Which connection.
        connection: usize,
        /// Which direction is counted.
        direction: Direction,
        /// So many more messages pass whole. The client opens a new connection afterwards.
        messages: u32,
        /// And so many bytes of the next one.
        #[serde(default, skip_serializing_if = "is_zero")]
        bytes: u32,
    },
    /// From now on both directions pass in pieces of so many bytes; 0: as they come.
    Split {
        /// Which connection.
        connection: usize,
        /// How many bytes a piece has.
        bytes: u32,
    },
    /// From now on what the client sends is kept until so many messages are together, or nothing else
    /// happens; then they go out as one piece. 0 or 1: as they come.
    Coalesce {
        /// Which connection.
        connection: usize,
        /// How many messages.
        messages: u32,
    },
    /// One direction stands still until so many messages have passed on others, or nothing else happens.
    Stall {
        /// Which connection.
        connection: usize,
        /// Which direction.
        direction: Direction,
        /// How many messages.
        messages: u32,
    },
    /// The node's process is halted for so many milliseconds. Only for a node that was started for the run.
    Halt {
        /// How long.
        ms: u32,
    },
    /// The node's process is killed and started again. Only for a node that was started for the run.
    Kill {},
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What the client sends.
    ToNode,
    /// What the node sends.
    ToClient,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut {
                connection,
                direction,
                messages,
                bytes,
            } => {
                write!(
                    f,
                    "cut connection {connection} after {messages} more messages"
                )?;
                if *bytes > 0 {
                    write!(f, " and {bytes} bytes")?;
                }
                write!(f, " {direction}")
            }
            Self::Split { connection, bytes } => {
                write!(f, "pass connection {connection} in pieces of {bytes} bytes")
            }
            Self::Coalesce {
                connection,
                messages,
            } => write!(
                f,
                "pass {messages} messages at once on connection {connection}"
            ),
            Self::Stall {
                connection,
                direction,
                messages,
            } => write!(
                f,
                "hold back what goes {direction} on connection {connection} until {messages} other messages have passed"
            ),
            Self::Halt { ms } => write!(f, "halt the node for {ms} ms"),
            Self::Kill {} => f.write_str("kill the node and start it again"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToNode => "to the node",
            Self::ToClient => "to the client",
        })
    }
}
