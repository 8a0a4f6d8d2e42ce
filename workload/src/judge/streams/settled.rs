//! What a Mirror still owes when it has had all the time it needs.
//!
//! That is so where the run waited for it until nothing happened any more, and where it was compared with
//! its channel and agreed.

use dht_model::limits;
use dht_protocol::neo::batch;
use dht_requirements::{self as req, Requirement};

use super::changes::{Change, Changes, Effect, Kind, Record};
use super::mirror::{Following, Told, shown};
use crate::case::{Protocol, Step};
use crate::judge::Fault;
use crate::recording::{Entry, Recording, StreamRecord, Time};
use crate::world::{Control, Event};

/// How it came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wait {
    /// It agreed with what the channel held at some moment between these times.
    Agreed(Time, Time),
    /// It had not agreed when nothing happened any more.
    Silent,
}

/// What is missing of what a Mirror has told, if something is.
pub(super) fn judge(
    following: &Following<'_>,
    recording: &Recording,
    changes: &Changes<'_>,
) -> Option<Fault> {
    let started = following.started.filter(|_| !following.vague)?;
    let wait = wait(following.stream, recording)?;
    let until = match wait {
        Wait::Agreed(_, until) => until,
        Wait::Silent => Time::MAX,
    };
    if changes.horizon.is_some() || is_held(following.stream) {
        return None;
    }
    let channel = following.channel;
    if let Wait::Agreed(asked, until) = wait
        && channel.removals_between(asked, until)
    {
        // What a GetAll delivers while records are removed is not worth relying on.
        return None;
    }
    let mut removals = channel.removals.iter();
    if let Some(removal) = removals
        .clone()
        .find(|removal| removal.is_certain() && removal.began > started)
        && wait == Wait::Silent
    {
        return Some(removal_untold(following, removal, started));
    }
    if removals.any(|removal| removal.is_between(following.stream.invoked, until)) {
        return None;
    }
    let judged = Judged {
        following,
        started,
        wait,
        until,
    };
    let records = channel.records.iter();
    let mut known = records.filter(|(_, record)| !record.is_vague());
    known
        .find_map(|(key, record)| {
            let told = following.records.get(key);
            judged
                .untold_write(record, told)
                .or_else(|| judged.last(record, told?))
        })
        .or_else(|| judged.verdict(recording))
}

struct Judged<'a> {
    following: &'a Following<'a>,
    started: Time,
    wait: Wait,
    until: Time,
}

