//! What is different in the legacy protocol. A node that speaks it holds the same records, and what becomes
//! of them stands in the same [table](super::node); but
//!
//! * an answer says less: a Remove is [`Gone`](Answer::Gone) whether there was a record or not, and a Get of
//!   nothing and of an empty value look alike. An answer agrees with every reply that it can stand for, and
//!   what is stored afterwards may be what any of them leaves.
//! * only what stores, and Listen, creates a channel.
//! * a node refuses empty values, those that are too big, and names of channels that neo allows.
//! * some operations exist only here: `batch`, `size`, Listen.

pub(crate) mod batch;
pub(crate) mod size;

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_requirements::{self as req, Requirement};

use super::Verdict;
use super::client::Records;
use super::node::{Message, Reply, replies};
use crate::answer::Answer;
use crate::dht::NodeId;
use crate::limits;
use crate::operation::Action;
use crate::record::RecordState;
use crate::state::{Change, ChannelState};

/// What the node may hold under the key after the answer. Nothing, if it is wrong.
///
/// Every node stores values up to `limit` bytes. After [`Answer::Unknown`] the operation has happened or
/// not.
pub fn step(
    action: &Action,
    record: &RecordState,
    answer: &Answer,
    limit: usize,
) -> BTreeSet<RecordState> {
    let courses = courses(action, record, answer.shown(), limit);
    let unchanged = (*answer == Answer::Unknown).then(|| record.clone());
    courses
        .into_iter()
        .filter(|(said, _)| said == answer || *answer == Answer::Unknown)
        .map(|(_, after)| after)
        .chain(unchanged)
        .collect()
}

/// The answers that are right.
pub fn answers(action: &Action, record: &RecordState, limit: usize) -> BTreeSet<Answer> {
    let courses = courses(action, record, None, limit);
    courses.into_iter().map(|(answer, _)| answer).collect()
}

/// The same as [`step`] for the list of what nodes hold, of which there is one.
pub(crate) fn step_alone(
    action: &Action,
    records: &[RecordState],
    answer: &Answer,
    limit: usize,
) -> BTreeSet<Records> {
    let [record] = records else {
        return BTreeSet::new();
    };
    let after = step(action, record, answer, limit);
    after.into_iter().map(|record| vec![record]).collect()
}

/// The same as [`answers`].
pub(crate) fn answers_alone(
    action: &Action,
    records: &[RecordState],
    limit: usize,
) -> BTreeSet<Answer> {
    match records {
        [record] => answers(action, record, limit),
        _ => BTreeSet::new(),
    }
}

/// What agrees with a Listen that has begun, or may have.
pub(crate) fn listen(states: &[ChannelState], node: NodeId, certainly: bool) -> Verdict {
    let edits = |state: &ChannelState| {
        let mut edits = Vec::new();
        if state.may_have(node) {
            edits.push(vec![Change::Has(node)]);
        }
        if state.may_lack(node) {
            let maybe = (!certainly).then_some(Change::MayLack(node));
            edits.push([Change::Empty(node)].into_iter().chain(maybe).collect());
        }
        edits
    };
    Verdict {
        edits: states.iter().map(edits).collect(),
        exact: true,
    }
}

/// The rule that a refused answer to an operation on one record breaks, and how.
pub(crate) fn fault(
    action: &Action,
    answer: &Answer,
    allowed: &[Answer],
) -> (&'static Requirement, &'static str) {
    let some_value = allowed
        .iter()
        .any(|answer| matches!(answer, Answer::Value(_)));
    match (action, answer) {
        (Action::Put(value), _) if value.is_empty() => {
            (&req::LEG_PUT_EMPTY, "an empty value is refused")
        }
        (Action::Put(value), Answer::ValueTooBig) if value.len() > limits::LEGACY_VALUE => {
            (&req::LEG_PUT_LARGE, "the value fits into a batch")
        }
        (Action::Put(_), Answer::ValueTooBig) => (&req::LEG_PUT_SMALL, "the value is small"),
        (Action::Put(_), _) => (&req::LEG_PUT_STORED, "a Put stores"),
        (Action::Get, Answer::Value(_)) if !some_value => {
            (&req::LEG_GET_ABSENT, "there is no record")
        }
        (Action::Get, Answer::Value(_)) => (
            &req::LEG_GET_VALUE,
            "these are not the bytes that were stored",
        ),
        (Action::Get, _) => (
            &req::LEG_GET_VALUE,
            "a record that was stored is not visible",
        ),
        (Action::Exists, Answer::Exists(true)) => (&req::LEG_EXISTS_ABSENT, "there is no record"),
        (Action::Exists, _) => (
            &req::LEG_EXISTS_PRESENT,
            "a record that was stored is not visible",
        ),
        _ => (&req::LEG_REMOVE_GONE, "a Remove removes"),
    }
}

