//! Single records: Put, Get, Exists and Remove, and what is stored by them.

mod agreement;
mod empty;
mod existence;
mod foreign;
mod gets;
mod history;
mod interrupted;
mod keys;
mod names;
mod puts;
mod records;
mod removal;
mod values;
mod visibility;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let topics = [
        puts::checks(),
        interrupted::checks(),
        gets::checks(),
        existence::checks(),
        removal::checks(),
        foreign::checks(),
        visibility::checks(),
        agreement::checks(),
        history::checks(),
        values::checks(),
        empty::checks(),
        keys::checks(),
        names::checks(),
    ];
    topics.into_iter().flatten().collect()
}
