//! Records that move between this node and others: what a [`NodeHost`] does about it.

use std::mem::take;

use dht_protocol::legacy::redistribution::{Growth, Plan, Redistribution, Work};
use dht_protocol::legacy::{LegacyHost, Redistribute, RedistributionId};
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::{ChannelId, ChannelName, HashRange, HostError, Key};

use super::host::NodeHost;
use crate::storage::Storage;

/// What a node remembers of redistributions.
#[derive(Debug)]
pub struct Moving {
    /// The one that is under way.
    pub(super) current: Option<Redistribution>,
    /// How many have begun.
    begun: u64,
    /// How many bytes of values there may be while it is under way, for others to hand over more.
    limit: u64,
    /// The limit, in percent of what there is at the beginning.
    percent: u64,
    growth: Option<Growth>,
    /// What clients that ask for ranges were not told yet; empty between calls.
    pub(super) updates: Vec<Update>,
    /// Has it just ended?
    pub(super) ended: bool,
    /// How many records the last one could not move, until somebody asks.
    pub(super) stayed: Option<u64>,
}

impl Moving {
    pub(super) fn new(percent: u64) -> Self {
        Self {
            current: None,
            begun: 0,
            limit: 0,
            percent,
            growth: None,
            updates: Vec::new(),
            ended: false,
            stayed: None,
        }
    }

    pub(super) fn opened(&mut self, channel: ChannelId, name: &ChannelName) {
        if let Some(current) = &mut self.current {
            current.opened(channel, name);
        }
    }

    /// A client has written a record.
    pub(super) fn written(&mut self, channel: ChannelId, key: Key) {
        if let Some(growth) = &mut self.growth {
            growth.touch(channel, key);
        }
        self.changed(channel, key);
    }

    /// Something has become of a record.
    pub(super) fn changed(&mut self, channel: ChannelId, key: Key) {
        if let Some(current) = &mut self.current {
            current.changed(channel, key);
        }
    }

    pub(super) fn is_writable(&self, key: Key) -> bool {
        let current = self.current.as_ref();
        current.is_none_or(|current| current.is_writable(key))
    }

    /// Must a record that is handed over leave alone what is here?
    pub(super) fn protects(
        &self,
        channel: ChannelId,
        key: Key,
        exists: impl FnOnce() -> bool,
    ) -> bool {
        let growth = self.growth.as_ref();
        growth.is_some_and(|growth| growth.protects(channel, key, exists))
    }

    /// Will the node be responsible for the key?
    pub(super) fn is_coming(&self, key: Key) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.plan().range().covers(key))
    }

    /// Is there room to take records over, as far as a redistribution is concerned? What others have
    /// confirmed does not count: it is as good as gone.
    pub(super) fn has_room_for(&self, bytes: u64, stored: u64) -> bool {
        self.current.as_ref().is_none_or(|current| {
            let stored = stored.saturating_sub(current.copied());
            stored.saturating_add(bytes) <= self.limit
        })
    }

    pub(super) fn is_over(&self, id: RedistributionId) -> bool {
        self.current.is_none() || id.0 < self.begun
    }
}

impl<S: Storage> NodeHost<S> {
    /// Begins a redistribution.
    pub(super) fn begin(&mut self, order: &Redistribute) -> Result<RedistributionId, HostError> {
        if self.moving.current.is_some() {
            return Err(HostError("records are being moved already".to_owned()));
        }
        let plan = Plan::new(order).map_err(|refusal| HostError(refusal.to_string()))?;
        let stored = u128::from(self.total_size().bytes);
        let limit = stored * u128::from(self.moving.percent) / 100;
        let current = Redistribution::new(plan, self);
        self.moving.limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.moving.begun += 1;
        let before = self.range;
        let now = current.range_for_now(before);
        self.moving.growth = Some(Growth::new(before));
        self.moving.current = Some(current);
        self.change_range(now);
        Ok(RedistributionId(self.moving.begun))
    }

    /// Goes on with the redistribution. Says whether there is more to do at once.
    pub(super) fn go_on_moving(&mut self) -> bool {
        let Some(mut current) = self.moving.current.take() else {
            return false;
        };
        let work = current.work(self);
        match work {
            Work::More => {}
            Work::Wait => {
                self.moving.current = Some(current);
                return false;
            }
            Work::Switch => {
                for place in current.plan().places() {
                    let news = Update::NewNode(place.neo_address(), place.range);
                    self.moving.updates.push(news);
                }
                self.change_range(current.plan().range());
            }
            Work::Over => {
                self.moving.ended = true;
                self.moving.stayed = Some(current.stayed());
                return false;
            }
        }
        self.moving.current = Some(current);
        true
    }

    pub(super) fn channel_goes(&mut self, channel: ChannelId) {
        if let Some(mut current) = take(&mut self.moving.current) {
            current.removing(channel, self);
            self.moving.current = Some(current);
        }
    }

    fn change_range(&mut self, range: HashRange) {
        if self.range != range {
            self.range = range;
            self.moving.updates.push(Update::ChangeHashRange(range));
        }
    }
}
