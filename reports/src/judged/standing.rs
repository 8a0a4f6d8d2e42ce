//! What became of each requirement.

use std::collections::HashMap;

use crate::requirement::Requirement;

use super::{Judged, Judgement};

/// What became of a requirement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing<'a> {
    /// Its id.
    pub id: &'a str,
    /// The requirement; none if only the id is known.
    pub requirement: Option<&'a Requirement>,
    /// What became of it.
    pub state: State<'a>,
}

/// What became of a requirement. Where checks disagree, what comes first here is what counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State<'a> {
    /// A check found it broken.
    Broken,
    /// A check found it broken, and it is only recommended or left to the node.
    Advised,
    /// A check found it broken, and the profile says so.
    Deviation,
    /// A check found it kept.
    Kept,
    /// A check looked and could not tell, and why.
    Inconclusive(&'a str),
    /// It does not concern this node, and why.
    NotApplicable(&'a str),
    /// No check looked, or those that did failed for another requirement.
    NotExercised,
}

impl State<'_> {
    fn rank(&self) -> u8 {
        match self {
            State::Broken => 0,
            State::Advised => 1,
            State::Deviation => 2,
            State::Kept => 3,
            State::Inconclusive(_) => 4,
            State::NotApplicable(_) => 5,
            State::NotExercised => 6,
        }
    }
}

pub(super) fn standings<'a>(judged: &Judged<'a>) -> Vec<Standing<'a>> {
    let mut standings = Standings::default();
    for requirement in judged.run().requirements() {
        standings.of(&requirement.id).requirement = Some(requirement);
    }
    for (result, judgement) in judged.checks() {
        let state = match judgement {
            Judgement::Kept => State::Kept,
            Judgement::Broken(_) => State::Broken,
            Judgement::Advice(_) => State::Advised,
            Judgement::Deviation(..) => State::Deviation,
            Judgement::Inconclusive(reason) => State::Inconclusive(reason),
            Judgement::NotApplicable(reason) => State::NotApplicable(reason),
        };
        if let Judgement::Broken(failure)
        | Judgement::Advice(failure)
        | Judgement::Deviation(failure, _) = judgement
        {
            let standing = standings.of(&failure.requirement.id);
            standing.requirement.get_or_insert(&failure.requirement);
            standing.add(state);
            // What the check would have said of the others is not known.
            for id in &result.check.requirements {
                standings.of(id);
            }
        } else {
            for id in &result.check.requirements {
                standings.of(id).add(state);
            }
        }
    }
    standings.list
}

/// The requirements in the order in which they were first named.
#[derive(Default)]
struct Standings<'a> {
    list: Vec<Standing<'a>>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Standings<'a> {
    fn of(&mut self, id: &'a str) -> &mut Standing<'a> {
        let place = *self.places.entry(id).or_insert_with(|| {
            self.list.push(Standing {
                id,
                requirement: None,
                state: State::NotExercised,
            });
            self.list.len() - 1
        });
        &mut self.list[place]
    }
}

impl<'a> Standing<'a> {
    fn add(&mut self, state: State<'a>) {
        if state.rank() < self.state.rank() {
            self.state = state;
        }
    }
}
