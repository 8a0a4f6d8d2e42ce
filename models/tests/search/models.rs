//! Two models whose states are known: two-phase commit and mutual exclusion.

use stateright::{Model, Property};

/// Two-phase commit as in Lamport's specification. Resource managers each have two bits.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) managers: u8,
    /// Whether a manager may commit without being told to.
    pub(crate) hasty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Manager {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Decision {
    None,
    Commit,
    Abort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Commitment {
    managers: [Manager; 8],
    /// Which managers said that they are prepared, and whom of them the transaction manager has heard.
    said: u8,
    heard: u8,
    decision: Decision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Decide(Decision),
    Hear(u8),
    Prepare(u8),
    ChooseAbort(u8),
    Obey(u8),
    CommitUntold(u8),
}

impl Model for Commit {
    type State = Commitment;
    type Action = Act;

    fn init_states(&self) -> Vec<Commitment> {
        vec![Commitment {
            managers: [Manager::Working; 8],
            said: 0,
            heard: 0,
            decision: Decision::None,
        }]
    }

    fn actions(&self, state: &Commitment, actions: &mut Vec<Act>) {
        let undecided = state.decision == Decision::None;
        if undecided {
            actions.push(Act::Decide(Decision::Abort));
            actions.push(Act::Decide(Decision::Commit));
        }
        for manager in 0..self.managers {
            let bit = 1 << manager;
            if undecided && state.said & bit != 0 {
                actions.push(Act::Hear(manager));
            }
            if state.managers[usize::from(manager)] == Manager::Working {
                actions.extend([Act::Prepare(manager), Act::ChooseAbort(manager)]);
            }
            if self.hasty && state.managers[usize::from(manager)] == Manager::Prepared {
                actions.push(Act::CommitUntold(manager));
            }
            if !undecided {
                actions.push(Act::Obey(manager));
            }
        }
    }

    fn next_state(&self, state: &Commitment, action: Act) -> Option<Commitment> {
        let mut next = *state;
        match action {
            Act::Decide(Decision::Commit)
                if u32::from(self.managers) != state.heard.count_ones() =>
            {
                return None;
            }
            Act::Decide(decision) => next.decision = decision,
            Act::Hear(manager) => next.heard |= 1 << manager,
            Act::Prepare(manager) => {
                next.managers[usize::from(manager)] = Manager::Prepared;
                next.said |= 1 << manager;
            }
            Act::ChooseAbort(manager) => next.managers[usize::from(manager)] = Manager::Aborted,
            Act::CommitUntold(manager) => next.managers[usize::from(manager)] = Manager::Committed,
            Act::Obey(manager) => {
                next.managers[usize::from(manager)] = match state.decision {
                    Decision::Commit => Manager::Committed,
                    _ => Manager::Aborted,
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("consistent", |model: &Self, state: &Commitment| {
                let managers = &state.managers[..usize::from(model.managers)];
                !(managers.contains(&Manager::Aborted) && managers.contains(&Manager::Committed))
            }),
            Property::sometimes("all commit", |model: &Self, state: &Commitment| {
                let managers = &state.managers[..usize::from(model.managers)];
                managers
                    .iter()
                    .all(|&manager| manager == Manager::Committed)
            }),
            Property::sometimes("heard but unsaid", |_, state: &Commitment| {
                state.heard & !state.said != 0
            }),
            Property::always("exists", |_, _| true),
        ]
    }
}

/// Peterson's mutual exclusion of two threads, or what is left of it without the turn.
#[derive(Debug, Clone)]
pub(crate) struct Mutex {
    pub(crate) turns: bool,
}

/// Where each thread is (idle, flagged, waiting, critical), and whose turn it is.
pub(crate) type Threads = ([u8; 2], u8);

impl Model for Mutex {
    type State = Threads;
    type Action = u8;

    fn init_states(&self) -> Vec<Threads> {
        vec![([0, 0], 0), ([0, 0], 1)]
    }

    fn actions(&self, _: &Threads, actions: &mut Vec<u8>) {
        actions.extend([0, 1]);
    }

    fn next_state(&self, &(at, turn): &Threads, thread: u8) -> Option<Threads> {
        let (me, other) = (usize::from(thread), usize::from(1 - thread));
        let (mut next, mut turn_then) = (at, turn);
        match at[me] {
            1 => {
                next[me] = 2;
                turn_then = 1 - thread;
            }
            2 if at[other] != 0 && turn != thread && self.turns => return None,
            _ => next[me] = (at[me] + 1) % 4,
        }
        Some((next, turn_then))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("alone", |_, &(at, _): &Threads| at != [3, 3]),
            Property::sometimes("second enters", |_, &(at, _): &Threads| at[1] == 3),
            Property::always("exists", |_, _| true),
        ]
    }
}
