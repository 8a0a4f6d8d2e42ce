//! Bugs of the legacy protocol: single records, and the removal of channels.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Command, Incoming, LegacyHost, Order, Status, is_channel_name};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;

use super::legacy_connection::{channel, said_to};
use super::legacy_names::{is_bad, key};
use crate::bugs::Bug;
use crate::bugs::legacy::{Asked, Instead, encoded, on_order, status};
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-put-tells-nobody",
        description: "A legacy Put is told to nobody who follows the channel.",
        breaks: &req::LEG_BOTH_MIRROR_PUT,
        seam: || {
            on_order(|host, asked| match good_put(host, asked) {
                Some(put) => put_quietly(host, put),
                None => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-put-large-refused",
        description: "A Put of more than 60,000 bytes is answered ValueTooBig.",
        breaks: &req::LEG_PUT_LARGE,
        seam: || on_values(|_, length| length > 60_000, || status(Status::ValueTooBig)),
    },
    Bug {
        name: "legacy-put-limit-with-hole",
        description: "A Put of exactly 993 bytes is answered ValueTooBig.",
        breaks: &req::LEG_PUT_ONE_LIMIT,
        seam: || on_values(|_, length| length == 993, || status(Status::ValueTooBig)),
    },
    Bug {
        name: "legacy-put-small-refused",
        description: "A Put of 900 to 992 bytes is answered ValueTooBig.",
        breaks: &req::LEG_PUT_SMALL,
        seam: || {
            on_values(
                |_, length| (900..993).contains(&length),
                || status(Status::ValueTooBig),
            )
        },
    },
    Bug {
        name: "legacy-too-big-closes",
        description: "A Put of a value that is too big closes the connection.",
        breaks: &req::LEG_PUT_TOO_BIG_READ,
        seam: || on_values(|too_big, _| too_big, || Instead::Close),
    },
    Bug {
        name: "legacy-too-big-says-error",
        description: "A Put of a value that is too big is answered Error.",
        breaks: &req::LEG_PUT_TOO_BIG,
        seam: || on_values(|too_big, _| too_big, || status(Status::Error)),
    },
    Bug {
        name: "legacy-empty-value-accepted",
        description: "A Put of an empty value is answered Ok.",
        breaks: &req::LEG_PUT_EMPTY,
        seam: || {
            on_values(
                |too_big, length| !too_big && length == 0,
                || status(Status::Ok),
            )
        },
    },
    Bug {
        name: "legacy-value-before-range",
        description: "A Put of an empty or too big value outside the range is answered for its value.",
        breaks: &req::LEG_PUT_RANGE_FIRST,
        seam: || {
            on_order(|_, asked| match &asked.order {
                Incoming::TooBig { .. } => status(Status::ValueTooBig),
                Incoming::Order(Order::Put { value, .. }) if value.is_empty() => {
                    status(Status::EmptyValue)
                }
                Incoming::Order(_) => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-refused-put-removes",
        description: "A Put of an empty or too big value removes the record.",
        breaks: &req::LEG_PUT_REFUSED_NOT_STORED,
        seam: || {
            on_order(|host, asked| {
                if let Some((channel, key)) = refused_put(host, asked)
                    && let Some(id) = host.find_channel(&channel)
                {
                    // Removing from memory does not fail.
                    let _ = host.remove(id, key);
                }
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-refused-put-creates",
        description: "A Put that is refused creates the channel.",
        breaks: &req::LEG_PUT_REFUSED_NOT_CREATED,
        seam: || {
            on_order(|host, asked| {
                if let Some((channel, _)) = refused_put(host, asked) {
                    // A storage in memory opens any channel.
                    let _ = host.open_channel(&channel);
                }
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-get-cuts-last-byte",
        description: "A Get is answered with the value but its last byte.",
        breaks: &req::LEG_GET_VALUE,
        seam: || {
            said_to(Command::Get, |bytes| {
                if let Some(value) = bytes.get(12..).filter(|value| !value.is_empty()) {
                    let value = Bytes::copy_from_slice(&value[..value.len() - 1]);
                    *bytes = encoded(&Answer::Value(value));
                }
            })
        },
    },
    Bug {
        name: "legacy-get-invents",
        description: "A Get of a record that is absent is answered with a value.",
        breaks: &req::LEG_GET_ABSENT,
        seam: || {
            said_to(Command::Get, |bytes| {
                if *bytes == encoded(&Answer::Value(Bytes::new())) {
                    *bytes = encoded(&Answer::Value("?".into()));
                }
            })
        },
    },
    Bug {
        name: "legacy-get-absent-channel-cut",
        description: "A Get in a channel that does not exist is answered Ok, without a value.",
        breaks: &req::LEG_GET_ABSENT_CHANNEL,
        seam: || {
            on_order(|host, asked| {
                let absent = channel(asked).is_some_and(|name| {
                    let name = ChannelName::copy_from(name);
                    host.find_channel(&name).is_none()
                });
                match asked.command() == Command::Get && absent {
                    true => status(Status::Ok),
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-reads-create",
        description: "Orders that read from a channel, or remove a record of it, create it.",
        breaks: &req::LEG_GET_CREATES_NOTHING,
        seam: || {
            on_order(|host, asked| {
                let creates = matches!(
                    asked.command(),
                    Command::Get
                        | Command::Exists
                        | Command::Remove
                        | Command::GetChannelSize
                        | Command::GetAll
                        | Command::GetAllKeys
                        | Command::GetAllFilter
                );
                if let (true, Some(name)) = (creates, channel(asked)) {
                    // A storage in memory opens any channel.
                    let _ = host.open_channel(&ChannelName::copy_from(name));
                }
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-reads-check-range",
        description: "A Get or Exists of a key outside the range is answered WrongNode.",
        breaks: &req::LEG_GET_ANY_KEY,
        seam: || {
            on_order(|host, asked| {
                let reads = matches!(asked.command(), Command::Get | Command::Exists);
                let key = key(asked).and_then(|key| key.parse());
                match reads && key.is_some_and(|key| !host.range().covers(key)) {
                    true => status(Status::WrongNode),
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-exists-inverted",
        description: "An Exists is answered 0 for a record that is there, and 1 for one that is not.",
        breaks: &req::LEG_EXISTS_PRESENT,
        seam: || {
            said_to(Command::Exists, |bytes| {
                if let Some(exists) = bytes.get_mut(4) {
                    *exists ^= 1;
                }
            })
        },
    },
    Bug {
        name: "legacy-exists-says-2",
        description: "An Exists is answered 2 for a record that is there.",
        breaks: &req::LEG_EXISTS_BYTE,
        seam: || {
            said_to(Command::Exists, |bytes| {
                if let Some(exists) = bytes.get_mut(4) {
                    *exists *= 2;
                }
            })
        },
    },
    Bug {
        name: "legacy-remove-needs-record",
        description: "A Remove of a record that is absent is answered Error.",
        breaks: &req::LEG_REMOVE_ABSENT,
        seam: || {
            on_order(|host, asked| {
                let name = channel(asked).map(ChannelName::copy_from);
                let id = name.and_then(|name| host.find_channel(&name));
                let key = key(asked).and_then(|key| key.parse());
                let found = id.zip(key).map(|(id, key)| host.get(id, key));
                match asked.command() == Command::Remove && !matches!(found, Some(Ok(Some(_)))) {
                    true => status(Status::Error),
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-channel-comes-back",
        description: "A channel that is created again after a legacy RemoveChannel has its old records.",
        breaks: &req::LEG_RMCHANNEL_AGAIN,
        seam: || {
            let mut removed = BTreeMap::new();
            on_order(move |host, asked| {
                let Some(name) = channel(asked).map(ChannelName::copy_from) else {
                    return Instead::Do;
                };
                match (asked.command(), host.find_channel(&name)) {
                    (Command::RemoveChannel, Some(id)) => {
                        let (mut records, mut after) = (Vec::new(), None);
                        while let Some((key, value)) = host.record_after(id, after) {
                            after = Some(key);
                            records.push((key, value));
                        }
                        removed.insert(name, records);
                    }
                    (Command::Put, None) => {
                        for (key, value) in removed.remove(&name).unwrap_or_default() {
                            // A storage in memory takes everything.
                            let id = host.open_channel(&name);
                            let _ = id.and_then(|id| host.put(id, key, &value));
                        }
                    }
                    _ => {}
                }
                Instead::Do
            })
        },
    },
];

/// Something is done instead of Puts: of those with values of such a length, and too big or not.
fn on_values(
    which: impl Fn(bool, u64) -> bool + Send + 'static,
    instead: impl Fn() -> Instead + Send + 'static,
) -> Seam {
    on_order(move |_: &mut dyn LegacyHost, asked: &mut Asked| {
        let concerned = match &asked.order {
            Incoming::TooBig { length, .. } => which(true, *length),
            Incoming::Order(Order::Put { value, .. }) => which(false, value.len() as u64),
            Incoming::Order(_) => false,
        };
        match concerned {
            true => instead(),
            false => Instead::Do,
        }
    })
}

/// Channel and key of a Put that is to be refused.
fn refused_put(host: &mut dyn LegacyHost, asked: &Asked) -> Option<(ChannelName, Key)> {
    let name = channel(asked).filter(|name| !is_bad(name))?;
    let key = key(asked)?.parse()?;
    let refused = match &asked.order {
        Incoming::TooBig { .. } => true,
        Incoming::Order(Order::Put { value, .. }) => value.is_empty() || !host.range().covers(key),
        Incoming::Order(_) => false,
    };
    refused.then(|| (ChannelName::copy_from(name), key))
}

/// Channel, key and value of a Put that is to be carried out.
pub(super) fn good_put(
    host: &mut dyn LegacyHost,
    asked: &Asked,
) -> Option<(ChannelName, Key, Bytes)> {
    let Incoming::Order(Order::Put {
        channel,
        key,
        value,
    }) = &asked.order
    else {
        return None;
    };
    let key = key.parse().filter(|key| host.range().covers(*key))?;
    let good = !value.is_empty() && is_channel_name(channel);
    good.then(|| (channel.clone(), key, value.clone()))
}

/// Carries out a Put, and tells nobody who follows the channel.
pub(super) fn put_quietly(
    host: &mut dyn LegacyHost,
    (channel, key, value): (ChannelName, Key, Bytes),
) -> Instead {
    let stored = host
        .open_channel(&channel)
        .and_then(|id| host.take_over(id, key, &value));
    status(stored.map_or(Status::Error, |()| Status::Ok))
}
