//! Whatever a healthy DHT answers is accepted, whatever it does with empty and with long values; and every
//! answer that differs from the right one is refused.

mod common;

use bytes::Bytes;
use common::mutants::mutants;
use common::plan::{Step, layouts, steps};
use common::{Empty, Naive, reversed};
use dht_model::{Answer, Model, Operation, Route, limits};
use proptest::prelude::*;

const VALUES: &[&str] = &["v", "w", "vw", "xvwx"];
const WITH_EMPTY: &[&str] = &["v", "w", "vw", "", ""];

fn empties() -> impl Strategy<Value = Empty> {
    prop::sample::select(vec![
        Empty::Plain,
        Empty::Refused,
        Empty::Hidden,
        Empty::Sticky,
    ])
}

/// The operation of a step, and where it goes. An announcement is made instead.
fn next(step: Step, naive: &mut Naive, model: &mut Model) -> Option<(Route, Operation)> {
    match step {
        Step::Operation(None, operation) => Some((Route::Client, operation)),
        Step::Operation(Some(node), operation) => Some((Route::Node(naive.node(node)), operation)),
        Step::Announce(node, range) => {
            let node = naive.node(node);
            naive.announce(node, range);
            model.announce(node, range);
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_healthy_dht_is_accepted(
        layout in layouts(),
        empty in empties(),
        plan in prop::collection::vec((steps(4, WITH_EMPTY), any::<bool>()), 1..60),
    ) {
        let mut naive = Naive::new(&layout, empty);
        let mut model = naive.model();
        for (step, reverse) in plan {
            let Some((route, operation)) = next(step, &mut naive, &mut model) else {
                continue;
            };
            let mut answer = naive.run_on(route, &operation);
            if reverse {
                answer = reversed(answer);
            }
            let judged = model.observe_on(route, &operation, &answer);
            prop_assert!(judged.is_ok(), "{operation}: {}", judged.unwrap_err());
        }
        prop_assert!(model.is_exact());
    }

    #[test]
    fn a_dht_that_loses_connections_is_accepted(
        layout in layouts(),
        empty in empties(),
        plan in prop::collection::vec(
            (steps(3, WITH_EMPTY), prop::option::weighted(0.3, any::<prop::sample::Index>())),
            1..60,
        ),
    ) {
        let mut naive = Naive::new(&layout, empty);
        let mut model = naive.model();
        for (step, broken_off) in plan {
            let Some((route, operation)) = next(step, &mut naive, &mut model) else {
                continue;
            };
            let answer = match broken_off {
                None => naive.run_on(route, &operation),
                Some(place) => {
                    let after: Vec<_> = naive.broken_off_on(route, &operation).into_iter().collect();
                    naive = place.get(&after).clone();
                    Answer::Unknown
                }
            };
            let judged = model.observe_on(route, &operation, &answer);
            prop_assert!(judged.is_ok(), "{operation}: {}", judged.unwrap_err());
            prop_assert!(model.width() <= 64);
        }
    }

    #[test]
    fn a_wrong_answer_is_refused(
        layout in layouts(),
        plan in prop::collection::vec(steps(4, VALUES), 1..40),
    ) {
        let mut naive = Naive::new(&layout, Empty::Plain);
        let mut model = naive.model();
        for step in plan {
            let Some((route, operation)) = next(step, &mut naive, &mut model) else {
                continue;
            };
            let answer = naive.run_on(route, &operation);
            for wrong in mutants(&operation, &answer) {
                let before = model.clone();
                let judged = model.observe_on(route, &operation, &wrong);
                prop_assert!(judged.is_err(), "{operation}: accepted {wrong}, not only {answer}");
                prop_assert_eq!(&model, &before);
            }
            prop_assert_eq!(model.observe_on(route, &operation, &answer), Ok(()));
            prop_assert_eq!(model.width(), 1);
        }
    }

    #[test]
    fn records_that_fit_no_batch_may_be_left_out(
        lengths in prop::collection::vec((limits::GET_ALL_VALUE - 2)..(limits::GET_ALL_VALUE + 12), 1..6),
        leave_out in any::<u8>(),
    ) {
        let mut naive = Naive::new(&[dht_model::HashRange::FULL], Empty::Plain);
        let mut model = naive.model();
        for (key, length) in lengths.iter().enumerate() {
            let operation = Operation::put("a", key as u64, Bytes::from(vec![b'x'; *length]));
            let answer = naive.run_on(Route::Client, &operation);
            model.observe(&operation, &answer).unwrap();
        }
        let listings = [
            (Operation::get_all("a"), limits::GET_ALL_VALUE),
            (Operation::Refresh { channel: "a".into() }, limits::REFRESH_VALUE),
        ];
        for (operation, limit) in listings {
            let Answer::Records(mut records) = naive.run_on(Route::Client, &operation) else {
                panic!("not a list");
            };
            let mut legal = true;
            records.retain(|(key, value)| {
                let keep = leave_out & 1 << key.0 == 0;
                legal &= keep || value.len() > limit;
                keep
            });
            let judged = model.observe(&operation, &Answer::Records(records));
            prop_assert_eq!(judged.is_ok(), legal);
        }
        let keys = naive.run_on(Route::Client, &Operation::get_all_keys("a"));
        prop_assert_eq!(model.observe(&Operation::get_all_keys("a"), &keys), Ok(()));
        for wrong in mutants(&Operation::get_all_keys("a"), &keys) {
            prop_assert!(model.observe(&Operation::get_all_keys("a"), &wrong).is_err());
        }
    }
}
