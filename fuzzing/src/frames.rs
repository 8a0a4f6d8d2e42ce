//! Messages in a stream of bytes.

use bytes::Bytes;
use dht_protocol::neo::frame::{FrameBuffer, write_authentication, write_request};
use dht_protocol::neo::header::{HEADER_LEN, Header, ID_LEN};
use dht_protocol::neo::{Kind, RequestId, Violation};

use crate::memory;
use crate::pieces::pieces;

/// The largest message that is accepted.
const LIMIT: u64 = 4096;

/// Frames are the same however the stream is cut. The first byte says how it is cut, and of which kind the
/// messages are; the rest is the stream.
pub fn frames(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let kind = match seed % 2 {
        0 => Kind::Request,
        _ => Kind::Authentication,
    };
    memory::bounded(data, 64, || {
        let at_once = read([stream], kind);
        let in_pieces = read(pieces(seed / 2, stream), kind);
        assert_eq!(at_once, in_pieces, "cut differently");
        at_once.check(stream, kind);
    });
}

/// What came out of a stream.
#[derive(Debug, Eq, PartialEq)]
struct Heard {
    bodies: Vec<Bytes>,
    violation: Option<Violation>,
    /// Bytes of a message that is not complete, if nothing was wrong.
    left: usize,
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, kind: Kind) -> Heard {
    let mut buffer = FrameBuffer::default();
    let mut heard = Heard {
        bodies: Vec::new(),
        violation: None,
        left: 0,
    };
    for piece in pieces {
        buffer.feed(piece);
        loop {
            match buffer.next(kind, LIMIT) {
                Ok(Some(body)) => heard.bodies.push(body),
                Ok(None) => break,
                Err(violation) => {
                    heard.violation = Some(violation);
                    return heard;
                }
            }
        }
    }
    heard.left = buffer.len();
    heard
}

impl Heard {
    /// Written again it is the beginning of the stream, and the rest is what is left or wrong.
    fn check(&self, stream: &[u8], kind: Kind) {
        let mut again = Vec::with_capacity(stream.len());
        for body in &self.bodies {
            match (kind, body.split_first_chunk::<ID_LEN>()) {
                (Kind::Authentication, _) => write_authentication(&mut again, body),
                (Kind::Request, Some((id, payload))) => {
                    match RequestId::new(u64::from_le_bytes(*id)) {
                        Some(id) => write_request(&mut again, id, payload),
                        // The id is looked at by who knows of requests.
                        None => again.extend(forged(body)),
                    }
                }
                (Kind::Request, None) => panic!("a request message without an id: {body:02x?}"),
            }
        }
        let rest = stream.strip_prefix(&*again);
        let rest = rest.expect("the messages are not what the stream begins with");
        let wrong = rest.first_chunk::<HEADER_LEN>().and_then(|bytes| {
            match Header::decode(*bytes, LIMIT) {
                Ok(header) if header.kind != kind => Some(Violation::Phase { kind: header.kind }),
                Ok(_) => None,
                Err(violation) => Some(violation),
            }
        });
        assert_eq!(self.violation, wrong);
        if self.violation.is_none() {
            assert_eq!(self.left, rest.len());
        }
    }
}

fn forged(body: &[u8]) -> Vec<u8> {
    let header = Header {
        kind: Kind::Request,
        body_len: body.len() as u64,
    };
    [&header.encode()[..], body].concat()
}

/// A header that is understood is written the same way; the parity is judged first, and no length above the
/// limit passes.
pub fn header(data: &[u8]) {
    let Some((bytes, limit)) = data.split_first_chunk::<HEADER_LEN>() else {
        return;
    };
    let limit = limit
        .first_chunk()
        .map_or(LIMIT, |limit| u64::from_le_bytes(*limit));
    judge(*bytes, limit, Header::decode(*bytes, limit));
}

fn judge(bytes: [u8; HEADER_LEN], limit: u64, decoded: Result<Header, Violation>) {
    let parity = bytes.iter().fold(0, |parity, byte| parity ^ byte);
    match decoded {
        Ok(header) => {
            assert_eq!(header.encode(), bytes);
            match header.kind {
                Kind::Request => assert!((8..=limit).contains(&header.body_len)),
                Kind::Authentication => assert!(header.body_len < 1000),
            }
        }
        Err(violation) => {
            let of_parity = matches!(violation, Violation::Parity { .. });
            assert_eq!(of_parity, parity != 0, "{violation}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrong::is_noticed;

    fn stream() -> Vec<u8> {
        let mut stream = Vec::new();
        write_request(&mut stream, RequestId::FIRST, b"one");
        write_request(&mut stream, RequestId::FIRST, b"two");
        stream.extend([1, 2]);
        stream
    }

    #[test]
    fn what_is_read_wrongly_is_noticed() {
        let (stream, kind) = (stream(), Kind::Request);
        let right = || read([&*stream], kind);
        right().check(&stream, kind);
        let mistakes: [fn(&mut Heard); 5] = [
            |heard| drop(heard.bodies.remove(0)),
            |heard| heard.bodies.swap(0, 1),
            |heard| heard.bodies.truncate(1),
            |heard| heard.left += 1,
            |heard| heard.violation = Some(Violation::ZeroRequestId),
        ];
        for (number, mistake) in mistakes.into_iter().enumerate() {
            let mut heard = right();
            mistake(&mut heard);
            assert!(is_noticed(|| heard.check(&stream, kind)), "{number}");
        }
        let mut unseen = stream;
        unseen.extend([0xff; HEADER_LEN]);
        let mut heard = read([&*unseen], kind);
        heard.check(&unseen, kind);
        heard.violation = None;
        assert!(is_noticed(|| heard.check(&unseen, kind)));
    }

    #[test]
    fn a_header_that_is_judged_wrongly_is_noticed() {
        let header = Header {
            kind: Kind::Request,
            body_len: 9,
        };
        let (bytes, mut odd) = (header.encode(), header.encode());
        odd[9] ^= 1;
        judge(bytes, 9, Ok(header));
        let parity = Header::decode(odd, 9);
        assert!(parity.is_err());
        judge(odd, 9, parity.clone());
        let other = Header {
            body_len: 10,
            ..header
        };
        for (bytes, limit, decoded) in [
            (bytes, 8, Ok(header)),
            (bytes, 9, Ok(other)),
            (bytes, 9, parity),
            (odd, 9, Ok(header)),
            (odd, 9, Err(Violation::Phase { kind: header.kind })),
        ] {
            assert!(is_noticed(|| judge(bytes, limit, decoded)));
        }
    }
}
