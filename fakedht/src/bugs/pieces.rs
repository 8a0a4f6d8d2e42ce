//! Takes what a client sends apart into messages, so that bugs can act on them.
//!
//! The parser of connections answers what is wrong with a violation; this one has to let bugs at headers
//! that are wrong, and passes on as it is whatever it cannot take apart: what is wrong with it is the
//! connection's to say.

use std::collections::VecDeque;
use std::mem::take;

use bytes::{Buf, BytesMut};
use dht_protocol::neo::RequestId;
use dht_protocol::neo::header::{HEADER_LEN, Header, Kind};

use super::wire::{Frame, InputBug, Phase, RawHeader, Reading, request_id};

/// A piece of a client's input.
pub(super) enum Piece {
    /// Bytes to pass on.
    Raw(Vec<u8>),
    /// The body of an authentication message.
    Authentication(Vec<u8>),
    /// A message of a request: id and payload.
    Request(RequestId, Vec<u8>),
}

/// What kind of bytes come next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The version byte comes first. Whatever comes with it is wrong.
    Version,
    Messages,
    /// Something was wrong.
    Anything,
}

/// A client's input, of which pieces are taken.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) stage: Stage,
    /// The largest message that is taken apart, in bytes of its body.
    limit: u64,
    /// What was fed, and no bug has seen yet.
    fed: VecDeque<Vec<u8>>,
    /// What bugs have made of it.
    segments: VecDeque<Vec<u8>>,
    input: BytesMut,
    /// The header of the message whose body is awaited.
    header: Option<Header>,
    /// How many bytes are still to be passed over.
    skip: u64,
    /// In how many segments the message at the start of the input came so far, and how many messages of
    /// the last one came before it.
    came: (usize, usize),
}

impl Pieces {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            stage: Stage::Version,
            limit,
            fed: VecDeque::new(),
            segments: VecDeque::new(),
            input: BytesMut::new(),
            header: None,
            skip: 0,
            came: (0, 0),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.fed.push_back(bytes.to_vec());
        }
    }

    /// The next piece of what was fed, if it is complete.
    pub(super) fn next(&mut self, phase: Phase, bugs: &mut [Box<dyn InputBug>]) -> Option<Piece> {
        loop {
            if let Some(piece) = self.take_piece(phase, bugs) {
                return Some(piece);
            }
            let segment = match self.segments.pop_front() {
                Some(segment) => segment,
                None => {
                    let fed = self.fed.pop_front()?;
                    self.segments = taken_for(fed, phase, bugs);
                    continue;
                }
            };
            let begins = self.input.is_empty() && self.header.is_none();
            self.came = (if begins { 1 } else { self.came.0 + 1 }, 0);
            self.input.extend_from_slice(&segment);
        }
    }

    /// The next piece of the input, if it is complete.
    fn take_piece(&mut self, phase: Phase, bugs: &mut [Box<dyn InputBug>]) -> Option<Piece> {
        match self.stage {
            _ if self.input.is_empty() && self.header.is_none() => None,
            Stage::Version => {
                self.stage = Stage::Messages;
                Some(Piece::Raw(take(&mut self.input).into()))
            }
            Stage::Anything => Some(Piece::Raw(take(&mut self.input).into())),
            Stage::Messages => self.take_message(phase, bugs),
        }
    }

    fn take_message(&mut self, phase: Phase, bugs: &mut [Box<dyn InputBug>]) -> Option<Piece> {
        loop {
            self.pass_over();
            let header = match self.header {
                Some(header) => header,
                None => match self.take_header(phase, bugs)? {
                    Ok(Some(header)) => *self.header.insert(header),
                    Ok(None) => continue,
                    Err(raw) => return Some(raw),
                },
            };
            let length = usize::try_from(header.body_len).ok()?;
            if self.input.len() < length {
                return None;
            }
            let mut body = self.input.split_to(length).to_vec();
            self.header = None;
            let (segments, place) = self.came;
            self.came = (1, place + 1);
            let frame = Frame {
                phase,
                segments,
                place,
            };
            let mut readings = bugs.iter_mut().map(|bug| bug.body(&frame, &mut body));
            if readings.all(|reading| reading == Reading::Take) {
                return Some(piece(header.kind, body));
            }
        }
    }

    /// Drops what is to be passed over, as far as it is there.
    fn pass_over(&mut self) {
        let there =
            usize::try_from(self.skip).map_or(self.input.len(), |skip| skip.min(self.input.len()));
        self.input.advance(there);
        self.skip -= there as u64;
    }

    /// The header at the start of the input, if it is there: `None` if its message is passed over, the
    /// rest of the input if the header is wrong.
    fn take_header(
        &mut self,
        phase: Phase,
        bugs: &mut [Box<dyn InputBug>],
    ) -> Option<Result<Option<Header>, Piece>> {
        let mut header = RawHeader::decode(*self.input.first_chunk::<HEADER_LEN>()?);
        self.input.advance(HEADER_LEN);
        for bug in bugs {
            if bug.header(phase, &mut header) == Reading::Skip {
                self.skip = header.body_len;
                return Some(Ok(None));
            }
        }
        let bytes = header.encode();
        Some(match Header::decode(bytes, self.limit) {
            Ok(header) if header.kind == phase.expected() => Ok(Some(header)),
            _ => {
                self.stage = Stage::Anything;
                let rest = take(&mut self.input);
                Err(Piece::Raw([&bytes[..], &rest].concat()))
            }
        })
    }
}

/// What bugs take a segment for.
fn taken_for(segment: Vec<u8>, phase: Phase, bugs: &mut [Box<dyn InputBug>]) -> VecDeque<Vec<u8>> {
    let mut segments = vec![segment];
    for bug in bugs {
        segments = segments
            .into_iter()
            .flat_map(|segment| bug.segment(phase, segment))
            .collect();
    }
    segments.into()
}

/// A message of this kind.
fn piece(kind: Kind, body: Vec<u8>) -> Piece {
    match (kind, request_id(&body)) {
        (Kind::Authentication, _) => Piece::Authentication(body),
        (Kind::Request, Some((id, payload))) => Piece::Request(id, payload.to_vec()),
        // Request id 0, or a body that a bug has made too short for an id.
        (Kind::Request, None) => {
            let header = Header {
                kind,
                body_len: body.len() as u64,
            };
            Piece::Raw([&header.encode()[..], &body].concat())
        }
    }
}
