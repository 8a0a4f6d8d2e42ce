//! Results of a certification run as data, and their renderings.
//!
//! One stream of [`Event`]s goes in, as it is produced or from a stored file ([`jsonl`]); [`Run`] is what
//! they add up to; [`Judged`] is the run as a [`Profile`] of known deviations sees it. Every rendering is a
//! function of a `Judged`: the text of a terminal ([`terminal`]), JUnit XML ([`junit`]), the exit status
//! ([`Judged::exit`]). Nothing here runs a check, opens a socket, reads a clock or asks whether it writes to
//! a terminal: the caller knows, and says so.
//!
//! ```
//! # fn events() -> Vec<dht_reports::Event> { Vec::new() }
//! use dht_reports::{Run, Style, Terminal, jsonl, junit};
//!
//! let mut run = Run::default();
//! let mut terminal = Terminal::new(Style::Plain);
//! let mut stored = Vec::new();
//! for event in events() {
//!     jsonl::write(&event, &mut stored)?;
//!     run.apply(&event);
//!     print!("{}", terminal.update(&run.judged()));
//! }
//! let judged = run.judged();
//! let mut xml = Vec::new();
//! junit::write(&judged, &mut xml)?;
//! print!("{}", terminal.finish(&judged));
//! assert_eq!(judged.exit().code(), 2, "nothing was run");
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod check;
pub mod dialect;
pub mod event;
pub mod exchange;
pub mod exit;
pub mod jsonl;
pub mod judged;
pub mod junit;
mod micros;
pub mod models;
pub mod profile;
pub mod requirement;
pub mod run;
pub mod style;
pub mod tally;
pub mod terminal;

pub use check::{Check, CheckResult, Failure, Observation, Verdict};
pub use event::{
    CheckStarted, Clue, Event, Obstacle, Plan, PlannedGroup, Progress, RunFinished, RunStarted,
    SCHEMA, Workload,
};
pub use exchange::{Direction, Line};
pub use exit::Exit;
pub use judged::{Expectation, Judged, Judgement, Sighting, Standing, State};
pub use profile::{Deviation, Profile, ProfileError, Restart};
pub use requirement::{Level, Requirement};
pub use run::{Group, Run};
pub use style::Style;
pub use tally::{RequirementTally, Tally};
pub use terminal::Terminal;
