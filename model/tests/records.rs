//! Operations on one record of one node: what is right, what is refused, and by which rule. Hash ranges.

mod common;

use common::judge::{NODE, channels, filled, node, right, updated, value, wrong};
use dht_model::{
    Action, Allowed, Answer, Decision, HashRange, Model, NodeId, Operation, Route, fnv1a,
};
use dht_requirements as req;

#[test]
fn put_and_get() {
    let mut model = node();
    right(&mut model, Operation::get("c", 1), Answer::NoRecord);
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("v"),
        &req::GET_VALUE_OF_AN_INSTANT,
    );
    wrong(
        &mut model,
        Operation::put("c", 1, "v"),
        Answer::Error,
        &req::REQ_ANSWER_DEFINED,
    );
    wrong(
        &mut model,
        Operation::put("c", 1, "v"),
        Answer::NoRecord,
        &req::REQ_ANSWER_DEFINED,
    );
    right(&mut model, Operation::put("c", 1, "v"), Answer::Stored);
    right(&mut model, Operation::put("c", 1, "w"), Answer::Stored);
    right(&mut model, Operation::get("c", 1), value("w"));
    let stale = wrong(
        &mut model,
        Operation::get("c", 1),
        value("v"),
        &req::GET_VALUE_EXACT,
    );
    assert_eq!(
        stale.to_string(),
        "Get c/0000000000000001 was answered \"v\": these are not the bytes that were stored \
         (NEO-GET-04); allowed: \"w\""
    );
    assert_eq!(stale.allowed, Allowed::Answers(vec![value("w")]));
    wrong(
        &mut model,
        Operation::get("c", 1),
        Answer::NoRecord,
        &req::DATA_PUT_VISIBLE,
    );
    right(&mut model, Operation::get("other", 1), Answer::NoRecord);
}

#[test]
fn exists() {
    let mut model = filled();
    right(&mut model, Operation::exists("c", 1), Answer::Exists(true));
    right(&mut model, Operation::exists("c", 3), Answer::Exists(false));
    wrong(
        &mut model,
        Operation::exists("c", 1),
        Answer::Exists(false),
        &req::DATA_PUT_VISIBLE,
    );
    wrong(
        &mut model,
        Operation::exists("c", 3),
        Answer::Exists(true),
        &req::DATA_GET_EXISTS_AGREE,
    );
    wrong(
        &mut model,
        Operation::exists("c", 1),
        Answer::Error,
        &req::REQ_ANSWER_DEFINED,
    );
}

#[test]
fn remove() {
    let mut model = filled();
    wrong(
        &mut model,
        Operation::remove("c", 1),
        Answer::Removed(false),
        &req::REMOVE_PRESENT,
    );
    right(&mut model, Operation::remove("c", 1), Answer::Removed(true));
    wrong(
        &mut model,
        Operation::remove("c", 1),
        Answer::Removed(true),
        &req::REMOVE_PRESENT,
    );
    right(
        &mut model,
        Operation::remove("c", 1),
        Answer::Removed(false),
    );
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("one"),
        &req::GET_VALUE_OF_AN_INSTANT,
    );
    right(&mut model, Operation::get("c", 2), value("two"));
}

#[test]
fn update() {
    let mut model = filled();
    let replace =
        |key, text: &'static str| Operation::update("c", key, Decision::Replace(text.into()));
    right(&mut model, replace(3, "new"), Answer::NoRecord);
    wrong(
        &mut model,
        replace(3, "new"),
        updated("old"),
        &req::DATA_GET_EXISTS_AGREE,
    );
    wrong(
        &mut model,
        replace(3, "new"),
        Answer::Conflict,
        &req::UPDATE_WRITE,
    );
    right(&mut model, Operation::get("c", 3), Answer::NoRecord);

    wrong(
        &mut model,
        replace(1, "new"),
        Answer::NoRecord,
        &req::DATA_PUT_VISIBLE,
    );
    wrong(
        &mut model,
        replace(1, "new"),
        Answer::Conflict,
        &req::UPDATE_CONFLICT,
    );
    wrong(
        &mut model,
        replace(1, "new"),
        updated("two"),
        &req::GET_VALUE_EXACT,
    );
    right(&mut model, replace(1, "new"), updated("one"));
    right(&mut model, Operation::get("c", 1), value("new"));

    let leave = Operation::update("c", 1, Decision::Leave);
    wrong(
        &mut model,
        leave.clone(),
        Answer::Conflict,
        &req::UPDATE_WRITE,
    );
    right(&mut model, leave, updated("new"));
    right(&mut model, Operation::get("c", 1), value("new"));

    let delete = Operation::update("c", 1, Decision::Delete);
    right(&mut model, delete.clone(), updated("new"));
    right(&mut model, delete, Answer::NoRecord);
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("new"),
        &req::GET_VALUE_OF_AN_INSTANT,
    );
}

