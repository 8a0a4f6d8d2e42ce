//! What of a recording is wrong.
//!
//! * [`sequential`]: while nothing overlaps and every answer is known, the reference model judges each
//!   answer.
//! * [`concurrent`]: what overlapped, or of which nobody knows how it ended, has to be linearizable.
//! * [`streams`]: what GetAll and Mirror tell, by the times between which things happened.
//!
//! [`judge`] asks all that can say something, the cheapest and most exact first.

pub mod concurrent;
pub mod sequential;
pub mod streams;

use dht_requirements::{self as req, Requirement};

use crate::case::{At, Protocol};
use crate::names::Names;
use crate::recording::{End, Recording};
use sequential::Reach;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The requirement that is broken.
    pub requirement: &'static Requirement,
    /// The step whose end shows it.
    pub at: At,
    /// What was done there.
    pub sent: String,
    /// What would have been right.
    pub allowed: String,
    /// What came.
    pub observed: String,
}

/// What is wrong with a run, if something is.
pub fn judge(recording: &Recording, names: &Names) -> Option<Fault> {
    if let Some(fault) = ended(recording) {
        return Some(fault);
    }
    let recording = &*recording.taken_at_its_word();
    match sequential::judge(recording, names) {
        Err(fault) => Some(fault),
        // Where the model has judged every answer, the others have nothing to add.
        Ok(Reach::All) => None,
        Ok(Reach::Some) => {
            concurrent::judge(recording).or_else(|| streams::judge(recording, names))
        }
    }
}

/// A run that the node ended, or did not go on with.
fn ended(recording: &Recording) -> Option<Fault> {
    let unanswered = || {
        let entries = recording.entries.iter();
        entries
            .filter(|entry| entry.ended.is_none())
            .min_by_key(|entry| entry.invoked)
            .or_else(|| recording.entries.last())
    };
    let end = recording.end.as_ref()?;
    let entry = unanswered();
    let silent = match entry.map(|entry| entry.protocol) {
        Some(Protocol::Legacy) => &req::LEG_ANSWER_COMES,
        _ => &req::REQ_ANSWERED,
    };
    let (requirement, allowed, observed) = match end {
        End::Violation(violation) => (
            violation.requirement,
            "messages of the protocol",
            violation.to_string(),
        ),
        End::Gone(why) => (&req::ROBUST_SURVIVES, "a node that goes on", why.clone()),
        End::Silence => (silent, "an answer", "nothing came".to_owned()),
        End::Enough => return None,
    };
    let entry = entry?;
    Some(Fault {
        requirement,
        at: entry.at,
        sent: entry.step.to_string(),
        allowed: allowed.to_owned(),
        observed,
    })
}
