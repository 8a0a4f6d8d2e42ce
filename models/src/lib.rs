//! Models of the protocol: the very state machines that client and node run, driven through every
//! interleaving within stated bounds (`neo-requests.md` sections 15 and 16).
//!
//! * [`world`]: clients and nodes, and everything that can happen between them.
//! * [`property`]: what has to be true of every run.
//! * [`frames`]: the models.
//! * [`defect`]: the original's defects as switches, so that the checker can be seen to find them.
//! * [`connection`]: one connection from its first byte on: versions, authentication, several requests.
//! * [`search`]: exploring a model, and what its graph says about properties that hold in the end.
//! * [`check`]: all of that for one model.
//! * [`chart`]: a run as a message sequence chart.
//! * [`drawing`]: a run of a world as such a chart.
//! * [`tour`]: runs that cover every transition of the requests.
//! * [`intern`]: how states are kept small.

pub mod chart;
pub mod check;
pub mod connection;
pub mod defect;
pub mod drawing;
pub mod frames;
pub mod intern;
pub mod property;
pub mod search;
pub mod tour;
pub mod world;
