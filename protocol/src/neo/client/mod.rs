//! A client's requests, without I/O: what a user asks for and is told, and the client's half of any
//! request behind one interface. The counterpart for a node is [`node`](super::node).
//!
//! [`ClientRequest::start`] asks the nodes that the [`Registry`](super::registry::Registry) names. From
//! then on whoever drives the request tells it what happens ([`Event`]), what the user wants of it
//! ([`control`](ClientRequest::control), [`decide`](ClientRequest::decide)) and how fast the user reads
//! ([`pace`](ClientRequest::pace)), and carries out the [`Effect`](super::request::Effect)s that come of
//! it. A message to a node that is not connected is answered with [`Event::Disconnected`]. The tokio
//! client does so over sockets, the model checker in every possible order.

mod half;
mod pace;
mod request;

pub use half::{ClientRequest, Event};
pub use pace::Backlog;
pub use request::{ChannelEvent, GetAllEvent, MirrorEvent, RemoveChannelEvent, Request, Told};
