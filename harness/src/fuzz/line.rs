//! A connection of the fuzzer's world, and what waits on it.

use std::io;
use std::net::SocketAddrV4;
use std::time::Duration;

use dht_protocol::neo::Now;
use dht_workload::case::{Protocol, Wrong};
use dht_workload::names::Names;
use dht_workload::world::Ticket;
use futures_util::future::BoxFuture;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::forgery::Leaving;
use super::place::Place;
use super::probe::{Probe, Stage};
use super::speech::{Asked, Speech};
use crate::trace::{ConnectionId, Trace};

/// A connection, and the client that speaks on it.
pub(super) struct Line {
    pub(super) speech: Speech,
    /// Where it goes; none if nobody knows where the node speaks the protocol.
    pub(super) address: Option<SocketAddrV4>,
    /// What waits for the connection to be up.
    pub(super) waiting: Vec<Waiting>,
    pub(super) state: State,
    pub(super) output: Sending,
    /// What was said wrongly and is not decided.
    pub(super) probes: Vec<Probe>,
    /// Requests can be sent.
    pub(super) ready: bool,
    /// How often it was tried since requests could be sent last.
    pub(super) attempts: u32,
    /// The node may close it.
    pub(super) excused: bool,
    /// It was closed, and nobody knows why.
    pub(super) unexplained: bool,
    /// Forged requests may be active on it.
    pub(super) soiled: bool,
    /// What a trace calls it.
    pub(super) traced: Option<ConnectionId>,
}

/// What becomes of a connection.
pub(super) enum State {
    /// There is none.
    Down,
    /// It is being opened.
    Connecting(BoxFuture<'static, io::Result<TcpStream>>),
    /// It is there.
    Up(TcpStream),
}

/// What waits for a connection.
pub(super) enum Waiting {
    /// A request.
    Ask(Ticket, Asked),
    /// Something wrong.
    Wrong(Ticket, Wrong, Names),
}

impl Line {
    pub(super) fn new(protocol: Protocol, place: &Place, now: Now) -> Self {
        Self {
            speech: Speech::new(protocol, place, now),
            address: match protocol {
                Protocol::Neo => Some(place.address),
                Protocol::Legacy => place.legacy,
            },
            waiting: Vec::new(),
            state: State::Down,
            output: Sending::default(),
            probes: Vec::new(),
            ready: false,
            attempts: 0,
            excused: false,
            unexplained: false,
            soiled: false,
            traced: None,
        }
    }

    /// Is nothing left on it of what was done?
    pub(super) fn is_clean(&self) -> bool {
        !self.soiled
            && self.speech.is_idle()
            && self.probes.is_empty()
            && self.waiting.is_empty()
            && !self.unexplained
            && !matches!(self.state, State::Down)
    }

    /// Begins to open a connection, after a pause.
    pub(super) fn connect(&mut self, pause: Duration) {
        let Some(address) = self.address else { return };
        self.state = State::Connecting(Box::pin(async move {
            if !pause.is_zero() {
                // Whoever refuses connections may take some a moment later.
                sleep(pause).await;
            }
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }));
    }

    /// It is open.
    pub(super) fn connected(&mut self, stream: TcpStream, trace: Option<&Trace>, now: Now) {
        self.state = State::Up(stream);
        self.output = Sending::default();
        self.soiled = false;
        self.traced = trace.map(Trace::open);
        if let (Some(trace), Some(id), Protocol::Legacy) =
            (trace, self.traced, self.speech.protocol())
        {
            trace.speaks_legacy(id);
        }
        self.speech.connected(now);
    }

    /// It is over.
    pub(super) fn disconnected(&mut self, now: Now) {
        self.speech.disconnected(now);
        self.state = State::Down;
        self.output = Sending::default();
        self.ready = false;
        self.excused = false;
        self.soiled = false;
        self.traced = None;
    }

    /// Does the client want to go when all is sent, or has it gone half?
    pub(super) fn is_leaving(&self) -> bool {
        self.output.shut
            || self
                .probes
                .iter()
                .any(|probe| matches!(probe.stage, Stage::Leaving(_)))
    }

    /// The client leaves, if it wants to. How it did.
    pub(super) fn leave(&mut self) -> Option<Leaving> {
        let State::Up(stream) = &self.state else {
            return None;
        };
        let leaving = |probe: &&mut Probe| matches!(probe.stage, Stage::Leaving(_));
        let probe = self.probes.iter_mut().find(leaving)?;
        let Stage::Leaving(how) = std::mem::replace(&mut probe.stage, Stage::Watching) else {
            return None;
        };
        let socket = SockRef::from(stream);
        // What does not work is as good as done: the connection is gone.
        match how {
            Leaving::Close => {}
            Leaving::Reset => drop(socket.set_linger(Some(Duration::ZERO))),
            Leaving::Half => {
                drop(socket.shutdown(std::net::Shutdown::Write));
                self.output.shut = true;
            }
        }
        Some(how)
    }
}

/// What is on its way to the node: pieces that go out whole, or a byte at a time.
#[derive(Debug, Default)]
pub(super) struct Sending {
    bytes: Vec<u8>,
    /// How many of them are written.
    done: usize,
    /// From where to where a byte is written at a time.
    slow: Option<(usize, usize)>,
    /// Nothing more can be sent.
    pub(super) shut: bool,
}

impl Sending {
    /// These are next.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// These are next, one at a time.
    pub(super) fn add_slowly(&mut self, bytes: &[u8]) {
        let begin = self.slow.map_or(self.bytes.len(), |(begin, _)| begin);
        self.add(bytes);
        self.slow = Some((begin, self.bytes.len()));
    }

    /// What is written next.
    pub(super) fn piece(&self) -> Option<&[u8]> {
        if self.shut || self.done == self.bytes.len() {
            return None;
        }
        let end = match self.slow {
            Some((begin, end)) if (begin..end).contains(&self.done) => self.done + 1,
            Some((begin, _)) if self.done < begin => begin,
            _ => self.bytes.len(),
        };
        Some(&self.bytes[self.done..end])
    }

    /// So many were written; these.
    pub(super) fn written(&mut self, count: usize) -> Vec<u8> {
        let end = (self.done + count).min(self.bytes.len());
        let passed = self.bytes[self.done..end].to_vec();
        self.done = end;
        if self.done == self.bytes.len() {
            self.bytes.clear();
            self.done = 0;
            self.slow = None;
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_trickled_goes_out_byte_by_byte_and_the_rest_whole() {
        let mut sending = Sending::default();
        sending.add(b"before");
        sending.add_slowly(b"slow");
        sending.add(b"behind");
        let mut pieces = Vec::new();
        while let Some(piece) = sending.piece().map(<[u8]>::to_vec) {
            sending.written(piece.len());
            pieces.push(String::from_utf8(piece).unwrap());
        }
        assert_eq!(pieces, ["before", "s", "l", "o", "w", "behind"]);
    }
}
