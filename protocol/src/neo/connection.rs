//! A connection without I/O: bytes of the peer go in, events and bytes for the peer come out.
//!
//! The driver moves bytes: it [feeds](Connection::feed) what it reads, takes
//! [events](Connection::next_event) until there are none, and writes what stands in
//! [`output`](Connection::output). An error ends the connection; what stands in the output by then is
//! still meant for the peer.

use bytes::Bytes;

use super::frame::{FrameBuffer, write_request};
use super::handshake::Handshake;
use super::header::{ID_LEN, Kind, RequestId};
use super::violation::Violation;
use super::{Limits, Now, VERSION};

/// One side of a connection; which one is said by `H`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Connection<H> {
    phase: Phase<H>,
    input: FrameBuffer,
    output: Vec<u8>,
    limits: Limits,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Phase<H> {
    Version(H),
    Authentication(H),
    Open,
    Closed,
}

/// What happened on a connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Event<E> {
    /// The authentication succeeded; requests may be sent.
    Established(E),
    /// A message of a request came.
    Message {
        /// The request.
        id: RequestId,
        /// What came behind the request's id.
        payload: Bytes,
    },
}

impl<H: Handshake> Connection<H> {
    /// A connection on which nothing has been said yet.
    pub fn new(handshake: H, limits: Limits) -> Self {
        let output = if H::SPEAKS_FIRST {
            vec![VERSION]
        } else {
            Vec::new()
        };
        Self {
            phase: Phase::Version(handshake),
            input: FrameBuffer::default(),
            output,
            limits,
        }
    }

    /// Adds bytes as they came from the peer.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !matches!(self.phase, Phase::Closed) {
            self.input.feed(bytes);
        }
    }

    /// What the bytes fed so far mean, one event at a time. After an error the connection is closed
    /// and gives no further events.
    pub fn next_event(&mut self, now: Now) -> Result<Option<Event<H::Established>>, Violation> {
        let event = self.advance(now);
        if event.is_err() {
            self.close();
        }
        event
    }

    /// Writes a message of a request to the output. Only an open connection takes messages; on any
    /// other there is nobody to read them and they are dropped.
    pub fn send(&mut self, id: RequestId, payload: &[u8]) {
        if self.is_open() {
            write_request(&mut self.output, id, payload);
        }
    }

    /// Bytes for the peer that the driver has not taken yet. The driver removes what it has written.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// How many bytes wait in the output.
    pub fn output_len(&self) -> usize {
        self.output.len()
    }

    /// Has the authentication succeeded, and nothing gone wrong since?
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Nothing more is read; input that was not looked at is forgotten.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
        self.input = FrameBuffer::default();
    }

    fn advance(&mut self, now: Now) -> Result<Option<Event<H::Established>>, Violation> {
        if matches!(self.phase, Phase::Version(_)) {
            // Nothing may have come behind the version yet.
            return self.exchange_versions(now).map(|()| None);
        }
        while let Phase::Authentication(handshake) = &mut self.phase {
            let Some(body) = self.input.next(Kind::Authentication, self.limits.message)? else {
                return Ok(None);
            };
            if let Some(established) = handshake.receive(&body, &mut self.output)? {
                self.phase = Phase::Open;
                return Ok(Some(Event::Established(established)));
            }
        }
        if !self.is_open() {
            return Ok(None);
        }
        self.input
            .next(Kind::Request, self.limits.message)?
            .map(message)
            .transpose()
    }

    /// Takes the peer's version byte if it is there. The side that is spoken to answers before it
    /// compares (`neo-transport.md` Q2).
    fn exchange_versions(&mut self, now: Now) -> Result<(), Violation> {
        let Some(version) = self.input.take_byte() else {
            return Ok(());
        };
        let extra = self.input.len();
        // The side that spoke first has been answered, but may not be told anything more yet.
        if extra > 0 {
            return Err(Violation::EarlyBytes { extra });
        }
        if !H::SPEAKS_FIRST {
            self.output.push(VERSION);
        }
        if version != VERSION {
            return Err(Violation::Version { version });
        }
        if let Phase::Version(mut handshake) = std::mem::replace(&mut self.phase, Phase::Closed) {
            handshake.begin(now.unix, &mut self.output);
            self.phase = Phase::Authentication(handshake);
        }
        Ok(())
    }
}

fn message<E>(body: Bytes) -> Result<Event<E>, Violation> {
    // The header has been checked to leave room for the id.
    let id = body
        .first_chunk::<ID_LEN>()
        .map_or(0, |id| u64::from_le_bytes(*id));
    let id = RequestId::new(id).ok_or(Violation::ZeroRequestId)?;
    Ok(Event::Message {
        id,
        payload: body.slice(ID_LEN..),
    })
}

#[cfg(test)]
mod tests;
