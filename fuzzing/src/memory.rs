//! How much a target may allocate for its input.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What any call may allocate, however small its input is.
const FREE: usize = 64 * 1024;

/// Runs `work`, which may allocate 64 KiB and `factor` times the length of `input`, everything together that
/// was taken, whether it was given back or not. Counts the whole process: nothing else may be running.
pub(crate) fn bounded<T>(input: &[u8], factor: usize, work: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let change = region.change();
    // What grew in place is counted apart.
    let grown = usize::try_from(change.bytes_reallocated).unwrap_or(0);
    let taken = change.bytes_allocated + grown;
    let allowed = FREE + factor * input.len();
    assert!(
        taken <= allowed,
        "{taken} bytes were allocated for an input of {}, which may cost {allowed}",
        input.len()
    );
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "which may cost 65556")]
    fn too_much_is_noticed_although_it_is_given_back() {
        bounded(&[0; 2], 10, || {
            for _ in 0..100 {
                drop(std::hint::black_box(vec![0_u8; 1000]));
            }
        });
    }
}
