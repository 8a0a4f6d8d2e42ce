//! Our search of all states against stateright's, and against what is known of the models.

use std::{
    collections::HashSet,
    fmt::Debug,
    hash::Hash,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
};

use dht_models::search::{
    Coverage, Kind, Options, Outcome, Path, Stop, Undecided, Verdict, explore,
};
use proptest::prelude::*;
use stateright::{Checker, Expectation, Model, Property};

/// Two-phase commit as in Lamport's specification. Resource managers each have two bits.
#[derive(Debug, Clone)]
struct Commit {
    managers: u8,
    /// Whether a manager may commit without being told to.
    hasty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Manager {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Decision {
    None,
    Commit,
    Abort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Commitment {
    managers: [Manager; 8],
    /// Which managers said that they are prepared, and whom of them the transaction manager has heard.
    said: u8,
    heard: u8,
    decision: Decision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Decide(Decision),
    Hear(u8),
    Prepare(u8),
    ChooseAbort(u8),
    Obey(u8),
    CommitUntold(u8),
}

impl Model for Commit {
    type State = Commitment;
    type Action = Act;

    fn init_states(&self) -> Vec<Commitment> {
        vec![Commitment {
            managers: [Manager::Working; 8],
            said: 0,
            heard: 0,
            decision: Decision::None,
        }]
    }

    fn actions(&self, state: &Commitment, actions: &mut Vec<Act>) {
        let undecided = state.decision == Decision::None;
        if undecided {
            actions.push(Act::Decide(Decision::Abort));
            actions.push(Act::Decide(Decision::Commit));
        }
        for manager in 0..self.managers {
            let bit = 1 << manager;
            if undecided && state.said & bit != 0 {
                actions.push(Act::Hear(manager));
            }
            if state.managers[usize::from(manager)] == Manager::Working {
                actions.extend([Act::Prepare(manager), Act::ChooseAbort(manager)]);
            }
            if self.hasty && state.managers[usize::from(manager)] == Manager::Prepared {
                actions.push(Act::CommitUntold(manager));
            }
            if !undecided {
                actions.push(Act::Obey(manager));
            }
        }
    }

    fn next_state(&self, state: &Commitment, action: Act) -> Option<Commitment> {
        let mut next = *state;
        match action {
            Act::Decide(Decision::Commit)
                if u32::from(self.managers) != state.heard.count_ones() =>
            {
                return None;
            }
            Act::Decide(decision) => next.decision = decision,
            Act::Hear(manager) => next.heard |= 1 << manager,
            Act::Prepare(manager) => {
                next.managers[usize::from(manager)] = Manager::Prepared;
                next.said |= 1 << manager;
            }
            Act::ChooseAbort(manager) => next.managers[usize::from(manager)] = Manager::Aborted,
            Act::CommitUntold(manager) => next.managers[usize::from(manager)] = Manager::Committed,
            Act::Obey(manager) => {
                next.managers[usize::from(manager)] = match state.decision {
                    Decision::Commit => Manager::Committed,
                    _ => Manager::Aborted,
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("consistent", |model: &Self, state: &Commitment| {
                let managers = &state.managers[..usize::from(model.managers)];
                !(managers.contains(&Manager::Aborted) && managers.contains(&Manager::Committed))
            }),
            Property::sometimes("all commit", |model: &Self, state: &Commitment| {
                let managers = &state.managers[..usize::from(model.managers)];
                managers
                    .iter()
                    .all(|&manager| manager == Manager::Committed)
            }),
            Property::sometimes("heard but unsaid", |_, state: &Commitment| {
                state.heard & !state.said != 0
            }),
            Property::always("exists", |_, _| true),
        ]
    }
}

/// Peterson's mutual exclusion of two threads, or what is left of it without the turn.
#[derive(Debug, Clone)]
struct Mutex {
    turns: bool,
}

/// Where each thread is (idle, flagged, waiting, critical), and whose turn it is.
type Threads = ([u8; 2], u8);

impl Model for Mutex {
    type State = Threads;
    type Action = u8;

    fn init_states(&self) -> Vec<Threads> {
        vec![([0, 0], 0), ([0, 0], 1)]
    }

    fn actions(&self, _: &Threads, actions: &mut Vec<u8>) {
        actions.extend([0, 1]);
    }

    fn next_state(&self, &(at, turn): &Threads, thread: u8) -> Option<Threads> {
        let (me, other) = (usize::from(thread), usize::from(1 - thread));
        let (mut next, mut turn_then) = (at, turn);
        match at[me] {
            1 => {
                next[me] = 2;
                turn_then = 1 - thread;
            }
            2 if at[other] != 0 && turn != thread && self.turns => return None,
            _ => next[me] = (at[me] + 1) % 4,
        }
        Some((next, turn_then))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("alone", |_, &(at, _): &Threads| at != [3, 3]),
            Property::sometimes("second enters", |_, &(at, _): &Threads| at[1] == 3),
            Property::always("exists", |_, _| true),
        ]
    }
}

fn with_threads(threads: usize) -> Options<'static> {
    Options {
        threads: NonZeroUsize::new(threads).expect("not zero"),
        ..Options::default()
    }
}

/// The outcome must be the same for any number of threads, be that of stateright's searches, and its paths
/// must be runs of the model, no longer than those of stateright.
fn cross_check<M>(model: M, unique: u64) -> Outcome<M::State, M::Action>
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + Eq + Send + Sync + 'static,
{
    let outcome = explore(&model, with_threads(1));
    assert_eq!(outcome.coverage, Coverage::Complete);
    assert_eq!(outcome.unique, unique);
    assert_eq!(outcome.levels.iter().sum::<u64>(), unique);
    for threads in [2, 3] {
        let again = explore(&model, with_threads(threads));
        assert_eq!(again.generated, outcome.generated);
        assert_eq!(again.levels, outcome.levels);
        assert_eq!(again.terminal, outcome.terminal);
        assert_eq!(again.coverage, outcome.coverage);
        for (ours, theirs) in outcome.findings.iter().zip(&again.findings) {
            assert_eq!(ours.verdict, theirs.verdict, "{}", ours.name);
        }
    }
    let bfs = model.clone().checker().spawn_bfs().join();
    let dfs = model.clone().checker().threads(2).spawn_dfs().join();
    assert_eq!(bfs.unique_state_count() as u64, unique);
    assert_eq!(dfs.unique_state_count() as u64, unique);
    assert_eq!(bfs.state_count() as u64, outcome.generated);
    assert_eq!(bfs.max_depth(), outcome.depth());
    for property in model.properties() {
        let verdict = &outcome
            .finding(property.name)
            .expect("has a finding")
            .verdict;
        let expected = bfs.discovery(property.name);
        assert_eq!(
            verdict.path().is_some(),
            expected.is_some(),
            "{}",
            property.name
        );
        assert_eq!(dfs.discovery(property.name).is_some(), expected.is_some());
        match (property.expectation, verdict) {
            (Expectation::Always, Verdict::Held | Verdict::Violated(_)) => {}
            (Expectation::Sometimes, Verdict::NotReached | Verdict::Reached(_)) => {}
            other => panic!("{}: {other:?}", property.name),
        }
        if let Some(path) = verdict.path() {
            assert_is_run(&model, path);
            let violated = property.expectation == Expectation::Always;
            assert_eq!((property.condition)(&model, path.last()), !violated);
        }
    }
    outcome
}

fn assert_is_run<M>(model: &M, path: &Path<M::State, M::Action>)
where
    M: Model,
    M::State: Clone + Debug + Eq,
    M::Action: Clone + Debug + Eq,
{
    assert!(model.init_states().contains(&path.init));
    for (state, (action, next)) in path.states().zip(&path.steps) {
        let mut actions = Vec::new();
        model.actions(state, &mut actions);
        assert!(actions.contains(action));
        assert_eq!(model.next_state(state, action.clone()).as_ref(), Some(next));
    }
}

#[test]
fn two_phase_commit_has_the_states_that_are_known() {
    for (managers, unique) in [(3, 288), (5, 8_832), (6, 50_816)] {
        let outcome = cross_check(
            Commit {
                managers,
                hasty: false,
            },
            unique,
        );
        let all_commit = outcome.finding("all commit").expect("is a property");
        // Each prepares, is heard and obeys, and one decision.
        let steps = all_commit.verdict.path().expect("is reached").steps.len();
        assert_eq!(steps, 3 * usize::from(managers) + 1);
        assert_eq!(
            outcome
                .finding("heard but unsaid")
                .expect("is a property")
                .verdict,
            Verdict::NotReached
        );
    }
}

#[test]
fn a_hasty_commit_is_found_by_a_shortest_run_and_the_rest_is_explored() {
    let model = Commit {
        managers: 4,
        hasty: true,
    };
    let unique = explore(&model, with_threads(1)).unique;
    let outcome = cross_check(model, unique);
    let consistent = outcome.finding("consistent").expect("is a property");
    assert_eq!(consistent.kind, Kind::Always);
    let path = consistent.verdict.path().expect("is violated");
    // One prepares and commits, another one aborts.
    assert_eq!(path.steps.len(), 3);
    assert!(matches!(
        outcome
            .finding("all commit")
            .expect("is a property")
            .verdict,
        Verdict::Reached(_)
    ));
    assert!(!outcome.is_good());
}

#[test]
fn peterson_excludes_and_needs_the_turn() {
    let unique = |turns| explore(&Mutex { turns }, with_threads(1)).unique;
    let outcome = cross_check(Mutex { turns: true }, unique(true));
    assert_eq!(
        outcome.finding("alone").expect("is a property").verdict,
        Verdict::Held
    );
    let outcome = cross_check(Mutex { turns: false }, unique(false));
    let alone = &outcome.finding("alone").expect("is a property").verdict;
    assert_eq!(alone.path().expect("is violated").steps.len(), 6);
}

#[test]
fn a_limit_of_states_is_kept_and_what_was_covered_is_said() {
    let model = Commit {
        managers: 6,
        hasty: false,
    };
    let whole = explore(&model, with_threads(1));
    for threads in [1, 2] {
        let options = Options {
            max_states: 5_000,
            ..with_threads(threads)
        };
        let outcome = explore(&model, options);
        let Coverage::Stopped {
            why,
            depth,
            frontier,
        } = outcome.coverage
        else {
            panic!("it was complete");
        };
        assert_eq!(why, Stop::States);
        assert!(
            (5_000..50_000).contains(&outcome.unique),
            "{}",
            outcome.unique
        );
        assert!(frontier > 0 && frontier < outcome.unique);
        // What it says that it covered is what there is.
        assert_eq!(outcome.levels[..depth], whole.levels[..depth]);
        let never = outcome.finding("heard but unsaid").expect("is a property");
        assert_eq!(
            never.verdict,
            Verdict::Unknown(Undecided::Stopped(Stop::States))
        );
    }
}

#[test]
fn no_limit_of_memory_is_exceeded() {
    let model = Commit {
        managers: 7,
        hasty: false,
    };
    let whole = explore(&model, with_threads(2));
    assert_eq!(whole.unique, 296_448);
    let mut before = 0;
    for limit in [10_000, 300_000, 3_000_000, 12_000_000] {
        let options = Options {
            max_memory: limit,
            ..with_threads(2)
        };
        let outcome = explore(&model, options);
        assert!(outcome.memory <= limit, "{} of {limit}", outcome.memory);
        assert!(outcome.unique >= before);
        before = outcome.unique;
        let Coverage::Stopped { why, depth, .. } = outcome.coverage else {
            panic!("{limit} was enough");
        };
        assert_eq!(why, Stop::Memory);
        assert_eq!(outcome.levels[..depth], whole.levels[..depth]);
    }
    assert!(before > 10_000, "{before}");
    // Three times what was in use at most is enough for every forecast.
    let options = Options {
        max_memory: whole.memory * 3,
        ..with_threads(2)
    };
    assert_eq!(explore(&model, options).coverage, Coverage::Complete);
}

/// Sets the flag when it sees a state far away.
struct Interrupting<'a>(&'a AtomicBool);

impl Model for Interrupting<'_> {
    type State = u32;
    type Action = u32;

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, actions: &mut Vec<u32>) {
        actions.push(1);
    }

    fn next_state(&self, &state: &u32, step: u32) -> Option<u32> {
        self.0.fetch_or(state >= 1_000, Ordering::Relaxed);
        state.checked_add(step)
    }
}

#[test]
fn an_interrupt_stops_an_endless_search() {
    let flag = AtomicBool::new(false);
    let outcome = explore(
        &Interrupting(&flag),
        Options {
            interrupt: Some(&flag),
            ..Options::default()
        },
    );
    assert!(
        (1_000..1_010).contains(&outcome.unique),
        "{}",
        outcome.unique
    );
    assert_eq!(
        outcome.coverage,
        Coverage::Stopped {
            why: Stop::Interrupted,
            depth: outcome.depth(),
            frontier: 1
        }
    );
    assert!(
        outcome
            .coverage
            .to_string()
            .starts_with("stopped: interrupted; every state to depth 100")
    );
}

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
