//! Runs a case in a world.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;

use bytes::Bytes;
use dht_client::ControlError;
use dht_model::{Answer, Operation};
use dht_protocol::Key;

use crate::case::{At, Case, Decision, Step};
use crate::names::Names;
use crate::recording::{End, Entry, Recording, StreamRecord, Time};
use crate::world::{Control, Ending, Event, Happening, Stream, Ticket, World};

/// So much a stream may tell. No case has as many changes and records.
const MAX_TOLD: usize = 1_000_000;

/// Runs a case and says what happened. `watch` sees each step that has ended; it can end the run.
pub async fn run<W: World>(
    case: &Case,
    names: &Names,
    world: &mut W,
    watch: impl FnMut(&Entry) -> ControlFlow<()>,
) -> Recording {
    let mut run = Run {
        case,
        names,
        world,
        watch,
        now: 0,
        tickets: 0,
        recording: Recording::default(),
        lanes: vec![Lane::default(); case.lanes.len()],
        waiting: BTreeMap::new(),
        streams: BTreeMap::new(),
        updates: BTreeMap::new(),
        by_name: BTreeMap::new(),
    };
    for round in 0..case.rounds.len() {
        run.round(round).await;
        if run.recording.end.is_some() {
            break;
        }
    }
    run.recording
}

struct Run<'a, W, F> {
    case: &'a Case,
    names: &'a Names,
    world: &'a mut W,
    watch: F,
    now: Time,
    tickets: u64,
    recording: Recording,
    lanes: Vec<Lane>,
    /// Which lane waits for what this ticket is for.
    waiting: BTreeMap<Ticket, usize>,
    /// Which record of [`Recording::streams`] belongs to a stream, and what it stands at.
    streams: BTreeMap<Ticket, Open>,
    /// What an Update that has been read is called in the world.
    updates: BTreeMap<String, Ticket>,
    by_name: BTreeMap<String, Ticket>,
}

/// What a lane still has to do in a round.
#[derive(Clone, Debug, Default)]
struct Lane {
    todo: VecDeque<At>,
    doing: Option<Doing>,
}

/// The step that a lane waits for.
#[derive(Clone, Debug)]
struct Doing {
    /// Its place among the entries.
    entry: usize,
    until: Until,
}

/// What ends a step.
#[derive(Clone, Debug)]
enum Until {
    /// The end of what its ticket is for.
    Ended,
    /// The same; then the Update waits for a decision by this name.
    Read(String),
    /// This of a stream, or its end.
    Told(Ticket, Wanted),
    /// The contents of the channel, which a Mirror is to be compared with.
    Contents(Ticket),
    /// A Mirror that has told this.
    Agreement(Ticket, BTreeMap<Key, Bytes>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    Started,
    Suspended,
    Resumed,
    End,
}

/// A stream that was begun.
#[derive(Debug)]
struct Open {
    record: usize,
    channel: String,
    /// What a Mirror has told last of each key.
    copy: BTreeMap<Key, Option<Bytes>>,
    /// Everything present is due, not only what was written since.
    refreshes: bool,
    /// Something makes it impossible to say what is due: changes were lost, the channel was removed, the
    /// connection broke.
    vague: bool,
    over: bool,
    is_mirror: bool,
}

impl<W: World, F: FnMut(&Entry) -> ControlFlow<()>> Run<'_, W, F> {
    async fn round(&mut self, round: usize) {
        let steps = self.case.rounds[round].steps.iter().enumerate();
        let mut order = Vec::new();
        for (step, placed) in steps {
            self.lanes[placed.lane].todo.push_back(At { round, step });
            if !order.contains(&placed.lane) {
                order.push(placed.lane);
            }
        }
        for lane in order {
            self.go_on(lane);
        }
        while self.recording.end.is_none() && self.lanes.iter().any(|lane| lane.doing.is_some()) {
            let happening = self.world.next().await;
            self.happened(happening);
        }
    }

    /// Begins steps of a lane until one has to be waited for.
    fn go_on(&mut self, lane: usize) {
        while self.recording.end.is_none()
            && self.lanes[lane].doing.is_none()
            && let Some(at) = self.lanes[lane].todo.pop_front()
        {
            self.begin(lane, at);
        }
    }

