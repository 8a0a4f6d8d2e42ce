//! Every message of every request, read and written again.

use std::fmt::{self, Debug, Write};

use dht_protocol::DecodeError;
use dht_protocol::neo::auth::{self, Proof, Timestamp};
use dht_protocol::neo::request::{
    Command, RecordName, RequestCode, SupportedStatus, control, exists, get, get_all, get_channels,
    get_hash_range, mirror, put, remove, remove_channel, update,
};

use crate::memory;

/// A message of one direction of a request: what it is called, and whether its bytes survive being read and
/// written.
pub(crate) struct Message {
    pub(crate) name: &'static str,
    /// Reads a payload.
    pub(crate) read: fn(&[u8]) -> Result<(), DecodeError>,
    pub(crate) again: fn(&[u8]),
}

/// A message that is written by `$write` what `$read` made of the payload.
macro_rules! message {
    ($name:literal, $read:path, |$value:ident, $out:ident| $write:expr) => {
        Message {
            name: $name,
            read: |payload| $read(payload).map(drop),
            again: |payload| {
                again($name, payload, $read, |$value, $out: &mut Vec<u8>| {
                    $write;
                });
            },
        }
    };
    // With `encode(&self) -> bytes`.
    ($name:literal, $read:path) => {
        message!($name, $read, |value, out| out
            .extend_from_slice(&value.encode()))
    };
    // With `encode(&self, &mut Vec<u8>)`.
    ($name:literal, $read:path, appends) => {
        message!($name, $read, |value, out| value.encode(out))
    };
    // A first message, which is read without the command and written with it.
    ($name:literal, $read:path, opens $code:ident) => {
        message!($name, $read, |value, out| {
            append_fields(RequestCode::$code, &value.encode(), out)
        })
    };
}

/// All messages. The place of one is the first byte of an input, so new ones stand at the end.
pub(crate) const MESSAGES: &[Message] = &[
    message!("timestamp", Timestamp::decode),
    message!("nonce", auth::decode_nonce, |nonce, out| out.extend(nonce)),
    message!("proof", Proof::decode),
    message!("verdict", auth::decode_verdict, |verdict, out| out
        .push(u8::from(*verdict))),
    message!("status", SupportedStatus::decode),
    message!("get-hash-range", get_hash_range::Open::decode, opens GetHashRange),
    message!(
        "get-hash-range-range",
        get_hash_range::Range::decode,
        appends
    ),
    message!(
        "get-hash-range-update",
        get_hash_range::Update::decode,
        appends
    ),
    message!("put", put::Open::decode, opens Put),
    message!("put-reply", put::Reply::decode),
    message!("record", RecordName::decode_fields, |record, out| {
        append_fields(RequestCode::Get, &record.opening(RequestCode::Get), out)
    }),
    message!("get-reply", get::Reply::decode),
    message!("get-value", get::Value::decode),
    message!("exists-reply", exists::Reply::decode),
    message!("remove-reply", remove::Reply::decode),
    message!("remove-channel", remove_channel::Open::decode, opens RemoveChannel),
    message!("remove-channel-reply", remove_channel::Reply::decode),
    message!("get-channels", get_channels::Open::decode, opens GetChannels),
    message!("get-channels-node", get_channels::FromNode::decode, appends),
    message!("get-all", get_all::Open::decode, opens GetAll),
    message!("get-all-node", get_all::FromNode::decode, appends),
    message!("control", control::FromClient::decode),
    message!("mirror", mirror::Open::decode, opens Mirror),
    message!("mirror-node", mirror::FromNode::decode, appends),
    message!("update", update::Open::decode, opens Update),
    message!("update-client", update::FromClient::decode),
    message!("update-node", update::FromNode::decode, appends),
];

/// Behind this one further bytes are ignored, as the originals do.
pub(crate) const CONTROL: &str = "control";

/// A message is decoded, encoded and decoded again. The first byte says which message it is; the rest is its
/// payload, that of a first message without the command.
pub fn messages(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else {
        return;
    };
    let message = &MESSAGES[usize::from(*kind) % MESSAGES.len()];
    memory::bounded(data, 16, || (message.again)(payload));
}

/// Reads a payload, writes what was read and reads that: it is the same. All messages but one have a single
/// spelling: a GetAll that does not continue has a key to continue from all the same, and any
/// will do. Behind a control message further bytes are ignored.
fn again<T: Debug + PartialEq>(
    name: &str,
    payload: &[u8],
    read: impl Fn(&[u8]) -> Result<T, DecodeError>,
    write: impl Fn(&T, &mut Vec<u8>),
) {
    let message = match read(payload) {
        Ok(message) => message,
        Err(error) => {
            assert!(
                error.offset <= payload.len(),
                "{error} in {} bytes",
                payload.len()
            );
            write!(Nowhere, "{error}").expect("an error can be shown");
            return;
        }
    };
    let mut written = Vec::new();
    write(&message, &mut written);
    match name {
        CONTROL => assert_eq!(written, payload[..1]),
        _ => assert_eq!(written.len(), payload.len(), "{message:?}"),
    }
    assert_eq!(read(&written).as_ref(), Ok(&message));
}

/// A first message without its command.
fn append_fields(code: RequestCode, message: &[u8], out: &mut Vec<u8>) {
    let (command, fields) = Command::decode(message).expect("a first message has a command");
    assert_eq!(command.request(), Ok(code));
    out.extend_from_slice(fields);
}

/// Takes text and keeps nothing.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrong::is_noticed;

    fn write(value: &get::Value, out: &mut Vec<u8>) {
        out.extend(value.encode());
    }

    #[test]
    fn a_wrong_codec_is_noticed() {
        let payload = [&3_u64.to_le_bytes()[..], b"abc"].concat();
        again("get-value", &payload, get::Value::decode, write);
        again("get-value", &payload[..9], get::Value::decode, write);
        // A length that is written one short.
        assert!(is_noticed(|| {
            again("get-value", &payload, get::Value::decode, |value, out| {
                write(value, out);
                out[0] -= 1;
                out.pop();
            });
        }));
        // Another value of the same length.
        assert!(is_noticed(|| {
            again("get-value", &payload, get::Value::decode, |value, out| {
                write(value, out);
                out[8] ^= 1;
            });
        }));
        // An offset behind the message.
        assert!(is_noticed(|| {
            let read = |payload: &[u8]| {
                get::Value::decode(payload).map_err(|error| DecodeError {
                    offset: 10,
                    ..error
                })
            };
            again("get-value", &payload[..9], read, write);
        }));
    }
}
