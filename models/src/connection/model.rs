//! The model: what can happen next, and what becomes of it.

mod step;

use std::sync::Arc;

use bytes::Bytes;
use dht_protocol::neo::handshake::{ClientHandshake, NodeHandshake};
use dht_protocol::neo::{Credentials, Now};
use stateright::{Model, Property};

use super::alone;
use super::defect::Defect;
use super::end::End;
use super::frame::{Frame, NONCE, NOW};
use super::host::Records;
use super::pipe::{Change, Pipe};
use super::properties::PROPERTIES;
use super::state::{Action, Lane, Side, State};
use crate::intern::{Id, Interner, Memo};
use step::{Input, Outcome, PipeInput, Step};

/// Connections to one node, and what is under way on them. Every step uses up bytes, or something that
/// can be done once; every run therefore ends, and what must happen in the end holds in the last state.
#[derive(Debug)]
pub struct ConnectionModel {
    frame: Frame,
    defect: Option<Defect>,
    /// For each request what it is answered if nothing else is asked.
    alone: Vec<Vec<Bytes>>,
    known: Arc<Credentials>,
    ends: Interner<End>,
    pipes: Interner<Pipe>,
    records: Interner<Records>,
    writes: Interner<Vec<Vec<u8>>>,
    steps: Memo<Step, Outcome>,
    changes: Memo<(Id<Pipe>, PipeInput), Id<Pipe>>,
    pub(super) invariant: Memo<Id<End>, bool>,
    pub(super) complete: Memo<Id<End>, bool>,
}

impl ConnectionModel {
    /// The model of a frame.
    pub fn new(frame: Frame) -> Self {
        let mut model = Self {
            known: Arc::new(frame.known.clone()),
            frame,
            defect: None,
            alone: Vec::new(),
            ends: Interner::default(),
            pipes: Interner::default(),
            records: Interner::default(),
            writes: Interner::default(),
            steps: Memo::default(),
            changes: Memo::default(),
            invariant: Memo::default(),
            complete: Memo::default(),
        };
        model.alone = alone::answers(&model);
        model
    }

