//! Properties of GetHashRange and of what clients know of the nodes (`neo-requests.md` 16.6).

use dht_protocol::neo::request::get_hash_range::{Range, Update};
use dht_protocol::neo::request::{Command, Failure, RequestCode, SupportedStatus, put};
use dht_protocol::{HashRange, Key};

use super::dialogue::Owners;
use super::every_request::failure;
use super::{About, Kind, Property};
use crate::world::{CLIENTS, Client, Frame, NODES, Node, Note, Request, address};

/// P66: a node tells its range and every change since, in order and without gap.
#[derive(Clone, Copy, Debug)]
pub struct CompleteHistory;

/// What a node has to tell, in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum News {
    Supported,
    Range(HashRange),
    Update(Update),
}

/// The ranges, and what is still to be told on each request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Untold {
    owners: Owners,
    ranges: [HashRange; NODES],
    news: Vec<(Request, Node, Vec<News>)>,
}

impl Property for CompleteHistory {
    type Memory = Untold;

    fn about(&self) -> About {
        About {
            id: "P66",
            kind: Kind::Always,
            sentence: "GetHashRange tells a node's range and then everything that changes, in order and without a gap.",
        }
    }

    fn start(&self, frame: &Frame) -> Untold {
        Untold {
            owners: Owners::of(frame),
            ranges: ranges_of(frame),
            news: Vec::new(),
        }
    }

    fn note(&self, untold: &mut Untold, note: &Note) -> bool {
        match note {
            Note::NodeTook(request, node, payload) if is_opening(payload) => {
                let range = News::Range(untold.ranges[*node]);
                let known = untold
                    .news
                    .iter()
                    .any(|(r, n, _)| (r, n) == (request, node));
                if !known {
                    let news = vec![News::Supported, range];
                    untold.news.push((*request, *node, news));
                    // In an order that does not depend on who came first.
                    untold
                        .news
                        .sort_unstable_by_key(|(request, node, _)| (*request, *node));
                }
            }
            Note::Announced(teller, node, range) => {
                untold.add(*teller, Update::NewNode(address(*node), *range));
            }
            Note::Ranged(node, range) => {
                untold.ranges[*node] = *range;
                untold.add(*node, Update::ChangeHashRange(*range));
            }
            Note::NodeSent(request, node, payload) => {
                let news = untold
                    .news
                    .iter_mut()
                    .find(|(r, n, _)| (r, n) == (request, node));
                let Some((.., news)) = news else {
                    return false;
                };
                if news.is_empty() {
                    return true;
                }
                return !news.remove(0).is_told_by(payload);
            }
            Note::NodeEnded(request, node) => {
                untold.news.retain(|(r, n, _)| (r, n) != (request, node));
            }
            Note::NodeDown(client, node) => {
                let owners = untold.owners;
                untold
                    .news
                    .retain(|(r, n, _)| n != node || !owners.own(*client, *r));
            }
            _ => {}
        }
        false
    }
}

impl Untold {
    fn add(&mut self, teller: Node, update: Update) {
        for (_, node, news) in &mut self.news {
            if *node == teller {
                news.push(News::Update(update));
            }
        }
    }
}

impl News {
    fn is_told_by(self, payload: &[u8]) -> bool {
        match self {
            Self::Supported => payload == SupportedStatus::Supported.encode(),
            Self::Range(range) => Range::decode(payload) == Ok(Range(range)),
            Self::Update(update) => Update::decode(payload) == Ok(update),
        }
    }
}

/// What the nodes are responsible for, and what each client with a GetHashRange knows of it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Knowledge {
    ranges: [HashRange; NODES],
    known: [[Option<HashRange>; NODES]; CLIENTS],
    /// Who asks for ranges.
    asks: [bool; CLIENTS],
}

impl Knowledge {
    fn new(frame: &Frame) -> Self {
        let ranges = ranges_of(frame);
        let mut known = [[None; NODES]; CLIENTS];
        for (known, setup) in known.iter_mut().zip(&frame.clients) {
            for node in &setup.knows {
                known[*node] = Some(ranges[*node]);
            }
        }
        let mut asks = [false; CLIENTS];
        for setup in frame.requests.iter().filter(|setup| setup.asks.is_none()) {
            asks[setup.client] = true;
        }
        Self {
            ranges,
            known,
            asks,
        }
    }

    /// Something happened. Is there another range, or does a client know another one?
    fn note(&mut self, note: &Note) -> bool {
        match note {
            Note::Ranged(node, range) => self.ranges[*node] = *range,
            Note::Learned(client, node, range) => self.known[*client][*node] = Some(*range),
            _ => return false,
        }
        true
    }

    fn askers(&self) -> impl Iterator<Item = &[Option<HashRange>; NODES]> {
        let clients = self.known.iter().zip(self.asks);
        clients.filter(|(_, asks)| *asks).map(|(known, _)| known)
    }

