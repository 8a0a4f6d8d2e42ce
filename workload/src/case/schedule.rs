//! The schedule of a round: in which order its messages are delivered.
//!
//! While a round with a schedule runs, all messages of requests are held between the clients and the
//! node, and pass as its moves say. So what depends on the order in which messages of overlapping
//! requests arrive comes out the same each time.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// One thing that a schedule lets happen. The next move is made when what this one sets off has.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// The lane begins its next step, when it has ended the one before.
    Start(usize),
    /// The next held message of a request passes to the node.
    ToNode(Whose),
    /// The next held message for a request passes to the client.
    ToClient(Whose),
    /// All messages of the lane's step pass, in both directions, until the step has ended.
    End(usize),
    /// The connection ends. What is held on it is lost; the client opens a new one.
    Cut(usize),
}

/// Which request is meant.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Whose {
    /// That of the step which this lane has begun last.
    Lane(usize),
    /// That of the stream or the Update with this name.
    Named(String),
}

impl Move {
    /// The lane that it names, if it does.
    pub fn lane(&self) -> Option<usize> {
        match self {
            Self::Start(lane)
            | Self::End(lane)
            | Self::ToNode(Whose::Lane(lane))
            | Self::ToClient(Whose::Lane(lane)) => Some(*lane),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn lane_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Start(lane)
            | Self::End(lane)
            | Self::ToNode(Whose::Lane(lane))
            | Self::ToClient(Whose::Lane(lane)) => Some(lane),
            _ => None,
        }
    }

    /// The stream or the Update that it names, if it does.
    pub fn handle(&self) -> Option<&str> {
        match self {
            Self::ToNode(Whose::Named(name)) | Self::ToClient(Whose::Named(name)) => Some(name),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn handle_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::ToNode(Whose::Named(name)) | Self::ToClient(Whose::Named(name)) => Some(name),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Whose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhoseVisitor)
    }
}

/// A number or a text; an error of its own says more than that nothing matches.
struct WhoseVisitor;

impl Visitor<'_> for WhoseVisitor {
    type Value = Whose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a lane, or the name of a stream or an Update")
    }

    fn visit_u64<E: de::Error>(self, lane: u64) -> Result<Whose, E> {
        let lane = usize::try_from(lane);
        lane.map(Whose::Lane)
            .map_err(|_| E::custom("no case has so many lanes"))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Whose, E> {
        Ok(Whose::Named(name.to_owned()))
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(lane) => write!(f, "start lane {lane}"),
            Self::ToNode(whose) => write!(f, "a message of {whose} to the node"),
            Self::ToClient(whose) => write!(f, "a message of {whose} to the client"),
            Self::End(lane) => write!(f, "end the step of lane {lane}"),
            Self::Cut(connection) => write!(f, "cut connection {connection}"),
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane(lane) => write!(f, "lane {lane}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_written_as_they_are_read() {
        for (json, shown) in [
            (r#"{"start":0}"#, "start lane 0"),
            (r#"{"to_node":1}"#, "a message of lane 1 to the node"),
            (r#"{"to_client":"m1"}"#, "a message of m1 to the client"),
            (r#"{"end":2}"#, "end the step of lane 2"),
            (r#"{"cut":0}"#, "cut connection 0"),
        ] {
            let read: Move = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
            assert_eq!(read.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_move_is_refused() {
        for (json, why) in [
            (r#"{"begin":0}"#, "unknown variant `begin`"),
            (r#"{"start":"u1"}"#, "invalid type: string"),
            (r#"{"to_node":-1}"#, "the number of a lane, or the name"),
            (r#"{"to_node":0,"messages":2}"#, "expected"),
        ] {
            let error = serde_json::from_str::<Move>(json).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
