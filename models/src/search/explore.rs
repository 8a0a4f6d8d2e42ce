//! Breadth first, all states, with several threads.
//!
//! The search goes level by level, and each level round by round: first all threads expand states while the
//! known ones are only read, then each shard of the known ones takes in what is new. A state costs 14 to 19
//! bytes: its fingerprint in a table that is at least 64% full, and its origin, from which a path to it is
//! found again. States as such are kept only while they wait to be expanded.

use std::{collections::VecDeque, hash::Hash, mem, num::NonZeroUsize};

use stateright::{Expectation, Model, Property};

use super::{
    options::{Control, MOST_STATES, Options, Progress, is_set},
    outcome::{Coverage, Finding, Kind, Outcome, Stop, Undecided, Verdict},
    path::{Origin, replay},
    round::{TASK_STATES, TASKS, Tally, Task, parallel},
    shard::{Candidate, Node, Shard, found_bytes, origin},
};

/// Visits all states of a model and judges its `always` and `sometimes` properties.
///
/// The outcome of a complete search is the same for any number of threads, but for the time. Which of several
/// shortest counterexamples is given depends on fingerprints, and so on the machine's kind.
pub fn explore<M>(model: &M, options: Options<'_>) -> Outcome<M::State, M::Action>
where
    M: Model + Sync,
    M::State: Hash + Send + Sync,
    M::Action: Send,
{
    let mut explorer = Explorer::new(model, options);
    let stopped = explorer.run().err();
    explorer.outcome(stopped)
}

struct Explorer<'a, M: Model> {
    model: &'a M,
    options: Options<'a>,
    control: Control<'a>,
    properties: Vec<Property<M>>,
    /// Which properties are not yet decided; those that are, by which state.
    open: Vec<bool>,
    deciding: Vec<Option<u32>>,
    shards: Vec<Shard<M::State>>,
    tasks: Vec<Task<M::State, M::Action>>,
    level: Frontier<M::State>,
    next: Frontier<M::State>,
    levels: Vec<u64>,
    unique: u64,
    tally: Tally,
    /// The most candidates for one expanded state, on average over a round.
    widest: usize,
    peak: usize,
}

