//! What can happen next in a state.

use dht_protocol::Key;
use dht_protocol::neo::client::Backlog;

use super::note::Request;
use super::state::{Asked, Link, State};
use super::{Action, World};
use crate::intern::Id;

/// What has to be known of a client's side of a request to say which actions are possible.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    waiting: bool,
    pub(super) active: bool,
    deciding: bool,
    calls: u8,
}

impl World {
    /// What may happen next. Some of it may turn out to change nothing.
    pub(super) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        let (frame, spent) = (&self.frame, &state.used.spent);
        for request in 0..frame.requests.len() {
            self.of_user(state, request, actions);
            self.of_messages(state, request, actions);
        }
        for (writer, writes) in frame.writers.iter().enumerate() {
            if usize::from(state.used.written[writer]) < writes.len() {
                actions.push(Action::Write(writer as u8));
            }
        }
        self.of_links(state, actions);
        if spent.restarts < frame.budget.restarts {
            actions.extend((0..frame.nodes.len()).map(Action::Restart));
        }
        self.of_redistribution(state, actions);
    }

    /// What a user may do.
    fn of_user(&self, state: &State, request: Request, actions: &mut Vec<Action>) {
        let (frame, spent) = (&self.frame, &state.used.spent);
        let setup = &frame.requests[request];
        let facts = self.facts(state.asked[request]);
        let free = setup
            .after
            .is_none_or(|other| state.asked[other] == self.nothing.over);
        if facts.waiting && free {
            actions.push(Action::Begin(request));
        }
        if facts.active {
            if facts.calls < setup.calls {
                let controls = setup.controls.iter();
                actions.extend(controls.map(|control| Action::Control(request, *control)));
            }
            if spent.paces < frame.budget.paces {
                let backlog = match spent.paces % 2 {
                    0 => Backlog::High,
                    _ => Backlog::Low,
                };
                actions.push(Action::Pace(request, backlog));
            }
            if facts.deciding {
                let decisions = 0..setup.decisions.len() as u8;
                actions.extend(decisions.map(|which| Action::Decide(request, which)));
            }
            if spent.abandons < frame.budget.abandons && setup.asks.is_some() {
                actions.push(Action::Abandon(request));
            }
        }
    }

    /// What may arrive, and what a node may do with a request.
    fn of_messages(&self, state: &State, request: Request, actions: &mut Vec<Action>) {
        let (frame, spent) = (&self.frame, &state.used.spent);
        let setup = &frame.requests[request];
        let strays = setup.asks.is_none() && spent.strays < frame.budget.strays;
        for node in 0..frame.nodes.len() {
            if strays && state.links[setup.client][node] == Link::Up {
                actions.push(Action::Stray(request, node));
            }
            if state.to_node[request][node] != self.nothing.queue {
                actions.push(Action::ToNode(request, node));
            }
            if state.to_client[request][node] != self.nothing.queue {
                actions.push(Action::ToClient(request, node));
            }
            if state.served[request][node] != self.nothing.served {
                if self.queues.get(state.to_client[request][node]).0.len() < frame.room {
                    actions.push(Action::Turn(request, node));
                }
                if spent.ticks < frame.budget.ticks {
                    actions.push(Action::Tick(request, node));
                }
            }
        }
    }

    /// What may become of the connections.
    fn of_links(&self, state: &State, actions: &mut Vec<Action>) {
        let (frame, spent) = (&self.frame, &state.used.spent);
        for client in 0..frame.clients.len() {
            for node in 0..frame.nodes.len() {
                match state.links[client][node] {
                    Link::Unknown => {}
                    Link::Down => actions.push(Action::Connect(client, node)),
                    Link::Up if spent.breaks < frame.budget.breaks => {
                        actions.push(Action::Break(client, node));
                    }
                    Link::Up => {}
                    Link::Broken { client: c, node: n } => {
                        if !c {
                            actions.push(Action::ClientDown(client, node));
                        }
                        if !n {
                            actions.push(Action::NodeDown(client, node));
                        }
                    }
                }
            }
        }
    }

    /// How far the redistribution may get.
    fn of_redistribution(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some(handover) = &self.frame.handover {
            let moving = self.movings.get(state.moving);
            let parts = moving.parts(handover, state.used.spent.drops);
            actions.extend(parts.into_iter().map(Action::Redistribution));
        }
        let Some(transfer) = self.frame.transfer else {
            return;
        };
        if !state.used.announced {
            actions.push(Action::Announce);
            return;
        }
        let store = self.stores.get(state.stores[transfer.from]);
        let left = |key: &Key| !transfer.keeps.covers(*key);
        let keys = store.channels().flat_map(|(_, records)| records.keys());
        actions.extend(keys.copied().filter(left).map(Action::Move));
    }

    pub(super) fn facts(&self, asked: Id<Asked>) -> Facts {
        match self.asked.get(asked) {
            Asked::Waiting => Facts {
                waiting: true,
                ..Facts::default()
            },
            Asked::Active {
                calls, deciding, ..
            } => Facts {
                active: true,
                deciding: *deciding,
                calls: *calls,
                ..Facts::default()
            },
            Asked::Over => Facts::default(),
        }
    }
}
