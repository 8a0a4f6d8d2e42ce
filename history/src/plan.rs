//! Splits a history into problems that can be decided apart from each other.
//!
//! A history is linearizable if and only if its part on each object is. Channels are such objects: an
//! operation concerns one, and get_channels looks at each at a moment of its own. Within a channel so are its
//! records, unless a remove_channel acts on all of them at one moment, or a get_channels asks for the channel
//! that they share. Then the records' parts are still necessary, with remove_channel as a removal of each
//! record, and they are quick to refute; but only the channel's part, with everything in it, is sufficient.

use std::collections::{HashMap, HashSet};

use crate::history::{Entry, History, Operation, Outcome, Record};
use crate::numbering::Numbering;
use crate::octets::Octets;
use crate::problem::{ABSENT, Act, NEVER, Op, Problem, Value};
use crate::semantics::Semantics;
use crate::verdict::Reason;

/// As many copies are made of operations that concern several records or channels, so that memory is bounded
/// by the history's size.
const COPIES: usize = 4_000_000;

/// A history in parts.
pub(crate) struct Plan<'h> {
    pub(crate) channels: Vec<ChannelPlan<'h>>,
}

/// What must hold for one channel.
pub(crate) struct ChannelPlan<'h> {
    /// Each record alone.
    pub(crate) records: Vec<Part<'h>>,
    /// All records together, unless each alone is sufficient.
    pub(crate) whole: Option<Part<'h>>,
}

/// A problem, and where in the history it comes from.
pub(crate) struct Part<'h> {
    pub(crate) channel: &'h Octets,
    /// The record's key, unless it is a whole channel.
    pub(crate) key: Option<&'h Octets>,
    pub(crate) problem: Problem,
    /// Whether an empty value was stored, whose meaning is not agreed.
    pub(crate) empty_value: bool,
}

impl<'h> Plan<'h> {
    pub(crate) fn of(history: &'h History, semantics: Semantics) -> Result<Self, Reason> {
        let entries = history.entries();
        // Entries and operations are numbered with 32 bits.
        if entries.len() > u32::MAX as usize / 4 {
            return Err(Reason::TooLarge);
        }
        if semantics == Semantics::Register {
            refuse_all_but_registers(entries)?;
        }
        let groups = Groups::of(entries);
        let looks = groups.listings.len().saturating_mul(groups.channels.len());
        let mut copies = COPIES.checked_sub(looks).ok_or(Reason::TooLarge)?;
        let compiler = Compiler {
            entries,
            semantics,
            listings: &groups.listings,
        };
        let channels = groups.channels.iter();
        Ok(Self {
            channels: channels
                .map(|channel| compiler.channel(channel, &mut copies))
                .collect(),
        })
    }
}

fn refuse_all_but_registers(entries: &[Entry]) -> Result<(), Reason> {
    let odd = entries.iter().position(|entry| {
        !matches!(
            entry.operation,
            Operation::Put(..) | Operation::Get(_) | Operation::Update { .. }
        )
    });
    match odd {
        Some(entry) => Err(Reason::NoRegister {
            entry,
            operation: entries[entry].operation.name(),
        }),
        None => Ok(()),
    }
}

/// Entries sorted by what they concern.
struct Groups<'h> {
    channels: Vec<ChannelGroup<'h>>,
    listings: Vec<Listing<'h>>,
}

struct ChannelGroup<'h> {
    name: &'h Octets,
    records: Vec<RecordGroup<'h>>,
    clears: Vec<u32>,
}

struct RecordGroup<'h> {
    key: &'h Octets,
    entries: Vec<u32>,
    /// Whether something of its own may have removed it.
    removable: bool,
}

struct Listing<'h> {
    entry: u32,
    names: HashSet<&'h Octets>,
}

