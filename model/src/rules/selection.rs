//! Which records a GetAll or a refresh wants, what nodes that hold given records deliver then, and what is
//! wrong if they do not.

use bytes::Bytes;
use dht_protocol::Key;
use dht_requirements::{self as req, Requirement};

use crate::record::RecordState;
use crate::show;

/// Which records are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    /// Only their keys.
    pub(crate) keys_only: bool,
    /// Only those whose value contains this.
    pub(crate) filter: &'a [u8],
    /// With values, longer ones may be left out.
    pub(crate) limit: usize,
}

/// What came for one record: its value, or with keys only nothing but the fact.
pub(crate) type Delivery<'a> = Option<&'a Bytes>;

/// The rule that is broken, and how.
pub(crate) type Fault = (&'static Requirement, String);

impl Selection<'_> {
    /// Can nodes that hold these records have delivered this, each at most one?
    pub(crate) fn explains(&self, records: &[RecordState], came: &[Delivery<'_>]) -> bool {
        let Some((record, others)) = records.split_first() else {
            return came.is_empty();
        };
        if came.len() > records.len() {
            return false;
        }
        if !self.must_deliver(record) && self.explains(others, came) {
            return true;
        }
        (0..came.len()).any(|index| {
            let mut rest = came.to_vec();
            let delivery = rest.swap_remove(index);
            // Equal deliveries need to be tried once only.
            !came[..index].contains(&delivery)
                && self.delivers(record, delivery)
                && self.explains(others, &rest)
        })
    }

    /// May a node that holds this record deliver it, and like that?
    fn delivers(&self, record: &RecordState, delivery: Delivery<'_>) -> bool {
        self.may_deliver(record)
            && match (record, delivery) {
                (_, None) => true,
                (RecordState::Value(value), Some(shown)) => value == shown,
                (RecordState::Vague, Some(shown)) => shown.is_empty(),
                (_, Some(_)) => true,
            }
    }

    pub(crate) fn may_deliver(&self, record: &RecordState) -> bool {
        match record {
            RecordState::NoChannel | RecordState::Absent => false,
            RecordState::Value(value) => self.accepts(value),
            RecordState::Vague => self.filter.is_empty(),
            RecordState::Any => true,
        }
    }

    pub(crate) fn must_deliver(&self, record: &RecordState) -> bool {
        match record {
            RecordState::Value(value) => {
                (self.keys_only || value.len() <= self.limit) && self.accepts(value)
            }
            _ => false,
        }
    }

    /// Does the filter let this value pass?
    fn accepts(&self, value: &[u8]) -> bool {
        let mut windows = value.windows(self.filter.len().max(1));
        self.filter.is_empty() || windows.any(|window| window == self.filter)
    }

    /// What is wrong, if no combination of records explains what came.
    pub(crate) fn fault(
        &self,
        key: Key,
        states: &[&[RecordState]],
        came: &[Delivery<'_>],
    ) -> Fault {
        let held = || states.iter().flat_map(|states| states.iter());
        let deliverable = states
            .iter()
            .filter(|states| states.iter().any(|record| self.may_deliver(record)));
        let deliverable = deliverable.count();
        if came.is_empty() {
            let held: Vec<_> = held().map(ToString::to_string).collect();
            let held = held.join(" or ");
            return (
                &req::GETALL_COMPLETE,
                format!("record {key} is missing; it is {held}"),
            );
        }
        let values = || came.iter().copied().flatten();
        if let Some(value) = values().find(|value| !self.accepts(value)) {
            let (filter, value) = (show::Value(self.filter), show::Value(value));
            let reason = format!("record {key} came with {value}, which does not contain {filter}");
            return (&req::GETALL_FILTER_ONLY_MATCHING, reason);
        }
        if deliverable == 0 {
            let stored = held().any(|record| *record != RecordState::Absent);
            return match stored {
                true => (
                    &req::GETALL_FILTER_ONLY_MATCHING,
                    format!("record {key} came; its value does not match"),
                ),
                false => (
                    &req::GETALL_VALUES,
                    format!("record {key} came; there is none"),
                ),
            };
        }
        if came.len() > deliverable {
            let times = came.len();
            return (
                &req::GETALL_COMPLETE,
                format!("record {key} came {times} times"),
            );
        }
        match values().find(|value| !held().any(|record| self.delivers(record, Some(value)))) {
            Some(value) => {
                let value = show::Value(value);
                (
                    &req::GETALL_VALUES,
                    format!("record {key} came with {value}, not its value"),
                )
            }
            None => (
                &req::GETALL_COMPLETE,
                format!("a copy of record {key} is missing"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection<'a>(keys_only: bool, filter: &'a str) -> Selection<'a> {
        Selection {
            keys_only,
            filter: filter.as_bytes(),
            limit: 4,
        }
    }

    fn explains(selection: Selection<'_>, records: &[&'static str], came: &[&'static str]) -> bool {
        let records: Vec<_> = records
            .iter()
            .map(|value| RecordState::Value(Bytes::from(*value)))
            .collect();
        let values: Vec<_> = came.iter().map(|value| Bytes::from(*value)).collect();
        let came: Vec<_> = values
            .iter()
            .map(|value| (!selection.keys_only).then_some(value))
            .collect();
        selection.explains(&records, &came)
    }

    #[test]
    fn each_node_delivers_its_own() {
        let all = selection(false, "");
        assert!(explains(all, &["v"], &["v"]));
        assert!(!explains(all, &["v"], &[]));
        assert!(!explains(all, &["v"], &["w"]));
        assert!(!explains(all, &["v"], &["v", "v"]));
        assert!(explains(all, &["v", "w"], &["w", "v"]));
        assert!(explains(all, &["v", "v"], &["v", "v"]));
        assert!(!explains(all, &["v", "w"], &["v", "v"]));
    }

    #[test]
    fn the_filter_looks_at_values_only() {
        assert!(explains(selection(false, "bc"), &["abcd"], &["abcd"]));
        assert!(!explains(selection(false, "bc"), &["abcd"], &[]));
        assert!(!explains(selection(false, "bd"), &["abcd"], &["abcd"]));
        assert!(explains(selection(false, "bd"), &["abcd"], &[]));
        assert!(explains(selection(true, "bc"), &["abcd"], &["abcd"]));
        assert!(explains(selection(true, "abcde"), &["abcd"], &[]));
    }

    #[test]
    fn long_values_may_be_left_out_but_not_their_keys() {
        assert!(explains(selection(false, ""), &["abcde"], &[]));
        assert!(explains(selection(false, ""), &["abcde"], &["abcde"]));
        assert!(!explains(selection(false, ""), &["abcd"], &[]));
        assert!(!explains(selection(true, ""), &["abcde"], &[]));
    }

    #[test]
    fn vague_records_may_come_empty() {
        let vague = [RecordState::Vague];
        let (empty, other) = (Bytes::new(), Bytes::from("v"));
        assert!(selection(false, "").explains(&vague, &[]));
        assert!(selection(false, "").explains(&vague, &[Some(&empty)]));
        assert!(!selection(false, "").explains(&vague, &[Some(&other)]));
        assert!(!selection(true, "v").explains(&vague, &[None]));
    }
}
