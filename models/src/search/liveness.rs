//! What is owed is discharged in the end, if processes are weakly fair.
//!
//! A *goal* says in which states something is owed: an answer, an end. A goal is violated by a run in which it
//! is owed from some state on for ever, and in which no process is treated unfairly: none can take a fair step
//! from some state on without ever taking one. Such a run either ends in a state where no process has a fair
//! step, or it goes round in a cycle. Steps that are not fair (faults, a client's wishes) may be taken in such a
//! run, but nobody may wait for them.
//!
//! The search stores the graph and looks at the states that owe the goal, and at the edges among them:
//!
//! * a state in which no process has a fair step is a violation: *stuck*;
//! * so is a strongly connected component with an edge in which each process either has no fair step in some
//!   state, or takes one along some edge: a run can go round through all of it for ever.
//!
//! There is no other violation. The states that a run sees infinitely often lie in one component; whoever is
//! unable to step infinitely often, or steps, does so in that component too, and in a larger one all the more.
//!
//! In a graph that is not complete, be it because of a limit or of the model's boundary, a violation that was
//! found is one: only states whose steps are all known are looked at, and who can step out of the boundary is
//! able to step.

use std::{hash::Hash, num::NonZeroUsize};

use stateright::Model;

use super::{
    components::{bytes_for, components},
    graph::{Graph, process_bit},
    options::{Control, Options, is_set},
    outcome::{Coverage, Finding, Kind, Outcome, Stop, Undecided, Verdict},
    path::Path,
    round::parallel,
};

