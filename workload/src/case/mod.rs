//! What clients do, and when: a case.
//!
//! A case has lanes and rounds. A lane does one step at a time, over one connection; several lanes may
//! share a connection, as an application has many requests under way at once. A lane can speak the legacy
//! protocol; it has a connection of its own, on which there is one request at a time. In a round the lanes work
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
//!
//! A round can have a schedule, which says in which order its messages are delivered ([`Move`]).
//!
//! * `round`, `step`, `fault`: what the names say. `schedule`: moves. `wrong`: what is said wrongly.

mod fault;
mod round;
mod schedule;
mod step;
mod wrong;

pub use fault::{Direction, Fault};
pub use round::{Placed, Round};
pub use schedule::{Move, Whose};
pub use step::{Decision, Step};
pub use wrong::{Defect, NoDefect, Wrong};

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What clients do, and when. See the [module](self).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which connection each lane uses.
    pub lanes: Vec<usize>,
    /// The lanes that speak the legacy protocol.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub legacy: BTreeSet<usize>,
    /// What is done.
    pub rounds: Vec<Round>,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// The present one.
    #[default]
    Neo,
    /// The older one, over the node's legacy port.
    Legacy,
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
    #[error("round {round}, move {number} of the schedule: {why}")]
    Schedule {
        round: usize,
        number: usize,
        why: &'static str,
    },
    #[error("round {round}, step {step}: what is wrong is not wrong with a whole request")]
    Wrong { round: usize, step: usize },
    #[error("there is no lane {0} that could speak the legacy protocol")]
    NoLegacyLane(usize),
    #[error("connection {0} is used by a lane that speaks the legacy protocol, and by another one")]
    SharedConnection(usize),
    #[error(
        "there is a schedule, and the legacy protocol is spoken, whose messages cannot be held"
    )]
    LegacySchedule,
    #[error("there are {0} connections; at most {MAX_CONNECTIONS} can be used")]
    TooManyConnections(usize),
}

/// So many connections a case may use.
pub const MAX_CONNECTIONS: usize = 256;

impl Case {
    /// A case of one lane that does this, one step after another.
    pub fn sequential(steps: impl IntoIterator<Item = Step>) -> Self {
        let round = |step| Round::from(vec![Placed { lane: 0, step }]);
        Self {
            lanes: vec![0],
            rounds: steps.into_iter().map(round).collect(),
            ..Self::default()
        }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.lanes.iter().max().map_or(0, |highest| highest + 1)
    }

    /// What a lane speaks.
    pub fn protocol(&self, lane: usize) -> Protocol {
        match self.legacy.contains(&lane) {
            true => Protocol::Legacy,
            false => Protocol::Neo,
        }
    }

    /// What is spoken on each connection.
    pub fn protocols(&self) -> Vec<Protocol> {
        let mut protocols = vec![Protocol::Neo; self.connections()];
        for connection in self.legacy.iter().filter_map(|lane| self.lanes.get(*lane)) {
            protocols[*connection] = Protocol::Legacy;
        }
        protocols
    }

    /// Can it be run?
    pub fn validate(&self) -> Result<(), BadCase> {
        if self.connections() > MAX_CONNECTIONS {
            return Err(BadCase::TooManyConnections(self.connections()));
        }
        self.validate_legacy()?;
        let lanes = self.lanes.len();
        let stray = self.steps().find(|(_, placed)| placed.lane >= lanes);
        if let Some((At { round, step }, &Placed { lane, .. })) = stray {
            return Err(BadCase::NoLane {
                round,
                step,
                lane,
                lanes,
            });
        }
        let bad = |placed: &Placed| matches!(&placed.step, Step::Wrong(wrong) if !wrong.is_valid());
        if let Some((At { round, step }, _)) = self.steps().find(|(_, placed)| bad(placed)) {
            return Err(BadCase::Wrong { round, step });
        }
        let mut rounds = self.rounds.iter().enumerate();
        rounds.try_for_each(|(number, round)| self.validate_schedule(number, round))
    }

    fn validate_legacy(&self) -> Result<(), BadCase> {
        for legacy in &self.legacy {
            let connection = *self
                .lanes
                .get(*legacy)
                .ok_or(BadCase::NoLegacyLane(*legacy))?;
            let mut others = self.lanes.iter().enumerate();
            if others.any(|(lane, other)| lane != *legacy && *other == connection) {
                return Err(BadCase::SharedConnection(connection));
            }
        }
        match !self.legacy.is_empty() && self.has_schedule() {
            true => Err(BadCase::LegacySchedule),
            false => Ok(()),
        }
    }

