//! The connection to one node: a task that keeps it up, and moves bytes between the socket and the
//! core. What the bytes mean is known to the core.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::dissect::Side;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::ConnectionError;
use crate::backoff::Waits;
use crate::dial::dial;
use crate::shared::{Shared, State, Writing};
use crate::tap::Tap;

/// How much is read at once, in bytes.
const READ: usize = 64 * 1024;
/// Buffers larger than this, in bytes, are given back when they are empty.
const KEPT: usize = 1024 * 1024;

/// What the client's handles know of a connection's task.
#[derive(Debug)]
pub(crate) struct Link {
    task: AbortHandle,
    /// The socket, while there is one.
    writer: Option<OwnedWriteHalf>,
    /// What is being written; all before `written` is with the kernel already.
    writing: Vec<u8>,
    written: usize,
    /// Nothing more can be written; what has come in is still read.
    broken: Option<io::ErrorKind>,
    /// The connection is to be closed.
    closing: Option<ConnectionError>,
    /// The task, if it waits for the socket.
    waker: Option<Waker>,
    /// Tells the task not to wait before its next attempt.
    hurry: Arc<Notify>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Link {
    pub(crate) fn new(task: AbortHandle) -> Self {
        Self {
            task,
            writer: None,
            writing: Vec::new(),
            written: 0,
            broken: None,
            closing: None,
            waker: None,
            hurry: Arc::new(Notify::new()),
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// The connection is to be closed. There will be another one.
    pub(crate) fn close(&mut self, reason: ConnectionError) {
        if self.writer.is_some() {
            self.closing.get_or_insert(reason);
            self.wake();
        }
    }

    /// The connection is to be closed and established again, or if there is none, to be established at
    /// once.
    pub(crate) fn reconnect(&mut self) {
        self.close(ConnectionError::Reconnecting);
        self.hurry.notify_one();
    }

    /// Ends the connection and its task for ever.
    pub(crate) fn abort(self, node: NodeAddress, tap: Option<&dyn Tap>) {
        self.task.abort();
        if let (Some(tap), Some(_)) = (tap, self.writer) {
            tap.closed(node, &ConnectionError::Shutdown.to_string());
        }
    }

    /// Has the task look after the connection.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Writes as much of `output` as the socket takes now.
    pub(crate) fn flush(&mut self, node: NodeAddress, output: &mut Vec<u8>, tap: Option<&dyn Tap>) {
        let Some(writer) = &self.writer else {
            return;
        };
        while self.broken.is_none() {
            if self.written == self.writing.len() {
                self.writing.clear();
                self.writing.shrink_to(KEPT);
                self.written = 0;
                std::mem::swap(&mut self.writing, output);
                if self.writing.is_empty() {
                    return;
                }
            }
            let rest = &self.writing[self.written..];
            match writer.try_write(rest) {
                Ok(len) => {
                    if let Some(tap) = tap {
                        tap.bytes(node, Side::Client, &rest[..len]);
                    }
                    self.written += len;
                    self.bytes_out += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => self.broken = Some(error.kind()),
            }
        }
        self.writing.clear();
        self.written = 0;
        output.clear();
        self.wake();
    }

    /// Bytes that were taken from the core and not written yet.
    pub(crate) fn unsent(&self) -> usize {
        self.writing.len() - self.written
    }

    /// Makes the task be woken when there is something to do for it.
    fn wait(&mut self, context: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(context.waker()),
            waker @ None => *waker = Some(context.waker().clone()),
        }
    }
}

/// Keeps up the connection to `node` until the task is aborted.
pub(crate) async fn run(shared: Arc<Shared>, node: NodeAddress) {
    let mut waits = Waits::new(shared.settings.backoff);
    let Some(hurry) = hurry(&shared, node) else {
        return;
    };
    loop {
        let began = Instant::now();
        let deadline = began + shared.settings.connect_timeout;
        let wait = match connect(node, deadline).await {
            Ok(stream) => match serve(&shared, node, stream, deadline).await {
                Served::Established => waits.after_connection(began.elapsed()),
                Served::Never => waits.after_failure(),
                Served::Shutdown => return,
            },
            Err(error) => {
                let mut state = shared.lock();
                state.core.connect_failed(node, error);
                shared.carry_out(&mut state, Writing::Later, shared.now());
                waits.after_failure()
            }
        };
        if !wait.is_zero() {
            // Either the time is over, or somebody does not want to wait for it.
            let _ = timeout(wait, hurry.notified()).await;
        }
    }
}

/// What became of a connection.
enum Served {
    Established,
    Never,
    Shutdown,
}

fn hurry(shared: &Shared, node: NodeAddress) -> Option<Arc<Notify>> {
    let state = shared.lock();
    state.links.get(&node).map(|link| Arc::clone(&link.hurry))
}

async fn connect(node: NodeAddress, deadline: Instant) -> Result<TcpStream, ConnectionError> {
    dial(node, deadline).await.map_err(|kind| match kind {
        io::ErrorKind::ConnectionRefused => ConnectionError::Refused,
        kind => ConnectionError::Unreachable(kind),
    })
}

/// Moves bytes until the connection ends.
async fn serve(
    shared: &Arc<Shared>,
    node: NodeAddress,
    stream: TcpStream,
    deadline: Instant,
) -> Served {
    let (reader, writer) = stream.into_split();
    if !attach(shared, node, writer) {
        return Served::Shutdown;
    }
    let mut mover = Mover {
        shared,
        node,
        reader,
        buffer: vec![0; READ],
    };
    let opening = poll_fn(|context| mover.poll(context, Until::Open));
    let opened = timeout_at(deadline, opening).await;
    let mut established = false;
    let reason = match opened {
        Ok(Ok(())) => {
            established = true;
            poll_fn(|context| mover.poll(context, Until::Closed)).await
        }
        Ok(failed) => failed,
        Err(_) => Err(ConnectionError::TimedOut),
    };
    detach(
        shared,
        node,
        reason.err().unwrap_or(ConnectionError::Closed),
    );
    match established {
        true => Served::Established,
        false => Served::Never,
    }
}

/// A socket is there. `false` if nobody wants it any more.
fn attach(shared: &Arc<Shared>, node: NodeAddress, writer: OwnedWriteHalf) -> bool {
    let mut state = shared.lock();
    let Some(link) = state.links.get_mut(&node) else {
        return false;
    };
    link.writer = Some(writer);
    if let Some(tap) = &shared.settings.tap {
        tap.opened(node);
    }
    let now = shared.now();
    state.core.connected(node, now);
    shared.carry_out(&mut state, Writing::Now, now);
    true
}

/// The socket is gone.
fn detach(shared: &Arc<Shared>, node: NodeAddress, reason: ConnectionError) {
    let mut state = shared.lock();
    if let Some(link) = state.links.get_mut(&node) {
        link.writer = None;
        link.writing = Vec::new();
        link.written = 0;
        link.broken = None;
        link.closing = None;
        link.waker = None;
    }
    if let Some(tap) = &shared.settings.tap {
        tap.closed(node, &reason.to_string());
    }
    let now = shared.now();
    state.core.disconnected(node, reason, now);
    shared.carry_out(&mut state, Writing::Later, now);
}

/// Moves bytes both ways.
struct Mover<'a> {
    shared: &'a Arc<Shared>,
    node: NodeAddress,
    reader: OwnedReadHalf,
    buffer: Vec<u8>,
}

/// How long bytes are moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Until {
    /// Until the authentication has succeeded.
    Open,
    /// Until the connection ends.
    Closed,
}

impl Mover<'_> {
    /// `Ok` when the connection is open, if that was asked for; an error when it has ended.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        until: Until,
    ) -> Poll<Result<(), ConnectionError>> {
        loop {
            let shared = self.shared;
            let mut state = shared.lock();
            let (blocked, broken) = self.write(&mut state, context)?;
            if until == Until::Open && state.core.is_open(self.node) {
                return Poll::Ready(Ok(()));
            }
            drop(state);

            let mut buffer = ReadBuf::new(&mut self.buffer);
            match Pin::new(&mut self.reader).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    return Poll::Ready(Err(ConnectionError::Closed));
                }
                Poll::Ready(Ok(())) => {
                    let len = buffer.filled().len();
                    self.received(len);
                }
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(ConnectionError::Broken(error.kind())));
                }
                Poll::Pending => {
                    if let Some(kind) = broken {
                        return Poll::Ready(Err(ConnectionError::Broken(kind)));
                    }
                    if !blocked {
                        return Poll::Pending;
                    }
                    // An error will show when it is written to.
                    let _ = ready!(self.reader.as_ref().poll_write_ready(context));
                }
            }
        }
    }

    /// Writes what there is. Says whether some of it is left, and whether the socket has failed.
    fn write(
        &self,
        state: &mut State,
        context: &Context<'_>,
    ) -> Result<(bool, Option<io::ErrorKind>), ConnectionError> {
        self.shared.flush(state, self.node);
        let now = self.shared.now();
        self.shared.carry_out(state, Writing::Later, now);
        // Without a link the client was shut down, and this task is being aborted.
        let link = state.links.get_mut(&self.node);
        let link = link.ok_or(ConnectionError::Shutdown)?;
        if let Some(reason) = link.closing.take() {
            return Err(reason);
        }
        link.wait(context);
        Ok((link.unsent() > 0, link.broken))
    }

    fn received(&self, len: usize) {
        let bytes = &self.buffer[..len];
        let mut state = self.shared.lock();
        if let Some(link) = state.links.get_mut(&self.node) {
            link.bytes_in += len as u64;
        }
        if let Some(tap) = &self.shared.settings.tap {
            tap.bytes(self.node, Side::Node, bytes);
        }
        let now = self.shared.now();
        state.core.received(self.node, bytes, now);
        self.shared.carry_out(&mut state, Writing::Later, now);
    }
}
