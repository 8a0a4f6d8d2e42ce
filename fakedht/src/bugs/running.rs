//! Which requests run on a node, so that a bug can act on a message because of what happens elsewhere.

use std::collections::BTreeMap;

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::RequestCode;

use crate::node::ConnectionId;

/// The requests of all connections that have begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Running(BTreeMap<(ConnectionId, RequestId), RequestCode>);

impl Running {
    /// Does such a request run?
    pub(super) fn any(&self, request: RequestCode) -> bool {
        self.0.values().any(|running| *running == request)
    }

    pub(super) fn begin(&mut self, connection: ConnectionId, id: RequestId, request: RequestCode) {
        self.0.insert((connection, id), request);
    }

    pub(super) fn end(&mut self, connection: ConnectionId, id: RequestId) {
        self.0.remove(&(connection, id));
    }

    /// A connection is gone, and its requests with it.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.0.retain(|(of, _), _| *of != connection);
    }
}
