//! The task of one connection: moves bytes between its socket and the node.
//!
//! What is read is handled at once and what comes of it is written at once, without waiting in between;
//! the lock of the node is held only while the node works, never while waiting. Reading and writing
//! spend the task's budget, so that tokio lets others run.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep, timeout, timeout_at};

use super::ServerOptions;
use super::log::Notice;
use super::shared::Registration;
use crate::bugs::HalfClose;
use crate::node::Violation;
use crate::storage::Storage;

/// From what size on a written buffer is not kept.
const KEPT_BUFFER: usize = 256 * 1024;
/// How long a client that broke a rule may take to read what is still meant for it.
const FLUSH: Duration = Duration::from_secs(1);
/// How long a client that sends nothing more may take to read the answers to what it has sent.
const HALF_CLOSED: Duration = Duration::from_secs(30);
/// How long a node that wrongly drops half-closed connections looks whether one is.
const LOOK_AHEAD: Duration = Duration::from_millis(5);

/// Serves a connection until the client goes, breaks a rule, or is dropped.
pub(super) async fn serve<S: Storage + Send>(
    stream: TcpStream,
    address: SocketAddr,
    permit: Option<OwnedSemaphorePermit>,
    registration: Registration<S>,
    options: Arc<ServerOptions>,
) {
    let half_close = registration.node.with(|node| node.half_close());
    let mut connection = Connection {
        stream,
        _permit: permit,
        half_close,
        registration,
        options,
        writing: Vec::new(),
        written: 0,
        input_ended: None,
        tick: None,
    };
    if let Err(Ending::Violation(violation)) = connection.run().await {
        connection.dismiss(address, &violation).await;
    }
}

struct Connection<S: Storage> {
    stream: TcpStream,
    /// The right to be open; given back before the registration, so that who sees the connection gone may
    /// open another one.
    _permit: Option<OwnedSemaphorePermit>,
    /// What to do when the client sends nothing more.
    half_close: HalfClose,
    registration: Registration<S>,
    options: Arc<ServerOptions>,
    /// What is being written, and how much of it has been.
    writing: Vec<u8>,
    written: usize,
    /// When the client said that it sends nothing more.
    input_ended: Option<Instant>,
    /// When the node wants to work at the latest, and the timer for it.
    tick: Option<(Duration, Pin<Box<Sleep>>)>,
}

/// What the node wants next.
#[derive(Clone, Copy)]
struct Wants {
    /// To go on working.
    more: bool,
    /// Bytes of the client.
    input: bool,
    /// Time: an answer is still to come.
    time: bool,
}

/// What happened while waiting.
enum Happened {
    /// Bytes were read, so many, into this buffer.
    Read(Vec<u8>, usize),
    /// Everything has been written.
    Written,
    /// It is time to let the node work.
    Time,
}

/// Why a connection ends.
enum Ending {
    /// The client is gone.
    Gone,
    /// The node, or its owner, wants it closed.
    Dropped,
    /// The client broke a rule.
    Violation(Violation),
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        // Whatever is wrong with a connection, its client is not there any more.
        Self::Gone
    }
}

impl<S: Storage> Connection<S> {
    async fn run(&mut self) -> Result<(), Ending> {
        let mut wants = self.work(&[])?;
        loop {
            let silent = !wants.more && !wants.time && self.is_flushed();
            let answered = self.input_ended.is_some() && silent;
            if answered && self.half_close != HalfClose::Keep {
                return Ok(());
            }
            if wants.more {
                tokio::task::yield_now().await;
            }
            let happened = match self.input_ended {
                Some(ended) if self.half_close != HalfClose::Keep => {
                    timeout_at(ended + HALF_CLOSED, self.next(wants))
                        .await
                        .map_err(|_| Ending::Gone)??
                }
                _ => self.next(wants).await?,
            };
            if self.registration.peer.is_dropped() {
                return Err(Ending::Dropped);
            }
            wants = match happened {
                Happened::Read(buffer, len) => {
                    if self.half_close == HalfClose::Drop && (len == 0 || self.ends_soon().await) {
                        return Err(Ending::Gone);
                    }
                    if len == 0 {
                        self.input_ended = Some(Instant::now());
                        let id = self.registration.id;
                        self.registration.node.with(|node| node.input_ended(id));
                    }
                    let wants = self.work(&buffer[..len]);
                    self.registration.node.return_buffer(buffer);
                    wants?
                }
                Happened::Written | Happened::Time => self.work(&[])?,
            };
        }
    }

