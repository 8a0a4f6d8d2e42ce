//! What happens to the connections, as a stream of events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::core::{ConnectionEvent, ConnectionState};
use crate::mailbox::{Marks, Receiver, mailbox};
use crate::shared::Shared;

/// Memory for events that nobody has read, in bytes: some thousands of them.
const BACKLOG: usize = 512 * 1024;

/// What happens to a client's connections; see [`Client::connections`](crate::Client::connections). It
/// begins with what they are like, ends when the client is shut down, and does not keep the client alive.
/// Of events that are not read the oldest are lost in the end.
#[derive(Debug)]
pub struct Connections(Receiver<ConnectionEvent>);

impl Connections {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let (sender, receiver) = mailbox(Marks {
            high: BACKLOG,
            excessive: usize::MAX,
        });
        let mut state = shared.lock();
        for (node, known) in state.core.nodes() {
            match known.connection {
                ConnectionState::Open => {
                    sender.push(ConnectionEvent::Connected(node));
                }
                ConnectionState::Failed(error) => {
                    sender.push(ConnectionEvent::Failed(node, error));
                }
                ConnectionState::Connecting | ConnectionState::Authenticating => {}
            }
            if let Some(range) = known.range {
                sender.push(ConnectionEvent::RangeKnown(node, range));
            }
        }
        if !state.shutdown {
            state.listeners.push(sender);
        }
        Self(receiver)
    }

    /// The next event; `None` when the client was shut down.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        std::future::poll_fn(|context| self.0.poll_next(context).0).await
    }
}

impl Stream for Connections {
    type Item = ConnectionEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next(context).0
    }
}
