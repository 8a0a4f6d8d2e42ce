//! Moves bytes between the connections and what speaks on them, and takes out what was forged.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dht_protocol::neo::dissect::Side;
use dht_requirements as req;
use dht_workload::world::{Ending, Happening, Violation};
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::WireWorld;
use crate::fuzz::forgery::Leaving;
use crate::fuzz::line::State;
use crate::fuzz::verdict::After;

/// How often a connection is read in a row while others wait.
const TURNS: usize = 4;

impl WireWorld {
    /// Does what can be done at once. Ready if something was.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut progress = false;
        for at in 0..self.lines.len() {
            progress |= self.poll_line(at, cx);
        }
        while let Poll::Ready(Some((ticket, result))) = self.apart.poll_next_unpin(cx) {
            progress = true;
            self.traffic.connections += 1;
            self.traffic.sent += 3;
            self.happened.push_back(match result {
                Ok(()) => Happening::Ended(ticket, Ending::Nothing("as it should be".to_owned())),
                Err(violation) => Happening::Violation(violation),
            });
        }
        match progress || !self.happened.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn poll_line(&mut self, at: usize, cx: &mut Context<'_>) -> bool {
        if let State::Connecting(connecting) = &mut self.lines[at].state {
            return match connecting.as_mut().poll(cx) {
                Poll::Ready(Ok(stream)) => {
                    let now = self.now();
                    let trace = self.trace.as_deref();
                    self.lines[at].connected(stream, trace, now);
                    self.traffic.connections += 1;
                    self.take_outputs(at);
                    self.poll_line(at, cx);
                    true
                }
                Poll::Ready(Err(error)) => {
                    self.refused(at, &error.to_string());
                    true
                }
                Poll::Pending => false,
            };
        }
        let wrote = self.poll_write(at, cx);
        let read = self.poll_read(at, cx);
        wrote | read
    }

    fn poll_write(&mut self, at: usize, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        loop {
            self.fill(at);
            let line = &mut self.lines[at];
            let State::Up(stream) = &mut line.state else {
                return progress;
            };
            let Some(piece) = line.output.piece() else {
                return self.left(at) || progress;
            };
            match AsyncWrite::poll_write(Pin::new(stream), cx, piece) {
                Poll::Ready(Ok(written)) => {
                    let passed = line.output.written(written);
                    if let (Some(trace), Some(id)) = (&self.trace, line.traced) {
                        trace.pass(id, Side::Client, &passed);
                    }
                    progress = true;
                }
                Poll::Ready(Err(_)) => {
                    self.lost(at);
                    return true;
                }
                Poll::Pending => return progress,
            }
        }
    }

    /// What the client wants to say goes to the output.
    pub(super) fn fill(&mut self, at: usize) {
        let line = &mut self.lines[at];
        if line.is_leaving() {
            return;
        }
        let (bytes, messages) = line.speech.output();
        if !bytes.is_empty() {
            self.traffic.sent += messages;
            line.output.add(&bytes);
        }
    }

    /// Everything has been sent: a client that wants to leave leaves.
    fn left(&mut self, at: usize) -> bool {
        let Some(how) = self.lines[at].leave() else {
            return false;
        };
        if let (Some(trace), Some(id)) = (&self.trace, self.lines[at].traced) {
            trace.remark(
                id,
                match how {
                    Leaving::Close => "the client closes the connection",
                    Leaving::Reset => "the client resets the connection",
                    Leaving::Half => "the client sends FIN",
                },
            );
        }
        if how != Leaving::Half {
            self.lost(at);
        }
        true
    }

    fn poll_read(&mut self, at: usize, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        for _ in 0..TURNS {
            let State::Up(stream) = &mut self.lines[at].state else {
                return progress;
            };
            let mut buffer = std::mem::take(&mut self.buffer);
            let mut read = ReadBuf::new(&mut buffer);
            let polled = AsyncRead::poll_read(Pin::new(stream), cx, &mut read);
            let length = read.filled().len();
            match polled {
                Poll::Ready(Ok(())) if length > 0 => {
                    progress = true;
                    self.received(at, &buffer[..length]);
                    self.buffer = buffer;
                }
                Poll::Ready(_) => {
                    self.buffer = buffer;
                    self.lost(at);
                    return true;
                }
                Poll::Pending => {
                    self.buffer = buffer;
                    return progress;
                }
            }
        }
        // There may be more; others go first.
        cx.waker().wake_by_ref();
        progress
    }

    /// Bytes came from the node.
    fn received(&mut self, at: usize, bytes: &[u8]) {
        let line = &mut self.lines[at];
        if let (Some(trace), Some(id)) = (&self.trace, line.traced) {
            trace.pass(id, Side::Node, bytes);
        }
        let now = self.now();
        let line = &mut self.lines[at];
        let probed = !line.probes.is_empty();
        let heard = line.speech.hear(bytes, probed, now);
        self.traffic.received += heard.messages;
        let violations = heard.violations.into_iter();
        self.happened.extend(violations.map(Happening::Violation));
        for (id, payload) in heard.forged {
            self.heard(at, id, payload);
        }
        self.take_outputs(at);
        if heard.enough {
            self.lines[at].excused = true;
            self.lost(at);
        }
    }

    /// A message for something forged.
    fn heard(&mut self, at: usize, id: u64, payload: Bytes) {
        let line = &mut self.lines[at];
        let Some(number) = line.probes.iter().position(|probe| probe.knows(id)) else {
            // What was begun wrongly may go on.
            line.soiled = true;
            if !line.speech.forged_before(id) {
                let violation = Violation {
                    requirement: &req::MUX_NODE_STARTS_NOTHING,
                    text: format!("a message came for request {id}, which nobody has begun"),
                };
                self.happened.push_back(Happening::Violation(violation));
            }
            return;
        };
        let probe = &mut line.probes[number];
        probe.hear(id, payload);
        if let Some(then) = probe.goes_on() {
            self.traffic.sent += 2;
            self.lines[at].output.add(&then);
            return;
        }
        if probe.sentinel_answered() {
            let probe = self.lines[at].probes.remove(number);
            self.decided(at, probe, After::Alive);
        }
    }
}
