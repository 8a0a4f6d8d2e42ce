//! Exploring a [`stateright::Model`] beyond what stateright's own checkers offer.
//!
//! * [`explore()`] visits every state, breadth first and with several threads, and judges the model's
//!   `always` and `sometimes` properties. Results do not depend on the number of threads, a path is a
//!   shortest one, the search goes on after a first counterexample, and it stops in good order when it
//!   reaches a limit.
//! * [`liveness`] stores the graph and judges what must happen in the end, with weakly fair processes.
//!   stateright documents that its `eventually` misses violations (on cycles, and where paths join);
//!   this search finds them.
//!
//! Both take the same [`Options`] and give the same [`Outcome`].
//!
//! ## How sure is "complete"?
//!
//! A state is remembered as a fingerprint of 64 bits, as in stateright: two states with one fingerprint
//! count as one state. Among `n` states the probability that this happens at all is about `n² / 2⁶⁵`:
//! 0.000003 for ten million states, 0.0003 for a hundred million. The fingerprints are seeded differently
//! from stateright's, so that equal counts of both checkers rule out a collision that both share.

mod components;
mod fingerprint;
mod graph;
mod options;
mod outcome;
mod path;
mod round;
mod shard;
mod table;

pub mod explore;
pub mod liveness;

pub use explore::explore;
pub use liveness::{Fair, eventually};
pub use options::{Options, Progress};
pub use outcome::{Coverage, Finding, Kind, Outcome, Stop, Undecided, Verdict};
pub use path::Path;
