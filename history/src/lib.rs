//! Histories of concurrent operations on a DHT, and whether they are linearizable.
//!
//! A [`History`] says for each operation of each client when it was invoked, when it returned and with what
//! answer; or that its outcome is unknown. It is linearizable if every operation can be thought to take
//! effect at one moment between the two, in an order in which every answer is right (Herlihy and Wing, 1990).
//! [`check`] decides that, under the meaning that [`Semantics`] gives to the operations, and proves what it
//! says: with a [`Witness`] that [`check_witness`] verifies, or with an [`Explanation`] that names the few
//! operations which no order explains, in words and as a [drawing](svg). Where a [`Budget`] ends before that,
//! the [`Verdict`] is unknown, with the reason.
//!
//! Histories are read and written as [JSON Lines](jsonl). There is no other I/O here, no clock and no runtime.
//!
//! ```
//! use dht_history::{Budget, Semantics, Verdict, check, jsonl};
//!
//! let lines = r#"
//! {"client":1,"op":"put","channel":"c","key":"k","value":"a","invoked":0,"returned":10,"result":"ok"}
//! {"client":1,"op":"put","channel":"c","key":"k","value":"b","invoked":20,"returned":30,"result":"ok"}
//! {"client":2,"op":"get","channel":"c","key":"k","invoked":40,"returned":50,"result":{"value":"a"}}
//! "#;
//! let history = jsonl::read(lines.as_bytes())?;
//! let Verdict::NotLinearizable(explanation) = check(&history, Semantics::Dht, Budget::default()) else {
//!     unreachable!("the last get is stale");
//! };
//! assert_eq!(explanation.operations(), [0, 1, 2]);
//! # Ok::<(), jsonl::ReadError>(())
//! ```
//!
//! How it is decided: `plan` splits the history into problems that are independent of each other, `zones` and
//! the explanations' patterns decide most of them in near-linear time, and `search` the rest.

mod budget;
mod check;
mod explain;
mod history;
pub mod jsonl;
mod numbering;
mod octets;
mod plan;
mod problem;
mod search;
mod semantics;
pub mod svg;
mod verdict;
mod witness;
mod zones;

pub use budget::{Budget, Limit};
pub use check::check;
pub use explain::{Explanation, Fault};
pub use history::{Entry, History, Operation, Outcome, Record, Returned};
pub use jsonl::{ReadError, read, write};
pub use octets::Octets;
pub use semantics::{Semantics, UnknownSemantics};
pub use verdict::{Reason, Verdict};
pub use witness::{Moment, Step, Witness, WitnessError, check_witness};