/// A model that says what is owed, and which steps happen in the end if they are possible all the time.
pub trait Fair: Model {
    /// The names of the goals; at most 32.
    fn goals(&self) -> &[&'static str];

    /// Whether the goal with this place in [`Self::goals`] is owed in a state.
    fn owes(&self, state: &Self::State, goal: usize) -> bool;

    /// The process of which the action is a weakly fair step, such as a delivery or the writing of an answer: if
    /// a process has such steps from some state on without a gap, it takes one. Processes are numbered below 64.
    /// None for what need never happen, such as a fault.
    fn fair_process(&self, action: &Self::Action) -> Option<u8>;
}

/// Stores the graph of a model and judges its goals.
///
/// The model's `always` and `sometimes` properties are for [`explore()`](super::explore()), which needs less memory.
pub fn eventually<M>(model: &M, options: Options<'_>) -> Outcome<M::State, M::Action>
where
    M: Fair + Sync,
    M::State: Hash + Send,
    M::Action: Send,
{
    let mut control = Control::new(options);
    let (graph, stopped) = Graph::build(model, &mut control);
    let goals: Vec<_> = model.goals().iter().enumerate().collect();
    let owing: Vec<usize> = goals.iter().map(|&(goal, _)| graph.owing(goal)).collect();
    let bytes =
        |goal: usize| bytes_for(graph.states(), owing[goal]) + graph.lasso_bytes(owing[goal]);
    let most = (0..goals.len()).map(bytes).max().unwrap_or(0);
    // Goals are judged side by side if there is memory for it.
    let aside = options.threads.get().min(goals.len());
    let threads = match control.memory(graph.bytes() + aside * most) {
        Ok(()) => options.threads,
        Err(_) => NonZeroUsize::MIN,
    };
    let mut verdicts: Vec<_> = (0..goals.len())
        .map(|goal| match control.memory(graph.bytes() + bytes(goal)) {
            Ok(()) => Verdict::Held,
            Err(why) => Verdict::Unknown(Undecided::Stopped(why)),
        })
        .collect();
    let interrupt = options.interrupt;
    parallel(
        threads,
        verdicts.iter_mut().enumerate(),
        |(goal, verdict)| {
            if is_set(interrupt) {
                *verdict = Verdict::Unknown(Undecided::Stopped(Stop::Interrupted));
            } else if matches!(verdict, Verdict::Held) {
                *verdict = graph.judge(model, goal, stopped);
            }
        },
    );
    let findings = goals.into_iter().zip(owing).zip(verdicts);
    let findings = findings.map(|(((_, &name), owing), verdict)| Finding {
        name,
        kind: Kind::Eventually,
        owing: Some(owing as u64),
        verdict,
    });
    let findings = findings.collect();
    let unique = graph.states() as u64;
    Outcome {
        generated: graph.tally.generated,
        unique,
        terminal: graph.tally.terminal,
        outside: graph.tally.outside,
        coverage: match stopped {
            None => Coverage::Complete,
            Some(why) => Coverage::Stopped {
                why,
                depth: graph.levels.len(),
                frontier: unique - graph.tally.expanded,
            },
        },
        memory: graph.peak.max(graph.bytes() + most),
        elapsed: control.elapsed(),
        findings,
        levels: graph.levels,
    }
}

/// A run in which the goal stays owed, by its states.
enum Violation {
    Stuck(u32),
    /// Round from this state through this component.
    Round(u32, Vec<u32>),
}

impl Graph {
    fn owing(&self, goal: usize) -> usize {
        self.owed
            .iter()
            .filter(|&owed| owed >> goal & 1 == 1)
            .count()
    }

    /// The most bytes that a lasso through so many states takes to find.
    fn lasso_bytes(&self, states: usize) -> usize {
        states * 4 * size_of::<u32>()
    }

    fn judge<M>(
        &self,
        model: &M,
        goal: usize,
        stopped: Option<Stop>,
    ) -> Verdict<M::State, M::Action>
    where
        M: Fair,
        M::State: Hash,
    {
        match (self.violation(goal), stopped) {
            (Some(violation), _) => match self.run(model, violation) {
                Some(path) => Verdict::Violated(path),
                None => Verdict::Unknown(Undecided::NotDeterministic),
            },
            (None, None) => Verdict::Held,
            (None, Some(why)) => Verdict::Unknown(Undecided::Stopped(why)),
        }
    }

    /// The violation that begins nearest to an initial state.
    fn violation(&self, goal: usize) -> Option<Violation> {
        let owes = |state: u32| self.owed[state as usize] >> goal & 1 == 1;
        let expanded = self.edges.states() as u32;
        let stuck = (0..expanded).find(|&state| owes(state) && self.enabled[state as usize] == 0);
        let mut nearest: Option<(u32, Vec<u32>)> = None;
        components(&self.edges, owes, |members, belongs| {
            let first = members.iter().copied().min().unwrap_or(0);
            let is_nearer = nearest.as_ref().is_none_or(|&(known, _)| first < known);
            if is_nearer && self.is_fair(members, belongs) {
                nearest = Some((first, members.to_vec()));
            }
        });
        match (stuck, nearest) {
            (Some(stuck), Some((first, _))) if stuck <= first => Some(Violation::Stuck(stuck)),
            (_, Some((first, members))) => Some(Violation::Round(first, members)),
            (stuck, None) => stuck.map(Violation::Stuck),
        }
    }

    /// Whether a run can go round through all of a component for ever without being unfair.
    fn is_fair(&self, members: &[u32], belongs: &dyn Fn(u32) -> bool) -> bool {
        let mut always_enabled = u64::MAX;
        let mut taken = 0;
        let mut edges = false;
        for &state in members {
            always_enabled &= self.enabled[state as usize];
            for (target, label) in self.edges.from(state) {
                if belongs(target) {
                    edges = true;
                    taken |= process_bit(label);
                }
            }
        }
        edges && always_enabled & !taken == 0
    }

    /// A short cycle from `first` through a fair component that treats each process fairly.
    fn fair_cycle(&self, first: u32, mut members: Vec<u32>) -> Option<Vec<(u32, u8)>> {
        members.sort_unstable();
        let mut waiting = self.enabled[first as usize];
        let mut cycle = Vec::new();
        let mut here = first;
        while waiting != 0 {
            let way = self.way(&members, here, |target, label| {
                waiting & process_bit(label) != 0 || waiting & !self.enabled[target as usize] != 0
            })?;
            for &(target, label) in &way {
                waiting &= self.enabled[target as usize] & !process_bit(label);
                here = target;
            }
            cycle.extend(way);
        }
        if here != first || cycle.is_empty() {
            cycle.extend(self.way(&members, here, |target, _| target == first)?);
        }
        Some(cycle)
    }

    /// The shortest way, of one edge or more, that ends with such an edge.
    fn way(
        &self,
        members: &[u32],
        from: u32,
        is_last: impl Fn(u32, u8) -> bool,
    ) -> Option<Vec<(u32, u8)>> {
        const UNSEEN: u32 = u32::MAX;
        let place = |state: u32| members.binary_search(&state).ok();
        // For each member the place of the one before; the first one is its own.
        let mut before = vec![UNSEEN; members.len()];
        let start = place(from)?;
        before[start] = start as u32;
        let mut queue = vec![start as u32];
        let mut next = 0;
        while let Some(&here) = queue.get(next) {
            next += 1;
            for (target, label) in self.edges.from(members[here as usize]) {
                let Some(there) = place(target) else {
                    continue;
                };
                if is_last(target, label) {
                    return self.back(members, &before, here as usize, (target, label));
                }
                if before[there] == UNSEEN {
                    before[there] = here;
                    queue.push(there as u32);
                }
            }
        }
        None
    }

    /// The way that leads to the member at `place` and goes on by the last edge.
    fn back(
        &self,
        members: &[u32],
        before: &[u32],
        mut place: usize,
        last: (u32, u8),
    ) -> Option<Vec<(u32, u8)>> {
        let mut way = vec![last];
        while before[place] as usize != place {
            let from = before[place] as usize;
            let target = members[place];
            way.push(
                self.edges
                    .from(members[from])
                    .find(|edge| edge.0 == target)?,
            );
            place = from;
        }
        way.reverse();
        Some(way)
    }

    /// The run that shows a violation.
    fn run<M>(&self, model: &M, violation: Violation) -> Option<Path<M::State, M::Action>>
    where
        M: Fair,
        M::State: Hash,
    {
        let (first, members) = match violation {
            Violation::Stuck(state) => return self.path_to(model, state),
            Violation::Round(first, members) => (first, members),
        };
        let mut path = self.path_to(model, first)?;
        path.repeats_from = Some(path.steps.len());
        for edge in self.fair_cycle(first, members)? {
            let step = self.step(model, path.last(), edge)?;
            path.steps.push(step);
        }
        Some(path)
    }
}
