//! Results of a certification run as data, and their renderings.
//!
//! One stream of [`Event`]s goes in, as it is produced or from a stored file; [`Run`] is what they add up
//! to; every rendering is a function of a `Run`: the text of a terminal ([`terminal`]), JUnit XML
//! ([`junit`]), the exit status ([`Run::exit`]). Nothing here runs a check, opens a socket, reads a clock or
//! asks whether it writes to a terminal: the caller knows, and says so.
//!
//! ```
//! # fn events() -> Vec<dht_reports::Event> { Vec::new() }
//! use dht_reports::{Run, Style, Terminal, junit};
//!
//! let mut run = Run::default();
//! let mut terminal = Terminal::new(Style::Plain);
//! for event in events() {
//!     run.apply(&event);
//!     print!("{}", terminal.update(&run));
//! }
//! let mut xml = Vec::new();
//! junit::write(&run, &mut xml)?;
//! print!("{}", terminal.finish(&run));
//! assert_eq!(run.exit().code(), 2, "nothing was run");
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod check;
pub mod event;
pub mod exchange;
pub mod junit;
mod micros;
pub mod run;
pub mod style;
pub mod tally;
pub mod terminal;

pub use check::{Check, CheckResult, Failure, Rule, Verdict};
pub use event::{
    CheckStarted, Clue, Event, Obstacle, Plan, PlannedGroup, Progress, RunFinished, RunStarted,
    Workload,
};
pub use exchange::{Direction, Line};
pub use run::{Exit, Group, Run};
pub use style::Style;
pub use tally::{RuleTally, Tally};
pub use terminal::Terminal;
