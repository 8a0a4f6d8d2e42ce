//! Bugs of the legacy protocol: names of channels, and keys.

use dht_protocol::{ChannelName, Key};
use dht_protocol::legacy::{Command, Incoming, KeyText, LegacyHost, Order, Status, is_channel_name};
use dht_requirements as req;

use super::legacy_connection::channel;
use crate::bugs::Bug;
use crate::bugs::legacy::{After, Asked, Instead, on_order, on_said, status};
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-hyphen-refused",
        description: "A channel name with a hyphen is answered BadChannelName.",
        breaks: &req::LEG_NAME_LEGAL,
        seam: || refusing_names(|name| name.contains(&b'-'), Status::BadChannelName),
    },
    Bug {
        name: "legacy-long-names-refused",
        description: "A channel name of more than 255 bytes is answered BadChannelName.",
        breaks: &req::LEG_NAME_LEGAL,
        seam: || refusing_names(|name| name.len() > 255, Status::BadChannelName),
    },
    Bug {
        name: "legacy-names-folded",
        description: "Upper and lower case of a channel name are the same.",
        breaks: &req::LEG_NAME_EXACT,
        seam: || renaming(|name| name.to_ascii_lowercase()),
    },
    Bug {
        name: "legacy-names-unchecked",
        description: "Bytes of a channel name that are not legal are taken for the letter x.",
        breaks: &req::LEG_NAME_BAD,
        seam: || {
            renaming(|name| match name {
                [] => b"x".to_vec(),
                _ => name
                    .iter()
                    .map(|byte| if is_bad(&[*byte]) { b'x' } else { *byte })
                    .collect(),
            })
        },
    },
    Bug {
        name: "legacy-bad-name-created",
        description: "An order that is answered BadChannelName creates the channel.",
        breaks: &req::LEG_NAME_NOT_CREATED,
        seam: || {
            on_order(|host, asked| {
                if let Some(name) = channel(asked)
                    && is_bad(name)
                {
                    // A storage in memory opens any channel.
                    let _ = host.open_channel(&ChannelName::copy_from(name));
                }
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-value-before-name",
        description: "A Put or PutBatch in a channel of a bad name is answered for its value.",
        breaks: &req::LEG_NAME_FIRST,
        seam: || {
            on_order(|_, asked| match (&asked.order, channel(asked)) {
                (order, Some(name)) if is_bad(name) => match order {
                    Incoming::TooBig { .. } => status(Status::ValueTooBig),
                    Incoming::Order(Order::Put { value, .. }) if value.is_empty() => {
                        status(Status::EmptyValue)
                    }
                    Incoming::Order(Order::PutBatch { .. }) => status(Status::EmptyValue),
                    Incoming::Order(_) => Instead::Do,
                },
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-key-before-name",
        description: "An order with a bad channel name and a malformed key is answered Error.",
        breaks: &req::LEG_NAME_FIRST,
        seam: || {
            on_order(|_, asked| {
                let bad_name = channel(asked).is_some_and(is_bad);
                match bad_name && key(asked).is_some_and(|key| key.parse().is_none()) {
                    true => status(Status::Error),
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-listen-bad-name-crashes",
        description: "A Listen with a bad channel name makes the node crash.",
        breaks: &req::LEG_LISTEN_BAD_NAME,
        seam: || {
            on_order(|_, asked| {
                let bad_name = channel(asked).is_some_and(is_bad);
                match asked.command() == Command::Listen && bad_name {
                    true => Instead::Crash,
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-malformed-key-answered",
        description: "A malformed key is answered Error.",
        breaks: &req::LEG_KEY_MALFORMED,
        seam: || {
            on_order(
                |_, asked| match key(asked).is_some_and(|key| key.parse().is_none()) {
                    true => status(Status::Error),
                    false => Instead::Do,
                },
            )
        },
    },
    Bug {
        name: "legacy-upper-case-refused",
        description: "A key in upper case closes the connection.",
        breaks: &req::LEG_KEY_UPPER_CASE,
        seam: || {
            on_order(|_, asked| {
                let upper = |key: &KeyText| key.as_bytes().iter().any(u8::is_ascii_uppercase);
                match key(asked).is_some_and(upper) {
                    true => Instead::Close,
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-keys-lose-a-bit",
        description: "Keys of legacy orders are taken without their bit 39.",
        breaks: &req::LEG_KEY_SAME,
        seam: || {
            on_order(|_, asked| {
                if let Incoming::Order(
                    Order::Put { key, .. }
                    | Order::Get { key, .. }
                    | Order::Exists { key, .. }
                    | Order::Remove { key, .. },
                ) = &mut asked.order
                    && let Some(Key(number)) = key.parse()
                {
                    *key = KeyText::from(Key(number & !(1 << 39)));
                }
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-keys-in-upper-case",
        description: "Keys are told in upper case.",
        breaks: &req::LEG_KEY_DIGITS,
        seam: || {
            on_said(|asked, _, bytes| {
                match asked.command() {
                    Command::Listen => raise(bytes),
                    Command::GetAll | Command::GetAllKeys => {
                        super::legacy_batches::map_batches(bytes, |plain| raise(plain));
                    }
                    _ => {}
                }
                After::GoOn
            })
        },
    },
];

/// The key of an order.
pub(super) fn key(asked: &Asked) -> Option<&KeyText> {
    match &asked.order {
        Incoming::TooBig { key, .. }
        | Incoming::Order(
            Order::Put { key, .. }
            | Order::Get { key, .. }
            | Order::Exists { key, .. }
            | Order::Remove { key, .. },
        ) => Some(key),
        Incoming::Order(_) => None,
    }
}

/// Keys among other bytes, in upper case.
fn raise(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= 24) {
        let is_key =
            rest[..8] == 16_u64.to_le_bytes() && rest[8..24].iter().all(u8::is_ascii_hexdigit);
        if is_key {
            bytes[at + 8..at + 24].make_ascii_uppercase();
        }
        at += 1;
    }
}

pub(super) fn is_bad(name: &[u8]) -> bool {
    !is_channel_name(&ChannelName::copy_from(name))
}

fn refusing_names(which: impl Fn(&[u8]) -> bool + Send + 'static, answer: Status) -> Seam {
    on_order(move |_: &mut dyn LegacyHost, asked: &mut Asked| {
        match channel(asked).is_some_and(&which) {
            true => status(answer),
            false => Instead::Do,
        }
    })
}

/// Channels have other names.
fn renaming(name: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Seam {
    on_order(move |_: &mut dyn LegacyHost, asked: &mut Asked| {
        let channel = match &mut asked.order {
            Incoming::TooBig { channel, .. } => Some(channel),
            Incoming::Order(order) => channel_of(order),
        };
        if let Some(channel) = channel {
            *channel = ChannelName::copy_from(&name(channel.as_bytes()));
        }
        Instead::Do
    })
}

fn channel_of(order: &mut Order) -> Option<&mut ChannelName> {
    match order {
        Order::Put { channel, .. }
        | Order::Get { channel, .. }
        | Order::Exists { channel, .. }
        | Order::Remove { channel, .. }
        | Order::GetChannelSize { channel }
        | Order::RemoveChannel { channel }
        | Order::Listen { channel }
        | Order::GetAll { channel }
        | Order::GetAllKeys { channel }
        | Order::GetAllFilter { channel, .. }
        | Order::PutBatch { channel, .. } => Some(channel),
        Order::GetChannels
        | Order::GetSize
        | Order::GetResponsibleRange
        | Order::GetNumConnections
        | Order::GetVersion
        | Order::Redistribute(_) => None,
    }
}
