//! Judges what overlapped: the operations on records and channels as a history, which has to be
//! linearizable.
//!
//! What a step did is put into a history's terms where they reach: an Update that decides to delete is a
//! get and a removal, one that leaves is a get. What they do not reach (GetAll, Mirror) may at least have
//! created its channel.

use std::collections::BTreeSet;

use dht_history::{
    Budget, Entry, Explanation, Fault as Kind, History, Operation, Outcome, Record, Returned,
    Semantics, Verdict, check,
};
use dht_model::{Answer, limits};
use dht_requirements::{self as req, Requirement};

use super::Fault;
use crate::case::{At, Decision, Protocol, Step};
use crate::names::KeyName;
use crate::recording::{self, Recording};
use crate::value::Value;
use crate::world::Ending;

/// What the search for an order may cost: a fraction of a second. A case is short, so this hardly ever
/// ends it.
const BUDGET: Budget = Budget {
    steps: 20_000_000,
    memory: 64 << 20,
};

/// What is wrong, if something is.
pub fn judge(recording: &Recording) -> Option<Fault> {
    if has_kills(recording) {
        // What a node may lose when it is killed is another question.
        return None;
    }
    let plain = recording
        .entries
        .iter()
        .find_map(|entry| failed(recording, entry));
    plain.or_else(|| {
        let (history, places) = history(recording);
        match check(&history, Semantics::Dht, BUDGET) {
            // A request whose connection broke may be asked again by the client, and create its channel once
            // more, which a history does not say. So whether a channel is there is judged without such.
            Verdict::NotLinearizable(explanation)
                if explanation.key().is_none()
                    && recording.entries.iter().any(recording::Entry::is_unknown) =>
            {
                None
            }
            Verdict::NotLinearizable(explanation) => {
                Some(explain(recording, &explanation, &places))
            }
            // Nothing can be said of it.
            Verdict::Linearizable(_) | Verdict::Unknown(_) => None,
        }
    })
}

fn has_kills(recording: &Recording) -> bool {
    let kill = |step: &Step| matches!(step, Step::Fault(crate::case::Fault::Kill {}));
    recording.entries.iter().any(|entry| kill(&entry.step))
}

/// Answers that are never right, whatever overlaps.
fn failed(recording: &Recording, entry: &recording::Entry) -> Option<Fault> {
    let answer = entry.answer()?;
    let legacy = entry.protocol == Protocol::Legacy;
    let (requirement, allowed): (_, &str) = match answer {
        Answer::EmptyValue if !has_empty(&entry.step) => {
            (&req::LEG_PUT_STORED, "a value that is not empty is stored")
        }
        Answer::Stored if legacy && has_empty(&entry.step) => {
            (&req::LEG_PUT_EMPTY, "an empty value is refused")
        }
        Answer::ValueTooBig if legacy && is_small(&entry.step) => {
            (&req::LEG_PUT_SMALL, "a value of so few bytes is stored")
        }
        Answer::BadChannelName => (&req::LEG_NAME_LEGAL, "the name is legal"),
        Answer::WrongNode if legacy => (
            &req::LEG_PUT_STORED,
            "to be served: the key lies in the node's hash range",
        ),
        Answer::Error if legacy && !may_be_empty(recording, entry) => {
            (&req::LEG_ANSWER_COMES, "a healthy node does not fail")
        }
        Answer::WrongNode | Answer::NoNode => (
            &req::REQ_INSIDE_SERVED,
            "to be served: the key lies in the node's hash range",
        ),
        Answer::Error if !may_be_empty(recording, entry) => {
            (&req::REQ_ANSWER_DEFINED, "a healthy node does not fail")
        }
        Answer::Channels(listed) => {
            let mut names = BTreeSet::new();
            if let Some(twice) = listed.iter().find(|name| !names.insert(*name)) {
                let observed = format!("{twice} is listed twice");
                return Some(fault(
                    entry,
                    &req::CHANNELS_UNIQUE,
                    "each channel once",
                    observed,
                ));
            }
            let known: BTreeSet<_> = recording
                .entries
                .iter()
                .filter_map(|entry| entry.step.channel())
                .collect();
            let unknown = listed
                .iter()
                .find(|name| !known.contains(name.to_string().as_str()))?;
            let observed = format!("{unknown}, which nobody has ever named");
            return Some(fault(
                entry,
                &req::CHANNELS_REAL,
                "channels that exist",
                observed,
            ));
        }
        _ => return None,
    };
    Some(fault(entry, requirement, allowed, answer.to_string()))
}

