//! What a node holds under one key of one channel, and the set of what it may hold. How it answers is in
//! [`rules::node`](crate::rules::node).

use std::fmt;

use bytes::Bytes;

use crate::show;

/// What a node holds under one key of one channel: the state of a register.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RecordState {
    /// Nothing, and the channel does not exist.
    NoChannel,
    /// Nothing; the channel exists.
    Absent,
    /// A record with this value, which is not empty.
    Value(Bytes),
    /// Here an empty value was stored, or may have been. What follows is unspecified (A5): such a record
    /// is present, or absent, or both by turns, or its operations fail. It never has another value.
    Vague,
    /// Anything. Only in a model that has [forgotten](crate::Model::is_exact).
    Any,
}

impl RecordState {
    /// What a node holds after it has stored a value.
    pub fn stored(value: Bytes) -> Self {
        if value.is_empty() {
            Self::Vague
        } else {
            Self::Value(value)
        }
    }

    /// The same, once the channel has come into existence (A4).
    pub(crate) fn born(&self) -> Self {
        match self {
            Self::NoChannel => Self::Absent,
            state => state.clone(),
        }
    }
}

impl fmt::Display for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChannel => f.write_str("no channel"),
            Self::Absent => f.write_str("no record"),
            Self::Value(value) => write!(f, "{}", show::Value(value)),
            Self::Vague => f.write_str("an empty value, perhaps"),
            Self::Any => f.write_str("anything"),
        }
    }
}

/// What a node, if it has the channel, may hold under one key: one or more
/// [states](RecordState), none of them [`RecordState::NoChannel`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Slot(Possible);

/// One state is nearly always all, so that it is kept without a list.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Possible {
    One(RecordState),
    /// Two or more, in order, none twice.
    Several(Vec<RecordState>),
}

/// A slot with more states than this becomes [`RecordState::Any`].
const MAX_STATES: usize = 16;

impl Slot {
    /// Certainly this.
    pub(crate) fn certain(state: RecordState) -> Self {
        Self(Possible::One(state))
    }

    /// One of these. `None` if there are none.
    pub(crate) fn one_of(states: impl IntoIterator<Item = RecordState>) -> Option<Self> {
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort_unstable();
        states.dedup();
        if states.len() > MAX_STATES || states.contains(&RecordState::Any) {
            return Some(Self::certain(RecordState::Any));
        }
        match states.len() {
            0 | 1 => states.pop().map(Self::certain),
            _ => Some(Self(Possible::Several(states))),
        }
    }

    /// What may be there, in order.
    pub fn states(&self) -> &[RecordState] {
        match &self.0 {
            Possible::One(state) => std::slice::from_ref(state),
            Possible::Several(states) => states,
        }
    }

    /// There is certainly no record.
    pub fn is_absent(&self) -> bool {
        self.0 == Possible::One(RecordState::Absent)
    }

    /// Nothing is known.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == Possible::One(RecordState::Any)
    }

    /// Everything that `other` may be, this may be too.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.is_any()
            || other
                .states()
                .iter()
                .all(|state| self.states().contains(state))
    }

    /// What is in this slot or in `other`.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let states = self.states().iter().chain(other.states()).cloned();
        Self::one_of(states).unwrap_or_else(|| self.clone())
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show::list(f, " or ", self.states(), |f, state| write!(f, "{state}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(n: usize) -> RecordState {
        RecordState::stored(n.to_string().into())
    }

    #[test]
    fn slots_are_sets() {
        assert_eq!(Slot::one_of([]), None);
        let one = Slot::one_of([value(1), value(1)]).unwrap();
        assert_eq!(one, Slot::certain(value(1)));
        let two = one.or(&Slot::certain(RecordState::Absent));
        assert_eq!(two.states(), [RecordState::Absent, value(1)]);
        assert!(two.includes(&one) && !one.includes(&two));
    }

    #[test]
    fn large_slots_forget() {
        let all = Slot::one_of((0..MAX_STATES).map(value)).unwrap();
        assert_eq!(all.states().len(), MAX_STATES);
        let more = all.or(&Slot::certain(value(MAX_STATES)));
        assert!(more.is_any() && more.includes(&all));
    }

    #[test]
    fn empty_values_are_vague() {
        assert_eq!(RecordState::stored(Bytes::new()), RecordState::Vague);
        assert_eq!(RecordState::NoChannel.born(), RecordState::Absent);
    }
}
