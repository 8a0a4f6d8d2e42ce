//! A client's connection to the node, by the one protocol or the other: what a driver needs of both.

use dht_protocol::legacy;
use dht_protocol::neo::node::Follow;
use dht_protocol::neo::{Credentials, NodeConnection, Now};

use super::Violation;
use super::host::NodeHost;
use crate::bugs::{Layer, Tap};
use crate::storage::Storage;

/// See the module.
#[derive(Debug)]
pub(super) enum Connection {
    Neo(Box<Neo>),
    Legacy(legacy::NodeConnection),
}

#[derive(Debug)]
pub(super) struct Neo {
    connection: NodeConnection,
    /// Stands between the connection and the driver, if the node has bugs.
    tap: Option<Tap>,
}

impl Connection {
    pub(super) fn neo(connection: NodeConnection, tap: Option<Tap>) -> Self {
        Self::Neo(Box::new(Neo { connection, tap }))
    }

    pub(super) fn legacy() -> Self {
        Self::Legacy(legacy::NodeConnection::default())
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Neo(neo) => match &mut neo.tap {
                None => neo.connection.feed(bytes),
                Some(tap) => tap.feed(bytes),
            },
            Self::Legacy(connection) => connection.feed(bytes),
        }
    }

    pub(super) fn process<S: Storage>(
        &mut self,
        now: Now,
        host: &mut NodeHost<'_, S>,
        bugs: Option<&mut Layer>,
        credentials: &Credentials,
    ) -> Result<bool, Violation> {
        match self {
            Self::Neo(neo) => {
                let Neo { connection, tap } = &mut **neo;
                Ok(match (bugs, tap) {
                    (Some(bugs), Some(tap)) => {
                        bugs.process(tap, connection, credentials, now, host)?
                    }
                    _ => connection.process(now, host)?,
                })
            }
            Self::Legacy(connection) => {
                match bugs {
                    Some(bugs) => bugs.process_legacy(connection, host)?,
                    None => connection.process(host)?,
                }
                // What stays undone waits for room in the output, or for the rest of an order.
                Ok(false)
            }
        }
    }

    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Neo(neo) => match &mut neo.tap {
                None => neo.connection.output(),
                Some(tap) => tap.output(),
            },
            Self::Legacy(connection) => connection.output(),
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        match self {
            Self::Neo(neo) => match &neo.tap {
                None => neo.connection.wants_input(),
                Some(tap) => !tap.is_full(),
            },
            Self::Legacy(connection) => connection.wants_input(),
        }
    }

    pub(super) fn take_follows(&mut self) -> Vec<Follow> {
        match self {
            Self::Neo(neo) => neo.connection.take_follows(),
            Self::Legacy(_) => Vec::new(),
        }
    }

    /// The connection with what stands between it and the driver, if it has bugs.
    pub(super) fn tapped(&self) -> Option<(&Tap, &NodeConnection)> {
        match self {
            Self::Neo(neo) => Some((neo.tap.as_ref()?, &neo.connection)),
            Self::Legacy(_) => None,
        }
    }

    pub(super) fn as_neo(&self) -> Option<&NodeConnection> {
        match self {
            Self::Neo(neo) => Some(&neo.connection),
            Self::Legacy(_) => None,
        }
    }

    pub(super) fn as_neo_mut(&mut self) -> Option<&mut NodeConnection> {
        match self {
            Self::Neo(neo) => Some(&mut neo.connection),
            Self::Legacy(_) => None,
        }
    }
}
