//! Update in all its endings.
//!
//! * `reading`: the first step, and Updates that begin with the second.
//! * `meanwhile`: what a decision does, depending on what became of the record since it was read.
//! * `contended`, `waiting`: several Updates of a record, and one whose decision comes late or never.
//! * `bad`: decisions that are none.
//! * `through_client`: what an application sees of it.
//! * `talk`: an Update, message by message.

mod bad;
mod contended;
mod meanwhile;
mod reading;
pub(super) mod talk;
mod through_client;
mod waiting;

use dht_protocol::neo::request::RequestCode;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let topics = [
        through_client::checks(),
        reading::checks(),
        meanwhile::checks(),
        contended::checks(),
        waiting::checks(),
        bad::checks(),
    ];
    let checks = topics.into_iter().flatten();
    checks.map(|check| check.on(RequestCode::Update)).collect()
}
