//! Messages on their way: they are sent, arrive in order, and are lost with their connection.

use bytes::Bytes;

use super::World;
use super::note::{From, Node, Note, Request};
use super::state::{Link, Queue};
use super::step::Step;
use crate::intern::Id;

/// The next message of a queue, and those behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    first: Option<Id<Bytes>>,
    rest: Id<Queue>,
}

impl World {
    fn head(&self, queue: Id<Queue>) -> Head {
        *self.heads.get(queue, |queue| {
            let messages = &self.queues.get(*queue).0;
            let rest = messages.iter().skip(1).copied().collect();
            Head {
                first: messages.first().copied(),
                rest: self.queues.id(Queue(rest)),
            }
        })
    }

    fn push(&self, queue: Id<Queue>, message: Id<Bytes>) -> Id<Queue> {
        *self.pushed.get((queue, message), |(queue, message)| {
            let mut messages = self.queues.get(*queue).0.clone();
            messages.push(*message);
            self.queues.id(Queue(messages))
        })
    }
}

impl Step<'_> {
    /// Puts a message on its way. If the connection is broken it is lost; the sender may not know.
    pub(super) fn send(&mut self, request: Request, node: Node, from: From, message: Id<Bytes>) {
        let client = self.client_of(request);
        if self.state.links[client][node] != Link::Up {
            return self.lose(request, node, from, message);
        }
        let world = self.world;
        let queue = self.queue(request, node, from);
        *queue = world.push(*queue, message);
    }

    /// Takes the message that arrives next.
    pub(super) fn arriving(
        &mut self,
        request: Request,
        node: Node,
        from: From,
    ) -> Option<Id<Bytes>> {
        let world = self.world;
        let queue = self.queue(request, node, from);
        let head = world.head(*queue);
        *queue = head.rest;
        head.first
    }

    /// What is on its way is lost.
    pub(super) fn discard(&mut self, request: Request, node: Node, from: From) {
        while let Some(message) = self.arriving(request, node, from) {
            self.lose(request, node, from, message);
        }
    }

    fn lose(&mut self, request: Request, node: Node, from: From, message: Id<Bytes>) {
        let payload = self.world.payload(message);
        self.note(Note::Lost(request, node, from, payload));
    }

    fn queue(&mut self, request: Request, node: Node, from: From) -> &mut Id<Queue> {
        match from {
            From::Client => &mut self.state.to_node[request][node],
            From::Node => &mut self.state.to_client[request][node],
        }
    }
}
