//! Where messages end in one direction of a connection.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::header::{HEADER_LEN, Header, ID_LEN, Kind};

/// Follows the bytes of one direction from the first one on, without keeping them.
#[derive(Debug)]
pub(crate) struct Messages {
    at: At,
}

#[derive(Debug)]
enum At {
    /// Before the version byte.
    Version,
    /// In a header, of which so many bytes have come.
    Header {
        bytes: [u8; HEADER_LEN],
        have: usize,
    },
    /// In a body, of which so many bytes are to come.
    Body { left: u64, is_request: bool },
    /// Nowhere: what comes at once is a message.
    Plain,
    /// Behind something that is no header. Nobody knows what follows.
    Lost,
}

/// Bytes that belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Piece {
    /// How many.
    pub(crate) len: usize,
    /// They belong to a message of a request.
    pub(crate) is_request: bool,
    /// That message begins here.
    pub(crate) begins: bool,
    /// That message ends here.
    pub(crate) ends: bool,
}

/// The request that a whole message of one belongs to, and what the message says.
pub(crate) fn request(message: &[u8]) -> Option<(RequestId, &[u8])> {
    let (id, payload) = message.get(HEADER_LEN..)?.split_first_chunk::<ID_LEN>()?;
    Some((RequestId::new(u64::from_le_bytes(*id))?, payload))
}

const HEADER: At = At::Header {
    bytes: [0; HEADER_LEN],
    have: 0,
};

impl Default for Messages {
    /// Nothing has come yet.
    fn default() -> Self {
        Self { at: At::Version }
    }
}

impl Messages {
    /// Of a connection that is not neo's: what comes at once is taken for a message.
    pub(crate) fn plain() -> Self {
        Self { at: At::Plain }
    }

    /// The offsets in `bytes`, which follow the last ones, behind which a message of a request is complete.
    pub(crate) fn ends(&mut self, bytes: &[u8]) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let piece = self.next(&bytes[at..]);
            at += piece.len;
            if piece.is_request && piece.ends {
                ends.push(at);
            }
        }
        ends
    }

    /// How many bytes of the message that has begun are still to come, if that is known.
    pub(crate) fn left(&self) -> u64 {
        match self.at {
            At::Body { left, .. } => left,
            At::Version | At::Header { .. } | At::Plain | At::Lost => 0,
        }
    }

    /// What `bytes`, of which there is at least one, begin with. They are what follows the last piece.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Piece {
        let mut piece = Piece {
            len: bytes.len(),
            is_request: false,
            begins: false,
            ends: false,
        };
        match &mut self.at {
            At::Plain => {
                (piece.is_request, piece.begins, piece.ends) = (true, true, true);
            }
            At::Version => {
                piece.len = 1.min(bytes.len());
                self.at = HEADER;
            }
            At::Header {
                bytes: header,
                have,
            } => {
                piece.begins = *have == 0;
                piece.len = bytes.len().min(HEADER_LEN - *have);
                header[*have..*have + piece.len].copy_from_slice(&bytes[..piece.len]);
                *have += piece.len;
                // Authentication messages have the code 2.
                piece.is_request = header[0] == 1;
                if *have == HEADER_LEN {
                    self.at = match Header::decode(*header, u64::MAX) {
                        Ok(header) if header.body_len == 0 => HEADER,
                        Ok(header) => At::Body {
                            left: header.body_len,
                            is_request: header.kind == Kind::Request,
                        },
                        Err(_) => At::Lost,
                    };
                }
            }
            At::Body { left, is_request } => {
                let rest = usize::try_from(*left).unwrap_or(usize::MAX);
                piece.len = bytes.len().min(rest);
                piece.is_request = *is_request;
                *left -= piece.len as u64;
                piece.ends = *left == 0;
                if piece.ends {
                    self.at = HEADER;
                }
            }
            At::Lost => {}
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::RequestId;
    use dht_protocol::neo::frame::{write_authentication, write_request};

    use super::*;

    /// How often messages of requests begin and end in these bytes, if they come in chunks of that length.
    fn count(stream: &[u8], chunk: usize) -> (usize, usize, usize) {
        let mut messages = Messages::default();
        let (mut begun, mut ended, mut bytes) = (0, 0, 0);
        for mut rest in stream.chunks(chunk) {
            while !rest.is_empty() {
                let piece = messages.next(rest);
                assert!(piece.len > 0);
                begun += usize::from(piece.is_request && piece.begins);
                ended += usize::from(piece.is_request && piece.ends);
                bytes += if piece.is_request { piece.len } else { 0 };
                rest = &rest[piece.len..];
            }
        }
        (begun, ended, bytes)
    }

    #[test]
    fn only_messages_of_requests_count() {
        let mut stream = vec![1];
        write_authentication(&mut stream, &[]);
        write_authentication(&mut stream, b"name");
        let requests = stream.len();
        write_request(&mut stream, RequestId::FIRST, b"");
        write_request(&mut stream, RequestId::FIRST, &[7; 300]);
        for chunk in [1, 2, 9, 10, 11, 64, stream.len()] {
            let counted = count(&stream, chunk);
            assert_eq!(
                counted,
                (2, 2, stream.len() - requests),
                "chunks of {chunk}"
            );
        }
    }

    #[test]
    fn a_message_names_its_request() {
        let mut message = Vec::new();
        let id = RequestId::FIRST.next();
        write_request(&mut message, id, b"payload");
        assert_eq!(request(&message), Some((id, &b"payload"[..])));
        assert_eq!(request(&message[..HEADER_LEN + ID_LEN - 1]), None);
        assert_eq!(request(&[0; HEADER_LEN + ID_LEN]), None);
    }

    #[test]
    fn ends_are_found_however_the_bytes_come() {
        let mut stream = vec![1];
        write_authentication(&mut stream, &[0; 8]);
        let mut expected = Vec::new();
        for len in [2, 0, 300] {
            write_request(&mut stream, RequestId::FIRST, &vec![7; len]);
            expected.push(stream.len());
        }
        for chunk in 1..40 {
            let mut messages = Messages::default();
            let chunks = stream.chunks(chunk).enumerate();
            let found: Vec<_> = chunks
                .flat_map(|(number, bytes)| {
                    let ends = messages.ends(bytes).into_iter();
                    ends.map(move |end| number * chunk + end)
                })
                .collect();
            assert_eq!(found, expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn behind_a_wrong_header_nothing_counts() {
        let mut stream = vec![1];
        stream.extend([1; HEADER_LEN - 1]);
        stream.push(9);
        write_request(&mut stream, RequestId::FIRST, b"x");
        assert_eq!(count(&stream, 5).1, 0);
    }
}
