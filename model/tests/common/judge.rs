//! Short forms for tests that write down operations and answers by hand.

use bytes::Bytes;
use dht_model::{Answer, ChannelName, HashRange, Key, Model, NodeId, Operation, Refusal};

pub(crate) const NODE: NodeId = NodeId(0);

pub(crate) fn node() -> Model {
    let mut model = Model::default();
    model.announce(NODE, HashRange::FULL);
    model
}

/// A node whose channel "c" holds 1 = "one" and 2 = "two".
pub(crate) fn filled() -> Model {
    let mut model = node();
    right(&mut model, Operation::put("c", 1, "one"), Answer::Stored);
    right(&mut model, Operation::put("c", 2, "two"), Answer::Stored);
    model
}

pub(crate) fn right(model: &mut Model, operation: Operation, answer: Answer) {
    if let Err(refusal) = model.observe(&operation, &answer) {
        panic!("{refusal}");
    }
}

pub(crate) fn wrong(
    model: &mut Model,
    operation: Operation,
    answer: Answer,
    rule: &'static dht_requirements::Requirement,
) -> Refusal {
    match model.observe(&operation, &answer) {
        Err(refusal) if refusal.rule == rule => refusal,
        Err(refusal) => panic!("not by {rule}: {refusal}"),
        Ok(()) => panic!("accepted: {operation}: {answer}"),
    }
}

pub(crate) fn value(text: &'static str) -> Answer {
    Answer::Value(text.into())
}

pub(crate) fn updated(text: &'static str) -> Answer {
    Answer::Updated { read: text.into() }
}

pub(crate) fn records(records: &[(u64, &'static str)]) -> Answer {
    let record = |(key, value): &(u64, &'static str)| (Key(*key), Bytes::from(*value));
    Answer::Records(records.iter().map(record).collect())
}

pub(crate) fn keys(keys: &[u64]) -> Answer {
    Answer::Keys(keys.iter().copied().map(Key).collect())
}

pub(crate) fn channels(names: &[&str]) -> Answer {
    Answer::Channels(names.iter().map(|name| ChannelName::from(*name)).collect())
}

pub(crate) fn filtered(keys_only: bool, filter: &'static str) -> Operation {
    Operation::GetAll {
        channel: "c".into(),
        keys_only,
        filter: filter.into(),
    }
}

/// Would the model accept this? It is not told.
pub(crate) fn accepts(model: &Model, operation: &Operation, answer: &Answer) -> bool {
    model.clone().observe(operation, answer).is_ok()
}
