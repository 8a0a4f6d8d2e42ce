//! Messages as such, whatever they say: their headers and lengths, how they are cut, the ids of requests,
//! many requests at once, and how connections end.

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
use crate::unkept::{Checked, Unkept, broken};
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

/// A check that breaks the protocol.
fn hostile(check: Check) -> Check {
    check.in_group(Group::Hostile).tagged(Tag::Hostile)
}

/// A check that does what kills or blocks the original nodes.
fn lethal(check: Check) -> Check {
    check.in_group(Group::Hostile).tagged(Tag::Lethal)
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

/// What is broken is this requirement, whatever showed it.
fn blamed(requirement: &'static Requirement) -> impl Fn(Unkept) -> Unkept {
    move |unkept| match unkept {
        Unkept::Broken(found) => {
            let expected: Vec<_> = found.expected.iter().map(String::as_str).collect();
            let (sent, observed) = (found.sent.clone(), found.observed.clone());
            broken(requirement, found.outcome, sent, &expected, observed)
        }
        other => other,
    }
}

/// Exists with this id is answered as it should be.
async fn exists_answered(
    link: &mut Link,
    id: RequestId,
    requirement: &'static Requirement,
) -> Checked {
    let answered = async {
        link.supported(id).await?;
        link.answer(id, "RecordExists or NoRecord").await.map(drop)
    };
    answered.await.map_err(blamed(requirement))
}

/// New connections, one after the other, are served: enough of them that the node has noticed by then how
/// others have ended.
async fn newcomers_served(ground: &Ground, requirement: &'static Requirement) -> Checked {
    for _ in 0..NEWCOMERS {
        let served = async { ground.link().await?.sentinel().await };
        served.await.map_err(blamed(requirement))?;
    }
    Ok(())
}

const NEWCOMERS: usize = 5;
