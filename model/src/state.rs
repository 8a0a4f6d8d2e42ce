//! One alternative of a channel: what the nodes may hold under its name. How several of them are kept is
//! in [`alternatives`](crate::alternatives), how they are judged in [`rules`](crate::rules).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dht_protocol::Key;

use crate::dht::NodeId;
use crate::record::{RecordState, Slot};

/// What the nodes may hold in the channels of one name. Each node lacks the channel, where it
/// [may](Self::may_lack), or has it, and then for each key something of its [slot](Self::slot); all
/// combinations of this are possible.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChannelState {
    /// Nodes that are not here lack the channel.
    nodes: BTreeMap<NodeId, Holding>,
}

/// What a node may hold that may have the channel.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Holding {
    may_lack: bool,
    /// Keys that are not here are certainly absent.
    slots: BTreeMap<Key, Slot>,
}

/// How a [`ChannelState`] becomes another one: these steps in turn.
pub(crate) type Edit = Vec<Change>;

/// A step of an edit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// The node lacks the channel.
    Lacks(NodeId),
    /// The node has the channel, and what was known of its records stays true.
    Has(NodeId),
    /// The node has the channel, which holds nothing.
    Empty(NodeId),
    /// The node may lack the channel; if it does not, what was known of its records stays true.
    MayLack(NodeId),
    /// The node, if it has the channel, has this under the key.
    Slot(NodeId, Key, Slot),
    /// The node may just have created the channel. That an absence of the channel was one of all its
    /// records together is forgotten.
    MayHave(NodeId),
}

impl ChannelState {
    /// The node may lack the channel.
    pub fn may_lack(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_none_or(|holding| holding.may_lack)
    }

    /// The node may have the channel.
    pub fn may_have(&self, node: NodeId) -> bool {
        self.nodes.contains_key(&node)
    }

    /// What the node holds under the key if it has the channel. `None` if it certainly lacks it.
    pub fn slot(&self, node: NodeId, key: Key) -> Option<Slot> {
        let holding = self.nodes.get(&node)?;
        Some(match holding.slots.get(&key) {
            Some(slot) => slot.clone(),
            None => Slot::certain(RecordState::Absent),
        })
    }

    /// The slots of a node, by key, except those that are certainly absent.
    pub fn slots(&self, node: NodeId) -> impl Iterator<Item = (Key, &Slot)> {
        self.nodes
            .get(&node)
            .into_iter()
            .flat_map(|holding| holding.slots.iter().map(|(key, slot)| (*key, slot)))
    }

    /// What the node may hold under the key that is stored, without copying.
    pub(crate) fn states(&self, node: NodeId, key: Key) -> &[RecordState] {
        self.nodes
            .get(&node)
            .and_then(|holding| holding.slots.get(&key))
            .map_or(&[RecordState::Absent], Slot::states)
    }

    /// No node has the channel.
    pub(crate) fn is_gone(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The state after an edit.
    pub(crate) fn edited(mut self, edit: Edit) -> Self {
        for change in edit {
            self.change(change);
        }
        self
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Lacks(node) => {
                self.nodes.remove(&node);
            }
            Change::Has(node) => self.nodes.entry(node).or_default().may_lack = false,
            Change::Empty(node) => {
                self.nodes.insert(node, Holding::default());
            }
            Change::MayLack(node) => {
                if let Some(holding) = self.nodes.get_mut(&node) {
                    holding.may_lack = true;
                }
            }
            Change::Slot(node, key, slot) => {
                if let Some(holding) = self.nodes.get_mut(&node) {
                    holding.set(key, slot);
                }
            }
            Change::MayHave(node) => match self.nodes.get_mut(&node) {
                Some(holding) if holding.may_lack => {
                    let absent = Slot::certain(RecordState::Absent);
                    for slot in holding.slots.values_mut() {
                        *slot = slot.or(&absent);
                    }
                }
                Some(_) => {}
                None => {
                    let slots = BTreeMap::new();
                    let may_lack = true;
                    self.nodes.insert(node, Holding { may_lack, slots });
                }
            },
        }
    }

