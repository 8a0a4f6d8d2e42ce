//! What a node is told at its start; everything has a default.

use dht_protocol::neo::{ClientName, Credentials, Limits, NodeAddress};
use dht_protocol::{HashRange, legacy};

use crate::bugs::Bugs;

/// The name of the client that may do everything.
pub const ADMIN: &str = "admin";

/// How a node behaves.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The keys that the node is responsible for; by default all.
    pub range: HashRange,
    /// Who may connect; by default the client `admin` with the key of zeros.
    pub credentials: Credentials,
    /// Who may remove channels.
    pub remove_channels: RemoveChannels,
    /// What the node accepts of a connection.
    pub limits: Limits,
    /// Where the node serves the legacy protocol, which it tells clients that ask how much is stored. By
    /// default what the [server](crate::Server::start_legacy) says.
    pub legacy_address: Option<NodeAddress>,
    /// The largest value that a legacy client may store, in bytes; by default the largest that fits in a
    /// batch.
    pub max_legacy_value: u64,
    /// How many bytes of values there may be for legacy clients to store another one; by default any
    /// number. The neo protocol has no way to refuse one.
    pub size_limit: Option<u64>,
    /// How many bytes of values there may be for other nodes to hand over more while this one moves records
    /// itself, in percent of what it had when it began.
    pub redistribution_percent: u64,
    /// In which ways the node is to be wrong; by default none.
    pub bugs: Bugs,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            range: HashRange::FULL,
            credentials: Credentials::default_admin(),
            remove_channels: RemoveChannels::default(),
            limits: Limits::default(),
            legacy_address: None,
            max_legacy_value: legacy::MAX_VALUE,
            size_limit: None,
            redistribution_percent: 110,
            bugs: Bugs::none(),
        }
    }
}

/// Which clients may remove channels (`neo-requests.md` section 11).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum RemoveChannels {
    /// Only the client named [`ADMIN`], as with the original production node.
    #[default]
    AdminOnly,
    /// Every client, as with the original fake node.
    Everybody,
}

impl RemoveChannels {
    /// Is it allowed to this client?
    pub fn allows(self, client: &ClientName) -> bool {
        match self {
            Self::AdminOnly => client.as_str() == ADMIN,
            Self::Everybody => true,
        }
    }
}
