//! Update: reads a record and changes it, if nobody else has changed it meanwhile
//! (`neo-requests.md` section 12).
//!
//! ```text
//! client  -- GetRecord channel key -------->  node
//!         <-- supported ------------------
//!         <-- NoRecord | WrongNode | Error    (end)
//!     or  <-- RecordValue
//!         -- UpdateRecord hash value ----->
//!         <-- Ok | UpdateConflict | Error     (end)
//!     or  -- RemoveRecord | LeaveRecord -->
//!         <-- Ok | Error                      (end)
//! ```
//!
//! A record that is found on another node than the newest that covers it moves to the newest one:
//!
//! ```text
//! client  -- UpdateRecord channel key hash value -->  newest
//!         <-- supported, Ok ----------------------
//!         -- RemoveRecord ----------------------->  old node
//!         <-- Ok ---------------------------------
//! ```

mod client;
mod messages;
mod node;

pub use client::Client;
pub use messages::{FromClient, FromNode, Open, Replacement};
pub use node::Node;

use bytes::Bytes;

use super::{Failure, RequestCode};

const CODE: RequestCode = RequestCode::Update;

/// What is to become of the record that was read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Decision {
    /// It gets this value.
    Replace(Bytes),
    /// It is removed.
    Delete,
    /// It stays as it is.
    Leave,
}

/// How an update ended that did not fail.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Updated {
    /// What was decided has been done.
    Done,
    /// There is no such record; nothing was decided.
    NoRecord,
    /// Somebody else changed the record meanwhile; it has their value.
    Conflict,
}

/// What the user of an update is told.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Notification {
    /// The record's value; a [`Decision`] is awaited.
    Received(Bytes),
    /// The last notification.
    Ended(Result<Updated, Failure>),
}

#[cfg(test)]
mod tests;
