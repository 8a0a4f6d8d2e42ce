//! Bugs of GetChannels.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Bound;

use dht_protocol::ChannelName;
use dht_protocol::neo::request::get_channels::FromNode;
use dht_protocol::neo::request::{Host, RequestCode};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, crashing, leaving, rewritten, twice};
use crate::bugs::host_bug::{Done, HostBug, host, on_list};
use crate::bugs::message::{FromNode as _, answer, during};
use crate::bugs::seam::Seam;

const GET_CHANNELS: RequestCode = RequestCode::GetChannels;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-channels-cuts-names",
        description: "GetChannels reports only the first 100 bytes of a name.",
        breaks: &req::CHANNELS_NAME,
        seam: || {
            leaving(rewritten(|said| match said {
                FromNode::ChannelName(name) => {
                    let cut = &name.as_bytes()[..name.as_bytes().len().min(100)];
                    Some(FromNode::ChannelName(ChannelName::copy_from(cut)).payload())
                }
                FromNode::Error | FromNode::Finished => None,
            }))
        },
    },
    Bug {
        name: "get-channels-finishes-twice",
        description: "GetChannels sends Finished twice.",
        breaks: &req::CHANNELS_FINISHED,
        seam: || leaving(twice(answer(FromNode::Finished))),
    },
    Bug {
        name: "get-channels-repeats",
        description: "GetChannels lists the first channel twice.",
        breaks: &req::CHANNELS_UNIQUE,
        seam: || {
            leaving(twice(|message| {
                let name = matches!(message.said(), Some(FromNode::ChannelName(_)));
                name && message.number == 1
            }))
        },
    },
    Bug {
        name: "get-channels-misses-first",
        description: "GetChannels leaves out the first channel.",
        breaks: &req::CHANNELS_COMPLETE,
        seam: || {
            on_list(|host, after| match after {
                None => host.channel_after(Some(&host.channel_after(None)?)),
                after => host.channel_after(after),
            })
        },
    },
    Bug {
        name: "get-channels-misses-empty",
        description: "GetChannels leaves out channels without records.",
        breaks: &req::CHANNELS_COMPLETE,
        seam: || misses(|has_records| !has_records),
    },
    Bug {
        name: "get-channels-misses-filled",
        description: "GetChannels leaves out channels with records.",
        breaks: &req::PUT_CREATES_CHANNEL,
        seam: || misses(|has_records| has_records),
    },
    Bug {
        name: "get-channels-ends-at-removal",
        description: "The removal of a channel ends the list of a GetChannels that runs.",
        breaks: &req::CHANNELS_COMPLETE,
        seam: || host(EndsAtRemoval::default()),
    },
    Bug {
        name: "get-channels-lists-removed",
        description: "GetChannels lists channels that were removed.",
        breaks: &req::CHANNELS_REAL,
        seam: || host(ListsRemoved::default()),
    },
    Bug {
        name: "get-channels-creates",
        description: "Each GetChannels makes a channel that is listed from the next one on.",
        breaks: &req::CHANNELS_READS_ONLY,
        seam: creates,
    },
    Bug {
        name: "remove-channel-during-get-channels-crashes",
        description: "A RemoveChannel while any GetChannels runs makes the node crash.",
        breaks: &req::CHANNELS_CONCURRENT,
        seam: || arriving(crashing(during(GET_CHANNELS, RequestCode::RemoveChannel))),
    },
];

/// Channels of which this is true, told whether they have records, are left out.
fn misses(missed: fn(bool) -> bool) -> Seam {
    on_list(move |host, after| {
        let mut name = host.channel_after(after)?;
        loop {
            let channel = host.find_channel(&name)?;
            if !missed(host.record_after(channel, None).is_some()) {
                return Some(name);
            }
            name = host.channel_after(Some(&name))?;
        }
    })
}

/// Remembers the last message before Finished, and how many lists there were.
fn creates() -> Seam {
    let (mut last, mut lists) = (None, 0u64);
    leaving(move |message| match message.said() {
        Some(FromNode::ChannelName(name)) => {
            last = Some(name);
            Fate::Pass
        }
        Some(FromNode::Finished) => {
            lists += 1;
            match &last {
                Some(last) if lists > 1 => {
                    let created = [last.as_bytes(), b"-new"].concat();
                    let created = FromNode::ChannelName(ChannelName::copy_from(&created));
                    Fate::said([created, FromNode::Finished])
                }
                _ => Fate::Pass,
            }
        }
        _ => Fate::Pass,
    })
}

/// Was a channel removed, and no list ended since?
#[derive(Default)]
struct EndsAtRemoval(Cell<bool>);

impl HostBug for EndsAtRemoval {
    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Done {
        self.0.set(true);
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        match after {
            Some(_) if self.0.take() => None,
            after => host.channel_after(after),
        }
    }
}

/// The channels that were removed.
#[derive(Default)]
struct ListsRemoved(BTreeSet<ChannelName>);

impl HostBug for ListsRemoved {
    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Done {
        if host.find_channel(name).is_some() {
            self.0.insert(name.clone());
        }
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let removed = self.0.range((from, Bound::Unbounded)).next().cloned();
        let present = host.channel_after(after);
        match (removed, present) {
            (Some(removed), Some(present)) => Some(removed.min(present)),
            (removed, present) => removed.or(present),
        }
    }
}
