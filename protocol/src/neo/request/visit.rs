//! The client's half of requests for one record: Put, Get, Exists and Remove ask the nodes that cover
//! the key, one after another, until one of them settles it (`neo-requests.md` 2.6, 15.2).

use std::fmt::Debug;
use std::hash::Hash;

use super::outcome::{Effect, Failure};
use super::{RequestCode, SupportedStatus};
use crate::codec::DecodeError;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

/// What is particular to one of these requests.
pub trait Visitor: Clone + Debug + Eq + Hash {
    /// Which request.
    const CODE: RequestCode;
    /// What the user wants to know.
    type Output: Clone + Debug + Eq + Hash;

    /// The first message, the same for each node.
    fn opening(&self) -> Vec<u8>;

    /// A message behind the supported status.
    fn receive(&mut self, payload: &[u8]) -> Result<Answer<Self::Output>, DecodeError>;

    /// Every node was asked and none settled it.
    fn exhausted(&self) -> Self::Output;

    /// The state behind the supported status, by a name that stays the same.
    fn phase(&self) -> &'static str {
        "AwaitAnswer"
    }
}

/// What a node's message means for the request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Answer<T> {
    /// The node will say more.
    More,
    /// The node has answered; the next one is to be asked.
    Next,
    /// The request is settled.
    Done(T),
    /// The node is not responsible.
    WrongNode,
    /// The node failed.
    NodeError,
}

/// A request on its way from node to node. It ends with exactly one notification.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Visit<V> {
    visitor: V,
    /// Nodes still to be asked, the next one last.
    remaining: Vec<NodeAddress>,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum State {
    AwaitSupported(NodeAddress),
    AwaitAnswer(NodeAddress),
    Ended,
}

/// What a visit ends with.
pub type Outcome<T> = Result<T, Failure>;

impl<V: Visitor> Visit<V> {
    /// Asks the first of `nodes`, all of which cover the key, in the order to be asked.
    pub fn start(
        visitor: V,
        nodes: impl IntoIterator<Item = NodeAddress>,
        effects: &mut Vec<Effect<Outcome<V::Output>>>,
    ) -> Self {
        let mut remaining: Vec<_> = nodes.into_iter().collect();
        remaining.reverse();
        let mut visit = Self {
            visitor,
            remaining,
            state: State::Ended,
        };
        match visit.remaining.is_empty() {
            true => visit.end(Err(Failure::NoNode), effects),
            false => visit.ask_next(effects),
        }
        visit
    }

    /// A message of the request came from `node`.
    pub fn receive(
        &mut self,
        node: NodeAddress,
        payload: &[u8],
        effects: &mut Vec<Effect<Outcome<V::Output>>>,
    ) {
        match self.state {
            State::AwaitSupported(asked) if asked == node => match SupportedStatus::decode(payload)
            {
                Ok(SupportedStatus::Supported) => self.state = State::AwaitAnswer(node),
                Ok(status) => self.end(Err(Failure::Unsupported { node, status }), effects),
                Err(error) => self.malformed(node, "supported status", error, effects),
            },
            State::AwaitAnswer(asked) if asked == node => match self.visitor.receive(payload) {
                Ok(Answer::More) => {}
                Ok(Answer::Next) => self.ask_next(effects),
                Ok(Answer::Done(output)) => self.end(Ok(output), effects),
                Ok(Answer::WrongNode) => self.end(Err(Failure::WrongNode { node }), effects),
                Ok(Answer::NodeError) => self.end(Err(Failure::NodeError { node }), effects),
                Err(error) => self.malformed(node, "answer", error, effects),
            },
            // A node that was asked before has nothing to say any more; ids of requests that a client
            // does not wait for are ignored (`neo-transport.md` 8.4).
            _ => {}
        }
    }

    /// The connection to `node` is down.
    pub fn disconnected(
        &mut self,
        node: NodeAddress,
        effects: &mut Vec<Effect<Outcome<V::Output>>>,
    ) {
        if self.asked() == Some(node) {
            self.end(Err(Failure::Disconnected { node }), effects);
        }
    }

    /// The user does not want to wait any longer. The node is not told.
    pub fn timed_out(&mut self, effects: &mut Vec<Effect<Outcome<V::Output>>>) {
        if !self.is_ended() {
            self.end(Err(Failure::TimedOut), effects);
        }
    }

