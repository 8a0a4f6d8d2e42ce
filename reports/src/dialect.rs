//! The dialect of a node: where the specification allows several answers, which it gave.

use std::collections::BTreeMap;

use crate::check::Observation;
use crate::run::Run;

/// Something that the specification leaves open, and what the node did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question<'a> {
    /// What is left open: a noun phrase, such as `Order of the channels in GetChannels`.
    pub text: &'a str,
    /// What the node did and how many times, the most frequent first. A node may do one thing here and
    /// another there.
    pub answers: Vec<(&'a str, usize)>,
}

impl Run {
    /// The dialect of the node, question by question. The order does not depend on which check was faster.
    pub fn dialect(&self) -> Vec<Question<'_>> {
        let mut questions: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for Observation { question, answer } in self.results().flat_map(|result| &result.dialect) {
            *questions
                .entry(question)
                .or_default()
                .entry(answer)
                .or_default() += 1;
        }
        questions
            .into_iter()
            .map(|(text, answers)| {
                let mut answers: Vec<_> = answers.into_iter().collect();
                answers.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
                Question { text, answers }
            })
            .collect()
    }
}
