//! Runs a case in a world.
//!
//! * `streams`: streams and what they tell.
//! * `schedule`: rounds whose messages are delivered in a given order.

mod schedule;
mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use bytes::Bytes;
use dht_model::Answer;
use dht_protocol::Key;

use crate::case::{At, Case, Step};
use crate::names::Names;
use crate::recording::{End, Entry, Recording, Time};
use crate::world::{Control, Ending, Happening, Stream, Ticket, World};
use streams::Open;

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
        scheduled: false,
        heard: 0,
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
    /// A schedule says when lanes go on.
    scheduled: bool,
    /// How many things have happened.
    heard: u64,
}

/// What a lane still has to do in a round.
#[derive(Clone, Debug, Default)]
struct Lane {
    todo: VecDeque<At>,
    doing: Option<Doing>,
    /// Which request the step that was begun last has to do with.
    request: Option<Ticket>,
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
        self.follow(round).await;
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
        while !self.scheduled
            && self.recording.end.is_none()
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

    /// For what a lane waits for.
    fn ticket_for(&mut self, lane: usize) -> Ticket {
        let ticket = self.ticket();
        self.waiting.insert(ticket, lane);
        self.lanes[lane].request = Some(ticket);
        ticket
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
            protocol: case.protocol(lane),
            step: step.clone(),
            invoked,
            ended: None,
        });
        self.lanes[lane].request = None;
        let begun = self.ask(lane, connection, entry, step);
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
    ) -> Result<Until, Ending> {
        if let Some(operation) = self.names.operation(step) {
            let ticket = self.ticket_for(lane);
            let operation = self.names.on_the_node(operation);
            self.world.begin(ticket, connection, operation);
            return Ok(Until::Ended);
        }
        match step {
            Step::BeginUpdate {
                update,
                channel,
                key,
            } => {
                let ticket = self.ticket_for(lane);
                let (channel, key) = (self.names.channel(channel), self.names.key(*key));
                self.world.begin_update(ticket, connection, channel, key);
                self.by_name.insert(update.clone(), ticket);
                Ok(Until::Read(update.clone()))
            }
            Step::Decide { update, decision } => {
                let Some(read) = self.updates.remove(update) else {
                    return Err(Ending::Nothing("there is no such Update".to_owned()));
                };
                let ticket = self.ticket_for(lane);
                self.lanes[lane].request = Some(read);
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
                Ok(self.open(stream, entry, channel, kind))
            }
            Step::OpenMirror {
                stream,
                channel,
                refresh,
            } => {
                let kind = Stream::Mirror { refresh: *refresh };
                Ok(self.open(stream, entry, channel, kind))
            }
            Step::OpenListen { stream, channel } => {
                // What it tells says when it has begun.
                self.open(stream, entry, channel, Stream::Listen);
                Err(Ending::Nothing("done".to_owned()))
            }
            Step::Suspend { stream } => {
                self.control(lane, stream, Control::Suspend, Wanted::Suspended)
            }
            Step::Resume { stream } => self.control(lane, stream, Control::Resume, Wanted::Resumed),
            Step::Stop { stream } => self.control(lane, stream, Control::Stop, Wanted::End),
            Step::Finish { stream } => self.finish(lane, connection, stream),
            Step::Wrong(wrong) => {
                let ticket = self.ticket_for(lane);
                if self.world.misbehave(ticket, connection, wrong, self.names) {
                    return Ok(Until::Ended);
                }
                self.waiting.remove(&ticket);
                Err(Ending::Nothing("this cannot be done here".to_owned()))
            }
            Step::Fault(fault) => Err(match self.world.fault(fault) {
                true => Ending::Nothing("done".to_owned()),
                false => Ending::Nothing("this cannot be done here".to_owned()),
            }),
            _ => Err(Ending::Nothing("this is no step".to_owned())),
        }
    }

    fn happened(&mut self, happening: Happening) {
        self.heard += 1;
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

    fn end(&mut self, entry: usize, ending: Ending) {
        let time = self.time();
        let entry = &mut self.recording.entries[entry];
        entry.ended = Some((time, ending));
        if (self.watch)(entry).is_break() && self.recording.end.is_none() {
            self.recording.end = Some(End::Enough);
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
