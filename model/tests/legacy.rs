//! One state, two protocols: what one of them stores the other shows, and each answers by its own rules.

mod common;

use bytes::Bytes;
use common::judge::{NODE, filled, node, right};
use common::legacy::operations;
use common::mutants::mutants;
use common::plan::{Step, layouts, steps};
use common::{Empty, Naive, reversed};
use dht_model::{Answer, Expectations, HashRange, Model, Operation, Route, limits};
use dht_requirements::{self as req, Requirement};
use proptest::prelude::*;
use proptest::sample::Index;

const VALUES: &[&str] = &["v", "w", "vw", "xvwx"];
const WITH_EMPTY: &[&str] = &["v", "w", "vw", ""];

fn legacy(model: &mut Model, operation: Operation, answer: Answer) {
    if let Err(refusal) = model.observe_on(Route::Legacy(NODE), &operation, &answer) {
        panic!("{refusal}");
    }
}

fn refused(model: &mut Model, operation: Operation, answer: Answer, rule: &'static Requirement) {
    let before = model.clone();
    match model.observe_on(Route::Legacy(NODE), &operation, &answer) {
        Err(refusal) if refusal.rule == rule => assert_eq!(*model, before),
        Err(refusal) => panic!("not by {rule}: {refusal}"),
        Ok(()) => panic!("accepted: {operation}: {answer}"),
    }
}

/// Why the answer is wrong.
fn refusal(model: &Model, operation: Operation, answer: Answer) -> String {
    let judged = model
        .clone()
        .observe_on(Route::Legacy(NODE), &operation, &answer);
    judged.unwrap_err().to_string()
}

fn size(records: u64) -> Answer {
    Answer::Size { records, bytes: 1 }
}

#[test]
fn what_one_protocol_stores_the_other_shows() {
    let mut model = filled();
    legacy(
        &mut model,
        Operation::get("c", 1),
        Answer::Value("one".into()),
    );
    legacy(&mut model, Operation::put("c", 1, "uno"), Answer::Stored);
    right(
        &mut model,
        Operation::get("c", 1),
        Answer::Value("uno".into()),
    );
    legacy(&mut model, Operation::remove("c", 1), Answer::Gone);
    right(&mut model, Operation::get("c", 1), Answer::NoRecord);
    right(
        &mut model,
        Operation::remove_channel("c"),
        Answer::ChannelRemoved,
    );
    legacy(&mut model, Operation::get_all("c"), Answer::Records(vec![]));
    legacy(&mut model, Operation::GetChannels, Answer::Channels(vec![]));
}

#[test]
fn each_wrong_answer_breaks_a_rule_of_the_legacy_protocol() {
    let value = |text: &'static str| Answer::Value(text.into());
    for (operation, answer, rule) in [
        (
            Operation::get("c", 1),
            Answer::NothingThere,
            &req::LEG_GET_VALUE,
        ),
        (Operation::get("c", 1), value("two"), &req::LEG_GET_VALUE),
        (Operation::get("c", 3), value("two"), &req::LEG_GET_ABSENT),
        (
            Operation::exists("c", 1),
            Answer::Exists(false),
            &req::LEG_EXISTS_PRESENT,
        ),
        (
            Operation::exists("c", 3),
            Answer::Exists(true),
            &req::LEG_EXISTS_ABSENT,
        ),
        (
            Operation::put("c", 1, ""),
            Answer::Stored,
            &req::LEG_PUT_EMPTY,
        ),
        (
            Operation::put("c", 1, "v"),
            Answer::EmptyValue,
            &req::LEG_PUT_STORED,
        ),
        (
            Operation::put("c", 1, "v"),
            Answer::ValueTooBig,
            &req::LEG_PUT_SMALL,
        ),
        (
            Operation::put("c", 1, "v"),
            Answer::Error,
            &req::LEG_PUT_STORED,
        ),
        (
            Operation::remove("c", 1),
            Answer::WrongNode,
            &req::LEG_REMOVE_GONE,
        ),
        (
            Operation::remove("c", 1),
            Answer::Removed(true),
            &req::LEG_ANSWER_STATUS,
        ),
        (
            Operation::put("c.", 1, "v"),
            Answer::Stored,
            &req::LEG_NAME_BAD,
        ),
        (
            Operation::get("c", 1),
            Answer::BadChannelName,
            &req::LEG_NAME_LEGAL,
        ),
        (
            Operation::get_all("c"),
            Answer::Records(vec![]),
            &req::LEG_GETALL_COMPLETE,
        ),
        (
            Operation::GetChannels,
            Answer::Channels(vec![]),
            &req::LEG_CHANNELS_COMPLETE,
        ),
        (
            Operation::GetChannels,
            Answer::Error,
            &req::LEG_ANSWER_COMES,
        ),
        (
            Operation::channel_size("c"),
            size(3),
            &req::LEG_SIZE_RECORDS,
        ),
        (
            Operation::channel_size("d"),
            size(1),
            &req::LEG_SIZE_RECORDS,
        ),
        (
            Operation::GetSize { channel: None },
            size(1),
            &req::LEG_SIZE_ALL_RECORDS,
        ),
    ] {
        refused(&mut filled(), operation, answer, rule);
    }
}

