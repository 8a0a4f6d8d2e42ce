//! Counting: checks and requirements by what became of them.

use crate::judged::{Judgement, Standing, State};

/// How many checks were judged how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Checks whose requirements were kept.
    pub kept: usize,
    /// Checks that found a requirement broken.
    pub broken: usize,
    /// Checks that found a requirement broken which is only recommended or left to the node.
    pub advice: usize,
    /// Checks that found a requirement broken in a way that the profile knows.
    pub deviations: usize,
    /// Checks that could not tell.
    pub inconclusive: usize,
    /// Checks that do not concern this node.
    pub not_applicable: usize,
}

impl Tally {
    /// All results that were counted.
    pub fn total(&self) -> usize {
        self.kept
            + self.broken
            + self.advice
            + self.deviations
            + self.inconclusive
            + self.not_applicable
    }
}

impl<'a> FromIterator<Judgement<'a>> for Tally {
    fn from_iter<I: IntoIterator<Item = Judgement<'a>>>(judgements: I) -> Self {
        let mut tally = Self::default();
        for judgement in judgements {
            *match judgement {
                Judgement::Kept => &mut tally.kept,
                Judgement::Broken(_) => &mut tally.broken,
                Judgement::Advice(_) => &mut tally.advice,
                Judgement::Deviation(..) => &mut tally.deviations,
                Judgement::Inconclusive(_) => &mut tally.inconclusive,
                Judgement::NotApplicable(_) => &mut tally.not_applicable,
            } += 1;
        }
        tally
    }
}

/// How many requirements became what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RequirementTally {
    /// Requirements that were found kept, and never broken.
    pub kept: usize,
    /// Requirements that were found broken.
    pub broken: usize,
    /// Requirements that were found broken, but are only recommended or left to the node.
    pub advised: usize,
    /// Requirements that were found broken, but only in ways that the profile knows.
    pub deviations: usize,
    /// Requirements of which no check could tell.
    pub inconclusive: usize,
    /// Requirements that do not concern this node.
    pub not_applicable: usize,
    /// Requirements at which no check looked.
    pub not_exercised: usize,
}

impl RequirementTally {
    /// Requirements that a check exercised and judged.
    pub fn exercised(&self) -> usize {
        self.kept + self.broken + self.advised + self.deviations
    }

    /// All requirements that were counted.
    pub fn total(&self) -> usize {
        self.exercised() + self.inconclusive + self.not_applicable + self.not_exercised
    }
}

impl<'a, 'b> FromIterator<&'b Standing<'a>> for RequirementTally {
    fn from_iter<I: IntoIterator<Item = &'b Standing<'a>>>(standings: I) -> Self {
        let mut tally = Self::default();
        for standing in standings {
            *match standing.state {
                State::Kept => &mut tally.kept,
                State::Broken => &mut tally.broken,
                State::Advised => &mut tally.advised,
                State::Deviation => &mut tally.deviations,
                State::Inconclusive(_) => &mut tally.inconclusive,
                State::NotApplicable(_) => &mut tally.not_applicable,
                State::NotExercised => &mut tally.not_exercised,
            } += 1;
        }
        tally
    }
}
