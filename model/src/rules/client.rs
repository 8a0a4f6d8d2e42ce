//! What a client makes of the replies of several nodes that are responsible for one record: whom it asks,
//! in which order, and what it tells its user (`neo-requests.md` 2.6, 12.4). With one node, as usual, it
//! passes on the reply.

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::fnv1a;

use super::node::{Message, Reply, replies};
use crate::answer::Answer;
use crate::operation::{Action, Decision};
use crate::record::RecordState;

/// What the nodes responsible for a record hold, newest first.
pub type Records = Vec<RecordState>;

/// What the nodes may hold after the answer. Nothing, if it is wrong.
///
/// `records` is what they hold before, newest first. After [`Answer::Unknown`] it is that, or what they
/// hold at any later moment until the operation is complete.
pub fn step(action: &Action, records: &[RecordState], answer: &Answer) -> BTreeSet<Records> {
    let run = run(action, records, answer.shown());
    match answer {
        Answer::Unknown => run.passed,
        _ => run
            .ends
            .into_iter()
            .filter(|(end, _)| end == answer)
            .map(|(_, records)| records)
            .collect(),
    }
}

/// The answers that are right.
pub fn answers(action: &Action, records: &[RecordState]) -> BTreeSet<Answer> {
    let run = run(action, records, None);
    run.ends.into_iter().map(|(answer, _)| answer).collect()
}

/// Every course that the operation can take.
fn run(action: &Action, records: &[RecordState], shown: Option<&Bytes>) -> Run {
    let mut run = Run {
        action: action.clone(),
        shown: shown.cloned(),
        ends: BTreeSet::new(),
        passed: BTreeSet::from([records.to_vec()]),
    };
    match action {
        Action::Put(value) => run.ask_newest(records, &Message::Put(value.clone())),
        Action::UpdateRecord { hash, value } => {
            let (hash, value) = (*hash, value.clone());
            run.ask_newest(records, &Message::UpdateRecord { hash, value });
        }
        Action::Get => run.search(records, &Message::Get, 0),
        Action::Exists => run.search(records, &Message::Exists, 0),
        Action::Remove => run.remove(records, records.len(), false),
        Action::Update(decision) => run.update(records, decision, 0),
    }
    run
}

/// The courses found so far.
struct Run {
    action: Action,
    shown: Option<Bytes>,
    /// How it can end.
    ends: BTreeSet<(Answer, Records)>,
    /// What the nodes can hold at some moment.
    passed: BTreeSet<Records>,
}

impl Run {
    /// Each reply of the node at this place, with what all nodes then hold.
    fn send(
        &mut self,
        records: &[RecordState],
        place: usize,
        message: &Message,
    ) -> Vec<(Reply, Records)> {
        let Some(state) = records.get(place) else {
            return Vec::new();
        };
        let mut courses = Vec::new();
        for (reply, state) in replies(state, message, self.shown.as_ref()) {
            let mut records = records.to_vec();
            records[place] = state;
            self.passed.insert(records.clone());
            courses.push((reply, records));
        }
        courses
    }

    fn end(&mut self, answer: Answer, records: Records) {
        self.ends.insert((answer, records));
    }

    fn ask_newest(&mut self, records: &[RecordState], message: &Message) {
        for (reply, records) in self.send(records, 0, message) {
            self.end(told(&self.action, reply), records);
        }
    }

    /// Newest to oldest, until a node does not say that it has no record.
    fn search(&mut self, records: &[RecordState], message: &Message, place: usize) {
        for (reply, records) in self.send(records, place, message) {
            if reply == Reply::NoRecord && place + 1 < records.len() {
                self.search(&records, message, place + 1);
            } else {
                self.end(told(&self.action, reply), records);
            }
        }
    }

    /// Oldest to newest, so that no old copy comes to light if it breaks off (P22).
    fn remove(&mut self, records: &[RecordState], left: usize, removed: bool) {
        let Some(place) = left.checked_sub(1) else {
            return self.end(Answer::Removed(removed), records.to_vec());
        };
        for (reply, records) in self.send(records, place, &Message::Remove) {
            match reply {
                Reply::Ok => self.remove(&records, place, true),
                Reply::NoRecord => self.remove(&records, place, removed),
                reply => self.end(told(&self.action, reply), records),
            }
        }
    }

    /// Reads newest to oldest, then does as decided.
    fn update(&mut self, records: &[RecordState], decision: &Decision, place: usize) {
        for (reply, records) in self.send(records, place, &Message::GetRecord) {
            match reply {
                Reply::NoRecord if place + 1 < records.len() => {
                    self.update(&records, decision, place + 1);
                }
                Reply::Value(read) => match decision {
                    Decision::Replace(value) => self.replace(&records, place, &read, value),
                    Decision::Leave => self.finish(&records, place, &Message::LeaveRecord, &read),
                    Decision::Delete => self.finish(&records, place, &Message::RemoveRecord, &read),
                },
                reply => self.end(told(&self.action, reply), records),
            }
        }
    }

