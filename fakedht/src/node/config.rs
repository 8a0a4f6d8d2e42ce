//! What a node is told at its start; everything has a default.

use dht_protocol::HashRange;
use dht_protocol::neo::{ClientName, Credentials, Limits};

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
