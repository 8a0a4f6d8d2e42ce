//! What a node that has become responsible for more keys must not take from those who had them before.

use std::collections::BTreeSet;

use crate::host::ChannelId;
use crate::key::{HashRange, Key};

/// How many records are remembered. With more, no record of the new keys is replaced any more by what is
/// handed over.
const REMEMBERED: usize = 1 << 20;

/// A node's range has grown. From now on clients write records of the new keys here, while the node that
/// had them still hands over what it has; what clients have written is newer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Growth {
    before: HashRange,
    touched: BTreeSet<(ChannelId, Key)>,
}

impl Growth {
    /// The range was this one until now.
    pub fn new(before: HashRange) -> Self {
        Self {
            before,
            touched: BTreeSet::new(),
        }
    }

    /// A client has written a record. Not: has removed it. The node that hands records over removes them here with
    /// the same order, and what is written there afterwards must be taken.
    pub fn touch(&mut self, channel: ChannelId, key: Key) {
        if !self.before.covers(key) && self.touched.len() < REMEMBERED {
            self.touched.insert((channel, key));
        }
    }

    /// Must a record that is handed over leave alone what is here? `exists` says whether there is a record.
    pub fn protects(&self, channel: ChannelId, key: Key, exists: impl FnOnce() -> bool) -> bool {
        if self.before.covers(key) {
            return false;
        }
        let forgetful = self.touched.len() >= REMEMBERED;
        self.touched.contains(&(channel, key)) || (forgetful && exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_wrote_of_the_new_keys_is_protected() {
        let low = HashRange::new(0, u64::MAX / 2).unwrap();
        let mut growth = Growth::new(low);
        let channel = ChannelId(1);
        // Even keys lie in the lower half, odd ones in the upper.
        growth.touch(channel, Key(2));
        growth.touch(channel, Key(3));
        let protects = |channel, key| growth.protects(ChannelId(channel), Key(key), || true);
        assert!(protects(1, 3));
        assert!(!protects(1, 2), "the node was responsible for it before");
        assert!(!protects(1, 5), "nobody has written it");
        assert!(!protects(2, 3), "another channel");
    }
    #[test]
    fn when_there_is_too_much_to_remember_no_record_of_the_new_keys_is_replaced() {
        let channel = ChannelId(1);
        let written = |number: usize| (channel, Key(number as u64));
        let mut growth = Growth::new(HashRange::EMPTY);
        growth.touched = (1..REMEMBERED).map(written).collect();
        let unwritten = Key(1 << 40);
        assert!(
            !growth.protects(channel, unwritten, || true),
            "room for one more"
        );
        growth.touch(channel, Key(0));
        growth.touch(channel, Key(1 << 41));
        assert_eq!(growth.touched.len(), REMEMBERED);
        assert!(growth.protects(channel, unwritten, || true));
        assert!(
            !growth.protects(channel, unwritten, || false),
            "nothing is replaced"
        );
        assert!(growth.protects(channel, Key(0), || false), "it was removed");
    }
}
