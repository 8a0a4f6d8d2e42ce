//! Connections for checks that speak the protocol themselves, byte by byte, also wrongly.
//!
//! * [`socket`]: a TCP connection: bytes out, bytes in, how it ends.
//! * [`handshake`]: the authentication on it, step by step.
//! * [`link`]: an authenticated connection with requests: what came for which (`inbox`), what did not come.
//! * [`talk`]: whole requests in one call, for what a check is not about; [`bulk`]: many of them.
//! * [`mod@shown`]: bytes as reports show them.
//! * [`legacy`]: the same for the legacy protocol.
//!
//! Nothing here sleeps. That something does not come is shown by a sentinel: a request on the same
//! connection that is answered meanwhile.

pub mod bulk;
pub mod handshake;
mod inbox;
pub mod legacy;
pub mod link;
pub mod shown;
pub mod socket;
pub mod talk;

pub use handshake::Login;
pub use link::{Heard, Link, Reaction};
pub use shown::{quoted, shown};
pub use socket::{Closing, Socket};
