//! Channels: the list of them, and their removal.

mod list;
mod removal;
mod through_client;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let topics = [through_client::checks(), list::checks(), removal::checks()];
    topics.into_iter().flatten().collect()
}
