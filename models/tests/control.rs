//! The models of Suspend, Resume and Stop.

mod judging;

use judging::{entry, judge};

#[test]
fn one_node_is_controlled() {
    judge(&entry("control"));
}

#[test]
fn an_empty_channel_ends_although_suspended() {
    judge(&entry("control-empty"));
}

#[test]
fn a_lost_node_is_controlled_when_it_is_back() {
    judge(&entry("control-break"));
}

#[test]
fn two_nodes_are_controlled() {
    judge(&entry("control-nodes"));
}

#[test]
fn two_requests_are_controlled() {
    judge(&entry("control-two"));
}

#[test]
fn a_slow_reader_notices_nothing() {
    judge(&entry("control-paced"));
}