#[test]
fn a_batch_is_stored_up_to_its_first_bad_record() {
    let batch = || Operation::put_batch("c", [(1, "v"), (2, ""), (3, "w")]);
    let mut model = node();
    refused(
        &mut model,
        batch(),
        Answer::Stored,
        &req::LEG_PUTBATCH_EMPTY,
    );
    legacy(&mut model, batch(), Answer::EmptyValue);
    right(
        &mut model,
        Operation::get("c", 1),
        Answer::Value("v".into()),
    );
    right(&mut model, Operation::get("c", 3), Answer::NoRecord);

    let whole = || Operation::put_batch("c", [(1, "w"), (1, "x")]);
    refused(
        &mut model,
        whole(),
        Answer::EmptyValue,
        &req::LEG_PUTBATCH_STORED,
    );
    refused(
        &mut model,
        whole(),
        Answer::WrongNode,
        &req::LEG_PUTBATCH_STORED,
    );
    let mut full = model.clone();
    legacy(&mut full, whole(), Answer::OutOfMemory);
    refused(
        &mut full,
        Operation::get("c", 1),
        Answer::Value("x".into()),
        &req::LEG_GET_VALUE,
    );
    legacy(&mut full, Operation::get("c", 1), Answer::Value("w".into()));
    legacy(&mut model, whole(), Answer::Stored);
    legacy(
        &mut model,
        Operation::get("c", 1),
        Answer::Value("x".into()),
    );

    // Where nothing is stored nothing was too much.
    for (batch, rule) in [
        (vec![(1, "")], &req::LEG_PUTBATCH_EMPTY),
        (vec![], &req::LEG_PUTBATCH_STORED),
    ] {
        let batch = Operation::put_batch("c", batch);
        refused(&mut model, batch, Answer::OutOfMemory, rule);
    }

    let lower = HashRange::new(0, u64::MAX / 2).unwrap();
    let mut half = Model::default();
    half.announce(NODE, lower);
    let outside = || Operation::put_batch("c", [(2, "v"), (1, "v"), (4, "")]);
    refused(
        &mut half,
        outside(),
        Answer::EmptyValue,
        &req::LEG_PUTBATCH_FIRST_BAD,
    );
    refused(
        &mut half,
        outside(),
        Answer::Stored,
        &req::LEG_PUTBATCH_WRONG_NODE,
    );
    legacy(&mut half, outside(), Answer::WrongNode);
    legacy(&mut half, Operation::channel_size("c"), size(1));
    refused(
        &mut half,
        Operation::put("c", 1, "v"),
        Answer::Stored,
        &req::LEG_PUT_WRONG_NODE,
    );
    refused(
        &mut half,
        Operation::remove("c", 1),
        Answer::Gone,
        &req::LEG_REMOVE_WRONG_NODE,
    );
    legacy(&mut half, Operation::get("c", 1), Answer::NothingThere);
}

