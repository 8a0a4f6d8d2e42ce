//! What is said in the frames.

use dht_protocol::Key;
use dht_protocol::neo::auth::{Proof, Timestamp, code};
use dht_protocol::neo::request::get_hash_range;
use dht_protocol::neo::request::{RecordName, RequestCode, put};
use dht_protocol::neo::{Credential, RequestId, forge};

use super::end::Line;
use super::frame::{Ask, NONCE, NOW};

/// The key of the record that is there.
pub(super) const STORED: u64 = 1;
/// The key of the record that is put, and of the one that nobody has.
pub(super) const NEW: u64 = 2;
const ABSENT: u64 = 3;

/// Messages that break a rule, or whose request does.
pub(super) fn wrong_messages() -> Vec<Vec<u8>> {
    let mut parity = message(&hash_range(1));
    parity[9] ^= 1;
    vec![
        parity,
        forge::message(3, 8, &[0; 8]),
        forge::message(forge::REQUEST, 7, &[0; 7]),
        authentication(&[0; 8]),
        forge::request_message(0, &put(2).payload),
        forge::request_message(7, &[2]),
        forge::message(forge::REQUEST, u64::MAX, &[]),
        forge::request_message(7, &put(2).payload[..12]),
    ]
}

fn ask(id: u64, payload: Vec<u8>) -> Ask {
    let id = RequestId::new(id).unwrap_or(RequestId::FIRST);
    Ask { id, payload }
}

fn record(key: u64) -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(key),
    }
}

/// Asks for the node's range.
pub(super) fn hash_range(id: u64) -> Ask {
    ask(id, get_hash_range::Open.encode())
}

/// Stores a record.
pub(super) fn put(id: u64) -> Ask {
    let open = put::Open {
        record: record(NEW),
        value: "new".into(),
    };
    ask(id, open.encode())
}

/// Reads the record that is there.
pub(super) fn get(id: u64) -> Ask {
    ask(id, record(STORED).opening(RequestCode::Get))
}

/// Asks for a record that is not there.
pub(super) fn exists(id: u64) -> Ask {
    ask(id, record(ABSENT).opening(RequestCode::Exists))
}

/// A request of a code that does not exist.
pub(super) fn unsupported(id: u64) -> Ask {
    ask(id, forge::opening(11, 0, &[]))
}

/// The whole message of a request.
pub(super) fn message(ask: &Ask) -> Vec<u8> {
    forge::request_message(ask.id.get(), &ask.payload)
}

/// A message of the authentication with this body.
pub(super) fn authentication(body: &[u8]) -> Vec<u8> {
    forge::message(forge::AUTHENTICATION, body.len() as u64, body)
}

/// The client's time, as it should be.
pub(super) fn timestamp() -> Vec<u8> {
    authentication(&Timestamp(NOW).encode())
}

/// The client's proof, as it should be.
pub(super) fn proof() -> Vec<u8> {
    let credential = Credential::default_admin();
    let proof = Proof {
        name: credential.name.as_str().into(),
        code: code(&credential.key, NOW, NONCE),
    };
    authentication(&proof.encode())
}

/// A line of a script.
pub(super) fn line(after: usize, say: impl Into<Vec<u8>>) -> Line {
    let say = say.into();
    Line { after, say }
}
