//! Rounds: what lanes do side by side.
//!
//! A round is written as the list of its steps, or, if it has a schedule, as an object with both.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{Move, Step};

/// What lanes do side by side.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Round {
    /// The steps; those of one lane one after another.
    pub steps: Vec<Placed>,
    /// In which order their messages are delivered; if empty, as it comes.
    pub schedule: Vec<Move>,
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

impl From<Vec<Placed>> for Round {
    /// A round without a schedule.
    fn from(steps: Vec<Placed>) -> Self {
        Self {
            steps,
            schedule: Vec::new(),
        }
    }
}

impl Serialize for Round {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Scheduled<'a> {
            steps: &'a [Placed],
            schedule: &'a [Move],
        }
        match self.schedule.is_empty() {
            true => self.steps.serialize(serializer),
            false => Scheduled {
                steps: &self.steps,
                schedule: &self.schedule,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Round {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RoundVisitor)
    }
}

/// A list or an object. An untagged enum would lose where an error is.
struct RoundVisitor;

impl<'de> Visitor<'de> for RoundVisitor {
    type Value = Round;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of steps, or an object with steps and a schedule")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<Round, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(steps)).map(Round::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Round, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Scheduled {
            steps: Vec<Placed>,
            #[serde(default)]
            schedule: Vec<Move>,
        }
        let Scheduled { steps, schedule } =
            Scheduled::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(Round { steps, schedule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &str = r#"[{"lane":0,"get":{"channel":"c","key":"k0"}}]"#;

    #[test]
    fn a_round_is_a_list_or_has_a_schedule() {
        let scheduled = format!(r#"{{"steps":{STEPS},"schedule":[{{"start":0}},{{"end":0}}]}}"#);
        for (json, moves) in [(STEPS, 0), (&scheduled, 2)] {
            let round: Round = serde_json::from_str(json).unwrap();
            assert_eq!((round.steps.len(), round.schedule.len()), (1, moves));
            assert_eq!(serde_json::to_string(&round).unwrap(), json);
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_where() {
        for (json, why) in [
            (
                "{\"steps\": [],\n \"shedule\": []}",
                "unknown field `shedule`",
            ),
            ("{\"schedule\":\n []}", "missing field `steps`"),
            (
                "{\"steps\": [],\n \"schedule\": [{\"fly\": 0}]}",
                "unknown variant `fly`",
            ),
            ("\n7", "a list of steps, or an object"),
        ] {
            let error = serde_json::from_str::<Round>(json).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(error.line(), 2, "{error}");
        }
    }
}
