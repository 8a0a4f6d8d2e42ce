//! A connection to a node as it is: orders go in, events come out.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use dht_protocol::legacy::{Answer, ClientRequest, Event, Order, Status};
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::dissect::Side;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::error::{ConnectError, Failure};
use super::tap::Tapped;
use crate::dial::dial;

/// How much is read at once, in bytes.
const READ: usize = 16 * 1024;
/// Buffers larger than this, in bytes, are given back when they are empty.
const KEPT: usize = 256 * 1024;

/// A connection to a node, without a pool, queue, timeout or handshake.
///
/// A [`Client`](super::Client) has one order at a time on each of its connections. This one can have many
/// under way, *pipelined*: nodes answer in the order of the orders. That is not promised by the protocol, but
/// true of all known nodes, and much faster, since many orders and answers share a packet. Any order
/// behind a Listen ends that Listen.
///
/// [`send`](Self::send) only makes a note of an order; bytes move in [`next`](Self::next). Who sends a
/// lot should therefore take events in between, which also keeps the node from having to wait until
/// somebody reads its answers:
///
/// ```no_run
/// use std::time::Duration;
/// use dht_client::Key;
/// use dht_client::legacy::{Answer, Connection, Event, Order, Status};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection =
///     Connection::open("127.0.0.1:10000".parse()?, Duration::from_secs(5)).await?;
/// let mut keys = 0..100_000;
/// loop {
///     for key in keys.by_ref().take(100 - connection.unanswered()) {
///         connection.send(&Order::Put {
///             channel: "pets".into(),
///             key: Key(key).into(),
///             value: "cat".into(),
///         });
///     }
///     match connection.next().await? {
///         Some(event) => assert_eq!(event, Event::Answered(Answer::Status(Status::Ok))),
///         None => break,
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What has come and is not understood yet.
    input: BytesMut,
    scratch: Box<[u8]>,
    /// What is to be sent; all before `written` is with the kernel already.
    output: Vec<u8>,
    written: usize,
    /// The orders that are not answered, the oldest first.
    requests: VecDeque<ClientRequest>,
    /// Nothing more can be written; what has come in is still read.
    unwritable: Option<io::ErrorKind>,
    /// Nothing more can be done.
    failure: Option<Failure>,
    /// The node has said something after which the connection is not to be used.
    spent: bool,
    tapped: Option<Tapped>,
}

impl Connection {
    /// Connects to a node, whose port is the one of the legacy protocol, within that time.
    pub async fn open(node: NodeAddress, within: Duration) -> Result<Self, ConnectError> {
        let stream = dial(node, Instant::now() + within)
            .await
            .map_err(|kind| match kind {
                io::ErrorKind::ConnectionRefused => ConnectError::Refused,
                io::ErrorKind::TimedOut => ConnectError::TimedOut,
                kind => ConnectError::Unreachable(kind),
            })?;
        Ok(Self {
            stream,
            input: BytesMut::new(),
            scratch: vec![0; READ].into(),
            output: Vec::new(),
            written: 0,
            requests: VecDeque::new(),
            unwritable: None,
            failure: None,
            spent: false,
            tapped: None,
        })
    }

    /// The same connection, on which nothing has passed yet, listened to.
    pub(super) fn tapped(self, tapped: Option<Tapped>) -> Self {
        Self { tapped, ..self }
    }

    /// Adds an order to what is to be sent. It is not looked at, whatever it says.
    pub fn send(&mut self, order: &Order) {
        order.encode(&mut self.output);
        self.requests.push_back(ClientRequest::new(order.command()));
    }

    /// How many orders have not been answered to the end.
    pub fn unanswered(&self) -> usize {
        self.requests.len()
    }

    /// Has every order been handed to the system to its last byte?
    pub fn is_sent(&self) -> bool {
        self.written == self.output.len() && self.unwritable.is_none()
    }

