//! Bugs of the refreshes of Mirror: when they come, and which records and values they send.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::mirror::{FromNode, Open};
use dht_protocol::neo::request::{ChannelId, Host};
use dht_requirements as req;

use super::batch::{in_refreshed, refresh_of};
use super::mirror::lost_after_suspension;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, leaving, opened};
use crate::bugs::host_bug::{At, Done, HostBug, Next, RecordId, Removed, host};
use crate::bugs::message::Message;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "mirror-refreshes-unasked",
        description: "A Mirror sends all records at its start although nobody asked for them.",
        breaks: &req::MIRROR_QUIET,
        seam: || opened(|open: &mut Open| open.settings.initial_refresh = true),
    },
    Bug {
        name: "mirror-no-refresh",
        description: "A Mirror does not send the records that are there at its start.",
        breaks: &req::MIRROR_REFRESH_COMPLETE,
        seam: || opened(|open: &mut Open| open.settings.initial_refresh = false),
    },
    Bug {
        name: "mirror-refresh-loses-last-of-batch",
        description: "A Mirror's refresh leaves out the last record of every batch.",
        breaks: &req::MIRROR_REFRESH_COMPLETE,
        seam: || in_refreshed(|records| _ = records.pop()),
    },
    Bug {
        name: "mirror-refresh-wrong-value",
        description: "A refresh sends values whose first byte is another.",
        breaks: &req::MIRROR_REFRESH_VALUES,
        seam: || {
            in_refreshed(|records| {
                for (_, value) in records {
                    let first = value.iter().take(1).map(|byte| byte ^ 1);
                    *value = first.chain(value.iter().skip(1).copied()).collect();
                }
            })
        },
    },
    Bug {
        name: "mirror-no-periodic-refresh",
        description: "A Mirror does not send all records periodically.",
        breaks: &req::MIRROR_PERIODIC_REPEATS,
        seam: || opened(|open: &mut Open| open.settings.periodic_refresh_s = 0),
    },
    Bug {
        name: "mirror-periodic-comes-at-once",
        description: "A Mirror with periodic refreshes sends the first one at its start.",
        breaks: &req::MIRROR_PERIODIC_FIRST,
        seam: || {
            opened(|open: &mut Open| {
                open.settings.initial_refresh |= open.settings.periodic_refresh_s > 0;
            })
        },
    },
    Bug {
        name: "mirror-refresh-sends-replaced-values",
        description: "A refresh sends the values that records had before their last write.",
        breaks: &req::MIRROR_NO_STALE_REFRESH,
        seam: || host(Replaced::default()),
    },
    Bug {
        name: "mirror-refresh-overtaken",
        description: "A Mirror sends a refresh with an older value behind each change.",
        breaks: &req::MIRROR_NO_STALE_REFRESH,
        seam: || {
            leaving(|message| match message.said() {
                Some(change @ (FromNode::RecordChanged(key, _) | FromNode::RecordDeleted(key))) => {
                    Fate::said([change, refresh_of([(key, Bytes::from_static(b"000000"))])])
                }
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "mirror-refresh-sends-removed-records",
        description: "A refresh sends records that were removed.",
        breaks: &req::MIRROR_NO_RESURRECTION,
        seam: || host(Undead::default()),
    },
    Bug {
        name: "mirror-no-refresh-after-suspension",
        description: "A Mirror that was suspended and resumed sends no more refreshes.",
        breaks: &req::MIRROR_REFRESHES_SURVIVE,
        seam: || lost_after_suspension(is_refresh),
    },
];

fn is_refresh(message: &Message<'_>) -> bool {
    matches!(message.said(), Some(FromNode::RecordRefreshBatch(_)))
}

/// Walks find the values that were replaced last.
#[derive(Default)]
struct Replaced(BTreeMap<RecordId, Bytes>);

impl HostBug for Replaced {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        if let Some(before) = at.get(host)? {
            self.0.insert(at.record(), before);
        }
        at.put(host, value)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        let (key, value) = host.record_after(channel, after)?;
        let before = self.0.get(&(channel, key)).cloned();
        Some((key, before.unwrap_or(value)))
    }
}

/// Walks find removed records as well.
#[derive(Default)]
struct Undead(BTreeMap<RecordId, Bytes>);

impl HostBug for Undead {
    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        if let Some(value) = at.get(host)? {
            self.0.insert(at.record(), value);
        }
        at.remove(host)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        let mut removed = self
            .0
            .iter()
            .filter(|((of, key), _)| *of == channel && after.is_none_or(|after| *key > after));
        let removed = removed
            .next()
            .map(|((_, key), value)| (*key, value.clone()));
        match (host.record_after(channel, after), removed) {
            (Some(there), Some(removed)) if removed.0 < there.0 => Some(removed),
            (None, removed) => removed,
            (there, _) => there,
        }
    }
}
