//! Both sides of the authentication, and what comes behind it, fed whatever a peer sends.

use std::time::Duration;

use dht_protocol::neo::auth::Nonce;
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::monitor::Listener;
use dht_protocol::neo::{self, Connection, Credential, Event, Limits, Now};
use fakedht::{Bugs, ConnectionId, MemoryStorage, Node, NodeConfig, Violation};

use crate::memory;
use crate::pieces::pieces;
use crate::work::Work;

/// What the node's clock said, and its nonce, when a client was recorded: the client's proof in the recording
/// is good, and the seeds get behind the authentication.
pub(crate) const UNIX: u64 = 1_795_326_307;
pub(crate) const NONCE: Nonce = [0x6d, 0x2e, 0x8d, 0x68];

const LIMITS: Limits = Limits {
    message: 64 * 1024,
    active_requests: 16,
    mirror_queue: 16,
};

fn now() -> Now {
    Now {
        unix: UNIX,
        elapsed: Duration::ZERO,
    }
}

/// A client hears bytes that no node may have sent. The first byte says how they are cut.
///
/// Whatever comes: after an error there are no further events, and the client says no more than its three
/// words.
pub fn client_connection(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    memory::bounded(data, 64, || {
        let handshake = ClientHandshake::new(Credential::default_admin());
        let mut client = Connection::new(handshake, LIMITS);
        let mut heard = Heard::default();
        for piece in by_version(*seed, stream) {
            client.feed(piece);
            while heard.goes_on(&client.next_event(now())) {}
        }
        heard.judge(client.is_open(), client.output_len());
    });
}

/// What a client has told of a connection.
#[derive(Default)]
struct Heard {
    established: bool,
    failed: bool,
}

impl Heard {
    /// Is it a step after which there may be another one?
    fn goes_on(&mut self, event: &Result<Option<Event<()>>, neo::Violation>) -> bool {
        assert!(
            !self.failed || *event == Ok(None),
            "{event:?} after an error"
        );
        match event {
            Ok(Some(Event::Established(()))) => {
                assert!(!self.established, "established twice");
                self.established = true;
            }
            Ok(Some(Event::Message { .. })) => assert!(self.established, "a message too early"),
            Ok(None) => return false,
            Err(violation) => {
                std::hint::black_box(violation.section());
                self.failed = true;
            }
        }
        true
    }

    /// In the end the connection is as it was told of, and the client has said no more than it has to say:
    /// version, time, and name with code.
    fn judge(&self, is_open: bool, said: usize) {
        assert_eq!(is_open, self.established && !self.failed);
        assert!(said <= 1 + 18 + 10 + 8 + 5 + 64, "{said} bytes");
    }
}

/// A whole node hears bytes that no client may have sent. The first byte says how they are cut.
///
/// Whatever comes: the node keeps to the protocol, as far as the client has.
pub fn node_connection(data: &[u8]) {
    memory::bounded(data, 1024, || speak_to_node(data, Bugs::none()));
}

fn speak_to_node(data: &[u8], bugs: Bugs) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let config = NodeConfig {
        limits: LIMITS,
        bugs,
        ..NodeConfig::default()
    };
    let mut node = Node::new(config, MemoryStorage::new());
    let id = node.accept(NONCE);
    let mut listener = Listener::new();
    let mut said = Vec::new();
    let mut work = Work::of(data);
    for piece in by_version(*seed, stream) {
        // What the client does wrong the node is there to find.
        let _ = listener.hear(Side::Client, piece);
        node.feed(id, piece);
        let result = settle(&mut node, id, &mut said, &mut work);
        let breaches = listener.hear(Side::Node, &said);
        assert!(
            breaches.is_empty(),
            "the node broke the protocol: {breaches:?}"
        );
        said.clear();
        if let Err(violation) = result {
            std::hint::black_box(violation.section());
            node.close(id);
            break;
        }
    }
}

/// Lets a node do all it can.
fn settle(
    node: &mut Node<MemoryStorage>,
    id: ConnectionId,
    said: &mut Vec<u8>,
    work: &mut Work,
) -> Result<(), Violation> {
    loop {
        work.step();
        let more = node.process(id, now());
        let output = node.take_output(id);
        said.extend_from_slice(&output);
        if !more? && output.is_empty() {
            return Ok(());
        }
    }
}

/// The version byte alone, which has to be answered first, and the rest in pieces.
fn by_version(seed: u8, stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (version, rest) = stream.split_at(stream.len().min(1));
    std::iter::once(version).chain(pieces(seed, rest))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::slice::from_ref;

    use bytes::Bytes;
    use dht_protocol::neo::RequestId;

    use super::*;
    use crate::seeds;
    use crate::wrong::is_noticed;

    /// Bugs that make the node break the protocol in what the recorded clients do.
    const BREAKING: &[&str] = &[
        "get-all-batch-with-wrong-length",
        "get-channels-finishes-twice",
    ];

    type Told = Result<Option<Event<()>>, neo::Violation>;

    fn is_believed(told: &[Told], is_open: bool, said: usize) -> bool {
        !is_noticed(|| {
            let mut heard = Heard::default();
            told.iter().for_each(|event| _ = heard.goes_on(event));
            heard.judge(is_open, said);
        })
    }

    #[test]
    fn a_wrong_client_is_noticed() {
        let established: Told = Ok(Some(Event::Established(())));
        let message: Told = Ok(Some(Event::Message {
            id: RequestId::FIRST,
            payload: Bytes::new(),
        }));
        let error: Told = Err(neo::Violation::ZeroRequestId);
        let nothing: Told = Ok(None);
        let right = [established.clone(), message.clone(), nothing.clone()];
        assert!(is_believed(&right, true, 106));
        assert!(!is_believed(&right, true, 107), "said too much");
        assert!(!is_believed(&right, false, 1), "closed without a reason");
        assert!(!is_believed(from_ref(&nothing), true, 1), "open too early");
        assert!(
            !is_believed(from_ref(&message), false, 1),
            "a message too early"
        );
        let twice = [established.clone(), established.clone()];
        assert!(!is_believed(&twice, true, 1), "established twice");
        let failed = [established.clone(), error.clone(), nothing];
        assert!(is_believed(&failed, false, 1));
        assert!(!is_believed(&failed, true, 1), "open after an error");
        for event in [established, message, error.clone()] {
            assert!(!is_believed(&[error.clone(), event], false, 1));
        }
    }

    #[test]
    fn a_wrong_node_is_noticed() {
        let folder = seeds::folder().join("node_connection");
        let files = fs::read_dir(folder).unwrap();
        let inputs: Vec<_> = files
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        let is_unnoticed = |name: &&str| {
            let bug = Bugs::find(name).unwrap_or_else(|| panic!("no {name}"));
            let mut inputs = inputs.iter();
            inputs.all(|input| !is_noticed(|| speak_to_node(input, [bug].into_iter().collect())))
        };
        let unnoticed: Vec<_> = BREAKING.iter().copied().filter(is_unnoticed).collect();
        assert!(unnoticed.is_empty(), "{unnoticed:?}");
    }
}
