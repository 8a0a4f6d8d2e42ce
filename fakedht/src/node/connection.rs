//! A client's connection to the node, by the one protocol or the other: what a driver needs of both.

use dht_protocol::legacy;
use dht_protocol::neo::node::Follow;
use dht_protocol::neo::{Credentials, NodeConnection, Now};

use super::Violation;
use super::errand::Own;
use super::host::{Event, NodeHost};
use crate::bugs::{Layer, LegacyTap, Tap};
use crate::storage::Storage;

/// See the module.
#[derive(Debug)]
pub(super) enum Connection {
    Neo(Box<Neo>),
    Legacy(Box<Legacy>),
    /// Not a client's, but the node's own.
    Own(Box<Own>),
}

#[derive(Debug)]
pub(super) struct Legacy {
    connection: legacy::NodeConnection,
    /// Stands between the connection and the driver, if the node has bugs.
    tap: Option<LegacyTap>,
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

    pub(super) fn legacy(max_value: u64, tap: Option<LegacyTap>) -> Self {
        let connection = legacy::NodeConnection::new(max_value);
        Self::Legacy(Box::new(Legacy { connection, tap }))
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Neo(neo) => match &mut neo.tap {
                None => neo.connection.feed(bytes),
                Some(tap) => tap.feed(bytes),
            },
            Self::Legacy(legacy) => match &mut legacy.tap {
                None => legacy.connection.feed(bytes),
                Some(tap) => tap.feed(bytes),
            },
            Self::Own(own) => own.link.feed(bytes),
        }
    }

    /// The client sends nothing more.
    pub(super) fn input_ended(&mut self) {
        match self {
            // Requests go on: their answers are still read.
            Self::Neo(_) | Self::Own(_) => {}
            Self::Legacy(legacy) => {
                legacy.connection.input_ended();
                if let Some(tap) = &mut legacy.tap {
                    tap.input_ended();
                }
            }
        }
    }

    /// Something happened in a channel that the connection follows.
    pub(super) fn tell(&mut self, event: Event) {
        match (self, event) {
            (Self::Neo(neo), Event::Record(channel, change)) => {
                neo.connection.changed(channel, change);
            }
            (Self::Neo(neo), Event::Gone(channel)) => neo.connection.channel_removed(channel),
            (Self::Legacy(legacy), Event::Record(channel, change)) => {
                legacy.connection.changed(channel, change);
            }
            (Self::Legacy(legacy), Event::Gone(channel)) => {
                legacy.connection.channel_removed(channel);
            }
            (Self::Own(_), _) => {}
        }
    }

    pub(super) fn process<S: Storage>(
        &mut self,
        now: Now,
        host: &mut NodeHost<S>,
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
            Self::Legacy(legacy) => {
                let Legacy { connection, tap } = &mut **legacy;
                Ok(match (bugs, tap) {
                    (Some(bugs), Some(tap)) => bugs.process_legacy(tap, connection, host)?,
                    _ => connection.process(host)?,
                })
            }
            Self::Own(own) => Ok(own.process(host)?),
        }
    }

    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Neo(neo) => match &mut neo.tap {
                None => neo.connection.output(),
                Some(tap) => tap.output(),
            },
            Self::Legacy(legacy) => legacy.connection.output(),
            Self::Own(own) => own.link.output(),
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        match self {
            Self::Neo(neo) => match &neo.tap {
                None => neo.connection.wants_input(),
                Some(tap) => !tap.is_full(),
            },
            Self::Legacy(legacy) => legacy.connection.wants_input(),
            Self::Own(_) => true,
        }
    }

    pub(super) fn take_follows(&mut self) -> Vec<Follow> {
        match self {
            Self::Neo(neo) => neo.connection.take_follows(),
            Self::Legacy(legacy) => legacy.connection.take_follows(),
            Self::Own(_) => Vec::new(),
        }
    }

    /// Is an answer still to come although the client says nothing more?
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Neo(_) | Self::Own(_) => false,
            Self::Legacy(legacy) => legacy.connection.is_busy(),
        }
    }

    /// The connection with what stands between it and the driver, if it has bugs.
    pub(super) fn tapped(&self) -> Option<(&Tap, &NodeConnection)> {
        match self {
            Self::Neo(neo) => Some((neo.tap.as_ref()?, &neo.connection)),
            Self::Legacy(_) | Self::Own(_) => None,
        }
    }

    pub(super) fn as_neo(&self) -> Option<&NodeConnection> {
        match self {
            Self::Neo(neo) => Some(&neo.connection),
            Self::Legacy(_) | Self::Own(_) => None,
        }
    }

    pub(super) fn as_neo_mut(&mut self) -> Option<&mut NodeConnection> {
        match self {
            Self::Neo(neo) => Some(&mut neo.connection),
            Self::Legacy(_) | Self::Own(_) => None,
        }
    }
}
