//! An answer to an operation on one record, given by nodes that are responsible for its key.

use dht_requirements::{self as req, Requirement};
use std::collections::{BTreeMap, BTreeSet};

use dht_protocol::Key;

use super::{Verdict, client, combinations, factor};
use crate::answer::Answer;
use crate::dht::NodeId;
use crate::operation::{Action, Decision};
use crate::record::{RecordState, Slot};
use crate::state::{Change, ChannelState, Edit};

/// What a node may hold, and whether it has the channel.
type Choice = (bool, RecordState);

/// What agrees with an answer. `nodes` are those responsible for the key, newest first; `step` says what
/// they may hold after the answer, given what they held.
pub(crate) fn judge(
    states: &[ChannelState],
    nodes: &[NodeId],
    key: Key,
    step: impl Fn(&[RecordState]) -> BTreeSet<client::Records>,
) -> Verdict {
    let mut exact = true;
    let edits = states
        .iter()
        .map(|state| {
            let Some(starts) = combinations(&choices(state, nodes, key)) else {
                exact = false;
                return vec![forget(nodes, key)];
            };
            // A node that lacked the channel has no other records; one that had it may have. The two
            // must not be mixed.
            let mut ends: BTreeMap<Vec<bool>, BTreeSet<client::Records>> = BTreeMap::new();
            for start in starts {
                let (had, records): (Vec<_>, Vec<_>) = start.into_iter().unzip();
                let next = step(&records);
                if !next.is_empty() {
                    ends.entry(had).or_default().extend(next);
                }
            }
            let mut edits = Vec::new();
            for (had, ends) in ends {
                for factors in factor(&ends) {
                    let places = nodes.iter().zip(&had).zip(factors);
                    edits.push(
                        places
                            .flat_map(|((node, had), states)| {
                                become_one_of(*node, *had, key, states)
                            })
                            .collect(),
                    );
                }
            }
            edits
        })
        .collect();
    Verdict { edits, exact }
}

/// The answers that are right, given those to what the nodes may hold.
pub(crate) fn answers(
    states: &[ChannelState],
    nodes: &[NodeId],
    key: Key,
    answers_to: impl Fn(&[RecordState]) -> BTreeSet<Answer>,
) -> Vec<Answer> {
    let mut answers = BTreeSet::new();
    for state in states {
        for start in combinations(&choices(state, nodes, key)).unwrap_or_default() {
            let records: Vec<_> = start.into_iter().map(|(_, record)| record).collect();
            answers.extend(answers_to(&records));
        }
    }
    answers.into_iter().collect()
}

/// The rule that a refused answer breaks, and how.
pub(crate) fn fault(
    action: &Action,
    answer: &Answer,
    allowed: &[Answer],
) -> (&'static Requirement, &'static str) {
    let some_value = allowed
        .iter()
        .any(|answer| matches!(answer, Answer::Value(_) | Answer::Updated { .. }));
    match (action, answer) {
        (_, Answer::Error) => (
            &req::REQ_ANSWER_DEFINED,
            "nothing was asked that a healthy node fails at",
        ),
        (_, Answer::WrongNode) => (
            &req::REQ_INSIDE_SERVED,
            "the key is inside the node's hash range",
        ),
        (_, Answer::NoNode) => (&req::PUT_ANSWER, "a node is responsible for the key"),
        (_, Answer::ValueTooBig) => (
            &req::DATA_VALUE_SIZES,
            "the value is short enough, or nobody may refuse it",
        ),
        (Action::Get, Answer::Value(_)) if some_value => (
            &req::GET_VALUE_EXACT,
            "these are not the bytes that were stored",
        ),
        (Action::Get, Answer::Value(_)) => (&req::GET_VALUE_OF_AN_INSTANT, "there is no record"),
        (Action::Get, _) => (
            &req::DATA_PUT_VISIBLE,
            "a record that was stored is not visible",
        ),
        (Action::Exists, Answer::Exists(false)) => (
            &req::DATA_PUT_VISIBLE,
            "a record that was stored is not visible",
        ),
        (Action::Exists, _) => (&req::DATA_GET_EXISTS_AGREE, "there is no record"),
        (Action::Remove, Answer::Removed(false)) => (&req::REMOVE_PRESENT, "there was a record"),
        (Action::Remove, _) => (&req::REMOVE_PRESENT, "there was no record"),
        (Action::Update(_), Answer::Updated { .. }) if some_value => (
            &req::GET_VALUE_EXACT,
            "the value read is not what was stored",
        ),
        (Action::Update(_), Answer::Updated { .. }) => {
            (&req::DATA_GET_EXISTS_AGREE, "there was no record to read")
        }
        (Action::Update(Decision::Replace(_)), Answer::Conflict) if some_value => (
            &req::UPDATE_CONFLICT,
            "nobody changed the record in between",
        ),
        (Action::Update(_), Answer::Conflict) => (&req::UPDATE_WRITE, "nothing was compared"),
        (Action::Update(_), _) => (
            &req::DATA_PUT_VISIBLE,
            "a record that was stored is not visible",
        ),
        (Action::UpdateRecord { .. }, Answer::Stored) => (
            &req::UPDATE_CONFLICT,
            "the record has a value of another hash",
        ),
        (Action::UpdateRecord { .. }, _) => (
            &req::UPDATE_CONFLICT,
            "there was no record, or its value had the given hash",
        ),
        (Action::Put(_), _) => (&req::REQ_ANSWER_DEFINED, "a Put stores"),
    }
}

