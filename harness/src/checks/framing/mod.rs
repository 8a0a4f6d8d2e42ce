//! Messages as such, whatever they say.
//!
//! * `sent`: what the node sends, byte by byte.
//! * `headers`, `lengths`, `segments`: wrong headers, lengths that they announce, messages in pieces.
//! * `ids`, `unsupported`: the ids of requests, and requests that there are not.
//! * `pipelining`, `crowds`: many requests on a connection, and many connections.
//! * `closing`: how connections end.

mod closing;
mod crowds;
mod headers;
mod ids;
mod lengths;
mod pipelining;
mod segments;
mod sent;
mod unsupported;

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::{RequestCode, put};
use dht_requirements::Requirement;

use super::{Check, Ground, Group, Tag};
use crate::unkept::{Checked, blamed_on};
use crate::wire::Link;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let topics = [
        sent::checks(),
        headers::checks(),
        lengths::checks(),
        segments::checks(),
        ids::checks(),
        unsupported::checks(),
        pipelining::checks(),
        closing::checks(),
        crowds::checks(),
    ];
    topics.into_iter().flatten().collect()
}

/// Exists, about a record of the check.
fn exists(ground: &Ground) -> Vec<u8> {
    record(&ground.channel(""), ground.key(1)).opening(RequestCode::Exists)
}

/// Put of the record with this number.
fn put(ground: &Ground, number: u64, value: impl Into<Bytes>) -> Vec<u8> {
    let open = put::Open {
        record: record(&ground.channel(""), ground.key(number)),
        value: value.into(),
    };
    open.encode()
}

/// A request is said to be supported and then answered; else `requirement` is broken.
async fn answered(link: &mut Link, id: RequestId, requirement: &'static Requirement) -> Checked {
    let answered = async {
        link.supported(id).await?;
        link.answer(id, "its answer").await.map(drop)
    };
    answered.await.map_err(blamed_on(requirement))
}

/// So are all of these.
async fn all_answered(
    link: &mut Link,
    ids: &[RequestId],
    requirement: &'static Requirement,
) -> Checked {
    for id in ids {
        answered(link, *id, requirement).await?;
    }
    Ok(())
}

/// New connections, one after the other, are served: enough of them that the node has noticed by then how
/// others have ended. They stay, so that a node that uses the places of ended connections again has to use
/// one after the other.
async fn newcomers_served(ground: &Ground, requirement: &'static Requirement) -> Checked {
    let mut newcomers = Vec::with_capacity(NEWCOMERS);
    for _ in 0..NEWCOMERS {
        let served = async {
            let mut link = ground.link().await?;
            link.sentinel().await?;
            Ok(link)
        };
        newcomers.push(served.await.map_err(blamed_on(requirement))?);
    }
    Ok(())
}

const NEWCOMERS: usize = 8;
