//! The graph of a model's states: who leads where by whose step, who is able to go on, and what is owed.

use std::{collections::VecDeque, hash::Hash};

use super::{
    components::Edges,
    fingerprint::fingerprint,
    liveness::Fair,
    options::{Control, Progress},
    outcome::Stop,
    path::{Origin, Origins, Path, make_room, replay, room},
    round::Tally,
    table::Table,
};

/// The label of an edge that is no fair step of any process.
pub(super) const UNFAIR: u8 = u8::MAX;
/// Processes are numbered below this, so that a set of them is a word.
pub(super) const PROCESSES: u8 = 64;
/// The most goals.
pub(super) const GOALS: usize = 32;

/// How many states are expanded between two looks at limits.
const BATCH: usize = 1024;

/// States are numbered in the order in which a breadth-first search finds them. A state costs about 40 bytes, an
/// edge 5.
#[derive(Debug)]
pub(super) struct Graph {
    table: Table<u32>,
    origins: Origins,
    pub(super) edges: Edges,
    /// For each expanded state the processes that have a fair step.
    pub(super) enabled: Vec<u64>,
    /// For each state the goals that are owed.
    pub(super) owed: Vec<u32>,
    pub(super) tally: Tally,
    pub(super) levels: Vec<u64>,
    pub(super) peak: usize,
    /// The most edges of a state, on average over a batch.
    widest: usize,
}