    /// Does the client say next that it sends nothing more?
    async fn ends_soon(&self) -> bool {
        let ended = timeout(LOOK_AHEAD, self.stream.peek(&mut [0])).await;
        matches!(ended, Ok(Ok(0)))
    }

    /// Lets the node work, and takes what it has to say if everything before has been written.
    fn work(&mut self, input: &[u8]) -> Result<Wants, Ending> {
        let now = self.options.clock.now();
        let id = self.registration.id;
        let writing = &mut self.writing;
        let (result, tick) = self.registration.node.with(|node| {
            node.feed(id, input);
            let more = node.process(id, now);
            let is_open = match node.output(id) {
                Some(output) if writing.is_empty() => {
                    std::mem::swap(output, writing);
                    true
                }
                output => output.is_some(),
            };
            let input = node.wants_input(id);
            let time = node.is_busy(id);
            let wants = more
                .map_err(Ending::Violation)
                .and_then(|more| match is_open {
                    true => Ok(Wants { more, input, time }),
                    false => Err(Ending::Dropped),
                });
            (wants, node.next_tick(id))
        });
        self.set_tick(tick, now.elapsed);
        result.map(|wants| Wants {
            input: wants.input && self.input_ended.is_none(),
            ..wants
        })
    }

    /// A Mirror's refreshes come by the clock alone: the connection wakes itself for them.
    fn set_tick(&mut self, due: Option<Duration>, now: Duration) {
        if self.tick.as_ref().map(|(due, _)| *due) != due {
            self.tick = due.map(|due| (due, Box::pin(sleep(due.saturating_sub(now)))));
        }
    }

    fn is_flushed(&self) -> bool {
        self.writing.is_empty()
    }

    /// Waits until there is something to do, and does the reading and writing.
    async fn next(&mut self, wants: Wants) -> Result<Happened, Ending> {
        let peer = Arc::clone(&self.registration.peer);
        let mut woken = pin!(peer.woken.notified());
        poll_fn(|cx| {
            if !self.is_flushed()
                && let Poll::Ready(written) = self.poll_write(cx)
            {
                return Poll::Ready(written.map(|()| Happened::Written));
            }
            if wants.input
                && let Poll::Ready(read) = self.poll_read(cx)
            {
                return Poll::Ready(read);
            }
            if woken.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Happened::Time));
            }
            if let Some((_, timer)) = &mut self.tick
                && timer.as_mut().poll(cx).is_ready()
            {
                // A timer that has gone off is set anew even if the same moment is wanted again.
                self.tick = None;
                return Poll::Ready(Ok(Happened::Time));
            }
            match wants.more {
                true => Poll::Ready(Ok(Happened::Time)),
                false => Poll::Pending,
            }
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Happened, Ending>> {
        let mut buffer = self.registration.node.take_buffer();
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut read);
        let len = read.filled().len();
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Happened::Read(buffer, len))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => {
                self.registration.node.return_buffer(buffer);
                Poll::Pending
            }
        }
    }

    /// Ready when everything is written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        while self.written < self.writing.len() {
            let rest = &self.writing[self.written..];
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Ending::Gone)),
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.written = 0;
        self.writing.clear();
        if self.writing.capacity() > KEPT_BUFFER {
            self.writing = Vec::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Says why the client is disconnected, and closes the connection so that what was answered before
    /// arrives: closing it with unread input would destroy the answers on their way.
    async fn dismiss(mut self, peer: SocketAddr, violation: &Violation) {
        let id = self.registration.id;
        let client = self.registration.node.with(|node| {
            let client = node.client(id).cloned();
            self.writing.append(&mut node.take_output(id));
            node.close(id);
            client
        });
        let client = client.as_ref();
        self.options.log.log(&Notice::Violation {
            peer,
            client,
            violation,
        });
        let flush = async {
            self.stream.write_all(&self.writing[self.written..]).await?;
            self.stream.shutdown().await?;
            let mut unread = self.registration.node.take_buffer();
            while self.stream.read(&mut unread).await? > 0 {}
            Ok::<(), io::Error>(())
        };
        // Whether it worked or not, the connection ends here.
        let _ = timeout(FLUSH, flush).await;
    }
}
