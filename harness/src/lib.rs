//! Certifies nodes of the DHT protocol: directed checks and random operations through a client, judged
//! by the rules of the protocol and by a reference model.
//!
//! * [`certify`]: a run from its first to its last event.
//! * [`checks`]: the directed checks; start here to add one.
//! * [`campaign`]: random cases and failures that were kept; what makes, judges and shortens them is in
//!   `dht_workload`.
//! * [`replay`], [`minimize`]: kept failures, run again and made shorter.
//! * [`target`], [`spawn`]: the node that is certified.
//! * [`doctor`]: why a node cannot be certified.
//! * [`fuzz`]: legal conversations with defects in them, against any node.
//! * [`history`]: whether a stored history is linearizable.
//! * [`trace`]: the messages of a check as readable lines.
//! * [`vigil`]: notices a node that breaks the protocol, whatever is being checked.
//! * [`profiles`], [`report`]: known deviations of nodes; finished runs judged again.
//! * [`unkept`]: why a check did not find everything kept.
//! * [`selftest`]: whether every bug of the fake node's catalogue is found.
//! * [`wire`]: connections for checks that speak the protocol themselves.
//! * [`cli`], [`reporter`]: the command line, and where the events of a run go.
//!
//! The program `dhtcheck` is this library with a `main`.

pub mod campaign;
pub mod certify;
pub mod checks;
pub mod cli;
pub mod doctor;
pub mod fuzz;
pub mod history;
pub mod minimize;
pub mod model;
pub mod profiles;
pub mod replay;
pub mod report;
pub mod reporter;
pub mod selftest;
pub mod spawn;
pub mod target;
pub mod tour;
pub mod trace;
pub mod unkept;
pub mod vigil;
pub mod wire;
