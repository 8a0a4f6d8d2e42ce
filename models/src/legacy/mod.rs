//! The legacy protocol: one node and the connections of its clients, each of which orders one thing after the other.
//!
//! Both ends are the machines that client and node run: [`ClientRequest`](dht_protocol::legacy::ClientRequest) and
//! [`NodeConnection`](dht_protocol::legacy::NodeConnection). What each has written arrives in its order, whole or cut;
//! the node goes on with what it has to tell at any time; a connection may break. Beside the node stands an
//! [`Oracle`](oracle::Oracle), which says in a few lines what each order does to a few records.
//!
//! * [`frame`], [`mod@frames`]: what clients order.
//! * [`state`], [`model`]: states and steps.
//! * [`store`], [`oracle`]: what the node stores, and what it should answer.
//! * [`properties`]: what must hold. [`defect`]: deviations that they have to find.

pub mod defect;
pub mod frame;
pub mod frames;
pub mod model;
pub mod oracle;
pub mod properties;
pub mod state;
pub mod store;

pub use defect::Defect;
pub use frame::{Client, Frame};
pub use frames::frames;
pub use model::LegacyModel;
pub use properties::{PROPERTIES, Property};
pub use state::{Action, State};

use crate::frames::Bounds;

/// The models of all frames within these bounds.
pub fn models(bounds: Bounds) -> Vec<LegacyModel> {
    frames(bounds).into_iter().map(LegacyModel::new).collect()
}
