//! One line of text as an entry.
//!
//! A line borrows from its text what it can, and answers and bytes are told apart by their first token, since most
//! of checking a long history is reading it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::value::StrDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Name, Word};
use crate::history::{Entry, Operation, Outcome, Record, Returned};
use crate::octets::{self, Octets};

#[derive(Deserialize)]
pub(super) struct Line<'a> {
    client: u64,
    op: Name,
    #[serde(borrow, default)]
    channel: Option<Text<'a>>,
    #[serde(borrow, default)]
    key: Option<Text<'a>>,
    #[serde(borrow, default)]
    expected: Option<Text<'a>>,
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
    invoked: i64,
    // Null says that the outcome is unknown; nothing at all says that somebody forgot it.
    #[serde(deserialize_with = "present")]
    returned: Option<i64>,
    #[serde(default)]
    result: Option<Answer>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Option::deserialize(deserializer)
}

impl Line<'_> {
    /// The entry that it describes, or what is wrong with it. `last` is the record that was read last.
    pub(super) fn entry(mut self, last: &mut Record) -> Result<Entry, String> {
        let operation = self.operation(last)?;
        let name = operation.name();
        let extra = [
            (&self.channel, "channel"),
            (&self.key, "key"),
            (&self.expected, "expected"),
            (&self.value, "value"),
        ];
        if let Some((_, field)) = extra.iter().find(|(left, _)| left.is_some()) {
            return Err(format!("{name} has no `{field}`"));
        }
        let returned = match (self.returned, self.result) {
            (None, None) => None,
            (None, Some(_)) => return Err("a `result` although `returned` is null".into()),
            (Some(_), None) => return Err(format!("missing field `result` of {name}")),
            (Some(at), Some(_)) if at < self.invoked => {
                let invoked = self.invoked;
                return Err(format!("`returned` {at} is before `invoked` {invoked}"));
            }
            (Some(at), Some(Answer(outcome))) => match fits(&operation, &outcome) {
                true => Some(Returned { at, outcome }),
                false => return Err(format!("no such `result` of {name}")),
            },
        };
        Ok(Entry {
            client: self.client,
            operation,
            invoked: self.invoked,
            returned,
        })
    }

    /// Takes the fields that make up the operation.
    fn operation(&mut self, last: &mut Record) -> Result<Operation, String> {
        Ok(match self.op {
            Name::Put => Operation::Put(self.record(last)?, octets(&mut self.value, "value")?),
            Name::Get => Operation::Get(self.record(last)?),
            Name::Exists => Operation::Exists(self.record(last)?),
            Name::Remove => Operation::Remove(self.record(last)?),
            Name::Update => Operation::Update {
                record: self.record(last)?,
                expected: octets(&mut self.expected, "expected")?,
                value: octets(&mut self.value, "value")?,
            },
            Name::RemoveChannel => Operation::RemoveChannel(octets(&mut self.channel, "channel")?),
            Name::GetChannels => Operation::GetChannels,
        })
    }

    /// Shares the bytes of the record before, which is often the same.
    fn record(&mut self, last: &mut Record) -> Result<Record, String> {
        let channel = take(&mut self.channel, "channel")?;
        let key = take(&mut self.key, "key")?;
        if channel.as_slice() != last.channel.as_slice() {
            last.channel = channel.octets();
        }
        if key.as_slice() != last.key.as_slice() {
            last.key = key.octets();
        }
        Ok(last.clone())
    }
}

fn take<'a>(field: &mut Option<Text<'a>>, name: &str) -> Result<Text<'a>, String> {
    field
        .take()
        .ok_or_else(|| format!("missing field `{name}`"))
}

fn octets(field: &mut Option<Text<'_>>, name: &str) -> Result<Octets, String> {
    take(field, name).map(Text::octets)
}

fn fits(operation: &Operation, outcome: &Outcome) -> bool {
    use Outcome::{Channels, Conflict, Exists, NoRecord, Ok, Removed, Value};
    match operation {
        Operation::Put(..) | Operation::RemoveChannel(_) => matches!(outcome, Ok),
        Operation::Get(_) => matches!(outcome, Value(_) | NoRecord),
        Operation::Exists(_) => matches!(outcome, Exists(_)),
        Operation::Remove(_) => matches!(outcome, Removed | NoRecord | Ok),
        Operation::Update { .. } => matches!(outcome, Ok | Conflict | NoRecord),
        Operation::GetChannels => matches!(outcome, Channels(_)),
    }
}

/// Bytes as they are in the line.
struct Text<'a>(Cow<'a, [u8]>);

impl Text<'_> {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }

    fn octets(self) -> Octets {
        match self.0 {
            Cow::Borrowed(bytes) => Octets(Bytes::copy_from_slice(bytes)),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(octets::Form).map(Self)
    }
}

/// What was answered, whatever was asked.
struct Answer(Outcome);

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnswerVisitor).map(Self)
    }
}

struct AnswerVisitor;

impl<'de> Visitor<'de> for AnswerVisitor {
    type Value = Outcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a `result`: a word, true, false, {\"value\":...} or {\"channels\":[...]}")
    }

    fn visit_bool<E: Error>(self, exists: bool) -> Result<Outcome, E> {
        Ok(Outcome::Exists(exists))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Outcome, E> {
        let word: Word = Deserialize::deserialize(StrDeserializer::<E>::new(word))?;
        Ok(word.outcome())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outcome, A::Error> {
        let outcome = match map.next_key()? {
            Some(Field::Value) => Outcome::Value(map.next_value::<Text<'de>>()?.octets()),
            Some(Field::Channels) => Outcome::Channels(map.next_value()?),
            None => return Err(A::Error::invalid_length(0, &self)),
        };
        match map.next_key::<Field>()? {
            None => Ok(outcome),
            Some(_) => Err(A::Error::invalid_length(2, &self)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Value,
    Channels,
}
