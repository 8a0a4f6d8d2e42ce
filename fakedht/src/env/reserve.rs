//! A port that stays ours while nobody listens on it.
//!
//! A second socket is bound to the port and never listens. On Linux two sockets that allow the address
//! to be reused may share a port as long as at most one listens, and the system gives such a port to
//! nobody who asks for any free one; connections to it are refused while the other socket is closed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use dht_protocol::legacy::NEO_PORT_OFFSET;
use tokio::net::{TcpListener, TcpSocket};

use crate::server::listen;

/// Keeps a port until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    _socket: TcpSocket,
}

/// A port that is listened on, and reserved if the system allows both.
pub(super) type Listening = (Option<Reserved>, TcpListener);

/// How often ports are tried until there are two at the right distance.
const ATTEMPTS: usize = 64;

/// Listens on two free ports: one for the neo protocol and, so much below it as nodes tell each other, one
/// for the legacy protocol. If that is not to be had, on any two.
pub(super) fn listen_and_reserve(ip: Ipv4Addr) -> io::Result<(Listening, Listening)> {
    for _ in 0..ATTEMPTS {
        let neo = on(ip, 0)?;
        let port = neo.1.local_addr()?.port();
        if let Some(port) = port.checked_sub(NEO_PORT_OFFSET)
            && let Ok(legacy) = on(ip, port)
        {
            return Ok((neo, legacy));
        }
    }
    Ok((on(ip, 0)?, on(ip, 0)?))
}

fn on(ip: Ipv4Addr, port: u16) -> io::Result<Listening> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((ip, port)))?;
    let address = SocketAddrV4::new(ip, socket.local_addr()?.port());
    match listen(address) {
        Ok(listener) => Ok((Some(Reserved { _socket: socket }), listener)),
        Err(_) => {
            drop(socket);
            Ok((None, listen(address)?))
        }
    }
}
