//! Requests for one record take effect as if each did so at once, at some moment between its beginning
//! and its end: they are linearizable (Herlihy and Wing).
//!
//! The property remembers every explanation that is still possible: a value of the record, and which of the
//! requests under way have taken effect, and with which answer. What users are told rules explanations out;
//! when none is left, nothing explains what they were told. That is exact, and small, because only requests
//! under way are in it. A request whose outcome is unknown to its user may take effect at any time from
//! then on, or never.
//!
//! For frames in which one node has the record: over several nodes it is not kept (`neo-requests.md` 2.6).

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::neo::client::{Request as Asked, Told};
use dht_protocol::neo::request::{Failure, RecordName, gather, remove_channel, update};

use super::copies::Copies;
use super::{About, Kind, Property};
use crate::world::{Frame, Note, REQUESTS, Request};

/// The record as all clients together see it.
#[derive(Clone, Debug)]
pub struct Linearizable(pub RecordName);

/// What explains all that users were told.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Memory {
    explanations: BTreeSet<Explanation>,
    /// What each request asks of the record when it begins.
    asks: [Option<Effect>; REQUESTS],
    /// What an Update has read.
    read: [Option<Bytes>; REQUESTS],
    copies: Copies,
}

/// One way in which it may have been.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Explanation {
    value: Option<Bytes>,
    requests: [Standing; REQUESTS],
}

/// What has become of a request.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Standing {
    /// It has not begun, it has ended, or nothing can come of it any more.
    #[default]
    Away,
    /// It has not taken effect.
    Pending(Effect),
    /// It has, and this is its answer.
    Done(Answer),
}

/// What a request does to the record.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Effect {
    Put(Bytes),
    Get,
    Exists,
    Remove,
    /// Whatever there is; an Update that decided so, or RemoveChannel.
    Clear,
    /// As [`Self::Clear`], but it may be done again: it was asked for again over another connection.
    ClearAgain,
    /// Only if the record has not changed; if it was removed it is created again (F17).
    Replace {
        read: Bytes,
        by: Bytes,
    },
}

/// What is told of it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Answer {
    Done,
    Value(Option<Bytes>),
    Is(bool),
    Conflict,
}

/// What a user is told of a request.
enum Outcome {
    Answered(Answer),
    /// It has not taken effect, and will not.
    Refused,
    /// It may have, or may yet.
    Unknown,
    /// It starts over; what was asked for before may still take effect.
    Again,
    /// Nothing that matters here.
    Nothing,
}

impl Property for Linearizable {
    type Memory = Memory;

    fn about(&self) -> About {
        About {
            id: "linearizable",
            kind: Kind::Always,
            sentence: "What users are told of a record is as if each request had happened at one moment while it ran.",
        }
    }

    fn start(&self, frame: &Frame) -> Memory {
        let copies = Copies::at_start(frame, &self.0);
        let first = Explanation {
            value: copies.0.iter().flatten().next().cloned(),
            requests: Default::default(),
        };
        let asks = std::array::from_fn(|request| {
            let setup = frame.requests.get(request)?;
            let may = frame.clients[setup.client].admin;
            self.effect(setup.asks.as_ref()?, may)
        });
        Memory {
            explanations: BTreeSet::from([first]),
            asks,
            read: Default::default(),
            copies,
        }
    }

    fn note(&self, memory: &mut Memory, note: &Note) -> bool {
        if memory.explanations.is_empty() {
            // Said once.
            return false;
        }
        if let Some((node, by)) = memory.copies.note(&self.0, note)
            && by.is_none()
        {
            let value = memory.copies.0[node].clone();
            memory.become_value(&value);
        }
        match note {
            Note::Begun(request) => {
                if let Some(effect) = memory.asks[*request].clone() {
                    memory.begin(*request, &effect);
                }
            }
            Note::Decided(request, decision) => memory.decide(*request, decision),
            Note::Told(request, told) if memory.asks[*request].is_some() => {
                if let Told::Update(update::Notification::Received(value)) = told {
                    memory.read[*request] = Some(value.clone());
                }
                memory.told(*request, outcome(told));
            }
            _ => return false,
        }
        memory.explanations.is_empty()
    }
}

impl Linearizable {
    fn effect(&self, asks: &Asked, admin: bool) -> Option<Effect> {
        let mine = |record: &RecordName| *record == self.0;
        match asks {
            Asked::Put(open) if mine(&open.record) => Some(Effect::Put(open.value.clone())),
            Asked::Get(record) | Asked::Update(record) if mine(record) => Some(Effect::Get),
            Asked::Exists(record) if mine(record) => Some(Effect::Exists),
            Asked::Remove(record) if mine(record) => Some(Effect::Remove),
            Asked::RemoveChannel(channel) if admin && *channel == self.0.channel => {
                Some(Effect::Clear)
            }
            _ => None,
        }
    }
}

impl Memory {
    fn begin(&mut self, request: Request, effect: &Effect) {
        self.each(|mut explanation| {
            explanation.requests[request] = Standing::Pending(effect.clone());
            Some(explanation)
        });
        self.close();
    }

