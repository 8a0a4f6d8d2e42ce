//! Which steps happen if nothing prevents them, and what is owed.

use super::{Action, NODES, REQUESTS, State, World};
use crate::search::Fair;

impl Fair for World {
    fn goals(&self) -> &[&'static str] {
        &self.goals.names
    }

    fn owes(&self, state: &State, goal: usize) -> bool {
        let numbers = &self.goals.numbers;
        numbers
            .get(goal)
            .is_some_and(|number| self.owes(state, *number))
    }

    /// Every delivery, every request at a node and every end of a connection is a process of its own.
    fn fair_process(&self, action: &Action) -> Option<u8> {
        const EACH: usize = NODES * REQUESTS;
        let process = match *action {
            _ if !action.is_fair() => return None,
            Action::Connect(..) if self.frame.may_stay_away => return None,
            Action::ToNode(request, node) => request * NODES + node,
            Action::ToClient(request, node) => EACH + request * NODES + node,
            Action::Turn(request, node) => 2 * EACH + request * NODES + node,
            Action::ClientDown(client, node) => 3 * EACH + client * NODES + node,
            Action::NodeDown(client, node) => 4 * EACH + client * NODES + node,
            Action::Connect(client, node) => 5 * EACH + client * NODES + node,
            Action::Decide(request, _) => 6 * EACH + request,
            _ => 7 * EACH,
        };
        u8::try_from(process).ok()
    }
}
