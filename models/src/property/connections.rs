//! What connections have to do with requests: who suffers when one breaks, and what does not survive it
//! (P05, P09, P11).

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::{Failure, gather, stream};

use super::dialogue::Owners;
use super::every_request::failure;
use super::{About, Kind, Property};
use crate::world::{CLIENTS, Frame, From, NODES, Note, REQUESTS, node_at};

/// P05: a client that breaks the protocol loses its own connection, and nobody else theirs. For frames in
/// which connections do not break by themselves.
#[derive(Clone, Copy, Debug)]
pub struct OthersStayConnected;

impl Property for OthersStayConnected {
    /// Whose requests they are, and which connections the node may close.
    type Memory = (Owners, [[bool; NODES]; CLIENTS]);

    fn about(&self) -> About {
        About {
            id: "P05",
            kind: Kind::Always,
            sentence: "What breaks the protocol ends no connection but its own.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Owners::of(frame), Default::default())
    }

    fn note(&self, (owners, guilty): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Violated(request, node, ..) => {
                for client in (0..CLIENTS).filter(|client| owners.own(*client, *request)) {
                    guilty[client][*node] = true;
                }
                false
            }
            Note::Broke(client, node) => !guilty[*client][*node],
            Note::Up(client, node) => {
                guilty[*client][*node] = false;
                false
            }
            _ => false,
        }
    }
}

/// P09: a request suffers only from its own connections.
#[derive(Clone, Copy, Debug)]
pub struct OthersGoOn;

impl Property for OthersGoOn {
    /// Whose requests they are, and which connections their clients know to be broken.
    type Memory = (Owners, [[bool; NODES]; CLIENTS]);

    fn about(&self) -> About {
        About {
            id: "P09",
            kind: Kind::Always,
            sentence: "A request hears of a lost connection only if that connection is lost.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let mut down = [[true; NODES]; CLIENTS];
        for (down, client) in down.iter_mut().zip(&frame.clients) {
            client.knows.iter().for_each(|node| down[*node] = false);
        }
        (Owners::of(frame), down)
    }

    fn note(&self, (owners, down): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::ClientDown(client, node) => down[*client][*node] = true,
            // The client closes it itself.
            Note::Violated(request, node, From::Client, _) => {
                for client in (0..CLIENTS).filter(|client| owners.own(*client, *request)) {
                    down[client][*node] = true;
                }
            }
            Note::Up(client, node) => down[*client][*node] = false,
            Note::Told(request, told) => {
                let mut clients = (0..CLIENTS).filter(|client| owners.own(*client, *request));
                let lost = lost(told).and_then(node_at);
                return match (lost, clients.next()) {
                    (Some(node), Some(client)) => !down[client][node],
                    _ => false,
                };
            }
            _ => {}
        }
        false
    }
}

/// P11: what was sent over one connection does not arrive over the next.
#[derive(Clone, Copy, Debug)]
pub struct NothingOutlivesItsConnection;

impl Property for NothingOutlivesItsConnection {
    /// Whose requests they are, and how many messages are on their way to each node and from it.
    type Memory = (Owners, [[[u8; 2]; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P11",
            kind: Kind::Always,
            sentence: "A message arrives over the connection it was sent over, at its request, or not at all.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Owners::of(frame), Default::default())
    }

    fn note(&self, (owners, under_way): &mut Self::Memory, note: &Note) -> bool {
        let (request, node, from, sent) = match note {
            Note::ClientSent(request, node, _) => (*request, *node, From::Client, true),
            Note::NodeSent(request, node, _) => (*request, *node, From::Node, true),
            Note::NodeTook(request, node, _) => (*request, *node, From::Client, false),
            Note::ClientTook(request, node, _) => (*request, *node, From::Node, false),
            Note::Lost(request, node, from, _) => (*request, *node, *from, false),
            Note::Up(client, node) => {
                let mut mine = (0..REQUESTS).filter(|request| owners.own(*client, *request));
                return mine.any(|request| under_way[request][*node] != [0, 0]);
            }
            _ => return false,
        };
        let count = &mut under_way[request][node][usize::from(from == From::Node)];
        let next = match sent {
            true => count.checked_add(1),
            false => count.checked_sub(1),
        };
        *count = next.unwrap_or(*count);
        next.is_none()
    }
}

/// The node whose connection is lost, as the user is told.
fn lost(told: &Told) -> Option<NodeAddress> {
    if let Some(Failure::Disconnected { node }) = failure(told) {
        return Some(*node);
    }
    match told {
        Told::GetChannels(gather::Notification::Disconnected(node))
        | Told::RemoveChannel(gather::Notification::Disconnected(node))
        | Told::GetAll(stream::Notification::Disconnected(node))
        | Told::Mirror(stream::Notification::Disconnected(node)) => Some(*node),
        _ => None,
    }
}
