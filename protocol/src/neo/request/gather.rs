//! The client's half of requests that ask all nodes: GetChannels, RemoveChannel and GetHashRange run
//! on every known node at once, start over after a reconnection, and include nodes that become known
//! while they run (`neo-requests.md` 2.7).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use super::outcome::Effect;
use super::{RequestCode, SupportedStatus};
use crate::codec::DecodeError;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

/// What is particular to one of these requests.
pub trait Gather: Clone + Debug + Eq + Hash {
    /// Which request.
    const CODE: RequestCode;
    /// What is remembered of a node while the request runs there.
    type Part: Clone + Debug + Default + Eq + Hash;
    /// What the user is told while the request runs.
    type Notice: Clone + Debug + Eq + Hash;

    /// The first message, the same for each node.
    fn opening(&self) -> Vec<u8>;

    /// A message behind the supported status.
    fn receive(
        &mut self,
        node: NodeAddress,
        part: &mut Self::Part,
        payload: &[u8],
        notices: &mut Vec<Self::Notice>,
    ) -> Result<Told, DecodeError>;

    /// The state behind the supported status, by a name that stays the same.
    fn phase(_: &Self::Part) -> &'static str {
        "Running"
    }
}

/// How far a node is with its part.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Told {
    /// It will say more.
    Something,
    /// It is done.
    Everything,
    /// It failed.
    Error,
}

/// What the user of a request on all nodes is told.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Notification<T> {
    /// What was asked for.
    Notice(T),
    /// The connection to a node broke; its part starts over when it is back.
    Disconnected(NodeAddress),
    /// A node failed; it takes no further part.
    NodeError(NodeAddress),
    /// A node does not know the request; it takes no part.
    Unsupported(NodeAddress, SupportedStatus),
    /// Every node is done. This is the last notification.
    Finished,
}

/// A request that runs on all nodes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Gathering<G: Gather> {
    request: G,
    parts: BTreeMap<NodeAddress, Part<G::Part>>,
    ended: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Part<P> {
    AwaitConnection,
    AwaitSupported,
    Running(P),
    Ended,
}

type Effects<G> = Vec<Effect<Notification<<G as Gather>::Notice>>>;

impl<G: Gather> Gathering<G> {
    /// A request that knows no node yet.
    pub fn new(request: G) -> Self {
        Self {
            request,
            parts: BTreeMap::new(),
            ended: false,
        }
    }

    /// A node is known; if it is connected, [`connected`](Self::connected) is to be called as well. A
    /// node that is known already changes nothing.
    pub fn add_node(&mut self, node: NodeAddress) {
        self.parts.entry(node).or_insert(Part::AwaitConnection);
    }

    /// The connection to `node` is up.
    pub fn connected(&mut self, node: NodeAddress, effects: &mut Effects<G>) {
        if self.ended {
            return;
        }
        let part = self.parts.entry(node).or_insert(Part::AwaitConnection);
        if matches!(part, Part::AwaitConnection) {
            *part = Part::AwaitSupported;
            effects.push(Effect::Send {
                node,
                payload: self.request.opening(),
            });
        }
    }

    /// The connection to `node` is down.
    pub fn disconnected(&mut self, node: NodeAddress, effects: &mut Effects<G>) {
        if let Some(part @ (Part::AwaitSupported | Part::Running(_))) = self.parts.get_mut(&node) {
            *part = Part::AwaitConnection;
            effects.push(Effect::Notify(Notification::Disconnected(node)));
        }
    }

    /// A message of the request came from `node`.
    pub fn receive(&mut self, node: NodeAddress, payload: &[u8], effects: &mut Effects<G>) {
        let Some(part) = self.parts.get_mut(&node) else {
            return;
        };
        match part {
            // Nothing was asked there that is still unanswered (`neo-transport.md` 8.4).
            Part::AwaitConnection | Part::Ended => {}
            Part::AwaitSupported => match SupportedStatus::decode(payload) {
                Ok(SupportedStatus::Supported) => *part = Part::Running(G::Part::default()),
                Ok(status) => {
                    *part = Part::Ended;
                    effects.push(Effect::Notify(Notification::Unsupported(node, status)));
                }
                Err(error) => effects.push(Self::close(node, "supported status", error)),
            },
            Part::Running(state) => {
                let mut notices = Vec::new();
                let told = self.request.receive(node, state, payload, &mut notices);
                effects.extend(
                    notices
                        .into_iter()
                        .map(|notice| Effect::Notify(Notification::Notice(notice))),
                );
                match told {
                    Ok(Told::Something) => {}
                    Ok(Told::Everything) => *part = Part::Ended,
                    Ok(Told::Error) => {
                        *part = Part::Ended;
                        effects.push(Effect::Notify(Notification::NodeError(node)));
                    }
                    Err(error) => effects.push(Self::close(node, "answer", error)),
                }
            }
        }
        self.end_if_all_have(effects);
    }

