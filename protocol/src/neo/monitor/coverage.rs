//! What has been heard of the requests' automata.

use std::collections::{BTreeMap, BTreeSet};

use super::Transition;
use crate::neo::header::RequestId;

/// Transitions, and pairs of them that followed one another in one request. Of both there are finitely many.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    /// The transitions.
    pub transitions: BTreeSet<Transition>,
    /// The pairs.
    pub pairs: BTreeSet<(Transition, Transition)>,
    /// The last transition of each request that is under way.
    latest: BTreeMap<RequestId, Transition>,
}

impl Coverage {
    /// Adds what another one has.
    pub fn merge(&mut self, other: &Self) {
        self.transitions.extend(&other.transitions);
        self.pairs.extend(&other.pairs);
    }

    /// The last transitions of the requests that are under way, in the order of their ids.
    pub fn latest(&self) -> impl Iterator<Item = Transition> {
        self.latest.values().copied()
    }

    pub(super) fn heard(&mut self, id: RequestId, transition: Transition) {
        self.transitions.insert(transition);
        if let Some(before) = self.latest.insert(id, transition) {
            self.pairs.insert((before, transition));
        }
    }

    pub(super) fn ended(&mut self, id: RequestId) {
        self.latest.remove(&id);
    }

    pub(super) fn closed(&mut self) {
        self.latest.clear();
    }
}
