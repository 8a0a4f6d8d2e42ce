//! What a random case costs when there is no network at all: client and node in one thread, each answer
//! recorded and judged.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dht_workload::Case;
use dht_workload::generate::{self, Shape};
use dht_workload::hunt::Hunt;

const STEPS: usize = 1000;
/// So many cases are run in turn: each leaves other kinds of steps out, and they do not cost the same.
const CASES: u64 = 10;

fn in_process(criterion: &mut Criterion) {
    let hunt = Hunt::default();
    let mut group = criterion.benchmark_group("random operations in this process");
    group.sample_size(20);
    for (name, shape) in [
        ("one after another", Shape::sequential(STEPS)),
        ("several clients", Shape::concurrent(STEPS, 5, 3)),
    ] {
        let cases: Vec<_> = (0..CASES)
            .map(|seed| generate::case(seed, &shape))
            .collect();
        let steps: usize = cases.iter().map(Case::len).sum();
        group.throughput(Throughput::Elements(steps as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for case in &cases {
                    assert_eq!(hunt.judge(black_box(case), 1), None);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, in_process);
criterion_main!(benches);