    fn decide(&mut self, request: Request, decision: &update::Decision) {
        let Some(read) = self.read[request].take() else {
            return;
        };
        match decision {
            update::Decision::Replace(by) => {
                let by = by.clone();
                self.begin(request, &Effect::Replace { read, by });
            }
            update::Decision::Delete => self.begin(request, &Effect::Clear),
            update::Decision::Leave => {}
        }
    }

    fn told(&mut self, request: Request, outcome: Outcome) {
        match outcome {
            Outcome::Nothing => return,
            Outcome::Answered(answer) => self.each(|mut explanation| {
                let standing = std::mem::take(&mut explanation.requests[request]);
                let fits = match standing {
                    Standing::Done(done) => done == answer,
                    // An Update that left the record.
                    Standing::Away => answer == Answer::Done,
                    Standing::Pending(_) => false,
                };
                fits.then_some(explanation)
            }),
            Outcome::Refused => self.each(|mut explanation| {
                let standing = std::mem::take(&mut explanation.requests[request]);
                (!matches!(standing, Standing::Done(_))).then_some(explanation)
            }),
            Outcome::Unknown => self.each(|mut explanation| {
                let standing = &mut explanation.requests[request];
                match standing {
                    // Nobody will ever see whether it happened.
                    Standing::Pending(Effect::Get | Effect::Exists) | Standing::Done(_) => {
                        *standing = Standing::Away;
                    }
                    Standing::Pending(_) | Standing::Away => {}
                }
                Some(explanation)
            }),
            Outcome::Again => self.each(|mut explanation| {
                explanation.requests[request] = Standing::Pending(Effect::ClearAgain);
                Some(explanation)
            }),
        }
        self.close();
    }

    /// Somebody outside has written, at this moment.
    fn become_value(&mut self, value: &Option<Bytes>) {
        self.each(|mut explanation| {
            explanation.value.clone_from(value);
            Some(explanation)
        });
        self.close();
    }

    fn each(&mut self, change: impl FnMut(Explanation) -> Option<Explanation>) {
        let before = std::mem::take(&mut self.explanations);
        self.explanations = before.into_iter().filter_map(change).collect();
    }

    /// Adds what follows if requests take effect now, any of them in any order.
    fn close(&mut self) {
        let mut open: Vec<_> = self.explanations.iter().cloned().collect();
        while let Some(explanation) = open.pop() {
            for request in 0..REQUESTS {
                for next in explanation.after(request) {
                    if self.explanations.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
        }
    }
}

impl Explanation {
    /// What may be the case after this request has taken effect.
    fn after(&self, request: Request) -> Vec<Self> {
        let Standing::Pending(effect) = &self.requests[request] else {
            return Vec::new();
        };
        let before = &self.value;
        let (value, answer) = match effect {
            Effect::Put(value) => (Some(value.clone()), Answer::Done),
            Effect::Get => (before.clone(), Answer::Value(before.clone())),
            Effect::Exists => (before.clone(), Answer::Is(before.is_some())),
            Effect::Remove => (None, Answer::Is(before.is_some())),
            Effect::Clear | Effect::ClearAgain => (None, Answer::Done),
            Effect::Replace { read, .. } if before.as_ref().is_some_and(|value| value != read) => {
                (before.clone(), Answer::Conflict)
            }
            Effect::Replace { by, .. } => (Some(by.clone()), Answer::Done),
        };
        let with = |standing| {
            let mut after = self.clone();
            after.value.clone_from(&value);
            after.requests[request] = standing;
            after
        };
        match effect {
            Effect::ClearAgain => vec![
                with(Standing::Pending(Effect::ClearAgain)),
                with(Standing::Done(answer)),
            ],
            _ => vec![with(Standing::Done(answer))],
        }
    }
}

/// What a notification says of a request's effect.
fn outcome(told: &Told) -> Outcome {
    let ended = match told {
        Told::Put(ended) => ended.as_ref().map(|()| Answer::Done),
        Told::Get(ended) => ended.as_ref().map(|value| Answer::Value(value.clone())),
        Told::Exists(ended) | Told::Remove(ended) => ended.as_ref().map(|is| Answer::Is(*is)),
        Told::Update(update::Notification::Received(value)) => {
            Ok(Answer::Value(Some(value.clone())))
        }
        Told::Update(update::Notification::Ended(ended)) => ended.as_ref().map(|how| match how {
            update::Updated::Done => Answer::Done,
            update::Updated::NoRecord => Answer::Value(None),
            update::Updated::Conflict => Answer::Conflict,
        }),
        Told::RemoveChannel(told) => {
            return match told {
                gather::Notification::Finished => Outcome::Answered(Answer::Done),
                gather::Notification::Disconnected(_) => Outcome::Again,
                gather::Notification::Unsupported(..)
                | gather::Notification::Notice(remove_channel::Notice::NotPermitted(_)) => {
                    Outcome::Refused
                }
                gather::Notification::NodeError(_) => Outcome::Unknown,
            };
        }
        Told::GetAll(_) | Told::Mirror(_) | Told::GetChannels(_) => return Outcome::Nothing,
    };
    match ended {
        Ok(answer) => Outcome::Answered(answer),
        Err(
            Failure::NoNode
            | Failure::WrongNode { .. }
            | Failure::Unsupported { .. }
            | Failure::ValueTooBig { .. },
        ) => Outcome::Refused,
        Err(_) => Outcome::Unknown,
    }
}
