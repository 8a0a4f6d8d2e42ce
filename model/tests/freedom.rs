//! What the protocol leaves open, empty and over-long values, and where the freedom ends.

mod common;

use bytes::Bytes;
use common::judge::{
    NODE, accepts, channels, filled, filtered, keys, node, records, right, updated, value, wrong,
};
use dht_model::{Allowed, Answer, Decision, Operation, Route, limits};
use dht_requirements as req;

#[test]
fn empty_values_may_do_anything_but_have_another_value() {
    let mut model = filled();
    right(&mut model, Operation::put("c", 1, ""), Answer::Stored);
    let any_order = [
        (Operation::get("c", 1), Answer::NoRecord),
        (Operation::exists("c", 1), Answer::Exists(true)),
        (Operation::get("c", 1), value("")),
        (Operation::get("c", 1), Answer::Unknown),
        (Operation::remove("c", 1), Answer::Removed(false)),
        (Operation::get_all("c"), records(&[(1, ""), (2, "two")])),
        (Operation::get_all("c"), records(&[(2, "two")])),
        (Operation::get_all_keys("c"), keys(&[1, 2])),
        (Operation::exists("c", 1), Answer::Error),
        (Operation::update("c", 1, Decision::Leave), updated("")),
        (Operation::update("c", 1, Decision::Leave), Answer::NoRecord),
    ];
    for (operation, answer) in any_order {
        right(&mut model, operation, answer);
    }
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("one"),
        &req::GET_VALUE_EXACT,
    );
    wrong(
        &mut model,
        Operation::get_all("c"),
        records(&[(1, "one"), (2, "two")]),
        &req::GETALL_VALUES,
    );
    wrong(
        &mut model,
        filtered(true, "o"),
        keys(&[1, 2]),
        &req::GETALL_FILTER_ONLY_MATCHING,
    );
    right(&mut model, Operation::put("c", 1, "new"), Answer::Stored);
    wrong(
        &mut model,
        Operation::get("c", 1),
        Answer::NoRecord,
        &req::DATA_PUT_VISIBLE,
    );
}

#[test]
fn a_refused_empty_value_may_leave_the_old_one() {
    let mut model = filled();
    right(&mut model, Operation::put("c", 1, ""), Answer::Error);
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("two"),
        &req::GET_VALUE_EXACT,
    );
    right(&mut model, Operation::get("c", 1), value("one"));
    wrong(
        &mut model,
        Operation::get("c", 1),
        Answer::NoRecord,
        &req::DATA_PUT_VISIBLE,
    );
    right(&mut model, Operation::put("new", 1, ""), Answer::Error);
    right(&mut model, Operation::GetChannels, channels(&["c"]));
    wrong(
        &mut model,
        Operation::GetChannels,
        channels(&["c", "new"]),
        &req::CHANNELS_REAL,
    );
}

#[test]
fn clients_may_refuse_what_get_all_cannot_deliver() {
    let mut model = node();
    let put = |length| Operation::put("c", 1, Bytes::from(vec![b'x'; length]));
    let limit = limits::GET_ALL_VALUE;
    wrong(
        &mut model,
        put(limit),
        Answer::ValueTooBig,
        &req::DATA_VALUE_SIZES,
    );
    right(&mut model, put(limit + 1), Answer::ValueTooBig);
    right(&mut model, Operation::get("c", 1), Answer::NoRecord);
    let by_node = model.observe_on(Route::Node(NODE), &put(limit + 1), &Answer::ValueTooBig);
    assert_eq!(by_node.unwrap_err().rule, &req::DATA_VALUE_SIZES);
    right(&mut model, put(limit + 1), Answer::Stored);
    right(&mut model, Operation::exists("c", 1), Answer::Exists(true));
    right(&mut model, Operation::get_all("c"), records(&[]));
    right(&mut model, Operation::get_all_keys("c"), keys(&[1]));
    wrong(
        &mut model,
        Operation::get_all_keys("c"),
        keys(&[]),
        &req::GETALL_COMPLETE,
    );
}

#[test]
fn the_longest_values_that_must_be_delivered() {
    let refresh = || Operation::Refresh {
        channel: "c".into(),
    };
    for (operation, longest) in [(Operation::get_all("c"), 65_512), (refresh(), 65_520)] {
        for (length, may_be_missing) in [(longest, false), (longest + 1, true)] {
            let mut model = node();
            let value = Bytes::from(vec![b'x'; length]);
            right(&mut model, Operation::put("c", 1, value), Answer::Stored);
            assert_eq!(accepts(&model, &operation, &records(&[])), may_be_missing);
            let Allowed::Records(expected) = model.allowed(&operation) else {
                panic!("not a list");
            };
            assert_eq!(expected[0].optional, may_be_missing);
        }
    }
}
