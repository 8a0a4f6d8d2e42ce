//! Our search of all states against stateright's, and against what is known of the models.

mod limits;
mod models;
mod naive;

use std::{cell::RefCell, fmt::Debug, hash::Hash, num::NonZeroUsize};

use dht_models::search::{
    Coverage, Kind, Options, Outcome, Path, Progress, Undecided, Verdict, explore,
};
use models::{Commit, Mutex};
use stateright::{Checker, Expectation, Model, Property};

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
        match (&property.expectation, verdict) {
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

/// A property that only the graph can decide.
#[derive(Debug, Clone)]
struct Ends;

impl Model for Ends {
    type State = u8;
    type Action = u8;

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, _: &u8, _: &mut Vec<u8>) {}

    fn next_state(&self, _: &u8, _: u8) -> Option<u8> {
        None
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::eventually("ends", |_, _| true)]
    }
}

#[test]
fn what_it_cannot_decide_is_not_held() {
    let outcome = explore(&Ends, with_threads(1));
    let expected = Verdict::Unknown(Undecided::NeedsGraph);
    assert_eq!(outcome.findings[0].verdict, expected);
    assert_eq!((outcome.unique, outcome.terminal), (1, 1));
    assert!(!outcome.is_good());
}

#[test]
fn progress_is_told() {
    let heard = RefCell::new(Vec::new());
    let listener = |progress: &Progress| heard.borrow_mut().push(*progress);
    let model = Commit {
        managers: 5,
        hasty: false,
    };
    let options = Options {
        progress: Some(&listener),
        ..with_threads(2)
    };
    let outcome = explore(&model, options);
    let heard = heard.borrow();
    // Whatever the time it takes: once after the first round, which expands the initial state.
    let first = heard.first().expect("is told at least once");
    assert_eq!(first.unique, outcome.levels[..2].iter().sum::<u64>());
    assert_eq!((first.depth, first.frontier), (2, outcome.levels[1]));
    assert!(
        heard
            .iter()
            .all(|progress| progress.unique <= outcome.unique)
    );
}
