//! Connecting to a node's address, the same for both protocols.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use dht_protocol::neo::NodeAddress;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// A connection to `node` by `deadline`, set up as both protocols want it: small messages are not kept
/// back, and a node that is gone without a word is noticed.
pub(crate) async fn dial(node: NodeAddress, deadline: Instant) -> Result<TcpStream, ErrorKind> {
    let stream = timeout_at(deadline, TcpStream::connect(node))
        .await
        .map_err(|_| ErrorKind::TimedOut)?
        .map_err(|error: Error| error.kind())?;
    // A socket can connect to itself if the port that it was given happens to be the one where nobody
    // listens any more.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(ErrorKind::ConnectionRefused);
    }
    // Both make the connection better; it works without.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(5))
        .with_interval(Duration::from_secs(3))
        .with_retries(3);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    Ok(stream)
}
