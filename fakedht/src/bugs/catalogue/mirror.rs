//! Bugs of Mirror: changes, overflows, removals, suspensions and neighbours. Those of its refreshes are in
//! `mirror_refresh`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::mirror::{Change, FromNode, Open};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{Fate, becoming, held, leaving, lost, opened, rewritten};
use crate::bugs::host_bug::on_remove;
use crate::bugs::message::{FromNode as _, Message, answer};
use crate::bugs::seam::{Seam, told};
use crate::node::host::Event;

const MIRROR: RequestCode = RequestCode::Mirror;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "mirror-misses-first-change",
        description: "Mirrors are not told of the first write to a channel.",
        breaks: &req::MIRROR_ABSENT_CHANNEL,
        seam: || {
            let mut known = BTreeSet::new();
            told(move |event| match event {
                Event::Record(channel, Change::Changed(_)) if known.insert(channel) => None,
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-misses-rewrites",
        description: "Mirrors are not told of writes to a record that was written before.",
        breaks: &req::MIRROR_EVERY_WRITE,
        seam: || {
            let mut known = BTreeSet::new();
            told(move |event| match event {
                Event::Record(channel, Change::Changed(key)) => {
                    known.insert((channel, key)).then_some(event)
                }
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-misses-every-10th-change",
        description: "Mirrors are not told of every tenth write.",
        breaks: &req::MIRROR_EVERY_WRITE,
        seam: || {
            let mut writes = 0_u64;
            told(move |event| match event {
                Event::Record(_, Change::Changed(_)) => {
                    writes += 1;
                    (!writes.is_multiple_of(10)).then_some(event)
                }
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-wrong-value",
        description: "A Mirror sends changed values without their last byte.",
        breaks: &req::MIRROR_CHANGED_VALUE,
        seam: || in_changed(|value| value.slice(..value.len().saturating_sub(1))),
    },
    Bug {
        name: "mirror-changes-cut-at-64k",
        description: "A Mirror sends no more than 65,536 bytes of a changed value.",
        breaks: &req::MIRROR_CHANGED_LARGE,
        seam: || in_changed(|value| value.slice(..value.len().min(65_536))),
    },
    Bug {
        name: "mirror-misses-deletions",
        description: "Mirrors are not told of removed records.",
        breaks: &req::MIRROR_REMOVE_REPORTED,
        seam: || {
            told(|event| match event {
                Event::Record(_, Change::Deleted(_)) => None,
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-tells-absent-removals-twice",
        description: "Mirrors are told twice of the Remove of a record that does not exist.",
        breaks: &req::MIRROR_DELETED_ABSENT,
        seam: || {
            on_remove(|host, at| {
                let removed = at.remove(host)?;
                if !removed {
                    // A record is put and removed, twice.
                    for _ in 0..2 {
                        at.put(host, &Bytes::from_static(b"absent"))?;
                        at.remove(host)?;
                    }
                }
                Ok(removed)
            })
        },
    },
    Bug {
        name: "mirror-swaps-changes",
        description: "A Mirror sends every other change behind the one that follows it.",
        breaks: &req::MIRROR_ORDER_PER_KEY,
        seam: || {
            let mut holds = false;
            leaving(held(move |message| {
                holds = is_change(message) && !holds;
                holds
            }))
        },
    },
    Bug {
        name: "limit-one-queued-change",
        description: "A Mirror that cannot send loses changes as soon as a second one waits.",
        breaks: &req::MIRROR_QUEUE_CAPACITY,
        seam: || Seam::Limits(|limits| limits.mirror_queue = 1),
    },
    Bug {
        name: "mirror-overflow-not-told",
        description: "A Mirror that lost changes does not say so.",
        breaks: &req::MIRROR_OVERFLOW_REPORTED,
        seam: || leaving(lost(answer(FromNode::UpdateOverflow))),
    },
    Bug {
        name: "mirror-overflow-comes-first",
        description: "A Mirror that lost changes says so before it sends those that it has.",
        breaks: &req::MIRROR_OVERFLOW_AFTER_UPDATES,
        seam: || leaving(held(is_change)),
    },
    Bug {
        name: "mirror-overflow-invented",
        description: "A Mirror says every ten changes that it lost some.",
        breaks: &req::MIRROR_OVERFLOW_NOT_INVENTED,
        seam: || {
            let mut changes = 0_u64;
            leaving(move |message| {
                let change = is_change(message);
                changes += u64::from(change);
                match change && changes.is_multiple_of(10) {
                    true => Fate::followed(message, FromNode::UpdateOverflow.payload()),
                    false => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "mirror-overflow-told-once",
        description: "A Mirror says only once that it lost changes.",
        breaks: &req::MIRROR_OVERFLOW_AGAIN,
        seam: || {
            let mut told = BTreeSet::new();
            leaving(lost(move |message| {
                let overflow = message.said() == Some(FromNode::UpdateOverflow);
                overflow && !told.insert(message.name())
            }))
        },
    },
    Bug {
        name: "mirror-misses-channel-removal",
        description: "Mirrors are not told that their channel was removed.",
        breaks: &req::MIRROR_REMOVED_IDLE,
        seam: || {
            told(|event| match event {
                Event::Gone(_) => None,
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-removal-lost-behind-change",
        description: "Mirrors are not told that their channel was removed if it was written to before.",
        breaks: &req::MIRROR_REMOVED_PENDING,
        seam: || {
            let mut written = BTreeSet::new();
            told(move |event| match event {
                Event::Gone(channel) if written.contains(&channel) => None,
                event => {
                    written.insert(event.channel());
                    Some(event)
                }
            })
        },
    },
    Bug {
        name: "mirror-removal-deletes",
        description: "A Mirror of a removed channel reports a deletion as well.",
        breaks: &req::MIRROR_REMOVED_NO_DELETIONS,
        seam: || {
            leaving(becoming(answer(FromNode::ChannelRemoved), |_| {
                Fate::said([FromNode::RecordDeleted(Key(1)), FromNode::ChannelRemoved])
            }))
        },
    },
    Bug {
        name: "mirror-follows-next-channel",
        description: "A Mirror of a removed channel goes on with the channels that are created then.",
        breaks: &req::MIRROR_NO_LEAK,
        seam: || {
            let mut gone = None;
            told(move |event| match (event, gone) {
                (Event::Gone(channel), _) => {
                    gone = Some(channel);
                    None
                }
                (
                    Event::Record(channel, Change::Changed(key) | Change::Deleted(key)),
                    Some(gone),
                ) if channel > gone => Some(Event::Record(gone, Change::Deleted(key))),
                (event, _) => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-told-of-other-channels",
        description: "Mirrors of the first channel that is written to are told what happens in all.",
        breaks: &req::MIRROR_ONLY_CHANNEL,
        seam: || {
            let mut first = None;
            told(move |event| match event {
                Event::Record(channel, change) => {
                    let first = *first.get_or_insert(channel);
                    Some(Event::Record(first, change))
                }
                event => Some(event),
            })
        },
    },
    Bug {
        name: "mirror-only-one-served",
        description: "Of all Mirrors only the first is told of changes.",
        breaks: &req::MIRROR_EACH_SERVED,
        seam: || {
            let mut first = None;
            leaving(lost(move |message| {
                let of_mirror = message.is(MIRROR);
                let other = of_mirror && *first.get_or_insert(message.name()) != message.name();
                other && is_change(message)
            }))
        },
    },
    Bug {
        name: "mirror-suspended-holds-others",
        description: "Once a Mirror was started suspended, no other one is told of changes.",
        breaks: &req::MIRROR_SUSPENDED_NEIGHBOUR,
        seam: || {
            let mut suspended = false;
            leaving(lost(move |message| {
                let open = message.opened();
                let starts = open.is_some_and(|open: Open| open.start_suspended);
                suspended |= starts;
                suspended && !starts && is_change(message)
            }))
        },
    },
    Bug {
        name: "mirror-starts-unsuspended",
        description: "A Mirror that should start suspended does not.",
        breaks: &req::MIRROR_START_SUSPENDED,
        seam: || opened(|open: &mut Open| open.start_suspended = false),
    },
    Bug {
        name: "mirror-deaf-after-suspension",
        description: "A Mirror that was suspended and resumed reports no more changes.",
        breaks: &req::MIRROR_UPDATES_SURVIVE,
        seam: || lost_after_suspension(is_change),
    },
];

/// Does a Mirror report a change with it?
pub(super) fn is_change(message: &Message<'_>) -> bool {
    matches!(
        message.said(),
        Some(FromNode::RecordChanged(..) | FromNode::RecordDeleted(_))
    )
}

/// Changed values are reported as others.
fn in_changed(other: fn(Bytes) -> Bytes) -> Seam {
    leaving(rewritten(move |said| match said {
        FromNode::RecordChanged(key, value) => {
            Some(FromNode::RecordChanged(key, other(value)).payload())
        }
        _ => None,
    }))
}

/// These vanish once a Mirror has sent two Acks.
pub(super) fn lost_after_suspension(which: fn(&Message<'_>) -> bool) -> Seam {
    let mut acks = BTreeMap::new();
    leaving(lost(move |message| {
        let acks = acks.entry(message.name()).or_insert(0u64);
        match message.said() {
            Some(FromNode::Started) => *acks = 0,
            Some(FromNode::Ack) => *acks += 1,
            _ => {}
        }
        *acks >= 2 && which(message)
    }))
}
