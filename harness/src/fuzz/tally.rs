//! What a run has come to, in numbers.

use std::collections::BTreeMap;

use dht_workload::case::{Defect, Step};
use dht_workload::recording::Recording;

use super::world::Traffic;

/// What a run has come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// How many scripts were run.
    pub(super) scripts: u64,
    /// How many steps were begun.
    pub(super) steps: u64,
    /// How often each defect was put in.
    pub(super) defects: BTreeMap<Defect, u64>,
    /// What has passed on the connections.
    pub(super) traffic: Traffic,
}

impl Tally {
    /// A script was run.
    pub(super) fn add(&mut self, recording: &Recording, traffic: Traffic) {
        self.scripts += 1;
        self.steps += recording.entries.len() as u64;
        for entry in &recording.entries {
            if let Step::Wrong(wrong) = &entry.step {
                *self.defects.entry(wrong.defect).or_default() += 1;
            }
        }
        self.pass(traffic);
    }

    /// What others have done counts as well.
    pub(super) fn merge(&mut self, other: &Self) {
        self.scripts += other.scripts;
        self.steps += other.steps;
        for (defect, count) in &other.defects {
            *self.defects.entry(*defect).or_default() += count;
        }
        self.pass(other.traffic);
    }

    /// How many messages have passed, in both directions.
    pub(super) fn messages(&self) -> u64 {
        self.traffic.sent + self.traffic.received
    }

    /// How many defects were put in.
    pub(super) fn wrongs(&self) -> u64 {
        self.defects.values().sum()
    }

    fn pass(&mut self, traffic: Traffic) {
        self.traffic.sent += traffic.sent;
        self.traffic.received += traffic.received;
        self.traffic.connections += traffic.connections;
    }
}
