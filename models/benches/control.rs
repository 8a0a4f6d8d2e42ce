//! How many different states a second are found in a model of the protocol: two GetAlls that are suspended,
//! resumed and stopped, within deep bounds.

use std::num::NonZeroUsize;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dht_models::frames::{self, Bounds};
use dht_models::search::{Coverage, Options, explore};
use dht_models::world::World;

fn control(criterion: &mut Criterion) {
    let entries = frames::all();
    let entry = entries.iter().find(|entry| entry.name == "control-two");
    let frame = entry.expect("the model").frame;
    let options = |threads| Options {
        threads: NonZeroUsize::new(threads).expect("not zero"),
        ..Options::default()
    };
    let world = || World::new(frame(Bounds::Deep)).expect("a frame that fits");
    let unique = explore(&world(), options(2)).unique;
    let mut group = criterion.benchmark_group("control-two");
    group.throughput(Throughput::Elements(unique));
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("{threads} threads"), |bencher| {
            // A new world each time, which remembers nothing of what its machines do.
            bencher.iter(|| {
                let outcome = explore(&world(), options(threads));
                assert_eq!(outcome.coverage, Coverage::Complete);
                assert_eq!(outcome.unique, unique);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, control);
criterion_main!(benches);
