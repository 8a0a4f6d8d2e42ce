//! Makes a failing run of operations short, so that a person can read it.
//!
//! First what cannot matter goes at once: whatever concerns other records than the failing operation
//! does. Then parts are left out, half of the rest at first and single operations in the end, as long as
//! the run still fails.

use dht_model::Operation;

/// How often a run may be repeated.
const PROBES: usize = 60;

/// The shortest sequence that was found that still fails, and how often one was tried. `operations` ends
/// with the operation that failed; `failure` tries a sequence and says which of its operations fails, if
/// any.
pub async fn minimise(
    operations: Vec<Operation>,
    mut failure: impl AsyncFnMut(&[Operation]) -> Option<usize>,
) -> (Vec<Operation>, usize) {
    let mut best = operations;
    let mut probes = 0;
    if let Some(failing) = best.last().cloned() {
        for related in [same_record, same_channel] {
            let slice: Vec<_> = best
                .iter()
                .filter(|operation| related(operation, &failing))
                .cloned()
                .collect();
            if slice.len() == best.len() {
                continue;
            }
            probes += 1;
            if let Some(at) = failure(&slice).await {
                best = up_to(slice, at);
                break;
            }
        }
    }
    let mut part = best.len() / 2;
    while part > 0 && probes < PROBES {
        let mut start = 0;
        while start + part < best.len() && probes < PROBES {
            let mut candidate = best.clone();
            candidate.drain(start..start + part);
            probes += 1;
            match failure(&candidate).await {
                Some(at) => best = up_to(candidate, at),
                None => start += part,
            }
        }
        part /= 2;
    }
    (best, probes)
}

/// What comes behind the operation that fails has no part in it.
fn up_to(mut operations: Vec<Operation>, failing: usize) -> Vec<Operation> {
    operations.truncate(failing + 1);
    operations
}

/// Can the two concern the same record? Operations on whole channels can.
fn same_record(one: &Operation, other: &Operation) -> bool {
    same_channel(one, other)
        && match (one.key(), other.key()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
}

fn same_channel(one: &Operation, other: &Operation) -> bool {
    match (one.channel(), other.channel()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_run_becomes_the_operations_that_matter() {
        let mut operations: Vec<_> = (0..1000_u64)
            .map(|i| Operation::put(format!("c{}", i % 3), i % 8, format!("v{i}")))
            .collect();
        operations.insert(400, Operation::remove("c1", 3));
        operations.push(Operation::get("c1", 3));
        // The run fails if a value was put and the record removed at any time before it is read.
        let fails = |operations: &[Operation]| {
            operations.contains(&Operation::remove("c1", 3))
                && operations.iter().any(|operation| {
                    matches!(operation, Operation::Record { .. }
                    if operation.to_string().starts_with("Put c1/0000000000000003"))
                })
                && operations.last() == Some(&Operation::get("c1", 3))
        };
        let (best, probes) = minimise(operations, async |operations| {
            fails(operations).then(|| operations.len() - 1)
        })
        .await;
        assert_eq!(best.len(), 3, "{best:?}");
        assert!(probes <= PROBES);
    }
}