impl<'h> Groups<'h> {
    fn of(entries: &'h [Entry]) -> Self {
        let mut groups = Self {
            channels: Vec::new(),
            listings: Vec::new(),
        };
        let mut channels: HashMap<&Octets, usize> = HashMap::new();
        let mut records: HashMap<&Record, (usize, usize)> = HashMap::new();
        // Successive entries often concern the same record.
        let mut last: Option<(&Record, (usize, usize))> = None;
        for (index, entry) in (0..).zip(entries) {
            let mut channel_of = |name, groups: &mut Self| {
                *channels.entry(name).or_insert_with(|| {
                    groups.channels.push(ChannelGroup {
                        name,
                        records: Vec::new(),
                        clears: Vec::new(),
                    });
                    groups.channels.len() - 1
                })
            };
            match &entry.operation {
                Operation::RemoveChannel(name) => {
                    let channel = channel_of(name, &mut groups);
                    groups.channels[channel].clears.push(index);
                }
                Operation::GetChannels => groups.listings.extend(Listing::of(index, entry)),
                Operation::Put(record, _)
                | Operation::Get(record)
                | Operation::Exists(record)
                | Operation::Remove(record)
                | Operation::Update { record, .. } => {
                    let place = match last {
                        Some((name, place)) if name == record => place,
                        _ => *records.entry(record).or_insert_with(|| {
                            let channel = channel_of(&record.channel, &mut groups);
                            let records = &mut groups.channels[channel].records;
                            records.push(RecordGroup {
                                key: &record.key,
                                entries: Vec::new(),
                                removable: false,
                            });
                            (channel, records.len() - 1)
                        }),
                    };
                    last = Some((record, place));
                    let group = &mut groups.channels[place.0].records[place.1];
                    group.entries.push(index);
                    group.removable |= may_remove(entry);
                }
            }
        }
        groups
    }
}

fn may_remove(entry: &Entry) -> bool {
    matches!(entry.operation, Operation::Remove(_))
        && entry
            .returned
            .as_ref()
            .is_none_or(|returned| returned.outcome != Outcome::NoRecord)
}

impl<'h> Listing<'h> {
    /// A listing of unknown outcome says nothing.
    fn of(index: u32, entry: &'h Entry) -> Option<Self> {
        match &entry.returned.as_ref()?.outcome {
            Outcome::Channels(names) => Some(Self {
                entry: index,
                names: names.iter().collect(),
            }),
            _ => None,
        }
    }
}

impl Part<'_> {
    /// What a person calls it.
    pub(crate) fn place(&self) -> String {
        match self.key {
            Some(key) => format!("record {key} of channel {}", self.channel),
            None => format!("channel {}", self.channel),
        }
    }
}

struct Compiler<'h, 'g> {
    entries: &'h [Entry],
    semantics: Semantics,
    listings: &'g [Listing<'h>],
}