impl<'a, M> Explorer<'a, M>
where
    M: Model + Sync,
    M::State: Hash + Send + Sync,
    M::Action: Send,
{
    fn new(model: &'a M, options: Options<'a>) -> Self {
        let properties = model.properties();
        Self {
            model,
            options,
            control: Control::new(options),
            open: vec![true; properties.len()],
            deciding: vec![None; properties.len()],
            properties,
            shards: Shard::all(TASKS),
            tasks: (0..TASKS).map(|_| Task::new()).collect(),
            level: Frontier::default(),
            next: Frontier::default(),
            levels: Vec::new(),
            unique: 0,
            tally: Tally::default(),
            widest: 4,
            peak: 0,
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        self.begin()?;
        loop {
            mem::swap(&mut self.level, &mut self.next);
            if self.level.states == 0 {
                return Ok(());
            }
            self.levels.push(self.level.states as u64);
            while self.level.states > 0 {
                self.round()?;
                self.report();
            }
        }
    }

    /// The initial states are what an imaginary task found.
    fn begin(&mut self) -> Result<(), Stop> {
        let model = self.model;
        let initial = model.init_states();
        if initial.len() as u64 > MOST_STATES {
            return Err(Stop::States);
        }
        for (number, state) in (0..).zip(initial) {
            if model.within_boundary(&state) {
                self.tasks[0].offer(state, Origin::Initial(number));
                self.tally.generated += 1;
            }
        }
        self.take_in(self.options.threads)
    }

    /// Expands a part of the level. If it must stop, those states stay unexpanded.
    fn round(&mut self) -> Result<(), Stop> {
        let room = self.control.room(self.unique)?;
        let states = (TASKS * TASK_STATES)
            .min(room as usize)
            .min(self.level.states);
        let outboxes: usize = self.tasks.iter().map(Task::bytes).sum();
        // Twice, as a list that grows doubles.
        let estimate = 2 * states * self.widest * size_of::<Candidate<M::State>>();
        self.control
            .memory(self.bytes() + estimate.saturating_sub(outboxes))?;

        let mut left = states;
        for task in &mut self.tasks {
            self.level.take(left.min(TASK_STATES), &mut task.nodes);
            left -= task.nodes.len();
        }
        // A thread is not worth its start for a few states.
        let threads = match states {
            0..256 => NonZeroUsize::MIN,
            _ => self.options.threads,
        };
        let (model, shards, interrupt) = (self.model, &self.shards, self.options.interrupt);
        parallel(threads, self.tasks.iter_mut(), |task| {
            if is_set(interrupt) {
                task.stop = Some(Stop::Interrupted);
            } else {
                task.expand(model, shards);
            }
        });
        if let Some(stop) = self.tasks.iter().find_map(|task| task.stop) {
            return Err(stop);
        }
        self.take_in(threads)?;
        for task in &self.tasks {
            self.tally.add(task.tally);
        }
        Ok(())
    }

    /// Lets the shards take in what the tasks found, if there is memory enough for all of it.
    fn take_in(&mut self, threads: NonZeroUsize) -> Result<(), Stop> {
        for (number, task) in self.tasks.iter_mut().enumerate() {
            for (list, shard) in task.outbox.iter_mut().zip(&mut self.shards) {
                mem::swap(list, &mut shard.inbox[number]);
            }
        }
        let bytes = self.bytes_of_taking_in(threads);
        self.control.memory(bytes)?;
        let (model, properties, open) = (self.model, &self.properties, &self.open);
        parallel(threads, self.shards.iter_mut(), |shard| {
            shard.take_in(model, properties, open);
        });
        for shard in &mut self.shards {
            let (found, discoveries) = shard.take_out();
            self.unique += found.len() as u64;
            self.next.push(found);
            for (place, id) in discoveries {
                if mem::take(&mut self.open[place]) {
                    self.deciding[place] = Some(id);
                }
            }
        }
        self.peak = self.peak.max(self.bytes());
        Ok(())
    }

    /// The most bytes in use while the shards take in what is in their inboxes.
    fn bytes_of_taking_in(&mut self, threads: NonZeroUsize) -> usize {
        let mut all = self.bytes();
        let mut candidates = 0;
        // A shard that grows has its old and its new table for a moment.
        let mut growing = 0;
        for shard in &self.shards {
            let incoming = shard.incoming();
            candidates += incoming;
            let (now, then) = (shard.bytes(), shard.bytes_with(incoming));
            all += then - now + found_bytes::<M::State>(incoming);
            if then > now {
                growing = growing.max(now);
            }
        }
        let expanded: u64 = self.tasks.iter().map(|task| task.tally.expanded).sum();
        self.widest = self.widest.max(candidates / (expanded.max(1) as usize) + 1);
        all + growing * threads.get().min(self.shards.len())
    }

    /// The bytes in use between two rounds.
    fn bytes(&self) -> usize {
        let shards = self
            .shards
            .iter()
            .map(|shard| shard.bytes() + shard.inbox_bytes());
        let tasks = self.tasks.iter().map(Task::bytes);
        shards.sum::<usize>() + tasks.sum::<usize>() + self.level.bytes + self.next.bytes
    }

    fn report(&mut self) {
        let Some(listener) = self.control.listener() else {
            return;
        };
        listener(&Progress {
            generated: self.tally.generated,
            unique: self.unique,
            depth: self.levels.len() + usize::from(self.next.states > 0),
            frontier: self.unique - self.tally.expanded,
            memory: self.bytes(),
            elapsed: self.control.elapsed(),
        });
    }

    fn outcome(self, stopped: Option<Stop>) -> Outcome<M::State, M::Action> {
        let coverage = match stopped {
            None => Coverage::Complete,
            Some(why) => Coverage::Stopped {
                why,
                depth: self.levels.len(),
                frontier: self.unique - self.tally.expanded,
            },
        };
        let findings = (0..self.properties.len())
            .map(|place| self.finding(place, stopped))
            .collect();
        let mut levels = self.levels;
        if self.next.states > 0 {
            levels.push(self.next.states as u64);
        }
        Outcome {
            generated: self.tally.generated,
            unique: self.unique,
            levels,
            terminal: self.tally.terminal,
            outside: self.tally.outside,
            coverage,
            memory: self.peak,
            elapsed: self.control.elapsed(),
            findings,
        }
    }

    fn finding(&self, place: usize, stopped: Option<Stop>) -> Finding<M::State, M::Action> {
        let property = &self.properties[place];
        let path =
            self.deciding[place].map(|id| replay(self.model, id, |id| origin(&self.shards, id)));
        let (kind, shown, otherwise): (_, fn(_) -> _, _) = match property.expectation {
            Expectation::Always => (Kind::Always, Verdict::Violated, Verdict::Held),
            Expectation::Sometimes => (Kind::Sometimes, Verdict::Reached, Verdict::NotReached),
            Expectation::Eventually => (
                Kind::Eventually,
                Verdict::Violated,
                Verdict::Unknown(Undecided::NeedsGraph),
            ),
        };
        let verdict = match (path, stopped) {
            (Some(Some(path)), _) => shown(path),
            (Some(None), _) => Verdict::Unknown(Undecided::NotDeterministic),
            (None, Some(why)) if kind != Kind::Eventually => {
                Verdict::Unknown(Undecided::Stopped(why))
            }
            (None, _) => otherwise,
        };
        Finding {
            name: property.name,
            kind,
            owing: None,
            verdict,
        }
    }
}

/// States that wait, in the order in which they were found.
struct Frontier<S> {
    lists: VecDeque<Vec<Node<S>>>,
    states: usize,
    bytes: usize,
}

impl<S> Default for Frontier<S> {
    fn default() -> Self {
        Self {
            lists: VecDeque::new(),
            states: 0,
            bytes: 0,
        }
    }
}

impl<S> Frontier<S> {
    fn push(&mut self, list: Vec<Node<S>>) {
        if !list.is_empty() {
            self.states += list.len();
            self.bytes += list.capacity() * size_of::<Node<S>>();
            self.lists.push_back(list);
        }
    }

    /// Moves states to the end of `nodes`, at most so many. They are taken from the end of a list, which is
    /// as good an order as any.
    fn take(&mut self, most: usize, nodes: &mut Vec<Node<S>>) {
        let mut left = most;
        while left > 0 {
            let Some(list) = self.lists.front_mut() else {
                return;
            };
            let count = left.min(list.len());
            nodes.extend(list.drain(list.len() - count..));
            self.states -= count;
            left -= count;
            if list.is_empty() {
                self.bytes -= list.capacity() * size_of::<Node<S>>();
                self.lists.pop_front();
            }
        }
    }
}
