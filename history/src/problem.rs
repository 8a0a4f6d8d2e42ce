//! A part of a history that can be decided alone, boiled down to numbers.

/// A value of one record, numbered from 1.
pub(crate) type Value = u32;
/// The "value" of a record that is not there.
pub(crate) const ABSENT: Value = 0;
/// Before everything.
pub(crate) const BEGINNING: i64 = i64::MIN;
/// When an operation returns whose outcome is unknown.
pub(crate) const NEVER: i64 = i64::MAX;

/// What an operation must find, and what it then does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Stores a value.
    Write(Value),
    /// Finds this value, or [`ABSENT`].
    Read(Value),
    /// Finds any value.
    Present,
    /// Finds any value and removes it.
    Remove,
    /// Removes what there may be: a remove whose outcome is unknown, or that does not say what there was.
    Empty,
    /// Finds one value and stores another at the same moment.
    Swap { expected: Value, value: Value },
    /// The first half of an update of records that can be removed: finds the expected value.
    Begin { expected: Value },
    /// Its second half, the next operation in the problem: finds the expected value or none, stores.
    Commit { expected: Value, value: Value },
    /// Finds another value than this; also none, if `absent`.
    Refused { expected: Value, absent: bool },
    /// Removes all records and the channel.
    Clear,
    /// Finds the channel, or finds that there is none.
    Listed(bool),
    /// May create the channel: a read whose outcome is unknown. After the other operations of an update of
    /// unknown outcome, and instead of them.
    Touch,
    /// Finds what cannot be.
    Impossible,
}

impl Act {
    /// The one value that it must find, none being a value too.
    pub(crate) fn needs(self) -> Option<Value> {
        match self {
            Self::Read(value)
            | Self::Swap {
                expected: value, ..
            }
            | Self::Begin { expected: value } => Some(value),
            _ => None,
        }
    }

    /// The value that it stores.
    pub(crate) fn writes(self) -> Option<Value> {
        match self {
            Self::Write(value) | Self::Swap { value, .. } | Self::Commit { value, .. } => {
                Some(value)
            }
            _ => None,
        }
    }

    /// Whether it can remove a record.
    pub(crate) fn removes(self) -> bool {
        matches!(self, Self::Remove | Self::Empty | Self::Clear)
    }

    /// Whether it concerns all records of the channel.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Self::Clear | Self::Listed(_))
    }
}

/// One operation, or half of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    /// Its entry in the history.
    pub(crate) entry: u32,
    /// Its record in this problem; nothing if the act is wide.
    pub(crate) key: u32,
    pub(crate) act: Act,
    pub(crate) invoked: i64,
    pub(crate) returned: i64,
    /// Whether it certainly took effect.
    pub(crate) required: bool,
}

/// Operations to be put in an order.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// In the order of invocation.
    pub(crate) ops: Vec<Op>,
    /// How many records there are.
    pub(crate) keys: usize,
    /// How many values, [`ABSENT`] included. No two records share one.
    pub(crate) values: usize,
    /// Whether it matters when the channel exists.
    pub(crate) listing: bool,
}

impl Problem {
    pub(crate) fn new(mut ops: Vec<Op>, keys: usize, values: usize) -> Self {
        let kinds = Kinds::of(&ops);
        if !kinds.sorted {
            // Stable, so that the halves of an update stay together.
            ops.sort_by_key(|op| op.invoked);
        }
        let listing = kinds.listing;
        if kinds.touches && !listing {
            ops.retain(|op| op.act != Act::Touch);
        }
        let mut problem = Self {
            ops,
            keys,
            values,
            listing,
        };
        if kinds.unsure {
            problem.require_what_was_seen();
        }
        problem
    }

    /// An operation of unknown outcome certainly took effect if somebody found the value that only it
    /// stores.
    fn require_what_was_seen(&mut self) {
        let mut writer = vec![Writer::None; self.values];
        for (index, op) in self.ops.iter().enumerate() {
            if let Some(value) = op.act.writes() {
                let writer = &mut writer[value as usize];
                *writer = match writer {
                    Writer::None => Writer::Only(index),
                    Writer::Only(_) | Writer::Many => Writer::Many,
                };
            }
        }
        let required = self.ops.iter().filter(|op| op.required);
        let mut seen: Vec<Value> = required.filter_map(|op| op.act.needs()).collect();
        while let Some(value) = seen.pop() {
            let Writer::Only(index) = writer[value as usize] else {
                continue;
            };
            if self.ops[index].required {
                continue;
            }
            self.ops[index].required = true;
            seen.extend(self.ops[index].act.needs());
            if let Act::Commit { expected, .. } = self.ops[index].act {
                self.ops[index - 1].required = true;
                seen.push(expected);
            }
        }
    }
}

/// What there is among operations: a million of them is more than a cache holds, so they are looked at once.
struct Kinds {
    sorted: bool,
    listing: bool,
    touches: bool,
    unsure: bool,
}

impl Kinds {
    fn of(ops: &[Op]) -> Self {
        let mut kinds = Self {
            sorted: true,
            listing: false,
            touches: false,
            unsure: false,
        };
        let mut latest = BEGINNING;
        for op in ops {
            kinds.sorted &= latest <= op.invoked;
            latest = op.invoked;
            kinds.listing |= matches!(op.act, Act::Listed(_));
            kinds.touches |= op.act == Act::Touch;
            kinds.unsure |= !op.required;
        }
        kinds
    }
}

#[derive(Clone, Copy)]
enum Writer {
    None,
    Only(usize),
    Many,
}
