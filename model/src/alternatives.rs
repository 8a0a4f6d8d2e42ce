//! All that a channel may be: a short list of [`ChannelState`]s. Here it is pruned, and bounded.

use crate::record::Slot;
use crate::rules::Verdict;
use crate::state::{Change, ChannelState};

/// So many alternatives of one channel are kept apart.
const MAX_ALTERNATIVES: usize = 64;

/// The alternatives of one channel: one or more, in order, none included in another.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Alternatives(Vec<ChannelState>);

impl Default for Alternatives {
    /// The channel does not exist.
    fn default() -> Self {
        Self(vec![ChannelState::default()])
    }
}

impl Alternatives {
    pub(crate) fn states(&self) -> &[ChannelState] {
        &self.0
    }

    /// The channel certainly does not exist.
    pub(crate) fn are_gone(&self) -> bool {
        self.0.iter().all(ChannelState::is_gone)
    }

    /// Keeps what agrees with an answer, which must be something. Returns whether nothing was forgotten.
    #[must_use]
    pub(crate) fn apply(&mut self, verdict: Verdict) -> bool {
        let Verdict { edits, mut exact } = verdict;
        let mut next = Vec::with_capacity(self.0.len());
        for (state, mut edits) in self.0.drain(..).zip(edits) {
            let changes = edits.iter().flatten();
            exact &= !changes
                .into_iter()
                .any(|change| matches!(change, Change::Slot(_, _, slot) if Slot::is_any(slot)));
            // The usual single edit is applied in place: a channel may be large.
            let last = edits.pop();
            for edit in edits {
                next.push(state.clone().edited(edit));
                exact &= bounded(&mut next, 2 * MAX_ALTERNATIVES);
            }
            next.extend(last.map(|edit| state.edited(edit)));
            exact &= bounded(&mut next, 2 * MAX_ALTERNATIVES);
        }
        tidy(&mut next);
        exact &= bounded(&mut next, MAX_ALTERNATIVES);
        self.0 = next;
        exact
    }
}

/// Puts the states in order, without those that another one includes.
fn tidy(states: &mut Vec<ChannelState>) {
    states.sort_unstable();
    states.dedup();
    let mut index = 0;
    while index < states.len() {
        let included =
            (0..states.len()).any(|other| other != index && states[other].includes(&states[index]));
        if included {
            states.remove(index);
        } else {
            index += 1;
        }
    }
}

/// Merges the states into one if there are more than `limit` different ones. Returns whether it was not
/// necessary.
fn bounded(states: &mut Vec<ChannelState>, limit: usize) -> bool {
    if states.len() <= limit {
        return true;
    }
    tidy(states);
    if states.len() <= MAX_ALTERNATIVES {
        return true;
    }
    let merged = states.drain(..).reduce(|all, state| all.or(&state));
    states.extend(merged);
    false
}

#[cfg(test)]
mod tests {
    use dht_protocol::Key;

    use super::*;
    use crate::dht::NodeId;
    use crate::record::RecordState;

    fn verdict(numbers: impl IntoIterator<Item = usize>) -> Verdict {
        let edit = |n: usize| {
            let slot = Slot::certain(RecordState::stored(n.to_string().into()));
            // Different keys, so that no slot grows too large.
            let key = Key(n as u64);
            vec![Change::Empty(NodeId(0)), Change::Slot(NodeId(0), key, slot)]
        };
        Verdict {
            edits: vec![numbers.into_iter().map(edit).collect()],
            exact: true,
        }
    }

    #[test]
    fn alternatives_are_bounded_and_the_merged_one_includes_them() {
        let mut most = Alternatives::default();
        assert!(most.apply(verdict(0..MAX_ALTERNATIVES)));
        assert_eq!(most.states().len(), MAX_ALTERNATIVES);

        for number in [MAX_ALTERNATIVES + 1, 3 * MAX_ALTERNATIVES] {
            let mut merged = Alternatives::default();
            assert!(!merged.apply(verdict(0..number)));
            assert!(merged.states().len() <= MAX_ALTERNATIVES);
            let includes = |state| merged.states().iter().any(|one| one.includes(state));
            assert!(most.states().iter().all(includes));
        }
    }

    #[test]
    fn what_another_includes_does_not_count() {
        let mut edits = verdict(0..MAX_ALTERNATIVES + 6).edits;
        // The last one, of another alternative, has each of these records or has it not.
        let absent = Slot::certain(RecordState::Absent);
        let perhaps = edits[0].iter().flatten().filter_map(|change| match change {
            Change::Slot(node, key, slot) => Some(Change::Slot(*node, *key, slot.or(&absent))),
            _ => None,
        });
        let has = Change::Empty(NodeId(0));
        let all = [has.clone()].into_iter().chain(perhaps).collect();
        edits.push(vec![all]);
        let another = ChannelState::default().edited(vec![has]);
        let mut alternatives = Alternatives(vec![ChannelState::default(), another]);
        assert!(alternatives.apply(Verdict { edits, exact: true }));
        assert_eq!(alternatives.states().len(), 1);
    }

    #[test]
    fn what_is_there_twice_counts_once() {
        let mut alternatives = Alternatives::default();
        let numbers = (0..3 * MAX_ALTERNATIVES).map(|n| n % MAX_ALTERNATIVES);
        assert!(alternatives.apply(verdict(numbers)));
        assert_eq!(alternatives.states().len(), MAX_ALTERNATIVES);
    }

    #[test]
    fn what_another_includes_is_dropped() {
        let mut alternatives = Alternatives::default();
        let has = vec![Change::Empty(NodeId(0))];
        let lacks = vec![Change::Lacks(NodeId(0))];
        let may_have = vec![Change::MayHave(NodeId(0))];
        let edits = vec![vec![has, may_have, lacks]];
        assert!(alternatives.apply(Verdict { edits, exact: true }));
        assert_eq!(alternatives.states().len(), 1);
        assert!(!alternatives.are_gone());
    }
}
