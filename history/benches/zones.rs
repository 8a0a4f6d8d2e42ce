//! How long a million operations on one record take that need no search: all of a check, from entries to witness
//! or explanation, and reading them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dht_history::{
    Budget, Entry, History, Operation, Outcome, Record, Returned, Semantics, Verdict, check, jsonl,
};

const OPERATIONS: i64 = 1_000_000;

fn zones(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one record, a million operations");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.sample_size(10);
    for clients in [50, 500] {
        let history = history(clients);
        group.bench_function(format!("{clients} clients, linearizable"), |bencher| {
            bencher.iter_with_large_drop(|| {
                let verdict = check(&history, Semantics::Dht, Budget::default());
                assert!(matches!(verdict, Verdict::Linearizable(_)));
                verdict
            });
        });
        let stale = with_stale_get(&history, clients);
        group.bench_function(format!("{clients} clients, one stale get"), |bencher| {
            bencher.iter(|| {
                let verdict = check(&stale, Semantics::Dht, Budget::default());
                assert!(matches!(verdict, Verdict::NotLinearizable(_)));
            });
        });
    }
    let mut text = Vec::new();
    jsonl::write(&history(50), &mut text).expect("memory is writable");
    group.bench_function("reading them", |bencher| {
        bencher.iter(|| jsonl::read(text.as_slice()).expect("reads"));
    });
}

/// Operations that overlap as many others as there are clients; every second is a put.
fn history(clients: i64) -> History {
    let record = Record::new("channel", "000000000000000a");
    (0..OPERATIONS)
        .map(|number| {
            let value = |number: i64| number.to_string().into();
            let (operation, outcome) = match number % 2 {
                0 => (Operation::Put(record.clone(), value(number)), Outcome::Ok),
                _ => (
                    Operation::Get(record.clone()),
                    Outcome::Value(value(number - 1)),
                ),
            };
            Entry {
                client: (number % clients) as u64,
                operation,
                invoked: number * 10,
                // It takes effect when it is invoked, and returns when its client goes on.
                returned: Some(Returned {
                    at: number * 10 + clients * 9,
                    outcome,
                }),
            }
        })
        .collect()
}

fn with_stale_get(history: &History, clients: i64) -> History {
    let mut entries = history.entries().to_vec();
    let middle = entries.len() / 2 + 1;
    let old = match &entries[middle - 4 * clients as usize - 1].operation {
        Operation::Put(_, value) => value.clone(),
        _ => "nothing".into(),
    };
    if let Some(returned) = &mut entries[middle].returned {
        returned.outcome = Outcome::Value(old);
    }
    entries.into_iter().collect()
}

criterion_group!(benches, zones);
criterion_main!(benches);
