//! Whole messages out of a stream of bytes, however the bytes were cut, and messages into one.

use bytes::{Buf, Bytes, BytesMut};

use super::header::{HEADER_LEN, Header, ID_LEN, Kind, RequestId};
use super::violation::Violation;

/// Collects bytes until a message is complete.
///
/// A header is checked as soon as its ten bytes are there; memory grows with the bytes that came, not
/// with the length that a header announces.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct FrameBuffer {
    bytes: BytesMut,
    header: Option<Header>,
}

impl FrameBuffer {
    /// Adds bytes as they came from the peer.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the first byte, if there is one; the version byte is not framed.
    pub(super) fn take_byte(&mut self) -> Option<u8> {
        (!self.bytes.is_empty()).then(|| self.bytes.get_u8())
    }

    /// Bytes that are not part of a message taken yet.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.header.map_or(0, |_| HEADER_LEN)
    }

    /// Is there nothing left over?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The body of the next message if it is complete. A message that is not of the `expected` kind
    /// is refused, and so is a request message above `limit` bytes.
    pub fn next(&mut self, expected: Kind, limit: u64) -> Result<Option<Bytes>, Violation> {
        let header = match self.header {
            Some(header) => header,
            None => {
                let Some(bytes) = self.bytes.first_chunk::<HEADER_LEN>() else {
                    return Ok(None);
                };
                let header = Header::decode(*bytes, limit)?;
                if header.kind != expected {
                    return Err(Violation::Phase { kind: header.kind });
                }
                self.bytes.advance(HEADER_LEN);
                *self.header.insert(header)
            }
        };
        // A length above `usize::MAX` cannot be in the buffer either.
        let body_len = usize::try_from(header.body_len).unwrap_or(usize::MAX);
        if self.bytes.len() < body_len {
            return Ok(None);
        }
        self.header = None;
        Ok(Some(self.bytes.split_to(body_len).freeze()))
    }
}

/// Appends an authentication message to `out`.
pub fn write_authentication(out: &mut Vec<u8>, body: &[u8]) {
    let header = Header {
        kind: Kind::Authentication,
        body_len: body.len() as u64,
    };
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(body);
}

/// Appends a request message to `out`.
pub fn write_request(out: &mut Vec<u8>, id: RequestId, payload: &[u8]) {
    let header = Header {
        kind: Kind::Request,
        body_len: (ID_LEN + payload.len()) as u64,
    };
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(&id.get().to_le_bytes());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_survive_any_cutting(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
            cuts in prop::collection::vec(1usize..50, 1..40),
        ) {
            let id = RequestId::FIRST;
            let mut stream = Vec::new();
            for payload in &payloads {
                write_request(&mut stream, id, payload);
            }
            let (mut buffer, mut received, mut cuts) = (FrameBuffer::default(), Vec::new(), cuts.iter().cycle());
            while !stream.is_empty() {
                let rest = stream.split_off(stream.len().min(*cuts.next().unwrap()));
                buffer.feed(&stream);
                stream = rest;
                while let Some(body) = buffer.next(Kind::Request, u64::MAX).unwrap() {
                    received.push(body[ID_LEN..].to_vec());
                }
            }
            prop_assert_eq!(received, payloads);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut buffer = FrameBuffer::default();
            buffer.feed(&bytes);
            while let Ok(Some(_)) = buffer.next(Kind::Request, u64::MAX) {}
        }
    }

    #[test]
    fn messages_are_written_as_the_specification_shows_them() {
        // `neo-transport.md` 8.5 and 14.1.
        let id = RequestId::new(5).unwrap();
        let mut out = Vec::new();
        write_request(&mut out, id, &[11, 0]);
        let header = [1, 10, 0, 0, 0, 0, 0, 0, 0, 11];
        assert_eq!(
            out,
            [&header[..], &[5, 0, 0, 0, 0, 0, 0, 0, 11, 0]].concat()
        );
        out.clear();
        write_authentication(&mut out, &[0xec, 0x27, 0x4c, 0xa2]);
        assert_eq!(out, [2, 4, 0, 0, 0, 0, 0, 0, 0, 6, 0xec, 0x27, 0x4c, 0xa2]);
    }

    #[test]
    fn a_message_of_the_other_kind_is_refused_on_its_header() {
        let mut buffer = FrameBuffer::default();
        buffer.feed(&[2, 4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            buffer.next(Kind::Request, 9),
            Ok(None),
            "nine bytes are no header"
        );
        buffer.feed(&[6]);
        let kind = Kind::Authentication;
        assert_eq!(
            buffer.next(Kind::Request, 9),
            Err(Violation::Phase { kind })
        );
    }

    #[test]
    fn a_header_that_was_looked_at_is_still_left_over() {
        let (mut buffer, mut message) = (FrameBuffer::default(), Vec::new());
        assert!(buffer.is_empty());
        write_request(&mut message, RequestId::FIRST, b"abc");
        let (first, last) = message.split_at(20);
        buffer.feed(first);
        assert_eq!(buffer.next(Kind::Request, 100), Ok(None));
        assert_eq!((buffer.len(), buffer.is_empty()), (20, false));
        buffer.feed(last);
        assert!(buffer.next(Kind::Request, 100).unwrap().is_some());
        assert_eq!((buffer.len(), buffer.is_empty()), (0, true));
    }

    #[test]
    fn an_announced_length_costs_nothing() {
        let mut buffer = FrameBuffer::default();
        buffer.feed(
            &Header {
                kind: Kind::Request,
                body_len: 1 << 63,
            }
            .encode(),
        );
        assert_eq!(buffer.next(Kind::Request, u64::MAX), Ok(None));
        assert!(buffer.bytes.capacity() < 1024);
    }
}