impl<'h> Compiler<'h, '_> {
    fn channel(&self, group: &ChannelGroup<'h>, copies: &mut usize) -> ChannelPlan<'h> {
        let coupled =
            !self.listings.is_empty() || (!group.clears.is_empty() && group.records.len() != 1);
        let wide = self.listings.len() + group.clears.len();
        // The records of a coupled channel are only a short cut.
        let records = match copies.checked_sub(wide.saturating_mul(group.records.len())) {
            None if coupled => &[],
            left => {
                *copies = left.unwrap_or_default();
                &group.records[..]
            }
        };
        ChannelPlan {
            records: records
                .iter()
                .map(|record| self.record(group, record))
                .collect(),
            whole: coupled.then(|| self.whole(group)),
        }
    }

    /// One record: remove_channel removes it; a listing without the channel has seen that it is not there.
    fn record(&self, channel: &ChannelGroup<'h>, group: &RecordGroup<'h>) -> Part<'h> {
        let mut draft = Draft::with_capacity(group.entries.len());
        self.add_record(&mut draft, channel, group, 0);
        self.add_clears(&mut draft, channel);
        for listing in self.listings {
            if !listing.names.contains(channel.name) {
                self.add(&mut draft, listing.entry, 0, Act::Read(ABSENT));
            }
        }
        draft.part(channel.name, Some(group.key), 1)
    }

    fn whole(&self, channel: &ChannelGroup<'h>) -> Part<'h> {
        let mut draft = Draft::with_capacity(0);
        for (key, group) in (0..).zip(&channel.records) {
            self.add_record(&mut draft, channel, group, key);
        }
        self.add_clears(&mut draft, channel);
        for listing in self.listings {
            let listed = listing.names.contains(channel.name);
            self.add(&mut draft, listing.entry, 0, Act::Listed(listed));
        }
        draft.part(channel.name, None, channel.records.len())
    }

    fn add_clears(&self, draft: &mut Draft<'h>, channel: &ChannelGroup<'h>) {
        for &index in &channel.clears {
            let act = match self.outcome(index) {
                None | Some(Outcome::Ok) => Act::Clear,
                Some(_) => Act::Impossible,
            };
            self.add(draft, index, 0, act);
        }
    }

    fn add_record(
        &self,
        draft: &mut Draft<'h>,
        channel: &ChannelGroup<'h>,
        group: &RecordGroup<'h>,
        key: u32,
    ) {
        // Only where the record can vanish does an update differ from a compare-and-set.
        let halves =
            self.semantics == Semantics::Dht && (group.removable || !channel.clears.is_empty());
        draft.next_record(group.entries.len());
        for &index in &group.entries {
            let act = self.act(draft, index);
            match act {
                Act::Swap { expected, value } if halves => {
                    self.add(draft, index, key, Act::Begin { expected });
                    self.add(draft, index, key, Act::Commit { expected, value });
                }
                _ => self.add(draft, index, key, act),
            }
            // It may have read nothing, and created the channel by reading.
            if matches!(act, Act::Swap { .. }) && self.outcome(index).is_none() {
                self.add(draft, index, key, Act::Touch);
            }
        }
    }

    fn act(&self, draft: &mut Draft<'h>, index: u32) -> Act {
        let outcome = self.outcome(index);
        let dht = self.semantics == Semantics::Dht;
        match (&self.entries[index as usize].operation, outcome) {
            (Operation::Put(_, value), None | Some(Outcome::Ok)) => {
                draft.empty_value |= dht && value.as_slice().is_empty();
                Act::Write(draft.value(value))
            }
            (Operation::Get(_) | Operation::Exists(_), None) => Act::Touch,
            (Operation::Get(_), Some(Outcome::Value(value))) => Act::Read(draft.value(value)),
            (Operation::Get(_) | Operation::Remove(_), Some(Outcome::NoRecord)) => {
                Act::Read(ABSENT)
            }
            (Operation::Exists(_), Some(Outcome::Exists(true))) => Act::Present,
            (Operation::Exists(_), Some(Outcome::Exists(false))) => Act::Read(ABSENT),
            (Operation::Remove(_), None | Some(Outcome::Ok)) => Act::Empty,
            (Operation::Remove(_), Some(Outcome::Removed)) => Act::Remove,
            (
                Operation::Update {
                    expected, value, ..
                },
                None | Some(Outcome::Ok),
            ) => {
                draft.empty_value |= dht && value.as_slice().is_empty();
                Act::Swap {
                    expected: draft.value(expected),
                    value: draft.value(value),
                }
            }
            (Operation::Update { expected, .. }, Some(Outcome::Conflict)) => Act::Refused {
                expected: draft.value(expected),
                absent: !dht,
            },
            (Operation::Update { .. }, Some(Outcome::NoRecord)) if dht => Act::Read(ABSENT),
            _ => Act::Impossible,
        }
    }

    fn outcome(&self, index: u32) -> Option<&'h Outcome> {
        let returned = self.entries[index as usize].returned.as_ref();
        returned.map(|returned| &returned.outcome)
    }

    fn add(&self, draft: &mut Draft<'h>, index: u32, key: u32, act: Act) {
        let entry = &self.entries[index as usize];
        let returned = entry.returned.as_ref().map(|returned| returned.at);
        draft.ops.push(Op {
            entry: index,
            key,
            act,
            invoked: entry.invoked,
            // A clock that ran backwards must not make an operation impossible.
            returned: returned.map_or(NEVER, |at| at.max(entry.invoked)),
            required: returned.is_some(),
        });
    }
}

/// A part being put together.
struct Draft<'h> {
    ops: Vec<Op>,
    /// Of the record that is being added.
    values: Numbering<'h>,
    /// How many values there were in records before.
    before: Value,
    empty_value: bool,
}

impl<'h> Draft<'h> {
    fn with_capacity(ops: usize) -> Self {
        Self {
            ops: Vec::with_capacity(ops),
            values: Numbering::with_capacity(0),
            before: 0,
            empty_value: false,
        }
    }

    /// Values of another record come now, of about so many operations.
    fn next_record(&mut self, operations: usize) {
        self.before = self.count();
        self.values = Numbering::with_capacity(operations / 2);
    }

    fn value(&mut self, value: &'h Octets) -> Value {
        self.before + 1 + self.values.number(value)
    }

    fn count(&self) -> Value {
        // No more values than twice the entries, whose number is checked.
        self.before + self.values.len() as Value
    }

    fn part(self, channel: &'h Octets, key: Option<&'h Octets>, keys: usize) -> Part<'h> {
        let values = self.count() as usize + 1;
        Part {
            channel,
            key,
            problem: Problem::new(self.ops, keys, values),
            empty_value: self.empty_value,
        }
    }
}
