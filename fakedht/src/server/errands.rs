//! What is done for the node itself, which moves records to other nodes: connecting to them, and letting the
//! node work although no client says anything.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::NodeAddress;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::log::Notice;
use super::shared::{Registration, SharedNode};
use super::{ServerOptions, connection, prepare};
use crate::node::{ConnectionId, Errand};
use crate::storage::Storage;

/// How long another node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Does it, until the node does not need it any more or it has failed.
pub(super) async fn run<S: Storage + Send>(
    errand: Errand,
    registration: Registration<S>,
    options: Arc<ServerOptions>,
) {
    match errand {
        Errand::Work(_) => work(registration, &options).await,
        Errand::Connect { address, after, .. } => {
            sleep(after).await;
            let target = SocketAddr::V4(address);
            match connect(address).await {
                Ok(stream) => {
                    prepare(&stream, &options);
                    let node = registration.node.clone();
                    let silence = silence(node, registration.id, options.answer_limit);
                    let log = Arc::clone(&options.log);
                    tokio::select! {
                        () = connection::serve(stream, target, None, registration, options) => {}
                        () = silence => log.log(&Notice::NotAnswered { target }),
                    }
                }
                Err(error) => {
                    let error = &error;
                    options.log.log(&Notice::NotReached { target, error });
                }
            }
        }
    }
}

async fn connect(address: NodeAddress) -> io::Result<TcpStream> {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Ends when the other node has owed the same answer for that long.
async fn silence<S: Storage>(node: SharedNode<S>, id: ConnectionId, limit: Duration) {
    let mut before = None;
    loop {
        let owed = node.with(|node| node.waits_for(id));
        if owed.is_some() && owed == before {
            return;
        }
        before = owed;
        sleep(limit).await;
    }
}

async fn work<S: Storage>(registration: Registration<S>, options: &ServerOptions) {
    let Registration { node, id, peer } = &registration;
    loop {
        let now = options.clock.now();
        let (worked, goes_on, left) = node.with(|node| {
            let worked = node.process(*id, now);
            let goes_on = node.output(*id).is_some();
            (worked, goes_on, node.take_left_behind())
        });
        if let Some(records @ 1..) = left {
            options.log.log(&Notice::LeftBehind { records });
        }
        match worked {
            Ok(more) if goes_on && !peer.is_dropped() => match more {
                true => tokio::task::yield_now().await,
                false => peer.woken.notified().await,
            },
            // It has no other end that could do anything wrong.
            _ => return,
        }
    }
}
