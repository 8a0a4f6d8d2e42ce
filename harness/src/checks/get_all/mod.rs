//! GetAll, message by message: what it delivers, how it is controlled, how it ends, and what happens to
//! it while its channel changes.
//!
//! * `complete`, `sizes`, `batches`, `filter`, `continuing`: what is delivered, and in which batches.
//! * `control`, `sequences`, `suspend`, `misuse`: control messages, one by one, many at once, and wrong ones.
//! * `end`, `changes`: the end, and a channel that changes meanwhile.
//! * `through_client`: what an application sees of it.
//! * `walk`: a running GetAll.

mod batches;
mod changes;
mod complete;
mod continuing;
mod control;
mod end;
mod filter;
mod misuse;
mod sequences;
mod sizes;
mod suspend;
mod through_client;
mod walk;

use dht_protocol::neo::request::RequestCode;

use super::{Check, Ground, Group};

pub(super) fn checks() -> Vec<Check> {
    let lists = [
        through_client::checks(),
        complete::checks(),
        sizes::checks(),
        batches::checks(),
        filter::checks(),
        continuing::checks(),
        control::checks(),
        sequences::checks(),
        suspend::checks(),
        end::checks(),
        changes::checks(),
        misuse::checks(),
    ];
    let checks = lists.into_iter().flatten();
    checks.map(|check| check.on(RequestCode::GetAll)).collect()
}
