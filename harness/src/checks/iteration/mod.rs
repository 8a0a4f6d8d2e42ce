//! GetAll, message by message: what it delivers, how it is controlled, how it ends, and what happens to
//! it while its channel changes.

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
mod walk;

use dht_protocol::neo::request::RequestCode;

use super::{Check, Ground, Group, Tag};

pub(super) fn checks() -> Vec<Check> {
    let lists = [
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
