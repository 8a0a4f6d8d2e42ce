//! The reference model: what a DHT means.
//!
//! The model says, for every operation that a user of a client can ask for, which answers are right and
//! what is stored afterwards. It opens no socket and knows no byte layout. Its authority is
//! `semantics-and-client.md`, part A; the rule ids in refusals (`A18.3`, `P20`) are those of that part
//! and of the properties in `neo-requests.md`, section 16.
//!
//! Operations are judged in sequence: each one ends before the next begins.
//!
//! There is one state and two protocols. What goes over a node's legacy port ([`Route::Legacy`]) is judged
//! by rules of its own ([`rules::legacy`]), whose authority is `legacy.md`, and changes the same records:
//! what one protocol stores the other has to show.
//!
//! ```
//! use bytes::Bytes;
//! use dht_model::{Answer, HashRange, Model, NodeId, Operation};
//!
//! let mut model = Model::default();
//! model.announce(NodeId(0), HashRange::FULL);
//! model.observe(&Operation::put("c", 1, "v"), &Answer::Stored).unwrap();
//! model.observe(&Operation::get("c", 1), &Answer::Value(Bytes::from("v"))).unwrap();
//! let refusal = model.observe(&Operation::get("c", 1), &Answer::NoRecord).unwrap_err();
//! assert_eq!(refusal.rule.id, "NEO-DATA-01");
//! ```
//!
//! # What is known, and what is not
//!
//! A node that keeps the protocol is not predictable in full. What an empty value does is unspecified
//! (A5), and an operation whose connection was lost may or may not have happened. So the model does not
//! hold one state but every state that agrees with the answers so far, and an answer is refused when no
//! state is left that allows it. There would be exponentially many if they were listed one by one; they
//! are kept in three layers, each a product of independent parts, which is exact and small:
//!
//! 1. Channels of different names know nothing of each other: no answer relates them. [`Model`] keeps
//!    them apart.
//! 2. For one name there is a list of [alternatives](ChannelState). One is nearly always enough. There
//!    are more where two facts hang together, for example "the channel was removed, or else it holds
//!    what it held".
//! 3. One alternative says for each node whether it may lack the channel, and gives for each key a
//!    [`Slot`], the set of [records](RecordState) that may stand there, each combination being possible.
//!
//! Both lists are bounded. Beyond the bound the model forgets: it then holds states that cannot be, so
//! it may accept a wrong answer, but it never refuses a right one. [`Model::is_exact`] tells.
//!
//! # Where things are
//!
//! | module | |
//! |---|---|
//! | [`operation`], [`answer`] | what a user asks, what came |
//! | [`dht`] | the nodes, their hash ranges, and which of them serve an operation |
//! | [`record`] | one record of one node, as a register; the set of records that may be there |
//! | `state`, `alternatives` | a channel on all nodes; how it is changed; all that it may be |
//! | [`limits`] | lengths of values |
//! | [`rules`] | the judgement, a file for each group of operations; [`rules::node`] is the table of A6 |
//! | [`refusal`] | why an answer is wrong, and what was allowed |
//! | [`model`] | all of it together |
//!
//! A checker of concurrent histories that treats each record by itself drives [`rules::client::step`] or
//! [`rules::node::replies`] directly: they are the same table that [`Model`] uses.

mod alternatives;
pub mod answer;
pub mod dht;
pub mod limits;
pub mod model;
pub mod operation;
pub mod record;
pub mod refusal;
pub mod rules;
mod show;
mod state;

pub use answer::Answer;
pub use dht::{NodeId, Route};
pub use dht_protocol::{ChannelName, HashRange, Key, fnv1a};
pub use model::{Expectations, Model};
pub use operation::{Action, Decision, Operation};
pub use record::{RecordState, Slot};
pub use refusal::{Allowed, ExpectedRecord, Refusal};
pub use state::ChannelState;
