//! The model accepts an answer if and only if some state allows it: compared with a list of all states.
//! Answers that were lost, and wrong ones, are part of it.

mod common;

use std::collections::BTreeSet;

use common::mutants::mutants;
use common::plan::{Step, layouts, steps};
use common::{Empty, Naive, sorted};
use dht_model::{Answer, Operation, Route};
use proptest::prelude::*;

const VALUES: &[&str] = &["v", "vw"];

/// Where an answer comes from.
#[derive(Clone, Debug)]
enum Source {
    /// One of the states answers.
    State(prop::sample::Index),
    /// One of the states answers, but wrongly.
    Mutant(prop::sample::Index, prop::sample::Index),
    /// The answer is lost.
    Lost,
}

fn sources() -> impl Strategy<Value = Source> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        5 => index().prop_map(Source::State),
        2 => (index(), index()).prop_map(|(state, mutant)| Source::Mutant(state, mutant)),
        3 => Just(Source::Lost),
    ]
}

/// The states that agree with the answer, after the operation.
fn agreeing(
    states: &BTreeSet<Naive>,
    route: Route,
    operation: &Operation,
    answer: &Answer,
) -> BTreeSet<Naive> {
    if *answer == Answer::Unknown {
        let after = states
            .iter()
            .map(|state| state.broken_off_on(route, operation));
        return after.flatten().collect();
    }
    let answer = sorted(answer.clone());
    let mut agreeing = BTreeSet::new();
    for state in states {
        let mut state = state.clone();
        if sorted(state.run_on(route, operation)) == answer {
            agreeing.insert(state);
        }
    }
    agreeing
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_model_is_the_set_of_all_states(
        layout in layouts(),
        plan in prop::collection::vec((steps(2, VALUES), sources()), 1..30),
    ) {
        let naive = Naive::new(&layout, Empty::Plain);
        let mut model = naive.model();
        let mut states = BTreeSet::from([naive]);
        for (step, source) in plan {
            let (route, operation) = match step {
                Step::Operation(None, operation) => (Route::Client, operation),
                Step::Operation(Some(node), operation) => {
                    (Route::Node(states.first().unwrap().node(node)), operation)
                }
                Step::Announce(node, range) => {
                    let node = states.first().unwrap().node(node);
                    model.announce(node, range);
                    let announced = states.into_iter().map(|mut state| {
                        state.announce(node, range);
                        state
                    });
                    states = announced.collect();
                    continue;
                }
            };
            let from = |index: prop::sample::Index| {
                let states: Vec<_> = states.iter().collect();
                (*index.get(&states)).clone().run_on(route, &operation)
            };
            let answer = match source {
                Source::State(state) => from(state),
                Source::Mutant(state, mutant) => {
                    let right = from(state);
                    let wrong = mutants(&operation, &right);
                    wrong.get(mutant.index(wrong.len().max(1))).cloned().unwrap_or(right)
                }
                Source::Lost => Answer::Unknown,
            };
            let next = agreeing(&states, route, &operation, &answer);
            let judged = model.observe_on(route, &operation, &answer);
            prop_assert_eq!(
                judged.is_ok(),
                !next.is_empty(),
                "{:?}: {}: {}: {:?} of {} states",
                route,
                operation,
                answer,
                judged,
                states.len()
            );
            if !next.is_empty() {
                states = next;
            }
            prop_assert!(model.is_exact());
        }
    }
}
