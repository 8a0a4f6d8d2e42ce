//! Lost answers keep every possibility, and no other; what is known stays small.

mod common;

use common::judge::{accepts, channels, node, records, right, value};
use dht_model::{Allowed, Answer, Decision, HashRange, Key, Model, NodeId, Operation, Route};

#[test]
fn a_lost_put_was_done_or_not() {
    let mut model = node();
    right(&mut model, Operation::put("c", 1, "old"), Answer::Stored);
    right(&mut model, Operation::put("c", 1, "new"), Answer::Unknown);
    let get = Operation::get("c", 1);
    assert!(accepts(&model, &get, &value("old")));
    assert!(accepts(&model, &get, &value("new")));
    assert!(!accepts(&model, &get, &value("other")));
    assert!(!accepts(&model, &get, &Answer::NoRecord));
    let both = Allowed::Answers(vec![value("new"), value("old")]);
    assert_eq!(model.allowed(&get), both);

    right(&mut model, get.clone(), value("new"));
    assert!(!accepts(&model, &get, &value("old")), "decided");
}

#[test]
fn a_lost_first_operation_created_the_channel_or_not() {
    for operation in [
        Operation::put("c", 1, "v"),
        Operation::get("c", 1),
        Operation::get_all("c"),
        Operation::update("c", 1, Decision::Leave),
    ] {
        let mut model = node();
        right(&mut model, operation.clone(), Answer::Unknown);
        for names in [&[][..], &["c"][..]] {
            assert!(accepts(&model, &Operation::GetChannels, &channels(names)));
        }
        let puts = operation == Operation::put("c", 1, "v");
        assert_eq!(accepts(&model, &Operation::get("c", 1), &value("v")), puts);
        right(&mut model, Operation::GetChannels, channels(&[]));
        assert_eq!(model, node(), "nothing happened");
    }
}

#[test]
fn a_lost_removal_of_a_channel_took_all_or_nothing() {
    let mut model = node();
    for key in 0..3 {
        right(&mut model, Operation::put("c", key, "v"), Answer::Stored);
    }
    right(&mut model, Operation::remove_channel("c"), Answer::Unknown);
    right(&mut model, Operation::get("other", 1), Answer::NoRecord);
    right(&mut model, Operation::put("c", 9, "v"), Answer::Stored);
    assert_eq!(
        model.width(),
        2,
        "the record stands alone, or with all others"
    );
    assert!(accepts(&model, &Operation::get("c", 0), &Answer::NoRecord));
    right(&mut model, Operation::get("c", 1), value("v"));
    assert!(!accepts(&model, &Operation::get("c", 0), &Answer::NoRecord));
    assert_eq!(model.width(), 1);
}

#[test]
fn many_lost_operations_on_different_records_cost_nothing() {
    let mut model = node();
    right(&mut model, Operation::get("c", 0), Answer::NoRecord);
    for key in 0..1000 {
        right(&mut model, Operation::put("c", key, "v"), Answer::Unknown);
    }
    assert_eq!(model.width(), 1);
    assert!(model.is_exact());
    let some: Vec<_> = (0..1000).filter(|key| key % 3 == 0).map(Key).collect();
    right(&mut model, Operation::get_all_keys("c"), Answer::Keys(some));
    for key in 0..1000 {
        let exists = Operation::exists("c", key);
        assert!(accepts(&model, &exists, &Answer::Exists(key % 3 == 0)));
        assert!(!accepts(&model, &exists, &Answer::Exists(key % 3 != 0)));
    }
}

#[test]
fn beyond_the_bound_right_answers_are_still_accepted() {
    // Each lost removal happened or not: the channel holds the records put since one of them.
    let rounds = 100;
    for removed in [0, 1, 50, rounds - 1] {
        let mut model = node();
        for round in 0..rounds {
            right(&mut model, Operation::remove_channel("c"), Answer::Unknown);
            right(&mut model, Operation::put("c", round, "v"), Answer::Stored);
            assert!(model.width() <= 64);
        }
        assert!(!model.is_exact());
        let left = (removed..rounds).map(|key| (Key(key), "v".into()));
        right(
            &mut model,
            Operation::get_all("c"),
            Answer::Records(left.collect()),
        );
        // It has recovered: everything is known again.
        assert_eq!(model.width(), 1);
        let last = Operation::get("c", rounds - 1);
        assert!(!accepts(&model, &last, &Answer::NoRecord));
    }
}

#[test]
fn a_listing_of_too_many_possibilities_is_not_looked_at() {
    let mut model = Model::default();
    let nodes: Vec<_> = (0..4).map(NodeId).collect();
    for node in &nodes {
        model.announce(*node, HashRange::FULL);
        let mut put = |value: String, answer| {
            let put = Operation::put("c", 1, value);
            model.observe_on(Route::Node(*node), &put, &answer).unwrap();
        };
        put("0".into(), Answer::Stored);
        (1..9).for_each(|lost| put(lost.to_string(), Answer::Unknown));
    }
    assert!(model.is_exact());
    let came = records(&[(1, "0"), (1, "8"), (1, "4"), (1, "4")]);
    right(&mut model, Operation::get_all("c"), came);
    assert!(!model.is_exact(), "9 values on each of 4 nodes");
    let get = Operation::get("c", 1);
    assert!((0..9).all(|n| accepts(&model, &get, &Answer::Value(n.to_string().into()))));
}

#[test]
fn many_lost_writes_to_one_record_are_bounded() {
    let mut model = node();
    for number in 0..100 {
        let put = Operation::put("c", 1, number.to_string());
        right(&mut model, put, Answer::Unknown);
    }
    assert!(!model.is_exact());
    for answer in [value("7"), value("99"), Answer::NoRecord] {
        assert!(accepts(&model, &Operation::get("c", 1), &answer));
    }
    right(&mut model, Operation::get("c", 1), value("42"));
    assert!(!accepts(&model, &Operation::get("c", 1), &value("43")));
}

#[test]
fn a_lost_move_between_nodes_keeps_the_value() {
    let mut model = node();
    right(&mut model, Operation::put("c", 1, "old"), Answer::Stored);
    model.announce(NodeId(1), HashRange::FULL);
    let update = Operation::update("c", 1, Decision::Replace("new".into()));
    right(&mut model, update, Answer::Unknown);
    let get = Operation::get("c", 1);
    assert!(accepts(&model, &get, &value("old")));
    assert!(accepts(&model, &get, &value("new")));
    assert!(!accepts(&model, &get, &Answer::NoRecord));

    let listed = |values: &[&'static str]| {
        let record = |value: &&'static str| (Key(1), (*value).into());
        Answer::Records(values.iter().map(record).collect())
    };
    let all = Operation::get_all("c");
    for values in [&["old"][..], &["old", "new"][..], &["new"][..]] {
        assert!(accepts(&model, &all, &listed(values)), "{values:?}");
    }
    assert!(!accepts(&model, &all, &listed(&["new", "new"])));
    assert!(!accepts(&model, &all, &listed(&[])));
}
