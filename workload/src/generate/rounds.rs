//! Which steps go side by side, and what goes on over rounds.

use crate::case::{Case, Placed, Round, Step};
use crate::rng::Rng;

use super::Shape;
use super::legacy::Listening;
use super::steps::Steps;

/// So many streams and held Updates are under way at most.
const LONG: usize = 4;

/// Puts a case together.
#[derive(Debug)]
pub(super) struct Rounds<'a> {
    pub(super) shape: &'a Shape,
    pub(super) steps: Steps,
    rounds: Vec<Round>,
    /// How many steps there are so far.
    done: usize,
    streams: Vec<Open>,
    pub(super) listening: Vec<Listening>,
    updates: Vec<(String, usize)>,
    /// How many streams and Updates have been named.
    named: usize,
}

/// A stream that was begun.
#[derive(Debug)]
struct Open {
    name: String,
    lane: usize,
    channel: String,
    suspended: bool,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(rng: Rng, shape: &'a Shape) -> Self {
        Self {
            shape,
            steps: Steps::new(rng, shape),
            rounds: Vec::new(),
            done: 0,
            streams: Vec::new(),
            listening: Vec::new(),
            updates: Vec::new(),
            named: 0,
        }
    }

    pub(super) fn case(mut self) -> Case {
        let lanes = self.shape.lanes.max(1);
        for step in self.steps.filling() {
            self.push(vec![Placed { lane: 0, step }]);
        }
        while self.done < self.shape.steps {
            if self.shape.long && self.rng().chance(1, 6) {
                self.long();
            } else if lanes == 1 && self.shape.legacy > 0 && !self.shape.long {
                self.either();
            } else if lanes == 1 && self.shape.legacy == 0 {
                let step = self.steps.operation();
                self.push(vec![Placed { lane: 0, step }]);
            } else {
                self.together(lanes);
            }
        }
        self.epilogue();
        let connections = self.shape.connections.clamp(1, lanes);
        let legacy = self.shape.legacy;
        Case {
            lanes: (0..lanes)
                .map(|lane| lane % connections)
                .chain(connections..connections + legacy)
                .collect(),
            legacy: (lanes..lanes + legacy).collect(),
            rounds: self.rounds,
        }
    }

    /// One operation, by a lane of either protocol.
    fn either(&mut self) {
        let (lane, step) = match self.legacy_lane() {
            Some(lane) if self.rng().chance(1, 2) => (lane, self.steps.legacy_operation()),
            _ => (0, self.steps.operation()),
        };
        self.push(vec![Placed { lane, step }]);
    }

    fn rng(&mut self) -> &mut Rng {
        &mut self.steps.rng
    }

    pub(super) fn push(&mut self, steps: Vec<Placed>) {
        self.done += steps.len();
        self.rounds.push(Round::from(steps));
    }

    /// Lanes work side by side: a few steps each, or now and then many.
    fn together(&mut self, lanes: usize) {
        let long = match self.rng().below(12) {
            0 => 24,
            1 | 2 => 6,
            _ => 2,
        };
        let mut steps = Vec::new();
        if self.shape.faults && self.rng().chance(1, 4) {
            let connections = self.shape.connections.max(1);
            let connections = connections + self.shape.legacy;
            let fault = self.steps.fault(connections, self.shape.halts);
            let step = Step::Fault(fault);
            steps.push(Placed { lane: 0, step });
        }
        for lane in self.free_legacy_lanes() {
            for _ in 0..self.rng().below(long + 1) {
                let step = self.steps.legacy_operation();
                steps.push(Placed { lane, step });
            }
        }
        // Two at least, or nothing overlaps.
        let first = self.rng().below(lanes);
        let second = (first + 1 + self.rng().below(lanes - 1)) % lanes;
        for lane in 0..lanes {
            if lane != first && lane != second && self.rng().chance(1, 2) {
                continue;
            }
            for _ in 0..=self.rng().below(long) {
                let step = self.steps.operation();
                steps.push(Placed { lane, step });
            }
        }
        self.push(steps);
    }

    /// Begins something that goes on, or does something about what does; beside it others may work.
    fn long(&mut self) {
        if self.shape.legacy > 0 && self.rng().chance(1, 3) {
            return self.long_legacy();
        }
        let lane = self.steps.rng.below(self.shape.lanes.max(1));
        let under_way = self.streams.len() + self.updates.len();
        let step = match self.rng().below(8) {
            0 | 1 if under_way < LONG => self.open_mirror(lane),
            2 if under_way < LONG => self.open_get_all(lane),
            3 | 4 if under_way < LONG => self.begin_update(lane),
            _ if under_way > 0 => {
                let chosen = self.steps.rng.below(under_way);
                self.go_on(chosen)
            }
            _ => return,
        };
        let (lane, step) = step;
        let mut steps = vec![Placed { lane, step }];
        // What compares a Mirror with its channel must be alone; nothing else has to.
        let alone = matches!(steps[0].step, Step::Finish { .. });
        if !alone && self.shape.lanes > 1 && self.rng().chance(1, 2) {
            let other = (lane + 1) % self.shape.lanes;
            for _ in 0..=self.rng().below(4) {
                let step = self.steps.operation();
                steps.push(Placed { lane: other, step });
            }
        }
        // A GetAll of few records is over soon: only at once it can be suspended on its way.
        let begun = matches!(steps[0].step, Step::OpenGetAll { .. });
        self.push(steps);
        if begun && self.rng().chance(1, 2) {
            self.suspend_last();
        }
    }

