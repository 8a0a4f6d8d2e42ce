//! Bugs of what records mean: which values, keys and names they have, and what answers tell of them.

mod names;
mod values;
mod whole;

use dht_protocol::neo::request::{RequestCode, exists, get, put};

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, Message, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-answers-error",
        description: "A Put that is carried out is answered Error.",
        breaks: "NEO-PUT-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Put, put::Reply::Put as u8) {
                    true => Fate::changed(put::Reply::Error.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "put-begun-is-stored",
        description: "A Put of more than 512 KiB is carried out when half of it has come.",
        breaks: "NEO-PUT-07",
        seam: Seam::Input(|| Box::new(whole::BegunIsStored::default())),
    },
    Bug {
        name: "put-stacks-values",
        description: "A Remove brings back the value before the last Put.",
        breaks: "NEO-PUT-03",
        seam: Seam::Host(|| Box::new(whole::Stacked::default())),
    },
    Bug {
        name: "put-identical-refused",
        description: "A Put of the value that is stored already is answered Error.",
        breaks: "NEO-PUT-04",
        seam: Seam::Host(|| Box::new(values::Stored(values::identical_refused))),
    },
    Bug {
        name: "put-keeps-tail",
        description: "A Put overwrites a longer value only as far as the new one goes.",
        breaks: "NEO-PUT-02",
        seam: Seam::Host(|| Box::new(values::Stored(values::keep_tail))),
    },
    Bug {
        name: "put-cuts-to-old-length",
        description: "A Put of a longer value stores only as much of it as the old value had.",
        breaks: "NEO-PUT-02",
        seam: Seam::Host(|| Box::new(values::Stored(values::cut_to_old_length))),
    },
    Bug {
        name: "get-finds-nothing",
        description: "A Get of a record that is present is answered NoRecord.",
        breaks: "NEO-GET-01",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match (message.is(RequestCode::Get), message.number) {
                    (true, 1) => Fate::changed(get::Reply::NoRecord.encode()),
                    (true, 2) => Fate::lost(),
                    _ => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-value-twice",
        description: "A Get sends the value of a record twice.",
        breaks: "NEO-GET-02",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Get) && message.number == 2 {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-value-typed",
        description: "The value that a Get sends has a message type in front.",
        breaks: "NEO-GET-03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Get) && message.number == 2 {
                    true => Fate::changed([&[5], message.payload].concat()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-only-once",
        description: "A record is found by the first Get only.",
        breaks: "NEO-GET-04",
        seam: Seam::Host(|| Box::new(whole::OnlyOnce::default())),
    },
    Bug {
        name: "exists-never",
        description: "Exists says of every record that it does not exist.",
        breaks: "NEO-EXISTS-01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Exists, exists::Reply::RecordExists as u8) {
                    true => Fate::changed(exists::Reply::NoRecord.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "remove-takes-next",
        description: "A Remove takes the record behind it in the node's order, too.",
        breaks: "NEO-REMOVE-05",
        seam: Seam::Host(|| Box::new(whole::TakesNext)),
    },
    Bug {
        name: "get-channels-misses-empty",
        description: "GetChannels leaves out channels without records.",
        breaks: "NEO-REMOVE-06",
        seam: Seam::Host(|| Box::new(whole::Lists { filled: true })),
    },
    Bug {
        name: "get-channels-misses-filled",
        description: "GetChannels leaves out channels with records.",
        breaks: "NEO-PUT-05",
        seam: Seam::Host(|| Box::new(whole::Lists { filled: false })),
    },
    Bug {
        name: "keys-without-low-byte",
        description: "Records whose keys differ in the lowest eight bits only are the same record.",
        breaks: "NEO-DATA-09",
        seam: Seam::Host(|| Box::new(whole::NoLowByte)),
    },
    Bug {
        name: "keys-extreme-refused",
        description: "A Put of one of the keys 0, 2^63 and 2^64 - 1 is answered Error.",
        breaks: "NEO-DATA-08",
        seam: Seam::Host(|| Box::new(values::Stored(values::extreme_refused))),
    },
    Bug {
        name: "values-cut-at-nul",
        description: "A value is stored up to its first zero byte.",
        breaks: "NEO-DATA-13",
        seam: Seam::Host(|| Box::new(values::Stored(values::cut_at_nul))),
    },
    Bug {
        name: "values-as-text",
        description: "What is no UTF-8 in a value is replaced.",
        breaks: "NEO-DATA-13",
        seam: Seam::Host(|| Box::new(values::Stored(values::as_text))),
    },
    Bug {
        name: "values-trimmed",
        description: "A value is stored without the blanks around it.",
        breaks: "NEO-DATA-13",
        seam: Seam::Host(|| Box::new(values::Stored(values::trimmed))),
    },
    Bug {
        name: "values-large-refused",
        description: "A Put of more than 65,512 bytes is answered Error.",
        breaks: "NEO-DATA-11",
        seam: Seam::Host(|| Box::new(values::Stored(values::large_refused))),
    },
    Bug {
        name: "empty-value-filled",
        description: "An empty value is stored as a zero byte.",
        breaks: "NEO-DATA-18",
        seam: Seam::Host(|| Box::new(values::Stored(values::filled))),
    },
    Bug {
        name: "empty-value-sticks",
        description: "An empty value is not replaced by a Put.",
        breaks: "NEO-DATA-17",
        seam: Seam::Host(|| Box::new(values::Stored(values::empty_sticks))),
    },
    Bug {
        name: "empty-value-no-get",
        description: "A Get does not find a record with an empty value, other requests do.",
        breaks: "NEO-DATA-16",
        seam: Seam::Host(|| Box::new(whole::NoEmptyGet)),
    },
    Bug {
        name: "empty-value-not-sent",
        description: "A Get of an empty value says that there is one and does not send it.",
        breaks: "NEO-DATA-15",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_empty_value(message) {
                true => Fate::lost(),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "empty-value-closes",
        description: "A request for a record with an empty value makes the node close the connection.",
        breaks: "NEO-DATA-14",
        seam: Seam::Arriving(|| Box::new(whole::EmptyValues::new(Fate::Close))),
    },
    Bug {
        name: "empty-value-ignored",
        description: "A request for a record with an empty value is ignored.",
        breaks: "NEO-DATA-15",
        seam: Seam::Arriving(|| Box::new(whole::EmptyValues::new(Fate::lost()))),
    },
    Bug {
        name: "channel-names-any-case",
        description: "Channel names are compared without regard to upper and lower case.",
        breaks: "NEO-DATA-21",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::lower))
        }),
    },
    Bug {
        name: "channel-names-trimmed",
        description: "Blanks around channel names are ignored.",
        breaks: "NEO-DATA-21",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::trimmed))
        }),
    },
    Bug {
        name: "channel-names-cut-at-nul",
        description: "Channel names end at their first zero byte.",
        breaks: "NEO-DATA-23",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::cut_at_nul))
        }),
    },
    Bug {
        name: "channel-names-as-text",
        description: "Bytes of channel names that are no UTF-8 are all the same.",
        breaks: "NEO-DATA-23",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::as_text))
        }),
    },
    Bug {
        name: "channel-names-as-paths",
        description: "Only what is behind the last slash of a channel name counts.",
        breaks: "NEO-DATA-23",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::last_part))
        }),
    },
    Bug {
        name: "channel-names-one-line",
        description: "Of a channel name only its first line counts.",
        breaks: "NEO-DATA-23",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::first_line))
        }),
    },
    Bug {
        name: "channel-names-cut-to-255",
        description: "Only the first 255 bytes of channel names are compared.",
        breaks: "NEO-DATA-22",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::cut_to_255))
        }),
    },
    Bug {
        name: "channel-names-without-letters",
        description: "The letters in channel names do not count.",
        breaks: "NEO-DATA-20",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::without_letters))
        }),
    },
    Bug {
        name: "channel-name-empty-lost",
        description: "What is put into the channel with the empty name is lost.",
        breaks: "NEO-DATA-23",
        seam: Seam::Arriving(|| Box::new(|message: &Message<'_>| names::lose_unnamed(message))),
    },
    Bug {
        name: "channels-share-records",
        description: "All channels have the same records.",
        breaks: "NEO-DATA-19",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| names::rename(message, names::shared))
        }),
    },
];

/// Is it the value that a Get has found, and empty?
fn is_empty_value(message: &Message<'_>) -> bool {
    message.is(RequestCode::Get) && message.number == 2 && message.payload == [0; 8]
}
