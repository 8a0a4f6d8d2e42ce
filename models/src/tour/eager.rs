//! Runs that can be had from a node over a network.
//!
//! A process in a model may take its time. A real node does not: what it can send it sends at once, long
//! before anything else arrives. And nobody can lose messages on a connection but by ending it, which both
//! ends notice then. So of all the steps that a world has here only those remain that can be brought about
//! from outside.

use std::collections::{HashMap, VecDeque};

use stateright::Model as _;

use super::Steps;
use crate::property::{About, Kind};
use crate::world::{Action, State, World};

/// Can this be brought about from outside, or does it happen by itself?
fn is_playable(action: Action) -> bool {
    match action {
        Action::Begin(_)
        | Action::Control(..)
        | Action::Decide(..)
        | Action::ToNode(..)
        | Action::ToClient(..)
        | Action::Write(_)
        | Action::Break(..) => true,
        action => is_immediate(action),
    }
}

/// Does it happen before anything else does?
fn is_immediate(action: Action) -> bool {
    is_reconnection(action) || matches!(action, Action::Turn(..))
}

fn is_reconnection(action: Action) -> bool {
    matches!(
        action,
        Action::ClientDown(..) | Action::NodeDown(..) | Action::Connect(..)
    )
}

/// What can happen next: what happens by itself, or if nothing does, what can be brought about.
pub(super) fn steps(world: &World, state: &State) -> Steps {
    let mut actions = Vec::new();
    world.actions(state, &mut actions);
    actions.retain(|action| is_playable(*action));
    let taken = |wanted: fn(Action) -> bool| {
        let actions = actions.iter().filter(move |action| wanted(**action));
        let steps = actions.filter_map(|action| {
            let (next, notes) = world.explain(state, *action)?;
            Some((*action, next, notes))
        });
        steps.collect::<Vec<_>>()
    };
    for first in [is_reconnection, is_immediate] {
        let steps = taken(first);
        if !steps.is_empty() {
            return steps;
        }
    }
    taken(|action| !is_immediate(action))
}

/// A shortest run of this kind that shows a property to be violated, or that reaches it if it is a goal.
/// At most `limit` states are looked at.
pub fn showing(world: &World, about: &About, limit: usize) -> Option<Vec<Action>> {
    let number = (world.abouts().iter()).position(|known| known.id == about.id)?;
    let mut seen: HashMap<State, Option<(State, Action)>> = HashMap::new();
    let mut waiting: VecDeque<State> = world.init_states().into();
    seen.extend(waiting.iter().map(|state| (*state, None)));
    while let Some(state) = waiting.pop_front() {
        let steps = steps(world, &state);
        let is_shown = match about.kind {
            Kind::Always | Kind::Sometimes => state.marked & (1 << number) != 0,
            // Nobody is obliged to do anything any more.
            Kind::Eventually => {
                world.owes(&state, number) && !steps.iter().any(|(action, ..)| action.is_fair())
            }
        };
        if is_shown {
            return Some(path(&seen, state));
        }
        if seen.len() >= limit {
            return None;
        }
        for (action, next, _) in steps {
            seen.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                Some((state, action))
            });
        }
    }
    None
}

fn path(seen: &HashMap<State, Option<(State, Action)>>, end: State) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut at = end;
    while let Some(Some((before, action))) = seen.get(&at) {
        actions.push(*action);
        at = *before;
    }
    actions.reverse();
    actions
}