    fn covers(&self, client: Client, node: Node, key: Key) -> bool {
        self.known[client][node].is_some_and(|range| range.covers(key))
    }
}

/// P67: every change of a range reaches every client in the end.
#[derive(Clone, Copy, Debug)]
pub struct ChangesReachClients;

impl Property for ChangesReachClients {
    type Memory = Knowledge;

    fn about(&self) -> About {
        About {
            id: "P67",
            kind: Kind::Eventually,
            sentence: "In the end every client knows the range of every node that it knows.",
        }
    }

    fn start(&self, frame: &Frame) -> Knowledge {
        Knowledge::new(frame)
    }

    fn note(&self, knowledge: &mut Knowledge, note: &Note) -> bool {
        knowledge.note(note);
        false
    }

    fn owes(&self, knowledge: &Knowledge) -> bool {
        let ranges = &knowledge.ranges;
        let mut askers = knowledge.askers();
        askers.any(|known| {
            let mut known = known.iter().zip(ranges);
            known.any(|(known, range)| known.is_some_and(|known| known != *range))
        })
    }
}

/// P68: whatever key a node is responsible for, every client knows a node for it.
#[derive(Clone, Debug)]
pub struct AlwaysANode(pub Vec<Key>);

impl Property for AlwaysANode {
    type Memory = Knowledge;

    fn about(&self) -> About {
        About {
            id: "P68",
            kind: Kind::Always,
            sentence: "Every client knows at any time a node for every key that some node is responsible for.",
        }
    }

    fn start(&self, frame: &Frame) -> Knowledge {
        Knowledge::new(frame)
    }

    fn note(&self, knowledge: &mut Knowledge, note: &Note) -> bool {
        if !knowledge.note(note) {
            return false;
        }
        let covered = |key: &&Key| knowledge.ranges.iter().any(|range| range.covers(**key));
        self.0.iter().filter(covered).any(|key| {
            let covers = |range: &Option<HashRange>| range.is_some_and(|range| range.covers(*key));
            knowledge.askers().any(|known| !known.iter().any(covers))
        })
    }
}

/// P69: a Put goes to the node that became responsible last.
#[derive(Clone, Copy, Debug)]
pub struct NewestIsAsked;

/// What clients know, and the nodes in the order in which they became responsible.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Seniority {
    knowledge: Knowledge,
    owners: Owners,
    order: Vec<Node>,
}

impl Property for NewestIsAsked {
    type Memory = Seniority;

    fn about(&self) -> About {
        About {
            id: "P69",
            kind: Kind::Always,
            sentence: "Of the nodes that a client knows for a key it asks the one first that became responsible last.",
        }
    }

    fn start(&self, frame: &Frame) -> Seniority {
        let order = frame.clients.first();
        Seniority {
            knowledge: Knowledge::new(frame),
            owners: Owners::of(frame),
            order: order.map(|client| client.knows.clone()).unwrap_or_default(),
        }
    }

    fn note(&self, seniority: &mut Seniority, note: &Note) -> bool {
        seniority.knowledge.note(note);
        match note {
            Note::Announced(_, node, _) => {
                seniority.order.retain(|known| known != node);
                seniority.order.push(*node);
                false
            }
            Note::ClientSent(request, node, payload) => {
                let Some(key) = put_key(payload) else {
                    return false;
                };
                let owns = |client: &Client| seniority.owners.own(*client, *request);
                let Some(client) = (0..CLIENTS).find(owns) else {
                    return false;
                };
                let mut newest = seniority.order.iter().rev();
                let newest = newest.find(|node| seniority.knowledge.covers(client, **node, key));
                newest != Some(node)
            }
            _ => false,
        }
    }
}

/// What P68 is for: nobody is told that there is no node.
#[derive(Clone, Copy, Debug)]
pub struct NoNodeIsNeverTold;

impl Property for NoNodeIsNeverTold {
    type Memory = ();

    fn about(&self) -> About {
        About {
            id: "no-node",
            kind: Kind::Always,
            sentence: "No user is told that there is no node for a key.",
        }
    }

    fn start(&self, _: &Frame) {}

    fn note(&self, (): &mut (), note: &Note) -> bool {
        matches!(note, Note::Told(_, told) if failure(told) == Some(&Failure::NoNode))
    }
}

fn ranges_of(frame: &Frame) -> [HashRange; NODES] {
    std::array::from_fn(|node| {
        let store = frame.nodes.get(node);
        store.map_or(HashRange::EMPTY, |store| store.range)
    })
}

fn is_opening(payload: &[u8]) -> bool {
    Command::decode(payload).is_ok_and(|(command, fields)| {
        command.request() == Ok(RequestCode::GetHashRange) && fields.is_empty()
    })
}

/// The key of a Put, if this is its message.
fn put_key(payload: &[u8]) -> Option<Key> {
    let (command, fields) = Command::decode(payload).ok()?;
    if command.request() != Ok(RequestCode::Put) {
        return None;
    }
    Some(put::Open::decode(fields).ok()?.record.key)
}
