//! The state that the operations linearized so far have led to, with the way back.

use crate::problem::{ABSENT, Act, Problem, Value};

/// Records, the channel, and which operations were linearized.
pub(super) struct State<'p> {
    problem: &'p Problem,
    values: Vec<Value>,
    channel: Channel,
    done: Vec<bool>,
    fingerprint: u128,
    /// How many operations are left that store a value.
    writers: Vec<u32>,
    /// How many required operations are left that must find a value.
    readers: Vec<u32>,
    /// The values that removals of the channel removed.
    cleared: Vec<Value>,
}

/// Whether the channel exists. What reads a record may have created it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Absent,
    Perhaps,
    Exists,
}

/// How to take an operation back.
pub(super) struct Undo {
    pub(super) op: u32,
    before: Value,
    channel: Channel,
    fingerprint: u128,
}

impl<'p> State<'p> {
    pub(super) fn of(problem: &'p Problem) -> Self {
        let mut writers = vec![0; problem.values];
        let mut readers = vec![0; problem.values];
        for op in &problem.ops {
            if let Some(value) = op.act.writes() {
                writers[value as usize] += 1;
            }
            if let Some(value) = op.act.needs()
                && op.required
            {
                readers[value as usize] += 1;
            }
        }
        Self {
            problem,
            values: vec![ABSENT; problem.keys.max(1)],
            channel: Channel::Absent,
            done: vec![false; problem.ops.len()],
            fingerprint: 0,
            writers,
            readers,
            cleared: Vec::new(),
        }
    }

    pub(super) fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    pub(super) fn memory(&self) -> usize {
        self.cleared.len() * size_of::<Value>()
    }

    /// Whether the operation finds what it must.
    pub(super) fn allows(&self, op: u32) -> bool {
        let this = &self.problem.ops[op as usize];
        let value = self.values[this.key as usize];
        match this.act {
            Act::Write(_) | Act::Clear => true,
            Act::Read(wanted) => value == wanted,
            Act::Present | Act::Remove => value != ABSENT,
            Act::Swap { expected, .. } | Act::Begin { expected } => {
                value == expected && !self.found_nothing(op)
            }
            Act::Commit { expected, .. } => {
                self.done[op as usize - 1] && (value == expected || value == ABSENT)
            }
            Act::Refused { expected, absent } => value != expected && (absent || value != ABSENT),
            // Unless they are required, not where they would do nothing.
            Act::Empty => this.required || value != ABSENT || self.can_be_created(),
            Act::Touch => self.can_be_created() && !self.found_something(op),
            Act::Listed(true) => self.channel != Channel::Absent,
            Act::Listed(false) => self.channel != Channel::Exists,
            Act::Impossible => false,
        }
    }

    /// Whether the operation replaces a value that is then gone for somebody who must still find it.
    pub(super) fn forgets(&self, op: u32) -> bool {
        let this = &self.problem.ops[op as usize];
        let old = self.values[this.key as usize];
        let replaced = match this.act {
            Act::Clear => return self.values.iter().any(|&value| self.is_missed(value, 0)),
            Act::Write(value) | Act::Swap { value, .. } | Act::Commit { value, .. } => value != old,
            Act::Remove | Act::Empty => true,
            _ => false,
        };
        let own = this.required && this.act.needs() == Some(old);
        replaced && self.is_missed(old, u32::from(own))
    }

    fn is_missed(&self, value: Value, own: u32) -> bool {
        value != ABSENT && self.is_gone(value) && self.readers[value as usize] > own
    }

    /// Whether nobody is left to store the value.
    pub(super) fn is_gone(&self, value: Value) -> bool {
        self.writers[value as usize] == 0
    }

    /// Whether this is an update of unknown outcome that found no record: then it stores nothing.
    fn found_nothing(&self, op: u32) -> bool {
        let ops = &self.problem.ops[op as usize..];
        let mut rest = ops
            .iter()
            .skip(1)
            .take_while(|other| other.entry == ops[0].entry);
        let touch = rest.position(|other| other.act == Act::Touch);
        touch.is_some_and(|touch| self.done[op as usize + 1 + touch])
    }

    /// The same the other way round.
    fn found_something(&self, touch: u32) -> bool {
        let (before, rest) = self.problem.ops.split_at(touch as usize);
        let same = before
            .iter()
            .rev()
            .take_while(|other| other.entry == rest[0].entry);
        let halves = same.count();
        self.done[touch as usize - halves..touch as usize].contains(&true)
    }

    fn can_be_created(&self) -> bool {
        self.problem.listing && self.channel == Channel::Absent
    }

    /// Linearizes an operation that is allowed.
    pub(super) fn apply(&mut self, op: u32) -> Undo {
        let this = self.problem.ops[op as usize];
        let before = self.values[this.key as usize];
        let undo = Undo {
            op,
            before,
            channel: self.channel,
            fingerprint: self.fingerprint,
        };
        self.done[op as usize] = true;
        self.fingerprint ^= mix(0, u64::from(op));
        self.count(op, u32::wrapping_sub);
        match this.act {
            Act::Clear => {
                for key in 0..self.values.len() {
                    self.cleared.push(self.values[key]);
                    self.set(key, ABSENT);
                }
            }
            Act::Remove | Act::Empty => self.set(this.key as usize, ABSENT),
            act => {
                if let Some(value) = act.writes() {
                    self.set(this.key as usize, value);
                }
            }
        }
        if self.problem.listing {
            let channel = self.channel.after(this.act);
            self.fingerprint ^= mix(1, self.channel as u64) ^ mix(1, channel as u64);
            self.channel = channel;
        }
        undo
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        let this = self.problem.ops[undo.op as usize];
        self.done[undo.op as usize] = false;
        self.count(undo.op, u32::wrapping_add);
        if this.act == Act::Clear {
            let start = self.cleared.len() - self.values.len();
            self.values.copy_from_slice(&self.cleared[start..]);
            self.cleared.truncate(start);
        } else {
            self.values[this.key as usize] = undo.before;
        }
        self.channel = undo.channel;
        self.fingerprint = undo.fingerprint;
    }

    fn set(&mut self, key: usize, value: Value) {
        let old = std::mem::replace(&mut self.values[key], value);
        let place = (key as u64) << 32;
        self.fingerprint ^= mix(2, place | u64::from(old)) ^ mix(2, place | u64::from(value));
    }

    fn count(&mut self, op: u32, change: fn(u32, u32) -> u32) {
        let this = &self.problem.ops[op as usize];
        if let Some(value) = this.act.writes() {
            let left = &mut self.writers[value as usize];
            *left = change(*left, 1);
        }
        if let Some(value) = this.act.needs()
            && this.required
        {
            let left = &mut self.readers[value as usize];
            *left = change(*left, 1);
        }
    }
}

impl Channel {
    fn after(self, act: Act) -> Self {
        match (act, self) {
            (Act::Write(_) | Act::Commit { .. } | Act::Listed(true), _) => Self::Exists,
            (Act::Clear | Act::Listed(false), _) => Self::Absent,
            (_, Self::Absent) => Self::Perhaps,
            (_, same) => same,
        }
    }
}

/// Two rounds of SplitMix64 side by side. The kind keeps different sorts of things apart.
fn mix(kind: u64, number: u64) -> u128 {
    let half = |seed: u64| {
        let mut z = number
            .wrapping_add(kind.wrapping_mul(0xd1b5_4a32_d192_ed03))
            .wrapping_add(seed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    u128::from(half(0x243f_6a88_85a3_08d3)) << 64 | u128::from(half(0x1319_8a2e_0370_7344))
}
