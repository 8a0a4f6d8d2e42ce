//! The search for what is owed for ever, against a naive definition of it, and where stateright finds nothing.

use std::{
    collections::{BTreeSet, HashSet},
    num::NonZeroUsize,
};

use dht_models::search::{Coverage, Fair, Options, Path, Stop, Undecided, Verdict, eventually};
use proptest::prelude::*;
use stateright::{Checker, Model, Property};

/// A small graph. State 0 is the initial one.
#[derive(Debug, Clone)]
struct Graph {
    /// For each state where its steps lead, and the process of which a step is a fair one.
    edges: Vec<Vec<(u8, Option<u8>)>>,
    /// The states that owe, for each goal.
    owing: Vec<BTreeSet<u8>>,
}

const GOALS: [&str; 2] = ["answered", "ended"];

impl Graph {
    fn new(edges: &[&[(u8, Option<u8>)]], owing: &[u8]) -> Self {
        Self {
            edges: edges.iter().map(|edges| edges.to_vec()).collect(),
            owing: vec![owing.iter().copied().collect()],
        }
    }

    /// The processes that have a fair step.
    fn enabled(&self, state: u8) -> BTreeSet<u8> {
        self.edges[usize::from(state)]
            .iter()
            .filter_map(|edge| edge.1)
            .collect()
    }

    fn verdict(&self) -> Verdict<u8, (u8, Option<u8>)> {
        let outcome = eventually(self, Options::default());
        assert_eq!(outcome.coverage, Coverage::Complete);
        outcome
            .finding(GOALS[0])
            .expect("is a goal")
            .verdict
            .clone()
    }
}

impl Model for Graph {
    type State = u8;
    type Action = (u8, Option<u8>);

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, &state: &u8, actions: &mut Vec<Self::Action>) {
        actions.extend(&self.edges[usize::from(state)]);
    }

    fn next_state(&self, _: &u8, action: Self::Action) -> Option<u8> {
        Some(action.0)
    }

    fn within_boundary(&self, &state: &u8) -> bool {
        usize::from(state) < self.edges.len()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::eventually(GOALS[0], |model, state| !model.owes(state, 0)),
            // Without it stateright stops when it has found the other one.
            Property::always("exists", |_, _| true),
        ]
    }
}

impl Fair for Graph {
    fn goals(&self) -> &[&'static str] {
        &GOALS[..self.owing.len()]
    }

    fn owes(&self, state: &u8, goal: usize) -> bool {
        self.owing[goal].contains(state)
    }

    fn fair_process(&self, action: &Self::Action) -> Option<u8> {
        action.1
    }
}

/// Whether stateright's own search finds a run in which nothing is discharged.
fn stateright_finds(graph: &Graph) -> bool {
    let bfs = graph.clone().checker().spawn_bfs().join();
    let dfs = graph.clone().checker().spawn_dfs().join();
    bfs.discovery(GOALS[0]).is_some() || dfs.discovery(GOALS[0]).is_some()
}

fn states(path: &Path<u8, (u8, Option<u8>)>) -> Vec<u8> {
    path.states().copied().collect()
}

const P: Option<u8> = Some(0);
const Q: Option<u8> = Some(1);
const FAULT: Option<u8> = None;

#[test]
fn a_cycle_is_found_that_stateright_misses() {
    // A client that tries again and again, and would be done with the third choice.
    let graph = Graph::new(&[&[(1, P), (2, P)], &[(0, P)], &[]], &[0, 1]);
    assert!(!stateright_finds(&graph));
    let Verdict::Violated(path) = graph.verdict() else {
        panic!("the cycle was missed");
    };
    assert_eq!(states(&path), [0, 1, 0]);
    assert_eq!(path.repeats_from, Some(0));
}

#[test]
fn a_join_is_found_that_stateright_misses() {
    // State 3 owes. stateright comes to it first by way of 1, where nothing is owed, and never again.
    let graph = Graph::new(&[&[(1, P), (2, P)], &[(3, P)], &[(3, P)], &[]], &[0, 2, 3]);
    let bfs = graph.clone().checker().spawn_bfs().join();
    assert!(bfs.discovery(GOALS[0]).is_none());
    let Verdict::Violated(path) = graph.verdict() else {
        panic!("the join was missed");
    };
    assert_eq!(*path.last(), 3);
    assert_eq!(path.repeats_from, None);
}