    /// The next thing that is said about the oldest order that is not answered; `None` if all are. Sends
    /// what is to be sent. It can be dropped and called again at any time; after an error it fails
    /// for ever.
    pub async fn next(&mut self) -> Result<Option<Event>, Failure> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`next`](Self::next), for who does not use `async`.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, Failure>> {
        if let Some(failure) = &self.failure {
            return Poll::Ready(Err(failure.clone()));
        }
        let polled = self.advance(context);
        if let Poll::Ready(Err(failure)) = &polled {
            self.failure = Some(failure.clone());
            if let Some(tapped) = &mut self.tapped {
                tapped.failed(failure);
            }
        }
        polled
    }

    /// Sends everything that is to be sent, without waiting for answers.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        poll_fn(|context| {
            self.poll_write(context);
            match self.unwritable {
                Some(kind) => Poll::Ready(Err(Failure::Broken(kind))),
                None if self.is_sent() => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Sends an order on a connection on which nothing else is under way, and waits for its answer. Fails
    /// with [`Failure::Status`] if that is not Ok. Of an answer that comes in pieces only the end is
    /// waited for.
    pub async fn ask(&mut self, order: &Order) -> Result<Answer, Failure> {
        self.send(order);
        loop {
            match self.next().await? {
                Some(Event::Answered(Answer::Status(status))) if status != Status::Ok => {
                    return Err(Failure::Status(status));
                }
                Some(Event::Answered(answer)) => return Ok(answer),
                Some(_) => {}
                None => return Ok(Answer::Status(Status::Ok)),
            }
        }
    }

    /// Can another request use it?
    pub(super) fn is_reusable(&self) -> bool {
        self.failure.is_none()
            && !self.spent
            && self.requests.is_empty()
            && self.input.is_empty()
            && self.is_sent()
    }

    /// Has the node closed it, or said something unasked, while nobody used it?
    pub(super) fn is_stale(&self) -> bool {
        let waiting = self.stream.try_read(&mut [0]);
        !matches!(waiting, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, Failure>> {
        loop {
            let Some(request) = self.requests.front_mut() else {
                return Poll::Ready(Ok(None));
            };
            if let Some(event) = request.receive(&mut self.input)? {
                if request.is_over() {
                    self.requests.pop_front();
                    self.tidy();
                }
                if let Event::Answered(answer) = &event {
                    self.spent |= !answer.status().keeps_connection();
                }
                return Poll::Ready(Ok(Some(event)));
            }
            self.poll_write(context);
            match self.poll_read(context) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Failure::Closed)),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(kind)) => return Poll::Ready(Err(Failure::Broken(kind))),
                Poll::Pending => match self.unwritable {
                    Some(kind) => return Poll::Ready(Err(Failure::Broken(kind))),
                    None => return Poll::Pending,
                },
            }
        }
    }

    /// Writes as much as the socket takes; the task is woken when it takes more.
    fn poll_write(&mut self, context: &mut Context<'_>) {
        while self.unwritable.is_none() && self.written < self.output.len() {
            let rest = &self.output[self.written..];
            match Pin::new(&mut self.stream).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => self.unwritable = Some(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(written)) => {
                    if let Some(tapped) = &self.tapped {
                        tapped.bytes(Side::Client, &rest[..written]);
                    }
                    self.written += written;
                }
                Poll::Ready(Err(error)) => self.unwritable = Some(error.kind()),
                Poll::Pending => return,
            }
        }
        if self.unwritable.is_none() {
            self.output.clear();
            self.output.shrink_to(KEPT);
            self.written = 0;
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, io::ErrorKind>> {
        let mut buffer = ReadBuf::new(&mut self.scratch);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let read = buffer.filled();
        self.input.extend_from_slice(read);
        if let Some(tapped) = &self.tapped {
            tapped.bytes(Side::Node, read);
        }
        polled.map(|done| match done {
            Ok(()) => Ok(read.len()),
            Err(error) => Err(error.kind()),
        })
    }

    /// Gives a large buffer back.
    fn tidy(&mut self) {
        if self.input.is_empty() && self.input.capacity() > KEPT {
            self.input = BytesMut::new();
        }
    }
}
