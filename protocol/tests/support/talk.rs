//! A client's half of one request, told what nodes say.

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::Effect;
use dht_protocol::neo::request::get_all::Item;
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::neo::request::visit::{Outcome, Visit, Visitor};

use super::{hex, node};

/// What a request for one record does that asks these nodes (ports) and hears these messages, each
/// from a port and in hexadecimal.
pub(crate) fn visited<V: Visitor>(
    visitor: V,
    nodes: &[u16],
    said: &[(u16, &str)],
) -> Vec<Effect<Outcome<V::Output>>> {
    let mut effects = Vec::new();
    let nodes = nodes.iter().map(|port| node(*port));
    let mut visit = Visit::start(visitor, nodes, &mut effects);
    for (port, message) in said {
        visit.receive(node(*port), &hex(message), &mut effects);
    }
    effects
}

/// What one node's messages make of a request for one record; "supported" is said before them.
pub(crate) fn answered<V: Visitor>(visitor: V, said: &[&str]) -> Option<Outcome<V::Output>> {
    let said: Vec<_> = std::iter::once("fd")
        .chain(said.iter().copied())
        .map(|message| (1, message))
        .collect();
    told(&visited(visitor, &[1], &said)).pop()
}

/// What the user is told.
pub(crate) fn told<T: Clone>(effects: &[Effect<T>]) -> Vec<T> {
    let notification = |effect: &Effect<T>| match effect {
        Effect::Notify(notification) => Some(notification.clone()),
        _ => None,
    };
    effects.iter().filter_map(notification).collect()
}

/// What nodes are sent.
pub(crate) fn sent<T>(effects: &[Effect<T>]) -> Vec<(NodeAddress, Vec<u8>)> {
    let message = |effect: &Effect<T>| match effect {
        Effect::Send { node, payload } => Some((*node, payload.clone())),
        _ => None,
    };
    effects.iter().filter_map(message).collect()
}

/// Which connections are closed.
pub(crate) fn closed<T>(effects: &[Effect<T>]) -> Vec<NodeAddress> {
    let closed = |effect: &Effect<T>| match effect {
        Effect::Close { node, .. } => Some(*node),
        _ => None,
    };
    effects.iter().filter_map(closed).collect()
}

/// What a GetAll does in short: messages to nodes as "port: message", notifications by their names.
pub(crate) fn outline(effects: &[Effect<Notification<Item>>]) -> Vec<String> {
    let outline = |effect: &Effect<Notification<Item>>| match effect {
        Effect::Send { node, payload } => {
            let message = match payload[..] {
                [1] => "Suspend",
                [2] => "Resume",
                [3] => "Stop",
                [4] => "Ack",
                [5, 0, 0, ..] => "GetAll",
                [5, 0, 1, ..] => "GetAll suspended",
                _ => panic!("{payload:02x?}"),
            };
            format!("{}: {message}", node.port())
        }
        Effect::Close { node, .. } => format!("{}: closed", node.port()),
        Effect::Notify(Notification::Item(node, Item::Record(key, _))) => {
            format!("record {} of {}", key.0, node.port())
        }
        Effect::Notify(Notification::Disconnected(node)) => {
            format!("{} disconnected", node.port())
        }
        Effect::Notify(Notification::NodeError(node)) => format!("{} failed", node.port()),
        Effect::Notify(notification) => format!("{notification:?}"),
    };
    effects.iter().map(outline).collect()
}
