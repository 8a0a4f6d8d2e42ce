//! What is known of the nodes, and whether that is enough for every key (`legacy.md` 8.3).

use bytes::Bytes;
use dht_protocol::HashRange;
use dht_protocol::legacy::{Answer, VERSION};
use dht_protocol::neo::NodeAddress;

use crate::legacy::error::Problem;

/// What a node has told of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    version: Option<Bytes>,
    pub(super) range: Option<HashRange>,
}

impl Known {
    /// A node has answered something; what it says of itself is remembered.
    pub(super) fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Version(version) => self.version = Some(version.clone()),
            Answer::Range(range) => self.range = Some(*range),
            _ => {}
        }
    }

    /// Does the node speak our version?
    pub(super) fn is_confirmed(&self) -> bool {
        self.version.as_deref() == Some(VERSION.as_bytes())
    }

    fn problem(&self, node: NodeAddress) -> Option<Problem> {
        let Some(version) = &self.version else {
            return Some(Problem::Silent { node });
        };
        if !self.is_confirmed() {
            let version = version.clone();
            return Some(Problem::Version { node, version });
        }
        match self.range {
            None => Some(Problem::Silent { node }),
            Some(HashRange::EMPTY) => Some(Problem::NoKeys { node }),
            Some(_) => None,
        }
    }
}

/// What stands against using all nodes for all keys: nodes by themselves, in their order, and then their
/// ranges together.
pub(super) fn problems<'a>(
    nodes: impl Iterator<Item = (NodeAddress, &'a Known)> + Clone,
) -> Vec<Problem> {
    if nodes.clone().next().is_none() {
        return vec![Problem::NoNodes];
    }
    let mut problems: Vec<Problem> = nodes
        .clone()
        .filter_map(|(node, known)| known.problem(node))
        .collect();
    let ranges = nodes.clone().map(|(node, known)| (node, known.range));
    let all_known = ranges.clone().all(|(_, range)| range.is_some());
    let mut ranges: Vec<(NodeAddress, HashRange)> = ranges
        .filter_map(|(node, range)| Some((node, range?)))
        .filter(|(_, range)| *range != HashRange::EMPTY)
        .collect();
    ranges.sort_by_key(|(_, range)| *range);
    problems.extend(overlaps(&ranges));
    if all_known {
        // A node that has not told its range may have what seems to be missing.
        problems.extend(gaps(&ranges));
    }
    problems
}

/// Nodes that share keys with one whose range begins before theirs.
fn overlaps(sorted: &[(NodeAddress, HashRange)]) -> Vec<Problem> {
    let mut overlaps = Vec::new();
    let mut reaching: Option<(NodeAddress, HashRange)> = None;
    for &(node, range) in sorted {
        if let Some((other, before)) = reaching
            && range.min() <= before.max()
        {
            overlaps.push(Problem::Overlap { node, other });
        }
        if reaching.is_none_or(|(_, before)| range.max() > before.max()) {
            reaching = Some((node, range));
        }
    }
    overlaps
}

/// Parts of the hash space that no node is responsible for.
fn gaps(sorted: &[(NodeAddress, HashRange)]) -> Vec<Problem> {
    let mut gaps = Vec::new();
    // The first position that nobody has been found for; `None` if there is none behind.
    let mut open = Some(0_u64);
    let mut beside = None;
    for &(node, range) in sorted {
        if let Some(from) = open
            && from < range.min()
            && let Some(missing) = HashRange::new(from, range.min() - 1)
        {
            let beside = beside.unwrap_or(node);
            gaps.push(Problem::Gap { missing, beside });
        }
        let behind = range.max().checked_add(1);
        open = match (open, behind) {
            (Some(open), Some(behind)) => Some(open.max(behind)),
            _ => None,
        };
        beside = Some(node);
    }
    if let (Some(from), Some(beside)) = (open, beside)
        && let Some(missing) = HashRange::new(from, u64::MAX)
    {
        gaps.push(Problem::Gap { missing, beside });
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    fn node(port: u16) -> NodeAddress {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    fn range(min: u64, max: u64) -> HashRange {
        HashRange::new(min, max).unwrap()
    }

    fn known(range: HashRange) -> Known {
        let mut known = Known::default();
        known.learn(&Answer::version());
        known.learn(&Answer::Range(range));
        known
    }

    /// What is wrong with nodes of these ranges; the first node is that of port 0.
    fn check(ranges: &[HashRange]) -> Vec<Problem> {
        let nodes: Vec<Known> = ranges.iter().map(|range| known(*range)).collect();
        check_known(&nodes)
    }

    fn check_known(nodes: &[Known]) -> Vec<Problem> {
        problems((0..).map(node).zip(nodes))
    }

    #[test]
    fn ranges_that_cover_everything_once_are_right() {
        for ranges in [
            vec![HashRange::FULL],
            vec![range(0, 9), range(10, u64::MAX)],
            vec![range(10, u64::MAX), range(5, 9), range(0, 4)],
        ] {
            assert_eq!(check(&ranges), []);
        }
    }

    #[test]
    fn gaps_are_told_with_a_node_beside_them() {
        for (ranges, missing, beside) in [
            (vec![range(1, u64::MAX)], range(0, 0), 0),
            (vec![range(0, 8)], range(9, u64::MAX), 0),
            (vec![range(20, u64::MAX), range(0, 9)], range(10, 19), 1),
        ] {
            let beside = node(beside);
            assert_eq!(check(&ranges), [Problem::Gap { missing, beside }]);
        }
        assert_eq!(check(&[range(5, 6)]).len(), 2);
    }

    #[test]
    fn overlaps_are_told_with_both_nodes() {
        let overlap = |node_port, other_port| Problem::Overlap {
            node: node(node_port),
            other: node(other_port),
        };
        for (ranges, expected) in [
            (vec![range(0, 9), range(9, u64::MAX)], vec![overlap(1, 0)]),
            (vec![HashRange::FULL, HashRange::FULL], vec![overlap(1, 0)]),
            (
                vec![HashRange::FULL, range(3, 4), range(8, 9)],
                vec![overlap(1, 0), overlap(2, 0)],
            ),
        ] {
            assert_eq!(check(&ranges), expected);
        }
    }

    #[test]
    fn nodes_that_said_nothing_or_something_else_are_told() {
        assert_eq!(check_known(&[]), [Problem::NoNodes]);
        let silent = Problem::Silent { node: node(0) };
        assert_eq!(check_known(&[Known::default()]), [silent]);
        let mut other = known(HashRange::FULL);
        other.learn(&Answer::Version(Bytes::from("20200101")));
        let wrong = Problem::Version {
            node: node(0),
            version: Bytes::from("20200101"),
        };
        assert_eq!(check_known(&[other]), [wrong]);
        let no_keys = Problem::NoKeys { node: node(0) };
        assert_eq!(check(&[HashRange::EMPTY, HashRange::FULL]), [no_keys]);
        let half = known(range(0, 9));
        let silent = Problem::Silent { node: node(1) };
        assert_eq!(
            check_known(&[half, Known::default()]),
            [silent],
            "it may have the rest"
        );
    }
}
