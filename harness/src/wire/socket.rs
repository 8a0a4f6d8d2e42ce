//! A TCP connection to the node: bytes out, bytes in, and how it ended. What passes is traced.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use dht_protocol::neo::dissect::Side;
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

use crate::trace::{ConnectionId, Trace};

/// How much is read at once, in bytes.
const READ: usize = 256 * 1024;
/// How much that nobody has looked at is kept while bytes are sent, in bytes. A node that says more than
/// that to anybody who only sends has to wait.
const UNREAD: usize = 64 * 1024 * 1024;
/// The length of a short segment, in bytes: what an Ethernet carries.
const SEGMENT: u32 = 1400;
/// The receive buffer of such a connection, in bytes.
const BUFFER: usize = 64 * 1024;

/// A TCP connection. Dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    trace: Arc<Trace>,
    id: ConnectionId,
    received: BytesMut,
    closing: Option<Closing>,
    patience: Duration,
}

/// How the node closed a connection. Which of the two a client sees depends on what the node had not read
/// (`neo-transport.md`, conventions), so they mean the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closing {
    /// It sent FIN.
    Finished,
    /// It sent RST, or the connection broke otherwise.
    Reset,
}

impl Socket {
    /// Connects. The node may take `patience` for anything.
    pub async fn connect(
        node: SocketAddrV4,
        trace: Arc<Trace>,
        patience: Duration,
    ) -> io::Result<Self> {
        Self::connect_with(TcpSocket::new_v4()?, node, trace, patience).await
    }

    /// The same with short segments, for which the system at the node sets little memory aside: a client
    /// that does not read holds the node up after some 100 KiB instead of some MiB.
    pub async fn connect_narrow(
        node: SocketAddrV4,
        trace: Arc<Trace>,
        patience: Duration,
    ) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
        // Once it is set the system does not make it larger for a client that reads fast.
        SockRef::from(&socket).set_recv_buffer_size(BUFFER)?;
        Self::connect_with(socket, node, trace, patience).await
    }

    async fn connect_with(
        socket: TcpSocket,
        node: SocketAddrV4,
        trace: Arc<Trace>,
        patience: Duration,
    ) -> io::Result<Self> {
        let id = trace.open();
        let connecting = socket.connect(node.into());
        let stream = timeout_at(Instant::now() + patience, connecting)
            .await
            .unwrap_or_else(|elapsed| Err(elapsed.into()))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            trace,
            id,
            received: BytesMut::new(),
            closing: None,
            patience,
        })
    }

    /// Sends bytes, and takes in what comes meanwhile. If the node closes the connection they are lost,
    /// which [`closing`](Self::closing) tells. Whether all of them were taken in time.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.trace.pass(self.id, Side::Client, bytes);
        let limit = Instant::now() + self.patience;
        let mut rest = bytes;
        while !rest.is_empty() {
            let reads = self.closing.is_none() && self.received.len() < UNREAD;
            let ready = async {
                tokio::select! {
                    biased;
                    ready = self.stream.writable() => ready.map(|()| true),
                    ready = self.stream.readable(), if reads => ready.map(|()| false),
                }
            };
            match timeout_at(limit, ready).await {
                Ok(Ok(true)) => match self.stream.try_write(rest) {
                    Ok(length) => rest = &rest[length..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => {
                        self.take_what_came();
                        self.ended(Closing::Reset);
                        return true;
                    }
                },
                Ok(Ok(false)) => self.take_what_came(),
                Ok(Err(_)) => {
                    self.ended(Closing::Reset);
                    return true;
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Sends bytes, reading nothing, as far as the node takes them at once. How many were taken.
    pub fn send_what_fits(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.try_write(&bytes[sent..]) {
                Ok(length) => sent += length,
                Err(_) => break,
            }
        }
        self.trace.pass(self.id, Side::Client, &bytes[..sent]);
        sent
    }

    /// Waits until bytes come or the connection ends; not beyond `limit`. Whether something happened.
    pub async fn receive(&mut self, limit: Instant) -> bool {
        let before = self.received.len();
        while self.closing.is_none() && self.received.len() == before {
            match timeout_at(limit, self.stream.readable()).await {
                Ok(Ok(())) => self.take_what_came(),
                Ok(Err(_)) => self.ended(Closing::Reset),
                Err(_) => return false,
            }
        }
        true
    }

    /// Takes in what has come, and waits for nothing.
    pub fn glance(&mut self) {
        if self.closing.is_none() {
            self.take_what_came();
        }
    }

    /// What came and was not taken yet.
    pub fn received(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// How the node closed the connection, if it did.
    pub fn closing(&self) -> Option<Closing> {
        self.closing
    }

    /// Waits until the node closes the connection, and says how; `None` if it does not.
    pub async fn closed(&mut self) -> Option<Closing> {
        let limit = Instant::now() + self.patience;
        while self.closing.is_none() && self.receive(limit).await {}
        self.closing
    }

    /// Says that nothing more will be sent (FIN). The node's answers can still be read.
    pub fn half_close(&mut self) {
        self.trace.remark(self.id, "the client sends FIN");
        // If the node has closed the connection, it knows.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Closes the connection abruptly (RST).
    pub fn reset(self) {
        self.trace
            .remark(self.id, "the client resets the connection");
        // Without it the connection is closed in an orderly way, which is the next best.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Its name in the trace.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// How long the node may take for anything.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The node may take that much longer from now on: it has been asked for something that takes time.
    pub fn allow(&mut self, longer: Duration) {
        self.patience += longer;
    }

    fn take_what_came(&mut self) {
        self.received.reserve(READ);
        let before = self.received.len();
        match self.stream.try_read_buf(&mut self.received) {
            Ok(0) => self.ended(Closing::Finished),
            Ok(_) => self
                .trace
                .pass(self.id, Side::Node, &self.received[before..]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.ended(Closing::Reset),
        }
    }

    fn ended(&mut self, closing: Closing) {
        if self.closing.replace(closing).is_none() {
            self.trace.ended(self.id, &closing.to_string());
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "FIN from the node",
            Self::Reset => "RST from the node",
        })
    }
}
