//! What all nodes answered.

use std::collections::BTreeSet;

use dht_protocol::legacy::Command;
use dht_protocol::neo::NodeAddress;
use dht_protocol::{ChannelName, Size};

use super::error::{Failure, RequestError};

/// What each node answered, in the order in which the nodes were added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PerNode<T> {
    pub(super) command: Command,
    /// Node by node.
    pub nodes: Vec<(NodeAddress, Result<T, RequestError>)>,
}

impl<T> PerNode<T> {
    /// All answers, unless a node has failed, for then one is missing; the first error is told. Fails if
    /// there are no nodes.
    pub fn all(self) -> Result<Vec<(NodeAddress, T)>, RequestError> {
        if self.nodes.is_empty() {
            return Err(RequestError::unsent(self.command, None, Failure::NoNode));
        }
        let nodes = self.nodes.into_iter();
        nodes.map(|(node, answer)| Ok((node, answer?))).collect()
    }

    /// The answers of all nodes as one. Fails as [`all`](Self::all) does.
    pub fn merged(self) -> Result<T, RequestError>
    where
        T: Merge,
    {
        let all = self.all()?.into_iter();
        Ok(T::merge(all.map(|(_, answer)| answer)))
    }
}

/// Answers of several nodes can be made one.
pub trait Merge: Sized {
    /// The answers as one.
    fn merge(answers: impl Iterator<Item = Self>) -> Self;
}

impl Merge for () {
    fn merge(_: impl Iterator<Item = Self>) -> Self {}
}

/// The sum.
impl Merge for u64 {
    fn merge(answers: impl Iterator<Item = Self>) -> Self {
        answers.fold(0, Self::saturating_add)
    }
}

/// The sum.
impl Merge for Size {
    fn merge(answers: impl Iterator<Item = Self>) -> Self {
        answers.fold(Self::default(), |sum, size| Self {
            records: sum.records.saturating_add(size.records),
            bytes: sum.bytes.saturating_add(size.bytes),
        })
    }
}

/// Each name once, in their order.
impl Merge for Vec<ChannelName> {
    fn merge(answers: impl Iterator<Item = Self>) -> Self {
        let names: BTreeSet<ChannelName> = answers.flatten().collect();
        names.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> NodeAddress {
        NodeAddress::new([127, 0, 0, 1].into(), port)
    }

    fn answers<T>(answers: Vec<Result<T, RequestError>>) -> PerNode<T> {
        PerNode {
            command: Command::GetSize,
            nodes: (1..).map(node).zip(answers).collect(),
        }
    }

    #[test]
    fn sizes_and_counts_are_added() {
        let size = |records, bytes| Size { records, bytes };
        let sizes = answers(vec![Ok(size(1, 20)), Ok(size(3, u64::MAX))]);
        assert_eq!(sizes.merged(), Ok(size(4, u64::MAX)));
        assert_eq!(answers(vec![Ok(2_u64), Ok(5)]).merged(), Ok(7));
    }

    #[test]
    fn channels_are_told_once() {
        let names = |names: &[&str]| names.iter().map(|name| ChannelName::from(*name)).collect();
        let channels: PerNode<Vec<_>> =
            answers(vec![Ok(names(&["b", "c"])), Ok(names(&["a", "b"]))]);
        assert_eq!(channels.merged(), Ok(names(&["a", "b", "c"])));
    }

    #[test]
    fn an_answer_that_is_missing_is_an_error() {
        let error = RequestError::unsent(Command::GetSize, Some(node(2)), Failure::QueueFull);
        let one_failed = answers(vec![Ok(1_u64), Err(error.clone())]);
        assert_eq!(one_failed.merged(), Err(error));
        let nobody = answers::<u64>(vec![]).merged();
        assert_eq!(nobody.unwrap_err().failure, Failure::NoNode);
    }
}
