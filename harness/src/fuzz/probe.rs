//! Something wrong that was said on a connection, until it is known what the node does about it.

use bytes::{Bytes, BytesMut};
use dht_model::Operation;
use dht_protocol::legacy::{ClientRequest, Command};
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::RequestCode;
use dht_workload::case::Defect;
use dht_workload::world::{Ending, Ticket, Violation};

use super::forgery::legacy::Forged;
use super::forgery::{Deed, Leaving};
use super::verdict::{self, After};

/// How many messages a sentinel of neo is answered with: the status and the answer.
const SENTINEL: usize = 2;

/// Something wrong that was said.
#[derive(Debug)]
pub(super) struct Probe {
    /// The step that it belongs to.
    pub(super) ticket: Ticket,
    /// What it waits for.
    pub(super) stage: Stage,
    defect: Defect,
    trickled: bool,
    hearing: Hearing,
    /// A request that shows what the node has done.
    sentinel: Vec<u8>,
}

/// What something wrong waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// So many messages; then it goes on with these bytes.
    Begun(usize, Vec<u8>),
    /// The answer to the order; then it is seen whether the connection goes on.
    Asked,
    /// The answer to the sentinel, or the end of the connection.
    Watching,
    /// Everything is sent; then the client leaves.
    Leaving(Leaving),
}

/// What the node has said to it.
#[derive(Debug)]
pub(super) enum Hearing {
    /// In messages with the ids of what is wrong and of the sentinel.
    Neo {
        code: RequestCode,
        id: RequestId,
        sentinel: RequestId,
        heard: Vec<Bytes>,
        /// How many messages came for the sentinel.
        answers: usize,
    },
    /// In bytes.
    Legacy {
        command: Command,
        operation: Option<Operation>,
        before: usize,
        heard: Vec<u8>,
    },
}

impl Hearing {
    /// Of a request with this id, and of the one behind it.
    pub(super) fn neo(code: RequestCode, id: RequestId, sentinel: RequestId) -> Self {
        Self::Neo {
            code,
            id,
            sentinel,
            heard: Vec::new(),
            answers: 0,
        }
    }

    /// Of a forged order, and what is done.
    pub(super) fn legacy(forged: Forged) -> (Deed, Self) {
        let hearing = Self::Legacy {
            command: forged.command,
            operation: forged.operation,
            before: forged.before,
            heard: Vec::new(),
        };
        (forged.deed, hearing)
    }

    fn has_heard(&self, messages: usize) -> bool {
        match self {
            Self::Neo { heard, .. } => heard.len() >= messages,
            Self::Legacy { .. } => true,
        }
    }

    /// Has the order been answered to its end?
    fn is_answered(&self) -> bool {
        let Self::Legacy {
            command,
            before,
            heard,
            ..
        } = self
        else {
            return false;
        };
        let skipped = before * verdict::legacy::version().len();
        let Some(answer) = heard.get(skipped..) else {
            return false;
        };
        let mut request = ClientRequest::new(*command);
        let mut input = BytesMut::from(answer);
        while let Ok(Some(_)) = request.receive(&mut input) {}
        request.is_over()
    }

    fn is_sentinel_answered(&self) -> bool {
        match self {
            Self::Neo { answers, .. } => *answers >= SENTINEL,
            Self::Legacy { heard, .. } => heard.ends_with(&verdict::legacy::version()),
        }
    }
}

impl Probe {
    /// Begins; the bytes go out at once.
    pub(super) fn begin(
        ticket: Ticket,
        defect: Defect,
        deed: Deed,
        hearing: Hearing,
        sentinel: Vec<u8>,
    ) -> (Self, Vec<u8>) {
        let trickled = matches!(deed, Deed::Trickle(_));
        let is_neo = matches!(hearing, Hearing::Neo { .. });
        let (stage, bytes) = match deed {
            Deed::Say(bytes) => (Stage::Watching, [&bytes[..], &sentinel].concat()),
            Deed::Trickle(bytes) if is_neo => (Stage::Watching, [&bytes[..], &sentinel].concat()),
            // Who answers one order at a time need not look at the next one before.
            Deed::Ask(bytes) | Deed::Trickle(bytes) => (Stage::Asked, bytes),
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
            trickled,
            hearing,
            sentinel,
        };
        (probe, bytes)
    }

    /// Are its bytes sent one at a time?
    pub(super) fn is_trickled(&self) -> bool {
        self.trickled
    }

    /// Is a message with this id for it?
    pub(super) fn knows(&self, number: u64) -> bool {
        match &self.hearing {
            Hearing::Neo { id, sentinel, .. } => number == id.get() || number == sentinel.get(),
            Hearing::Legacy { .. } => true,
        }
    }

    /// A message came, or bytes.
    pub(super) fn hear(&mut self, number: u64, payload: Bytes) {
        match &mut self.hearing {
            Hearing::Neo {
                sentinel,
                heard,
                answers,
                ..
            } => match number == sentinel.get() {
                true => *answers += 1,
                false => heard.push(payload),
            },
            Hearing::Legacy { heard, .. } => heard.extend_from_slice(&payload),
        }
    }

    /// What follows, if it has waited for what came.
    pub(super) fn goes_on(&mut self) -> Option<Vec<u8>> {
        let then = match &self.stage {
            Stage::Begun(messages, then) if self.hearing.has_heard(*messages) => then.clone(),
            Stage::Asked if self.hearing.is_answered() => Vec::new(),
            _ => return None,
        };
        self.stage = Stage::Watching;
        Some([then, self.sentinel.clone()].concat())
    }

    /// Has the node answered what stands behind it?
    pub(super) fn sentinel_answered(&self) -> bool {
        self.stage == Stage::Watching && self.hearing.is_sentinel_answered()
    }

    /// May requests be left that go on telling something?
    pub(super) fn leaves_something(&self) -> bool {
        use RequestCode::{GetAll, Mirror, Update};
        match &self.hearing {
            Hearing::Neo { code, .. } => {
                matches!(code, Mirror | GetAll | Update) || self.defect == Defect::RepeatedOpening
            }
            Hearing::Legacy { .. } => false,
        }
    }

    /// The verdict over what the node did: how the step ended, or what is broken.
    pub(super) fn verdict(self, after: After) -> Result<Ending, Violation> {
        if matches!(self.stage, Stage::Begun(..)) && after == After::Closed {
            let lost = "the connection ended before it was said".to_owned();
            return Ok(Ending::Unknown(lost));
        }
        match self.hearing {
            Hearing::Neo { code, heard, .. } => {
                let reaction = verdict::neo::Reaction { heard, after };
                verdict::neo::verdict(self.defect, code, &reaction)
            }
            Hearing::Legacy {
                operation,
                before,
                mut heard,
                ..
            } => {
                if after == After::Alive {
                    let answer = verdict::legacy::version().len();
                    heard.truncate(heard.len().saturating_sub(answer));
                }
                let reaction = verdict::legacy::Reaction {
                    operation,
                    before,
                    heard,
                    after,
                };
                verdict::legacy::verdict(self.defect, &reaction)
            }
        }
    }
}
