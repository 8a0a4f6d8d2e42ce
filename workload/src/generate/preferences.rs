//! What a case does how often.

use crate::rng::Rng;

/// How often each kind of step is wanted in a case: some are left out, and others preferred (swarm
/// testing). `kept` is not left out: without anything stored there is nothing to see.
pub(super) fn preferences<K: Copy + PartialEq>(
    rng: &mut Rng,
    weights: impl Iterator<Item = (usize, K)>,
    kept: K,
) -> Vec<(usize, K)> {
    let preferred = weights.map(|(weight, kind)| {
        let weight = match rng.below(6) {
            0 if kind != kept => 0,
            1 => weight * 4,
            _ => weight,
        };
        (weight, kind)
    });
    preferred.collect()
}
