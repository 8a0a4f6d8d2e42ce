//! A record on every node, as properties follow it; and which requests are about it.

use bytes::Bytes;
use dht_protocol::neo::client;
use dht_protocol::neo::request::{RecordName, RequestCode};

use crate::world::{Frame, NODES, Node, Note, REQUESTS, Request};

/// The value of a record on each node.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Copies(pub [Option<Bytes>; NODES]);

impl Copies {
    /// As it is at the beginning.
    pub fn at_start(frame: &Frame, record: &RecordName) -> Self {
        Self(std::array::from_fn(|node| {
            let store = frame.nodes.get(node)?;
            store.value(&record.channel, record.key).cloned()
        }))
    }

    /// Something happened. Says on which node the record has changed, and by which request, if by any.
    pub fn note(&mut self, record: &RecordName, note: &Note) -> Option<(Node, Option<Request>)> {
        let (node, value, by) = match note {
            Note::Wrote(node, channel, key, value, by) if is(record, channel, *key) => {
                (*node, value.clone(), *by)
            }
            Note::Arrived(node, channel, key, value) if is(record, channel, *key) => {
                (*node, Some(value.clone()), None)
            }
            Note::Left(node, channel, key) if is(record, channel, *key) => (*node, None, None),
            Note::RemovedChannel(node, channel, by) if *channel == record.channel => {
                (*node, None, *by)
            }
            _ => return None,
        };
        self.0[node] = value;
        Some((node, by))
    }
}

/// Which requests of a frame ask this of a record.
pub fn asking(frame: &Frame, code: RequestCode, record: &RecordName) -> [bool; REQUESTS] {
    std::array::from_fn(|request| {
        let setup = frame.requests.get(request);
        let asks = setup.and_then(|setup| setup.asks.as_ref());
        asks.is_some_and(|asks| code_of(asks) == Some(code) && record_of(asks) == Some(record))
    })
}

/// Which record a request is about, if it is about one.
pub fn record_of(request: &client::Request) -> Option<&RecordName> {
    match request {
        client::Request::Put(open) => Some(&open.record),
        client::Request::Get(record)
        | client::Request::Exists(record)
        | client::Request::Remove(record)
        | client::Request::Update(record) => Some(record),
        _ => None,
    }
}

/// Which request it is, if it is one for a record.
pub fn code_of(request: &client::Request) -> Option<RequestCode> {
    match request {
        client::Request::Put(_) => Some(RequestCode::Put),
        client::Request::Get(_) => Some(RequestCode::Get),
        client::Request::Exists(_) => Some(RequestCode::Exists),
        client::Request::Remove(_) => Some(RequestCode::Remove),
        client::Request::Update(_) => Some(RequestCode::Update),
        _ => None,
    }
}

fn is(record: &RecordName, channel: &dht_protocol::ChannelName, key: dht_protocol::Key) -> bool {
    record.channel == *channel && record.key == key
}