#[test]
fn only_what_stores_and_listen_create_a_channel() {
    let mut model = node();
    for (operation, answer) in [
        (Operation::get("c", 1), Answer::NothingThere),
        (Operation::exists("c", 1), Answer::Exists(false)),
        (Operation::remove("c", 1), Answer::Gone),
        (Operation::get_all("c"), Answer::Records(vec![])),
        (Operation::get_all_keys("c"), Answer::Keys(vec![])),
        (Operation::channel_size("c"), size(0)),
        (Operation::remove_channel("c"), Answer::ChannelRemoved),
        (Operation::get("c", 1), Answer::Unknown),
    ] {
        legacy(&mut model, operation, answer);
        let listed = Answer::Channels(vec!["c".into()]);
        refused(
            &mut model,
            Operation::GetChannels,
            listed,
            &req::LEG_CHANNELS_REAL,
        );
    }
    let listen = || Operation::Listen {
        channel: "c".into(),
    };
    let mut unsure = model.clone();
    legacy(&mut unsure, listen(), Answer::Unknown);
    legacy(
        &mut unsure.clone(),
        Operation::GetChannels,
        Answer::Channels(vec![]),
    );
    legacy(&mut model, listen(), Answer::Listening);
    for mut model in [model, unsure] {
        legacy(
            &mut model,
            Operation::GetChannels,
            Answer::Channels(vec!["c".into()]),
        );
    }
}

#[test]
fn a_number_of_records_tells_which_are_there() {
    let mut model = filled();
    legacy(&mut model, Operation::remove("c", 1), Answer::Unknown);
    let one = || Answer::Value("one".into());
    for (records, answer, wrong, rule) in [
        (1, Answer::NothingThere, one(), &req::LEG_GET_ABSENT),
        (2, one(), Answer::NothingThere, &req::LEG_GET_VALUE),
    ] {
        let mut model = model.clone();
        legacy(&mut model, Operation::channel_size("c"), size(records));
        refused(&mut model, Operation::get("c", 1), wrong, rule);
        legacy(&mut model, Operation::get("c", 1), answer);
        assert!(model.is_exact());
    }
    let mut unsure = model.clone();
    legacy(&mut unsure, Operation::remove("c", 2), Answer::Unknown);
    legacy(&mut unsure, Operation::channel_size("c"), size(1));
    assert!(!unsure.is_exact(), "one of the two, but not which");
    legacy(&mut model, Operation::GetSize { channel: None }, size(2));
    assert!(!model.is_exact(), "that was not looked at");
}

#[test]
fn how_many_records_there_may_be_in_all_channels() {
    let all = || Operation::GetSize { channel: None };
    let mut model = filled();
    legacy(&mut model, Operation::put("d", 1, "v"), Answer::Stored);
    for wrong in [0, 2, 4] {
        refused(&mut model, all(), size(wrong), &req::LEG_SIZE_ALL_RECORDS);
    }
    legacy(&mut model, all(), size(3));
    assert!(model.is_exact(), "nothing new was told");
    legacy(&mut model, Operation::remove("c", 1), Answer::Unknown);
    for wrong in [1, 4] {
        refused(&mut model, all(), size(wrong), &req::LEG_SIZE_ALL_RECORDS);
    }
    for records in [2, 3] {
        legacy(&mut model, all(), size(records));
        assert!(!model.is_exact());
    }
    // What is forgotten once stays forgotten.
    legacy(&mut model, Operation::put("c", 1, "v"), Answer::Stored);
    legacy(&mut model, all(), size(3));
    assert!(!model.is_exact());

    let mut model = Model::new(Expectations {
        namespace: "mine-".into(),
        ..Expectations::default()
    });
    model.announce(NODE, HashRange::FULL);
    legacy(&mut model, Operation::put("mine-1", 1, "v"), Answer::Stored);
    refused(&mut model, all(), size(0), &req::LEG_SIZE_ALL_RECORDS);
    legacy(&mut model, all(), size(1000));
}

