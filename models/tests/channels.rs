//! The models of GetChannels and RemoveChannel.

mod judging;

use judging::{entry, judge};

#[test]
fn get_channels() {
    judge(&entry("get-channels"));
}

#[test]
fn get_channels_nodes() {
    judge(&entry("get-channels-nodes"));
}

#[test]
fn remove_channel() {
    judge(&entry("remove-channel"));
}

#[test]
fn remove_channel_nodes() {
    judge(&entry("remove-channel-nodes"));
}

#[test]
fn remove_channel_stranger() {
    judge(&entry("remove-channel-stranger"));
}
