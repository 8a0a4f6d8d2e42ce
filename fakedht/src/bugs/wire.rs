//! Bytes on the wire: where bugs act below the messages of requests.

use dht_protocol::neo::frame::write_authentication;
use dht_protocol::neo::header::{HEADER_LEN, Header, ID_LEN, Kind};
use dht_protocol::neo::{Limits, RequestId};

use super::seam::Seam;

/// How far a connection has got, by what is expected next of the client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Version,
    /// Its time, the first message of the authentication.
    Time,
    /// Its name and code, the second message.
    Proof,
    Open,
}

impl Phase {
    pub(super) fn is_authentication(self) -> bool {
        matches!(self, Self::Time | Self::Proof)
    }

    /// What kind of message may come.
    pub(super) fn expected(self) -> Kind {
        match self {
            Self::Open => Kind::Request,
            Self::Version | Self::Time | Self::Proof => Kind::Authentication,
        }
    }
}

/// A header as it came, which need not be right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RawHeader {
    /// The type of the message: 1 for requests, 2 for authentication.
    pub(super) code: u8,
    pub(super) body_len: u64,
    pub(super) parity: u8,
}

impl RawHeader {
    pub(super) fn decode(bytes: [u8; HEADER_LEN]) -> Self {
        let [code, length @ .., parity] = bytes;
        Self {
            code,
            body_len: u64::from_le_bytes(length),
            parity,
        }
    }

    pub(super) fn encode(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.code;
        bytes[1..9].copy_from_slice(&self.body_len.to_le_bytes());
        bytes[9] = self.parity;
        bytes
    }

    /// What the parity should be.
    pub(super) fn right_parity(self) -> u8 {
        let length = self.body_len.to_le_bytes();
        length
            .into_iter()
            .fold(self.code, |parity, byte| parity ^ byte)
    }

    pub(super) fn has_right_parity(self) -> bool {
        self.parity == self.right_parity()
    }

    /// Is it longer than what the node takes?
    pub(super) fn is_huge(self) -> bool {
        self.has_right_parity() && self.body_len > Limits::default().message
    }

    /// Makes the parity right.
    pub(super) fn correct(&mut self) {
        self.parity = self.right_parity();
    }
}

/// A whole message of a client whose header is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) phase: Phase,
    /// In how many segments it came.
    pub(super) segments: usize,
    /// How many messages were completed by the same segment before it.
    pub(super) place: usize,
}

/// Is something read or passed over?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    Take,
    /// The message is passed over, its body included.
    Skip,
}

/// Acts on what a client sends.
pub(super) trait InputBug: Send {
    /// Bytes that came in one piece. What they are taken for: one or several such pieces.
    fn segment(&mut self, _: Phase, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        vec![bytes]
    }

    /// A header, before its body is there.
    fn header(&mut self, _: Phase, _: &mut RawHeader) -> Reading {
        Reading::Take
    }

    /// The body of a message. If its length changes, the header is corrected.
    fn body(&mut self, _: &Frame, _: &mut Vec<u8>) -> Reading {
        Reading::Take
    }
}

/// Acts on what clients send.
pub(super) fn input(bug: impl InputBug + 'static) -> Seam {
    Seam::Input(Box::new(bug))
}

/// Bytes that came in one piece are taken for something else.
pub(super) fn segments(
    taken_for: impl FnMut(Phase, Vec<u8>) -> Vec<Vec<u8>> + Send + 'static,
) -> Seam {
    input(OnSegment(taken_for))
}

/// Headers are taken for something else.
pub(super) fn headers(change: impl FnMut(Phase, &mut RawHeader) + Send + 'static) -> Seam {
    let mut change = change;
    input(OnHeader(move |phase, header: &mut RawHeader| {
        change(phase, header);
        Reading::Take
    }))
}

/// Messages are passed over for what their headers say.
pub(super) fn headers_skipped(which: impl Fn(Phase, &RawHeader) -> bool + Send + 'static) -> Seam {
    input(OnHeader(move |phase, header: &mut RawHeader| {
        skip_if(which(phase, header))
    }))
}

/// Bodies are taken for something else.
pub(super) fn bodies(change: impl FnMut(&Frame, &mut Vec<u8>) + Send + 'static) -> Seam {
    let mut change = change;
    input(OnBody(move |frame: &Frame, body: &mut Vec<u8>| {
        change(frame, body);
        Reading::Take
    }))
}

/// Messages are passed over for what their bodies say, or how they came.
pub(super) fn bodies_skipped(which: impl Fn(&Frame, &[u8]) -> bool + Send + 'static) -> Seam {
    input(OnBody(move |frame: &Frame, body: &mut Vec<u8>| {
        skip_if(which(frame, body))
    }))
}

fn skip_if(skip: bool) -> Reading {
    match skip {
        true => Reading::Skip,
        false => Reading::Take,
    }
}

struct OnSegment<F>(F);

impl<F: FnMut(Phase, Vec<u8>) -> Vec<Vec<u8>> + Send> InputBug for OnSegment<F> {
    fn segment(&mut self, phase: Phase, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        (self.0)(phase, bytes)
    }
}

struct OnHeader<F>(F);

impl<F: FnMut(Phase, &mut RawHeader) -> Reading + Send> InputBug for OnHeader<F> {
    fn header(&mut self, phase: Phase, header: &mut RawHeader) -> Reading {
        (self.0)(phase, header)
    }
}

struct OnBody<F>(F);

impl<F: FnMut(&Frame, &mut Vec<u8>) -> Reading + Send> InputBug for OnBody<F> {
    fn body(&mut self, frame: &Frame, body: &mut Vec<u8>) -> Reading {
        (self.0)(frame, body)
    }
}

/// What the node says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// Its version byte.
    Version,
    /// The first message of the authentication.
    Nonce,
    /// The second one.
    Verdict,
    /// A message of a request.
    Message,
}

/// Acts on what the node sends: the version byte, or a message with its header.
pub(super) type OutputBug = Box<dyn FnMut(Said, &mut Vec<u8>) + Send>;

/// Everything that the node says may become something else.
pub(super) fn output(bug: impl FnMut(Said, &mut Vec<u8>) + Send + 'static) -> Seam {
    Seam::Output(Box::new(bug))
}

/// Something that the node says becomes something else.
pub(super) fn saying(what: Said, change: impl Fn(&mut Vec<u8>) + Send + 'static) -> Seam {
    output(move |said, bytes| {
        if said == what {
            change(bytes);
        }
    })
}

/// An authentication message with this body.
pub(super) fn authentication(body: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    write_authentication(&mut message, body);
    message
}

/// Id and payload in the body of a request message, if the id can be one.
pub(super) fn request_id(body: &[u8]) -> Option<(RequestId, &[u8])> {
    let (id, payload) = body.split_first_chunk::<ID_LEN>()?;
    Some((RequestId::new(u64::from_le_bytes(*id))?, payload))
}

/// Kind of the message at the start of what a node says, and its bytes, header included.
pub(super) fn message(said: &[u8]) -> Option<(Kind, usize)> {
    let header = said.first_chunk::<HEADER_LEN>()?;
    let header = Header::decode(*header, u64::MAX).ok()?;
    let length = HEADER_LEN.checked_add(usize::try_from(header.body_len).ok()?)?;
    (length <= said.len()).then_some((header.kind, length))
}