    /// Has the user been told the outcome?
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Where the request stands on `node`, by a name that stays the same.
    pub fn phase(&self, node: NodeAddress) -> &'static str {
        match self.state {
            State::AwaitSupported(asked) if asked == node => "AwaitSupported",
            State::AwaitAnswer(asked) if asked == node => self.visitor.phase(),
            State::AwaitSupported(_) | State::AwaitAnswer(_) => "AwaitOther",
            State::Ended => "Ended",
        }
    }

    /// The node that an answer is awaited from.
    fn asked(&self) -> Option<NodeAddress> {
        match self.state {
            State::AwaitSupported(node) | State::AwaitAnswer(node) => Some(node),
            State::Ended => None,
        }
    }

    fn ask_next(&mut self, effects: &mut Vec<Effect<Outcome<V::Output>>>) {
        match self.remaining.pop() {
            Some(node) => {
                self.state = State::AwaitSupported(node);
                effects.push(Effect::Send {
                    node,
                    payload: self.visitor.opening(),
                });
            }
            None => self.end(Ok(self.visitor.exhausted()), effects),
        }
    }

    fn malformed(
        &mut self,
        node: NodeAddress,
        message: &'static str,
        error: DecodeError,
        effects: &mut Vec<Effect<Outcome<V::Output>>>,
    ) {
        let violation = Violation::Malformed {
            request: V::CODE,
            message,
            error,
        };
        self.end(Err(Failure::Violation { node, violation }), effects);
    }

    fn end(&mut self, outcome: Outcome<V::Output>, effects: &mut Vec<Effect<Outcome<V::Output>>>) {
        self.state = State::Ended;
        effects.push(Effect::Notify(outcome));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::neo::request::{RecordName, exists, put};
    use crate::testing::talk::{sent, told, visited};
    use crate::testing::{hex, node};

    fn record() -> RecordName {
        RecordName {
            channel: "test".into(),
            key: Key(1),
        }
    }

    fn exists() -> exists::Client {
        exists::Client::new(record())
    }

    fn put() -> put::Client {
        let value = "v".into();
        put::Client::new(put::Open {
            record: record(),
            value,
        })
        .unwrap()
    }

    #[test]
    fn without_a_covering_node_nobody_is_asked() {
        let effects = visited(exists(), &[], &[]);
        assert_eq!(effects, [Effect::Notify(Err(Failure::NoNode))]);
    }

    #[test]
    fn a_node_that_does_not_know_the_request_ends_it() {
        for (status, byte) in [
            (SupportedStatus::VersionNotSupported, "fe"),
            (SupportedStatus::NotSupported, "ff"),
        ] {
            let effects = visited(exists(), &[1, 2], &[(1, byte)]);
            let node = node(1);
            assert_eq!(told(&effects), [Err(Failure::Unsupported { node, status })]);
            assert_eq!(sent(&effects).len(), 1);
        }
    }

    #[test]
    fn a_status_that_does_not_exist_ends_it_as_well() {
        for bad in ["", "00", "01", "fc", "fdfd"] {
            let effects = visited(exists(), &[1, 2], &[(1, bad)]);
            let outcome = told(&effects);
            assert!(
                matches!(outcome[..], [Err(Failure::Violation { .. })]),
                "{bad}: {outcome:?}"
            );
        }
    }

    #[test]
    fn a_put_asks_the_newest_node_alone() {
        for answer in ["01", "02", "03", "09"] {
            let effects = visited(put(), &[1, 2], &[(1, "fd"), (1, answer)]);
            assert_eq!(sent(&effects).len(), 1, "{answer}");
            assert_eq!(told(&effects).len(), 1, "{answer}");
        }
    }

    #[test]
    fn a_broken_connection_ends_it_and_nothing_is_repeated() {
        for heard in [&[][..], &[(1, "fd")]] {
            let mut effects = Vec::new();
            let mut visit = Visit::start(put(), [node(1)], &mut effects);
            for (port, message) in heard {
                visit.receive(node(*port), &hex(message), &mut effects);
            }
            visit.disconnected(node(2), &mut effects);
            assert!(!visit.is_ended(), "another connection");
            visit.disconnected(node(1), &mut effects);
            let node = node(1);
            assert_eq!(told(&effects), [Err(Failure::Disconnected { node })]);
            assert_eq!(sent(&effects).len(), 1, "P15");
            assert!(visit.is_ended());
        }
    }

    #[test]
    fn an_older_node_that_is_not_connected_may_have_the_record() {
        let mut effects = Vec::new();
        let mut visit = Visit::start(exists(), [node(1), node(2)], &mut effects);
        for message in ["fd", "02"] {
            visit.receive(node(1), &hex(message), &mut effects);
        }
        assert_eq!(sent(&effects).last().unwrap().0, node(2));
        visit.disconnected(node(2), &mut effects);
        let node = node(2);
        assert_eq!(
            told(&effects),
            [Err(Failure::Disconnected { node })],
            "P18, F40"
        );
    }

    #[test]
    fn a_node_that_is_not_asked_has_nothing_to_say() {
        let said = [(2, "fd"), (1, "fd"), (2, "01"), (1, "02")];
        let effects = visited(exists(), &[1, 2], &said);
        assert_eq!(told(&effects), []);
        let said = [(1, "fd"), (1, "02"), (1, "fd"), (1, "01")];
        let effects = visited(exists(), &[1, 2], &said);
        assert_eq!(told(&effects), [], "the first node was done");
    }

    #[test]
    fn after_the_end_nothing_changes() {
        let mut effects = Vec::new();
        let mut visit = Visit::start(exists(), [node(1)], &mut effects);
        visit.timed_out(&mut effects);
        assert_eq!(told(&effects), [Err(Failure::TimedOut)]);
        let before = effects.clone();
        for message in ["fd", "01"] {
            visit.receive(node(1), &hex(message), &mut effects);
        }
        visit.disconnected(node(1), &mut effects);
        visit.timed_out(&mut effects);
        assert_eq!(effects, before);
    }
}
