//! A client's attempt to get in.

use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::{ClientName, Credentials};

/// What a client says to get in, and what the node knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) nonce: Nonce,
    pub(super) timestamp: Timestamp,
    pub(super) proof: &'a Proof,
}

impl<'a> Login<'a> {
    /// Who the client says it is, if that can be a name.
    pub(super) fn name(&self) -> Option<ClientName> {
        ClientName::new(&self.proof.name).ok()
    }

    /// The names of all clients that the node knows.
    pub(super) fn known(&self) -> impl Iterator<Item = &'a ClientName> + use<'a> {
        self.credentials.names()
    }

    /// The proof that the client that it says it is would have given.
    pub(super) fn right(&self) -> Option<Proof> {
        self.proof_of(&self.name()?)
    }

    /// The right proof of any client that the node knows.
    pub(super) fn anybody(&self) -> Option<Proof> {
        self.proof_of(self.known().next()?)
    }

    /// The proof that a client with this name and its right key would have given.
    pub(super) fn proof_of(&self, name: &ClientName) -> Option<Proof> {
        Some(Proof {
            name: name.as_str().into(),
            code: self.code_at(name, self.timestamp.0)?,
        })
    }

    /// The code that a client with this name and its right key would have made at this time.
    pub(super) fn code_at(&self, name: &ClientName, time: u64) -> Option<[u8; 64]> {
        Some(auth::code(self.credentials.key(name)?, time, self.nonce))
    }

    /// The same proof under another name.
    pub(super) fn renamed(&self, name: &[u8]) -> Proof {
        Proof {
            name: name.to_vec(),
            code: self.proof.code,
        }
    }
}
