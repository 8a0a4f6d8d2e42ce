//! The models of GetAll.

mod judging;

use judging::{entry, judge};

#[test]
fn a_record_is_removed_meanwhile() {
    judge(&entry("get-all"));
}

#[test]
fn it_goes_on_after_a_break() {
    judge(&entry("get-all-break"));
}

#[test]
fn one_of_two_nodes_is_lost() {
    judge(&entry("get-all-nodes"));
}

#[test]
fn records_match_the_filter() {
    judge(&entry("get-all-filter"));
}

#[test]
fn keys_alone_are_read() {
    judge(&entry("get-all-keys"));
}

#[test]
fn a_record_is_too_large() {
    judge(&entry("get-all-large"));
}

#[test]
fn two_read_one_channel() {
    judge(&entry("get-all-two"));
}

#[test]
fn the_channel_is_removed_and_created_anew() {
    judge(&entry("get-all-recreated"));
}

#[test]
fn records_are_added_meanwhile() {
    judge(&entry("get-all-growing"));
}
