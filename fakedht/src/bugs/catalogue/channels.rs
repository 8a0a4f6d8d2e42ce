//! Bugs of GetChannels and RemoveChannel.

use std::collections::BTreeSet;
use std::ops::Bound;

use dht_protocol::ChannelName;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::{Host, HostError, RequestCode, remove_channel};

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, HostBug, Message, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-channels-misses-first",
        description: "GetChannels leaves out the first channel.",
        breaks: "P25",
        seam: Seam::Host(|| Box::new(MissesFirst)),
    },
    Bug {
        name: "get-channels-repeats",
        description: "GetChannels lists the first channel twice.",
        breaks: "P25",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::GetChannels, 2) && message.number == 1 {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-channels-lists-removed",
        description: "GetChannels lists channels that were removed.",
        breaks: "P25",
        seam: Seam::Host(|| Box::new(ListsRemoved::default())),
    },
    Bug {
        name: "get-channels-never-finishes",
        description: "GetChannels sends no Finished.",
        breaks: "P03",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(RequestCode::GetChannels, 3) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "remove-channel-keeps-channel",
        description: "A RemoveChannel is acknowledged, and the channel and its records stay.",
        breaks: "neo-requests 11",
        seam: Seam::Host(|| Box::new(KeepsChannel)),
    },
    Bug {
        name: "remove-channel-by-everybody",
        description: "Every client may remove channels.",
        breaks: "P23",
        seam: Seam::Host(|| Box::new(Permits)),
    },
    Bug {
        name: "remove-channel-not-refused",
        description: "A client that may not remove channels gets no answer.",
        breaks: "P24",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let refusal = remove_channel::Reply::NotPermitted as u8;
                match message.has_type(RequestCode::RemoveChannel, refusal) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
];

struct MissesFirst;

impl HostBug for MissesFirst {
    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        match after {
            None => host.channel_after(Some(&host.channel_after(None)?)),
            after => host.channel_after(after),
        }
    }
}

#[derive(Default)]
struct ListsRemoved {
    removed: BTreeSet<ChannelName>,
}

impl HostBug for ListsRemoved {
    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Result<(), HostError> {
        if host.find_channel(name).is_some() {
            self.removed.insert(name.clone());
        }
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let removed = self.removed.range((from, Bound::Unbounded)).next().cloned();
        let present = host.channel_after(after);
        match (removed, present) {
            (Some(removed), Some(present)) => Some(removed.min(present)),
            (removed, present) => removed.or(present),
        }
    }
}

struct KeepsChannel;

impl HostBug for KeepsChannel {
    fn remove_channel(&mut self, _: &mut dyn Host, _: &ChannelName) -> Result<(), HostError> {
        Ok(())
    }
}

struct Permits;

impl HostBug for Permits {
    fn may_remove_channels(&self, _: &dyn Host, _: &ClientName) -> bool {
        true
    }
}
