//! Answers to GetChannels and RemoveChannel (A4, P23, P25), for the channels of one name.

use super::Verdict;
use crate::dht::NodeId;
use crate::state::{Change, ChannelState, Edit};

/// What agrees with the name being reported by one of these nodes, or by none.
pub(crate) fn judge_listed(states: &[ChannelState], nodes: &[NodeId], listed: bool) -> Verdict {
    let edits = states.iter().map(|state| match listed {
        true => present(state, nodes),
        false => absent(state, nodes),
    });
    Verdict {
        edits: edits.collect(),
        exact: true,
    }
}

/// The channel is removed, or may be, if the outcome is not known.
pub(crate) fn remove(states: &[ChannelState], nodes: &[NodeId], certainly: bool) -> Verdict {
    let change = match certainly {
        true => Change::Lacks,
        false => Change::MayLack,
    };
    let edit: Edit = nodes.iter().map(|node| change(*node)).collect();
    Verdict {
        edits: vec![vec![edit]; states.len()],
        exact: true,
    }
}

/// One of the nodes, at least, has the channel.
fn present(state: &ChannelState, nodes: &[NodeId]) -> Vec<Edit> {
    if nodes.iter().any(|node| !state.may_lack(*node)) {
        return vec![Edit::new()];
    }
    // Apart by which node is the first that has it.
    let mut before = Edit::new();
    let mut edits = Vec::new();
    for node in nodes.iter().filter(|node| state.may_have(**node)) {
        let mut edit = before.clone();
        edit.push(Change::Has(*node));
        edits.push(edit);
        before.push(Change::Lacks(*node));
    }
    edits
}

/// None of the nodes has the channel.
fn absent(state: &ChannelState, nodes: &[NodeId]) -> Vec<Edit> {
    if nodes.iter().all(|node| state.may_lack(*node)) {
        vec![nodes.iter().map(|node| Change::Lacks(*node)).collect()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 2] = [NodeId(0), NodeId(1)];

    #[test]
    fn listing_tells_that_some_node_has_the_channel() {
        let may = NODES.map(Change::MayHave).to_vec();
        let states = [ChannelState::default().edited(may)];
        let verdict = judge_listed(&states, &NODES, true);
        assert_eq!(
            verdict.edits[0],
            [
                vec![Change::Has(NODES[0])],
                vec![Change::Lacks(NODES[0]), Change::Has(NODES[1])],
            ]
        );
        assert!(!judge_listed(&states, &NODES, false).is_refusal());

        let nowhere = [ChannelState::default()];
        assert!(judge_listed(&nowhere, &NODES, true).is_refusal());
        let somewhere = [ChannelState::default().edited(vec![Change::Has(NODES[1])])];
        assert!(judge_listed(&somewhere, &NODES, false).is_refusal());
        assert!(!judge_listed(&somewhere, &NODES[..1], false).is_refusal());
    }
}
