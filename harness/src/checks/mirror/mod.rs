//! Mirror, message by message: what is reported of a channel, in which order, and what suspensions,
//! overflows, removals and neighbours do to that.
//!
//! * `changes`: writes and removals that are reported one by one.
//! * `order`: the order of what is reported of a key, by changes and by refreshes.
//! * `refresh`: all records at the start, and periodically.
//! * `overflow`: what a suspended Mirror keeps, and that it says when it lost something.
//! * `removal`: the removal of the channel in every state.
//! * `suspend`: what comes and what does not while a Mirror is suspended.
//! * `isolation`: other channels, other Mirrors, writers.
//! * `control`: Suspend, Resume, Stop and Ack as such.
//! * `through_client`: what an application sees of it.
//! * `follower`: a running Mirror, and writes to report.

mod changes;
mod control;
mod follower;
mod isolation;
mod order;
mod overflow;
mod refresh;
mod removal;
mod suspend;
mod through_client;

use dht_protocol::neo::request::RequestCode;
use dht_requirements::Requirement;

use super::{Check, Ground, Group, Running};

pub(super) fn checks() -> Vec<Check> {
    let lists = [
        through_client::checks(),
        control::checks(),
        changes::checks(),
        order::checks(),
        refresh::checks(),
        suspend::checks(),
        overflow::checks(),
        removal::checks(),
        isolation::checks(),
    ];
    let checks = lists.into_iter().flatten();
    checks.map(|check| check.on(RequestCode::Mirror)).collect()
}

/// A check of Mirror.
fn check(
    id: impl Into<String>,
    title: impl Into<String>,
    requirements: &[&'static Requirement],
    run: impl for<'a> Fn(&'a Ground) -> Running<'a> + Send + Sync + 'static,
) -> Check {
    Check::raw(id, title, requirements, run).in_group(Group::Streams)
}