    /// Has the user been told that every node is done?
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Where the request stands on `node`, by a name that stays the same.
    pub fn phase(&self, node: NodeAddress) -> &'static str {
        match self.parts.get(&node) {
            None | Some(Part::AwaitConnection) => "AwaitConnection",
            Some(Part::AwaitSupported) => "AwaitSupported",
            Some(Part::Running(part)) => G::phase(part),
            Some(Part::Ended) => "Ended",
        }
    }

    fn end_if_all_have(&mut self, effects: &mut Effects<G>) {
        if !self.ended && self.parts.values().all(|part| matches!(part, Part::Ended)) {
            self.ended = true;
            effects.push(Effect::Notify(Notification::Finished));
        }
    }

    /// The part starts over when the connection is back: a node that broke the protocol once is not
    /// left out for ever (P10, F42).
    fn close(
        node: NodeAddress,
        message: &'static str,
        error: DecodeError,
    ) -> Effect<Notification<G::Notice>> {
        Effect::Close {
            node,
            violation: Violation::Malformed {
                request: G::CODE,
                message,
                error,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neo::request::{get_channels, remove_channel};
    use crate::testing::talk::{closed, sent, told};
    use crate::testing::{hex, node};

    type Removal = Gathering<remove_channel::Client>;

    fn removal() -> Removal {
        Gathering::new(remove_channel::Client::new("c".into()))
    }

    /// A removal that has asked these nodes.
    fn asked(ports: &[u16]) -> Removal {
        let mut request = removal();
        for port in ports {
            request.connected(node(*port), &mut Vec::new());
        }
        request
    }

    fn hear(request: &mut Removal, said: &[(u16, &str)]) -> Effects<remove_channel::Client> {
        let mut effects = Vec::new();
        for (port, message) in said {
            request.receive(node(*port), &hex(message), &mut effects);
        }
        effects
    }

    #[test]
    fn every_node_is_asked_when_it_is_connected() {
        let (mut request, mut effects) = (removal(), Vec::new());
        request.add_node(node(1));
        assert_eq!(effects, []);
        request.connected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        request.connected(node(2), &mut effects);
        let opening = hex("09 00 0100000000000000 63");
        assert_eq!(
            sent(&effects),
            [(node(1), opening.clone()), (node(2), opening)]
        );
    }

    #[test]
    fn it_finishes_once_when_all_nodes_have() {
        let mut request = asked(&[1, 2]);
        assert_eq!(
            hear(&mut request, &[(1, "fd"), (2, "fd"), (2, "01"), (2, "01")]),
            []
        );
        assert!(!request.is_ended());
        let effects = hear(&mut request, &[(1, "01"), (1, "01")]);
        assert_eq!(effects, [Effect::Notify(Notification::Finished)]);
        assert!(request.is_ended());

        let mut effects = Vec::new();
        request.disconnected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        request.add_node(node(3));
        request.connected(node(3), &mut effects);
        assert_eq!(effects, [], "P06, P08");
        assert!(request.is_ended());
    }

    #[test]
    fn a_node_that_is_known_but_not_connected_is_waited_for() {
        let mut request = asked(&[1]);
        request.add_node(node(2));
        assert_eq!(hear(&mut request, &[(1, "fd"), (1, "01")]), []);
        let mut effects = Vec::new();
        request.connected(node(2), &mut effects);
        assert_eq!(sent(&effects).len(), 1);
        let effects = hear(&mut request, &[(2, "fd"), (2, "01")]);
        assert_eq!(told(&effects), [Notification::Finished]);
    }

    #[test]
    fn after_a_reconnection_a_node_is_asked_again() {
        for heard in [&[][..], &[(1, "fd")]] {
            let mut request = asked(&[1]);
            let mut effects = hear(&mut request, heard);
            request.disconnected(node(1), &mut effects);
            assert_eq!(told(&effects), [Notification::Disconnected(node(1))]);
            assert_eq!(
                hear(&mut request, &[(1, "fd"), (1, "01")]),
                [],
                "nothing is believed of the old connection"
            );
            effects.clear();
            request.connected(node(1), &mut effects);
            assert_eq!(sent(&effects).len(), 1, "P10");
            let effects = hear(&mut request, &[(1, "fd"), (1, "01")]);
            assert_eq!(told(&effects), [Notification::Finished]);
        }
    }

    #[test]
    fn a_node_that_fails_takes_no_further_part() {
        let mut request = asked(&[1, 2, 3]);
        let effects = hear(&mut request, &[(1, "ff"), (2, "fd"), (2, "03")]);
        let status = SupportedStatus::NotSupported;
        assert_eq!(
            told(&effects),
            [
                Notification::Unsupported(node(1), status),
                Notification::NodeError(node(2)),
            ]
        );
        let mut effects = Vec::new();
        request.disconnected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        assert_eq!(effects, []);
        let effects = hear(&mut request, &[(3, "fd"), (3, "01")]);
        assert_eq!(told(&effects), [Notification::Finished]);
    }

    #[test]
    fn a_node_that_breaks_the_protocol_is_closed_and_asked_again() {
        for bad in [
            &[(1, "00")][..],
            &[(1, "fd"), (1, "04")],
            &[(1, "fd"), (1, "")],
        ] {
            let mut request = asked(&[1, 2]);
            let mut effects = hear(&mut request, bad);
            assert_eq!(closed(&effects), [node(1)]);
            assert_eq!(told(&effects), []);
            request.disconnected(node(1), &mut effects);
            effects.clear();
            request.connected(node(1), &mut effects);
            assert_eq!(sent(&effects).len(), 1, "P10, F42");
            let said = [(2, "fd"), (2, "01"), (1, "fd"), (1, "01")];
            let effects = hear(&mut request, &said);
            assert_eq!(told(&effects), [Notification::Finished], "P09");
        }
    }

    #[test]
    fn without_a_node_it_waits_for_one() {
        let mut request = Gathering::new(get_channels::Client::default());
        let mut effects = Vec::new();
        request.receive(node(1), &[3], &mut effects);
        request.disconnected(node(1), &mut effects);
        assert_eq!(effects, []);
        assert!(!request.is_ended());
    }
}