    /// With a deviation, which some property must find.
    #[must_use]
    pub fn with_defect(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    /// What it is about.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// For each request of the frame what it is answered if nothing else is asked.
    pub fn alone(&self) -> &[Vec<Bytes>] {
        &self.alone
    }

    /// What stands at an end.
    pub fn end(&self, lane: &Lane, side: Side) -> &End {
        self.ends.get(lane.end(side))
    }

    /// What an end has written and the other has not read.
    pub fn pipe(&self, lane: &Lane, from: Side) -> &Pipe {
        self.pipes.get(lane.pipe(from))
    }

    /// What the node stores.
    pub fn records(&self, state: &State) -> &Records {
        self.records.get(state.records)
    }

    /// What the ends of the connections are like, in a line each.
    pub fn describe(&self, state: &State) -> Vec<String> {
        let describe = |lane: &Lane, side| {
            let (end, pipe) = (self.end(lane, side), self.pipe(lane, side));
            format!(
                "{side:?} read {} bytes, wrote {} ({} under way), heard {:?}, open: {}, {:?}",
                end.read.len(),
                end.wrote.len(),
                pipe.bytes().len(),
                end.heard(),
                end.is_open(),
                end.fate,
            )
        };
        let lanes = state.lanes.iter().flatten();
        lanes
            .flat_map(|lane| Side::BOTH.map(|side| describe(lane, side)))
            .collect()
    }

    /// Can nothing happen any more?
    pub fn is_over(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        actions.is_empty()
    }

    /// The machine of an end before anything was said.
    pub(super) fn fresh(&self, side: Side) -> End {
        match side {
            Side::Client => End::client(ClientHandshake::new(self.frame.credential.clone())),
            Side::Node => End::node(NodeHandshake::new(Arc::clone(&self.known), NONCE)),
        }
    }

    /// What the clocks at an end say.
    pub(super) fn now(&self, side: Side) -> Now {
        let unix = match side {
            Side::Client => self.frame.clock,
            Side::Node => NOW,
        };
        Now {
            unix,
            ..Now::default()
        }
    }

    fn lane_actions(&self, number: usize, lane: &Lane, actions: &mut Vec<Action>) {
        let frame = &self.frame;
        let [client, node] = Side::BOTH.map(|side| self.end(lane, side));
        for (side, end) in [(Side::Client, client), (Side::Node, node)] {
            let pipe = self.pipe(lane, side.other());
            if end.wants_input() {
                let cuts = pipe.cuts(frame.cuts).into_iter();
                actions.extend(cuts.map(|len| Action::Read(number, side, len)));
            }
            if end.is_running() && pipe.is_at_its_end() {
                actions.push(Action::HangUp(number, side));
            }
        }
        if frame.stalls && node.waiting > 0 && self.pipe(lane, Side::Node).bytes().is_empty() {
            actions.push(Action::Write(number, Side::Node));
        }
        let asks = 0..frame.asks.len();
        if client.is_open() && !lane.finished {
            let unsent = asks.filter(|ask| !lane.has_sent(*ask));
            let before = actions.len();
            actions.extend(unsent.map(|ask| Action::Send(number, ask)));
            if frame.finishes && actions.len() == before {
                actions.push(Action::Finish(number));
            }
        }
        if number > 0 || lane.broken {
            return;
        }
        if !lane.injected && client.is_running() {
            let wrong = 0..frame.wrong.len();
            actions.extend(wrong.map(|wrong| Action::Inject(number, wrong)));
        }
        if frame.breaks && client.is_running() && node.is_running() {
            actions.push(Action::Break(number));
        }
    }
}

impl Model for ConnectionModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let records = self.records.id(self.frame.records.clone());
        let empty = State {
            lanes: [None; 2],
            records,
        };
        let scripts = |side, scripts: &[Vec<_>]| -> Vec<End> {
            match scripts {
                [] => vec![self.fresh(side)],
                scripts => scripts.iter().cloned().map(End::script).collect(),
            }
        };
        let mut states = Vec::new();
        for client in scripts(Side::Client, &self.frame.clients) {
            for node in scripts(Side::Node, &self.frame.nodes) {
                let mut state = empty;
                self.start(&mut state, 0, [client.clone(), node]);
                if self.frame.bystander {
                    self.start(&mut state, 1, Side::BOTH.map(|side| self.fresh(side)));
                }
                states.push(state);
            }
        }
        states
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, lane) in state.lanes.iter().enumerate() {
            if let Some(lane) = lane {
                self.lane_actions(number, lane, actions);
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Read(number, side, len) => {
                let pipe = state.lanes[number]?.pipe(side.other());
                self.tell(&mut next, number, side, Input::Read(pipe, len));
            }
            Action::Write(number, side) => self.tell(&mut next, number, side, Input::Write),
            Action::Send(number, ask) => {
                next.lanes[number].as_mut()?.sent |= 1 << ask;
                self.tell(&mut next, number, Side::Client, Input::Send(ask));
            }
            Action::Inject(number, wrong) => {
                let lane = next.lanes[number].as_mut()?;
                lane.injected = true;
                let writes = vec![self.frame.wrong.get(wrong)?.clone()];
                self.pass(lane, Side::Client, self.writes.id(writes));
            }
            Action::Finish(number) => {
                let lane = next.lanes[number].as_mut()?;
                lane.finished = true;
                self.change(lane, Side::Client, Change::Finished);
            }
            Action::Break(number) => {
                let lane = next.lanes[number].as_mut()?;
                lane.broken = true;
                for side in Side::BOTH {
                    self.change(lane, side, Change::Cut);
                }
            }
            Action::HangUp(number, side) => self.tell(&mut next, number, side, Input::HangUp),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let must = PROPERTIES.iter().map(|property| property.checked());
        let goals = self.frame.goals.iter().map(|goal| goal.checked());
        must.chain(goals).collect()
    }
}
