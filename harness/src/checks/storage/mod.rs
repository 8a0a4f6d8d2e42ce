//! Single records: Put, Get, Exists and Remove, and what is stored by them.
//!
//! * `puts`, `gets`, `existence`, `removal`: each request by itself; `interrupted`: half a Put; `absence`:
//!   no record for any of them.
//! * `foreign`: keys that the node is not responsible for.
//! * `visibility`, `agreement`, `history`: what requests say of a record, one after another.
//! * `values`, `empty`, `keys`, `names`: sizes and bytes that are special.
//! * `through_client`, `bulk`: what an application sees, of a few records and of ten thousand.
//! * `records`: the records of a check, and requests about them.

mod absence;
mod agreement;
mod bulk;
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
mod through_client;
mod values;
mod visibility;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let topics = [
        through_client::checks(),
        bulk::checks(),
        puts::checks(),
        interrupted::checks(),
        gets::checks(),
        existence::checks(),
        absence::checks(),
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
