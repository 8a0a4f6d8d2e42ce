//! What must hold in every state, and what must be possible.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::legacy::{Event, Order};

use super::model::LegacyModel;
use super::oracle::{Deed, Oracle};
use super::state::{Expected, Lane, State};

/// A property of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The section of `legacy.md` that it is from.
    pub id: &'static str,
    /// Its name in the model.
    pub name: &'static str,
    /// What must hold.
    pub sentence: &'static str,
    holds: fn(&LegacyModel, &State) -> bool,
}

/// Something that must be possible in a frame: without it the frame would prove nothing.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// The frame.
    pub frame: &'static str,
    /// Its name in the model.
    pub name: &'static str,
    reached: fn(&LegacyModel, &State) -> bool,
}

impl Property {
    pub(super) fn checked(&self) -> stateright::Property<LegacyModel> {
        stateright::Property::always(self.name, self.holds)
    }
}

impl Goal {
    pub(super) fn checked(&self) -> stateright::Property<LegacyModel> {
        stateright::Property::sometimes(self.name, self.reached)
    }
}

/// All of them.
pub const PROPERTIES: &[Property] = &[
    Property {
        id: "legacy 6",
        name: "the node stores what it was ordered to",
        sentence: "The node has the records that the orders which it has read make, each at once and in turn; of a \
                   batch those in front of the first that it refuses.",
        holds: |_, state| state.store.records() == state.oracle.records.as_ref(),
    },
    Property {
        id: "legacy 1",
        name: "every order has its answer",
        sentence: "An order is answered once, in its turn, and with what the records are at that moment.",
        holds: |_, state| {
            each_answer(state, |_, expected, heard| match expected {
                Expected::Events(events) => events.starts_with(heard),
                Expected::Records(_) | Expected::Writes(_) => true,
            })
        },
    },
    Property {
        id: "legacy 3",
        name: "the client understands the node",
        sentence: "The client finds nothing wrong with what the node says.",
        holds: |_, state| state.lanes.iter().all(|lane| lane.failed.is_none()),
    },
    Property {
        id: "legacy 7.14",
        name: "a Listen tells the truth",
        sentence: "Of a record a Listen tells only a value that a client has written since, and the end only when the \
                   channel was removed.",
        holds: |_, state| {
            each_answer(state, |_, expected, heard| match expected {
                Expected::Writes(from) => tells_the_truth(&state.oracle, *from, heard),
                _ => true,
            })
        },
    },
    Property {
        id: "legacy 7.14",
        name: "a Listen tells everything in the end",
        sentence: "When nothing can happen any more, a Listen has told the last value of each record that was written \
                   since, or the end if the channel was removed.",
        holds: |model, state| {
            let told = each_answer(state, |lane, expected, heard| match expected {
                Expected::Writes(from) => {
                    lane.broken || !is_last(lane, heard) || has_told(&state.oracle, *from, heard)
                }
                _ => true,
            });
            told || !model.is_over(state)
        },
    },
    Property {
        id: "legacy 7.11",
        name: "a GetAll is whole",
        sentence: "A GetAll tells no record twice and none that was not written; at its end it has told each that was \
                   there all the time.",
        holds: |_, state| {
            each_answer(state, |_, expected, heard| match expected {
                Expected::Records(from) => is_whole(&state.oracle, *from, heard),
                _ => true,
            })
        },
    },
    Property {
        id: "legacy 8.4",
        name: "nothing is stuck",
        sentence: "When nothing can happen any more, each client has sent all its orders and has heard all answers, \
                   but for a Listen that goes on, or one that it has not waited for.",
        holds: |model, state| {
            let done = state.lanes.iter().enumerate().all(|(number, lane)| {
                lane.broken || lane.failed.is_some() || is_done(model, number, lane)
            });
            done || !model.is_over(state)
        },
    },
];

