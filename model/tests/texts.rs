//! How operations, answers and what is allowed are written down for people.

mod common;

use common::judge::{channels, filled, filtered, keys, node, records, updated, value};
use dht_model::{
    Action, Allowed, Answer, Decision, HashRange, NodeId, Operation, Route, Slot, fnv1a,
};

#[test]
fn operations() {
    let (hash, new) = (fnv1a(b"v"), "w".into());
    let write = Operation::record("c", 1, Action::UpdateRecord { hash, value: new });
    let by_other = Operation::RemoveChannel {
        channel: "c".into(),
        permitted: false,
    };
    let refresh = Operation::Refresh {
        channel: "c".into(),
    };
    let update = |decision| Operation::update("c", 1, decision);
    let texts = [
        (Operation::put("c", 1, "v"), "Put c/1 \"v\""),
        (Operation::get("c", 1), "Get c/1"),
        (Operation::exists("c", 1), "Exists c/1"),
        (Operation::remove("c", 1), "Remove c/1"),
        (update(Decision::Replace("w".into())), "Update c/1 to \"w\""),
        (update(Decision::Leave), "Update c/1 (leave)"),
        (update(Decision::Delete), "Update c/1 (delete)"),
        (write, "UpdateRecord c/1 of hash af63eb4c86020609 to \"w\""),
        (Operation::get_all("c"), "GetAll c"),
        (Operation::get_all_keys("c"), "GetAll c, keys only"),
        (filtered(false, "f"), "GetAll c, values with \"f\""),
        (
            filtered(true, "f"),
            "GetAll c, keys only, values with \"f\"",
        ),
        (refresh, "Refresh c"),
        (Operation::GetChannels, "GetChannels"),
        (Operation::remove_channel("c"), "RemoveChannel c by admin"),
        (by_other, "RemoveChannel c by another client"),
        (Operation::GetHashRange, "GetHashRange"),
    ];
    for (operation, text) in texts {
        assert_eq!(
            operation.to_string(),
            text.replace("/1", "/0000000000000001")
        );
    }
}

#[test]
fn answers() {
    let texts = [
        (Answer::Stored, "stored"),
        (value("v"), "\"v\""),
        (Answer::NoRecord, "no record"),
        (Answer::Exists(true), "record exists"),
        (Answer::Exists(false), "record does not exist"),
        (Answer::Removed(true), "removed"),
        (Answer::Removed(false), "no record to remove"),
        (updated("v"), "updated from \"v\""),
        (Answer::Conflict, "conflict"),
        (records(&[]), "0 records"),
        (
            records(&[(1, "v"), (2, "w")]),
            "2 records: 0000000000000001=\"v\", 0000000000000002=\"w\"",
        ),
        (keys(&[1]), "1 keys: 0000000000000001"),
        (channels(&["b", "a"]), "2 channels: \"b\", \"a\""),
        (Answer::ChannelRemoved, "channel removed"),
        (Answer::NotPermitted, "not permitted"),
        (Answer::ValueTooBig, "value too big"),
        (Answer::WrongNode, "wrong node"),
        (Answer::NoNode, "no node"),
        (Answer::Error, "error"),
        (Answer::Unknown, "nothing (outcome unknown)"),
    ];
    for (answer, text) in texts {
        assert_eq!(answer.to_string(), text);
    }
    let range = HashRange::FULL;
    assert_eq!(
        Answer::HashRanges(vec![range, range]).to_string(),
        format!("{range}, {range}")
    );
}

#[test]
fn long_lists_are_cut() {
    let all: Vec<_> = (0..14).collect();
    let text = keys(&all).to_string();
    assert!(text.starts_with("14 keys: 0000000000000000, "), "{text}");
    assert!(text.ends_with("000000000000000b, and 2 more"), "{text}");
    assert!(keys(&all[..12]).to_string().ends_with("000000000000000b"));
}

#[test]
fn what_is_allowed() {
    let mut model = node();
    let allowed =
        |model: &dht_model::Model, operation: &Operation| model.allowed(operation).to_string();
    let (get, all) = (Operation::get("c", 1), Operation::get_all("c"));
    let list = Operation::GetChannels;
    assert_eq!(Allowed::Answers(vec![]).to_string(), "nothing");
    assert_eq!(allowed(&model, &get), "no record");
    assert_eq!(allowed(&model, &all), "no record");
    assert_eq!(allowed(&model, &list), "no channel");

    model
        .observe(&Operation::put("c", 1, "v"), &Answer::Unknown)
        .unwrap();
    assert_eq!(allowed(&model, &get), "\"v\" or no record");
    assert_eq!(allowed(&model, &all), "perhaps 0000000000000001=\"v\"");
    assert_eq!(allowed(&model, &list), "no channel, perhaps \"c\"");

    model
        .observe(&Operation::put("c", 1, "w"), &Answer::Stored)
        .unwrap();
    model
        .observe(&Operation::put("c", 1, "x"), &Answer::Unknown)
        .unwrap();
    model
        .observe(&Operation::put("d", 2, "y"), &Answer::Stored)
        .unwrap();
    assert_eq!(allowed(&model, &all), "0000000000000001=\"w\"|\"x\"");
    assert_eq!(allowed(&model, &list), "\"c\", \"d\"");
    assert_eq!(
        allowed(&model, &Operation::GetHashRange),
        HashRange::FULL.to_string()
    );
    let empty = Operation::put("e", 1, "");
    model.observe(&empty, &Answer::Stored).unwrap();
    assert_eq!(
        allowed(&model, &Operation::get_all("e")),
        "perhaps 0000000000000001=\"\""
    );
    let there = Route::Node(NodeId(7));
    assert_eq!(filled().allowed_on(there, &get).to_string(), "no node");
}

#[test]
fn slots() {
    let mut model = node();
    for text in ["v", ""] {
        let put = Operation::put("c", 1, text);
        model.observe(&put, &Answer::Unknown).unwrap();
    }
    let state = &model.alternatives(&"c".into())[0];
    let slot: Option<Slot> = state.slot(NodeId(0), 1.into());
    assert_eq!(
        slot.unwrap().to_string(),
        "\"v\" or an empty value, perhaps"
    );
}