#[test]
fn without_cycle_and_join_both_agree() {
    let ends = Graph::new(&[&[(1, P), (2, P)], &[], &[]], &[0, 1]);
    assert!(stateright_finds(&ends));
    assert!(matches!(ends.verdict(), Verdict::Violated(_)));
    let discharges = Graph::new(&[&[(1, P), (2, P)], &[], &[]], &[0]);
    assert!(!stateright_finds(&discharges));
    assert_eq!(discharges.verdict(), Verdict::Held);
}

#[test]
fn who_is_always_able_to_step_does() {
    // P goes round; Q is able to end it in both states.
    let fair = Graph::new(&[&[(1, P), (2, Q)], &[(0, P), (2, Q)], &[]], &[0, 1]);
    assert_eq!(fair.verdict(), Verdict::Held);
    // In state 1 it is not: that is fair, if weakly.
    let unfair = Graph::new(&[&[(1, P), (2, Q)], &[(0, P)], &[]], &[0, 1]);
    assert!(matches!(unfair.verdict(), Verdict::Violated(_)));
}

#[test]
fn nobody_may_wait_for_a_fault() {
    let graph = Graph::new(&[&[(1, FAULT)], &[]], &[0]);
    let Verdict::Violated(path) = graph.verdict() else {
        panic!("it waited for a fault");
    };
    assert_eq!(states(&path), [0]);
    // But a fault can go on for ever, if the model lets it.
    let again = Graph::new(&[&[(1, P)], &[(0, FAULT), (2, P)], &[]], &[0, 1]);
    let Verdict::Violated(path) = again.verdict() else {
        panic!("the fault was ignored");
    };
    assert_eq!((states(&path), path.repeats_from), (vec![0, 1, 0], Some(0)));
}

#[test]
fn who_can_leave_the_boundary_is_not_stuck() {
    let graph = Graph::new(&[&[(7, P)]], &[0]);
    let outcome = eventually(&graph, Options::default());
    assert_eq!(outcome.findings[0].verdict, Verdict::Held);
    assert_eq!((outcome.outside, outcome.terminal), (1, 0));
}

#[test]
fn a_goal_that_is_never_owed_says_so() {
    let outcome = eventually(&Graph::new(&[&[(1, P)], &[]], &[]), Options::default());
    assert_eq!(outcome.findings[0].owing, Some(0));
    assert!(outcome.is_good());
}

#[test]
fn a_process_that_cannot_be_numbered_stops_the_search() {
    let outcome = eventually(&Graph::new(&[&[(0, Some(64))]], &[0]), Options::default());
    let expected = Verdict::Unknown(Undecided::Stopped(Stop::Unrepresentable));
    assert_eq!(outcome.findings[0].verdict, expected);
}

/// Counts up to its end, and is done there, if it can be.
struct Count {
    end: u32,
    done: bool,
}

impl Model for Count {
    type State = u32;
    type Action = ();

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, actions: &mut Vec<()>) {
        actions.push(());
    }

    fn next_state(&self, &state: &u32, (): ()) -> Option<u32> {
        Some((state + 1) % self.end)
    }
}

impl Fair for Count {
    fn goals(&self) -> &[&'static str] {
        &["done"]
    }

    fn owes(&self, &state: &u32, _: usize) -> bool {
        !self.done || state + 1 != self.end
    }

    fn fair_process(&self, (): &()) -> Option<u8> {
        Some(63)
    }
}

#[test]
fn a_long_cycle_is_judged_within_memory() {
    let (end, options) = (200_000, Options::default());
    let held = eventually(&Count { end, done: true }, options);
    assert_eq!(held.findings[0].verdict, Verdict::Held);
    assert_eq!((held.unique, held.depth()), (u64::from(end), end as usize));
    let violated = eventually(&Count { end, done: false }, options);
    let path = violated.findings[0]
        .verdict
        .path()
        .expect("goes round for ever");
    assert_eq!(
        (path.repeats_from, path.steps.len()),
        (Some(0), end as usize)
    );
    for max_memory in [1_000, 1_000_000, 15_000_000] {
        let stopped = eventually(
            &Count { end, done: true },
            Options {
                max_memory,
                ..options
            },
        );
        let expected = Verdict::Unknown(Undecided::Stopped(Stop::Memory));
        assert_eq!(stopped.findings[0].verdict, expected);
        // What was decided to be too much was not used either.
        assert!(stopped.unique < u64::from(end) || max_memory == 15_000_000);
    }
}

