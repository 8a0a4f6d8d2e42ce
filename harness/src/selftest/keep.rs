//! What a bug has led to, as a file of the corpus.

use dht_workload::corpus::{FORMAT, Found, Kept, Rate};
use dht_workload::hunt::Catch;
use dht_workload::minimise::Minimal;
use fakedht::bugs::Bug;

/// The minimised case of a bug, with all that makes it fail again in the same way.
pub(super) fn keep(bug: &Bug, caught: &Catch, minimal: &Minimal, seed: u64) -> Kept {
    let (failed, of) = minimal.fails;
    let fault = &minimal.fault;
    Kept {
        format: FORMAT,
        about: bug.description.to_owned(),
        requirement: fault.requirement.id.to_owned(),
        sent: fault.sent.clone(),
        allowed: fault.allowed.clone(),
        observed: fault.observed.clone(),
        fails: Some(Rate { failed, of }),
        bug: Some(bug.name.to_owned()),
        found: Some(Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: "the fake node, without sockets".to_owned(),
            profile: "strict".to_owned(),
            seed: format!("{seed:x}"),
            technique: caught.technique.to_string(),
            operations: caught.operations,
            probes: minimal.probes,
            schedule: Some(caught.schedule),
        }),
        case: minimal.case.clone(),
        exchange: Vec::new(),
    }
}
