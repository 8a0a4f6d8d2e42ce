//! Cases in the world without sockets.

use std::time::Duration;

use dht_workload::Case;
use dht_workload::generate::{self, Shape};
use dht_workload::hunt::Hunt;
use dht_workload::judge;
use dht_workload::minimise::{self, Effort};
use fakedht::{Bugs, NodeConfig};
use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn with_bug(name: &str) -> Hunt {
    let bug = Bugs::find(name).expect("a bug of the catalogue");
    Hunt::new(NodeConfig {
        bugs: Bugs::from_iter([bug]),
        ..NodeConfig::default()
    })
}

/// The first wrong thing that cases of this shape show, and in which seed.
fn search(hunt: &Hunt, shape: &Shape, seeds: u64) -> Option<(u64, judge::Fault)> {
    (0..seeds).find_map(|seed| {
        let case = generate::case(seed, shape);
        Some((seed, hunt.judge(&case, seed)?))
    })
}

#[test]
fn a_healthy_node_is_right() {
    for shape in [
        Shape::sequential(300),
        Shape::concurrent(300, 5, 3),
        Shape::concurrent(300, 4, 4).faulty(),
    ] {
        let found = search(&Hunt::default(), &shape, 100);
        assert_eq!(found, None, "{shape:?}");
    }
}

/// Any shape of a case, within what one run of the search makes.
fn any_shape() -> impl Strategy<Value = Shape> {
    (
        1_usize..200,
        1_usize..8,
        1_usize..8,
        0_usize..3,
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(
                steps,
                lanes,
                connections,
                legacy,
                [long, faults, removes_channels, empty_values],
            )| Shape {
                steps,
                lanes,
                connections: connections.min(lanes),
                long,
                faults,
                removes_channels,
                empty_values,
                halts: false,
                legacy,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig {
        // The same cases each time; whoever wants others changes the seed.
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn no_case_of_any_shape_accuses_a_healthy_node(seed: u64, schedule: u64, shape in any_shape()) {
        let case = generate::case(seed, &shape);
        prop_assert_eq!(case.validate(), Ok(()));
        prop_assert_eq!(Hunt::default().judge(&case, schedule), None);
    }
}

#[test]
fn every_step_ends() {
    let shape = Shape::concurrent(300, 5, 3);
    for seed in 0..50 {
        let case = generate::case(seed, &shape);
        let recording = Hunt::default().play(&case, seed);
        assert_eq!(recording.end, None);
        assert_eq!(recording.entries.len(), case.len());
        let open = recording.entries.iter().find(|entry| entry.ended.is_none());
        assert_eq!(open, None);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for shape in [
        Shape::concurrent(400, 6, 3),
        Shape::concurrent(400, 6, 3).faulty(),
    ] {
        let case = generate::case(5, &shape);
        let hunt = Hunt::default();
        let (one, other) = (hunt.play(&case, 9), hunt.play(&case, 9));
        assert_eq!(one, other);
        assert_ne!(one, hunt.play(&case, 10), "another schedule");
    }
}

#[test]
fn bugs_are_found_and_become_a_few_steps() {
    for bug in ["put-not-stored", "remove-channel-during-update-crashes"] {
        let hunt = with_bug(bug);
        let caught = hunt.search(0, Duration::from_secs(60)).expect(bug);
        let minimal = hunt.minimise(&caught, Effort::default());
        assert!(minimal.case.len() <= 4, "{}", minimal.case);
        assert!(minimal.probes <= 60);
        assert_eq!(
            hunt.judge(&minimal.case, caught.schedule).as_ref(),
            Some(&minimal.fault)
        );
        assert_eq!(minimal, hunt.minimise(&caught, Effort::default()));
    }
}

#[test]
fn a_thousand_operations_take_few_probes() {
    let hunt = with_bug("put-not-stored");
    let shape = Shape::sequential(1000);
    let (schedule, fault) = search(&hunt, &shape, 50).expect("the bug shows");
    let case = generate::case(schedule, &shape);
    let probe = async |case: &Case| hunt.judge(case, schedule);
    let mut sizes = Vec::new();
    let better = |case: &Case, _: &judge::Fault| sizes.push(case.len());
    let minimising = minimise::minimise(case, fault, Effort::default(), probe, better);
    let minimal = minimising.now_or_never().expect("nothing is waited for");
    assert_eq!(minimal.fails, (1, 1));
    assert!(
        minimal.case.len() <= 2 && minimal.probes <= 60,
        "{}",
        minimal.case
    );
    assert!(
        sizes.is_sorted_by(|one, next| one >= next),
        "each is told as it is found"
    );
}
