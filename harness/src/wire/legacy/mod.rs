//! Connections of the legacy protocol for checks.
//!
//! * [`link`]: a connection: orders out, answers in, with bounded waits.
//! * [`talk`]: whole requests in one call, for what a check is not about.
//! * [`listen`]: a Listen that runs, and how a check knows that it does.
//! * [`wrong`]: bytes as somebody sends them who does not keep the protocol.

pub mod link;
pub mod listen;
pub mod talk;
pub mod wrong;

pub use link::{LegacyLink, Said};
pub use listen::LegacyListen;
