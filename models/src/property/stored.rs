//! What requests for a record do to what a node stores, and say of it (`neo-requests.md` 16.1 and 16.2).

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::neo::batch;
use dht_protocol::neo::client::{Request as Asks, Told};
use dht_protocol::neo::request::{RecordName, RequestCode, exists, get, get_all, remove, update};

use super::copies::{Copies, asking};
use super::dialogue::{Dialogues, Owners, Stage, is_wrong_node};
use super::every_request::is_end;
use super::records::says_no_record;
use super::{About, Kind, Property};
use crate::world::{Frame, NODES, Node, Note, REQUESTS, Request};

/// P12: a request that is turned away has changed nothing.
#[derive(Clone, Copy, Debug)]
pub struct WrongNodeChangesNothing;

impl Property for WrongNodeChangesNothing {
    /// Which requests have changed something on which node.
    type Memory = (Dialogues, [[bool; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P12",
            kind: Kind::Always,
            sentence: "A node that is not responsible for a key changes nothing, not even the list of channels.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Dialogues::new(frame), Default::default())
    }

    fn note(&self, (dialogues, changed): &mut Self::Memory, note: &Note) -> bool {
        let said = dialogues.note(note);
        match note {
            Note::Wrote(node, .., Some(request)) | Note::CreatedChannel(node, _, Some(request)) => {
                changed[*request][*node] = true;
            }
            Note::NodeSent(request, node, payload) => {
                if let Some((Stage::Supported(code), _)) = said {
                    return is_wrong_node(code, payload) && changed[*request][*node];
                }
            }
            Note::NodeEnded(request, node) => changed[*request][*node] = false,
            Note::NodeDown(_, node) => {
                for (request, changed) in changed.iter_mut().enumerate() {
                    changed[*node] &= dialogues.stage(request, *node) != Stage::Silent;
                }
            }
            _ => {}
        }
        false
    }
}

/// P16: what a Get returns was there while it ran.
#[derive(Clone, Debug)]
pub struct GetReturnsWhatWas(pub RecordName);

/// What the record has been on each node while a Get runs, and which node has spoken last.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Been {
    values: [BTreeSet<Bytes>; NODES],
    speaks: Option<Node>,
}

impl Property for GetReturnsWhatWas {
    type Memory = (Copies, [bool; REQUESTS], [Option<Been>; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P16",
            kind: Kind::Always,
            sentence: "The value that a Get returns was the record's on that node at some moment while the Get ran.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let gets = asking(frame, RequestCode::Get, &self.0);
        (Copies::at_start(frame, &self.0), gets, Default::default())
    }

    fn note(&self, (copies, gets, been): &mut Self::Memory, note: &Note) -> bool {
        if let Some((node, _)) = copies.note(&self.0, note) {
            for been in been.iter_mut().flatten() {
                been.values[node].extend(copies.0[node].clone());
            }
        }
        match note {
            Note::Begun(request) if gets[*request] => {
                let values = copies
                    .0
                    .each_ref()
                    .map(|value| value.iter().cloned().collect());
                been[*request] = Some(Been {
                    values,
                    speaks: None,
                });
            }
            Note::ClientTook(request, node, _) => {
                if let Some(been) = &mut been[*request] {
                    been.speaks = Some(*node);
                }
            }
            Note::Told(request, told) if is_end(told) => {
                let (Some(been), Told::Get(Ok(Some(value)))) = (been[*request].take(), told) else {
                    return false;
                };
                let speaks = been.speaks;
                return !speaks.is_some_and(|node| been.values[node].contains(value));
            }
            _ => {}
        }
        false
    }
}

/// P19: all requests see the same of a record that nobody changes. For frames in which nothing is written.
#[derive(Clone, Debug)]
pub struct RequestsAgree(pub Vec<RecordName>);

/// What nodes have said of whether there is a record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Statements {
    dialogues: Dialogues,
    record: RecordName,
    /// Which requests ask for the record, or list it.
    ask: [bool; REQUESTS],
    there: [Option<bool>; NODES],
    /// Has a GetAll been sent the record?
    listed: [[bool; NODES]; REQUESTS],
}

impl Property for RequestsAgree {
    type Memory = Vec<Statements>;

    fn about(&self) -> About {
        About {
            id: "P19",
            kind: Kind::Always,
            sentence: "While nothing is written, Exists, Get, GetAll and Update agree on which records there are.",
        }
    }

    fn start(&self, frame: &Frame) -> Vec<Statements> {
        let records = self.0.iter();
        records
            .map(|record| Statements::of(record, frame))
            .collect()
    }