/// All of them.
pub const GOALS: &[Goal] = &[
    Goal {
        frame: "legacy-orders",
        name: "every order is answered",
        reached: |model, state| {
            let mut lanes = state.lanes.iter().enumerate();
            lanes.all(|(number, lane)| is_done(model, number, lane))
        },
    },
    Goal {
        frame: "legacy-listen",
        name: "a write is told",
        reached: |_, state| is_told(state, |events| events.len() > 1),
    },
    Goal {
        frame: "legacy-listen",
        name: "two writes are told as one",
        reached: |model, state| {
            let puts = state.oracle.log.iter();
            let puts = puts.filter(|deed| matches!(deed, Deed::Put(..))).count();
            model.is_over(state) && is_told(state, |events| events.len() == puts)
        },
    },
    Goal {
        frame: "legacy-listen-two",
        name: "the end is told",
        reached: |_, state| is_told(state, |events| events.contains(&Event::Ended)),
    },
    Goal {
        frame: "legacy-listen-next",
        name: "another order ends a Listen",
        reached: |_, state| {
            let lane = &state.lanes[0];
            let ended = lane
                .heard
                .first()
                .is_some_and(|heard| heard.contains(&Event::Ended));
            !ended && lane.heard.get(1).is_some_and(|heard| !heard.is_empty())
        },
    },
    Goal {
        frame: "legacy-put-batch",
        name: "half of a batch is stored",
        reached: |_, state| {
            let records = state.store.records();
            let has = |key| records.is_some_and(|records| records.contains_key(&Key(key)));
            has(2) && !has(4)
        },
    },
    Goal {
        frame: "legacy-get-all",
        name: "a record is removed while all are read",
        reached: |_, state| {
            let removed = state.oracle.log.iter();
            let removed = removed
                .filter(|deed| matches!(deed, Deed::Remove(_)))
                .count();
            removed > 0
                && is_told(state, |events| {
                    events.len() > 1 && !events.contains(&Event::Ended)
                })
        },
    },
    Goal {
        frame: "legacy-break",
        name: "an order is carried out unheard",
        reached: |model, state| {
            let lane = &state.lanes[0];
            lane.broken
                && lane.heard[0].is_empty()
                && state.oracle.log.len() > model.frame().records.len()
        },
    },
];

fn each_answer(state: &State, holds: impl Fn(&Lane, &Expected, &[Event]) -> bool) -> bool {
    state.lanes.iter().all(|lane| {
        let mut heard = lane.heard.iter().enumerate();
        heard.all(|(number, heard)| match lane.expected.get(number) {
            Some(expected) => holds(lane, expected, heard),
            // Nothing is said to what was not read.
            None => heard.is_empty(),
        })
    })
}

fn is_told(state: &State, told: impl Fn(&[Event]) -> bool) -> bool {
    let heard = state.lanes.iter().flat_map(|lane| &lane.heard);
    let mut heard = heard.filter(|heard| heard.first() == Some(&Event::Started));
    heard.any(|heard| told(heard))
}

/// Is it about the order that the client has sent last?
fn is_last(lane: &Lane, heard: &[Event]) -> bool {
    lane.heard
        .last()
        .is_some_and(|last| std::ptr::eq(last.as_slice(), heard))
}

fn tells_the_truth(oracle: &Oracle, from: usize, heard: &[Event]) -> bool {
    let since = || oracle.log[from.min(oracle.log.len())..].iter();
    heard.iter().all(|event| match event {
        Event::Started => true,
        Event::Written(key, value) => key
            .parse()
            .is_some_and(|key| since().any(|deed| *deed == Deed::Put(key, value.clone()))),
        Event::Ended => since().any(|deed| *deed == Deed::RemoveChannel),
        _ => false,
    })
}

fn has_told(oracle: &Oracle, from: usize, heard: &[Event]) -> bool {
    let mut owed: BTreeMap<Key, &Bytes> = BTreeMap::new();
    for deed in &oracle.log[from.min(oracle.log.len())..] {
        match deed {
            Deed::Put(key, value) => _ = owed.insert(*key, value),
            Deed::Remove(key) => _ = owed.remove(key),
            Deed::RemoveChannel => return heard.last() == Some(&Event::Ended),
        }
    }
    let last = |key: Key| {
        let told = heard.iter().rev().filter_map(|event| match event {
            Event::Written(told, value) if told.parse() == Some(key) => Some(value),
            _ => None,
        });
        told.take(1).next()
    };
    owed.iter().all(|(key, value)| last(*key) == Some(*value))
}

fn is_whole(oracle: &Oracle, from: usize, heard: &[Event]) -> bool {
    let mut told = BTreeSet::new();
    let written = |key: Key, value: &Bytes| {
        let mut log = oracle.log.iter();
        log.any(|deed| *deed == Deed::Put(key, value.clone()))
    };
    for event in heard {
        if let Event::Records(records) = event {
            for (key, value) in records {
                if !told.insert(*key) || !written(*key, value) {
                    return false;
                }
            }
        }
    }
    let since = &oracle.log[from.min(oracle.log.len())..];
    let stayed =
        |key: &Key| !since.contains(&Deed::Remove(*key)) && !since.contains(&Deed::RemoveChannel);
    let mut stayed = oracle.at(from).into_keys().filter(stayed);
    heard.last() != Some(&Event::Ended) || stayed.all(|key| told.contains(&key))
}

fn is_done(model: &LegacyModel, number: usize, lane: &Lane) -> bool {
    let orders = &model.frame().clients[number].orders;
    let listens = matches!(
        orders.get(lane.sent().wrapping_sub(1)),
        Some(Order::Listen { .. })
    );
    let goes_on = listens && lane.heard.last().is_some_and(|heard| !heard.is_empty());
    goes_on || (lane.sent() == orders.len() && !lane.waiting)
}