/// Is an empty value to be stored?
fn has_empty(step: &Step) -> bool {
    match step {
        Step::Put { value, .. } => value.is_empty(),
        Step::PutBatch { records, .. } => records.iter().any(|(_, value)| value.is_empty()),
        _ => false,
    }
}

/// Is a value to be stored that every node stores?
fn is_small(step: &Step) -> bool {
    matches!(step, Step::Put { value, .. } if value.len() <= limits::LEGACY_VALUE)
}

/// May the record have an empty value? What follows then is unspecified.
fn may_be_empty(recording: &Recording, entry: &recording::Entry) -> bool {
    let neo = |other: &recording::Entry| other.protocol == Protocol::Neo;
    let empty = |step: &Step| match step {
        Step::Put { value, .. }
        | Step::Update {
            decision: Decision::Replace(value),
            ..
        }
        | Step::Decide {
            decision: Decision::Replace(value),
            ..
        } => value.is_empty(),
        _ => false,
    };
    let mut others = recording.entries.iter().filter(|other| neo(other));
    entry.record().is_none() || others.any(|other| empty(&other.step))
}

fn fault(
    entry: &recording::Entry,
    requirement: &'static Requirement,
    allowed: &str,
    observed: String,
) -> Fault {
    Fault {
        requirement,
        at: entry.at,
        sent: entry.step.to_string(),
        allowed: allowed.to_owned(),
        observed,
    }
}

/// The history, and for each of its entries the place of the step that it comes from.
fn history(recording: &Recording) -> (History, Vec<At>) {
    let mut made = Made {
        recording,
        history: History::default(),
        places: Vec::new(),
    };
    for entry in &recording.entries {
        made.add(entry);
    }
    (made.history, made.places)
}

struct Made<'a> {
    recording: &'a Recording,
    history: History,
    places: Vec<At>,
}

