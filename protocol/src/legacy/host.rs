//! What a node's half of the legacy protocol needs of its node beyond what neo needs.

use bytes::Bytes;

use super::answer::About;
use super::order::Redistribute;
use crate::host::{ChannelId, Host, HostError, Size};
use crate::key::Key;

/// A redistribution of a node. Never given again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RedistributionId(pub u64);

/// A node that serves the legacy protocol too. As with [`Host`], no call waits.
pub trait LegacyHost: Host {
    /// The node's own address and legacy port, for GetSize and GetNumConnections.
    fn about(&self) -> About;

    /// How many clients of the legacy protocol are connected, the one that asks among them.
    fn connections(&self) -> u64;

    /// How much is in a channel; nothing in one that was removed.
    fn size(&self, channel: ChannelId) -> Size;

    /// How much is in all channels.
    fn total_size(&self) -> Size;

    /// Is there room for a value of this length?
    fn has_room_for(&self, bytes: u64) -> bool;

    /// Stores a record that another node has handed over. Nobody is told: nothing was written, a record
    /// has moved.
    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError>;

    /// Does the node take a record with this key that another node hands over?
    fn takes_over(&self, key: Key) -> bool {
        self.range().covers(key)
    }

    /// Is there room for a value of this length that another node hands over?
    fn has_room_to_take_over(&self, bytes: u64) -> bool {
        self.has_room_for(bytes)
    }

    /// Removes a record that another node has taken over. Nobody is told: it has only moved.
    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError>;

    /// Begins to be responsible for another range, and to move to the other nodes what they take.
    fn redistribute(&mut self, order: &Redistribute) -> Result<RedistributionId, HostError>;

    /// Has everything been moved?
    fn is_redistributed(&self, id: RedistributionId) -> bool;
}
