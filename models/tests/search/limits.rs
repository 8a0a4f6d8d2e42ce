//! Searches that stop before their end.

use std::sync::atomic::{AtomicBool, Ordering};

use dht_models::search::{Coverage, Options, Stop, Undecided, Verdict, explore};
use stateright::Model;

use crate::{models::Commit, with_threads};

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
        managers: 6,
        hasty: false,
    };
    let whole = explore(&model, with_threads(2));
    assert_eq!(whole.unique, 50_816);
    let mut before = 0;
    for limit in [10_000, 300_000, 1_000_000, 3_000_000] {
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
    assert!(before > 1_000, "{before}");
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
