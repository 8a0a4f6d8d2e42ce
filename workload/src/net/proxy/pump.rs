//! One direction of a connection: takes bytes on one side, and passes them on when and how the faults of
//! the connection have it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::gate::Gate;
use super::line::Line;
use super::traffic::QUIET;
use crate::case::Direction;
use crate::messages::Messages;

/// How much is read at once, in bytes.
const READ: usize = 64 * 1024;
/// More than that, in bytes, is not kept, however few messages it is.
const KEPT: usize = 1024 * 1024;
/// So many pieces are made of what was read at once; of more there would be no end.
const PIECES: usize = 1024;

/// Moves bytes in one direction.
#[derive(Debug)]
pub(super) struct Pump<'a, R, W> {
    line: &'a Line,
    direction: Direction,
    from: R,
    to: W,
    /// What comes waits there first, if a schedule wants it so.
    gate: Option<Gate>,
    messages: Messages,
    /// What is to be passed on, and how many messages end in it.
    kept: Vec<u8>,
    ended: u64,
}

/// Why no more is moved.
#[derive(Debug)]
pub(super) enum Stop {
    /// The sender has said all, and the receiver has got it.
    End,
    /// A side is gone.
    Broken,
    /// A fault wants it so.
    Cut(Direction),
}

/// What there is to move.
#[derive(Debug)]
enum Input {
    /// So many bytes came; 0: nothing more comes.
    Bytes(usize),
    /// A gate has let something pass.
    Released,
    /// Nothing has happened for a while.
    Quiet,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<'a, R, W> {
    /// Nothing has been moved yet.
    pub(super) fn new(line: &'a Line, direction: Direction, from: R, to: W) -> Self {
        Self {
            line,
            direction,
            from,
            to,
            gate: line.gate(direction),
            messages: line.messages(),
            kept: Vec::new(),
            ended: 0,
        }
    }

    /// Moves bytes until there are no more.
    pub(super) async fn run(mut self) -> Stop {
        self.moving().await.unwrap_or(Stop::Broken)
    }

    async fn moving(&mut self) -> io::Result<Stop> {
        let mut buffer = vec![0; READ];
        loop {
            let limit = (!self.kept.is_empty()).then_some(QUIET);
            let cut = match self.input(&mut buffer, limit).await? {
                Input::Bytes(0) => {
                    if self.take_end().await? {
                        return Ok(Stop::Cut(self.direction));
                    }
                    self.to.shutdown().await?;
                    return Ok(Stop::End);
                }
                Input::Bytes(len) => self.take_bytes(&buffer[..len]).await?,
                Input::Released => self.take_released().await?,
                Input::Quiet => {
                    self.pass_on().await?;
                    false
                }
            };
            if cut {
                self.pass_on().await?;
                return Ok(Stop::Cut(self.direction));
            }
        }
    }

    /// Waits for something to move.
    async fn input(&mut self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<Input> {
        let Self { from, gate, .. } = self;
        let input = async {
            let Some(gate) = gate else {
                return from.read(buffer).await.map(Input::Bytes);
            };
            if !gate.has_room() {
                gate.released().await;
                return Ok(Input::Released);
            }
            match select(pin!(gate.released()), pin!(from.read(buffer))).await {
                Either::Left(_) => Ok(Input::Released),
                Either::Right((read, _)) => read.map(Input::Bytes),
            }
        };
        match limit {
            None => input.await,
            Some(limit) => timeout(limit, input).await.unwrap_or(Ok(Input::Quiet)),
        }
    }

    /// Takes bytes as they come; those that a gate holds later.
    async fn take_bytes(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Some(gate) = &mut self.gate else {
            return self.take(bytes).await;
        };
        gate.arrived(bytes);
        self.take_released().await
    }

    /// Takes what a gate has let pass.
    async fn take_released(&mut self) -> io::Result<bool> {
        let bytes = self.gate.as_mut().map(Gate::take).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(false);
        }
        let cut = self.take(&bytes).await?;
        if let Some(gate) = &mut self.gate {
            gate.passed();
        }
        Ok(cut)
    }

    /// Takes what is left when nothing more comes.
    async fn take_end(&mut self) -> io::Result<bool> {
        if let Some(gate) = &mut self.gate {
            gate.ended();
        }
        let cut = self.take_released().await?;
        self.pass_on().await?;
        Ok(cut)
    }

    /// Takes bytes, and passes on what need not be kept. Says whether the connection is to be cut.
    async fn take(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        let mut in_request = false;
        while !bytes.is_empty() {
            let piece = self.messages.next(bytes);
            in_request = piece.is_request;
            if piece.is_request && piece.begins {
                self.line.open();
                self.line.stand_still(self.direction).await;
            }
            let (allowed, cut) = self.line.allow(self.direction, piece);
            self.kept.extend_from_slice(&bytes[..allowed]);
            self.ended += u64::from(piece.is_request && piece.ends && allowed == piece.len);
            if cut {
                return Ok(true);
            }
            let together = self.line.coalesce(self.direction);
            if together > 1 && self.ended >= together {
                self.pass_on().await?;
            }
            bytes = &bytes[piece.len..];
        }
        let wait = in_request && self.line.coalesce(self.direction) > 1 && self.kept.len() < KEPT;
        if !wait {
            self.pass_on().await?;
        }
        Ok(false)
    }

