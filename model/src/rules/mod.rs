//! The judgement: which answers are right, and what is stored afterwards. A file for each group of
//! operations.
//!
//! * [`node`]: one message about one record to one node. The table of A6.
//! * [`client`]: what a client makes of it that asks several nodes in turn.
//! * `record`: an answer to an operation on one record.
//! * `listing`: an answer to GetAll, and a Mirror's refresh.
//! * `channel`: answers to GetChannels and RemoveChannel.
//!
//! Judging changes nothing. The last three say for each alternative of a channel which
//! [edits](crate::state::Edit) of it agree with the answer; an answer is wrong if there is none for any.

pub(crate) mod channel;
pub mod client;
pub(crate) mod listing;
pub mod node;
pub(crate) mod record;

use crate::state::Edit;

/// For each alternative what becomes of it: nothing if it does not agree with the answer, several things
/// if the answer leaves that open.
pub(crate) type Verdict = Vec<Vec<Edit>>;

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
}
