//! What fuzzing runs. Each target is a function of bytes that panics when something is not as it must be;
//! [`TARGETS`] lists them. `fuzz/` makes a program of each for cargo-fuzz, and the tests here run each on
//! every seed and regression with the stable compiler.
//!
//! A target judges by more than by whether it ends: what is read and written again is the same, two ways to
//! the same thing agree, offsets of errors lie inside the input, and no input makes the code allocate more
//! than in proportion to its length.

mod asked;
mod batches;
mod connection;
mod conversation;
mod damage;
pub mod dictionary;
mod format;
mod frames;
mod handshake;
mod host;
mod layout;
mod legacy;
mod lzo_reference;
mod memory;
mod messages;
mod pieces;
pub mod seeds;
mod storage;
mod texts;
mod work;
#[cfg(test)]
mod wrong;

pub use batches::{batches, compress, decompress};
pub use connection::connection;
pub use conversation::conversation;
pub use damage::damage;
pub use frames::{frames, header};
pub use handshake::{client_connection, node_connection};
pub use legacy::{legacy_answers, legacy_batches, legacy_node, legacy_orders};
pub use messages::messages;
pub use storage::storage;
pub use texts::{config_file, corpus_file, credentials, history, nodes_file, profile};

/// A function that any bytes can be given to.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What its program and its folders of seeds and regressions are called.
    pub name: &'static str,
    /// Panics if something is wrong.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident,)+) => {
        &[$(Target { name: stringify!($name), run: $name },)+]
    };
}

/// All targets.
pub const TARGETS: &[Target] = targets! {
    frames,
    header,
    client_connection,
    node_connection,
    messages,
    decompress,
    compress,
    batches,
    nodes_file,
    credentials,
    profile,
    corpus_file,
    history,
    legacy_orders,
    damage,
    conversation,
    storage,
    config_file,
    connection,
    legacy_answers,
    legacy_batches,
    legacy_node,
};
