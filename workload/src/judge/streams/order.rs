//! Mirror: the order of what it tells of one record.
//!
//! The messages about one record follow its changes. The first update tells of the first write or a later
//! one, the second of the second or a later one, and so on; in the same way the deletions follow the
//! removals. An update carries the value of its write, or a later one. So what was told a third time is not
//! older than the third write, whatever order the writes took where they overlapped.

use dht_protocol::Key;
use dht_requirements as req;

use super::changes::{Change, Record};
use super::mirror::{By, Following, Told, shown};
use super::name;
use crate::judge::Fault;
use crate::recording::Time;

impl Following<'_> {
    /// What is wrong with the order in which an update comes.
    pub(super) fn update(
        &self,
        told: &Told<'_>,
        record: &Record<'_>,
        last: &Change<'_>,
        time: Time,
        came: &str,
    ) -> Option<Fault> {
        if let Some(newer) = told.updated.filter(|newer| last.ended < newer.write.began) {
            return Some(self.fault(
                &req::MIRROR_ORDER_PER_KEY,
                "the updates of a record in the order of its writes",
                format!(
                    "{came}, of {last}; but {} had come at {}, of {}, which began after that",
                    shown(newer.value),
                    newer.time,
                    newer.write
                ),
            ));
        }
        if let Some(fault) = self.after_deletions(told, record, last, By::Update, came) {
            return Some(fault);
        }
        let from = self.stream.invoked;
        let writes = |to: Time| {
            let writes = record.writes();
            writes
                .filter(|(write, _)| write.is_between(from, to))
                .count()
        };
        if writes(time) < told.updates {
            return Some(self.fault(
                &req::MIRROR_EVERY_WRITE,
                "one update for each write",
                format!(
                    "{came}, which is update {} of this record; only {} writes had begun since the \
                     request at {from}",
                    told.updates,
                    writes(time)
                ),
            ));
        }
        // The write itself counts, and whatever may have come before it.
        let before = writes(time.min(last.ended.saturating_add(1)));
        (before < told.updates).then(|| {
            self.fault(
                &req::MIRROR_CHANGED_VALUE,
                "the value of the write that is reported, or of a later one",
                format!(
                    "{came}, which is update {} of this record; but {last} is only the write with \
                     number {before} since the request at {from}",
                    told.updates,
                ),
            )
        })
    }

    /// What is wrong with the order in which a refresh comes.
    pub(super) fn refresh(
        &self,
        told: &Told<'_>,
        record: &Record<'_>,
        last: &Change<'_>,
        came: &str,
    ) -> Option<Fault> {
        if let Some(newer) = told.shown.filter(|newer| last.ended < newer.write.began) {
            return Some(self.fault(
                &req::MIRROR_NO_STALE_REFRESH,
                "no older value than was told before",
                format!(
                    "{came}, of {last}; but {} had come at {}, of {}, which began after that",
                    shown(newer.value),
                    newer.time,
                    newer.write
                ),
            ));
        }
        self.after_deletions(told, record, last, By::Refresh, came)
    }

    /// What is wrong with a deletion.
    pub(super) fn deleted(&mut self, time: Time, key: Key) -> Option<Fault> {
        let channel = self.channel;
        let from = self.stream.invoked;
        let record = channel.records.get(&key);
        if record.is_some_and(Record::is_vague) {
            return None;
        }
        let told = self.records.entry(key).or_default();
        told.deletions += 1;
        let Told {
            updates, deletions, ..
        } = *told;
        told.last = Some((time, None));
        let removals: Vec<_> = record
            .into_iter()
            .flat_map(|record| record.deletions())
            .filter(|removal| removal.is_between(from, time))
            .collect();
        let came = format!("a deletion of record {} came at {time}", name(channel, key));
        if removals.len() < deletions {
            let mut gone = channel.removals.iter();
            let gone = gone.find(|removal| removal.is_between(from, time));
            let requirement = match gone {
                Some(_) => &req::MIRROR_REMOVED_NO_DELETIONS,
                None => &req::MIRROR_ORDER_PER_KEY,
            };
            let observed = format!(
                "{came}, number {deletions}; only {} removals of it had begun since the request at \
                 {from}",
                removals.len()
            );
            return Some(self.fault(requirement, "a deletion for a removal", observed));
        }
        let first = removals.iter().map(|removal| removal.began).min()?;
        let last = removals.iter().max_by_key(|removal| removal.ended)?;
        let until = time.min(last.ended);
        let mut writes = 0;
        for (write, _) in record.into_iter().flat_map(|record| record.writes()) {
            writes += usize::from(write.is_between(from, until));
        }
        if writes < updates {
            let observed = format!(
                "{came} after {updates} updates; only {writes} writes can have come before its last \
                 removal, {last}"
            );
            return Some(self.fault(
                &req::MIRROR_ORDER_PER_KEY,
                "the updates and deletions of a record in the order of its changes",
                observed,
            ));
        }
        self.detached(first, &came)
    }

    /// A value that comes after deletions was written after as many removals.
    fn after_deletions(
        &self,
        told: &Told<'_>,
        record: &Record<'_>,
        last: &Change<'_>,
        by: By,
        came: &str,
    ) -> Option<Fault> {
        let from = self.stream.invoked;
        let before = record
            .deletions()
            .filter(|removal| removal.is_between(from, last.ended))
            .count();
        if before >= told.deletions {
            return None;
        }
        let requirement = match by {
            By::Update => &req::MIRROR_ORDER_PER_KEY,
            By::Refresh => &req::MIRROR_NO_RESURRECTION,
        };
        Some(self.fault(
            requirement,
            "no value from before a removal that was told",
            format!(
                "{came}, of {last}, after {} deletions of this record; only {before} removals can \
                 have come before that write",
                told.deletions
            ),
        ))
    }
}
