//! Operations on channels of one node: what is right, what is refused, and by which rule.

mod common;

use common::judge::{NODE, channels, filled, filtered, keys, node, records, right, value, wrong};
use dht_model::{
    Allowed, Answer, Decision, Expectations, ExpectedRecord, HashRange, Key, Model, Operation,
};
use dht_requirements as req;

#[test]
fn get_all() {
    let mut model = filled();
    let all = || Operation::get_all("c");
    right(&mut model, all(), records(&[(2, "two"), (1, "one")]));
    right(&mut model, Operation::get_all("empty"), records(&[]));
    let missing = wrong(
        &mut model,
        all(),
        records(&[(2, "two")]),
        &req::GETALL_COMPLETE,
    );
    assert!(missing.reason.contains("0000000000000001 is missing"));
    let expected = |key, value: &'static str| ExpectedRecord {
        key: Key(key),
        values: vec![value.into()],
        optional: false,
    };
    assert_eq!(
        missing.allowed,
        Allowed::Records(vec![expected(1, "one"), expected(2, "two")])
    );
    let twice = records(&[(2, "two"), (1, "one"), (2, "two")]);
    let twice = wrong(&mut model, all(), twice, &req::GETALL_COMPLETE);
    assert!(twice.reason.ends_with("0000000000000002 came 2 times"));
    let surplus = records(&[(2, "two"), (1, "one"), (3, "three")]);
    wrong(&mut model, all(), surplus, &req::GETALL_VALUES);
    wrong(
        &mut model,
        all(),
        records(&[(2, "two"), (1, "two")]),
        &req::GETALL_VALUES,
    );
    wrong(&mut model, all(), keys(&[1, 2]), &req::REQ_ANSWER_DEFINED);
    wrong(&mut model, all(), Answer::Error, &req::REQ_ANSWER_DEFINED);

    let only_keys = || Operation::get_all_keys("c");
    right(&mut model, only_keys(), keys(&[2, 1]));
    wrong(&mut model, only_keys(), keys(&[2]), &req::GETALL_COMPLETE);
    wrong(
        &mut model,
        only_keys(),
        keys(&[2, 1, 2]),
        &req::GETALL_COMPLETE,
    );
    wrong(
        &mut model,
        only_keys(),
        keys(&[2, 1, 3]),
        &req::GETALL_VALUES,
    );
    wrong(
        &mut model,
        only_keys(),
        records(&[(2, "two"), (1, "one")]),
        &req::REQ_ANSWER_DEFINED,
    );
}

#[test]
fn get_all_filters_by_value() {
    let mut model = filled();
    right(&mut model, filtered(false, "wo"), records(&[(2, "two")]));
    right(&mut model, filtered(true, "wo"), keys(&[2]));
    right(
        &mut model,
        filtered(false, "o"),
        records(&[(2, "two"), (1, "one")]),
    );
    right(&mut model, filtered(false, "to"), records(&[]));
    wrong(
        &mut model,
        filtered(false, "wo"),
        records(&[]),
        &req::GETALL_COMPLETE,
    );
    let too_many = records(&[(1, "one"), (2, "two")]);
    wrong(
        &mut model,
        filtered(false, "wo"),
        too_many,
        &req::GETALL_FILTER_ONLY_MATCHING,
    );
    wrong(
        &mut model,
        filtered(true, "wo"),
        keys(&[1, 2]),
        &req::GETALL_FILTER_ONLY_MATCHING,
    );
    // A key is not looked at.
    right(&mut model, filtered(true, "\u{1}"), keys(&[]));
}

