//! What users are told of records (`neo-requests.md` 16.2), as clients have to see to it.

use bytes::Bytes;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::{Failure, RecordName, RequestCode, exists, get, remove, update};

use super::copies::{asking, code_of, record_of};
use super::every_request::is_end;
use super::{About, Kind, Property};
use crate::world::{Client, Frame, NODES, Node, Note, REQUESTS, Request, address, node_at};

/// What each client knows of the nodes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Known {
    registries: Vec<Registry>,
    asked: Vec<AskedBy>,
}

/// What a property has to know of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct AskedBy {
    client: Client,
    code: Option<RequestCode>,
    record: Option<RecordName>,
}

impl Known {
    fn at_start(frame: &Frame) -> Self {
        let registries = frame.clients.iter().map(|client| {
            let mut registry = Registry::default();
            for node in &client.knows {
                registry.learn(address(*node), frame.nodes[*node].range);
            }
            registry
        });
        let asked = frame.requests.iter().map(|setup| {
            let asks = setup.asks.as_ref();
            AskedBy {
                client: setup.client,
                code: asks.and_then(code_of),
                record: asks.and_then(record_of).cloned(),
            }
        });
        Self {
            registries: registries.collect(),
            asked: asked.collect(),
        }
    }

    fn note(&mut self, note: &Note) {
        if let Note::Learned(client, node, range) = note {
            self.registries[*client].learn(address(*node), *range);
        }
    }

    /// The nodes that cover the record of a request, newest first.
    fn covering(&self, request: Request) -> Vec<Node> {
        let Some(AskedBy {
            client,
            record: Some(record),
            ..
        }) = self.asked.get(request)
        else {
            return Vec::new();
        };
        let covering = self.registries[*client].covering(record.key);
        covering.into_iter().filter_map(node_at).collect()
    }

    fn code(&self, request: Request) -> Option<RequestCode> {
        self.asked.get(request)?.code
    }
}

/// P14: a Put that succeeds has stored, and one that was turned away has not.
#[derive(Clone, Copy, Debug)]
pub struct PutStores;

/// What a Put has done.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Putting {
    newest: Option<Node>,
    stored: [bool; NODES],
}

impl Property for PutStores {
    type Memory = (Known, [Option<Putting>; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P14",
            kind: Kind::Always,
            sentence: "A Put that succeeds has stored the value on the newest node; one that is turned away has not stored it.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Known::at_start(frame), Default::default())
    }

    fn note(&self, (known, puts): &mut Self::Memory, note: &Note) -> bool {
        known.note(note);
        match note {
            Note::Begun(request) if known.code(*request) == Some(RequestCode::Put) => {
                let newest = known.covering(*request).first().copied();
                let stored = [false; NODES];
                puts[*request] = Some(Putting { newest, stored });
            }
            Note::Wrote(node, _, _, Some(_), Some(request)) => {
                if let Some(put) = &mut puts[*request] {
                    put.stored[*node] = true;
                }
            }
            Note::Told(request, told) if is_end(told) => {
                let Some(put) = puts[*request].take() else {
                    return false;
                };
                return match told {
                    Told::Put(Ok(())) => !put.newest.is_some_and(|newest| put.stored[newest]),
                    Told::Put(Err(
                        Failure::WrongNode { .. } | Failure::NoNode | Failure::ValueTooBig { .. },
                    )) => put.stored.contains(&true),
                    _ => false,
                };
            }
            _ => {}
        }
        false
    }
}

/// P18: who says that there is no record has asked everybody.
#[derive(Clone, Copy, Debug)]
pub struct NoRecordAnywhere;

impl Property for NoRecordAnywhere {
    /// The nodes that have not yet said that they have none.
    type Memory = (Known, [Option<[bool; NODES]>; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P18",
            kind: Kind::Always,
            sentence: "That there is no record is told only when every node that covers the key has said so.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Known::at_start(frame), Default::default())
    }

    fn note(&self, (known, missing): &mut Self::Memory, note: &Note) -> bool {
        known.note(note);
        match note {
            Note::Begun(request) => {
                let mut nodes = [false; NODES];
                for node in known.covering(*request) {
                    nodes[node] = true;
                }
                missing[*request] = Some(nodes);
            }
            Note::ClientTook(request, node, payload) => {
                if let Some(missing) = &mut missing[*request]
                    && says_no_record(known.code(*request), payload)
                {
                    missing[*node] = false;
                }
            }
            Note::Told(request, told) if is_end(told) => {
                let missing = missing[*request].take();
                let none = matches!(
                    told,
                    Told::Get(Ok(None))
                        | Told::Exists(Ok(false))
                        | Told::Update(update::Notification::Ended(Ok(update::Updated::NoRecord)))
                );
                return none && missing.is_some_and(|missing| missing.contains(&true));
            }
            _ => {}
        }
        false
    }
}

/// P21: whether a Remove has removed is told of all nodes together.
#[derive(Clone, Copy, Debug)]
pub struct RemoveCountsAll;

impl Property for RemoveCountsAll {
    /// Has any node said that it removed?
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P21",
            kind: Kind::Always,
            sentence: "A Remove tells that there was a record if any node removed one, and only then.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, removed: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::ClientTook(request, _, payload) => {
                removed[*request] |= payload[..] == remove::Reply::Removed.encode();
            }
            Note::Told(request, told) if is_end(told) => {
                let any = std::mem::take(&mut removed[*request]);
                return matches!(told, Told::Remove(Ok(removed)) if *removed != any);
            }
            _ => {}
        }
        false
    }
}

/// P22: a Remove that fails half-way uncovers no older copy. For frames in which nobody puts the record.
#[derive(Clone, Debug)]
pub struct NoOlderCopy {
    /// The record.
    pub record: RecordName,
    /// The node that has the newest copy at the beginning.
    pub newest: Node,
}

impl Property for NoOlderCopy {
    /// The newest copy, and which requests ask for the record.
    type Memory = (Option<Bytes>, [bool; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P22",
            kind: Kind::Always,
            sentence: "However far a Remove gets, a Get returns the newest copy or none.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let newest = frame.nodes.get(self.newest);
        let newest = newest.and_then(|store| store.value(&self.record.channel, self.record.key));
        let asks = asking(frame, RequestCode::Get, &self.record);
        (newest.cloned(), asks)
    }

    fn note(&self, (newest, asks): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Told(request, Told::Get(Ok(Some(value)))) => {
                asks[*request] && newest.as_ref() != Some(value)
            }
            _ => false,
        }
    }
}

/// Is this a node's word that it has no such record?
pub fn says_no_record(code: Option<RequestCode>, payload: &[u8]) -> bool {
    match code {
        Some(RequestCode::Get) => payload == get::Reply::NoRecord.encode(),
        Some(RequestCode::Exists) => payload == exists::Reply::NoRecord.encode(),
        Some(RequestCode::Remove) => payload == remove::Reply::NoRecord.encode(),
        Some(RequestCode::Update) => {
            update::FromNode::decode(payload) == Ok(update::FromNode::NoRecord)
        }
        _ => false,
    }
}
