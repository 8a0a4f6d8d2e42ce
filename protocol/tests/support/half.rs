//! A node's half of one request, without a connection around it.

use dht_protocol::neo::request::{NodeHalf, Opening, Progress};
use dht_protocol::neo::{ClientName, Limits, Violation};

use super::{Memory, hex};

/// More turns, and more messages, than any test needs.
const MAX_TURNS: usize = 10_000;

/// A node's half of a request and the node it runs on.
#[derive(Clone, Debug)]
pub(crate) struct Half<N> {
    pub(crate) node: N,
    pub(crate) memory: Memory,
}

impl<N: NodeHalf> Half<N> {
    /// Opens the request with a first message in hexadecimal, command included.
    pub(crate) fn open(memory: Memory, first: &str) -> Self {
        Self::open_with(memory, first, Limits::default())
    }

    /// The same with other limits.
    pub(crate) fn open_with(mut memory: Memory, first: &str, limits: Limits) -> Self {
        let node = open_as("admin", &mut memory, &hex(first), &limits).unwrap();
        Self { node, memory }
    }

    /// A further message of the client, in hexadecimal.
    pub(crate) fn receive(&mut self, payload: &str) -> Result<(), Violation> {
        self.node.receive(&hex(payload), &mut self.memory)
    }

    /// The next message, if there is one now.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        for _ in 0..MAX_TURNS {
            let over = self.node.is_over();
            let progress = self.node.poll(&mut self.memory, &mut message);
            assert_eq!(over, progress == Progress::Ended, "both ways to ask agree");
            match progress {
                Progress::Sent => return Some(message),
                Progress::Yielded => assert!(message.is_empty(), "yielded with a message"),
                Progress::Idle | Progress::Ended => {
                    assert!(message.is_empty(), "idle with a message");
                    return None;
                }
            }
        }
        panic!("it yields for ever");
    }

    /// Every message that can be sent now.
    pub(crate) fn say(&mut self) -> Vec<Vec<u8>> {
        let messages: Vec<_> = std::iter::from_fn(|| self.next()).take(MAX_TURNS).collect();
        assert!(messages.len() < MAX_TURNS, "it speaks for ever");
        messages
    }

    /// Has the request ended? Nothing may be left to be said.
    pub(crate) fn is_ended(&mut self) -> bool {
        let mut message = Vec::new();
        let progress = self.node.poll(&mut self.memory, &mut message);
        assert!(message.is_empty(), "{message:02x?} was still to be said");
        let ended = progress == Progress::Ended;
        assert_eq!(ended, self.node.is_over(), "both ways to ask agree");
        ended
    }
}

/// Opens a request with its whole first message in hexadecimal, as "admin".
pub(crate) fn open<N: NodeHalf>(memory: &mut Memory, first: &str) -> Result<N, Violation> {
    open_as("admin", memory, &hex(first), &Limits::default())
}

/// Opens a request with its whole first message.
pub(crate) fn open_as<N: NodeHalf>(
    client: &str,
    memory: &mut Memory,
    first: &[u8],
    limits: &Limits,
) -> Result<N, Violation> {
    let client = ClientName::new(client.as_bytes()).unwrap();
    let opening = Opening {
        fields: &first[2..],
        client: &client,
        limits,
    };
    N::open(opening, memory)
}

/// All that the node says to a request that needs no more than its first message, in hexadecimal.
pub(crate) fn said<N: NodeHalf>(memory: &mut Memory, first: &str) -> Vec<Vec<u8>> {
    let mut half = Half::<N>::open(std::mem::take(memory), first);
    let messages = half.say();
    assert!(half.is_ended(), "the request waits for the client");
    *memory = half.memory;
    messages
}
