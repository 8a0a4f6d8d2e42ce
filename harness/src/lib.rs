//! Certifies nodes of the DHT protocol: directed checks and random operations through a client, judged
//! by the rules of the protocol and by a reference model.
//!
//! * [`certify`]: a run from its first to its last event.
//! * [`checks`]: the directed checks; start here to add one.
//! * [`random`]: random operations, judged by the model, made short when they fail.
//! * [`execute`]: the model's operations through a client.
//! * [`target`], [`spawn`]: the node that is certified.
//! * [`doctor`]: why a node cannot be certified.
//! * [`trace`]: the messages of a check as readable lines.
//! * [`vigil`]: notices a node that breaks the protocol, whatever is being checked.
//! * [`profiles`], [`report`]: known deviations of nodes; finished runs judged again.
//! * [`rng`]: random numbers whose meaning never changes.
//! * [`unkept`]: why a check did not find everything kept.
//! * [`wire`]: connections for checks that speak the protocol themselves.
//! * [`cli`], [`reporter`]: the command line, and where the events of a run go.
//!
//! The program `dhtcheck` is this library with a `main`.

pub mod certify;
pub mod checks;
pub mod cli;
pub mod doctor;
pub mod execute;
pub mod profiles;
pub mod random;
pub mod report;
pub mod reporter;
pub mod rng;
pub mod spawn;
pub mod target;
pub mod trace;
pub mod unkept;
pub mod vigil;
pub mod wire;
