//! A node on TCP: accepts connections and moves bytes between them and the [`Node`], with
//! tokio. What the bytes mean is none of its business.
//!
//! * [`SharedNode`]: the lock around the node, and the way to it for everybody else.
//! * `connection`: the task of one connection.
//! * `errands`: what is done for the node itself, which moves records to other nodes.
//! * [`Clock`], [`Nonces`]: time and chance, read here and passed to the node.
//! * [`Log`]: where it is told that a client broke a rule.

mod connection;
mod errands;
mod log;
mod shared;
mod sources;

pub use log::{Log, NoLog, Notice, StderrLog};
pub use shared::SharedNode;
pub use sources::{Clock, Nonces, RandomNonces, SystemClock};

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::NodeAddress;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::node::{Errand, Node};
use crate::storage::Storage;
use shared::Registration;

/// How many connections wait to be accepted before the system refuses more.
const BACKLOG: u32 = 1024;
/// How long to wait after the system could not give a connection, mostly for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How many connections of a server may be open at once, authenticated or not; further ones are closed
    /// as soon as they are accepted (`neo-transport.md` 12.2). Servers on one node count for themselves.
    pub max_connections: usize,
    /// Ask silent clients for a sign of life, as the original does, so that dead ones are gone after
    /// about 14 s.
    pub keep_alive: bool,
    /// How long another node may take to answer an order by which records are moved to it. After that, and at
    /// most as long again, its connection is closed, and the order sent on another one.
    pub answer_limit: Duration,
    /// Where it is told what clients did wrong.
    pub log: Arc<dyn Log>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where nonces come from.
    pub nonces: Arc<dyn Nonces>,
}

impl Default for ServerOptions {
    /// 5000 connections, keep-alive, a minute for other nodes, no log, the system's clock and random numbers.
    fn default() -> Self {
        Self {
            max_connections: 5000,
            keep_alive: true,
            answer_limit: Duration::from_secs(60),
            log: Arc::new(NoLog),
            clock: Arc::new(SystemClock::new()),
            nonces: Arc::new(RandomNonces),
        }
    }
}

/// Listens on an address, or on a free port if the port is 0. An address that was in use by a server
/// that ended can be used at once.
pub fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

/// A running server of one protocol. It ends, and closes all its connections, when this is dropped or the
/// node [crashes](Node::has_crashed). A node that is to speak both protocols has two, on clones of one [`SharedNode`].
#[derive(Debug)]
pub struct Server {
    address: NodeAddress,
    /// Dropping it tells the accepting task to end.
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves a node by the neo protocol to those who connect to `listener`, which must be bound to an IPv4
    /// address.
    pub fn start<S>(
        listener: TcpListener,
        node: SharedNode<S>,
        options: ServerOptions,
    ) -> io::Result<Self>
    where
        S: Storage + Send + 'static,
    {
        Self::spawn(Protocol::Neo, listener, node, options)
    }

    /// As [`start`](Self::start), by the legacy protocol.
    pub fn start_legacy<S>(
        listener: TcpListener,
        node: SharedNode<S>,
        options: ServerOptions,
    ) -> io::Result<Self>
    where
        S: Storage + Send + 'static,
    {
        let server = Self::spawn(Protocol::Legacy, listener, node.clone(), options)?;
        node.with(|node| node.serves_legacy_at(server.address));
        Ok(server)
    }

    fn spawn<S>(
        protocol: Protocol,
        listener: TcpListener,
        node: SharedNode<S>,
        options: ServerOptions,
    ) -> io::Result<Self>
    where
        S: Storage + Send + 'static,
    {
        let SocketAddr::V4(address) = listener.local_addr()? else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "nodes have IPv4 addresses",
            ));
        };
        let (stop, stopped) = oneshot::channel();
        let room = options.max_connections.min(Semaphore::MAX_PERMITS);
        let door = Door {
            protocol,
            node,
            room: Arc::new(Semaphore::new(room)),
            options: Arc::new(options),
        };
        let accepting = tokio::spawn(door.accept(listener, stopped));
        Ok(Self {
            address,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> NodeAddress {
        self.address
    }

    /// Closes the listening socket and all connections, and returns when that is done.
    pub async fn stop(self) {
        drop(self.stop);
        // It ends without a result; that it panicked is reported by the panic itself.
        let _ = self.accepting.await;
    }
}

/// Sets the socket's options. A connection works without them as well, only slower.
fn prepare(stream: &TcpStream, options: &ServerOptions) {
    let _ = stream.set_nodelay(true);
    if options.keep_alive {
        let keep_alive = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(5))
            .with_interval(Duration::from_secs(3))
            .with_retries(3);
        let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive);
    }
}

/// What the clients of a server speak.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    Neo,
    Legacy,
}

/// Where clients come in.
struct Door<S> {
    protocol: Protocol,
    node: SharedNode<S>,
    /// As many permits as further connections may be opened.
    room: Arc<Semaphore>,
    options: Arc<ServerOptions>,
}

impl<S: Storage + Send + 'static> Door<S> {
    /// Accepts connections until it is told to stop, and closes them then.
    async fn accept(self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let mut connections = JoinSet::new();
        let mut crashed = pin!(self.node.crashed());
        loop {
            let accepted = tokio::select! {
                _ = &mut stopped => break,
                () = &mut crashed => break,
                Some(_) = connections.join_next() => continue,
                (errand, registration) = self.errand() => {
                    let options = Arc::clone(&self.options);
                    connections.spawn(errands::run(errand, registration, options));
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &mut connections),
                Err(error) => {
                    let log = &self.options.log;
                    log.log(&Notice::AcceptFailed { error: &error });
                    // It fails again at once until a descriptor is free, and nothing tells when that is.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        connections.shutdown().await;
    }

    /// Something to do for the node itself; only with others of the legacy protocol.
    async fn errand(&self) -> (Errand, Registration<S>) {
        match self.protocol {
            Protocol::Neo => std::future::pending().await,
            Protocol::Legacy => self.node.errand().await,
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
        let options = &self.options;
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            let limit = options.max_connections;
            options.log.log(&Notice::TooManyConnections { peer, limit });
            return;
        };
        let registration = match self.register() {
            Ok(registration) => registration,
            Err(error) => {
                let error = &error;
                options.log.log(&Notice::NoNonce { peer, error });
                return;
            }
        };
        prepare(&stream, options);
        let options = Arc::clone(options);
        connections.spawn(connection::serve(
            stream,
            peer,
            Some(permit),
            registration,
            options,
        ));
    }

    /// Announces a client to the node. Fails if there is no nonce for it.
    fn register(&self) -> io::Result<Registration<S>> {
        Ok(match self.protocol {
            Protocol::Neo => {
                let nonce = self.options.nonces.nonce()?;
                self.node.register(|node| node.accept(nonce))
            }
            Protocol::Legacy => self.node.register(Node::accept_legacy),
        })
    }
}
