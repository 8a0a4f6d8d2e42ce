//! The legacy protocol: one request at a time on a connection of its own port, over the same storage.
//!
//! * `handshake`: GetVersion and GetResponsibleRange; `connection`: orders as such; `answer`: what all answers
//!   share; `names`, `keys`: what an order names.
//! * `puts`, `reads`, `removes`, `channels`, `sizes`: orders that are answered and over; `bulk`: many records.
//! * `iteration`, `filter`: GetAll, GetAllKeys, GetAllFilter; `batches`: what they come in.
//! * `listen`, `listen_end`: hearing of writes.
//! * `put_batch`, `bad_batch`: many records in one order; `redistribute`: giving records away.
//! * `both`, `both_streams`: what is written by one protocol, seen through the other.
//! * `robustness`: clients that behave badly.
//! * `scene`: what all these begin with.

mod answer;
mod bad_batch;
mod batches;
mod both;
mod both_streams;
mod bulk;
mod channels;
mod connection;
mod filter;
mod handshake;
mod iteration;
mod keys;
mod listen;
mod listen_end;
mod names;
mod put_batch;
mod puts;
mod reads;
mod redistribute;
mod removes;
mod robustness;
mod scene;
mod sizes;

use dht_requirements::Requirement;

use super::{Check, Ground, Group, Running, Tag};

pub(super) fn checks() -> Vec<Check> {
    let lists = [
        handshake::checks(),
        connection::checks(),
        answer::checks(),
        names::checks(),
        keys::checks(),
        puts::checks(),
        reads::checks(),
        removes::checks(),
        channels::checks(),
        sizes::checks(),
        bulk::checks(),
        iteration::checks(),
        filter::checks(),
        batches::checks(),
        listen::checks(),
        listen_end::checks(),
        put_batch::checks(),
        bad_batch::checks(),
        redistribute::checks(),
        both::checks(),
        both_streams::checks(),
        robustness::checks(),
    ];
    let checks = lists.into_iter().flatten();
    checks.map(|check| check.in_group(Group::Legacy)).collect()
}

/// A check of the legacy protocol.
fn check(
    id: impl AsRef<str>,
    title: impl Into<String>,
    requirements: &[&'static Requirement],
    run: impl for<'a> Fn(&'a Ground) -> Running<'a> + Send + Sync + 'static,
) -> Check {
    let id = format!("legacy-{}", id.as_ref());
    Check::raw(id, title, requirements, run)
}

/// A check that does what is known to kill nodes.
fn lethal(
    id: impl AsRef<str>,
    title: impl Into<String>,
    requirements: &[&'static Requirement],
    run: impl for<'a> Fn(&'a Ground) -> Running<'a> + Send + Sync + 'static,
) -> Check {
    check(id, title, requirements, run).tagged(Tag::Lethal)
}
