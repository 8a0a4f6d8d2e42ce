//! What the legacy protocol says, in the words of the model.

use dht_model::Answer;
use dht_protocol::legacy::Status;

/// Why something is not done that only neo can do.
pub(crate) const UNKNOWN: &str = "the legacy protocol does not know this";

/// Why nothing else is done on a connection while it listens.
pub(crate) const TAKEN: &str = "the connection is taken";

/// What a status other than Ok says.
pub(crate) fn refused(status: Status) -> Answer {
    match status {
        Status::WrongNode => Answer::WrongNode,
        Status::OutOfMemory => Answer::OutOfMemory,
        Status::EmptyValue => Answer::EmptyValue,
        Status::BadChannelName => Answer::BadChannelName,
        Status::ValueTooBig => Answer::ValueTooBig,
        _ => Answer::Error,
    }
}
