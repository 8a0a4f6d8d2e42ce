//! What changes and describes a whole: Update in all its endings, the list of channels, their removal, and
//! the hash range.

mod channels;
mod hash_range;
mod remove_channel;
mod update_bad;
mod update_contended;
mod update_meanwhile;
mod update_reading;
mod update_talk;
mod update_waiting;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(update_reading::checks());
    checks.extend(update_meanwhile::checks());
    checks.extend(update_contended::checks());
    checks.extend(update_waiting::checks());
    checks.extend(update_bad::checks());
    checks.extend(channels::checks());
    checks.extend(remove_channel::checks());
    checks.extend(hash_range::checks());
    checks
}
