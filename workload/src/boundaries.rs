//! Where messages end in the bytes of one direction of a connection.

use dht_protocol::neo::Kind;
use dht_protocol::neo::frame::FrameBuffer;

/// Follows the bytes of one direction from its beginning: the version byte, the authentication, and then
/// the requests' messages, which alone are counted.
#[derive(Debug, Default)]
pub struct Boundaries {
    frames: FrameBuffer,
    version_seen: bool,
    authenticated: bool,
    /// What passes is no message any more; there are no boundaries then.
    broken: bool,
}

impl Boundaries {
    /// The offsets in `bytes`, which pass next, behind which a message of a request is complete.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut at = 0;
        if let (false, [_, ..]) = (self.version_seen, bytes) {
            self.version_seen = true;
            at = 1;
        }
        if self.broken {
            return ends;
        }
        // What stands in the buffer came with earlier bytes.
        let mut behind = self.frames.len();
        self.frames.feed(&bytes[at..]);
        loop {
            let before = self.frames.len();
            let kind = match self.authenticated {
                true => Kind::Request,
                false => Kind::Authentication,
            };
            match self.frames.next(kind, u64::MAX) {
                Ok(Some(_)) => {
                    let length = before - self.frames.len();
                    at += length - behind;
                    behind = 0;
                    if self.authenticated {
                        ends.push(at);
                    }
                }
                Ok(None) => return ends,
                // The first message of another kind ends the authentication; the buffer keeps it.
                Err(_) if !self.authenticated => self.authenticated = true,
                Err(_) => {
                    self.broken = true;
                    return ends;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::{RequestId, frame};

    use super::*;

    #[test]
    fn only_requests_count_however_they_are_cut() {
        let mut bytes = vec![1];
        frame::write_authentication(&mut bytes, &[0; 8]);
        let mut expected = Vec::new();
        for length in [2, 0, 300] {
            frame::write_request(&mut bytes, RequestId::FIRST, &vec![7; length]);
            expected.push(bytes.len());
        }
        assert_eq!(Boundaries::default().pass(&bytes), expected);
        for size in 1..40 {
            let mut boundaries = Boundaries::default();
            let mut found = Vec::new();
            for (number, piece) in bytes.chunks(size).enumerate() {
                let ends = boundaries.pass(piece);
                found.extend(ends.iter().map(|end| number * size + end));
            }
            assert_eq!(found, expected, "pieces of {size} bytes");
        }
        let mut broken = Boundaries::default();
        assert!(broken.pass(&[0xff; 100]).is_empty());
        assert!(broken.pass(&bytes).is_empty());
    }
}
