//! Any graph, against a search that keeps all states and has no threads.

use std::collections::HashSet;

use dht_models::search::explore;
use proptest::prelude::*;
use stateright::{Model, Property};

use crate::{assert_is_run, with_threads};

/// Any graph, some states of which are bad.
#[derive(Debug, Clone)]
struct Graph {
    edges: Vec<Vec<u8>>,
    bad: HashSet<u8>,
}

impl Model for Graph {
    type State = u8;
    type Action = u8;

    fn init_states(&self) -> Vec<u8> {
        vec![0, 1]
    }

    fn actions(&self, &state: &u8, actions: &mut Vec<u8>) {
        actions.extend(&self.edges[usize::from(state)]);
    }

    fn next_state(&self, &state: &u8, target: u8) -> Option<u8> {
        (target != state).then_some(target)
    }

    fn within_boundary(&self, &state: &u8) -> bool {
        usize::from(state) < self.edges.len()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("good", |model, state| {
            !model.bad.contains(state)
        })]
    }
}

proptest! {
    #[test]
    fn finds_what_a_naive_search_finds(
        edges in prop::collection::vec(prop::collection::vec(0..24_u8, 0..4), 2..20),
        bad in prop::collection::hash_set(0..20_u8, 0..3),
    ) {
        let model = Graph { edges, bad };
        let mut known = HashSet::new();
        let mut level = vec![0, 1];
        let (mut levels, mut terminal, mut outside, mut nearest) = (Vec::new(), 0, 0, None);
        while !level.is_empty() {
            level.retain(|&state| known.insert(state));
            let mut next = Vec::new();
            for &state in &level {
                if model.bad.contains(&state) && nearest.is_none() {
                    nearest = Some(levels.len());
                }
                let (inside, out): (Vec<_>, Vec<_>) =
                    model.next_states(&state).into_iter().partition(|next| model.within_boundary(next));
                terminal += u64::from(inside.is_empty() && out.is_empty());
                outside += out.len() as u64;
                next.extend(inside);
            }
            if !level.is_empty() {
                levels.push(level.len() as u64);
            }
            level = next;
        }
        let outcome = explore(&model, with_threads(1));
        prop_assert_eq!(outcome.levels, levels);
        prop_assert_eq!((outcome.terminal, outcome.outside), (terminal, outside));
        let path = outcome.findings[0].verdict.path();
        prop_assert_eq!(path.map(|path| path.steps.len()), nearest);
        if let Some(path) = path {
            assert_is_run(&model, path);
            prop_assert!(model.bad.contains(path.last()));
        }
    }
}
