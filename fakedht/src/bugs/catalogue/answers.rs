//! Bugs of the answers about single records.

use bytes::Bytes;
use dht_protocol::neo::request::get::Value;
use dht_protocol::neo::request::{RequestCode, exists, get, put, remove};

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, Message, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-answered-twice",
        description: "The answer to a Put is sent twice.",
        breaks: "neo-requests 4.1",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Put, put::Reply::Put as u8) {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-cuts-last-byte",
        description: "A Get returns the value without its last byte.",
        breaks: "P16",
        seam: Seam::Leaving(|| Box::new(cut_value)),
    },
    Bug {
        name: "get-never-answers",
        description: "A Get is never answered.",
        breaks: "P03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match message.is(RequestCode::Get) {
                true => Fate::lost(),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-value-missing",
        description: "A Get that found a record does not send its value.",
        breaks: "P17",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Get) && message.number == 2 {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-says-found-for-nothing",
        description: "A Get of a record that does not exist returns an empty value.",
        breaks: "P16",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Get, get::Reply::NoRecord as u8) {
                    true => Fate::Instead(vec![
                        get::Reply::Got.encode().to_vec(),
                        Value(Bytes::new()).encode(),
                    ]),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "exists-always",
        description: "Exists says of every record that it exists.",
        breaks: "P19",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Exists, exists::Reply::NoRecord as u8) {
                    true => Fate::changed(exists::Reply::RecordExists.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "exists-inverted",
        description: "Exists uses the numbers of Get for its answers, which mean the opposite.",
        breaks: "neo-requests 9",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match (message.is(RequestCode::Exists), message.payload) {
                    (true, [1]) => Fate::changed([2]),
                    (true, [2]) => Fate::changed([1]),
                    _ => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "remove-says-no-record",
        description: "A Remove that removed a record answers that there was none.",
        breaks: "P20",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Remove, remove::Reply::Removed as u8) {
                    true => Fate::changed(remove::Reply::NoRecord.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "remove-says-removed",
        description: "A Remove of a record that does not exist answers that it was removed.",
        breaks: "P20",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Remove, remove::Reply::NoRecord as u8) {
                    true => Fate::changed(remove::Reply::Removed.encode()),
                    false => Fate::Pass,
                }
            })
        }),
    },
];

fn cut_value(message: &Message<'_>) -> Fate {
    if !message.is(RequestCode::Get) || message.number != 2 {
        return Fate::Pass;
    }
    match Value::decode(message.payload) {
        Ok(Value(value)) if !value.is_empty() => {
            Fate::changed(Value(value.slice(..value.len() - 1)).encode())
        }
        _ => Fate::Pass,
    }
}
