//! What clients do, and when: a case.
//!
//! A case has lanes and rounds. A lane does one step at a time, over one connection; several lanes may
//! share a connection, as an application has many requests under way at once. In a round the lanes work
//! side by side: each begins its first step, in the order in which they stand there, without waiting for
//! anybody, and goes on with its next one when that has ended. A round ends when all its steps have. So
//! rounds of one step are a sequence of operations, and one round with long lanes is a free run.
//!
//! GetAll and Mirror that go on over steps are streams with a name, and an Update that waits for a
//! decision has one as well; they stay from the step that begins them to the one that ends them, or to
//! the end of the case.
//!
//! Written as JSON this is the heart of a corpus file:
//!
//! ```json
//! { "lanes": [0, 1],
//!   "rounds": [
//!     [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
//!     [ {"lane": 0, "remove": {"channel": "c", "key": "k0"}},
//!       {"lane": 1, "get": {"channel": "c", "key": "k0"}} ] ] }
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::KeyName;
use crate::value::Value;

/// What clients do, and when. See the [module](self).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which connection each lane uses.
    pub lanes: Vec<usize>,
    /// What is done.
    pub rounds: Vec<Round>,
}

/// What lanes do side by side.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Round {
    /// The steps; those of one lane one after another.
    pub steps: Vec<Placed>,
}

/// A step and who does it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
pub struct Placed {
    /// Which lane.
    pub lane: usize,
    /// What it does.
    #[serde(flatten)]
    pub step: Step,
}

/// What a lane does until it has ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "the fields say what they are: names of channels, keys, values, streams"
)]
pub enum Step {
    /// Store a record.
    Put {
        channel: String,
        key: KeyName,
        value: Value,
    },
    /// Read a record.
    Get { channel: String, key: KeyName },
    /// Ask whether there is a record.
    Exists { channel: String, key: KeyName },
    /// Remove a record.
    Remove { channel: String, key: KeyName },
    /// Read a record, decide at once, and do so.
    Update {
        channel: String,
        key: KeyName,
        decision: Decision,
    },
    /// Read the records of a channel to the end.
    GetAll {
        channel: String,
        #[serde(default, skip_serializing_if = "is_false")]
        keys_only: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        filter: String,
    },
    /// List the channels.
    GetChannels {},
    /// Remove a channel.
    RemoveChannel { channel: String },
    /// Read a record for an Update that decides later.
    BeginUpdate {
        update: String,
        channel: String,
        key: KeyName,
    },
    /// Decide an Update that was begun. It ends.
    Decide { update: String, decision: Decision },
    /// Begin to read the records of a channel. The step ends when the request has started.
    OpenGetAll {
        stream: String,
        channel: String,
        #[serde(default, skip_serializing_if = "is_false")]
        keys_only: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        filter: String,
    },
    /// Begin to follow a channel. The step ends when the request has started.
    OpenMirror {
        stream: String,
        channel: String,
        /// Have all records sent at the start.
        refresh: bool,
    },
    /// Suspend a stream. The step ends when the node has agreed, or the stream is over.
    Suspend { stream: String },
    /// Resume a stream. The step ends as that of Suspend does.
    Resume { stream: String },
    /// Stop a stream. The step ends when it is over.
    Stop { stream: String },
    /// Read a GetAll to its end. Of a Mirror: compare it with the channel, until it has told all that is
    /// there; then stop it.
    Finish { stream: String },
    /// Something happens to a connection, or to the node. The step ends at once.
    Fault(Fault),
}

/// What an Update does with the record that it has read.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Store this instead.
    Replace(Value),
    /// Leave it.
    Leave,
    /// Delete it.
    Delete,
}

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

/// Where a step stands in a case.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct At {
    /// The round.
    pub round: usize,
    /// The step of the round.
    pub step: usize,
}

