//! Bugs of connections as such: how many there may be, what they may hold, and how they end.

use std::collections::BTreeMap;

use dht_protocol::neo::ClientName;

use crate::bugs::Bug;
use crate::bugs::reaction::{AcceptBug, Admission, Arrival, HalfClose, Reaction};
use crate::bugs::seam::Seam;
use crate::bugs::wire::Phase;
use crate::node::ConnectionId;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "limit-100-requests",
        description: "A connection may have no more than 100 active requests.",
        breaks: "neo-transport 12.1",
        seam: Seam::Limits(|limits| limits.active_requests = 100),
    },
    Bug {
        name: "limit-4096-byte-messages",
        description: "A request message may have no more than 4,096 bytes.",
        breaks: "neo-transport 4.2",
        seam: Seam::Limits(|limits| limits.message = 4096),
    },
    Bug {
        name: "limit-one-queued-change",
        description: "A Mirror that cannot send loses changes as soon as a second one waits.",
        breaks: "neo-requests 1.3",
        seam: Seam::Limits(|limits| limits.mirror_queue = 1),
    },
    Bug {
        name: "hanging-up-with-requests-crashes",
        description: "A connection that ends while requests are active on it makes the node crash.",
        breaks: "neo-transport 10",
        seam: Seam::Closed(|departure| match departure.active {
            0 => Reaction::Close,
            _ => Reaction::Crash,
        }),
    },
    Bug {
        name: "hanging-up-with-requests-closes-all",
        description: "A connection that ends while requests are active on it makes the node close all.",
        breaks: "neo-transport 10",
        seam: Seam::Closed(|departure| match departure.active {
            0 => Reaction::Close,
            _ => Reaction::CloseAll,
        }),
    },
    Bug {
        name: "hanging-up-before-login-makes-unusable",
        description: "After a connection that ended before its authentication every new one is closed at \
                      once.",
        breaks: "neo-transport 10",
        seam: Seam::Closed(|departure| match departure.phase {
            Phase::Open => Reaction::Close,
            Phase::Version | Phase::Time | Phase::Proof => Reaction::Unusable,
        }),
    },
    Bug {
        name: "one-connection-per-client",
        description: "A client that connects again loses the connection that it has.",
        breaks: "neo-transport 12.2",
        seam: Seam::Accept(|| Box::new(OnePerClient::default())),
    },
    Bug {
        name: "two-connections-at-once",
        description: "Of more than two connections at a time the further ones are closed at once.",
        breaks: "neo-transport 12.2",
        seam: Seam::Accept(|| {
            Box::new(|arrival: Arrival| match arrival.open {
                0 | 1 => Admission::Serve,
                _ => Admission::Refuse,
            })
        }),
    },
    Bug {
        name: "connections-refused-after-20",
        description: "After twenty connections every further one is closed at once.",
        breaks: "neo-transport 12.2",
        seam: Seam::Accept(|| {
            Box::new(|arrival: Arrival| match arrival.number {
                0..20 => Admission::Serve,
                _ => Admission::Refuse,
            })
        }),
    },
    Bug {
        name: "half-close-drops-answers",
        description: "A client that sends nothing more is disconnected without the answers that it waits \
                      for.",
        breaks: "neo-transport 10",
        seam: Seam::HalfClose(HalfClose::Drop),
    },
    Bug {
        name: "half-close-kept-open",
        description: "The connection of a client that sends nothing more stays open for good.",
        breaks: "neo-transport 10",
        seam: Seam::HalfClose(HalfClose::Keep),
    },
    Bug {
        name: "slow-reader-blocks-others",
        description: "While 64 KiB wait for a client that does not read, no other connection is served.",
        breaks: "neo-transport 9",
        seam: Seam::Congestion(64 * 1024),
    },
];

#[derive(Default)]
struct OnePerClient {
    connections: BTreeMap<ClientName, ConnectionId>,
}

impl AcceptBug for OnePerClient {
    fn authenticated(
        &mut self,
        connection: ConnectionId,
        client: &ClientName,
    ) -> Option<ConnectionId> {
        self.connections.insert(client.clone(), connection)
    }
}
