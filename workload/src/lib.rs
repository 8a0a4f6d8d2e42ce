//! Workloads: what clients do to a node that no list of checks foresees.
//!
//! A [`Case`] says what is done, by whom and when: rounds of steps. It is data; written as JSON it is a
//! file of the corpus. A [`World`](world::World) is where it is done: against any node over sockets, or
//! against a node in this process without any. [`run`](run::run) does it and writes down what happened, a
//! [`Recording`]; [`judge`] says what of that is wrong.
//!
//! * [`case`]: cases, steps, faults, values; [`names`] turns what they name into channels and keys.
//! * [`world`]: what a world has to do; [`run`] and [`recording`]: doing it. [`net`]: the world over sockets.
//! * [`judge`]: the reference model for what happened one after another, histories for what overlapped,
//!   intervals for what streams tell.
//! * [`rng`]: numbers whose meaning never changes.
//!
//! Nothing here prints, reads arguments, or knows a byte layout.

pub mod case;
pub mod corpus;
pub mod generate;
pub mod hunt;
pub mod judge;
mod legacy;
mod messages;
pub mod minimise;
pub mod names;
pub mod net;
pub mod recording;
pub mod rng;
pub mod run;
pub mod sim;
pub mod value;
mod violation;
pub mod world;

pub use case::{Case, Placed, Round, Step};
pub use recording::Recording;
