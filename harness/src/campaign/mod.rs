//! The random part of a run: cases that nobody thought of, and the failures that earlier runs have kept.
//!
//! * `stage`: runs a case against the node. `finding`: what was found, made short, kept as a file, and put
//!   into a report's words.
//! * `techniques`: the kinds of cases, and what each looks at. `sweep`: the one that leaves nothing to chance.
//!   `search`: the loop over them, within a budget.
//! * `corpus`: failures that were kept, run again. `tour`: runs of the models.

pub mod corpus;
pub(crate) mod finding;
mod search;
pub mod stage;
mod sweep;
mod techniques;
pub(crate) mod tour;

pub(crate) use search::Search;
pub use techniques::{is_chosen, lines};

/// The name of the random part in the report.
pub(crate) const GROUP: &str = "random";
