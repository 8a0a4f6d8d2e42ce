//! What one model is about: who is at the two ends, what is asked, and what may go wrong.

use dht_protocol::neo::{Credential, Credentials, RequestId};

use super::end::Line;
use super::goals::Goal;
use super::host::Records;
use super::pipe::Cuts;

/// A configuration of the model, and its bounds.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its name, unique among the frames.
    pub name: &'static str,
    /// What it is about, a sentence.
    pub about: &'static str,
    /// Where the streams are cut.
    pub cuts: Cuts,
    /// Whom the node knows.
    pub known: Credentials,
    /// Who the client's machine says it is.
    pub credential: Credential,
    /// The client's clock, in seconds since the UNIX epoch; the node's stands at [`NOW`].
    pub clock: u64,
    /// Those who are at the client's end instead of the machine, one after the other; their scripts.
    pub clients: Vec<Vec<Line>>,
    /// Those who are at the node's end instead of the machine.
    pub nodes: Vec<Vec<Line>>,
    /// What the client asks, each at any time and in any order.
    pub asks: Vec<Ask>,
    /// What the node stores at first.
    pub records: Records,
    /// What may be said once at the client's end in between, at any time.
    pub wrong: Vec<Vec<u8>>,
    /// May the connection break?
    pub breaks: bool,
    /// May the client close its direction when it has asked everything?
    pub finishes: bool,
    /// Does the node write only when the client has read everything? Otherwise it always can.
    pub stalls: bool,
    /// Is there a second client, which does nothing wrong?
    pub bystander: bool,
    /// Is the client one that must not be let in?
    pub outsider: bool,
    /// What must be reachable.
    pub goals: &'static [Goal],
}

/// A request's first message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ask {
    /// The request.
    pub id: RequestId,
    /// What comes behind the id.
    pub payload: Vec<u8>,
}

/// The node's clock, in seconds since the UNIX epoch.
pub const NOW: u64 = 1_795_328_455;

/// What the node draws for a connection.
pub const NONCE: [u8; 4] = [0xec, 0x27, 0x4c, 0xa2];

impl Frame {
    /// Does nobody do anything wrong, and nothing break?
    pub fn is_calm(&self) -> bool {
        self.clients.is_empty()
            && self.nodes.is_empty()
            && self.wrong.is_empty()
            && !self.breaks
            && !self.outsider
    }
}
