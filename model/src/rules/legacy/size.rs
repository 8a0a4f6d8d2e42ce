//! GetSize and GetChannelSize: the number of records. Bytes have no portable meaning (`legacy.md` 7.8).

use std::ops::RangeInclusive;

use crate::dht::NodeId;
use crate::record::{RecordState, Slot};
use crate::rules::Verdict;
use crate::state::{Change, ChannelState, Edit};

/// What agrees with the node having so many records in the channel.
pub(crate) fn judge(states: &[ChannelState], node: NodeId, records: u64) -> Verdict {
    let mut exact = true;
    let edits = |state: &ChannelState| {
        let mut edits = Vec::new();
        if state.may_lack(node) && records == 0 {
            edits.push(vec![Change::Lacks(node)]);
        }
        if state.may_have(node) && held(state, node).contains(&records) {
            let (edit, is_exact) = narrow(state, node, records);
            exact &= is_exact;
            edits.push(edit);
        }
        edits
    };
    Verdict {
        edits: states.iter().map(edits).collect(),
        exact,
    }
}

/// How many records the node may have.
pub(crate) fn possible(states: &[ChannelState], node: NodeId) -> RangeInclusive<u64> {
    let ranges = states.iter().map(|state| {
        let held = held(state, node);
        match state.may_lack(node) {
            true => 0..=*held.end(),
            false => held,
        }
    });
    let all =
        ranges.reduce(|one, other| *one.start().min(other.start())..=*one.end().max(other.end()));
    all.unwrap_or(0..=0)
}

/// How many records the node may have if it has the channel.
fn held(state: &ChannelState, node: NodeId) -> RangeInclusive<u64> {
    let slots = || state.slots(node).map(|(_, slot)| slot);
    let least = slots().filter(|slot| must_count(slot)).count();
    least as u64..=slots().count() as u64
}

fn must_count(slot: &Slot) -> bool {
    let mut states = slot.states().iter();
    states.all(|state| matches!(state, RecordState::Value(_)))
}

/// With the fewest or the most records that there can be, it is known which are there. Whether nothing was
/// forgotten.
fn narrow(state: &ChannelState, node: NodeId, records: u64) -> (Edit, bool) {
    let held = held(state, node);
    let unsure = state.slots(node).filter(|(_, slot)| !must_count(slot));
    let keep = |wanted: fn(&RecordState) -> bool| {
        let slots = unsure.filter_map(|(key, slot)| {
            let states = slot.states().iter().filter(|state| wanted(state)).cloned();
            Some(Change::Slot(node, key, Slot::one_of(states)?))
        });
        std::iter::once(Change::Has(node)).chain(slots).collect()
    };
    match (records == *held.start(), records == *held.end()) {
        (true, true) => (vec![Change::Has(node)], true),
        (true, false) => (keep(|state| !matches!(state, RecordState::Value(_))), true),
        (false, true) => (keep(|state| *state != RecordState::Absent), true),
        (false, false) => (vec![Change::Has(node)], false),
    }
}
