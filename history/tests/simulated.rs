//! Histories of many clients: what a node that works did is linearizable, and a planted fault is found and told
//! in few operations.

mod common;

use common::{Rng, Shape, Weights, simulate};
use dht_history::{
    Budget, Entry, Fault, History, Operation, Outcome, Record, Returned, Semantics, Verdict, check,
    check_witness,
};

const ALL: Weights = Weights {
    put: 4,
    get: 6,
    exists: 1,
    remove: 1,
    update: 3,
    remove_channel: 0,
    get_channels: 0,
};

fn shape(weights: Weights) -> Shape {
    Shape {
        semantics: Semantics::Dht,
        operations: 400,
        clients: 8,
        span: 0,
        length: 100,
        channels: 2,
        keys: 4,
        values: None,
        unknown: 4,
        weights,
    }
}

#[test]
fn what_a_node_did_is_linearizable() {
    let coupled = Weights {
        remove_channel: 1,
        get_channels: 1,
        ..ALL
    };
    let register = Weights {
        exists: 0,
        remove: 0,
        ..ALL
    };
    for (weights, semantics, values) in [
        (ALL, Semantics::Dht, None),
        (ALL, Semantics::Dht, Some(5)),
        (register, Semantics::Register, None),
        (coupled, Semantics::Dht, None),
    ] {
        for seed in 0..20 {
            let shape = Shape {
                semantics,
                values,
                ..shape(weights)
            };
            let history = simulate(&mut Rng(seed), &shape);
            match check(&history, semantics, Budget::default()) {
                Verdict::Linearizable(witness) => {
                    let checked = check_witness(&history, semantics, &witness);
                    assert_eq!(checked, Ok(()), "seed {seed} of {shape:?}");
                }
                verdict => panic!("seed {seed} of {shape:?}: {verdict}"),
            }
        }
    }
}

/// A history with these three operations on a record of their own in its midst.
fn planted(seed: u64, planted: [(Operation, Outcome); 3]) -> (History, Vec<usize>) {
    let mut entries = simulate(&mut Rng(seed), &shape(ALL)).entries().to_vec();
    let at = entries.len() / 2;
    let mut start = entries[at].invoked;
    for (number, (operation, outcome)) in planted.into_iter().enumerate() {
        let entry = Entry {
            client: 100 + number as u64,
            operation,
            invoked: start,
            returned: Some(Returned {
                at: start + 5,
                outcome,
            }),
        };
        entries.insert(at + number, entry);
        start += 10;
    }
    (entries.into_iter().collect(), (at..at + 3).collect())
}

#[test]
fn a_planted_fault_is_told_in_its_own_operations() {
    let record = || Record::new("c0", "planted");
    let put = |value: &str| (Operation::Put(record(), value.into()), Outcome::Ok);
    let remove = || (Operation::Remove(record()), Outcome::Removed);
    let get = |outcome| (Operation::Get(record()), outcome);
    let update = |expected: &str, value: &str| {
        let operation = Operation::Update {
            record: record(),
            expected: expected.into(),
            value: value.into(),
        };
        (operation, Outcome::Ok)
    };
    for seed in 0..5 {
        for (operations, fault, proof) in [
            (
                [put("a"), put("b"), get(Outcome::Value("a".into()))],
                Fault::StaleRead,
                &[0, 1, 2][..],
            ),
            (
                [put("a"), remove(), get(Outcome::Value("a".into()))],
                Fault::StaleRead,
                &[0, 1, 2],
            ),
            (
                [put("a"), put("b"), get(Outcome::NoRecord)],
                Fault::LostWrite,
                &[1, 2],
            ),
            (
                [put("a"), remove(), remove()],
                Fault::PhantomRecord,
                &[1, 2],
            ),
            (
                [put("a"), put("b"), get(Outcome::Value("c".into()))],
                Fault::UnwrittenValue,
                &[2],
            ),
            (
                [put("a"), update("a", "b"), update("a", "c")],
                Fault::DoubleUpdate,
                &[1, 2],
            ),
        ] {
            let (history, places) = planted(seed, operations.clone());
            let verdict = check(&history, Semantics::Dht, Budget::default());
            let Verdict::NotLinearizable(explanation) = &verdict else {
                panic!("{operations:?}: {verdict}");
            };
            let expected: Vec<usize> = proof.iter().map(|&number| places[number]).collect();
            assert_eq!(
                explanation.operations(),
                expected,
                "{operations:?}: {verdict}"
            );
            assert_eq!(explanation.fault(), fault, "{verdict}");
            assert_eq!(explanation.key(), Some(&"planted".into()), "{verdict}");
        }
    }
}

/// The records are fine one by one, but a removal of the channel would have had to be before and after
/// another write.
#[test]
fn a_channel_is_removed_at_one_moment() {
    let [a, b] = ["a", "b"].map(|key| Record::new("c", key));
    let operations = [
        (0, 1, Operation::Put(a.clone(), "1".into()), Outcome::Ok),
        (10, 100, Operation::RemoveChannel("c".into()), Outcome::Ok),
        // Not removed yet, although what follows on the other record shows that it was.
        (20, 30, Operation::Put(b.clone(), "2".into()), Outcome::Ok),
        (11, 19, Operation::Get(a), Outcome::NoRecord),
        (110, 120, Operation::Get(b), Outcome::NoRecord),
    ];
    let history: History = operations
        .into_iter()
        .map(|(invoked, at, operation, outcome)| Entry {
            client: invoked as u64,
            operation,
            invoked,
            returned: Some(Returned { at, outcome }),
        })
        .collect();
    let verdict = check(&history, Semantics::Dht, Budget::default());
    let Verdict::NotLinearizable(explanation) = &verdict else {
        panic!("{verdict}");
    };
    assert_eq!(explanation.key(), None, "{verdict}");
    assert_eq!(explanation.operations(), [0, 3, 2, 4], "{verdict}");
}
