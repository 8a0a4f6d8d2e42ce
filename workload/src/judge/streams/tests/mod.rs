//! Recordings made by hand, right and wrong ones for each rule; and simulated ones, with what can be done
//! to them.

mod get_alls;
mod legacy;
mod mirrors;
mod mutations;
mod simulation;
mod story;
