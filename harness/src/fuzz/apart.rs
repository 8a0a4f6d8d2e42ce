//! Defects that are shown on connections of their own.

pub(super) mod legacy;
mod neo;

use std::sync::Arc;

use dht_requirements::Requirement;
use dht_workload::case::{Defect, Protocol};
use dht_workload::world::Violation;

use super::place::Place;
use crate::trace::Trace;
use crate::unkept::{Checked, Unkept};

/// Does something wrong on a new connection. The error is what the node broke.
pub(super) async fn commit(
    place: Place,
    defect: Defect,
    variant: u32,
    trace: Arc<Trace>,
) -> Result<(), Violation> {
    match defect.protocol() {
        Protocol::Neo => neo::commit(place, defect, variant, trace).await,
        Protocol::Legacy => legacy::commit(place, defect, variant, trace).await,
    }
}

/// What a check has found broken, as a breach of `rule` if that is given.
fn violation(checked: Checked, rule: Option<&'static Requirement>) -> Result<(), Violation> {
    match checked {
        Err(Unkept::Broken(found)) => Err(Violation {
            requirement: rule.unwrap_or(found.requirement),
            text: found.observed.clone(),
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}