    /// Suspends the stream that was begun last.
    fn suspend_last(&mut self) {
        if let Some(open) = self.streams.last_mut() {
            open.suspended = true;
            let (stream, lane) = (open.name.clone(), open.lane);
            let step = Step::Suspend { stream };
            self.push(vec![Placed { lane, step }]);
        }
    }

    pub(super) fn name(&mut self, kind: &str) -> String {
        self.named += 1;
        format!("{kind}{}", self.named)
    }

    fn open_mirror(&mut self, lane: usize) -> (usize, Step) {
        let stream = self.name("m");
        // Now and then a second one beside another one.
        let (lane, channel) = match self.streams.last() {
            Some(open) if self.steps.rng.chance(1, 3) => (open.lane, open.channel.clone()),
            _ => (lane, self.steps.channel()),
        };
        self.opened(&stream, lane, &channel);
        let step = Step::OpenMirror {
            stream,
            channel,
            refresh: self.rng().chance(2, 3),
        };
        (lane, step)
    }

    fn open_get_all(&mut self, lane: usize) -> (usize, Step) {
        let stream = self.name("g");
        let channel = self.steps.channel();
        self.opened(&stream, lane, &channel);
        let step = Step::OpenGetAll {
            stream,
            channel,
            keys_only: self.rng().chance(1, 3),
            filter: self.steps.filter(),
        };
        (lane, step)
    }

    fn opened(&mut self, name: &str, lane: usize, channel: &str) {
        self.streams.push(Open {
            name: name.to_owned(),
            lane,
            channel: channel.to_owned(),
            suspended: false,
        });
    }

    fn begin_update(&mut self, lane: usize) -> (usize, Step) {
        let update = self.name("u");
        self.updates.push((update.clone(), lane));
        let (channel, key) = self.steps.place();
        let step = Step::BeginUpdate {
            update,
            channel,
            key,
        };
        (lane, step)
    }

    /// Goes on with something that is under way.
    fn go_on(&mut self, chosen: usize) -> (usize, Step) {
        if let Some(update) = chosen.checked_sub(self.streams.len()) {
            let (update, lane) = self.updates.swap_remove(update);
            let decision = self.steps.decision();
            return (lane, Step::Decide { update, decision });
        }
        let end = self.steps.rng.below(6);
        let open = &mut self.streams[chosen];
        let (stream, lane) = (open.name.clone(), open.lane);
        match (end, open.suspended) {
            (0, _) => {
                self.streams.swap_remove(chosen);
                (lane, Step::Stop { stream })
            }
            (1 | 2, false) => {
                self.streams.swap_remove(chosen);
                // What a Mirror has told is to be what the other port shows, too.
                let lane = match self.shape.legacy > 0 && self.rng().chance(1, 3) {
                    true => self.legacy_lane().unwrap_or(lane),
                    false => lane,
                };
                (lane, Step::Finish { stream })
            }
            (_, true) => {
                open.suspended = false;
                (lane, Step::Resume { stream })
            }
            (_, false) => {
                open.suspended = true;
                (lane, Step::Suspend { stream })
            }
        }
    }

    /// Ends what is under way, and looks at everything once more.
    fn epilogue(&mut self) {
        for open in std::mem::take(&mut self.streams) {
            let Open {
                name: stream,
                lane,
                suspended,
                ..
            } = open;
            if suspended {
                let stream = stream.clone();
                let step = Step::Resume { stream };
                self.push(vec![Placed { lane, step }]);
            }
            let step = Step::Finish { stream };
            self.push(vec![Placed { lane, step }]);
        }
        self.legacy_epilogue();
        for (update, lane) in std::mem::take(&mut self.updates) {
            let decision = self.steps.decision();
            let step = Step::Decide { update, decision };
            self.push(vec![Placed { lane, step }]);
        }
        for channel in self.steps.channels() {
            let step = Step::GetAll {
                channel,
                keys_only: false,
                filter: String::new(),
            };
            self.push(vec![Placed { lane: 0, step }]);
        }
        let step = Step::GetChannels {};
        self.push(vec![Placed { lane: 0, step }]);
    }
}