impl Made<'_> {
    fn add(&mut self, entry: &recording::Entry) {
        let answered = match &entry.ended {
            Some((_, Ending::Nothing(_))) => return self.touch(entry),
            Some((time, ending)) => Some((*time, ending)),
            None => None,
        };
        let answer = match answered {
            Some((_, Ending::Answer(answer))) => Some(answer),
            _ => None,
        };
        let Some((channel, key)) = entry.record() else {
            return self.add_whole(entry, answer);
        };
        let record = name(channel, key);
        let outcome = match answer {
            // It was refused, and did nothing.
            Some(
                Answer::ValueTooBig
                | Answer::WrongNode
                | Answer::NoNode
                | Answer::EmptyValue
                | Answer::OutOfMemory,
            ) => return self.touch(entry),
            Some(answer) => outcome(answer),
            None => None,
        };
        match &entry.step {
            // A legacy Put of it is refused.
            Step::Put { value, .. } if value.is_empty() && entry.protocol == Protocol::Legacy => {
                self.touch(entry);
            }
            Step::Put { value, .. } => {
                let put = Operation::Put(record, bytes(&value.bytes()));
                self.push(entry, put, outcome);
            }
            Step::Get { .. } => self.push(entry, Operation::Get(record), outcome),
            Step::Exists { .. } => self.push(entry, Operation::Exists(record), outcome),
            Step::Remove { .. } => self.push(entry, Operation::Remove(record), outcome),
            Step::Update { decision, .. } => self.update(entry, record, decision, answer),
            Step::BeginUpdate { update, .. } => self.begun_update(entry, record, update),
            _ => {}
        }
    }

    fn add_whole(&mut self, entry: &recording::Entry, answer: Option<&Answer>) {
        match &entry.step {
            Step::RemoveChannel { channel } if answer != Some(&Answer::NotPermitted) => {
                let removal = Operation::RemoveChannel(text(channel));
                self.push(entry, removal, answer.and_then(outcome));
            }
            Step::PutBatch { channel, records } => self.batch(entry, channel, records, answer),
            Step::GetChannels {} => {
                let listed = answer.and_then(outcome);
                self.push(entry, Operation::GetChannels, listed);
            }
            _ => self.touch(entry),
        }
    }

    /// Each record of a batch is stored at a moment of its own. None is behind the first empty value.
    fn batch(
        &mut self,
        entry: &recording::Entry,
        channel: &str,
        records: &[(KeyName, Value)],
        answer: Option<&Answer>,
    ) {
        let outcome = match answer {
            Some(Answer::Stored | Answer::EmptyValue) => Some(Outcome::Ok),
            // Nobody knows how many were stored.
            _ => None,
        };
        let mut left = records.iter();
        for (key, value) in left.by_ref().take_while(|(_, value)| !value.is_empty()) {
            let put = Operation::Put(name(channel, *key), bytes(&value.bytes()));
            self.push(entry, put, outcome.clone());
        }
        self.touch(entry);
    }

    /// An Update that decided at once.
    fn update(
        &mut self,
        entry: &recording::Entry,
        record: Record,
        decision: &Decision,
        answer: Option<&Answer>,
    ) {
        let read = match answer {
            Some(Answer::Updated { read }) => read,
            Some(Answer::NoRecord) => {
                return self.push(entry, Operation::Get(record), Some(Outcome::NoRecord));
            }
            // With a conflict nobody knows what was read; it changed nothing.
            Some(_) => return self.touch(entry),
            None => {
                return match decision {
                    // It may store what it would have stored, whatever it has read.
                    Decision::Replace(value) => {
                        let stored = Operation::Put(record, bytes(&value.bytes()));
                        self.push(entry, stored, None);
                    }
                    Decision::Delete => self.push(entry, Operation::Remove(record), None),
                    Decision::Leave => self.touch(entry),
                };
            }
        };
        let read = bytes(read);
        match decision {
            Decision::Replace(value) => {
                let update = Operation::Update {
                    record,
                    expected: read,
                    value: bytes(&value.bytes()),
                };
                self.push(entry, update, Some(Outcome::Ok));
            }
            Decision::Leave => {
                self.push(entry, Operation::Get(record), Some(Outcome::Value(read)));
            }
            Decision::Delete => {
                let get = Operation::Get(record.clone());
                self.push(entry, get, Some(Outcome::Value(read)));
                // Whether it was still there is not told, only that it is gone.
                self.push(entry, Operation::Remove(record), None);
            }
        }
    }

    /// An Update of two steps.
    fn begun_update(&mut self, entry: &recording::Entry, record: Record, update: &str) {
        let read = match &entry.ended {
            Some((_, Ending::Read(read))) => bytes(read),
            Some((_, Ending::Answer(Answer::NoRecord))) => {
                return self.push(entry, Operation::Get(record), Some(Outcome::NoRecord));
            }
            _ => return self.touch(entry),
        };
        let get = Operation::Get(record.clone());
        self.push(entry, get, Some(Outcome::Value(read.clone())));
        let decided = |other: &&recording::Entry| matches!(&other.step, Step::Decide { update: name, .. } if name == update);
        let entries = self.recording.entries.iter();
        let Some(second) = entries
            .skip_while(|other| other.at != entry.at)
            .find(decided)
        else {
            return;
        };
        let Step::Decide { decision, .. } = &second.step else {
            return;
        };
        let outcome = match &second.ended {
            Some((_, Ending::Nothing(_))) => return,
            Some((_, Ending::Answer(Answer::Updated { .. }))) => Some(Outcome::Ok),
            Some((_, Ending::Answer(Answer::Conflict))) => Some(Outcome::Conflict),
            _ => None,
        };
        match decision {
            Decision::Replace(value) => {
                let update = Operation::Update {
                    record,
                    expected: read,
                    value: bytes(&value.bytes()),
                };
                // It has read when it began, and writes by the end of the decision.
                self.push_between(entry, second, update, outcome);
            }
            Decision::Delete => self.push(second, Operation::Remove(record), None),
            Decision::Leave => {}
        }
    }

    /// Something that may have created its channel and did nothing else.
    fn touch(&mut self, entry: &recording::Entry) {
        if let Some(channel) = entry.step.channel() {
            let get = Operation::Get(Record::new(text(channel), text("any")));
            self.push(entry, get, None);
        }
    }

    fn push(&mut self, entry: &recording::Entry, operation: Operation, outcome: Option<Outcome>) {
        self.push_between(entry, entry, operation, outcome);
    }

    /// An operation that was invoked with one step and ended with another.
    fn push_between(
        &mut self,
        first: &recording::Entry,
        last: &recording::Entry,
        operation: Operation,
        outcome: Option<Outcome>,
    ) {
        let time = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let ended = last.ended.as_ref().map(|(ended, _)| time(*ended));
        let returned = ended
            .zip(outcome)
            .map(|(at, outcome)| Returned { at, outcome });
        self.places.push(last.at);
        self.history.push(Entry {
            client: first.lane as u64,
            operation,
            invoked: time(first.invoked),
            returned,
        });
    }
}

