//! Models of the protocol: the very state machines that client and node run, driven through every
//! interleaving within stated bounds (`neo-requests.md` sections 15 and 16).
//!
//! What is checked:
//!
//! * [`frames`]: the models, each with its bounds, its properties and the defects that it shows.
//! * [`world`]: what such a model is made of, and everything that can happen in it.
//! * [`connection`]: models of another kind, of one connection from its first byte on.
//! * [`legacy`]: models of the legacy protocol, of one node and its clients' connections.
//! * [`property`]: what has to be true of every run.
//! * [`defect`]: what can be switched on to be wrong, so that the checker can be seen to find it.
//!
//! How it is checked:
//!
//! * [`check`](mod@check): every property of a model, with a verdict for each.
//! * [`search`]: the searches behind that: through all states, and through the graph for what has to come in
//!   the end.
//!
//! What is shown of it:
//!
//! * [`chart`], [`drawing`]: a run as a message sequence chart.
//! * [`tour`](mod@tour): runs that cover every transition of the requests.
//!
//! ```
//! use dht_models::check::check;
//! use dht_models::frames::{Bounds, all};
//! use dht_models::search::{Options, Verdict};
//! use dht_models::world::World;
//!
//! let entry = all().into_iter().find(|entry| entry.name == "put").ok_or("no such model")?;
//! let world = World::new((entry.frame)(Bounds::Small))?;
//! let checked = check(&world, Options::default());
//! assert_eq!(checked.unique, entry.states as u64);
//! for finding in &checked.findings {
//!     assert!(matches!(finding.verdict, Verdict::Held | Verdict::Reached(_)), "{}", finding.name);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod chart;
pub mod check;
pub mod connection;
pub mod defect;
pub mod drawing;
pub mod frames;
pub mod legacy;
pub mod property;
pub mod search;
pub mod tour;
pub mod world;

mod intern;