/// By the definition: can a run come back to an owing state, owing all the time, while each process was unable
/// to step somewhere on the way, or did?
fn naive(graph: &Graph, goal: usize) -> bool {
    let all: BTreeSet<u8> = (0..4).collect();
    let mut reachable = HashSet::from([0]);
    let mut waiting = vec![0];
    while let Some(state) = waiting.pop() {
        for &(next, _) in &graph.edges[usize::from(state)] {
            if graph.within_boundary(&next) && reachable.insert(next) {
                waiting.push(next);
            }
        }
    }
    let unable = |state| {
        all.difference(&graph.enabled(state))
            .copied()
            .collect::<BTreeSet<u8>>()
    };
    reachable
        .into_iter()
        .filter(|state| graph.owes(state, goal))
        .any(|start| {
            if graph.enabled(start).is_empty() {
                return true;
            }
            let begin = (start, unable(start));
            let mut known = HashSet::from([begin.clone()]);
            let mut waiting = vec![begin];
            while let Some((state, treated)) = waiting.pop() {
                for &(next, process) in &graph.edges[usize::from(state)] {
                    if !graph.within_boundary(&next) || !graph.owes(&next, goal) {
                        continue;
                    }
                    let mut treated = treated.clone();
                    treated.extend(process);
                    treated.extend(unable(next));
                    if next == start && treated == all {
                        return true;
                    }
                    if known.insert((next, treated.clone())) {
                        waiting.push((next, treated));
                    }
                }
            }
            false
        })
}

/// Whether a run shows what it should.
fn assert_shows(graph: &Graph, goal: usize, path: &Path<u8, (u8, Option<u8>)>) {
    assert_eq!(path.init, 0);
    for (state, (action, next)) in path.states().zip(&path.steps) {
        assert!(graph.edges[usize::from(*state)].contains(action));
        assert_eq!(action.0, *next);
    }
    let Some(from) = path.repeats_from else {
        assert!(graph.owes(path.last(), goal) && graph.enabled(*path.last()).is_empty());
        return;
    };
    assert!(from < path.steps.len());
    assert_eq!(path.state_after(from), Some(path.last()));
    let cycle = &path.steps[from..];
    assert!(cycle.iter().all(|(_, state)| graph.owes(state, goal)));
    for process in 0..4 {
        let steps = cycle.iter().any(|(action, _)| action.1 == Some(process));
        let unable = cycle
            .iter()
            .any(|(_, state)| !graph.enabled(*state).contains(&process));
        assert!(steps || unable, "unfair to {process}");
    }
}

fn graphs() -> impl Strategy<Value = Graph> {
    let process = prop_oneof![Just(None), (0..4_u8).prop_map(Some)];
    (1..9_u8).prop_flat_map(move |states| {
        // One target is beyond the boundary.
        let edges = prop::collection::vec((0..=states, process.clone()), 0..4);
        let owing = prop::collection::btree_set(0..states, 0..=usize::from(states));
        let parts = (
            prop::collection::vec(edges, usize::from(states)),
            prop::collection::vec(owing, 2),
        );
        parts.prop_map(|(edges, owing)| Graph { edges, owing })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn judges_as_the_definition_does(graph in graphs(), threads in 1..3_usize) {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let outcome = eventually(&graph, Options { threads, ..Options::default() });
        for (goal, finding) in outcome.findings.iter().enumerate() {
            match &finding.verdict {
                Verdict::Violated(path) => {
                    assert_shows(&graph, goal, path);
                    prop_assert!(naive(&graph, goal), "only ours sees a violation");
                }
                Verdict::Held => prop_assert!(!naive(&graph, goal), "a violation was missed"),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn what_a_stopped_search_finds_is_true(graph in graphs(), max_states in 1..8_u64) {
        let outcome = eventually(&graph, Options { max_states, ..Options::default() });
        for (goal, finding) in outcome.findings.iter().enumerate() {
            match &finding.verdict {
                Verdict::Violated(path) => {
                    assert_shows(&graph, goal, path);
                    prop_assert!(naive(&graph, goal));
                }
                Verdict::Held => prop_assert_eq!(outcome.coverage, Coverage::Complete),
                Verdict::Unknown(_) => prop_assert_ne!(outcome.coverage, Coverage::Complete),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
