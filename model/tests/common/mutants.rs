//! Wrong answers, made of right ones.

use bytes::Bytes;
use dht_model::{Answer, ChannelName, HashRange, Key, Operation};

/// A value that nobody stores.
const FOREIGN: &str = "a value that nobody stores";

/// Answers that differ from the only right one in what they say. Where a longer value may be left out of
/// a list, this is not for that list.
pub(crate) fn mutants(operation: &Operation, right: &Answer) -> Vec<Answer> {
    let foreign = || Bytes::from(FOREIGN);
    let mut wrong = match right {
        Answer::Stored => vec![Answer::Conflict],
        Answer::Conflict => vec![Answer::Stored],
        Answer::Value(value) => {
            let mut longer = value.to_vec();
            longer.push(0);
            let shorter = value.slice(1..);
            vec![
                Answer::NoRecord,
                Answer::Value(foreign()),
                Answer::Value(longer.into()),
                Answer::Value(shorter),
            ]
        }
        Answer::NoRecord => vec![
            Answer::Value(foreign()),
            Answer::Value(Bytes::new()),
            Answer::Updated { read: foreign() },
            Answer::Conflict,
        ],
        Answer::Exists(exists) => vec![Answer::Exists(!exists)],
        Answer::Removed(removed) => vec![Answer::Removed(!removed)],
        Answer::Updated { .. } => vec![
            Answer::NoRecord,
            Answer::Conflict,
            Answer::Updated { read: foreign() },
        ],
        Answer::Records(records) => {
            let value = records
                .first()
                .map_or(foreign(), |(_, value)| value.clone());
            let mut wrong = lists(records, (Key(u64::MAX), value));
            for place in 0..records.len() {
                let mut changed = records.clone();
                changed[place].1 = foreign();
                wrong.push(changed);
            }
            wrong.into_iter().map(Answer::Records).collect()
        }
        Answer::Keys(keys) => lists(keys, Key(u64::MAX))
            .into_iter()
            .map(Answer::Keys)
            .collect(),
        Answer::Channels(names) => lists(names, ChannelName::from("foreign"))
            .into_iter()
            .map(Answer::Channels)
            .collect(),
        Answer::ChannelRemoved => vec![Answer::NotPermitted],
        Answer::NotPermitted => vec![Answer::ChannelRemoved],
        Answer::HashRanges(ranges) => {
            lists(ranges, HashRange::new(3, 4).unwrap_or(HashRange::EMPTY))
                .into_iter()
                .map(Answer::HashRanges)
                .collect()
        }
        Answer::NoNode => vec![Answer::Stored, Answer::NoRecord, Answer::Removed(false)],
        Answer::WrongNode => vec![Answer::Stored, Answer::NoRecord, Answer::Exists(false)],
        Answer::NothingThere => vec![Answer::Value(foreign())],
        Answer::Size { records, bytes } => [records + 1, records.wrapping_sub(1)]
            .map(|records| Answer::Size {
                records,
                bytes: *bytes,
            })
            .to_vec(),
        Answer::EmptyValue => vec![Answer::Stored],
        Answer::BadChannelName => vec![Answer::Stored, Answer::NothingThere, Answer::Listening],
        Answer::Gone
        | Answer::Listening
        | Answer::ValueTooBig
        | Answer::OutOfMemory
        | Answer::Error
        | Answer::Unknown => Vec::new(),
    };
    wrong.push(Answer::Error);
    wrong.push(Answer::ValueTooBig);
    if matches!(operation, Operation::Record { .. }) {
        wrong.extend([Answer::WrongNode, Answer::NoNode]);
    }
    wrong.retain(|answer| answer != right);
    wrong
}

/// The list with an element missing, an element twice, or one too many.
fn lists<T: Clone + PartialEq>(right: &[T], surplus: T) -> Vec<Vec<T>> {
    let mut wrong = vec![[right, &[surplus]].concat()];
    for place in 0..right.len() {
        let (before, after) = right.split_at(place);
        wrong.push([before, &after[1..]].concat());
        wrong.push([before, after, &after[..1]].concat());
    }
    wrong
}
