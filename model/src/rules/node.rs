//! One message about one record to one node: what the node may reply, and what it then holds. This is the
//! table of A6 with the compare-and-write of A12, and the only place where it stands.

use bytes::Bytes;
use dht_protocol::fnv1a;

use crate::record::RecordState;

/// A message to a node about one record. `GetRecord`, `UpdateRecord`, `RemoveRecord` and `LeaveRecord`
/// are the messages of an Update.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Message {
    /// Store a value.
    Put(Bytes),
    /// Read the value.
    Get,
    /// Ask whether there is a record.
    Exists,
    /// Remove the record.
    Remove,
    /// Read the value; the node waits for one of the other three.
    GetRecord,
    /// Compare and write: store unless there is a record whose value has another hash.
    UpdateRecord {
        /// FNV-1a of the value that is to be replaced.
        hash: u64,
        /// The new value.
        value: Bytes,
    },
    /// Delete the record, whatever its value.
    RemoveRecord,
    /// Do nothing.
    LeaveRecord,
}

/// The reply of a node that is responsible for the key.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reply {
    /// Done. To `Exists`: there is a record. To `Remove`: there was one.
    Ok,
    /// The value, to `Get` and `GetRecord`.
    Value(Bytes),
    /// There is no record.
    NoRecord,
    /// The record has another hash; nothing was stored.
    Conflict,
    /// The node failed. Right only where an empty value is involved, which a node may refuse.
    Error,
}

/// All replies that are right, each with what the node holds afterwards.
///
/// [`RecordState::Any`] has countless values: `shown` is the one that the answer to be judged shows, if it
/// shows one. Any other would be judged alike. For all other states it does not matter.
pub fn replies(
    state: &RecordState,
    message: &Message,
    shown: Option<&Bytes>,
) -> Vec<(Reply, RecordState)> {
    use RecordState::{Absent, Any, NoChannel, Vague, Value};
    let born = state.born();
    match message {
        Message::Put(value) => stored(state, value),
        Message::Get | Message::GetRecord => match state {
            NoChannel | Absent => vec![(Reply::NoRecord, born)],
            Value(value) => vec![(Reply::Value(value.clone()), born)],
            Vague => vec![
                (Reply::Value(Bytes::new()), Vague),
                (Reply::NoRecord, Vague),
                (Reply::Error, Vague),
            ],
            Any => vec![
                match shown {
                    Some(value) => (
                        Reply::Value(value.clone()),
                        RecordState::stored(value.clone()),
                    ),
                    None => (Reply::Value(Bytes::new()), Any),
                },
                (Reply::NoRecord, Vague),
                (Reply::Error, Vague),
            ],
        },
        Message::Exists => match state {
            NoChannel | Absent => vec![(Reply::NoRecord, born)],
            Value(_) => vec![(Reply::Ok, born)],
            Vague | Any => vec![
                (Reply::Ok, born),
                (Reply::NoRecord, Vague),
                (Reply::Error, Vague),
            ],
        },
        Message::Remove => match state {
            NoChannel | Absent => vec![(Reply::NoRecord, born)],
            Value(_) => vec![(Reply::Ok, Absent)],
            // One original removes an empty value, the other keeps it and says that there is none.
            Vague | Any => vec![
                (Reply::Ok, Absent),
                (Reply::NoRecord, Vague),
                (Reply::Error, Vague),
            ],
        },
        Message::UpdateRecord { hash, value } => match state {
            Value(old) if fnv1a(old) != *hash => vec![(Reply::Conflict, born)],
            NoChannel | Absent | Value(_) => stored(state, value),
            Vague | Any => {
                let mut replies = stored(state, value);
                replies.push((Reply::Conflict, born.clone()));
                replies.push((Reply::Error, born));
                replies
            }
        },
        Message::RemoveRecord => match state {
            // The channel was removed after GetRecord. Whether it comes back is not laid down (A13).
            NoChannel => vec![(Reply::Ok, NoChannel), (Reply::Ok, Absent)],
            Absent | Value(_) => vec![(Reply::Ok, Absent)],
            Vague | Any => vec![(Reply::Ok, Vague), (Reply::Error, Vague)],
        },
        Message::LeaveRecord => match state {
            NoChannel => vec![(Reply::Ok, NoChannel), (Reply::Ok, Absent)],
            Absent | Value(_) => vec![(Reply::Ok, born)],
            Vague | Any => vec![(Reply::Ok, born.clone()), (Reply::Error, born)],
        },
    }
}

