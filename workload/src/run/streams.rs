//! Streams and what they tell.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use bytes::Bytes;
use dht_client::ControlError;
use dht_model::{Answer, Operation};
use dht_protocol::Key;

use super::{Doing, MAX_TOLD, Run, Until, Wanted};
use crate::case::{Decision, Protocol, Step};
use crate::recording::{End, Entry, StreamRecord, Time};
use crate::world::{Control, Ending, Event, Stream, Ticket, World};

/// A stream that was begun.
#[derive(Debug)]
pub(super) struct Open {
    record: usize,
    channel: String,
    /// What a Mirror has told last of each key.
    copy: BTreeMap<Key, Option<Bytes>>,
    /// Everything present is due, not only what was written since.
    refreshes: bool,
    /// Something makes it impossible to say what is due: changes were lost, the channel was removed, the
    /// connection broke.
    vague: bool,
    pub(super) over: bool,
    kind: Kind,
}

/// What a stream is, as far as its end is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// It ends by itself.
    GetAll,
    /// It tells all that becomes of records.
    Mirror,
    /// It tells writes alone, and holds the connection of this lane.
    Listen(usize),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::GetAll => "GetAll",
            Self::Mirror => "Mirror",
            Self::Listen(_) => "Listen",
        }
    }
}

impl<W: World, F: FnMut(&Entry) -> ControlFlow<()>> Run<'_, W, F> {
    /// Begins a stream.
    pub(super) fn open(
        &mut self,
        name: &str,
        entry: usize,
        channel: &str,
        stream: Stream,
    ) -> Until {
        let ticket = self.ticket();
        let begun = &self.recording.entries[entry];
        let lane = begun.lane;
        self.lanes[lane].request = Some(ticket);
        self.recording.streams.push(StreamRecord {
            at: begun.at,
            step: begun.step.clone(),
            invoked: begun.invoked,
            told: Vec::new(),
            controlled: Vec::new(),
            disagrees: None,
        });
        let open = Open {
            record: self.recording.streams.len() - 1,
            channel: channel.to_owned(),
            copy: BTreeMap::new(),
            refreshes: stream == Stream::Mirror { refresh: true },
            vague: false,
            over: false,
            kind: match stream {
                Stream::GetAll { .. } => Kind::GetAll,
                Stream::Mirror { .. } => Kind::Mirror,
                Stream::Listen => Kind::Listen(lane),
            },
        };
        self.streams.insert(ticket, open);
        self.by_name.insert(name.to_owned(), ticket);
        let channel = self.names.channel(channel);
        let connection = self.case.lanes[lane];
        self.world.open(ticket, connection, channel, stream);
        Until::Told(ticket, Wanted::Started)
    }

    /// Suspends, resumes or stops a stream.
    pub(super) fn control(
        &mut self,
        lane: usize,
        stream: &str,
        control: Control,
        wanted: Wanted,
    ) -> Result<Until, Ending> {
        let open = self.by_name.get(stream).copied();
        let Some(ticket) = open.filter(|ticket| self.streams.contains_key(ticket)) else {
            return Err(Ending::Nothing("there is no such stream".to_owned()));
        };
        let time = self.time();
        let open = &self.streams[&ticket];
        if open.over {
            return Err(Ending::Nothing("the stream was over".to_owned()));
        }
        let record = open.record;
        self.lanes[lane].request = Some(ticket);
        match self.world.control(ticket, control) {
            Ok(()) => {
                let controlled = &mut self.recording.streams[record].controlled;
                controlled.push((time, control));
                Ok(Until::Told(ticket, wanted))
            }
            Err(refused @ (ControlError::Busy | ControlError::Ended)) => {
                Err(Ending::Nothing(refused.to_string()))
            }
        }
    }

    /// Reads a stream to its end, or, a Mirror, until it has told what the channel holds.
    pub(super) fn finish(
        &mut self,
        lane: usize,
        connection: usize,
        stream: &str,
    ) -> Result<Until, Ending> {
        let open = self.by_name.get(stream).copied();
        let Some((ticket, open)) =
            open.and_then(|ticket| Some((ticket, self.streams.get(&ticket)?)))
        else {
            return Err(Ending::Nothing("there is no such stream".to_owned()));
        };
        if open.over {
            return Err(Ending::Nothing("the stream was over".to_owned()));
        }
        if open.kind == Kind::GetAll {
            self.lanes[lane].request = Some(ticket);
            return Ok(Until::Told(ticket, Wanted::End));
        }
        // Without a connection to ask for the contents there is nothing to compare with.
        if open.vague || open.kind == Kind::Listen(lane) {
            return self.control(lane, stream, Control::Stop, Wanted::End);
        }
        let contents = Operation::get_all(self.names.channel(&open.channel));
        let reading = self.ticket_for(lane);
        self.world.begin(reading, connection, contents);
        Ok(Until::Contents(ticket))
    }

    /// A stream has told something.
    pub(super) fn told(&mut self, ticket: Ticket, event: Event) {
        let time = self.time();
        let Some(open) = self.streams.get_mut(&ticket) else {
            return;
        };
        match &event {
            Event::Updated(key, value) | Event::Refreshed(key, value) => {
                open.copy.insert(*key, Some(value.clone()));
            }
            Event::Deleted(key) => {
                open.copy.insert(*key, None);
            }
            Event::UpdatesLost | Event::ChannelRemoved | Event::Disconnected => open.vague = true,
            _ => {}
        }
        open.over |= event.is_last();
        let record = &mut self.recording.streams[open.record];
        record.told.push((time, event));
        if record.told.len() > MAX_TOLD {
            let why = format!("a stream told {MAX_TOLD} things and went on");
            self.recording.end = Some(End::Violation(why.into()));
        }
        for lane in 0..self.lanes.len() {
            self.settle(lane);
        }
    }

    /// Ends the step of a lane if what a stream has told is what it waits for.
    pub(super) fn settle(&mut self, lane: usize) {
        let Some(Doing { entry, until }) = self.lanes[lane].doing.clone() else {
            return;
        };
        let (stream, settled) = match &until {
            Until::Told(stream, wanted) => (*stream, self.has_told(*stream, *wanted)),
            Until::Agreement(stream, contents) => {
                (*stream, self.disagreement(*stream, contents).is_none())
            }
            _ => return,
        };
        let over = self.streams.get(&stream).is_none_or(|open| open.over);
        if !settled && !over {
            return;
        }
        if let (Until::Agreement(..), false) = (&until, over) {
            // It has told all there is; now it is stopped.
            if self.world.control(stream, Control::Stop).is_ok() {
                let until = Until::Told(stream, Wanted::End);
                self.lanes[lane].doing = Some(Doing { entry, until });
                return;
            }
        }
        self.lanes[lane].doing = None;
        self.end(entry, Ending::Nothing("done".to_owned()));
        self.go_on(lane);
    }

    fn has_told(&self, stream: Ticket, wanted: Wanted) -> bool {
        let Some(open) = self.streams.get(&stream) else {
            return true;
        };
        let last = self.recording.streams[open.record].told.last();
        match last {
            Some((_, Event::Started)) => wanted == Wanted::Started,
            Some((_, Event::Suspended)) => wanted == Wanted::Suspended,
            Some((_, Event::Resumed)) => wanted == Wanted::Resumed,
            _ => false,
        }
    }

    /// How what a Mirror has told differs from what is in the channel, if it does.
    fn disagreement(&self, stream: Ticket, contents: &BTreeMap<Key, Bytes>) -> Option<String> {
        let open = self.streams.get(&stream)?;
        if open.vague || open.over {
            return None;
        }
        if let Some(removal) = self.removal_untold(open) {
            return Some(removal);
        }
        let due = self.due(open);
        let batched = self.batched(&open.channel);
        let missing = contents
            .iter()
            .filter(|(key, _)| !batched.contains(key))
            .find(|(key, value)| match open.copy.get(key) {
                Some(told) => told.as_ref() != Some(value),
                None => open.refreshes || due.contains(key),
            });
        if let Some((key, value)) = missing {
            let told = match open.copy.get(key) {
                None => "nothing".to_owned(),
                Some(None) => "its removal".to_owned(),
                Some(Some(told)) => Answer::Value(told.clone()).to_string(),
            };
            let value = Answer::Value(value.clone());
            let stream = open.kind.name();
            return Some(format!(
                "record {key} holds {value}, and the last that the {stream} told of it is {told}"
            ));
        }
        if let Kind::Listen(_) = open.kind {
            // Removals are not told.
            return None;
        }
        let surplus = open.copy.iter().find(|(key, told)| {
            told.is_some() && !contents.contains_key(key) && !batched.contains(key)
        });
        surplus.map(|(key, _)| format!("record {key} was removed, and the Mirror has not told so"))
    }

    /// The removal of the channel that a Listen has not told of, if there is one.
    fn removal_untold(&self, open: &Open) -> Option<String> {
        let Kind::Listen(_) = open.kind else {
            return None;
        };
        let started = self.started(open)?;
        let removes = |entry: &&Entry| {
            matches!(entry.word(), Step::RemoveChannel { channel } if *channel == open.channel)
                && entry.invoked > started
                && entry.answer() == Some(&Answer::ChannelRemoved)
        };
        let removed = self.recording.entries.iter().find(removes)?;
        Some(
            match removed.protocol {
                Protocol::Neo => "a neo client has removed the channel, and its end was not told",
                Protocol::Legacy => "the channel was removed, and its end was not told",
            }
            .to_owned(),
        )
    }

    /// The keys of records that came in a batch. Whether that is told is left to the node.
    fn batched(&self, channel: &str) -> BTreeSet<Key> {
        let entries = self.recording.entries.iter();
        let batches = entries.filter_map(|entry| match entry.word() {
            Step::PutBatch {
                channel: other,
                records,
            } if other == channel => Some(records),
            _ => None,
        });
        batches
            .flatten()
            .map(|(key, _)| self.names.key(*key))
            .collect()
    }

    /// When a stream was known to have begun.
    fn started(&self, open: &Open) -> Option<Time> {
        let told = self.recording.streams[open.record].told.iter();
        let mut started = told.filter(|(_, event)| *event == Event::Started);
        started.next().map(|(time, _)| *time)
    }

    /// The keys that were certainly written since a Mirror began: it has to tell of them.
    fn due(&self, open: &Open) -> BTreeSet<Key> {
        let Some(started) = self.started(open) else {
            return BTreeSet::new();
        };
        let wrote = |entry: &&Entry| {
            entry.invoked > started
                && entry.step.channel() == Some(&open.channel)
                && match &entry.step {
                    Step::Put { .. } => matches!(entry.answer(), Some(Answer::Stored)),
                    Step::Update {
                        decision: Decision::Replace(_),
                        ..
                    } => matches!(entry.answer(), Some(Answer::Updated { .. })),
                    _ => false,
                }
        };
        let written = self.recording.entries.iter().filter(wrote);
        written
            .filter_map(|entry| entry.step.key())
            .map(|key| self.names.key(key))
            .collect()
    }

    /// Nothing happens any more, and lanes wait.
    pub(super) fn silence(&mut self) {
        let mut judged = false;
        for lane in 0..self.lanes.len() {
            let Some(Doing {
                until: Until::Agreement(stream, contents),
                entry,
            }) = self.lanes[lane].doing.clone()
            else {
                continue;
            };
            let disagrees = self.disagreement(stream, &contents);
            if let Some(open) = self.streams.get(&stream) {
                self.recording.streams[open.record].disagrees = disagrees;
            }
            judged = true;
            self.lanes[lane].doing = None;
            self.end(entry, Ending::Nothing("the Mirror disagrees".to_owned()));
        }
        self.recording.end = Some(match judged {
            true => End::Enough,
            false => End::Silence,
        });
    }
}
