//! Directed graphs with edges stored one after the other, and their strongly connected components.

use std::ops::Range;

use super::path::{make_room, room};

/// The edges of states numbered from zero on: five bytes each, and four a state.
#[derive(Debug)]
pub(super) struct Edges {
    /// Where the edges of each state begin, and after the last one where they end.
    first: Vec<u32>,
    targets: Vec<u32>,
    labels: Vec<u8>,
}

impl Edges {
    /// The most edges that can be numbered.
    pub(super) const MOST: usize = u32::MAX as usize;

    pub(super) fn new() -> Self {
        Self {
            first: vec![0],
            targets: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// How many states have their edges here.
    pub(super) fn states(&self) -> usize {
        self.first.len() - 1
    }

    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Adds an edge of the state that is not yet [finished](Self::finish).
    pub(super) fn push(&mut self, target: u32, label: u8) {
        self.targets.push(target);
        self.labels.push(label);
    }

    /// The state has no more edges; what follows is the next one's.
    pub(super) fn finish(&mut self) {
        self.first.push(self.targets.len() as u32);
    }

    /// The numbers of a state's edges; none for a state that is not here.
    pub(super) fn of(&self, state: u32) -> Range<usize> {
        let state = state as usize;
        match (self.first.get(state), self.first.get(state + 1)) {
            (Some(&first), Some(&end)) => first as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The targets and labels of a state's edges.
    pub(super) fn from(&self, state: u32) -> impl Iterator<Item = (u32, u8)> {
        let edges = self.of(state);
        let targets = self.targets[edges.clone()].iter().copied();
        targets.zip(self.labels[edges].iter().copied())
    }

    /// The bytes that are in use when there is room for so many more states and edges.
    pub(super) fn bytes_with(&self, states: usize, edges: usize) -> usize {
        room(&self.first, states) * size_of::<u32>()
            + room(&self.targets, edges) * size_of::<u32>()
            + room(&self.labels, edges)
    }

    pub(super) fn reserve(&mut self, states: usize, edges: usize) {
        make_room(&mut self.first, states);
        make_room(&mut self.targets, edges);
        make_room(&mut self.labels, edges);
    }
}

/// The most bytes that [`components`] needs for so many states, so many of which are inside.
pub(super) fn bytes_for(states: usize, inside: usize) -> usize {
    // A vector that grows by itself can have twice the room that it needs.
    states * size_of::<u32>() + 2 * inside * (size_of::<Frame>() + size_of::<u32>())
}

/// A state that is being visited.
struct Frame {
    state: u32,
    edge: u32,
    order: u32,
}

/// Not yet visited.
const NEW: u32 = 0;
/// In the component that is being handed out.
const CURRENT: u32 = u32::MAX - 1;
/// In a component that was handed out.
const DONE: u32 = u32::MAX;

/// Hands out each strongly connected component of the states that are inside, once, with a test of what belongs
/// to it. This is Tarjan's algorithm, with a stack of its own in the place of recursion.
pub(super) fn components(
    edges: &Edges,
    inside: impl Fn(u32) -> bool,
    mut visit: impl FnMut(&[u32], &dyn Fn(u32) -> bool),
) {
    let states = edges.states() as u32;
    // The least order of a state that is known to be reached from here; later CURRENT and DONE.
    let mut low = vec![NEW; states as usize];
    let mut order = NEW;
    let mut frames: Vec<Frame> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let inside = |state| state < states && inside(state);
    for root in 0..states {
        if low[root as usize] != NEW || !inside(root) {
            continue;
        }
        let mut entered = Some(root);
        loop {
            if let Some(state) = entered.take() {
                order += 1;
                low[state as usize] = order;
                open.push(state);
                frames.push(Frame {
                    state,
                    edge: edges.of(state).start as u32,
                    order,
                });
            }
            let Some(frame) = frames.last_mut() else {
                break;
            };
            let state = frame.state as usize;
            if (frame.edge as usize) < edges.of(frame.state).end {
                let target = edges.targets[frame.edge as usize];
                frame.edge += 1;
                if inside(target) {
                    match low[target as usize] {
                        NEW => entered = Some(target),
                        known => low[state] = low[state].min(known),
                    }
                }
                continue;
            }
            let (reached, order) = (low[state], frame.order);
            frames.pop();
            if reached == order {
                let top = open.iter().rposition(|&member| member as usize == state);
                let members = open.split_off(top.unwrap_or(0));
                for &member in &members {
                    low[member as usize] = CURRENT;
                }
                visit(&members, &|state| {
                    low.get(state as usize).is_some_and(|&low| low == CURRENT)
                });
                for &member in &members {
                    low[member as usize] = DONE;
                }
            }
            if let Some(parent) = frames.last() {
                let parent = parent.state as usize;
                low[parent] = low[parent].min(reached);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Edges, components};

    fn edges(graph: &[Vec<u32>]) -> Edges {
        let mut edges = Edges::new();
        for targets in graph {
            for &target in targets {
                edges.push(target, 0);
            }
            edges.finish();
        }
        edges
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut chain: Vec<Vec<u32>> = (1..=300_000).map(|next| vec![next]).collect();
        chain.push(vec![0]);
        let mut sizes = Vec::new();
        components(
            &edges(&chain),
            |_| true,
            |members, _| sizes.push(members.len()),
        );
        assert_eq!(sizes, [300_001]);
    }

    proptest! {
        #[test]
        fn members_reach_each_other_and_nobody_else(
            graph in (1..12_usize).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(0..n as u32, 0..4), n)),
            outside in prop::collection::btree_set(0..12_u32, 0..4),
        ) {
            let states = graph.len() as u32;
            let inside = |state: u32| !outside.contains(&state);
            let reach = |from: u32| {
                let mut reached = BTreeSet::from([from]);
                let mut waiting = vec![from];
                while let Some(state) = waiting.pop() {
                    for &target in &graph[state as usize] {
                        if inside(target) && reached.insert(target) {
                            waiting.push(target);
                        }
                    }
                }
                reached
            };
            let mut expected = BTreeSet::new();
            for state in (0..states).filter(|&state| inside(state)) {
                let component: BTreeSet<u32> =
                    reach(state).into_iter().filter(|&other| reach(other).contains(&state)).collect();
                expected.insert(component);
            }
            let mut found = BTreeSet::new();
            components(&edges(&graph), inside, |members, belongs| {
                let component: BTreeSet<u32> = members.iter().copied().collect();
                for state in 0..states {
                    assert_eq!(belongs(state), component.contains(&state));
                }
                assert!(found.insert(component), "handed out twice");
            });
            prop_assert_eq!(found, expected);
        }
    }
}