/// The rule of this protocol that says what a rule of neo says.
pub(crate) fn rule(neo: &'static Requirement) -> &'static Requirement {
    let rules = [
        (&req::GETALL_COMPLETE, &req::LEG_GETALL_COMPLETE),
        (&req::GETALL_VALUES, &req::LEG_GETALL_VALUES),
        (
            &req::GETALL_FILTER_ONLY_MATCHING,
            &req::LEG_GETALL_FILTER_ONLY,
        ),
        (&req::CHANNELS_COMPLETE, &req::LEG_CHANNELS_COMPLETE),
        (&req::CHANNELS_UNIQUE, &req::LEG_CHANNELS_UNIQUE),
        (&req::CHANNELS_REAL, &req::LEG_CHANNELS_REAL),
        (&req::RANGE_ANSWER, &req::LEG_RANGE_ANSWER),
    ];
    let found = rules.iter().find(|(same, _)| same.id == neo.id);
    found.map_or(neo, |(_, legacy)| legacy)
}

/// Every answer, with what the node holds then.
fn courses(
    action: &Action,
    record: &RecordState,
    shown: Option<&Bytes>,
    limit: usize,
) -> Vec<(Answer, RecordState)> {
    let message = match action {
        Action::Put(value) => return put(record, value, limit),
        Action::Get => Message::Get,
        Action::Exists => Message::Exists,
        Action::Remove => Message::Remove,
        Action::Update(_) | Action::UpdateRecord { .. } => return Vec::new(),
    };
    let replies = replies(record, &message, shown).into_iter();
    replies
        .map(|(reply, after)| {
            let after = match record {
                RecordState::NoChannel => RecordState::NoChannel,
                _ => after,
            };
            (told(action, reply), after)
        })
        .collect()
}

/// Whether a Put that is refused creates the channel is not laid down strictly.
fn put(record: &RecordState, value: &Bytes, limit: usize) -> Vec<(Answer, RecordState)> {
    let refused = |answer: Answer| {
        let after = [record.clone(), record.born()];
        after.map(|after| (answer.clone(), after))
    };
    if value.is_empty() {
        return refused(Answer::EmptyValue).to_vec();
    }
    let mut courses = vec![(Answer::Stored, RecordState::stored(value.clone()))];
    courses.extend(refused(Answer::OutOfMemory));
    if value.len() > limit {
        courses.extend(refused(Answer::ValueTooBig));
    }
    courses
}

/// What is left of a reply in this protocol.
fn told(action: &Action, reply: Reply) -> Answer {
    match (action, reply) {
        (Action::Get, Reply::Value(value)) if !value.is_empty() => Answer::Value(value),
        (Action::Get, Reply::Value(_) | Reply::NoRecord) => Answer::NothingThere,
        (Action::Exists, Reply::Ok) => Answer::Exists(true),
        (Action::Exists, Reply::NoRecord) => Answer::Exists(false),
        (Action::Remove, Reply::Ok | Reply::NoRecord) => Answer::Gone,
        _ => Answer::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecordState::{Absent, NoChannel, Vague, Value};

    const LIMIT: usize = 4;

    fn after(action: &Action, record: &RecordState, answer: &Answer) -> Vec<RecordState> {
        step(action, record, answer, LIMIT).into_iter().collect()
    }

    fn value() -> RecordState {
        Value("v".into())
    }

    #[test]
    fn reading_and_removing_create_nothing() {
        for (action, answer) in [
            (Action::Get, Answer::NothingThere),
            (Action::Exists, Answer::Exists(false)),
            (Action::Remove, Answer::Gone),
        ] {
            assert_eq!(after(&action, &NoChannel, &answer), [NoChannel]);
            assert_eq!(after(&action, &Absent, &answer), [Absent]);
            assert_eq!(after(&action, &NoChannel, &Answer::Unknown), [NoChannel]);
        }
    }

    #[test]
    fn an_answer_stands_for_every_reply_that_looks_like_it() {
        assert_eq!(after(&Action::Remove, &value(), &Answer::Gone), [Absent]);
        let empty = after(&Action::Remove, &Vague, &Answer::Gone);
        assert_eq!(empty, [Absent, Vague], "some keep an empty value");
        assert_eq!(after(&Action::Get, &Vague, &Answer::NothingThere), [Vague]);
        assert!(after(&Action::Get, &value(), &Answer::NothingThere).is_empty());
        let empty = Answer::Value(Bytes::new());
        assert!(
            after(&Action::Get, &Vague, &empty).is_empty(),
            "it is not told"
        );
        assert!(after(&Action::Remove, &value(), &Answer::Removed(true)).is_empty());
    }

    #[test]
    fn what_may_be_refused() {
        let put = |value: &'static str| Action::Put(value.into());
        assert_eq!(after(&put("v"), &NoChannel, &Answer::Stored), [value()]);
        assert!(after(&put("v"), &Absent, &Answer::EmptyValue).is_empty());
        assert!(after(&put("long"), &Absent, &Answer::ValueTooBig).is_empty());
        let kept = after(&put("longer"), &value(), &Answer::ValueTooBig);
        assert_eq!(kept, [value()]);
        assert_eq!(
            after(&put(""), &value(), &Answer::EmptyValue),
            [value()],
            "the record stays"
        );
        assert!(after(&put(""), &Absent, &Answer::Stored).is_empty());
        let full = after(&put("w"), &NoChannel, &Answer::OutOfMemory);
        assert_eq!(full, [NoChannel, Absent]);
    }
}