#[test]
fn what_is_allowed() {
    let allowed = |model: &Model, operation: &Operation| {
        let allowed = model.allowed_on(Route::Legacy(NODE), operation);
        allowed.to_string()
    };
    let mut model = filled();
    let all = Operation::GetSize { channel: None };
    for (operation, expected) in [
        (Operation::get("c", 1), "\"one\""),
        (Operation::get("c", 3), "no value"),
        (Operation::exists("c", 1), "record exists"),
        (Operation::remove("c", 1), "gone"),
        (Operation::put("c", 1, "v"), "stored or out of memory"),
        (Operation::put("c", 1, ""), "empty value"),
        (Operation::put("c.", 1, "v"), "bad channel name"),
        (
            Operation::put_batch("c", [(1, "v"), (2, "")]),
            "empty value or out of memory",
        ),
        (Operation::put_batch("c", [(1, "")]), "empty value"),
        (
            Operation::put_batch("c", [(1, "v")]),
            "stored or out of memory",
        ),
        (
            Operation::get_all("c"),
            "0000000000000001=\"one\", 0000000000000002=\"two\"",
        ),
        (Operation::GetChannels, "\"c\""),
        (Operation::remove_channel("c"), "channel removed"),
        (Operation::channel_size("c"), "2 records"),
        (Operation::channel_size("d"), "0 records"),
        (all.clone(), "2 records"),
        (
            Operation::Listen {
                channel: "c".into(),
            },
            "listening",
        ),
    ] {
        assert_eq!(allowed(&model, &operation), expected, "{operation}");
    }
    legacy(&mut model, Operation::remove("c", 1), Answer::Unknown);
    assert_eq!(allowed(&model, &all), "1 to 2 records");
    let why = refusal(&model, Operation::channel_size("c"), size(3));
    assert!(why.contains("there are 1 to 2 records"), "{why}");

    let why = refusal(&model, Operation::get("c", 2), Answer::Value("too".into()));
    assert!(why.contains("not the bytes that were stored"), "{why}");

    let limit = limits::LEGACY_VALUE;
    let value = vec![b'v'; limit + 1];
    right(
        &mut model,
        Operation::put("c", 4, value.clone()),
        Answer::Stored,
    );
    let listed = allowed(&model, &Operation::get_all("c"));
    assert!(listed.contains("perhaps 0000000000000004"), "{listed}");
    let kept = allowed(&model, &Operation::put("c", 4, value));
    assert_eq!(kept, "stored or value too big or out of memory");

    let lower = HashRange::new(0, u64::MAX / 2).unwrap();
    model.announce(NODE, lower);
    for (operation, expected) in [
        (Operation::put("c", 1, "v"), "wrong node"),
        (Operation::remove("c", 1), "wrong node"),
        (Operation::remove("c", 2), "gone"),
        (Operation::get("c", 2), "\"two\""),
        (Operation::exists("c", 5), "record does not exist"),
        (Operation::put_batch("c", [(1, "v")]), "wrong node"),
    ] {
        assert_eq!(allowed(&model, &operation), expected, "{operation}");
    }
    let why = refusal(
        &model,
        Operation::put_batch("c", [(2, "v"), (1, "v")]),
        Answer::Stored,
    );
    assert!(why.contains("at place 1 is the first bad one"), "{why}");
}

#[test]
fn how_long_a_value_may_be() {
    for (full_batches, limit) in [
        (false, limits::LEGACY_VALUE),
        (true, limits::FULL_LEGACY_VALUE),
    ] {
        let mut model = Model::new(Expectations {
            full_batches,
            ..Expectations::default()
        });
        model.announce(NODE, HashRange::FULL);
        let put = |length| Operation::put("c", 1, vec![b'v'; length]);
        let rule = match full_batches {
            true => &req::LEG_PUT_LARGE,
            false => &req::LEG_PUT_SMALL,
        };
        refused(&mut model, put(limit), Answer::ValueTooBig, rule);
        legacy(&mut model, put(limit + 1), Answer::ValueTooBig);
        legacy(&mut model, put(limit), Answer::Stored);
        let empty = Answer::Records(vec![]);
        refused(
            &mut model,
            Operation::get_all("c"),
            empty.clone(),
            &req::LEG_GETALL_COMPLETE,
        );
        right(&mut model, put(limit + 1), Answer::Stored);
        legacy(&mut model, Operation::get_all("c"), empty);
        refused(
            &mut model,
            Operation::get_all_keys("c"),
            Answer::Keys(vec![]),
            &req::LEG_GETALL_COMPLETE,
        );
    }
}

