//! One connection from its first byte on: the versions, the authentication, and several requests at once.
//!
//! Both ends are the machines that client and node run, [`Connection`](dht_protocol::neo::Connection) and
//! [`NodeConnection`](dht_protocol::neo::NodeConnection). Between them are two streams of bytes, and the
//! model chooses where these are cut, what is asked when, and what goes wrong. It knows nothing of what the
//! machines do; it looks at what they read, wrote and became.
//!
//! * [`frame`], [`mod@frames`]: the conversations that are explored.
//! * [`state`], [`model`]: states and steps.
//! * [`end`], [`pipe`], [`host`]: what states are made of.
//! * [`properties`], [`goals`]: what must hold, and what must be possible.
//! * [`defect`]: deviations that the properties have to find.

pub mod defect;
pub mod end;
pub mod frame;
pub mod frames;
pub mod goals;
pub mod host;
pub mod model;
pub mod pipe;
pub mod properties;
pub mod state;

mod alone;
mod words;

pub use defect::Defect;
pub use frame::Frame;
pub use frames::frames;
pub use goals::Goal;
pub use model::ConnectionModel;
pub use properties::{PROPERTIES, Property};
pub use state::{Action, State};

use crate::frames::Bounds;

/// The models of all frames within these bounds.
pub fn models(bounds: Bounds) -> Vec<ConnectionModel> {
    frames(bounds)
        .into_iter()
        .map(ConnectionModel::new)
        .collect()
}
