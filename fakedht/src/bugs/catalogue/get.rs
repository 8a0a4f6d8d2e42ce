//! Bugs of Get.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::get::{Reply, Value};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{Fate, becoming, held, leaving, lost, twice};
use crate::bugs::host_bug::on_get;
use crate::bugs::message::{FromNode, Message, answer, nth};

const GET: RequestCode = RequestCode::Get;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-finds-nothing",
        description: "A Get of a record that is present is answered NoRecord.",
        breaks: &req::GET_PRESENT,
        seam: || {
            leaving(|message| match (message.is(GET), message.number) {
                (true, 1) => Fate::said([Reply::NoRecord]),
                (true, 2) => Fate::lost(),
                _ => Fate::Pass,
            })
        },
    },
    Bug {
        name: "get-value-missing",
        description: "A Get that found a record does not send its value.",
        breaks: &req::GET_VALUE_FOLLOWS,
        seam: || leaving(lost(is_value)),
    },
    Bug {
        name: "get-value-twice",
        description: "A Get sends the value of a record twice.",
        breaks: &req::GET_VALUE_FOLLOWS,
        seam: || leaving(twice(is_value)),
    },
    Bug {
        name: "get-value-first",
        description: "A Get sends the value of a record before it says that there is one.",
        breaks: &req::GET_VALUE_FOLLOWS,
        seam: || leaving(held(answer(Reply::Got))),
    },
    Bug {
        name: "get-value-typed",
        description: "The value that a Get sends has a message type in front.",
        breaks: &req::GET_VALUE_LAYOUT,
        seam: || {
            leaving(becoming(is_value, |message| {
                // The first type that Get does not define.
                let code = Reply::Error as u8 + 1;
                Fate::changed([&[code], message.payload].concat())
            }))
        },
    },
    Bug {
        name: "get-cuts-last-byte",
        description: "A Get returns the value without its last byte.",
        breaks: &req::GET_VALUE_EXACT,
        seam: || {
            leaving(becoming(is_value, |message| {
                match Value::decode(message.payload) {
                    Ok(Value(value)) if !value.is_empty() => {
                        Fate::changed(Value(value.slice(..value.len() - 1)).encode())
                    }
                    _ => Fate::Pass,
                }
            }))
        },
    },
    Bug {
        name: "get-only-once",
        description: "A record is found by the first Get only.",
        breaks: &req::GET_VALUE_EXACT,
        seam: || {
            let got = RefCell::new(BTreeSet::new());
            on_get(
                move |host, at| match at.by(GET) && !got.borrow_mut().insert(at.record()) {
                    true => Ok(None),
                    false => at.get(host),
                },
            )
        },
    },
    Bug {
        name: "get-says-found-for-nothing",
        description: "A Get of a record that does not exist returns an empty value.",
        breaks: &req::GET_ABSENT,
        seam: || {
            leaving(becoming(answer(Reply::NoRecord), |_| {
                let empty = Value(Bytes::new()).encode();
                Fate::Instead(vec![Reply::Got.payload(), empty])
            }))
        },
    },
];

/// Is it the value that a Get has found?
pub(super) fn is_value(message: &Message<'_>) -> bool {
    nth(GET, 2)(message)
}
