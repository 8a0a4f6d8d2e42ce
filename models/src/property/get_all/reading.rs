//! The GetAll that properties are about, and what they hear of it.

use bytes::Bytes;
use dht_protocol::neo::batch::{self, MAX_VALUE};
use dht_protocol::neo::client::{Request as Asks, Told};
use dht_protocol::neo::request::get_all::{FromNode, Item, Settings};
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::{ChannelName, Key};

use crate::property::control::Stream;
use crate::world::{Frame, NODES, Node, Note, Request, node_at};

/// The keys of a channel are below this.
pub(super) const KEYS: usize = 8;

/// The GetAll that a property is about.
#[derive(Clone, Debug)]
pub struct Reading {
    pub(super) stream: Stream,
    channel: ChannelName,
    pub(super) settings: Settings,
}

impl Reading {
    /// The request with this number, of a frame; `None` if it is no GetAll.
    pub fn of(frame: &Frame, request: Request) -> Option<Self> {
        let Some(Asks::GetAll(channel, settings)) = frame.requests.get(request)?.asks.clone()
        else {
            return None;
        };
        Some(Self {
            stream: Stream::of(frame, request)?,
            channel,
            settings,
        })
    }

    /// Would a record with this value be delivered?
    pub(super) fn wants(&self, value: &[u8]) -> bool {
        let fits = self.settings.keys_only || value.len() <= MAX_VALUE;
        fits && self.matches(value)
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        let filter = &self.settings.value_filter;
        filter.is_empty() || value.windows(filter.len()).any(|part| part == filter)
    }

    /// A note as a change of the channel.
    pub(super) fn change<'a>(&self, note: &'a Note) -> Option<Change<'a>> {
        match note {
            Note::Wrote(node, channel, key, value, _) if *channel == self.channel => {
                Some(Change::Record(*node, place(*key)?, value.as_ref()))
            }
            Note::RemovedChannel(node, channel, _) if *channel == self.channel => {
                Some(Change::All(*node))
            }
            _ => None,
        }
    }

    /// The records that a message of a node holds.
    pub(super) fn batch(&self, note: &Note) -> Option<(Node, Vec<Found>)> {
        let Note::NodeSent(request, node, payload) = note else {
            return None;
        };
        if *request != self.stream.request {
            return None;
        }
        let Ok(FromNode::RecordBatch(block)) = FromNode::decode(payload) else {
            return None;
        };
        let records = match self.settings.keys_only {
            true => {
                let keys = batch::decode_keys(&block).unwrap_or_default();
                keys.into_iter().map(|key| (key, None)).collect()
            }
            false => {
                let records = batch::decode_records(&block).unwrap_or_default();
                let some = |(key, value)| (key, Some(value));
                records.into_iter().map(some).collect()
            }
        };
        Some((*node, records))
    }

    /// The key that the user is given.
    pub(super) fn item(&self, note: &Note) -> Option<(Node, Key)> {
        match note {
            Note::Told(request, Told::GetAll(Notification::Item(node, item)))
                if *request == self.stream.request =>
            {
                let (Item::Record(key, _) | Item::Key(key)) = item;
                Some((node_at(*node)?, *key))
            }
            _ => None,
        }
    }

    /// What each node's channel holds at the beginning.
    pub(super) fn first(&self, frame: &Frame, what: impl Fn(&[u8]) -> u8) -> [[u8; KEYS]; NODES] {
        let mut all = [[0; KEYS]; NODES];
        for (store, held) in frame.nodes.iter().zip(&mut all) {
            let channels = store.channels();
            let records = channels.filter(|(name, _)| **name == self.channel);
            for (key, value) in records.flat_map(|(_, records)| records) {
                if let Some(place) = place(*key) {
                    held[place] = what(value);
                }
            }
        }
        all
    }
}

/// A record in a batch; a key has no value.
pub(super) type Found = (Key, Option<Bytes>);

/// A change of the channel.
pub(super) enum Change<'a> {
    Record(Node, usize, Option<&'a Bytes>),
    All(Node),
}

pub(super) fn place(key: Key) -> Option<usize> {
    usize::try_from(key.0).ok().filter(|key| *key < KEYS)
}

pub(super) fn bit(place: usize) -> u8 {
    1 << place
}

/// The keys for which something holds, as bits.
pub(super) fn keys(held: &[u8; KEYS]) -> u8 {
    let held = held.iter().enumerate().filter(|(_, held)| **held != 0);
    held.fold(0, |keys, (place, _)| keys | bit(place))
}

/// Something by which a value is told from others.
pub(super) fn class(value: &[u8]) -> u8 {
    1 << (value.first().unwrap_or(&0) % 8)
}

pub(super) fn fits(value: &[u8]) -> u8 {
    u8::from(value.len() <= MAX_VALUE)
}