#[test]
fn update_record_compares_hashes() {
    let mut model = filled();
    let write = |key, old: &str, text: &'static str| {
        let (hash, value) = (fnv1a(old.as_bytes()), text.into());
        Operation::record("c", key, Action::UpdateRecord { hash, value })
    };
    wrong(
        &mut model,
        write(1, "two", "new"),
        Answer::Stored,
        &req::UPDATE_CONFLICT,
    );
    right(&mut model, write(1, "two", "new"), Answer::Conflict);
    right(&mut model, Operation::get("c", 1), value("one"));
    wrong(
        &mut model,
        write(1, "one", "new"),
        Answer::Conflict,
        &req::UPDATE_CONFLICT,
    );
    right(&mut model, write(1, "one", "new"), Answer::Stored);
    right(&mut model, Operation::get("c", 1), value("new"));
    right(&mut model, write(3, "anything", "new"), Answer::Stored);
    right(&mut model, Operation::get("c", 3), value("new"));
}

#[test]
fn keys_outside_the_range() {
    let mut model = Model::default();
    model.announce(NODE, HashRange::new(0, u64::MAX / 2).unwrap());
    // Odd keys lie in the upper half.
    let there = Route::Node(NODE);
    let outside = [
        (Operation::put("c", 1, "v"), Answer::Stored),
        (Operation::get("c", 1), Answer::NoRecord),
        (Operation::exists("c", 1), Answer::Exists(false)),
        (Operation::remove("c", 1), Answer::Removed(false)),
        (Operation::update("c", 1, Decision::Leave), Answer::NoRecord),
    ];
    for (operation, accepted) in outside {
        let refusal = model.observe_on(there, &operation, &accepted).unwrap_err();
        assert_eq!(refusal.rule, &req::REQ_INSIDE_SERVED);
        assert_eq!(refusal.allowed, Allowed::Answers(vec![Answer::WrongNode]));
        assert_eq!(
            model.observe_on(there, &operation, &Answer::WrongNode),
            Ok(())
        );
        right(&mut model, operation.clone(), Answer::NoNode);
        wrong(&mut model, operation, accepted, &req::PUT_ANSWER);
    }
    right(&mut model, Operation::GetChannels, channels(&[]));
    wrong(
        &mut model,
        Operation::get("c", 2),
        Answer::WrongNode,
        &req::REQ_INSIDE_SERVED,
    );
    wrong(
        &mut model,
        Operation::get("c", 2),
        Answer::NoNode,
        &req::PUT_ANSWER,
    );
    right(&mut model, Operation::get("c", 2), Answer::NoRecord);
}

#[test]
fn an_operation_concerns_a_record_or_a_channel_or_all() {
    let of = |operation: Operation| (operation.channel().cloned(), operation.key());
    assert_eq!(
        of(Operation::get("c", 5)),
        (Some("c".into()), Some(5.into()))
    );
    assert_eq!(of(Operation::get_all("c")), (Some("c".into()), None));
    assert_eq!(of(Operation::GetChannels), (None, None));
}

#[test]
fn hash_ranges() {
    let mut model = node();
    let ranges = |ranges: &[HashRange]| Answer::HashRanges(ranges.to_vec());
    right(
        &mut model,
        Operation::GetHashRange,
        ranges(&[HashRange::FULL]),
    );
    wrong(
        &mut model,
        Operation::GetHashRange,
        ranges(&[HashRange::EMPTY]),
        &req::RANGE_ANSWER,
    );
    model.announce(NodeId(1), HashRange::EMPTY);
    let both = [HashRange::FULL, HashRange::EMPTY];
    right(&mut model, Operation::GetHashRange, ranges(&both));
    wrong(
        &mut model,
        Operation::GetHashRange,
        ranges(&both[..1]),
        &req::RANGE_ANSWER,
    );
    let one = model.observe_on(
        Route::Node(NodeId(1)),
        &Operation::GetHashRange,
        &ranges(&both[1..]),
    );
    assert_eq!(one, Ok(()));
}