impl Judged<'_> {
    /// A write after which the record stayed is told, with its value or a later one.
    fn untold_write(&self, record: &Record<'_>, told: Option<&Told<'_>>) -> Option<Fault> {
        let Following {
            channel, refreshes, ..
        } = *self.following;
        let (write, value) = record
            .writes()
            .filter(|(write, _)| self.is_due(write))
            .max_by_key(|(write, _)| write.began)?;
        let told_of_it = told.is_some_and(|told| told.until > write.began);
        if told_of_it
            || channel
                .removal_between(record, write.began, self.until)
                .is_some()
        {
            return None;
        }
        let mut later = record
            .writes()
            .filter(|(other, _)| other.ended > write.began);
        let large = |limit: usize| move |(_, value): (_, &bytes::Bytes)| value.len() > limit;
        let refreshed = refreshes && write.began < self.started;
        let untellable = match (self.wait, refreshed) {
            // The comparison was with what a GetAll delivers.
            (Wait::Agreed(..), _) => later.any(large(limits::LEGACY_VALUE)),
            (Wait::Silent, true) => later.any(large(batch::MAX_REFRESH_VALUE)),
            (Wait::Silent, false) => false,
        };
        if untellable {
            return None;
        }
        let controls = &self.following.stream.controlled;
        let requirement = if refreshed {
            &req::MIRROR_REFRESH_COMPLETE
        } else if suspended(controls, write.ended) {
            &req::MIRROR_SUSPEND_KEEPS
        } else if value.len() > batch::MAX_REFRESH_VALUE {
            &req::MIRROR_CHANGED_LARGE
        } else if write.protocol() == Protocol::Legacy {
            &req::LEG_BOTH_MIRROR_PUT
        } else if write.kind() == Kind::Update {
            &req::MIRROR_UPDATE_REPORTED
        } else {
            &req::MIRROR_PUT_REPORTED
        };
        Some(self.fault(
            requirement,
            "each write told, with its value or a later one",
            format!(
                "nothing as new as {write} was told of record {}; this had started at {}",
                record.name, self.started
            ),
        ))
    }

    /// What is told last of a record is what became of it.
    fn last(&self, record: &Record<'_>, told: &Told<'_>) -> Option<Fault> {
        let (time, value) = told.last?;
        let Some(value) = value else {
            let removals = record
                .deletions()
                .filter(|removal| removal.began < self.until);
            let removed = removals.map(|removal| removal.ended).max()?;
            let mut writes = record.writes().map(|(write, _)| write);
            let write = writes.find(|write| {
                let is_told = write.kind() != Kind::PutBatch;
                is_told && self.is_over(write) && write.began > removed
            })?;
            return Some(self.fault(
                &req::MIRROR_LAST_AGREES,
                "the last that is told of a record is what became of it",
                format!(
                    "the last of record {} was its deletion, at {time}; but {write} came after every \
                     removal",
                    record.name
                ),
            ));
        };
        let written = record.writes_of(value).map(|write| write.ended).max()?;
        let mut later = record.changes.iter();
        let later = later.find(|change| {
            let is_change = change.effect != Effect::Miss;
            let is_told = is_change && change.kind() != Kind::PutBatch;
            is_told && self.is_over(change) && change.began > written
        })?;
        let requirement = match (&later.effect, later.kind()) {
            (Effect::Removal, Kind::Remove) if later.protocol() == Protocol::Legacy => {
                &req::LEG_BOTH_MIRROR_REMOVE
            }
            (Effect::Removal, Kind::Update) => &req::MIRROR_UPDATE_REMOVAL_REPORTED,
            (Effect::Removal, _) => &req::MIRROR_REMOVE_REPORTED,
            _ => &req::MIRROR_LAST_AGREES,
        };
        Some(self.fault(
            requirement,
            "the last that is told of a record is what became of it",
            format!(
                "the last of record {} was {}, at {time}; but {later} came after that was written",
                record.name,
                shown(value)
            ),
        ))
    }

    /// The comparison with the channel decides where the times do not, if nothing came in its way.
    fn verdict(&self, recording: &Recording) -> Option<Fault> {
        let Following {
            stream, channel, ..
        } = self.following;
        let disagrees = stream.disagrees.as_ref()?;
        let asked = finishes(stream, recording)
            .map(|entry| entry.invoked)
            .min()?;
        let mut values = channel.records.values().flat_map(Record::writes);
        // Whichever protocol the comparison was made by, it has shown these.
        let limit = batch::MAX_VALUE.min(limits::LEGACY_VALUE);
        let plain = values.all(|(_, value)| (1..=limit).contains(&value.len()));
        let judged = plain && !channel.changes_between(asked, Time::MAX);
        judged.then(|| {
            let requirement = match self.following.refreshes {
                true => &req::MIRROR_CONVERGES,
                false => &req::MIRROR_LAST_AGREES,
            };
            self.fault(
                requirement,
                "a copy that equals the channel once writing has stopped",
                disagrees.clone(),
            )
        })
    }

    /// Must it have been told by the end?
    fn is_due(&self, write: &Change<'_>) -> bool {
        let refreshes = self.following.refreshes;
        let by_itself = match self.wait {
            // The comparison waits for no others.
            Wait::Agreed(..) => refreshes || write.kind() == Kind::Put,
            Wait::Silent => true,
        };
        let is_told = write.kind() != Kind::PutBatch;
        self.is_over(write) && is_told && by_itself && (refreshes || write.began > self.started)
    }

    /// Did it happen before the end, beyond doubt?
    fn is_over(&self, change: &Change<'_>) -> bool {
        match self.wait {
            Wait::Agreed(asked, _) => change.ended < asked,
            Wait::Silent => change.is_certain(),
        }
    }

    fn fault(&self, requirement: &'static Requirement, allowed: &str, observed: String) -> Fault {
        let end = match self.wait {
            Wait::Agreed(asked, _) => format!("; it agreed with the channel after {asked}"),
            Wait::Silent => "; then nothing happened any more".to_owned(),
        };
        self.following
            .fault(requirement, allowed, format!("{observed}{end}"))
    }
}