/// A case that cannot be run.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BadCase {
    #[error("round {round}, step {step}: there is no lane {lane}, only {lanes}")]
    NoLane {
        round: usize,
        step: usize,
        lane: usize,
        lanes: usize,
    },
    #[error("there are {0} connections; at most {MAX_CONNECTIONS} can be used")]
    TooManyConnections(usize),
}

/// So many connections a case may use.
pub const MAX_CONNECTIONS: usize = 256;

impl Case {
    /// A case of one lane that does this, one step after another.
    pub fn sequential(steps: impl IntoIterator<Item = Step>) -> Self {
        let round = |step| Round {
            steps: vec![Placed { lane: 0, step }],
        };
        Self {
            lanes: vec![0],
            rounds: steps.into_iter().map(round).collect(),
        }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.lanes.iter().max().map_or(0, |highest| highest + 1)
    }

    /// Can it be run?
    pub fn validate(&self) -> Result<(), BadCase> {
        if self.connections() > MAX_CONNECTIONS {
            return Err(BadCase::TooManyConnections(self.connections()));
        }
        let lanes = self.lanes.len();
        match self.steps().find(|(_, placed)| placed.lane >= lanes) {
            None => Ok(()),
            Some((At { round, step }, placed)) => Err(BadCase::NoLane {
                round,
                step,
                lane: placed.lane,
                lanes,
            }),
        }
    }

    /// All steps, with their places.
    pub fn steps(&self) -> impl Iterator<Item = (At, &Placed)> {
        self.rounds.iter().enumerate().flat_map(|(round, steps)| {
            let steps = steps.steps.iter().enumerate();
            steps.map(move |(step, placed)| (At { round, step }, placed))
        })
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.rounds.iter().map(|round| round.steps.len()).sum()
    }

    /// Is nothing done?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The step at this place.
    pub fn step(&self, at: At) -> Option<&Placed> {
        self.rounds.get(at.round)?.steps.get(at.step)
    }

    /// Does something go wrong on purpose?
    pub fn has_faults(&self) -> bool {
        self.steps()
            .any(|(_, placed)| matches!(placed.step, Step::Fault(_)))
    }

    /// Does every round consist of one step, so that nothing overlaps?
    pub fn is_sequential(&self) -> bool {
        self.rounds.iter().all(|round| round.steps.len() < 2)
    }
}