/// What each node may hold.
fn choices(state: &ChannelState, nodes: &[NodeId], key: Key) -> Vec<Vec<Choice>> {
    nodes
        .iter()
        .map(|node| {
            let mut choices = Vec::new();
            if state.may_lack(*node) {
                choices.push((false, RecordState::NoChannel));
            }
            if state.may_have(*node) {
                let states = state.states(*node, key).iter();
                choices.extend(states.map(|state| (true, state.clone())));
            }
            choices
        })
        .collect()
}

/// A node that had the channel, or had not, now holds one of these.
fn become_one_of(
    node: NodeId,
    had: bool,
    key: Key,
    mut states: BTreeSet<RecordState>,
) -> Vec<Change> {
    let may_lack = states.remove(&RecordState::NoChannel);
    let Some(slot) = Slot::one_of(states) else {
        return vec![Change::Lacks(node)];
    };
    let present = if had { Change::Has } else { Change::Empty };
    let mut changes = vec![present(node), Change::Slot(node, key, slot)];
    if may_lack {
        changes.push(Change::MayLack(node));
    }
    changes
}

/// The operation is not judged, and may have had any effect.
fn forget(nodes: &[NodeId], key: Key) -> Edit {
    let any = || Slot::certain(RecordState::Any);
    let forget = |node: &NodeId| [Change::MayHave(*node), Change::Slot(*node, key, any())];
    nodes.iter().flat_map(forget).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];
    const KEY: Key = Key(1);

    fn one_of(values: std::ops::Range<u8>) -> Slot {
        Slot::one_of(values.map(|n| RecordState::stored(vec![b'a' + n].into())))
            .unwrap_or(Slot::certain(RecordState::Absent))
    }

    #[test]
    fn too_many_combinations_are_accepted_and_forgotten() {
        let edit = NODES
            .iter()
            .flat_map(|node| {
                let slot = one_of(0..16);
                [
                    Change::Empty(*node),
                    Change::Slot(*node, KEY, slot),
                    Change::MayLack(*node),
                ]
            })
            .collect();
        let state = ChannelState::default().edited(edit);
        let states = std::slice::from_ref(&state);
        let step = |records: &[_]| client::step(&Action::Get, records, &Answer::NoRecord);
        let verdict = judge(states, &NODES, KEY, step);
        assert!(!verdict.exact && !verdict.is_refusal());
        let after = state.edited(verdict.edits[0][0].clone());
        assert!(after.slot(NODES[2], KEY).is_some_and(|slot| slot.is_any()));
        assert!(after.may_lack(NODES[0]), "as before, if nothing happened");
    }

    #[test]
    fn what_hangs_together_stays_together() {
        // Either node may have the record; the answer shows that one of them has.
        let either = Slot::one_of([RecordState::Absent, RecordState::stored("v".into())]).unwrap();
        let edit = NODES[..2].iter().flat_map(|node| {
            [
                Change::Empty(*node),
                Change::Slot(*node, KEY, either.clone()),
            ]
        });
        let state = ChannelState::default().edited(edit.collect());
        let answer = Answer::Value("v".into());
        let step = |records: &[_]| client::step(&Action::Get, records, &answer);
        let verdict = judge(&[state], &NODES[..2], KEY, step);
        assert!(verdict.exact);
        assert_eq!(verdict.edits[0].len(), 3, "all but neither");
    }
}
