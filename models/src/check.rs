//! Checking a model: exploring it, and searching its graph for what never comes.

use std::hash::Hash;
use std::time::Duration;

use crate::search::{self, Coverage, Fair, Finding, Options};

/// What was found out about a model.
#[derive(Clone, Debug)]
pub struct Checked<S, A> {
    /// Steps that were taken, to whatever state.
    pub generated: u64,
    /// Different states.
    pub unique: u64,
    /// The number of states on the longest of the shortest paths.
    pub depth: usize,
    /// States from which nothing leads on.
    pub terminal: u64,
    /// Whether that is all there is.
    pub coverage: Coverage,
    /// The most bytes that were in use at once.
    pub memory: usize,
    /// How long it took to visit every state.
    pub exploring: Duration,
    /// How long it took, with the search of the graph where there is one.
    pub elapsed: Duration,
    /// A verdict for each property.
    pub findings: Vec<Finding<S, A>>,
}

/// Judges every property of a model.
pub fn check<M>(model: &M, options: Options<'_>) -> Checked<M::State, M::Action>
where
    M: Fair + Sync,
    M::State: Hash + Send + Sync,
    M::Action: Send,
{
    let explored = search::explore(model, options);
    let mut checked = Checked {
        generated: explored.generated,
        unique: explored.unique,
        depth: explored.depth(),
        terminal: explored.terminal,
        coverage: explored.coverage,
        memory: explored.memory,
        exploring: explored.elapsed,
        elapsed: explored.elapsed,
        findings: explored.findings,
    };
    if !model.goals().is_empty() {
        let graph = search::eventually(model, options);
        checked.memory = checked.memory.max(graph.memory);
        checked.elapsed += graph.elapsed;
        if checked.coverage == Coverage::Complete {
            checked.coverage = graph.coverage;
        }
        checked.findings.extend(graph.findings);
    }
    checked
}
