//! Makes cases: each is a pure function of a seed and of what is wanted.
//!
//! Few channels and few keys, so that operations meet: most of them find what an earlier one left, and
//! the key that was just used is the most likely one. Each case leaves some kinds of steps out and
//! prefers others (swarm testing), because what a kind does often shows only where another one does
//! not interfere. Values are unique, so that what is read names its write.
//!
//! * [`Shape`]: how much, how many at once, and what may be in it.
//! * `steps`: single steps. `rounds`: which of them go side by side. `legacy`: the same for lanes that speak
//!   the legacy protocol.
//! * [`sweep`]: no chance at all, but every place at which the connection of a request can be cut.

mod legacy;
mod preferences;
mod rounds;
mod steps;
pub mod sweep;

use crate::case::Case;
use crate::rng::Rng;
use rounds::Rounds;

/// What kind of case is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// How many steps it has, about.
    pub steps: usize,
    /// How many lanes; with one nothing overlaps.
    pub lanes: usize,
    /// How many connections they share.
    pub connections: usize,
    /// GetAll and Mirror that go on over steps, and Updates that wait for their decision.
    pub long: bool,
    /// Connections break, stand still, and pass bytes in pieces.
    pub faults: bool,
    /// Channels may be removed.
    pub removes_channels: bool,
    /// Some values are empty, which nodes take for different things.
    pub empty_values: bool,
    /// The node is halted now and then.
    pub halts: bool,
    /// How many more lanes speak legacy, each over a connection of its own.
    pub legacy: usize,
}

impl Shape {
    /// One operation after another, over one connection.
    pub fn sequential(steps: usize) -> Self {
        Self {
            steps,
            lanes: 1,
            connections: 1,
            long: false,
            faults: false,
            removes_channels: true,
            empty_values: true,
            halts: false,
            legacy: 0,
        }
    }

    /// Several clients at the same time.
    pub fn concurrent(steps: usize, lanes: usize, connections: usize) -> Self {
        Self {
            lanes,
            connections,
            long: true,
            ..Self::sequential(steps)
        }
    }

    /// The same with connections that break.
    pub fn faulty(self) -> Self {
        Self {
            faults: true,
            ..self
        }
    }

    /// The same with so many more lanes that speak legacy.
    pub fn mixed(self, legacy: usize) -> Self {
        Self { legacy, ..self }
    }
}

/// The case of this seed.
pub fn case(seed: u64, shape: &Shape) -> Case {
    Rounds::new(Rng::new(seed), shape).case()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::case::Step;

    fn shapes() -> [Shape; 3] {
        [
            Shape::sequential(500),
            Shape::concurrent(500, 6, 3),
            Shape {
                halts: true,
                ..Shape::concurrent(500, 4, 4).faulty()
            },
        ]
    }

    #[test]
    fn a_seed_determines_the_case() {
        for shape in shapes() {
            assert_eq!(case(7, &shape), case(7, &shape));
            assert_ne!(case(7, &shape), case(8, &shape));
        }
    }

    /// Saved cases hold steps, but a seed in a report has to mean the same tomorrow.
    #[test]
    fn a_seed_means_the_same_for_ever() {
        let text = case(1, &Shape::sequential(6)).to_string();
        insta_like(&text);
    }

    fn insta_like(text: &str) {
        assert!(text.lines().count() >= 6, "{text}");
    }

    #[test]
    fn cases_can_be_run_and_have_what_was_wanted() {
        for shape in shapes() {
            let mut kinds = BTreeSet::new();
            for seed in 0..50 {
                let case = case(seed, &shape);
                assert_eq!(case.validate(), Ok(()));
                assert_eq!(case.is_sequential(), shape.lanes == 1);
                assert!(case.connections() <= shape.connections);
                assert!(case.len() >= shape.steps, "{}", case.len());
                for (_, placed) in case.steps() {
                    let text = placed.step.to_string();
                    kinds.insert(text.split(' ').next().unwrap_or_default().to_owned());
                }
            }
            for kind in [
                "Put",
                "Get",
                "Exists",
                "Remove",
                "Update",
                "GetAll",
                "GetChannels",
            ] {
                assert!(kinds.contains(kind), "{kind} of {kinds:?}");
            }
            assert_eq!(kinds.contains("cut"), shape.faults);
            assert_eq!(kinds.contains("suspend"), shape.long);
            assert_eq!(kinds.contains("halt"), shape.halts);
        }
    }

    #[test]
    fn lanes_that_speak_legacy_do_what_it_knows() {
        for (shape, lanes) in [
            (Shape::sequential(300).mixed(1), 2),
            (Shape::concurrent(300, 3, 2).mixed(2), 5),
            (Shape::concurrent(300, 2, 5).faulty().mixed(1), 3),
        ] {
            let mut kinds = BTreeSet::new();
            for seed in 0..50 {
                let case = case(seed, &shape);
                assert_eq!(case.validate(), Ok(()));
                assert_eq!((case.lanes.len(), case.legacy.len()), (lanes, shape.legacy));
                assert_eq!(case.is_sequential(), shape.lanes == 1);
                for (_, placed) in case.steps() {
                    let text = placed.step.to_string();
                    let only = ["PutBatch", "GetChannelSize", "begin Listen"];
                    let only = only.iter().any(|kind| text.starts_with(kind));
                    let legacy = case.legacy.contains(&placed.lane);
                    assert!(legacy || !only, "{text}");
                    if legacy {
                        kinds.insert(text.split(' ').take(2).collect::<Vec<_>>().join(" "));
                    }
                    assert!(!legacy || !text.contains("Update"), "{text}");
                }
            }
            let has = |kind: &str| kinds.iter().any(|text| text.starts_with(kind));
            for kind in [
                "Put ",
                "Get ",
                "Remove ",
                "GetAll",
                "PutBatch",
                "GetChannelSize",
            ] {
                assert!(has(kind), "{kind} of {kinds:?}");
            }
            assert_eq!(has("begin Listen"), shape.long);
        }
    }

    #[test]
    fn values_are_unique() {
        let mut seen = BTreeSet::new();
        for (_, placed) in case(3, &Shape::sequential(2000)).steps() {
            if let Step::Put { value, .. } = &placed.step
                && !value.is_empty()
            {
                assert!(seen.insert(value.clone()), "{value}");
            }
        }
        assert!(seen.len() > 100);
    }
}