    /// Everything that `other` allows, this allows too.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let held = |(node, theirs): (&NodeId, &Holding)| {
            self.nodes
                .get(node)
                .is_some_and(|holding| holding.includes(theirs))
        };
        let lacked = |node: &NodeId| other.nodes.contains_key(node) || self.may_lack(*node);
        other.nodes.iter().all(held) && self.nodes.keys().all(lacked)
    }

    /// Something that allows what this or `other` allows, and more.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        for (node, holding) in &mut self.nodes {
            holding.may_lack |= other.may_lack(*node);
        }
        for (node, theirs) in &other.nodes {
            match self.nodes.get_mut(node) {
                Some(holding) => holding.add(theirs),
                None => {
                    let mut holding = theirs.clone();
                    holding.may_lack = true;
                    self.nodes.insert(*node, holding);
                }
            }
        }
        self
    }
}

impl Holding {
    fn set(&mut self, key: Key, slot: Slot) {
        if slot.is_absent() {
            self.slots.remove(&key);
        } else {
            self.slots.insert(key, slot);
        }
    }

    fn includes(&self, other: &Self) -> bool {
        if other.may_lack && !self.may_lack {
            return false;
        }
        // Side by side, so that it ends at the first key that differs.
        let absent = Slot::certain(RecordState::Absent);
        let mut ours = self.slots.iter().peekable();
        let mut theirs = other.slots.iter().peekable();
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (None, None) => return true,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((key, _)), Some((their_key, _))) => key.cmp(their_key),
            };
            let our_next = ours.next_if(|_| next.is_le());
            let their_next = theirs.next_if(|_| next.is_ge());
            let slot = our_next.map_or(&absent, |(_, slot)| slot);
            let their_slot = their_next.map_or(&absent, |(_, slot)| slot);
            if !slot.includes(their_slot) {
                return false;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        let absent = Slot::certain(RecordState::Absent);
        for (key, slot) in &mut self.slots {
            *slot = slot.or(other.slots.get(key).unwrap_or(&absent));
        }
        for (key, slot) in &other.slots {
            self.slots.entry(*key).or_insert_with(|| slot.or(&absent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    fn slot(text: &'static str) -> Slot {
        Slot::certain(RecordState::stored(text.into()))
    }

    fn holding(node: NodeId, text: &'static str) -> ChannelState {
        ChannelState::default().edited(vec![
            Change::Empty(node),
            Change::Slot(node, Key(1), slot(text)),
        ])
    }

    #[test]
    fn edits() {
        let state = holding(A, "v");
        assert!(!state.may_lack(A) && state.may_lack(B) && !state.may_have(B));
        assert_eq!(state.slot(A, Key(1)), Some(slot("v")));
        assert!(state.slot(A, Key(2)).is_some_and(|slot| slot.is_absent()));
        assert_eq!(state.slot(B, Key(1)), None);

        let created_perhaps = state.clone().edited(vec![Change::MayHave(A)]);
        assert_eq!(created_perhaps, state, "it was there");

        let perhaps = state.clone().edited(vec![Change::MayLack(A)]);
        assert!(perhaps.may_lack(A) && perhaps.may_have(A));
        assert_eq!(perhaps.clone().edited(vec![Change::Has(A)]), state);
        assert!(perhaps.clone().edited(vec![Change::Lacks(A)]).is_gone());

        let blurred = perhaps.edited(vec![Change::MayHave(A), Change::MayHave(B)]);
        assert_eq!(blurred.slot(A, Key(1)).unwrap().states().len(), 2);
        assert!(blurred.may_have(B) && blurred.may_lack(B));

        let absent = Slot::certain(RecordState::Absent);
        let emptied = state.edited(vec![Change::Slot(A, Key(1), absent)]);
        assert_eq!(emptied.slots(A).count(), 0);
    }

    #[test]
    fn a_union_includes_its_parts() {
        let states = [
            ChannelState::default(),
            ChannelState::default().edited(vec![Change::Empty(A)]),
            holding(A, "v"),
            holding(A, "w"),
            holding(B, "v"),
            holding(B, "v").edited(vec![Change::MayLack(B)]),
        ];
        for (i, one) in states.iter().enumerate() {
            for (j, other) in states.iter().enumerate() {
                let both = one.clone().or(other);
                assert!(both.includes(one) && both.includes(other), "{i}, {j}");
                assert_eq!(
                    one.includes(other),
                    i == j || (i == 5 && (j == 0 || j == 4)),
                    "{i}, {j}"
                );
            }
        }
    }
}