impl Graph {
    /// Explores a model until its end or until a limit, which is told then.
    pub(super) fn build<M>(model: &M, control: &mut Control<'_>) -> (Self, Option<Stop>)
    where
        M: Fair,
        M::State: Hash,
    {
        let mut graph = Self {
            table: Table::default(),
            origins: Origins::default(),
            edges: Edges::new(),
            enabled: Vec::new(),
            owed: Vec::new(),
            tally: Tally::default(),
            levels: Vec::new(),
            peak: 0,
            widest: 8,
        };
        let stopped = graph.explore(model, control).err();
        (graph, stopped)
    }

    /// The number of states, expanded or not.
    pub(super) fn states(&self) -> usize {
        self.owed.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes_with(0, 0, 0)
    }

    /// The shortest run to a state.
    pub(super) fn path_to<M: Fair>(
        &self,
        model: &M,
        state: u32,
    ) -> Option<Path<M::State, M::Action>> {
        replay(model, state, |id| self.origins.get(id as usize))
    }

    /// The action that an edge stands for.
    pub(super) fn step<M>(
        &self,
        model: &M,
        state: &M::State,
        (target, label): (u32, u8),
    ) -> Option<(M::Action, M::State)>
    where
        M: Fair,
        M::State: Hash,
    {
        let mut steps = model.next_steps(state).into_iter();
        steps.find(|(action, next)| {
            model.fair_process(action).unwrap_or(UNFAIR) == label
                && self.table.get(fingerprint(next)) == Some(target)
        })
    }

    fn explore<M>(&mut self, model: &M, control: &mut Control<'_>) -> Result<(), Stop>
    where
        M: Fair,
        M::State: Hash,
    {
        if model.goals().len() > GOALS {
            return Err(Stop::Unrepresentable);
        }
        let mut waiting = VecDeque::new();
        for (number, state) in (0..).zip(model.init_states()) {
            if model.within_boundary(&state) {
                self.tally.generated += 1;
                self.enter(model, state, Origin::Initial(number), &mut waiting);
            }
        }
        let mut actions = Vec::new();
        // Where the level that is being expanded ends.
        let mut end = 0;
        while !waiting.is_empty() {
            let room = control.room(self.states() as u64)?;
            let batch = BATCH.min(room as usize).min(waiting.len());
            self.make_room(batch, &mut waiting, control)?;
            let edges = self.edges.len();
            for _ in 0..batch {
                if self.edges.states() == end {
                    self.levels.push((self.states() - end) as u64);
                    end = self.states();
                }
                if let Some(state) = waiting.pop_front() {
                    self.expand(model, &state, &mut actions, &mut waiting)?;
                }
            }
            self.widest = self.widest.max((self.edges.len() - edges) / batch + 1);
            let in_use = self.bytes() + waiting.capacity() * size_of::<M::State>();
            self.peak = self.peak.max(in_use);
            if let Some(listener) = control.listener() {
                listener(&Progress {
                    generated: self.tally.generated,
                    unique: self.states() as u64,
                    depth: self.levels.len(),
                    frontier: waiting.len() as u64,
                    memory: in_use,
                    elapsed: control.elapsed(),
                });
            }
        }
        Ok(())
    }

    fn expand<M>(
        &mut self,
        model: &M,
        state: &M::State,
        actions: &mut Vec<M::Action>,
        waiting: &mut VecDeque<M::State>,
    ) -> Result<(), Stop>
    where
        M: Fair,
        M::State: Hash,
    {
        let id = self.edges.states() as u32;
        let mut enabled = 0;
        let mut terminal = true;
        model.actions(state, actions);
        if actions.len() > Origins::MAX_ACTIONS || self.edges.len() + actions.len() > Edges::MOST {
            return Err(Stop::Unrepresentable);
        }
        for (number, action) in (0_u16..).zip(actions.drain(..)) {
            let label = match model.fair_process(&action) {
                None => UNFAIR,
                Some(process) if process < PROCESSES => process,
                Some(_) => return Err(Stop::Unrepresentable),
            };
            let Some(next) = model.next_state(state, action) else {
                continue;
            };
            terminal = false;
            // Who can leave the boundary is not stuck.
            enabled |= process_bit(label);
            if !model.within_boundary(&next) {
                self.tally.outside += 1;
                continue;
            }
            self.tally.generated += 1;
            let origin = Origin::Action {
                parent: id,
                action: number,
            };
            let target = self.enter(model, next, origin, waiting);
            self.edges.push(target, label);
        }
        self.edges.finish();
        self.enabled.push(enabled);
        self.tally.expanded += 1;
        self.tally.terminal += u64::from(terminal);
        Ok(())
    }

    /// The number of a state, which waits to be expanded if it is new.
    fn enter<M>(
        &mut self,
        model: &M,
        state: M::State,
        origin: Origin,
        waiting: &mut VecDeque<M::State>,
    ) -> u32
    where
        M: Fair,
        M::State: Hash,
    {
        let id = self.states() as u32;
        if let Some(known) = self.table.insert(fingerprint(&state), id) {
            return known;
        }
        let owed = (0..model.goals().len()).filter(|&goal| model.owes(&state, goal));
        self.owed.push(owed.fold(0, |owed, goal| owed | 1 << goal));
        self.origins.push(origin);
        waiting.push_back(state);
        id
    }

    /// Makes room for expanding so many states, if that is allowed.
    fn make_room<S>(
        &mut self,
        states: usize,
        waiting: &mut VecDeque<S>,
        control: &Control<'_>,
    ) -> Result<(), Stop> {
        let edges = states * self.widest;
        let mut bytes = self.bytes_with(states, edges, edges);
        if self.table.bytes_with(edges) > self.table.bytes() {
            // While the table grows there are two of them.
            bytes += self.table.bytes();
        }
        let longest = waiting.len() + edges;
        let room = match waiting.capacity() {
            enough if longest <= enough => enough,
            capacity => longest.max(capacity + capacity / 4),
        };
        control.memory(bytes + room * size_of::<S>())?;
        self.table.reserve(edges);
        self.origins.reserve(edges);
        self.edges.reserve(states, edges);
        make_room(&mut self.enabled, states);
        make_room(&mut self.owed, edges);
        waiting.reserve_exact(room - waiting.len());
        Ok(())
    }

    fn bytes_with(&self, expanded: usize, new: usize, edges: usize) -> usize {
        self.table.bytes_with(new)
            + self.origins.bytes_with(new)
            + self.edges.bytes_with(expanded, edges)
            + room(&self.enabled, expanded) * size_of::<u64>()
            + room(&self.owed, new) * size_of::<u32>()
    }
}

/// The set of the process that a label names; empty if it names none.
pub(super) fn process_bit(label: u8) -> u64 {
    1_u64.checked_shl(label.into()).unwrap_or(0)
}
