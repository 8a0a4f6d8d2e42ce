//! A monitor for who hears bytes: the messages of both directions out of what passes on a connection.

use super::{Breach, Monitor};
use crate::neo::Limits;
use crate::neo::dissect::Side;
use crate::neo::frame::FrameBuffer;
use crate::neo::header::{ID_LEN, Kind};

/// Hears one connection from its version bytes on, however the bytes are cut, and has its [`Monitor`] judge
/// the messages of requests.
///
/// Of what is no message at all it says nothing; the peer that receives it does. It is deaf from there on.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    monitor: Monitor,
    client: Direction,
    node: Direction,
    deaf: bool,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
struct Direction {
    frames: FrameBuffer,
    version_seen: bool,
    authenticated: bool,
}

impl Listener {
    /// A connection on which nothing has passed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A listener whose monitor remembers what it has heard of the automata.
    pub fn covering() -> Self {
        Self {
            monitor: Monitor::covering(),
            ..Self::default()
        }
    }

    /// The connection has ended; what is heard next is a new one, from its version bytes on.
    pub fn closed(&mut self) {
        self.client = Direction::default();
        self.node = Direction::default();
        self.deaf = false;
        self.monitor.closed();
    }

    /// Bytes that passed at the client's end, in the order in which they passed there. What is wrong with
    /// the messages that end with them.
    pub fn hear(&mut self, from: Side, bytes: &[u8]) -> Vec<Breach> {
        let mut breaches = Vec::new();
        if self.deaf {
            return breaches;
        }
        let direction = match from {
            Side::Client => &mut self.client,
            Side::Node => &mut self.node,
        };
        direction.feed(bytes);
        loop {
            match direction.next() {
                Ok(Some((id, payload))) => {
                    let judged = match from {
                        Side::Client => self.monitor.sent(id, &payload),
                        Side::Node => self.monitor.received(id, &payload),
                    };
                    breaches.extend(judged.err());
                }
                Ok(None) => return breaches,
                Err(NoMessage) => {
                    self.deaf = true;
                    return breaches;
                }
            }
        }
    }

    /// The monitor, and what it has heard so far.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }
}

/// What passed is no message.
struct NoMessage;

impl Direction {
    fn feed(&mut self, bytes: &[u8]) {
        match bytes {
            [_, rest @ ..] if !self.version_seen => {
                self.version_seen = true;
                self.frames.feed(rest);
            }
            bytes => self.frames.feed(bytes),
        }
    }

    /// The id and the payload of the next message of a request.
    fn next(&mut self) -> Result<Option<(u64, bytes::Bytes)>, NoMessage> {
        let limit = Limits::default().message;
        while !self.authenticated {
            match self.frames.next(Kind::Authentication, limit) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // The first message of another kind ends the authentication; the buffer keeps it.
                Err(_) => self.authenticated = true,
            }
        }
        let frame = self.frames.next(Kind::Request, limit);
        let Some(mut body) = frame.map_err(|_| NoMessage)? else {
            return Ok(None);
        };
        let id = body.first_chunk::<ID_LEN>().ok_or(NoMessage)?;
        let id = u64::from_le_bytes(*id);
        Ok(Some((id, body.split_off(ID_LEN))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neo::frame::{write_authentication, write_request};
    use crate::neo::header::RequestId;
    use crate::testing::hex;

    fn said(from: Side, messages: &[(u64, &str)]) -> (Side, Vec<u8>) {
        let mut bytes = Vec::new();
        for (id, payload) in messages {
            let id = RequestId::new(*id).unwrap();
            write_request(&mut bytes, id, &hex(payload));
        }
        (from, bytes)
    }

    fn conversation() -> Vec<(Side, Vec<u8>)> {
        let mut hello = vec![1];
        write_authentication(&mut hello, b"whatever");
        vec![
            (Side::Client, hello.clone()),
            (Side::Node, hello),
            said(Side::Client, &[(1, "06 00"), (2, "01 00")]),
            said(Side::Node, &[(2, "fd"), (1, "fd"), (1, "03"), (1, "03")]),
        ]
    }

    #[test]
    fn messages_are_judged_however_their_bytes_are_cut() {
        for size in [1, 7, 10_000] {
            let mut listener = Listener::new();
            let mut breaches = Vec::new();
            for (from, bytes) in conversation() {
                for piece in bytes.chunks(size) {
                    breaches.extend(listener.hear(from, piece));
                }
            }
            assert_eq!(breaches.len(), 1, "pieces of {size}: {breaches:?}");
            assert_eq!((breaches[0].id, breaches[0].side), (1, Side::Node));
            assert_eq!(listener.monitor().active(), 1, "the range is told for ever");
        }
    }

    #[test]
    fn nothing_is_heard_behind_what_is_no_message() {
        let mut listener = Listener::new();
        for (from, bytes) in &conversation()[..2] {
            listener.hear(*from, bytes);
        }
        for _ in 0..3 {
            assert_eq!(listener.hear(Side::Node, &[0x55; 100]), []);
        }
        let (from, bytes) = said(Side::Node, &[(1, "fd")]);
        assert_eq!(listener.hear(from, &bytes), []);
        assert!(listener.monitor().coverage().is_none());
    }

    #[test]
    fn after_its_end_another_connection_is_heard() {
        let mut listener = Listener::covering();
        for _ in 0..2 {
            let mut breaches = 0;
            for (from, bytes) in conversation() {
                breaches += listener.hear(from, &bytes).len();
            }
            listener.hear(Side::Client, &[0x55; 100]);
            assert_eq!((breaches, listener.monitor().active()), (1, 1));
            listener.closed();
            assert_eq!(listener.monitor().active(), 0);
        }
        let coverage = listener.monitor().coverage().unwrap();
        assert_eq!(coverage.transitions.len(), 5);
    }
}
