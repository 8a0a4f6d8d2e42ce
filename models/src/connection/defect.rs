//! Deviations that are switched on to see that the properties find them. Each sits at a seam, where a
//! machine meets the bytes.

use dht_protocol::neo::frame::{write_authentication, write_request};
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};

use super::frame::Ask;
use super::host::Records;
use super::state::Side;
use super::words::NEW;

/// A deviation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Defect {
    /// The node says with the nonce that the client is accepted.
    AcceptsEarly,
    /// The node says that it accepts a client that it refuses.
    AcceptsAnybody,
    /// The client sends a request behind its proof.
    AsksEarly,
    /// The client sends its timestamp with its version byte.
    SpeaksEarly,
    /// The node answers the first two requests with the id of the other.
    SwapsIds,
    /// The node leaves out the supported status.
    SkipsStatus,
    /// The part of a message with which a chunk ends is lost.
    LosesTails,
    /// The node carries out a request when it sees its first bytes.
    ActsAtOnce,
    /// The node explains why it refuses a client.
    Explains,
    /// The node forgets the last message of each answer.
    Forgets,
    /// Whoever finds a violation does not close the connection.
    StaysOpen,
    /// What a violation closes is every connection of the node.
    ClosesAll,
}

impl Defect {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AcceptsEarly,
        Self::AcceptsAnybody,
        Self::AsksEarly,
        Self::SpeaksEarly,
        Self::SwapsIds,
        Self::SkipsStatus,
        Self::LosesTails,
        Self::ActsAtOnce,
        Self::Explains,
        Self::Forgets,
        Self::StaysOpen,
        Self::ClosesAll,
    ];

    /// What the node does to its records when it reads this chunk.
    pub(super) fn act(self, chunk: &[u8], records: &mut Records) {
        if self == Self::ActsAtOnce && chunk.len() > 1 && chunk.starts_with(&[1]) {
            *records = std::mem::take(records).with(NEW, "new");
        }
    }

    /// What is written instead of what an end wants to write.
    pub(super) fn distort(self, from: Side, asks: &[Ask], out: &mut Vec<u8>) {
        match (self, from) {
            (Self::AcceptsEarly, Side::Node) if is_authentication(out, 4) => {
                write_authentication(out, &[1]);
            }
            (Self::AcceptsAnybody, Side::Node) if is_authentication(out, 1) => {
                out.truncate(HEADER_LEN);
                out.push(1);
            }
            (Self::AsksEarly, Side::Client) if out.first() == Some(&2) && out.len() > 72 => {
                if let Some(ask) = asks.first() {
                    write_request(out, ask.id, &ask.payload);
                }
            }
            (Self::SpeaksEarly, Side::Client) if out.len() == 1 => {
                write_authentication(out, &[0; 8]);
            }
            (Self::SwapsIds, Side::Node) => {
                if let [first, second, ..] = asks {
                    let ids = [first.id.get(), second.id.get()];
                    each_message(out, |message| swap(message, ids));
                }
            }
            (Self::Explains, Side::Node) if is_authentication(out, 1) && out.last() == Some(&0) => {
                out.extend_from_slice(b"unknown");
            }
            (Self::Forgets, Side::Node) if out.first() == Some(&1) => {
                let mut last = Vec::new();
                each_message(out, |message| last = message.clone());
                out.truncate(out.len() - last.len());
            }
            (Self::SkipsStatus, Side::Node) => each_message(out, |message| {
                if message.last() == Some(&0xfd) && message.len() == HEADER_LEN + ID_LEN + 1 {
                    message.clear();
                }
            }),
            _ => {}
        }
    }
}

fn is_authentication(out: &[u8], body: usize) -> bool {
    out.first() == Some(&2) && out.len() == HEADER_LEN + body
}

fn swap(message: &mut [u8], ids: [u64; 2]) {
    let [a, b] = ids.map(u64::to_le_bytes);
    if let Some(id) = message.get_mut(HEADER_LEN..HEADER_LEN + ID_LEN) {
        if *id == a {
            id.copy_from_slice(&b);
        } else if *id == b {
            id.copy_from_slice(&a);
        }
    }
}

/// Lets `edit` change each request message of the output.
fn each_message(out: &mut Vec<u8>, mut edit: impl FnMut(&mut Vec<u8>)) {
    let mut edited = Vec::with_capacity(out.len());
    let mut rest = out.as_slice();
    while let [1, len @ ..] = rest
        && let Some(len) = len.first_chunk()
        && let Ok(len) = usize::try_from(u64::from_le_bytes(*len))
        && let Some((message, behind)) = rest.split_at_checked(HEADER_LEN.saturating_add(len))
    {
        let mut message = message.to_vec();
        edit(&mut message);
        edited.extend_from_slice(&message);
        rest = behind;
    }
    edited.extend_from_slice(rest);
    *out = edited;
}
