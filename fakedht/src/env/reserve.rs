//! A port that stays ours while nobody listens on it.
//!
//! A second socket is bound to the port and never listens. On Linux two sockets that allow the address
//! to be reused may share a port as long as at most one listens, and the system gives such a port to
//! nobody who asks for any free one; connections to it are refused while the other socket is closed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use tokio::net::{TcpListener, TcpSocket};

use crate::server::listen;

/// Keeps a port until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    _socket: TcpSocket,
}

/// Listens on a free port, and reserves it if the system allows both.
pub(super) fn listen_and_reserve(ip: Ipv4Addr) -> io::Result<(Option<Reserved>, TcpListener)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((ip, 0)))?;
    let address = SocketAddrV4::new(ip, socket.local_addr()?.port());
    match listen(address) {
        Ok(listener) => Ok((Some(Reserved { _socket: socket }), listener)),
        Err(_) => {
            drop(socket);
            Ok((None, listen(address)?))
        }
    }
}
