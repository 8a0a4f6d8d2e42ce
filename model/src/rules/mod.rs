//! The judgement: which answers are right, and what is stored afterwards. A file for each group of
//! operations.
//!
//! * [`node`]: one message about one record to one node. The table of A6.
//! * [`client`]: what a client makes of it that asks several nodes in turn.
//! * `record`: an answer to an operation on one record.
//! * `listing`: an answer to GetAll, and a Mirror's refresh; `selection`: one record in it.
//! * `channel`: answers to GetChannels and RemoveChannel.
//! * [`legacy`]: what is different in the legacy protocol.
//!
//! Judging changes nothing. `record`, `listing` and `channel` say for each alternative of a channel which
//! edits of it agree with the answer; an answer is wrong if there is none for any alternative.

pub(crate) mod channel;
pub mod client;
pub mod legacy;
pub(crate) mod listing;
pub mod node;
pub(crate) mod record;
pub(crate) mod selection;

use std::collections::BTreeSet;

use crate::record::RecordState;
use crate::state::Edit;

/// What is left of a channel's alternatives after an answer.
pub(crate) struct Verdict {
    /// For each alternative what becomes of it: nothing if it does not agree with the answer, several
    /// things if the answer leaves that open.
    pub(crate) edits: Vec<Vec<Edit>>,
    /// Nothing was forgotten.
    pub(crate) exact: bool,
}

impl Verdict {
    /// No alternative agrees with the answer.
    pub(crate) fn is_refusal(&self) -> bool {
        self.edits.iter().all(Vec::is_empty)
    }
}

/// At most so many combinations of what several nodes may hold are looked at. Beyond, everything is
/// accepted, and what concerns the operation is forgotten.
const MAX_COMBINATIONS: usize = 4096;

/// Every way to take one of each. `None` if there are too many.
pub(crate) fn combinations<T: Clone>(choices: &[Vec<T>]) -> Option<Vec<Vec<T>>> {
    let number = choices
        .iter()
        .try_fold(1, |number: usize, choice| number.checked_mul(choice.len()));
    number.filter(|number| *number <= MAX_COMBINATIONS)?;
    let mut all = vec![Vec::with_capacity(choices.len())];
    for choice in choices {
        all = all
            .into_iter()
            .flat_map(|start| {
                choice.iter().map(move |next| {
                    let mut combination = start.clone();
                    combination.push(next.clone());
                    combination
                })
            })
            .collect();
    }
    Some(all)
}

/// The same combinations as products: one if they are a product, otherwise one for each.
pub(crate) fn factor(ends: &BTreeSet<Vec<RecordState>>) -> Vec<Vec<BTreeSet<RecordState>>> {
    let places = ends.first().map_or(0, Vec::len);
    let factors: Vec<BTreeSet<_>> = (0..places)
        .map(|place| {
            ends.iter()
                .filter_map(|end| end.get(place).cloned())
                .collect()
        })
        .collect();
    let product = factors
        .iter()
        .try_fold(1, |size: usize, factor| size.checked_mul(factor.len()));
    if product == Some(ends.len()) {
        return vec![factors];
    }
    let single = |end: &Vec<RecordState>| end.iter().cloned().map(|state| [state].into()).collect();
    ends.iter().map(single).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_complete_and_bounded() {
        let all = combinations(&[vec![1, 2], vec![3], vec![4, 5]]).unwrap();
        assert_eq!(all, [[1, 3, 4], [1, 3, 5], [2, 3, 4], [2, 3, 5]]);
        assert_eq!(combinations::<u8>(&[]), Some(vec![vec![]]));
        assert_eq!(combinations(&[vec![1, 2], vec![]]), Some(vec![]));
        assert_eq!(combinations(&[vec![0; 65], vec![0; 64]]), None);
        assert_eq!(combinations(&vec![vec![0; 1 << 16]; 5]), None);
    }

    #[test]
    fn factors_multiply_to_what_was_there() {
        use RecordState::{Absent, NoChannel, Vague};
        let product: BTreeSet<_> = combinations(&[vec![Absent, Vague], vec![NoChannel, Absent]])
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(factor(&product).len(), 1);
        let diagonal = BTreeSet::from([vec![Absent, Vague], vec![Vague, Absent]]);
        assert_eq!(factor(&diagonal).len(), 2);
        assert_eq!(factor(&BTreeSet::new()).len(), 0);
    }
}
