//! An answer to GetAll, or a whole refresh of a Mirror, while nothing else happens (A5, A6, P44 to P48):
//! every record once, in any order, with its value. A legacy GetAll is judged alike, but creates no
//! channel. What a single record contributes is in [`selection`](super::selection).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;

use super::selection::{Delivery, Fault, Selection};
use super::{MAX_COMBINATIONS, Verdict, client, combinations, factor};
use crate::answer::Answer;
use crate::dht::NodeId;
use crate::record::{RecordState, Slot};
use crate::refusal::ExpectedRecord;
use crate::state::{Change, ChannelState, Edit};

/// Everything that came.
pub(crate) type Deliveries<'a> = BTreeMap<Key, Vec<Delivery<'a>>>;

/// What came, by key. `None` if the outcome is unknown.
pub(crate) fn deliveries(answer: &Answer) -> Option<Deliveries<'_>> {
    let mut all = Deliveries::new();
    match answer {
        Answer::Records(records) => {
            for (key, value) in records {
                all.entry(*key).or_default().push(Some(value));
            }
        }
        Answer::Keys(keys) => {
            for key in keys {
                all.entry(*key).or_default().push(None);
            }
        }
        _ => return None,
    }
    Some(all)
}

/// What agrees with the answer of these nodes, or, if nothing does, what is wrong with it.
pub(crate) fn judge(
    states: &[ChannelState],
    nodes: &[NodeId],
    selection: Selection<'_>,
    delivered: Option<&Deliveries<'_>>,
    creation: Creation,
) -> Result<Verdict, Fault> {
    let mut verdict = Verdict {
        edits: Vec::with_capacity(states.len()),
        exact: true,
    };
    let mut first_fault = None;
    for state in states {
        let presences: Vec<_> = nodes.iter().map(|node| presences(state, *node)).collect();
        let Some(presences) = combinations(&presences) else {
            let forget = |node: &NodeId| Change::MayHave(*node);
            verdict.edits.push(vec![nodes.iter().map(forget).collect()]);
            verdict.exact = false;
            continue;
        };
        let mut edits = Vec::new();
        for has in presences {
            let view = View {
                state,
                nodes,
                has,
                creation,
            };
            match delivered {
                None => edits.push(view.unknown()),
                Some(delivered) => match view.judge(selection, delivered) {
                    Ok((mut more, exact)) => {
                        edits.append(&mut more);
                        verdict.exact &= exact;
                    }
                    Err(fault) => first_fault = first_fault.or(Some(fault)),
                },
            }
        }
        verdict.edits.push(edits);
    }
    match first_fault {
        Some(fault) if verdict.is_refusal() => Err(fault),
        _ => Ok(verdict),
    }
}

/// What should come.
pub(crate) fn expected(
    states: &[ChannelState],
    nodes: &[NodeId],
    selection: Selection<'_>,
) -> Vec<ExpectedRecord> {
    // For each key the values, and in how many of the states it must come.
    let mut keys: BTreeMap<Key, (BTreeSet<Bytes>, usize)> = BTreeMap::new();
    for state in states {
        let mut certain = BTreeSet::new();
        for node in nodes {
            for (key, slot) in state.slots(*node) {
                for record in slot.states().iter().filter(|r| selection.may_deliver(r)) {
                    let (values, _) = keys.entry(key).or_default();
                    values.extend(match record {
                        RecordState::Value(value) => Some(value.clone()),
                        RecordState::Vague => Some(Bytes::new()),
                        _ => None,
                    });
                }
                if !state.may_lack(*node) && slot.states().iter().all(|r| selection.must_deliver(r))
                {
                    certain.insert(key);
                }
            }
        }
        for key in certain {
            keys.entry(key).or_default().1 += 1;
        }
    }
    keys.into_iter()
        .map(|(key, (values, certain))| ExpectedRecord {
            key,
            values: values.into_iter().collect(),
            optional: certain < states.len(),
        })
        .collect()
}

/// Whether the node has the channel: what is possible.
fn presences(state: &ChannelState, node: NodeId) -> Vec<bool> {
    let mut presences = Vec::with_capacity(2);
    if state.may_lack(node) {
        presences.push(false);
    }
    if state.may_have(node) {
        presences.push(true);
    }
    presences
}

/// What an operation on a channel does to a node that lacks it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Creation {
    /// It creates the channel.
    Creates,
    /// It does not.
    Leaves,
}

/// An alternative of which it is decided which nodes have the channel.
struct View<'a> {
    state: &'a ChannelState,
    nodes: &'a [NodeId],
    has: Vec<bool>,
    creation: Creation,
}

impl<'a> View<'a> {
    /// The channel may have been created wherever it was absent.
    fn unknown(&self) -> Edit {
        let present = |(node, has): (&NodeId, &bool)| match (has, self.creation) {
            (true, _) => vec![Change::Has(*node)],
            (false, Creation::Creates) => vec![Change::Empty(*node), Change::MayLack(*node)],
            (false, Creation::Leaves) => vec![Change::Lacks(*node)],
        };
        self.nodes.iter().zip(&self.has).flat_map(present).collect()
    }

