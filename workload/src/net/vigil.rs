//! What the events of a connection say about the node. The client goes on after each of them as well as it
//! can; here some are the end of the run.

use dht_client::ConnectionError;
use dht_client::core::ConnectionEvent;

/// So many attempts to connect in a row are refused before anybody looks whether the node is still there.
const REFUSALS: u32 = 5;

/// Watches one connection.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    refusals: u32,
}

/// What has shown.
#[derive(Debug, PartialEq)]
pub(super) enum Finding {
    /// The node has broken the protocol.
    Violation(String),
    /// It seems not to be there any more.
    Missing,
}

impl Vigil {
    /// Something has happened to the connection. That it was lost means nothing: the node may close it,
    /// and so may a fault.
    pub(super) fn observe(&mut self, event: &ConnectionEvent) -> Option<Finding> {
        let (ConnectionEvent::Disconnected(_, error) | ConnectionEvent::Failed(_, error)) = event
        else {
            self.refusals = 0;
            return None;
        };
        match error {
            ConnectionError::Violation(_)
            | ConnectionError::Flooding
            // It has accepted the same client before.
            | ConnectionError::Rejected
            | ConnectionError::WrongVersion { .. } => Some(Finding::Violation(error.to_string())),
            ConnectionError::Refused => self.refused(),
            _ => None,
        }
    }

    /// An attempt to connect was refused.
    pub(super) fn refused(&mut self) -> Option<Finding> {
        self.refusals += 1;
        if self.refusals < REFUSALS {
            return None;
        }
        self.refusals = 0;
        Some(Finding::Missing)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    const NODE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10_100);

    #[test]
    fn refusals_in_a_row_count() {
        let mut vigil = Vigil::default();
        let refused = ConnectionEvent::Failed(NODE, ConnectionError::Refused);
        for _ in 0..REFUSALS - 1 {
            assert_eq!(vigil.observe(&refused), None);
        }
        assert_eq!(vigil.observe(&ConnectionEvent::Connected(NODE)), None);
        for _ in 0..REFUSALS - 1 {
            assert_eq!(vigil.observe(&refused), None);
        }
        assert_eq!(vigil.observe(&refused), Some(Finding::Missing));
    }

    #[test]
    fn a_lost_connection_is_no_finding_but_flooding_is() {
        let mut vigil = Vigil::default();
        let lost = |error| ConnectionEvent::Disconnected(NODE, error);
        assert_eq!(vigil.observe(&lost(ConnectionError::Closed)), None);
        let finding = vigil.observe(&lost(ConnectionError::Flooding));
        assert!(matches!(finding, Some(Finding::Violation(_))));
    }
}