/// A step of either protocol.
#[derive(Clone, Debug)]
enum Mixed {
    Neo(Step),
    Legacy(Index, Operation),
}

fn mixed(keys: u64, values: &'static [&'static str]) -> impl Strategy<Value = Mixed> {
    prop_oneof![
        steps(keys, values).prop_map(Mixed::Neo),
        (any::<Index>(), operations(keys, values))
            .prop_map(|(node, operation)| Mixed::Legacy(node, operation)),
    ]
}

fn next(step: Mixed, naive: &mut Naive, model: &mut Model) -> Option<(Route, Operation)> {
    Some(match step {
        Mixed::Legacy(node, operation) => (Route::Legacy(naive.node(node)), operation),
        Mixed::Neo(Step::Operation(None, operation)) => (Route::Client, operation),
        Mixed::Neo(Step::Operation(Some(node), operation)) => {
            (Route::Node(naive.node(node)), operation)
        }
        Mixed::Neo(Step::Announce(node, range)) => {
            let node = naive.node(node);
            naive.announce(node, range);
            model.announce(node, range);
            return None;
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_healthy_dht_is_accepted(
        layout in layouts(),
        empty in prop::sample::select(vec![Empty::Plain, Empty::Refused, Empty::Hidden, Empty::Sticky]),
        plan in prop::collection::vec(
            (mixed(4, WITH_EMPTY), any::<bool>(), prop::option::weighted(0.1, any::<Index>())),
            1..60,
        ),
    ) {
        let mut naive = Naive::new(&layout, empty);
        let mut model = naive.model();
        for (step, reverse, broken_off) in plan {
            let Some((route, operation)) = next(step, &mut naive, &mut model) else {
                continue;
            };
            let answer = match (route, broken_off) {
                (Route::Legacy(node), Some(place)) => {
                    let after = naive.legacy_broken_off(node, &operation);
                    naive = place.get(&after).clone();
                    Answer::Unknown
                }
                _ if reverse => reversed(naive.run_on(route, &operation)),
                _ => naive.run_on(route, &operation),
            };
            let judged = model.observe_on(route, &operation, &answer);
            prop_assert!(judged.is_ok(), "{operation}: {}", judged.unwrap_err());
        }
    }

    #[test]
    fn a_wrong_answer_is_refused(
        layout in layouts(),
        plan in prop::collection::vec(mixed(4, VALUES), 1..40),
    ) {
        let mut naive = Naive::new(&layout, Empty::Plain);
        let mut model = naive.model();
        for step in plan {
            let Some((route, operation)) = next(step, &mut naive, &mut model) else {
                continue;
            };
            let answer = naive.run_on(route, &operation);
            for wrong in mutants(&operation, &answer) {
                let judged = model.clone().observe_on(route, &operation, &wrong);
                prop_assert!(judged.is_err(), "{operation}: accepted {wrong}, not only {answer}");
            }
            prop_assert_eq!(model.observe_on(route, &operation, &answer), Ok(()));
            if model.width() > 1 {
                // Whether a batch of which nothing is stored creates its channel is open.
                let is_batch = matches!(operation, Operation::PutBatch { .. });
                prop_assert!(is_batch);
                break;
            }
        }
    }

    /// The number of records is that of the keys.
    #[test]
    fn sizes_and_keys_agree(keys in prop::collection::btree_set(0_u64..50, 0..9)) {
        let mut model = node();
        let records = keys.iter().map(|key| (*key, Bytes::from("v")));
        legacy(&mut model, Operation::put_batch("c", records), Answer::Stored);
        legacy(&mut model, Operation::channel_size("c"), size(keys.len() as u64));
        let listed = keys.iter().map(|key| (*key).into()).collect();
        legacy(&mut model, Operation::get_all_keys("c"), Answer::Keys(listed));
    }
}
