//! PutBatch: records that are stored one after another, up to the first bad one (`legacy.md` 7.15).

use bytes::Bytes;
use dht_protocol::{HashRange, Key};
use dht_requirements as req;

use crate::answer::Answer;
use crate::dht::NodeId;
use crate::record::{RecordState, Slot};
use crate::rules::Verdict;
use crate::rules::selection::Fault;
use crate::state::{Change, ChannelState, Edit};

/// What agrees with an answer of a node with this range, or what is wrong with it.
pub(crate) fn judge(
    states: &[ChannelState],
    node: NodeId,
    range: HashRange,
    records: &[(Key, Bytes)],
    answer: &Answer,
) -> Result<Verdict, Fault> {
    let (good, bad) = good(records, range);
    let stored = match (answer, &bad) {
        (Answer::Unknown, _) => 0..=good,
        // Any record may have been one too many, but for a bad one.
        (Answer::OutOfMemory, _) if good > 0 => 0..=good - 1,
        (answer, Some(status)) if answer == status => good..=good,
        (Answer::Stored, None) => good..=good,
        (Answer::EmptyValue, _) => {
            return Err(match bad {
                None => (
                    &req::LEG_PUTBATCH_STORED,
                    "no value is empty, and each is to be stored".to_owned(),
                ),
                Some(_) => (&req::LEG_PUTBATCH_FIRST_BAD, first(good)),
            });
        }
        (_, Some(Answer::EmptyValue)) => return Err((&req::LEG_PUTBATCH_EMPTY, first(good))),
        (_, Some(_)) => return Err((&req::LEG_PUTBATCH_WRONG_NODE, first(good))),
        (_, None) => {
            return Err((
                &req::LEG_PUTBATCH_STORED,
                "every record is to be stored".to_owned(),
            ));
        }
    };
    let edits = |state: &ChannelState| {
        let edits = stored.clone();
        edits
            .flat_map(|count| store(state, node, &records[..count]))
            .collect()
    };
    Ok(Verdict {
        edits: states.iter().map(edits).collect(),
        exact: true,
    })
}

/// The answers that are right.
pub(crate) fn answers(records: &[(Key, Bytes)], range: HashRange) -> Vec<Answer> {
    let (good, bad) = good(records, range);
    let full = (good > 0).then_some(Answer::OutOfMemory);
    [bad.unwrap_or(Answer::Stored)]
        .into_iter()
        .chain(full)
        .collect()
}

/// How many records are good before the first bad one, and what is answered because of that.
fn good(records: &[(Key, Bytes)], range: HashRange) -> (usize, Option<Answer>) {
    // Other than with a Put, the value is looked at first.
    let bad = |(key, value): &(Key, Bytes)| match value.is_empty() {
        true => Some(Answer::EmptyValue),
        false => (!range.covers(*key)).then_some(Answer::WrongNode),
    };
    let mut all = records.iter().map(bad).enumerate();
    let first = all.find_map(|(place, bad)| Some((place, bad?)));
    first.map_or((records.len(), None), |(place, bad)| (place, Some(bad)))
}

/// The node stores these records. Without any the channel may be created all the same.
fn store(state: &ChannelState, node: NodeId, records: &[(Key, Bytes)]) -> Vec<Edit> {
    let mut starts = Vec::new();
    if state.may_have(node) {
        starts.push(Change::Has(node));
    }
    if state.may_lack(node) {
        starts.push(Change::Empty(node));
        if records.is_empty() {
            starts.push(Change::Lacks(node));
        }
    }
    let slot = |(key, value): &(Key, Bytes)| {
        let slot = Slot::certain(RecordState::stored(value.clone()));
        Change::Slot(node, *key, slot)
    };
    let edit = |start| {
        std::iter::once(start)
            .chain(records.iter().map(slot))
            .collect()
    };
    starts.into_iter().map(edit).collect()
}

fn first(good: usize) -> String {
    format!("the record at place {good} is the first bad one")
}
