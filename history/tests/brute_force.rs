//! The checker and a search through all orders agree on random small histories.

mod common;

use common::brute_force::is_linearizable;
use common::{Rng, Shape, Weights, simulate, spoil};
use dht_history::{Budget, Semantics, Verdict, check, check_witness, jsonl};

const REGISTER: Weights = Weights {
    put: 3,
    get: 4,
    exists: 0,
    remove: 0,
    update: 3,
    remove_channel: 0,
    get_channels: 0,
};

const RECORD: Weights = Weights {
    exists: 2,
    remove: 3,
    ..REGISTER
};

const CHANNEL: Weights = Weights {
    remove_channel: 2,
    get_channels: 2,
    ..RECORD
};

fn shape(semantics: Semantics, weights: Weights) -> Shape {
    Shape {
        semantics,
        operations: 0,
        clients: 0,
        span: 0,
        length: 0,
        channels: 1,
        keys: 1,
        values: None,
        unknown: 0,
        weights,
    }
}

/// Compares on that many histories, and tells how many of them were linearizable.
fn agree(seed: u64, histories: usize, shape: &Shape) -> usize {
    let mut rng = Rng(seed);
    let mut linearizable = 0;
    for number in 0..histories {
        let shape = Shape {
            operations: 1 + rng.below(6) as usize,
            span: 1 + rng.below(20),
            length: 1 + rng.below(10),
            unknown: rng.below(3) * 15,
            ..shape.clone()
        };
        let mut history = simulate(&mut rng, &shape);
        let simulated = rng.percent(30);
        for _ in 0..(if simulated { 0 } else { 1 + rng.below(2) }) {
            history = spoil(&mut rng, &history);
        }
        let verdict = check(&history, shape.semantics, Budget::default());
        let expected = is_linearizable(&history, shape.semantics);
        let show = || {
            let mut text = Vec::new();
            jsonl::write(&history, &mut text).expect("memory is writable");
            let text = String::from_utf8(text).expect("JSON is UTF-8");
            format!("seed {seed}, history {number}, expected {expected}: {verdict}\n{text}")
        };
        assert!(
            expected || !simulated,
            "the simulation is right: {}",
            show()
        );
        match &verdict {
            Verdict::Linearizable(witness) => {
                assert!(expected, "{}", show());
                let checked = check_witness(&history, shape.semantics, witness);
                assert_eq!(checked, Ok(()), "{} {witness:?}", show());
                linearizable += 1;
            }
            Verdict::NotLinearizable(explanation) => {
                assert!(!expected, "{}", show());
                assert!(!explanation.operations().is_empty(), "{}", show());
            }
            Verdict::Unknown(_) => panic!("{}", show()),
        }
    }
    linearizable
}

#[test]
fn registers() {
    for (seed, values) in [(1, None), (2, Some(3))] {
        let shape = Shape {
            values,
            ..shape(Semantics::Register, REGISTER)
        };
        let linearizable = agree(seed, HISTORIES, &shape);
        assert!(
            (HISTORIES / 4..HISTORIES).contains(&linearizable),
            "{linearizable}"
        );
    }
}

#[test]
fn records() {
    for (seed, values, weights) in [(3, None, REGISTER), (4, None, RECORD), (5, Some(2), RECORD)] {
        let shape = Shape {
            values,
            ..shape(Semantics::Dht, weights)
        };
        let linearizable = agree(seed, HISTORIES, &shape);
        assert!(
            (HISTORIES / 4..HISTORIES).contains(&linearizable),
            "{linearizable}"
        );
    }
}

#[test]
fn channels() {
    for (seed, channels, keys, values) in [
        (6, 1, 2, None),
        (7, 2, 2, Some(2)),
        (8, 1, 3, Some(2)),
        (9, 2, 1, None),
    ] {
        let shape = Shape {
            channels,
            keys,
            values,
            ..shape(Semantics::Dht, CHANNEL)
        };
        let linearizable = agree(seed, HISTORIES, &shape);
        assert!(
            (HISTORIES / 4..HISTORIES).contains(&linearizable),
            "{linearizable}"
        );
    }
}

/// Of each kind. `cargo test` without optimisation takes some seconds for them.
const HISTORIES: usize = 25_000;