/// A node that stores a value may refuse an empty one, with or without consequences.
fn stored(state: &RecordState, value: &Bytes) -> Vec<(Reply, RecordState)> {
    let mut replies = vec![(Reply::Ok, RecordState::stored(value.clone()))];
    if value.is_empty() {
        replies.push((Reply::Error, RecordState::Vague));
        replies.push((Reply::Error, state.clone()));
        replies.push((Reply::Error, state.born()));
    }
    replies
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecordState::{Absent, Any, NoChannel, Vague, Value};

    fn check(state: RecordState, message: Message, expected: &[(Reply, RecordState)]) {
        assert_eq!(
            replies(&state, &message, None),
            expected,
            "{state}, {message:?}"
        );
    }

    #[test]
    fn the_table_of_a6() {
        let v = || Value("v".into());
        let read = || Reply::Value("v".into());
        for nothing in [NoChannel, Absent] {
            for question in [
                Message::Get,
                Message::Exists,
                Message::Remove,
                Message::GetRecord,
            ] {
                check(nothing.clone(), question, &[(Reply::NoRecord, Absent)]);
            }
            check(nothing, Message::Put("v".into()), &[(Reply::Ok, v())]);
        }
        check(v(), Message::Get, &[(read(), v())]);
        check(v(), Message::GetRecord, &[(read(), v())]);
        check(v(), Message::Exists, &[(Reply::Ok, v())]);
        check(v(), Message::Remove, &[(Reply::Ok, Absent)]);
        check(v(), Message::RemoveRecord, &[(Reply::Ok, Absent)]);
        check(v(), Message::LeaveRecord, &[(Reply::Ok, v())]);
        check(Absent, Message::RemoveRecord, &[(Reply::Ok, Absent)]);
    }

    #[test]
    fn compare_and_write() {
        let write = |hash| Message::UpdateRecord {
            hash,
            value: "new".into(),
        };
        let (old, new) = (Value("old".into()), Value("new".into()));
        check(
            old.clone(),
            write(fnv1a(b"old")),
            &[(Reply::Ok, new.clone())],
        );
        check(old.clone(), write(1), &[(Reply::Conflict, old)]);
        check(Absent, write(1), &[(Reply::Ok, new.clone())]);
        check(NoChannel, write(1), &[(Reply::Ok, new)]);
    }

    #[test]
    fn a_channel_removed_during_an_update_may_come_back() {
        for ending in [Message::RemoveRecord, Message::LeaveRecord] {
            let open = [(Reply::Ok, NoChannel), (Reply::Ok, Absent)];
            check(NoChannel, ending, &open);
        }
    }

    #[test]
    fn empty_values_are_unspecified_but_stay_empty() {
        let refused_or_not = |state: RecordState, after_error: &[RecordState]| {
            let replies = replies(&state, &Message::Put(Bytes::new()), None);
            assert_eq!(replies[0], (Reply::Ok, Vague));
            for after in after_error {
                assert!(replies.contains(&(Reply::Error, after.clone())), "{after}");
            }
        };
        refused_or_not(NoChannel, &[NoChannel, Absent, Vague]);
        refused_or_not(Value("v".into()), &[Value("v".into()), Vague]);
        for (reply, next) in replies(&Vague, &Message::Get, None) {
            assert!(!matches!(reply, Reply::Value(v) if !v.is_empty()));
            assert_eq!(next, Vague);
        }
        let put = Message::Put("v".into());
        check(Vague, put, &[(Reply::Ok, Value("v".into()))]);
    }

    #[test]
    fn what_is_shown_is_learnt() {
        let shown = Bytes::from("x");
        let learnt = (Reply::Value(shown.clone()), Value(shown.clone()));
        assert!(replies(&Any, &Message::Get, Some(&shown)).contains(&learnt));
    }
}
