//! What came on a connection, sorted by request.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dht_protocol::neo::frame::FrameBuffer;
use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::{Kind, RequestId};

/// How much is kept of what nobody has asked for yet, in bytes. No check lets so much come.
const UNHEARD: usize = 256 * 1024 * 1024;

/// The messages that came and were not looked at.
#[derive(Debug)]
pub(super) struct Inbox {
    frames: FrameBuffer,
    messages: BTreeMap<RequestId, VecDeque<Bytes>>,
    /// How many bytes they have.
    unheard: usize,
    /// Why no message can be read any more.
    garbage: Option<String>,
}

impl Inbox {
    /// Behind what was read of the connection already.
    pub(super) fn new(frames: FrameBuffer) -> Self {
        Self {
            frames,
            messages: BTreeMap::new(),
            unheard: 0,
            garbage: None,
        }
    }

    /// Sorts what came. Behind garbage nobody knows where a message begins, so nothing is kept.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.garbage.is_some() {
            return;
        }
        self.frames.feed(bytes);
        if let Err(garbage) = self.sort() {
            self.garbage = Some(garbage);
            self.frames = FrameBuffer::default();
        }
    }

    /// The next message for a request.
    pub(super) fn take(&mut self, id: RequestId) -> Option<Bytes> {
        let payload = self.messages.get_mut(&id)?.pop_front()?;
        self.unheard -= payload.len();
        Some(payload)
    }

    /// All messages for a request.
    pub(super) fn of(&self, id: RequestId) -> impl Iterator<Item = &Bytes> {
        self.messages.get(&id).into_iter().flatten()
    }

    /// The requests that have messages.
    pub(super) fn ids(&self) -> impl Iterator<Item = RequestId> {
        let waiting = self.messages.iter().filter(|(_, queue)| !queue.is_empty());
        waiting.map(|(id, _)| *id)
    }

    /// Why no message can be read any more, if so.
    pub(super) fn garbage(&self) -> Option<&str> {
        self.garbage.as_deref()
    }

    /// Sorts the messages that are complete, as far as they are messages; else says what came.
    fn sort(&mut self) -> Result<(), String> {
        loop {
            let next = self.frames.next(Kind::Request, u64::MAX);
            let Some(body) = next.map_err(|violation| violation.to_string())? else {
                break;
            };
            let id = body
                .first_chunk::<ID_LEN>()
                .and_then(|id| RequestId::new(u64::from_le_bytes(*id)))
                .ok_or("a message for request id 0")?;
            let payload = body.slice(ID_LEN..);
            self.unheard += payload.len();
            self.messages.entry(id).or_default().push_back(payload);
        }
        match self.unheard + self.frames.len() > UNHEARD {
            true => Err(format!("more than {UNHEARD} bytes that nobody asked for")),
            false => Ok(()),
        }
    }
}