    fn validate_schedule(&self, number: usize, round: &Round) -> Result<(), BadCase> {
        let mut left = vec![0_usize; self.lanes.len()];
        for placed in &round.steps {
            left[placed.lane] += 1;
        }
        for (place, next) in round.schedule.iter().enumerate() {
            let why = match next {
                Move::Cut(connection) if *connection >= self.connections() => {
                    "there is no such connection"
                }
                Move::Start(lane) if left.get(*lane) == Some(&0) => {
                    "the lane has no step left in this round"
                }
                _ if next.lane().is_some_and(|lane| lane >= left.len()) => "there is no such lane",
                _ => {
                    if let Move::Start(lane) = next {
                        left[*lane] -= 1;
                    }
                    continue;
                }
            };
            return Err(BadCase::Schedule {
                round: number,
                number: place,
                why,
            });
        }
        Ok(())
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

    /// Is something said or done wrongly? Only a world that has the bytes in its hand can do that.
    pub fn has_wrongs(&self) -> bool {
        self.steps()
            .any(|(_, placed)| matches!(placed.step, Step::Wrong(_)))
    }

    /// Does a round say in which order its messages are delivered?
    pub fn has_schedule(&self) -> bool {
        self.rounds.iter().any(|round| !round.schedule.is_empty())
    }

    /// Is the legacy protocol spoken? Only nodes that have a port for it can be asked for that.
    pub fn has_legacy(&self) -> bool {
        !self.legacy.is_empty()
    }

    /// Does every round consist of one step, so that nothing overlaps?
    pub fn is_sequential(&self) -> bool {
        self.rounds.iter().all(|round| round.steps.len() < 2)
    }
}

impl fmt::Display for Case {
    /// A line a step; rounds of several steps are set off. Behind them the moves of their schedule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for round in &self.rounds {
            if round.steps.len() > 1 {
                writeln!(f, "at the same time:")?;
            }
            for Placed { lane, step } in &round.steps {
                f.write_str(match round.steps.len() {
                    0 | 1 => "",
                    _ => "  ",
                })?;
                match (
                    self.protocol(*lane),
                    round.steps.len().max(self.lanes.len()),
                ) {
                    (Protocol::Legacy, _) => writeln!(f, "legacy lane {lane}: {step}")?,
                    (Protocol::Neo, 0 | 1) => writeln!(f, "{step}")?,
                    (Protocol::Neo, _) => writeln!(f, "lane {lane}: {step}")?,
                }
            }
            for next in &round.schedule {
                writeln!(f, "    then {next}")?;
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
    fn a_schedule_is_for_the_lanes_and_steps_that_there_are() {
        for (schedule, right) in [
            (r#"{"start": 0}, {"end": 0}, {"cut": 1}"#, true),
            (r#"{"start": 0}, {"start": 0}"#, false),
            (r#"{"start": 2}"#, false),
            (r#"{"to_node": 2}"#, false),
            (r#"{"to_client": "m"}"#, true),
            (r#"{"cut": 2}"#, false),
        ] {
            let case: Case = serde_json::from_str(&format!(
                r#"{{ "lanes": [0, 1], "rounds": [
                    {{"steps": [{{"lane": 0, "get_channels": {{}}}}], "schedule": [{schedule}]}} ] }}"#
            ))
            .unwrap();
            assert_eq!(case.validate().is_ok(), right, "{schedule}");
            assert!(case.has_schedule());
        }
    }

    #[test]
    fn a_legacy_lane_has_a_connection_of_its_own() {
        let read = |lanes: &str, legacy: &str, rounds: &str| -> Case {
            let json = format!(r#"{{"lanes":{lanes},"legacy":{legacy},"rounds":{rounds}}}"#);
            let case: Case = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&case).unwrap(), json);
            case
        };
        let put = r#"[[{"lane":1,"put_batch":{"channel":"c","records":[["k0","v1"]]}}]]"#;
        let case = read("[0,1,0]", "[1]", put);
        assert_eq!(case.validate(), Ok(()));
        assert_eq!(case.protocols(), [Protocol::Neo, Protocol::Legacy]);
        assert_eq!(case.to_string(), "legacy lane 1: PutBatch c k0=\"v1\"\n");
        let bad = |lanes, legacy, rounds| read(lanes, legacy, rounds).validate();
        assert_eq!(bad("[0]", "[1]", "[]"), Err(BadCase::NoLegacyLane(1)));
        assert_eq!(bad("[0,0]", "[1]", "[]"), Err(BadCase::SharedConnection(0)));
        let scheduled = r#"[{"steps":[],"schedule":[{"cut":0}]}]"#;
        assert_eq!(bad("[0,1]", "[1]", scheduled), Err(BadCase::LegacySchedule));
    }

    #[test]
    fn a_case_reads_like_a_list() {
        let text = example().to_string();
        assert!(
            text.starts_with("lane 0: Put c/k0 \"v1\"\nat the same time:\n  lane 0: Remove c/k0\n")
        );
    }
}
