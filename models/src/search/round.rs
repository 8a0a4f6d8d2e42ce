//! A round: some states of the frontier are expanded by all threads together.
//!
//! What a thread does is a task. Which states are in which task does not depend on the number of threads, and
//! neither does the order in which a shard takes in what the tasks found.

use std::{
    hash::Hash,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use stateright::Model;

use super::{
    fingerprint::fingerprint,
    outcome::Stop,
    path::{Origin, Origins},
    shard::{Candidate, Node, SHARDS, Shard, shard_of},
};

/// The most tasks of a round.
pub(super) const TASKS: usize = 32;
/// The most states of a task.
pub(super) const TASK_STATES: usize = 512;

/// States that one thread expands.
#[derive(Debug)]
pub(super) struct Task<S, A> {
    pub(super) nodes: Vec<Node<S>>,
    /// What may be new, one list for each shard.
    pub(super) outbox: Vec<Vec<Candidate<S>>>,
    pub(super) tally: Tally,
    /// Why the task could not be done.
    pub(super) stop: Option<Stop>,
    /// Only kept for its room.
    actions: Vec<A>,
}

/// What is counted while states are expanded.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) expanded: u64,
    pub(super) generated: u64,
    pub(super) terminal: u64,
    pub(super) outside: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.expanded += other.expanded;
        self.generated += other.generated;
        self.terminal += other.terminal;
        self.outside += other.outside;
    }
}

impl<S, A> Task<S, A> {
    pub(super) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            outbox: (0..SHARDS).map(|_| Vec::new()).collect(),
            tally: Tally::default(),
            stop: None,
            actions: Vec::new(),
        }
    }

    /// Puts a state into the outbox.
    pub(super) fn offer(&mut self, state: S, origin: Origin)
    where
        S: Hash,
    {
        let fingerprint = fingerprint(&state);
        self.outbox[shard_of(fingerprint)].push(Candidate {
            fingerprint,
            origin,
            state,
        });
    }

    /// Takes each step from each of its states; what no shard knows is in the outbox then.
    pub(super) fn expand<M>(&mut self, model: &M, shards: &[Shard<S>])
    where
        M: Model<State = S, Action = A>,
        S: Hash,
    {
        self.tally = Tally::default();
        for node in self.nodes.drain(..) {
            model.actions(&node.state, &mut self.actions);
            if self.actions.len() > Origins::MAX_ACTIONS {
                self.actions.clear();
                self.stop = Some(Stop::Unrepresentable);
                break;
            }
            let mut terminal = true;
            for (number, action) in (0_u16..).zip(self.actions.drain(..)) {
                let Some(state) = model.next_state(&node.state, action) else {
                    continue;
                };
                terminal = false;
                if !model.within_boundary(&state) {
                    self.tally.outside += 1;
                    continue;
                }
                self.tally.generated += 1;
                let fingerprint = fingerprint(&state);
                let shard = shard_of(fingerprint);
                if !shards[shard].knows(fingerprint) {
                    self.outbox[shard].push(Candidate {
                        fingerprint,
                        origin: Origin::Action {
                            parent: node.id,
                            action: number,
                        },
                        state,
                    });
                }
            }
            self.tally.expanded += 1;
            self.tally.terminal += u64::from(terminal);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let candidates: usize = self.outbox.iter().map(Vec::capacity).sum();
        candidates * size_of::<Candidate<S>>() + self.nodes.capacity() * size_of::<Node<S>>()
    }
}

/// Does each item of the work, with several threads.
pub(super) fn parallel<T: Send>(
    threads: NonZeroUsize,
    work: impl Iterator<Item = T> + Send,
    run: impl Fn(T) + Sync,
) {
    let queue = Mutex::new(work);
    let worker = || {
        while let Some(item) = next(&queue) {
            run(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.get() {
            // Without a thread there is the one that is here already.
            let _ = thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
}

fn next<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}