    /// The new value goes to the newest node. If an older one had the record, it moves.
    fn replace(&mut self, records: &[RecordState], place: usize, read: &Bytes, value: &Bytes) {
        let (hash, value) = (fnv1a(read), value.clone());
        for (reply, records) in self.send(records, 0, &Message::UpdateRecord { hash, value }) {
            match reply {
                Reply::Ok if place > 0 => {
                    self.finish(&records, place, &Message::RemoveRecord, read);
                }
                Reply::Ok => {
                    let read = read.clone();
                    self.end(Answer::Updated { read }, records);
                }
                reply => self.end(told(&self.action, reply), records),
            }
        }
    }

    /// The last message to the node that had the record.
    fn finish(&mut self, records: &[RecordState], place: usize, message: &Message, read: &Bytes) {
        for (reply, records) in self.send(records, place, message) {
            let answer = match reply {
                Reply::Ok => Answer::Updated { read: read.clone() },
                reply => told(&self.action, reply),
            };
            self.end(answer, records);
        }
    }
}

/// What the user is told if a reply ends the operation.
fn told(action: &Action, reply: Reply) -> Answer {
    match (action, reply) {
        (Action::Put(_) | Action::UpdateRecord { .. }, Reply::Ok) => Answer::Stored,
        (Action::Exists, Reply::Ok) => Answer::Exists(true),
        (Action::Exists, Reply::NoRecord) => Answer::Exists(false),
        (Action::Get | Action::Update(_), Reply::NoRecord) => Answer::NoRecord,
        (Action::Get, Reply::Value(value)) => Answer::Value(value),
        (Action::Update(_) | Action::UpdateRecord { .. }, Reply::Conflict) => Answer::Conflict,
        // The node's own error, and what no node replies.
        _ => Answer::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecordState::{Absent, NoChannel, Value};

    fn value(text: &'static str) -> RecordState {
        Value(text.into())
    }

    fn after(action: Action, records: &[RecordState], answer: Answer) -> Vec<Records> {
        step(&action, records, &answer).into_iter().collect()
    }

    #[test]
    fn put_goes_to_the_newest_node_only() {
        let put = || Action::Put("w".into());
        let both = [NoChannel, value("v")];
        assert_eq!(
            after(put(), &both, Answer::Stored),
            [[value("w"), value("v")]]
        );
        let unknown = after(put(), &both, Answer::Unknown);
        assert_eq!(unknown, [[NoChannel, value("v")], [value("w"), value("v")]]);
        assert!(after(put(), &both, Answer::Error).is_empty());
    }

    #[test]
    fn reading_goes_on_to_older_nodes() {
        let read = |records: &[RecordState], text: &'static str| {
            after(Action::Get, records, Answer::Value(text.into()))
        };
        assert_eq!(read(&[NoChannel, value("v")], "v"), [[Absent, value("v")]]);
        assert_eq!(
            read(&[value("w"), NoChannel], "w"),
            [[value("w"), NoChannel]],
            "the older node is not asked"
        );
        assert!(read(&[value("w"), value("v")], "v").is_empty());
        let exists = after(
            Action::Exists,
            &[NoChannel, NoChannel],
            Answer::Exists(false),
        );
        assert_eq!(exists, [[Absent, Absent]]);
    }

    #[test]
    fn removing_goes_to_all_oldest_first() {
        let both = [value("w"), value("v")];
        assert_eq!(
            after(Action::Remove, &both, Answer::Removed(true)),
            [[Absent, Absent]]
        );
        let broken_off = after(Action::Remove, &both, Answer::Unknown);
        assert!(
            !broken_off.contains(&vec![Absent, value("v")]),
            "the old copy"
        );
        assert_eq!(broken_off.len(), 3);
        let old = [Absent, value("v")];
        assert!(after(Action::Remove, &old, Answer::Removed(false)).is_empty());
    }

    #[test]
    fn an_update_moves_the_record() {
        let replace = || Action::Update(Decision::Replace("w".into()));
        let updated = || Answer::Updated { read: "v".into() };
        let old = [NoChannel, value("v")];
        assert_eq!(after(replace(), &old, updated()), [[value("w"), Absent]]);
        let broken_off = after(replace(), &old, Answer::Unknown);
        assert!(broken_off.contains(&vec![value("w"), value("v")]));
        let delete = Action::Update(Decision::Delete);
        assert_eq!(after(delete, &old, updated()), [[Absent, Absent]]);
        let leave = Action::Update(Decision::Leave);
        assert_eq!(after(leave, &old, updated()), [[Absent, value("v")]]);
        assert_eq!(after(replace(), &[NoChannel], Answer::NoRecord), [[Absent]]);
        assert!(after(replace(), &[value("v")], Answer::Conflict).is_empty());
    }
}