    /// Passes on what was kept.
    async fn pass_on(&mut self) -> io::Result<()> {
        match self.line.split() {
            0 => self.to.write_all(&self.kept).await?,
            split => {
                let least = self.kept.len().div_ceil(PIECES).max(1);
                for piece in self.kept.chunks(split.max(least)) {
                    self.to.write_all(piece).await?;
                    // The receiver may have a look at it.
                    yield_now().await;
                }
            }
        }
        self.kept.clear();
        self.kept.shrink_to(KEPT);
        self.line.passed(std::mem::take(&mut self.ended));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use dht_protocol::neo::RequestId;
    use dht_protocol::neo::frame::{write_authentication, write_request};
    use tokio::time::Instant;

    use super::super::Traffic;
    use super::*;
    use crate::case::Fault;
    use crate::case::Protocol;

    /// What was written, write by write, and when.
    #[derive(Debug)]
    struct Written<'a>(&'a mut Vec<(Instant, Vec<u8>)>);

    impl AsyncWrite for Written<'_> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.push((Instant::now(), bytes.to_vec()));
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The version, the authentication, and messages of so many bytes with the header.
    fn opening() -> Vec<u8> {
        let mut bytes = vec![1];
        write_authentication(&mut bytes, b"somebody");
        bytes
    }

    fn messages<const N: usize>(lengths: [usize; N]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for len in lengths {
            write_request(&mut bytes, RequestId::FIRST, &vec![9; len - 18]);
        }
        bytes
    }

    /// What is written of these chunks, which come one after another and then no more, for ever: how long
    /// each write is, and how much time has passed. The opening is left out.
    async fn pumped<const N: usize>(
        fault: Fault,
        chunks: [Vec<u8>; N],
    ) -> (Vec<(usize, bool)>, Option<Stop>) {
        let line = Line::new(0, Protocol::Neo, Arc::new(Traffic::new(2)));
        assert!(line.set(&fault));
        let (mut client, from) = tokio::io::duplex(1 << 20);
        let began = Instant::now();
        let mut written = Vec::new();
        let pump = Pump::new(&line, Direction::ToNode, from, Written(&mut written));
        let sending = async {
            client.write_all(&opening()).await.unwrap();
            for chunk in chunks {
                // The pump has its turn before the next one comes.
                yield_now().await;
                client.write_all(&chunk).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let stop = tokio::select! {
            biased;
            stop = pump.run() => Some(stop),
            () = sending => None,
            () = tokio::time::sleep(QUIET * 10) => None,
        };
        let all: Vec<u8> = written
            .iter()
            .flat_map(|(_, bytes)| bytes.clone())
            .collect();
        assert!(all.starts_with(&opening()));
        let mut before = opening().len();
        let writes = written.into_iter().filter_map(|(at, bytes)| {
            let len = bytes.len().saturating_sub(before);
            before -= bytes.len() - len;
            (len > 0).then(|| (len, at - began >= QUIET))
        });
        (writes.collect(), stop)
    }

    const CONNECTION: usize = 0;

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_as_they_come() {
        let none = Fault::Split {
            connection: CONNECTION,
            bytes: 0,
        };
        let chunks = [messages([20, 30]), messages([40])];
        let (writes, stop) = pumped(none, chunks).await;
        assert_eq!(writes, [(50, false), (40, false)]);
        assert!(stop.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_are_as_long_as_wanted_but_not_too_many() {
        let split = |bytes| Fault::Split {
            connection: CONNECTION,
            bytes,
        };
        let (writes, _) = pumped(split(8), [messages([20])]).await;
        assert_eq!(writes, [(8, false), (8, false), (4, false)]);
        let (writes, _) = pumped(split(1), [messages([64 * 1024])]).await;
        assert_eq!(writes, vec![(64, false); 1024]);
    }

    #[tokio::test(start_paused = true)]
    async fn messages_are_kept_until_enough_are_there_or_nothing_comes() {
        let coalesce = Fault::Coalesce {
            connection: CONNECTION,
            messages: 2,
        };
        let chunks = [messages([20]), messages([30, 40])];
        let (writes, _) = pumped(coalesce, chunks).await;
        assert_eq!(writes, [(50, false), (40, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_direction_stands_still() {
        let stall = |direction| Fault::Stall {
            connection: CONNECTION,
            direction,
            messages: 1,
        };
        let chunks = || [messages([20]), messages([30])];
        let (writes, _) = pumped(stall(Direction::ToNode), chunks()).await;
        assert_eq!(writes, [(20, true), (30, true)]);
        let (writes, _) = pumped(stall(Direction::ToClient), chunks()).await;
        assert_eq!(writes, [(20, false), (30, false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_precedes_a_cut_passes() {
        let cut = |messages, bytes| Fault::Cut {
            connection: CONNECTION,
            direction: Direction::ToNode,
            messages,
            bytes,
        };
        for (cut, passed) in [(cut(1, 0), 20), (cut(1, 25), 45), (cut(0, 10), 10)] {
            let (writes, stop) = pumped(cut, [messages([20, 30, 40])]).await;
            assert_eq!(writes, [(passed, false)]);
            assert!(matches!(stop, Some(Stop::Cut(Direction::ToNode))));
        }
    }
}
