//! Where the fuzzer works, and as whom.

use std::net::SocketAddrV4;
use std::time::Duration;

use dht_protocol::HashRange;
use dht_protocol::neo::Credential;
use dht_protocol::neo::request::RecordName;

/// Where the fuzzer works, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The node.
    pub(super) address: SocketAddrV4,
    /// Where it speaks the legacy protocol, if that is known.
    pub(super) legacy: Option<SocketAddrV4>,
    /// Who the client is.
    pub(super) credential: Credential,
    /// The node's hash range.
    pub(super) range: HashRange,
    /// How long the node may take for anything.
    pub(super) patience: Duration,
    /// A record that no case names.
    pub(super) spare: RecordName,
}