/// The removal of the channel is told whatever the Mirror is doing.
fn removal_untold(following: &Following<'_>, removal: &Change<'_>, started: Time) -> Fault {
    let Following {
        stream, channel, ..
    } = following;
    let since = stream.invoked;
    let legacy = removal.protocol() == Protocol::Legacy;
    let requirement = match (
        suspended(&stream.controlled, removal.ended),
        channel.count_between(since, removal.ended) > 0,
        channel.count_between(removal.began, removal.ended) > 0,
    ) {
        (false, _, _) if legacy => &req::LEG_BOTH_MIRROR_END,
        (true, true, _) => &req::MIRROR_REMOVED_PENDING,
        (true, false, _) => &req::MIRROR_REMOVED_SUSPENDED,
        (false, _, true) => &req::MIRROR_REMOVED_BUSY,
        (false, _, false) => &req::MIRROR_REMOVED_IDLE,
    };
    following.fault(
        requirement,
        "ChannelRemoved when the channel is removed",
        format!(
            "{removal} removed the channel after this had started at {started}; nothing was told of \
             that, and then nothing happened any more"
        ),
    )
}

fn wait(stream: &StreamRecord, recording: &Recording) -> Option<Wait> {
    if stream.disagrees.is_some() {
        return Some(Wait::Silent);
    }
    // A Stop of the user is recorded, that of a comparison which agreed is not.
    let (over, Event::Stopped) = stream.told.last()? else {
        return None;
    };
    let mut controls = stream.controlled.iter();
    if controls.any(|(_, control)| *control == Control::Stop) {
        return None;
    }
    let asked = finishes(stream, recording)
        .map(|entry| entry.invoked)
        .min()?;
    let mut others = recording.streams.iter();
    let again = others.any(|other| {
        let same = other.step.handle() == stream.step.handle();
        same && other.invoked > stream.invoked && other.invoked < *over
    });
    (!again).then_some(Wait::Agreed(asked, *over))
}

/// The steps that compare a Mirror with its channel.
fn finishes<'a>(
    stream: &'a StreamRecord,
    recording: &'a Recording,
) -> impl Iterator<Item = &'a Entry> {
    let name = stream.step.handle();
    let entries = recording.entries.iter();
    entries.filter(move |entry| {
        let finishes = matches!(entry.step, Step::Finish { .. });
        finishes && entry.step.handle() == name && entry.invoked > stream.invoked
    })
}

/// Was it the user's wish at that time that nothing comes?
fn suspended(controls: &[(Time, Control)], at: Time) -> bool {
    let mut before = controls.iter().filter(|(time, _)| *time < at);
    before.next_back().map(|(_, control)| *control) == Some(Control::Suspend)
}

/// Does the node owe nothing because it is suspended or stopped, or because it may not have heard that it is
/// to go on?
fn is_held(stream: &StreamRecord) -> bool {
    let count = |wanted: Control| {
        let controls = stream.controlled.iter();
        controls.filter(|(_, control)| *control == wanted).count()
    };
    let resumed = stream
        .told
        .iter()
        .filter(|(_, event)| *event == Event::Resumed)
        .count();
    count(Control::Stop) > 0
        || suspended(&stream.controlled, Time::MAX)
        || count(Control::Resume) != resumed
}
