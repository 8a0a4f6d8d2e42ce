//! How long histories of 50 clients take that the zones alone do not decide.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Rng, Shape, Weights, simulate, spoil};
use criterion::{Criterion, criterion_group, criterion_main};
use dht_history::{Budget, History, Semantics, Verdict, check};

const OPERATIONS: usize = 2_000;
/// Histories that are checked in turn.
const HISTORIES: u64 = 20;

fn searches(criterion: &mut Criterion) {
    let swaps = Weights {
        put: 2,
        get: 4,
        exists: 0,
        remove: 0,
        update: 4,
        remove_channel: 0,
        get_channels: 0,
    };
    let removals = Weights {
        exists: 2,
        remove: 2,
        ..swaps
    };
    let channels = Weights {
        remove_channel: 1,
        ..removals
    };
    for (name, semantics, weights, keys) in [
        ("register", Semantics::Register, swaps, 1),
        ("record with updates", Semantics::Dht, swaps, 1),
        (
            "10 records with updates and removals",
            Semantics::Dht,
            removals,
            10,
        ),
        (
            "record with updates and removals",
            Semantics::Dht,
            removals,
            1,
        ),
        (
            "channel that is removed, 10 records",
            Semantics::Dht,
            channels,
            10,
        ),
    ] {
        let shape = Shape {
            semantics,
            operations: OPERATIONS,
            clients: 50,
            span: 0,
            length: 1_000,
            channels: 1,
            keys,
            values: None,
            unknown: 1,
            weights,
        };
        let mut group = criterion.benchmark_group(format!("50 clients, 2,000 operations, {name}"));
        group.sample_size(10);
        let seeds = || (1..=HISTORIES).map(Rng);
        let valid: Vec<_> = seeds().map(|mut rng| simulate(&mut rng, &shape)).collect();
        let spoilt: Vec<_> = seeds()
            .map(|mut rng| {
                let history = simulate(&mut rng, &shape);
                spoil(&mut rng, &history)
            })
            .collect();
        for (name, histories) in [("simulated", valid), ("one answer spoilt", spoilt)] {
            tell(name, &histories, semantics);
            let mut turn = histories.iter().cycle();
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    turn.next()
                        .map(|next| check(next, semantics, Budget::default()))
                });
            });
        }
    }
}

/// A bench of verdicts that are mostly unknown would measure the budget.
fn tell(name: &str, histories: &[History], semantics: Semantics) {
    let mut counts = [0; 3];
    for history in histories {
        counts[match check(history, semantics, Budget::default()) {
            Verdict::Linearizable(_) => 0,
            Verdict::NotLinearizable(_) => 1,
            Verdict::Unknown(_) => 2,
        }] += 1;
    }
    let [right, wrong, unknown] = counts;
    println!("{name}: {right} linearizable, {wrong} not, {unknown} unknown");
}

criterion_group!(benches, searches);
criterion_main!(benches);
