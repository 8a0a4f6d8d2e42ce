//! Tours: runs that together cover every transition of a request's machine, and every pair of transitions
//! that can follow one another.
//!
//! A transition is a message in a state, as the wire monitor sees it at the client's end
//! ([`dht_protocol::neo::monitor`]). A tour is computed by exploring a world and listening to its messages
//! with that monitor; so what a tour is said to cover and what a run over a network is found to have covered
//! are the same thing.

mod eager;

pub use eager::showing;

use std::collections::{HashSet, VecDeque};

use dht_protocol::neo::monitor::{Breach, Coverage, Monitor, Transition};
use stateright::Model as _;

use crate::world::{Action, Note, State, World};

/// Runs, and what they cover.
#[derive(Clone, Debug, Default)]
pub struct Tour {
    /// The runs, each from the beginning to an end.
    pub runs: Vec<Vec<Action>>,
    /// The transitions that the world has, and the pairs that can follow one another in one request.
    pub covers: Coverage,
    /// What the monitor found wrong: nothing, if nothing is.
    pub breaches: Vec<Breach>,
    /// Was all of the world looked at?
    pub complete: bool,
}

/// A state on the way, and how it was reached.
struct Stop {
    state: State,
    /// Where it came from, and by which action.
    from: Option<(usize, Action)>,
    monitor: Monitor,
}

/// The tour of a world, of which at most `limit` states are looked at. Actions that `follows` does not want
/// are not taken, and nobody goes where everything is `covered` by other tours; what this one covers is
/// added there.
pub fn tour(
    world: &World,
    limit: usize,
    follows: impl Fn(&Action) -> bool,
    covered: &mut Coverage,
) -> Tour {
    let steps = |state: &State| {
        let mut actions = Vec::new();
        world.actions(state, &mut actions);
        let actions = actions.into_iter().filter(&follows);
        let steps = actions.filter_map(|action| {
            let (next, notes) = world.explain(state, action)?;
            Some((action, next, notes))
        });
        steps.collect()
    };
    toured(world, limit, steps, covered)
}

/// The same of runs that can be had from a node over a network. [`showing`] looks for such runs as well.
pub fn playable(world: &World, limit: usize, covered: &mut Coverage) -> Tour {
    toured(world, limit, |state| eager::steps(world, state), covered)
}

/// What can happen next, and what it comes to.
type Steps = Vec<(Action, State, Vec<Note>)>;

fn toured(
    world: &World,
    limit: usize,
    steps: impl Fn(&State) -> Steps,
    covered: &mut Coverage,
) -> Tour {
    let mut walk = Walk {
        world,
        steps,
        stops: Vec::new(),
        seen: HashSet::new(),
        found: Vec::new(),
        tour: Tour {
            complete: true,
            ..Tour::default()
        },
    };
    walk.explore(limit);
    walk.choose(covered);
    walk.tour
}

struct Walk<'a, F> {
    world: &'a World,
    steps: F,
    stops: Vec<Stop>,
    /// The same state is looked at again if a request got there by another transition.
    seen: HashSet<(State, Vec<Transition>)>,
    /// Where each pair was first seen, in the order in which they were.
    found: Vec<usize>,
    tour: Tour,
}

impl<F: Fn(&State) -> Steps> Walk<'_, F> {
    fn explore(&mut self, limit: usize) {
        for state in self.world.init_states() {
            self.stops.push(Stop {
                state,
                from: None,
                monitor: Monitor::covering(),
            });
        }
        let mut waiting: VecDeque<usize> = (0..self.stops.len()).collect();
        while let Some(at) = waiting.pop_front() {
            if self.stops.len() >= limit {
                self.tour.complete = false;
                return;
            }
            for (action, state, notes) in (self.steps)(&self.stops[at].state) {
                let mut monitor = self.stops[at].monitor.clone();
                self.tour.breaches.extend(listen(&mut monitor, &notes));
                let Some(coverage) = monitor.coverage() else {
                    continue;
                };
                let known = size(&self.tour.covers);
                self.tour.covers.merge(coverage);
                let news = size(&self.tour.covers) > known;
                // What has been covered is no part of where a run is.
                let here = (state, coverage.latest().collect());
                if !self.seen.insert(here) && !news {
                    continue;
                }
                let number = self.stops.len();
                if news {
                    self.found.push(number);
                }
                self.stops.push(Stop {
                    state,
                    from: Some((at, action)),
                    monitor,
                });
                waiting.push_back(number);
            }
        }
    }

    /// Chooses runs until everything is covered: first those that lead furthest, which cover much on their
    /// way.
    fn choose(&mut self, covered: &mut Coverage) {
        for stop in std::mem::take(&mut self.found).into_iter().rev() {
            let before = size(covered);
            if let Some(coverage) = self.stops[stop].monitor.coverage() {
                covered.merge(coverage);
            }
            if size(covered) > before {
                let (run, monitor) = self.finished(stop);
                if let Some(coverage) = monitor.coverage() {
                    covered.merge(coverage);
                }
                self.tour.runs.push(run);
            }
        }
    }

    /// The run to a stop, and from there on to an end, by steps that nobody has to be asked for.
    fn finished(&self, stop: usize) -> (Vec<Action>, Monitor) {
        let mut run = Vec::new();
        let mut at = stop;
        while let Some((from, action)) = self.stops[at].from {
            run.push(action);
            at = from;
        }
        run.reverse();
        let Stop { state, monitor, .. } = &self.stops[stop];
        let (mut state, mut monitor) = (*state, monitor.clone());
        // Every step of a world uses something up; a bound all the same.
        for _ in 0..1000 {
            let mut steps = (self.steps)(&state).into_iter();
            let Some((action, next, notes)) = steps.find(|(action, ..)| action.is_fair()) else {
                break;
            };
            listen(&mut monitor, &notes);
            run.push(action);
            state = next;
        }
        (run, monitor)
    }
}

fn size(coverage: &Coverage) -> usize {
    coverage.transitions.len() + coverage.pairs.len()
}

/// Lets a monitor hear what passes at the client's end of the first connection.
fn listen(monitor: &mut Monitor, notes: &[Note]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for note in notes {
        let judged = match note {
            Note::ClientSent(request, 0, payload) => monitor.sent(*request as u64 + 1, payload),
            Note::ClientTook(request, 0, payload) => monitor.received(*request as u64 + 1, payload),
            Note::ClientDown(_, 0) => {
                monitor.closed();
                Ok(())
            }
            _ => Ok(()),
        };
        breaches.extend(judged.err());
    }
    breaches
}