    /// The edits that agree with what came, and whether nothing was forgotten.
    fn judge(
        &self,
        selection: Selection<'_>,
        delivered: &Deliveries<'_>,
    ) -> Result<(Vec<Edit>, bool), Fault> {
        let present = |(node, has): (&NodeId, &bool)| match (has, self.creation) {
            (true, _) => Change::Has(*node),
            (false, Creation::Creates) => Change::Empty(*node),
            (false, Creation::Leaves) => Change::Lacks(*node),
        };
        let mut edits: Vec<Edit> = vec![self.nodes.iter().zip(&self.has).map(present).collect()];
        let mut exact = true;
        for key in self.keys(delivered) {
            let came = delivered.get(&key).map_or(&[][..], Vec::as_slice);
            let states: Vec<_> = self.states(key).collect();
            if let [held @ [_]] = states[..]
                && selection.explains(held, came)
            {
                // One node, one possibility: nothing to learn. This is nearly every record.
                continue;
            }
            let Some(ends) = survivors(selection, &states, came) else {
                exact = false;
                continue;
            };
            if ends.is_empty() {
                return Err(selection.fault(key, &states, came));
            }
            if is_unchanged(&states, &ends) {
                continue;
            }
            let mut products: Vec<Edit> = factor(&ends)
                .into_iter()
                .map(|factors| self.narrow(key, factors))
                .collect();
            if products.len().saturating_mul(edits.len()) > MAX_COMBINATIONS {
                products = Vec::from([self.narrow(key, union(&ends))]);
                exact = false;
            }
            edits = edits
                .iter()
                .flat_map(|edit| {
                    let with = |more: &Edit| edit.iter().chain(more).cloned().collect();
                    products.iter().map(with).collect::<Vec<Edit>>()
                })
                .collect();
        }
        Ok((edits, exact))
    }

    /// Every key that is stored, or that came.
    fn keys(&self, delivered: &Deliveries<'_>) -> Vec<Key> {
        let holders = self.nodes.iter().zip(&self.has).filter(|(_, has)| **has);
        let stored = holders.flat_map(|(node, _)| self.state.slots(*node).map(|(key, _)| key));
        let mut keys: Vec<_> = stored.chain(delivered.keys().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What each node may hold.
    fn states(&self, key: Key) -> impl Iterator<Item = &'a [RecordState]> {
        self.nodes
            .iter()
            .zip(&self.has)
            .map(move |(node, has)| match has {
                true => self.state.states(*node, key),
                false => &[RecordState::Absent],
            })
    }

    fn narrow(&self, key: Key, factors: Vec<BTreeSet<RecordState>>) -> Edit {
        let slot = |(node, states): (&NodeId, _)| {
            Slot::one_of(states).map(|slot| Change::Slot(*node, key, slot))
        };
        self.nodes.iter().zip(factors).filter_map(slot).collect()
    }
}

/// What the nodes may hold of a record, given what came of it. `None` if that is not looked at, because
/// nothing is known of the record, or too much is possible.
fn survivors(
    selection: Selection<'_>,
    states: &[&[RecordState]],
    came: &[Delivery<'_>],
) -> Option<BTreeSet<client::Records>> {
    if states
        .iter()
        .any(|states| states.contains(&RecordState::Any))
    {
        return None;
    }
    let choices: Vec<Vec<RecordState>> = states.iter().map(|states| states.to_vec()).collect();
    let mut survivors = combinations(&choices)?;
    survivors.retain(|records| selection.explains(records, came));
    Some(survivors.into_iter().collect())
}

fn is_unchanged(states: &[&[RecordState]], ends: &BTreeSet<client::Records>) -> bool {
    states.iter().map(|states| states.len()).product::<usize>() == ends.len()
}

/// What each node may hold at all.
fn union(ends: &BTreeSet<client::Records>) -> Vec<BTreeSet<RecordState>> {
    let mut all: Vec<BTreeSet<_>> = vec![BTreeSet::new(); ends.first().map_or(0, Vec::len)];
    for end in ends {
        for (states, state) in all.iter_mut().zip(end) {
            states.insert(state.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 2] = [NodeId(0), NodeId(1)];
    const ALL: Selection<'_> = Selection {
        keys_only: false,
        filter: &[],
        limit: usize::MAX,
    };

    /// Both nodes have the channel, and for each key one of these.
    fn both_hold(keys: u64, records: &[RecordState]) -> ChannelState {
        let slot = |node, key| {
            let slot = Slot::one_of(records.iter().cloned())?;
            Some(Change::Slot(node, Key(key), slot))
        };
        let slots = |node| (0..keys).filter_map(move |key| slot(node, key));
        let edit = NODES.map(|node| [Change::Empty(node)].into_iter().chain(slots(node)));
        ChannelState::default().edited(edit.into_iter().flatten().collect())
    }

    /// What agrees with each of the keys coming so often with the value "v".
    fn heard(state: &ChannelState, keys: u64, times: usize) -> Verdict {
        let value = Bytes::from("v");
        let delivered = (0..keys).map(|key| (Key(key), vec![Some(&value); times]));
        let (states, delivered) = (std::slice::from_ref(state), delivered.collect());
        judge(states, &NODES, ALL, Some(&delivered), Creation::Creates).unwrap()
    }

    #[test]
    fn what_was_known_before_changes_no_record() {
        let state = both_hold(3, &[RecordState::stored("v".into())]);
        let verdict = heard(&state, 3, NODES.len());
        assert_eq!(verdict.edits, [[NODES.map(Change::Has).to_vec()]]);
    }

    #[test]
    fn too_many_combinations_are_taken_together() {
        let [v, w] = ["v", "w"].map(|text| RecordState::stored(text.into()));
        // Each record is on one of the nodes: two possibilities a key.
        for (keys, is_exact) in [(12, true), (13, false)] {
            let state = both_hold(keys, &[RecordState::Absent, v.clone(), w.clone()]);
            let verdict = heard(&state, keys, 1);
            assert_eq!(verdict.edits[0].len(), MAX_COMBINATIONS, "{keys} keys");
            assert_eq!(verdict.exact, is_exact, "{keys} keys");
            let after = state.edited(verdict.edits[0][0].clone());
            for node in NODES {
                let last = after.states(node, Key(keys - 1));
                assert!(!last.contains(&w), "that did not come");
                assert_eq!(last.len(), if is_exact { 1 } else { 2 });
            }
        }
    }
}