    fn time(&mut self) -> Time {
        self.now += 1;
        self.now
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn begin(&mut self, lane: usize, at: At) {
        let case = self.case;
        let step = &case.rounds[at.round].steps[at.step].step;
        let connection = self.case.lanes[lane];
        let invoked = self.time();
        let entry = self.recording.entries.len();
        self.recording.entries.push(Entry {
            at,
            lane,
            step: step.clone(),
            invoked,
            ended: None,
        });
        let begun = self.ask(lane, connection, entry, step, invoked);
        match begun {
            Ok(until) => self.lanes[lane].doing = Some(Doing { entry, until }),
            Err(ending) => self.end(entry, ending),
        }
    }

    /// Asks the world for what a step wants. An error is the end of the step already.
    fn ask(
        &mut self,
        lane: usize,
        connection: usize,
        entry: usize,
        step: &Step,
        invoked: Time,
    ) -> Result<Until, Ending> {
        if let Some(operation) = self.names.operation(step) {
            let ticket = self.ticket();
            self.waiting.insert(ticket, lane);
            let operation = self.on_the_node(operation);
            self.world.begin(ticket, connection, operation);
            return Ok(Until::Ended);
        }
        match step {
            Step::BeginUpdate {
                update,
                channel,
                key,
            } => {
                let ticket = self.ticket();
                self.waiting.insert(ticket, lane);
                let (channel, key) = (self.names.channel(channel), self.names.key(*key));
                self.world.begin_update(ticket, connection, channel, key);
                self.by_name.insert(update.clone(), ticket);
                Ok(Until::Read(update.clone()))
            }
            Step::Decide { update, decision } => {
                let Some(read) = self.updates.remove(update) else {
                    return Err(Ending::Nothing("there is no such Update".to_owned()));
                };
                let ticket = self.ticket();
                self.waiting.insert(ticket, lane);
                self.world.decide(ticket, read, decision.into());
                Ok(Until::Ended)
            }
            Step::OpenGetAll {
                stream,
                channel,
                keys_only,
                filter,
            } => {
                let kind = Stream::GetAll {
                    keys_only: *keys_only,
                    filter: filter.clone().into(),
                };
                Ok(self.open(stream, connection, entry, channel, kind, invoked))
            }
            Step::OpenMirror {
                stream,
                channel,
                refresh,
            } => {
                let kind = Stream::Mirror { refresh: *refresh };
                Ok(self.open(stream, connection, entry, channel, kind, invoked))
            }
            Step::Suspend { stream } => self.control(stream, Control::Suspend, Wanted::Suspended),
            Step::Resume { stream } => self.control(stream, Control::Resume, Wanted::Resumed),
            Step::Stop { stream } => self.control(stream, Control::Stop, Wanted::End),
            Step::Finish { stream } => self.finish(lane, connection, stream),
            Step::Fault(fault) => Err(match self.world.fault(fault) {
                true => Ending::Nothing("done".to_owned()),
                false => Ending::Nothing("this cannot be done here".to_owned()),
            }),
            _ => Err(Ending::Nothing("this is no step".to_owned())),
        }
    }

    fn open(
        &mut self,
        name: &str,
        connection: usize,
        entry: usize,
        channel: &str,
        stream: Stream,
        invoked: Time,
    ) -> Until {
        let ticket = self.ticket();
        let Entry { at, step, .. } = &self.recording.entries[entry];
        self.recording.streams.push(StreamRecord {
            at: *at,
            step: step.clone(),
            invoked,
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
            is_mirror: matches!(stream, Stream::Mirror { .. }),
        };
        self.streams.insert(ticket, open);
        self.by_name.insert(name.to_owned(), ticket);
        let channel = self.names.channel(channel);
        self.world.open(ticket, connection, channel, stream);
        Until::Told(ticket, Wanted::Started)
    }

    fn control(&mut self, stream: &str, control: Control, wanted: Wanted) -> Result<Until, Ending> {
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

    fn finish(&mut self, lane: usize, connection: usize, stream: &str) -> Result<Until, Ending> {
        let open = self.by_name.get(stream).copied();
        let Some((ticket, open)) =
            open.and_then(|ticket| Some((ticket, self.streams.get(&ticket)?)))
        else {
            return Err(Ending::Nothing("there is no such stream".to_owned()));
        };
        if open.over {
            return Err(Ending::Nothing("the stream was over".to_owned()));
        }
        if !open.is_mirror {
            return Ok(Until::Told(ticket, Wanted::End));
        }
        if open.vague {
            return self.control(stream, Control::Stop, Wanted::End);
        }
        let contents = Operation::get_all(self.names.channel(&open.channel));
        let reading = self.ticket();
        self.waiting.insert(reading, lane);
        self.world.begin(reading, connection, contents);
        Ok(Until::Contents(ticket))
    }

    fn happened(&mut self, happening: Happening) {
        match happening {
            Happening::Ended(ticket, ending) => {
                if let Some(lane) = self.waiting.remove(&ticket) {
                    self.ended(lane, ticket, ending);
                }
            }
            Happening::Told(ticket, event) => self.told(ticket, event),
            Happening::Violation(why) => self.recording.end = Some(End::Violation(why)),
            Happening::Gone(why) => self.recording.end = Some(End::Gone(why)),
            Happening::Silence => self.silence(),
        }
    }

    fn ended(&mut self, lane: usize, ticket: Ticket, ending: Ending) {
        let Some(Doing { entry, until }) = self.lanes[lane].doing.take() else {
            return;
        };
        let ending = self.in_the_case(ending);
        match until {
            Until::Read(update) => {
                if let Ending::Read(_) = ending {
                    self.updates.insert(update, ticket);
                }
                self.end(entry, ending);
            }
            Until::Contents(stream) => {
                let Ending::Answer(Answer::Records(records)) = ending else {
                    self.end(entry, ending);
                    return self.go_on(lane);
                };
                let until = Until::Agreement(stream, records.into_iter().collect());
                self.lanes[lane].doing = Some(Doing { entry, until });
                return self.settle(lane);
            }
            _ => self.end(entry, ending),
        }
        self.go_on(lane);
    }

    fn told(&mut self, ticket: Ticket, event: Event) {
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
            self.recording.end = Some(End::Violation(why));
        }
        for lane in 0..self.lanes.len() {
            self.settle(lane);
        }
    }

    /// Ends the step of a lane if what a stream has told is what it waits for.
    fn settle(&mut self, lane: usize) {
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
        let due = self.due(open);
        let missing = contents
            .iter()
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
            return Some(format!(
                "record {key} holds {value}, and the last that the Mirror told of it is {told}"
            ));
        }
        let surplus = open
            .copy
            .iter()
            .find(|(key, told)| told.is_some() && !contents.contains_key(key));
        surplus.map(|(key, _)| format!("record {key} was removed, and the Mirror has not told so"))
    }

    /// The keys that were certainly written since a Mirror began: it has to tell of them.
    fn due(&self, open: &Open) -> BTreeSet<Key> {
        let record = &self.recording.streams[open.record];
        let started = record
            .told
            .iter()
            .find(|(_, event)| *event == Event::Started);
        let Some((started, _)) = started else {
            return BTreeSet::new();
        };
        let wrote = |entry: &&Entry| {
            entry.invoked > *started
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
    fn silence(&mut self) {
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

    fn end(&mut self, entry: usize, ending: Ending) {
        let time = self.time();
        let entry = &mut self.recording.entries[entry];
        entry.ended = Some((time, ending));
        if (self.watch)(entry).is_break() && self.recording.end.is_none() {
            self.recording.end = Some(End::Enough);
        }
    }

    /// An operation with the names that channels have on the node.
    fn on_the_node(&self, operation: Operation) -> Operation {
        let rename = |channel: &dht_protocol::ChannelName| {
            self.names
                .channel(&String::from_utf8_lossy(channel.as_bytes()))
        };
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => Operation::Record {
                channel: rename(&channel),
                key,
                action,
            },
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => Operation::GetAll {
                channel: rename(&channel),
                keys_only,
                filter,
            },
            Operation::RemoveChannel { channel, permitted } => Operation::RemoveChannel {
                channel: rename(&channel),
                permitted,
            },
            other => other,
        }
    }

    /// An ending with the names that channels have in the case.
    fn in_the_case(&self, ending: Ending) -> Ending {
        match ending {
            Ending::Answer(Answer::Channels(channels)) => {
                let ours = channels.iter();
                let ours = ours.filter_map(|name| self.names.channel_of_case(name));
                Ending::Answer(Answer::Channels(ours.collect()))
            }
            other => other,
        }
    }
}