impl Step {
    /// The channel that the step names, if it does.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Self::Put { channel, .. }
            | Self::Get { channel, .. }
            | Self::Exists { channel, .. }
            | Self::Remove { channel, .. }
            | Self::Update { channel, .. }
            | Self::GetAll { channel, .. }
            | Self::RemoveChannel { channel }
            | Self::BeginUpdate { channel, .. }
            | Self::OpenGetAll { channel, .. }
            | Self::OpenMirror { channel, .. } => Some(channel),
            _ => None,
        }
    }

    /// The key that the step names, if it does.
    pub fn key(&self) -> Option<KeyName> {
        match self {
            Self::Put { key, .. }
            | Self::Get { key, .. }
            | Self::Exists { key, .. }
            | Self::Remove { key, .. }
            | Self::Update { key, .. }
            | Self::BeginUpdate { key, .. } => Some(*key),
            _ => None,
        }
    }

    /// The stream or the pending Update that the step names, if it does.
    pub fn handle(&self) -> Option<&str> {
        match self {
            Self::OpenGetAll { stream, .. }
            | Self::OpenMirror { stream, .. }
            | Self::Suspend { stream }
            | Self::Resume { stream }
            | Self::Stop { stream }
            | Self::Finish { stream } => Some(stream),
            Self::BeginUpdate { update, .. } | Self::Decide { update, .. } => Some(update),
            _ => None,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put {
                channel,
                key,
                value,
            } => write!(f, "Put {channel}/{key} {value}"),
            Self::Get { channel, key } => write!(f, "Get {channel}/{key}"),
            Self::Exists { channel, key } => write!(f, "Exists {channel}/{key}"),
            Self::Remove { channel, key } => write!(f, "Remove {channel}/{key}"),
            Self::Update {
                channel,
                key,
                decision,
            } => write!(f, "Update {channel}/{key} {decision}"),
            Self::GetAll {
                channel,
                keys_only,
                filter,
            } => write!(f, "GetAll {channel}{}", Wanted(*keys_only, filter)),
            Self::GetChannels {} => f.write_str("GetChannels"),
            Self::RemoveChannel { channel } => write!(f, "RemoveChannel {channel}"),
            Self::BeginUpdate {
                update,
                channel,
                key,
            } => write!(f, "begin Update {update} of {channel}/{key}"),
            Self::Decide { update, decision } => write!(f, "decide Update {update}: {decision}"),
            Self::OpenGetAll {
                stream,
                channel,
                keys_only,
                filter,
            } => write!(
                f,
                "begin GetAll {stream} of {channel}{}",
                Wanted(*keys_only, filter)
            ),
            Self::OpenMirror {
                stream,
                channel,
                refresh,
            } => {
                write!(f, "begin Mirror {stream} of {channel}")?;
                f.write_str(if *refresh { ", with refresh" } else { "" })
            }
            Self::Suspend { stream } => write!(f, "suspend {stream}"),
            Self::Resume { stream } => write!(f, "resume {stream}"),
            Self::Stop { stream } => write!(f, "stop {stream}"),
            Self::Finish { stream } => write!(f, "finish {stream}"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// What a GetAll wants, if not everything.
struct Wanted<'a>(bool, &'a str);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ", keys only" } else { "" })?;
        match self.1 {
            "" => Ok(()),
            filter => write!(f, ", values with \"{}\"", filter.escape_debug()),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace(value) => write!(f, "to {value}"),
            Self::Leave => f.write_str("(leave)"),
            Self::Delete => f.write_str("(delete)"),
        }
    }
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

impl fmt::Display for Case {
    /// A line a step; rounds of several steps are set off.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for round in &self.rounds {
            if round.steps.len() > 1 {
                writeln!(f, "at the same time:")?;
            }
            for Placed { lane, step } in &round.steps {
                match (round.steps.len() > 1, self.lanes.len() > 1) {
                    (true, _) => writeln!(f, "  lane {lane}: {step}")?,
                    (false, true) => writeln!(f, "lane {lane}: {step}")?,
                    (false, false) => writeln!(f, "{step}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Case {
        serde_json::from_str(
            r#"{ "lanes": [0, 1],
                 "rounds": [
                   [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
                   [ {"lane": 0, "remove": {"channel": "c", "key": "k0"}},
                     {"lane": 1, "get": {"channel": "c", "key": "first"}} ],
                   [ {"lane": 1, "fault": {"cut": {"connection": 1, "direction": "to_node", "messages": 2}}},
                     {"lane": 0, "get_channels": {}},
                     {"lane": 0, "update": {"channel": "c", "key": "k0", "decision": "leave"}} ] ] }"#,
        )
        .unwrap()
    }

    #[test]
    fn json_there_and_back() {
        let case = example();
        assert_eq!(case.validate(), Ok(()));
        assert_eq!((case.len(), case.connections()), (6, 2));
        assert!(!case.is_sequential());
        let json = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case);
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for step in [
            r#"{"lane": 0, "fly": {}}"#,
            r#"{"lane": 0}"#,
            r#"{"lane": 0, "get": {"channel": "c"}}"#,
            r#"{"lane": 0, "get": {"channel": "c", "key": "k0", "value": "v"}}"#,
        ] {
            assert!(serde_json::from_str::<Placed>(step).is_err(), "{step}");
        }
        let mut case = example();
        case.lanes.pop();
        assert!(case.validate().is_err());
    }

    #[test]
    fn a_case_reads_like_a_list() {
        let text = example().to_string();
        assert!(
            text.starts_with("lane 0: Put c/k0 \"v1\"\nat the same time:\n  lane 0: Remove c/k0\n")
        );
    }
}
