//! What comes after a node has agreed to suspend a stream.

use dht_protocol::neo::batch;
use dht_requirements as req;

use super::fault;
use crate::case::Step;
use crate::judge::Fault;
use crate::recording::{StreamRecord, Time};
use crate::world::{Control, Event};

/// What a record takes in a batch of a GetAll besides its value, and what a key takes alone.
const RECORD: usize = batch::LIMIT - batch::MAX_VALUE;
const KEY: usize = 16;
/// What a record takes in a batch of a refresh besides its value.
const REFRESHED: usize = batch::LIMIT - batch::MAX_REFRESH_VALUE;

/// What came between the Ack of Suspend and Resume.
#[derive(Debug, Default)]
struct Quiet {
    /// When it was agreed.
    since: Time,
    /// Bytes of batches, before they were compressed.
    bytes: usize,
    /// Messages about single records.
    updates: usize,
}

/// Does more come than what may have been under way?
///
/// Batches cannot be seen here, but what they hold: what does not fit in as many as may come is too much.
pub(super) fn judge(stream: &StreamRecord) -> Option<Fault> {
    let is_mirror = matches!(stream.step, Step::OpenMirror { .. });
    let mut quiet: Option<Quiet> = None;
    let mut resumed = 0;
    for (time, event) in &stream.told {
        resumed += usize::from(*event == Event::Resumed);
        // A Resume that was not told of yet may lie behind what comes now.
        if asked_to_resume(stream, *time) != resumed {
            quiet = None;
            continue;
        }
        match event {
            // A second Suspend is agreed to as well; what came before it counts.
            Event::Suspended if quiet.is_none() => {
                quiet = Some(Quiet {
                    since: *time,
                    ..Quiet::default()
                });
            }
            // What is asked anew is not what was suspended.
            Event::Resumed | Event::Disconnected => quiet = None,
            _ => {}
        }
        let Some(quiet) = &mut quiet else {
            continue;
        };
        match event {
            Event::Record(_, value) => quiet.bytes += RECORD + value.len(),
            Event::Key(_) => quiet.bytes += KEY,
            Event::Refreshed(_, value) => quiet.bytes += REFRESHED + value.len(),
            Event::Updated(..) | Event::Deleted(_) => quiet.updates += 1,
            _ => continue,
        }
        let (requirement, allowed, limit) = match is_mirror {
            true => (
                &req::MIRROR_SUSPEND_BOUND,
                "at most one update and one refresh batch before Resume",
                batch::REFRESH_LIMIT,
            ),
            false => (
                &req::GETALL_SUSPEND_BOUND,
                "at most two batches before Resume",
                2 * batch::LIMIT,
            ),
        };
        if quiet.bytes > limit || quiet.updates > 1 {
            let observed = format!(
                "the node agreed to suspend at {}; until {time}, before Resume, {} updates and {} \
                 bytes of batches came",
                quiet.since, quiet.updates, quiet.bytes
            );
            let (at, step) = (stream.at, &stream.step);
            return Some(fault(requirement, at, step, allowed, observed));
        }
    }
    None
}

/// How often the user had asked to resume by then.
fn asked_to_resume(stream: &StreamRecord, now: Time) -> usize {
    let controls = stream.controlled.iter();
    controls
        .filter(|(time, control)| *control == Control::Resume && *time < now)
        .count()
}
