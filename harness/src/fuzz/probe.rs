//! Something wrong that was said on a connection, until it is known what the node does about it.

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::{RecordName, RequestCode};
use dht_workload::case::Defect;
use dht_workload::world::Ticket;

use super::forgery::{self, Deed, Leaving};
use super::verdict::{After, Reaction};

/// How many messages a sentinel is answered with: the status and the answer.
const SENTINEL: usize = 2;

/// Something wrong that was said.
#[derive(Debug)]
pub(super) struct Probe {
    /// The step that it belongs to.
    pub(super) ticket: Ticket,
    /// What it waits for.
    pub(super) stage: Stage,
    defect: Defect,
    code: RequestCode,
    id: RequestId,
    sentinel: RequestId,
    trickled: bool,
    heard: Vec<Bytes>,
    /// How many messages came for the sentinel.
    answers: usize,
}

/// What something wrong waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// So many messages; then it goes on with these bytes.
    Begun(usize, Vec<u8>),
    /// The answer to the sentinel, or the end of the connection.
    Watching,
    /// Everything is sent; then the client leaves.
    Leaving(Leaving),
}

impl Probe {
    /// Begins; the bytes go out at once.
    pub(super) fn begin(
        ticket: Ticket,
        defect: Defect,
        code: RequestCode,
        (id, sentinel): (RequestId, RequestId),
        deed: Deed,
        spare: &RecordName,
    ) -> (Self, Vec<u8>) {
        let trickled = matches!(deed, Deed::Trickle(_));
        let (stage, bytes) = match deed {
            Deed::Say(bytes) | Deed::Trickle(bytes) => {
                let sentinel = forgery::sentinel(sentinel, spare);
                (Stage::Watching, [bytes, sentinel].concat())
            }
            Deed::Continue {
                opening,
                messages,
                then,
            } => (Stage::Begun(messages, then), opening),
            Deed::Leave(bytes, how) => (Stage::Leaving(how), bytes),
        };
        let probe = Self {
            ticket,
            stage,
            defect,
            code,
            id,
            sentinel,
            trickled,
            heard: Vec::new(),
            answers: 0,
        };
        (probe, bytes)
    }

    /// Are its bytes sent one at a time?
    pub(super) fn is_trickled(&self) -> bool {
        self.trickled
    }

    /// Is a message with this id for it?
    pub(super) fn knows(&self, id: u64) -> bool {
        id == self.id.get() || id == self.sentinel.get()
    }

    /// A message came.
    pub(super) fn hear(&mut self, id: u64, payload: Bytes) {
        match id == self.sentinel.get() {
            true => self.answers += 1,
            false => self.heard.push(payload),
        }
    }

    /// What follows, if it has waited for what came.
    pub(super) fn goes_on(&mut self, spare: &RecordName) -> Option<Vec<u8>> {
        let Stage::Begun(messages, then) = &self.stage else {
            return None;
        };
        if self.heard.len() < *messages {
            return None;
        }
        let sentinel = forgery::sentinel(self.sentinel, spare);
        let bytes = [then.as_slice(), &sentinel].concat();
        self.stage = Stage::Watching;
        Some(bytes)
    }

    /// Has the node answered what stands behind it?
    pub(super) fn sentinel_answered(&self) -> bool {
        self.answers >= SENTINEL
    }

    /// May requests be left that go on telling something?
    pub(super) fn leaves_something(&self) -> bool {
        matches!(
            self.code,
            RequestCode::Mirror | RequestCode::GetAll | RequestCode::Update
        ) || self.defect == Defect::RepeatedOpening
    }

    /// What the node did; `None` if nothing wrong was said yet.
    pub(super) fn reaction(self, after: After) -> Option<(Defect, RequestCode, Reaction)> {
        if matches!(self.stage, Stage::Begun(..)) && after == After::Closed {
            return None;
        }
        let heard = self.heard;
        Some((self.defect, self.code, Reaction { heard, after }))
    }
}
