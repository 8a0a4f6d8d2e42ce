//! A step: an end is told something, does what it does, and what it writes is on its way.

use super::ConnectionModel;
use crate::connection::defect::Defect;
use crate::connection::end::{End, Fate};
use crate::connection::host::Records;
use crate::connection::pipe::{Change, Ending, Pipe};
use crate::connection::state::{Lane, Side, State};
use crate::intern::Id;

/// An end, and what it is told to do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Step {
    side: Side,
    end: Id<End>,
    records: Id<Records>,
    input: Input,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Input {
    Start,
    Read(Id<Pipe>, usize),
    Write,
    Send(usize),
    HangUp,
}

/// What comes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    end: Id<End>,
    records: Id<Records>,
    writes: Id<Vec<Vec<u8>>>,
    /// It was running and is not any more.
    closes: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum PipeInput {
    Write(Id<Vec<Vec<u8>>>),
    Change(Change),
}

impl ConnectionModel {
    /// A new connection between these two.
    pub(super) fn start(&self, state: &mut State, number: usize, ends: [End; 2]) {
        let empty = self.pipes.id(Pipe::default());
        state.lanes[number] = Some(Lane {
            ends: ends.map(|end| self.ends.id(end)),
            pipes: [empty; 2],
            sent: 0,
            injected: false,
            broken: false,
            finished: false,
        });
        for side in Side::BOTH {
            self.tell(state, number, side, Input::Start);
        }
    }

    /// Tells an end something, and passes on what it writes.
    pub(super) fn tell(&self, state: &mut State, number: usize, side: Side, input: Input) {
        let Some(lane) = &mut state.lanes[number] else {
            return;
        };
        let step = Step {
            side,
            end: lane.end(side),
            records: state.records,
            input,
        };
        let outcome = *self.steps.get(step, |step| self.step(*step));
        lane.ends[side as usize] = outcome.end;
        state.records = outcome.records;
        if let Input::Read(_, len) = input {
            self.change(lane, side.other(), Change::Taken(len));
        }
        self.pass(lane, side, outcome.writes);
        if !outcome.closes {
            return;
        }
        let unread = !self.pipe(lane, side.other()).bytes().is_empty();
        self.change(lane, side.other(), Change::Shut);
        // Whoever closes before it has read everything may take back its last words (neo-transport,
        // conventions).
        let ending = if unread {
            Change::Cut
        } else {
            Change::Finished
        };
        let failed = matches!(self.end(lane, side).fate, Fate::Failed(_));
        if !failed || self.defect != Some(Defect::StaysOpen) {
            self.change(lane, side, ending);
        }
        if failed && side == Side::Node && self.defect == Some(Defect::ClosesAll) {
            for other in (0..state.lanes.len()).filter(|other| *other != number) {
                self.tell(state, other, side, Input::HangUp);
            }
        }
    }

    /// What an end does.
    fn step(&self, step: Step) -> Outcome {
        let Step { side, input, .. } = step;
        let mut end = self.ends.get(step.end).clone();
        let mut records = self.records.get(step.records).clone();
        let was_running = end.is_running();
        let now = self.now(side);
        match input {
            Input::Start | Input::Write => {}
            Input::Read(pipe, len) => {
                let pipe = self.pipes.get(pipe);
                let seen = match self.defect {
                    Some(Defect::LosesTails) => pipe.whole_within(len),
                    _ => len,
                };
                let chunk = pipe.bytes().get(..len).unwrap_or_default();
                if let (Some(defect), Side::Node) = (self.defect, side) {
                    defect.act(chunk, &mut records);
                }
                end.read(chunk, seen, now, &mut records);
            }
            Input::Send(ask) => {
                if let Some(ask) = self.frame.asks.get(ask) {
                    end.send(ask.id, &ask.payload);
                }
            }
            Input::HangUp => end.hang_up(),
        }
        let closes = was_running && !end.is_running();
        let holds_back = self.frame.stalls && side == Side::Node && input != Input::Write;
        let mut writes = Vec::new();
        while end.waiting > 0 && (closes || !holds_back) {
            let mut write = end.take_output();
            if let Some(defect) = self.defect {
                defect.distort(side, &self.frame.asks, &mut write);
            }
            end.wrote.extend_from_slice(&write);
            writes.push(write);
            end.work(now, &mut records);
            if input == Input::Write {
                break;
            }
        }
        Outcome {
            end: self.ends.id(end),
            records: self.records.id(records),
            writes: self.writes.id(writes),
            closes,
        }
    }

    /// Puts what an end has written on its way.
    pub(super) fn pass(&self, lane: &mut Lane, from: Side, writes: Id<Vec<Vec<u8>>>) {
        if self.writes.get(writes).is_empty() {
            return;
        }
        self.change_pipe(lane, from, PipeInput::Write(writes));
        // Bytes for somebody who has gone are answered with a reset.
        if self.pipe(lane, from).ending() == Ending::Shut {
            self.change(lane, from.other(), Change::Cut);
        }
    }

    pub(super) fn change(&self, lane: &mut Lane, from: Side, change: Change) {
        self.change_pipe(lane, from, PipeInput::Change(change));
    }

    fn change_pipe(&self, lane: &mut Lane, from: Side, input: PipeInput) {
        let changed = |(id, input): &(Id<Pipe>, PipeInput)| {
            let mut pipe = self.pipes.get(*id).clone();
            match input {
                PipeInput::Write(writes) => {
                    for write in self.writes.get(*writes) {
                        pipe.write(write);
                    }
                }
                PipeInput::Change(change) => pipe.change(*change),
            }
            self.pipes.id(pipe)
        };
        lane.pipes[from as usize] = *self.changes.get((lane.pipe(from), input), changed);
    }
}
