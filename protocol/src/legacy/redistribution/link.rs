//! A node's connection to another node, which it sends orders to.

use bytes::BytesMut;

use crate::legacy::Violation;
use crate::legacy::client::{ClientRequest, Event};
use crate::legacy::order::Order;

/// The client's side of a connection: one order after the other.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Link {
    request: Option<ClientRequest>,
    input: BytesMut,
    output: Vec<u8>,
}

impl Link {
    /// Sends an order. Only when the answer to the one before has come.
    pub fn send(&mut self, order: &Order) {
        order.encode(&mut self.output);
        self.request = Some(ClientRequest::new(order.command()));
    }

    /// Is there an order that the other node has not answered?
    pub fn is_waiting(&self) -> bool {
        self.request.is_some()
    }

    /// Adds bytes as they came from the other node.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// What the other node has said next. After an error the connection is to be closed.
    pub fn receive(&mut self) -> Result<Option<Event>, Violation> {
        let Some(request) = &mut self.request else {
            return match self.input.is_empty() {
                true => Ok(None),
                false => Err(Violation::Unasked),
            };
        };
        let event = request.receive(&mut self.input)?;
        if request.is_over() {
            self.request = None;
        }
        Ok(event)
    }

    /// Bytes for the other node; whoever sends them removes them.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }
}
