//! A part of the states that are known: those whose fingerprints begin alike.
//!
//! Only one thread at a time enters states into a shard, and in an order that does not depend on the threads.
//! That is why no slot needs to be atomic, and why each state has the same number and origin in every run.

use std::mem;

use stateright::{Expectation, Model, Property};

use super::{
    path::{Origin, Origins, make_room, room},
    table::Table,
};

/// The number of shards, and so the most threads that are of use. It is fixed: the order of states depends on it.
pub(super) const SHARDS: usize = 1 << BITS;
const BITS: u32 = 5;

/// The shard to which a fingerprint belongs.
pub(super) fn shard_of(fingerprint: u64) -> usize {
    (fingerprint >> (u64::BITS - BITS)) as usize
}

/// A state that waits to be expanded, with its number.
#[derive(Debug)]
pub(super) struct Node<S> {
    pub(super) state: S,
    pub(super) id: u32,
}

/// A state that was reached by a step and was not known before this round.
#[derive(Debug)]
pub(super) struct Candidate<S> {
    pub(super) fingerprint: u64,
    pub(super) origin: Origin,
    pub(super) state: S,
}

/// The known states of one shard.
#[derive(Debug)]
pub(super) struct Shard<S> {
    number: u32,
    table: Table<()>,
    origins: Origins,
    /// What arrives in a round, one list for each task.
    pub(super) inbox: Vec<Vec<Candidate<S>>>,
    /// What was new of it.
    found: Vec<Node<S>>,
    /// The first state of the round that decides a property, with the property's place.
    discoveries: Vec<(usize, u32)>,
}

impl<S> Shard<S> {
    pub(super) fn all(tasks: usize) -> Vec<Self> {
        let shard = |number| Self {
            number,
            table: Table::default(),
            origins: Origins::default(),
            inbox: (0..tasks).map(|_| Vec::new()).collect(),
            found: Vec::new(),
            discoveries: Vec::new(),
        };
        (0..SHARDS as u32).map(shard).collect()
    }

    pub(super) fn knows(&self, fingerprint: u64) -> bool {
        self.table.get(key(fingerprint)).is_some()
    }

    /// Bytes of what is kept, without the inbox.
    pub(super) fn bytes(&self) -> usize {
        self.table.bytes() + self.origins.bytes()
    }

    /// The most bytes that [`Self::bytes`] will be after taking in so many candidates.
    pub(super) fn bytes_with(&self, candidates: usize) -> usize {
        self.table.bytes_with(candidates) + self.origins.bytes_with(candidates)
    }

    /// The number of candidates in the inbox.
    pub(super) fn incoming(&self) -> usize {
        self.inbox.iter().map(Vec::len).sum()
    }

    pub(super) fn inbox_bytes(&self) -> usize {
        let capacity: usize = self.inbox.iter().map(Vec::capacity).sum();
        capacity * size_of::<Candidate<S>>()
    }

    /// Empties the inbox and judges what is new by those of the properties that are still open.
    pub(super) fn take_in<M: Model<State = S>>(
        &mut self,
        model: &M,
        properties: &[Property<M>],
        open: &[bool],
    ) {
        let incoming = self.incoming();
        self.table.reserve(incoming);
        self.origins.reserve(incoming);
        make_room(&mut self.found, incoming);
        let mut inbox = mem::take(&mut self.inbox);
        for candidate in inbox.iter_mut().flat_map(|list| list.drain(..)) {
            if self.table.insert(key(candidate.fingerprint), ()).is_some() {
                continue;
            }
            let id = (self.origins.len() << BITS) as u32 | self.number;
            self.origins.push(candidate.origin);
            for (place, property) in properties.iter().enumerate() {
                if open[place] && decides(model, property, &candidate.state) {
                    // Those of earlier rounds are closed, and the first one of this round counts.
                    if self.discoveries.iter().all(|&(known, _)| known != place) {
                        self.discoveries.push((place, id));
                    }
                }
            }
            self.found.push(Node {
                state: candidate.state,
                id,
            });
        }
        self.inbox = inbox;
        self.found.shrink_to_fit();
    }

    /// What the last round found: states, and places of properties with the states that decide them.
    pub(super) fn take_out(&mut self) -> (Vec<Node<S>>, Vec<(usize, u32)>) {
        (mem::take(&mut self.found), mem::take(&mut self.discoveries))
    }
}

/// The origin of a state of any shard.
pub(super) fn origin<S>(shards: &[Shard<S>], id: u32) -> Option<Origin> {
    let (shard, place) = (id as usize % SHARDS, (id >> BITS) as usize);
    shards.get(shard)?.origins.get(place)
}

/// The bytes that a list has after so many candidates were found to be new.
pub(super) fn found_bytes<S>(candidates: usize) -> usize {
    room(&Vec::<Node<S>>::new(), candidates) * size_of::<Node<S>>()
}

/// Within a shard the first bits say nothing; the last one keeps it from being zero.
fn key(fingerprint: u64) -> u64 {
    fingerprint << BITS | 1
}

/// Whether a state alone decides a property: violates an invariant, or is what should be reachable.
pub(super) fn decides<M: Model>(model: &M, property: &Property<M>, state: &M::State) -> bool {
    match property.expectation {
        Expectation::Always => !(property.condition)(model, state),
        Expectation::Sometimes => (property.condition)(model, state),
        Expectation::Eventually => false,
    }
}
