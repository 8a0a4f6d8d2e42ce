//! The way to an open connection: TCP, the version bytes, the authentication.
//!
//! * `steps`: what the checks below have in common.
//! * `version`, `connection`: the version bytes; several connections, and silent ones.
//! * `time`, `nonce`: the first message of the client and the node's answer.
//! * `names`, `codes`, `proofs`: the second message, well-formed with a wrong name or code, or malformed.
//! * `results`: what the node makes of it. `behind`: requests that do not wait for that.
//! * `headers`: wrong headers, and messages that come too early.

mod behind;
mod codes;
mod connection;
mod headers;
mod names;
mod nonce;
mod proofs;
mod results;
mod steps;
mod time;
mod version;

use super::{Check, Ground, Group, Tag};

pub(super) fn checks() -> Vec<Check> {
    let lists = [
        version::checks(),
        connection::checks(),
        time::checks(),
        nonce::checks(),
        names::checks(),
        codes::checks(),
        proofs::checks(),
        results::checks(),
        behind::checks(),
        headers::checks(),
    ];
    let checks = lists.into_iter().flatten();
    checks
        .map(|check| check.in_group(Group::Connection))
        .collect()
}
