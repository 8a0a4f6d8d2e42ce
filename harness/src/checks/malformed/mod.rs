//! What all requests share: the supported status, the last answer, malformed and unknown requests,
//! responsibility, absent channels. Mostly tables: a case for each of the ten requests.
//!
//! * `status`, `responsibility`, `reading`: well-formed requests.
//! * `unknown`, `truncated`, `surplus`: those that are not, or that the node does not know.
//! * `form`: the requests as tables need them.
//! * `scene`: a record, somebody who looks at it, and the verdict over malformed requests.

mod form;
mod reading;
mod responsibility;
mod scene;
mod status;
mod surplus;
mod truncated;
mod unknown;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(status::checks());
    checks.extend(responsibility::checks());
    checks.extend(reading::checks());
    checks.extend(unknown::checks());
    checks.extend(truncated::checks());
    checks.extend(surplus::checks());
    checks
}
