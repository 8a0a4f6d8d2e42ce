//! What goes wrong between client and node: a proxy for each connection of the case.
//!
//! It passes bytes on as they come, and counts messages while it does. Faults are set on its [`Line`]
//! and do their work when the bytes that they wait for pass.
//!
//! * `gate`: where messages are held until a schedule lets them pass.
//! * `line`: the faults of a connection.
//! * `pump`: one direction of a connection.
//! * `traffic`: what passes on all connections of a world, for those that stand still meanwhile.

mod gate;
mod line;
mod pump;
mod traffic;

pub(super) use gate::Gates;
pub(super) use line::Line;
pub(super) use traffic::Traffic;

use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dht_client::NodeAddress;
use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::case::Direction;
use pump::{Pump, Stop};

/// How long a side may take to close its end after the other one has.
const LINGER: Duration = Duration::from_secs(1);
/// How long the node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A proxy that does not run yet.
#[derive(Debug)]
pub(super) struct Proxy {
    listener: TcpListener,
    node: NodeAddress,
    line: Arc<Line>,
}

impl Proxy {
    /// Listens for the client of this line.
    pub(super) async fn listen(node: NodeAddress, line: Arc<Line>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            listener,
            node,
            line,
        })
    }

    /// Where the client is to connect to.
    pub(super) fn address(&self) -> io::Result<NodeAddress> {
        match self.listener.local_addr()? {
            std::net::SocketAddr::V4(address) => Ok(address),
            std::net::SocketAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Passes on one connection after another, for ever. `refused` is called when the node refuses one.
    pub(super) async fn run(self, refused: impl Fn()) {
        loop {
            let Ok((client, _)) = self.listener.accept().await else {
                // No more sockets. There will be some again.
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            match connect(self.node).await {
                Ok(node) => self.pass(client, node).await,
                Err(error) => {
                    if error.kind() == io::ErrorKind::ConnectionRefused {
                        refused();
                    }
                    reset(client);
                }
            }
        }
    }

    /// Passes on what two sides say until one of them has had enough, or a fault ends it.
    async fn pass(&self, mut client: TcpStream, mut node: TcpStream) {
        // It works without.
        let _ = (client.set_nodelay(true), node.set_nodelay(true));
        self.line.begin();
        let stop = self.pump(&mut client, &mut node).await;
        self.line.end();
        match stop {
            Stop::End => {}
            Stop::Broken => {
                reset(client);
                reset(node);
            }
            // Who was to get the last bytes does get them, and the end in good order; the other side
            // sees the connection break. The next connection waits until the node has seen it too, so
            // that what was sent before the cut comes before what is sent after it.
            Stop::Cut(Direction::ToNode) => {
                reset(client);
                hang_up(node).await;
            }
            Stop::Cut(Direction::ToClient) => {
                reset(node);
                hang_up(client).await;
            }
        }
    }

    async fn pump(&self, client: &mut TcpStream, node: &mut TcpStream) -> Stop {
        let (from_client, to_client) = client.split();
        let (from_node, to_node) = node.split();
        let line = &*self.line;
        let up = Pump::new(line, Direction::ToNode, from_client, to_node);
        let down = Pump::new(line, Direction::ToClient, from_node, to_client);
        let both = async {
            match select(pin!(up.run()), pin!(down.run())).await {
                // One side has ended in good order; the other one has some time to do so.
                Either::Left((Stop::End, other)) => timeout(LINGER, other).await,
                Either::Right((Stop::End, other)) => timeout(LINGER, other).await,
                Either::Left((stop, _)) | Either::Right((stop, _)) => Ok(stop),
            }
        };
        match select(pin!(both), pin!(line.due())).await {
            Either::Left((stop, _)) => stop.unwrap_or(Stop::End),
            Either::Right((direction, _)) => Stop::Cut(direction),
        }
    }
}

async fn connect(node: NodeAddress) -> io::Result<TcpStream> {
    let stream = timeout(CONNECT, TcpStream::connect(node)).await??;
    // A socket can connect to itself if nobody listens at the port that it was given.
    match stream.local_addr()? == stream.peer_addr()? {
        true => Err(io::ErrorKind::ConnectionRefused.into()),
        false => Ok(stream),
    }
}

/// Closes a connection as a machine that has lost its power does.
fn reset(stream: TcpStream) {
    // If it cannot be, it is closed in good order, which is an end as well.
    let _ = stream.set_zero_linger();
}

/// Closes a connection such that the peer reads everything that was sent to it. What it still says is not
/// listened to.
async fn hang_up(mut stream: TcpStream) {
    let ending = async {
        stream.shutdown().await?;
        let mut nowhere = [0; 4096];
        while stream.read(&mut nowhere).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether it took notice or not: the connection is over.
    let _ = timeout(LINGER, ending).await;
}