/// An answer in a history's terms; `None` if it says nothing of what happened.
fn outcome(answer: &Answer) -> Option<Outcome> {
    Some(match answer {
        Answer::Stored | Answer::ChannelRemoved => Outcome::Ok,
        Answer::Value(value) => Outcome::Value(bytes(value)),
        Answer::NoRecord | Answer::NothingThere | Answer::Removed(false) => Outcome::NoRecord,
        Answer::Removed(true) => Outcome::Removed,
        Answer::Gone => Outcome::Ok,
        Answer::Exists(exists) => Outcome::Exists(*exists),
        Answer::Channels(channels) => {
            let names = channels.iter().map(|name| text(&name.to_string()));
            Outcome::Channels(names.collect())
        }
        _ => return None,
    })
}

fn name(channel: &str, key: KeyName) -> Record {
    Record::new(text(channel), text(&key.to_string()))
}

fn text(text: &str) -> dht_history::Octets {
    dht_history::Octets(text.as_bytes().to_vec().into())
}

fn bytes(bytes: &bytes::Bytes) -> dht_history::Octets {
    dht_history::Octets(bytes.clone())
}

/// A proof that there is no order, as something that is wrong with the last step that it needs.
fn explain(recording: &Recording, explanation: &Explanation, places: &[At]) -> Fault {
    let at = explanation
        .operations()
        .iter()
        .filter_map(|operation| places.get(*operation).copied())
        .max()
        .unwrap_or(At { round: 0, step: 0 });
    let entry = recording.entries.iter().find(|entry| entry.at == at);
    Fault {
        requirement: requirement(explanation.fault()),
        at,
        sent: entry.map_or_else(String::new, |entry| entry.step.to_string()),
        allowed: "answers that some order of the operations explains".to_owned(),
        observed: explanation.to_string(),
    }
}

/// The requirement that is broken by what is wrong with a history.
fn requirement(fault: Kind) -> &'static Requirement {
    match fault {
        Kind::UnwrittenValue => &req::GET_VALUE_EXACT,
        Kind::PhantomRecord => &req::REMOVE_GONE,
        Kind::DoubleUpdate => &req::UPDATE_ONE_WINNER,
        Kind::LostChannel => &req::CHANNELS_COMPLETE,
        Kind::PhantomChannel => &req::CHANNELS_REAL,
        Kind::ImpossibleAnswer => &req::REQ_ANSWER_DEFINED,
        Kind::StaleRead | Kind::LostWrite => &req::DATA_PUT_VISIBLE,
        Kind::CrossedValues | Kind::NoOrder => &req::DATA_LINEARIZABLE,
    }
}