#[test]
fn channels_are_born_by_reading_and_die_by_removal_only() {
    let mut model = node();
    let list = || Operation::GetChannels;
    right(&mut model, list(), channels(&[]));
    let births = [
        ("put", Operation::put("put", 1, "v"), Answer::Stored),
        ("get", Operation::get("get", 1), Answer::NoRecord),
        (
            "exists",
            Operation::exists("exists", 1),
            Answer::Exists(false),
        ),
        (
            "remove",
            Operation::remove("remove", 1),
            Answer::Removed(false),
        ),
        (
            "update",
            Operation::update("update", 1, Decision::Leave),
            Answer::NoRecord,
        ),
        ("all", Operation::get_all("all"), records(&[])),
        ("keys", Operation::get_all_keys("keys"), keys(&[])),
    ];
    let mut names = Vec::new();
    for (name, operation, answer) in births {
        right(&mut model, operation, answer);
        wrong(
            &mut model,
            list(),
            channels(&names),
            &req::CHANNELS_COMPLETE,
        );
        names.insert(0, name);
        right(&mut model, list(), channels(&names));
    }
    right(
        &mut model,
        Operation::remove("put", 1),
        Answer::Removed(true),
    );
    right(&mut model, list(), channels(&names));
    wrong(
        &mut model,
        list(),
        channels(&[&names[..], &["put"]].concat()),
        &req::CHANNELS_UNIQUE,
    );
    wrong(
        &mut model,
        list(),
        channels(&[&names[..], &["foreign"]].concat()),
        &req::CHANNELS_REAL,
    );
    wrong(&mut model, list(), Answer::Error, &req::REQ_ANSWER_DEFINED);

    right(
        &mut model,
        Operation::remove_channel("absent"),
        Answer::ChannelRemoved,
    );
    right(&mut model, list(), channels(&names));
    let removed = names.remove(0);
    right(
        &mut model,
        Operation::remove_channel(removed),
        Answer::ChannelRemoved,
    );
    right(&mut model, list(), channels(&names));
    wrong(
        &mut model,
        list(),
        channels(&[&names[..], &[removed]].concat()),
        &req::CHANNELS_REAL,
    );
}

#[test]
fn remove_channel_removes_every_record() {
    let mut model = filled();
    right(
        &mut model,
        Operation::remove_channel("c"),
        Answer::ChannelRemoved,
    );
    wrong(
        &mut model,
        Operation::get("c", 1),
        value("one"),
        &req::GET_VALUE_OF_AN_INSTANT,
    );
    wrong(
        &mut model,
        Operation::get_all("c"),
        records(&[(2, "two")]),
        &req::GETALL_VALUES,
    );
    right(&mut model, Operation::get_all("c"), records(&[]));
}

#[test]
fn only_admin_removes_channels() {
    let by_other = || Operation::RemoveChannel {
        channel: "c".into(),
        permitted: false,
    };
    let mut model = filled();
    wrong(
        &mut model,
        by_other(),
        Answer::ChannelRemoved,
        &req::RMCHANNEL_FORBIDDEN,
    );
    right(&mut model, by_other(), Answer::NotPermitted);
    right(&mut model, by_other(), Answer::Unknown);
    assert_eq!(model, filled(), "nothing can have happened");
    let forbidden = Allowed::Answers(vec![Answer::NotPermitted]);
    assert_eq!(model.allowed(&by_other()), forbidden);
    let removed = Allowed::Answers(vec![Answer::ChannelRemoved]);
    assert_eq!(model.allowed(&Operation::remove_channel("c")), removed);
    wrong(
        &mut model,
        Operation::remove_channel("c"),
        Answer::NotPermitted,
        &req::REQ_ANSWER_DEFINED,
    );

    let mut lenient = Model::new(Expectations {
        everyone_may_remove_channels: true,
        ..Expectations::default()
    });
    lenient.announce(NODE, HashRange::FULL);
    right(&mut lenient, Operation::put("c", 1, "one"), Answer::Stored);
    let either = Allowed::Answers(vec![Answer::ChannelRemoved, Answer::NotPermitted]);
    assert_eq!(lenient.allowed(&by_other()), either);
    right(&mut lenient, by_other(), Answer::NotPermitted);
    right(&mut lenient, Operation::get("c", 1), value("one"));
    right(&mut lenient, by_other(), Answer::ChannelRemoved);
    right(&mut lenient, Operation::get("c", 1), Answer::NoRecord);
}

#[test]
fn other_peoples_channels_are_ignored() {
    let mut model = Model::new(Expectations {
        namespace: "mine-".into(),
        ..Expectations::default()
    });
    model.announce(NODE, HashRange::FULL);
    right(&mut model, Operation::put("mine-1", 1, "v"), Answer::Stored);
    let list = || Operation::GetChannels;
    right(&mut model, list(), channels(&["theirs", "mine-1"]));
    right(&mut model, list(), channels(&["mine-1"]));
    wrong(
        &mut model,
        list(),
        channels(&["theirs"]),
        &req::CHANNELS_COMPLETE,
    );
    wrong(
        &mut model,
        list(),
        channels(&["mine-1", "mine-2"]),
        &req::CHANNELS_REAL,
    );
}
