//! Runs of a model, and how one is found again from where its states came from.

use stateright::Model;

/// A run of a model from an initial state on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<S, A> {
    /// The initial state.
    pub init: S,
    /// Each action, and the state that it leads to.
    pub steps: Vec<(A, S)>,
    /// For a run that has no end: the number of steps before those that are repeated for ever.
    pub repeats_from: Option<usize>,
}

impl<S, A> Path<S, A> {
    /// The actions in their order.
    pub fn actions(&self) -> impl Iterator<Item = &A> {
        self.steps.iter().map(|(action, _)| action)
    }

    /// The states in their order, the initial one first.
    pub fn states(&self) -> impl Iterator<Item = &S> {
        std::iter::once(&self.init).chain(self.steps.iter().map(|(_, state)| state))
    }

    /// The state after `steps` steps.
    pub fn state_after(&self, steps: usize) -> Option<&S> {
        match steps.checked_sub(1) {
            None => Some(&self.init),
            Some(last) => self.steps.get(last).map(|(_, state)| state),
        }
    }

    /// The last state.
    pub fn last(&self) -> &S {
        self.steps.last().map_or(&self.init, |(_, state)| state)
    }
}

/// Where a state was first found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is this one of the initial states.
    Initial(u32),
    /// By this one of the actions of that state.
    Action { parent: u32, action: u16 },
}

/// The origins of states that are numbered from zero on: six bytes each.
#[derive(Debug, Default)]
pub(super) struct Origins {
    parents: Vec<u32>,
    actions: Vec<u16>,
}

impl Origins {
    /// The number of bytes of an origin.
    const ENTRY: usize = size_of::<u32>() + size_of::<u16>();
    /// Instead of an action: the parent is the number of an initial state.
    const INITIAL: u16 = u16::MAX;
    /// How many actions of a state can be told apart.
    pub(super) const MAX_ACTIONS: usize = Self::INITIAL as usize;

    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.parents.capacity() * size_of::<u32>() + self.actions.capacity() * size_of::<u16>()
    }

    pub(super) fn bytes_with(&self, extra: usize) -> usize {
        room(&self.parents, extra) * Self::ENTRY
    }

    pub(super) fn reserve(&mut self, extra: usize) {
        make_room(&mut self.parents, extra);
        make_room(&mut self.actions, extra);
    }

    pub(super) fn push(&mut self, origin: Origin) {
        let (parent, action) = match origin {
            Origin::Initial(number) => (number, Self::INITIAL),
            Origin::Action { parent, action } => (parent, action),
        };
        self.parents.push(parent);
        self.actions.push(action);
    }

    pub(super) fn get(&self, number: usize) -> Option<Origin> {
        let (&parent, &action) = (self.parents.get(number)?, self.actions.get(number)?);
        Some(match action {
            Self::INITIAL => Origin::Initial(parent),
            action => Origin::Action { parent, action },
        })
    }
}

/// The capacity that a vector will have after [`make_room`].
pub(super) fn room<T>(vector: &Vec<T>, extra: usize) -> usize {
    let needed = vector.len() + extra;
    if needed <= vector.capacity() {
        vector.capacity()
    } else {
        needed.max(vector.capacity() + vector.capacity() / 4)
    }
}

/// Makes room for `extra` more elements, growing by a quarter: a vector left alone doubles.
pub(super) fn make_room<T>(vector: &mut Vec<T>, extra: usize) {
    let room = room(vector, extra);
    vector.reserve_exact(room - vector.len());
}

/// The run that leads to a state, by the origins on its way. None if the model is not deterministic: the same
/// state then offers other actions than it did before.
pub(super) fn replay<M: Model>(
    model: &M,
    mut id: u32,
    origin: impl Fn(u32) -> Option<Origin>,
) -> Option<Path<M::State, M::Action>> {
    let mut actions = Vec::new();
    let number = loop {
        match origin(id)? {
            Origin::Initial(number) => break number,
            Origin::Action { parent, action } => {
                actions.push(action);
                id = parent;
            }
        }
    };
    let mut path = Path {
        init: model.init_states().into_iter().nth(number as usize)?,
        steps: Vec::with_capacity(actions.len()),
        repeats_from: None,
    };
    for number in actions.into_iter().rev() {
        let state = path.last();
        // An action is used up by the step, and need not be `Clone`.
        let next = model.next_state(state, nth_action(model, state, number)?)?;
        let action = nth_action(model, state, number)?;
        path.steps.push((action, next));
    }
    Some(path)
}

fn nth_action<M: Model>(model: &M, state: &M::State, number: u16) -> Option<M::Action> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.into_iter().nth(usize::from(number))
}
