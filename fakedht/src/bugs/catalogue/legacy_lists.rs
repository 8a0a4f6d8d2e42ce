//! Bugs of the legacy protocol: lists of channels, sizes, and the records of a channel.

use bytes::Bytes;
use dht_protocol::ChannelName;
use dht_protocol::codec::Put as _;
use dht_protocol::legacy::batch::{Batch, MAX_VALUE};
use dht_protocol::legacy::{About, Answer, Command, Incoming, LegacyHost, Order, Status};
use dht_requirements as req;

use super::legacy_batches::{map_batches, strange};
use super::legacy_connection::{channel, said_to};
use crate::bugs::Bug;
use crate::bugs::host_bug::on_walk;
use crate::bugs::legacy::{After, Asked, Instead, encoded, on_order, on_said};
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-channels-none",
        description: "GetChannels lists nothing.",
        breaks: &req::LEG_CHANNELS_COMPLETE,
        seam: || listing(|_, _| Vec::new(), true),
    },
    Bug {
        name: "legacy-channels-misses-first",
        description: "GetChannels leaves out the first channel.",
        breaks: &req::LEG_CHANNELS_COMPLETE,
        seam: || {
            listing(
                |_, mut names| {
                    names.remove(0);
                    names
                },
                true,
            )
        },
    },
    Bug {
        name: "legacy-channels-repeats",
        description: "GetChannels lists every channel twice.",
        breaks: &req::LEG_CHANNELS_UNIQUE,
        seam: || listing(|_, names| [names.clone(), names].concat(), true),
    },
    Bug {
        name: "legacy-channels-misses-empty",
        description: "GetChannels leaves out channels without records.",
        breaks: &req::LEG_CHANNELS_EMPTY_CHANNEL,
        seam: || {
            listing(
                |host, mut names| {
                    names.retain(|name| {
                        let id = host.find_channel(name);
                        id.is_some_and(|id| host.record_after(id, None).is_some())
                    });
                    names
                },
                true,
            )
        },
    },
    Bug {
        name: "legacy-channels-never-ends",
        description: "No empty name ends the list of channels.",
        breaks: &req::LEG_CHANNELS_END,
        seam: || listing(|_, names| names, false),
    },
    Bug {
        name: "legacy-channels-end-at-nameless",
        description: "GetChannels ends at a channel without a name.",
        breaks: &req::LEG_CHANNELS_NAMELESS,
        seam: || {
            listing(
                |_, names| {
                    let named = |name: &ChannelName| !name.as_bytes().is_empty();
                    names.into_iter().take_while(named).collect()
                },
                true,
            )
        },
    },
    Bug {
        name: "legacy-channels-lists-removed",
        description: "GetChannels lists channels that were removed.",
        breaks: &req::LEG_CHANNELS_REAL,
        seam: || {
            let mut removed = Vec::new();
            on_order(move |host, asked| {
                if asked.command() == Command::RemoveChannel {
                    removed.extend(channel(asked).map(ChannelName::copy_from));
                }
                match asked.command() {
                    Command::GetChannels => {
                        let mut names = names(host);
                        names.extend(removed.iter().cloned());
                        Instead::Say(list(&names, true))
                    }
                    _ => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-size-with-field",
        description: "Behind the answers to GetSize and GetChannelSize comes another number.",
        breaks: &req::LEG_SIZE_CHANNEL,
        seam: || {
            on_said(|asked, _, bytes| {
                if is_size(asked) {
                    bytes.put_u64(1);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-size-off-by-one",
        description: "GetChannelSize counts one record more than there is.",
        breaks: &req::LEG_SIZE_RECORDS,
        seam: || {
            said_to(Command::GetChannelSize, |bytes| {
                change_number(bytes, 16, |records| records + 1);
            })
        },
    },
    Bug {
        name: "legacy-size-bytes-shrink",
        description: "GetChannelSize tells fewer bytes the more there are.",
        breaks: &req::LEG_SIZE_BYTES_GROW,
        seam: || {
            said_to(Command::GetChannelSize, |bytes| {
                change_number(bytes, 8, |bytes| 1_000_000_u64.saturating_sub(bytes));
            })
        },
    },
    Bug {
        name: "legacy-size-counts-twice",
        description: "GetSize counts every record twice.",
        breaks: &req::LEG_SIZE_ALL_RECORDS,
        seam: || {
            said_to(Command::GetSize, |bytes| {
                change_number(bytes, 16, |records| records * 2);
            })
        },
    },
    Bug {
        name: "legacy-size-none",
        description: "GetSize tells that there is nothing.",
        breaks: &req::LEG_SIZE_ALL_RECORDS,
        seam: || said_to(Command::GetSize, |bytes| change_number(bytes, 16, |_| 0)),
    },
    Bug {
        name: "legacy-address-binary",
        description: "GetSize tells the address as four bytes.",
        breaks: &req::LEG_SIZE_ADDRESS,
        seam: || {
            said_to(Command::GetSize, |bytes| {
                let numbers = bytes.split_off(bytes.len().saturating_sub(16));
                let about = About {
                    address: Bytes::from_static(&[127, 0, 0, 1]),
                    port: 1,
                };
                *bytes = encoded(&Answer::Connections(about, 0));
                bytes.truncate(bytes.len() - 8);
                bytes.extend(numbers);
            })
        },
    },
    Bug {
        name: "legacy-connections-none",
        description: "GetNumConnections tells 0.",
        breaks: &req::LEG_SIZE_CONNECTIONS,
        seam: || {
            said_to(Command::GetNumConnections, |bytes| {
                change_number(bytes, 8, |_| 0)
            })
        },
    },
    Bug {
        name: "legacy-connections-one",
        description: "GetNumConnections tells 1, whoever else is connected.",
        breaks: &req::LEG_SIZE_CONNECTIONS_COUNTED,
        seam: || {
            said_to(Command::GetNumConnections, |bytes| {
                change_number(bytes, 8, |_| 1)
            })
        },
    },
    Bug {
        name: "legacy-connections-grow",
        description: "GetNumConnections tells one more each time.",
        breaks: &req::LEG_SIZE_CONNECTIONS_LEGACY,
        seam: || {
            let mut times = 0;
            said_to(Command::GetNumConnections, move |bytes| {
                times += 1;
                change_number(bytes, 8, |number| number + times);
            })
        },
    },
    Bug {
        name: "walk-misses-first",
        description: "Whoever reads all records of a channel is not told of the first.",
        breaks: &req::LEG_GETALL_COMPLETE,
        seam: || {
            on_walk(|host, channel, after| {
                let next = host.record_after(channel, after);
                match (after, next) {
                    (None, Some((first, _))) => host.record_after(channel, Some(first)),
                    (_, next) => next,
                }
            })
        },
    },
    Bug {
        name: "legacy-getall-repeats",
        description: "GetAll tells every record of a batch twice.",
        breaks: &req::LEG_GETALL_UNIQUE,
        seam: || {
            said_to(Command::GetAll, |bytes| {
                map_batches(bytes, |plain| plain.extend_from_within(..));
            })
        },
    },
    Bug {
        name: "legacy-getall-invents",
        description: "GetAll and its like tell of a record that is not there.",
        breaks: &req::LEG_GETALL_ONLY_CHANNEL,
        seam: || {
            on_said(|asked, _, bytes| {
                let with_value = asked.command() != Command::GetAllKeys;
                if is_get_all(asked) {
                    map_batches(bytes, |plain| strange(plain, with_value));
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-getall-never-ends",
        description: "No empty array ends the answer to GetAll.",
        breaks: &req::LEG_GETALL_END,
        seam: || {
            said_to(Command::GetAll, |bytes| {
                if bytes.ends_with(&[0; 8]) {
                    bytes.truncate(bytes.len() - 8);
                }
            })
        },
    },
    Bug {
        name: "legacy-getall-first-batch",
        description: "GetAll and its like end with their first batch.",
        breaks: &req::LEG_BATCH_FULL,
        seam: || {
            on_said(|asked, first, bytes| {
                if is_get_all(asked) {
                    bytes.truncate(if first { first_batch(bytes) } else { 0 });
                    if first {
                        bytes.put_u64(0);
                    }
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-getall-misses-batches",
        description: "GetAll and its like leave out the first of several batches.",
        breaks: &req::LEG_GETALL_COMPLETE,
        seam: || {
            on_said(|asked, first, bytes| {
                let end = first_batch(bytes);
                let several =
                    bytes.len() > end && bytes[end..] != [0; 8] || !bytes.ends_with(&[0; 8]);
                if is_get_all(asked) && first && several {
                    bytes.drain(4..end);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-getallkeys-misses-large",
        description: "GetAllKeys leaves out records that fit into no batch of GetAll.",
        breaks: &req::LEG_GETALL_KEYS_LARGE,
        seam: || {
            on_order(|host, asked| {
                let Incoming::Order(Order::GetAllKeys { channel }) = &asked.order else {
                    return Instead::Do;
                };
                let mut batch = Batch::default();
                let id = host.find_channel(channel);
                let mut after = None;
                while let Some((key, value)) = id.and_then(|id| host.record_after(id, after)) {
                    if value.len() <= MAX_VALUE {
                        batch.push_key(key);
                    }
                    after = Some(key);
                }
                let mut bytes = encoded(&Answer::Status(Status::Ok));
                bytes.put_array(&batch.finish());
                bytes.put_array(b"");
                Instead::Say(bytes)
            })
        },
    },
    Bug {
        name: "legacy-filter-ignored",
        description: "GetAllFilter tells every record.",
        breaks: &req::LEG_GETALL_FILTER_ONLY,
        seam: || filtering(|_| Bytes::new()),
    },
    Bug {
        name: "legacy-filter-finds-nothing",
        description: "GetAllFilter tells no record.",
        breaks: &req::LEG_GETALL_FILTER_MATCHES,
        seam: || filtering(|_| Bytes::from_static(b"no value has this")),
    },
    Bug {
        name: "legacy-filter-empty-crashes",
        description: "GetAllFilter with an empty filter makes the node crash.",
        breaks: &req::LEG_GETALL_FILTER_EMPTY,
        seam: || {
            on_order(|_, asked| match &asked.order {
                Incoming::Order(Order::GetAllFilter { filter, .. }) if filter.is_empty() => {
                    Instead::Crash
                }
                _ => Instead::Do,
            })
        },
    },
];

/// All channels.
fn names(host: &dyn LegacyHost) -> Vec<ChannelName> {
    let (mut names, mut after) = (Vec::new(), None);
    while let Some(name) = host.channel_after(after.as_ref()) {
        names.push(name.clone());
        after = Some(name);
    }
    names
}

/// The answer to GetChannels.
fn list(names: &[ChannelName], ends: bool) -> Vec<u8> {
    let mut bytes = encoded(&Answer::Status(Status::Ok));
    for name in names {
        bytes.put_array(name.as_bytes());
    }
    if ends {
        bytes.put_array(b"");
    }
    bytes
}

/// GetChannels lists other channels than there are.
fn listing(
    change: impl Fn(&dyn LegacyHost, Vec<ChannelName>) -> Vec<ChannelName> + Send + 'static,
    ends: bool,
) -> Seam {
    on_order(move |host: &mut dyn LegacyHost, asked: &mut Asked| {
        if asked.command() != Command::GetChannels {
            return Instead::Do;
        }
        let names = names(host);
        match names.is_empty() {
            true => Instead::Do,
            false => Instead::Say(list(&change(host, names), ends)),
        }
    })
}

fn is_size(asked: &Asked) -> bool {
    matches!(asked.command(), Command::GetSize | Command::GetChannelSize)
}

fn is_get_all(asked: &Asked) -> bool {
    matches!(
        asked.command(),
        Command::GetAll | Command::GetAllKeys | Command::GetAllFilter
    )
}

/// Where the first batch of an answer ends.
fn first_batch(bytes: &[u8]) -> usize {
    let length = bytes.get(4..).and_then(|rest| rest.first_chunk());
    let length = length.map_or(0, |length| u64::from_le_bytes(*length));
    let end = usize::try_from(length).unwrap_or(usize::MAX);
    end.saturating_add(12).min(bytes.len())
}

/// Changes the number that begins so many bytes before the end of an answer with Ok.
fn change_number(bytes: &mut [u8], from_end: usize, change: impl FnOnce(u64) -> u64) {
    let Some(at) = bytes.len().checked_sub(from_end).filter(|at| *at >= 4) else {
        return;
    };
    if let Some(number) = bytes[at..].first_chunk_mut::<8>() {
        *number = change(u64::from_le_bytes(*number)).to_le_bytes();
    }
}

/// GetAllFilter looks for something else.
fn filtering(look_for: impl Fn(&Bytes) -> Bytes + Send + 'static) -> Seam {
    on_order(move |_: &mut dyn LegacyHost, asked: &mut Asked| {
        if let Incoming::Order(Order::GetAllFilter { filter, .. }) = &mut asked.order {
            *filter = look_for(filter);
        }
        Instead::Do
    })
}
