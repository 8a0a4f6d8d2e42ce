//! What the names in a case stand for: channels and keys of the node that it is run against.

use std::fmt;
use std::str::FromStr;

use dht_model::{Action, Operation};
use dht_protocol::{ChannelName, HashRange, Key};
use serde::{Deserialize, Serialize};

use crate::case::{Decision, Step};

/// A key of a case, by its place in the node's hash range, so that a case means something for any node.
///
/// Written `first`, `last`, or `k7`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeyName {
    /// The lowest hash of the range.
    First,
    /// The highest hash of the range.
    Last,
    /// One inside; they are spread over the range.
    Inside(u32),
}

/// A text that names no key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is no key: keys are called first, last, k0, k1 and so on")]
pub struct NoKeyName(String);

impl FromStr for KeyName {
    type Err = NoKeyName;

    fn from_str(text: &str) -> Result<Self, NoKeyName> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            text => text
                .strip_prefix('k')
                .and_then(|number| number.parse().ok())
                .map(Self::Inside)
                .ok_or_else(|| NoKeyName(text.to_owned())),
        }
    }
}

impl TryFrom<String> for KeyName {
    type Error = NoKeyName;

    fn try_from(text: String) -> Result<Self, NoKeyName> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(key: KeyName) -> Self {
        key.to_string()
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Inside(number) => write!(f, "k{number}"),
        }
    }
}

/// The channels and keys of one run of a case.
#[derive(Clone, Debug)]
pub struct Names {
    /// What the channels' names begin with on the node, so that runs do not meet.
    prefix: String,
    range: HashRange,
    /// May the client remove channels?
    pub permitted: bool,
}

impl Names {
    /// Channels of this run begin with `prefix`; keys lie in `range`.
    pub fn new(prefix: impl Into<String>, range: HashRange, permitted: bool) -> Self {
        Self {
            prefix: prefix.into(),
            range,
            permitted,
        }
    }

    /// The node's hash range.
    pub fn range(&self) -> HashRange {
        self.range
    }

    /// What a channel of the case is called on the node.
    pub fn channel(&self, name: &str) -> ChannelName {
        ChannelName::from(format!("{}{name}", self.prefix))
    }

    /// What a case calls a channel of the node, if it is one of this run.
    pub fn channel_of_case(&self, name: &ChannelName) -> Option<ChannelName> {
        name.as_bytes()
            .strip_prefix(self.prefix.as_bytes())
            .map(ChannelName::copy_from)
    }

    /// The key on the node.
    pub fn key(&self, key: KeyName) -> Key {
        match key {
            KeyName::First => Key(self.range.min().reverse_bits()),
            KeyName::Last => Key(self.range.max().reverse_bits()),
            // The first ones of a full range would be the edge itself.
            KeyName::Inside(number) => self.range.nth_key(u64::from(number) + 1),
        }
    }

    /// A step in the words of the model, with the channels' names of the case; `None` for one that is not
    /// a whole operation.
    pub fn operation(&self, step: &Step) -> Option<Operation> {
        let record = |channel: &str, key: &KeyName, action| {
            Operation::record(channel, self.key(*key), action)
        };
        Some(match step {
            Step::Put {
                channel,
                key,
                value,
            } => record(channel, key, Action::Put(value.bytes())),
            Step::Get { channel, key } => record(channel, key, Action::Get),
            Step::Exists { channel, key } => record(channel, key, Action::Exists),
            Step::Remove { channel, key } => record(channel, key, Action::Remove),
            Step::Update {
                channel,
                key,
                decision,
            } => record(channel, key, Action::Update(decision.into())),
            Step::GetAll {
                channel,
                keys_only,
                filter,
            } => Operation::GetAll {
                channel: channel.as_str().into(),
                keys_only: *keys_only,
                filter: filter.clone().into(),
            },
            Step::GetChannels {} => Operation::GetChannels,
            Step::PutBatch { channel, records } => {
                let records = records.iter();
                let records = records.map(|(key, value)| (self.key(*key), value.bytes()));
                Operation::put_batch(channel.as_str(), records)
            }
            Step::GetSize { channel } => Operation::channel_size(channel.as_str()),
            Step::RemoveChannel { channel } => Operation::RemoveChannel {
                channel: channel.as_str().into(),
                permitted: self.permitted,
            },
            _ => return None,
        })
    }

    /// An operation in the words of the model with the names that channels have on the node.
    pub fn on_the_node(&self, operation: Operation) -> Operation {
        let rename =
            |channel: &ChannelName| self.channel(&String::from_utf8_lossy(channel.as_bytes()));
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => Operation::Record {
                channel: rename(&channel),
                key,
                action,
            },
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => Operation::GetAll {
                channel: rename(&channel),
                keys_only,
                filter,
            },
            Operation::RemoveChannel { channel, permitted } => Operation::RemoveChannel {
                channel: rename(&channel),
                permitted,
            },
            Operation::PutBatch { channel, records } => Operation::PutBatch {
                channel: rename(&channel),
                records,
            },
            Operation::GetSize { channel } => Operation::GetSize {
                channel: channel.as_ref().map(rename),
            },
            other => other,
        }
    }
}

impl From<&Decision> for dht_model::Decision {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Replace(value) => Self::Replace(value.bytes()),
            Decision::Leave => Self::Leave,
            Decision::Delete => Self::Delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_in_the_range() {
        for range in [HashRange::FULL, HashRange::new(5, 900).unwrap()] {
            let names = Names::new("p_", range, true);
            let keys = [
                KeyName::First,
                KeyName::Last,
                KeyName::Inside(0),
                KeyName::Inside(7),
            ];
            let mut found: Vec<_> = keys.iter().map(|key| names.key(*key)).collect();
            assert!(found.iter().all(|key| range.covers(*key)));
            found.dedup();
            assert_eq!(found.len(), keys.len());
        }
    }

    #[test]
    fn names_are_read_and_written() {
        for text in ["first", "last", "k0", "k4294967295"] {
            assert_eq!(text.parse::<KeyName>().unwrap().to_string(), text);
        }
        for text in ["", "k", "7", "k-1", "k4294967296"] {
            assert!(text.parse::<KeyName>().is_err(), "{text}");
        }
        let names = Names::new("p_", HashRange::FULL, true);
        let channel = names.channel("c0");
        assert_eq!(names.channel_of_case(&channel), Some("c0".into()));
        assert_eq!(names.channel_of_case(&"other".into()), None);
    }
}