    fn note(&self, memory: &mut Vec<Statements>, note: &Note) -> bool {
        let contradictions = memory.iter_mut().filter_map(|about| about.note(note));
        contradictions.count() > 0
    }
}

impl Statements {
    fn of(record: &RecordName, frame: &Frame) -> Self {
        let gets = asking(frame, RequestCode::Get, record);
        let exists = asking(frame, RequestCode::Exists, record);
        let updates = asking(frame, RequestCode::Update, record);
        let lists = |request: usize| {
            let asks = frame.requests.get(request)?.asks.as_ref()?;
            Some(matches!(asks, Asks::GetAll(channel, _) if *channel == record.channel))
        };
        let ask = |request: usize| {
            gets[request] || exists[request] || updates[request] || lists(request) == Some(true)
        };
        Self {
            dialogues: Dialogues::new(frame),
            record: record.clone(),
            ask: std::array::from_fn(ask),
            there: Default::default(),
            listed: Default::default(),
        }
    }

    /// Something happened: a contradiction, perhaps.
    fn note(&mut self, note: &Note) -> Option<()> {
        let said = self.dialogues.note(note);
        let (Note::NodeSent(request, node, payload), Some((Stage::Supported(code), _))) =
            (note, said)
        else {
            return None;
        };
        if !self.ask[*request] {
            return None;
        }
        let is_there = self.is_there(code, payload, (*request, *node))?;
        let before = self.there[*node].replace(is_there)?;
        (before != is_there).then_some(())
    }

    /// What a node's message says of the record, if anything.
    fn is_there(
        &mut self,
        code: RequestCode,
        payload: &[u8],
        (request, node): (Request, Node),
    ) -> Option<bool> {
        if says_no_record(Some(code), payload) {
            return Some(false);
        }
        let listed = &mut self.listed[request][node];
        match code {
            RequestCode::Get => (payload == get::Reply::Got.encode()).then_some(true),
            RequestCode::Exists => {
                (payload == exists::Reply::RecordExists.encode()).then_some(true)
            }
            RequestCode::Update => is_record(payload).then_some(true),
            RequestCode::GetAll => match get_all::FromNode::decode(payload).ok()? {
                get_all::FromNode::RecordBatch(block) => {
                    let records = batch::decode_records(&block).ok()?;
                    let has_it = records.iter().any(|(key, _)| *key == self.record.key);
                    *listed |= has_it;
                    has_it.then_some(true)
                }
                get_all::FromNode::Finished => Some(*listed),
                _ => None,
            },
            _ => None,
        }
    }
}

/// P20: a node removes what it says it removes.
#[derive(Clone, Debug)]
pub struct RemoveRemoves(pub RecordName);

/// What a Remove has found and done on a node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Removal {
    was_there: bool,
    removed: bool,
}

impl Property for RemoveRemoves {
    type Memory = (
        Copies,
        Owners,
        [[Option<Removal>; NODES]; REQUESTS],
        [bool; REQUESTS],
    );

    fn about(&self) -> About {
        About {
            id: "P20",
            kind: Kind::Always,
            sentence: "A node says Removed if it had the record and has it no more, and NoRecord if it had none.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let removes = asking(frame, RequestCode::Remove, &self.0);
        let copies = Copies::at_start(frame, &self.0);
        (copies, Owners::of(frame), Default::default(), removes)
    }

    fn note(&self, (copies, owners, removals, removes): &mut Self::Memory, note: &Note) -> bool {
        if let Some((node, Some(request))) = copies.note(&self.0, note)
            && let Some(removal) = &mut removals[request][node]
        {
            removal.removed = copies.0[node].is_none();
        }
        match note {
            Note::NodeTook(request, node, _) if removes[*request] => {
                removals[*request][*node].get_or_insert(Removal {
                    was_there: copies.0[*node].is_some(),
                    removed: false,
                });
            }
            Note::NodeSent(request, node, payload) => {
                let Some(removal) = removals[*request][*node] else {
                    return false;
                };
                let expected = match remove::Reply::decode(payload) {
                    Ok(remove::Reply::Removed) => true,
                    Ok(remove::Reply::NoRecord) => false,
                    // The supported status, or nothing that says whether there was a record.
                    _ => return false,
                };
                removals[*request][*node] = None;
                return (removal.was_there, removal.removed) != (expected, expected);
            }
            Note::NodeDown(client, node) => {
                for request in (0..REQUESTS).filter(|request| owners.own(*client, *request)) {
                    removals[request][*node] = None;
                }
            }
            _ => {}
        }
        false
    }
}

fn is_record(payload: &[u8]) -> bool {
    matches!(
        update::FromNode::decode(payload),
        Ok(update::FromNode::RecordValue(_))
    )
}
