//! Judges what streams tell, by the times between which things happened.
//!
//! A write took effect at some moment between its invocation and its return, or at any time after its
//! invocation, or never, if nobody knows how it ended. What a stream told was sent at some moment between
//! its request and the time it was told. Whatever no choice of these moments explains is a fault:
//!
//! * `get_all`: each delivered value, repeated records, missing ones;
//! * `mirror`: each update, deletion and refresh, with `order` for their order for each record;
//! * `listen`: the same for a Listen, of which little is laid down;
//! * `settled`: what a Mirror still owes when nothing happens any more;
//! * `suspension`: what comes after a node has agreed to suspend.
//!
//! Nothing is guessed: what overlaps is judged only as far as every order agrees. Two things are left
//! alone altogether: records that may hold the empty value, whose meaning is left to the node, and
//! whatever was told after the node was killed.

mod changes;
mod get_all;
mod listen;
mod mirror;
mod order;
mod settled;
mod suspension;
mod walk;

use dht_model::Answer;
use dht_protocol::Key;
use dht_requirements::Requirement;

use super::Fault;
use crate::case::{At, Step};
use crate::names::Names;
use crate::recording::Recording;
use changes::{Changes, Channel};
use walk::Walk;

/// The first wrong thing that a stream, or a whole GetAll, of a recording has told.
///
/// Only requirements that bind every node (`must`) are judged. So a record that was removed meanwhile may
/// come with an empty value.
pub fn judge(recording: &Recording, names: &Names) -> Option<Fault> {
    let is_told = !recording.streams.is_empty()
        || recording.entries.iter().any(|entry| {
            let answer = entry.answer();
            matches!(answer, Some(Answer::Records(_) | Answer::Keys(_)))
        });
    if !is_told {
        return None;
    }
    let changes = Changes::new(recording, names);
    let answers = recording.entries.iter();
    answers
        .filter_map(Walk::of_entry)
        .find_map(|walk| get_all::judge(&walk, &changes))
        .or_else(|| {
            let mut streams = recording.streams.iter();
            streams.find_map(|stream| {
                suspension::judge(stream).or_else(|| match Walk::of_stream(stream) {
                    Some(walk) => get_all::judge(&walk, &changes),
                    None => listen::judge(stream, recording, &changes)
                        .or_else(|| mirror::judge(stream, recording, &changes)),
                })
            })
        })
}

/// A rule that is broken, where, and how.
fn fault(
    requirement: &'static Requirement,
    at: At,
    step: &Step,
    allowed: &str,
    observed: String,
) -> Fault {
    Fault {
        requirement,
        at,
        sent: step.to_string(),
        allowed: allowed.to_owned(),
        observed,
    }
}

/// What a record is called in the case, or on the node if the case does not know it.
fn name(channel: &Channel<'_>, key: Key) -> String {
    match channel.records.get(&key) {
        Some(record) => record.name.to_string(),
        None => key.to_string(),
    }
}

#[cfg(test)]
mod tests;
