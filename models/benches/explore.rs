//! How many different states a second our search finds, and stateright's, in a model whose states are flat: 64
//! bytes, six steps from most states, and nearly no work in a step, so that the search itself is measured.

use std::num::NonZeroUsize;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dht_models::search::{Coverage, Options, explore};
use stateright::{Checker, Model, Property};

/// Counters in a row. Each can step while it is not too far ahead of the one before it.
#[derive(Debug, Clone, Copy)]
struct Counters {
    most: u8,
}

const COUNTERS: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    counts: [u8; COUNTERS],
    _ballast: [u64; 7],
}

impl Model for Counters {
    type State = Row;
    type Action = u8;

    fn init_states(&self) -> Vec<Row> {
        vec![Row {
            counts: [0; COUNTERS],
            _ballast: [7; 7],
        }]
    }

    fn actions(&self, row: &Row, actions: &mut Vec<u8>) {
        let steps = 0..COUNTERS as u8;
        actions.extend(steps.filter(|&counter| row.counts[usize::from(counter)] < self.most));
    }

    fn next_state(&self, row: &Row, counter: u8) -> Option<Row> {
        let mut next = *row;
        next.counts[usize::from(counter)] += 1;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "no counter is beyond its end",
            |model, row: &Row| row.counts.iter().all(|&count| count <= model.most),
        )]
    }
}

fn states(criterion: &mut Criterion) {
    let model = Counters { most: 7 };
    let unique = u64::from(model.most + 1).pow(COUNTERS as u32);
    let mut group = criterion.benchmark_group("states of 64 bytes");
    group.throughput(Throughput::Elements(unique));
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("explore, {threads} threads"), |bencher| {
            let options = Options {
                threads: NonZeroUsize::new(threads).expect("not zero"),
                ..Options::default()
            };
            bencher.iter(|| {
                let outcome = explore(&model, options);
                assert_eq!(outcome.coverage, Coverage::Complete);
                assert_eq!(outcome.unique, unique);
            });
        });
    }
    for threads in [1, 2] {
        group.bench_function(format!("stateright bfs, {threads} threads"), |bencher| {
            bencher.iter(|| {
                let checker = model.checker().threads(threads).spawn_bfs().join();
                assert_eq!(checker.unique_state_count() as u64, unique);
            });
        });
        group.bench_function(format!("stateright dfs, {threads} threads"), |bencher| {
            bencher.iter(|| {
                let checker = model.checker().threads(threads).spawn_dfs().join();
                assert_eq!(checker.unique_state_count() as u64, unique);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, states);
criterion_main!(benches);
