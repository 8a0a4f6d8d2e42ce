//! A history as data: who did what, when, and what came of it.

use crate::octets::Octets;

/// Operations of any number of clients, in any order; an entry is known by its index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    entries: Vec<Entry>,
}

impl History {
    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }
}

impl FromIterator<Entry> for History {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries = entries.into_iter().collect();
        Self { entries }
    }
}

/// One operation of one client.
///
/// A client may have several operations at once. An operation that certainly had no effect, because it was
/// never sent or was refused, does not belong into a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who asked.
    pub client: u64,
    /// What was asked.
    pub operation: Operation,
    /// When, in any unit. One operation was before another if it returned at an earlier time than the other
    /// was invoked; at the same time they overlap.
    pub invoked: i64,
    /// When the answer came, and which. None if it is unknown: the operation may then have taken effect at
    /// any time after it was invoked, or never.
    pub returned: Option<Returned>,
}

/// The answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// When it came. Not before the operation was invoked.
    pub at: i64,
    /// What it was.
    pub outcome: Outcome,
}

/// The name of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// The channel's name.
    pub channel: Octets,
    /// The key, in any form.
    pub key: Octets,
}

impl Record {
    /// The record of this channel and key.
    pub fn new(channel: impl Into<Octets>, key: impl Into<Octets>) -> Self {
        Self {
            channel: channel.into(),
            key: key.into(),
        }
    }
}

/// What a client asks of the DHT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Store a value.
    Put(Record, Octets),
    /// Read the value.
    Get(Record),
    /// Ask whether there is a record.
    Exists(Record),
    /// Remove the record.
    Remove(Record),
    /// Replace the value that was expected.
    Update {
        /// Of which record.
        record: Record,
        /// The value that the client had read.
        expected: Octets,
        /// The value to store in its place.
        value: Octets,
    },
    /// Remove a channel with all its records.
    RemoveChannel(Octets),
    /// List the names of all channels.
    GetChannels,
}

impl Operation {
    /// The record that it concerns, if it is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Put(record, _)
            | Self::Get(record)
            | Self::Exists(record)
            | Self::Remove(record)
            | Self::Update { record, .. } => Some(record),
            Self::RemoveChannel(_) | Self::GetChannels => None,
        }
    }

    /// As a history's text calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put(..) => "put",
            Self::Get(_) => "get",
            Self::Exists(_) => "exists",
            Self::Remove(_) => "remove",
            Self::Update { .. } => "update",
            Self::RemoveChannel(_) => "remove_channel",
            Self::GetChannels => "get_channels",
        }
    }
}

/// What an answer says. Not every answer fits every operation; one that does not can never be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done: to put, update and remove_channel. To remove: the record is gone, and whether there was one is
    /// not said.
    Ok,
    /// The value: to get.
    Value(Octets),
    /// Whether there is a record: to exists.
    Exists(bool),
    /// There was a record, and it was removed: to remove.
    Removed,
    /// There is no record: to get, remove and update.
    NoRecord,
    /// Another value than the one expected is there: to update.
    Conflict,
    /// All channels' names, in any order: to get_channels.
    Channels(Vec<Octets>),
}
