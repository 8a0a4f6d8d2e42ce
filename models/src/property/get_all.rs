//! Properties of GetAll (`neo-requests.md` 16.4).
//!
//! They listen to the messages of one GetAll, and to what is written in the channel that it reads. Keys
//! are small numbers, and values are told apart by their first byte.

mod complete;

pub use complete::{Complete, Course};

use bytes::Bytes;
use dht_protocol::neo::batch::{self, MAX_VALUE};
use dht_protocol::neo::client::{Request as Asks, Told};
use dht_protocol::neo::request::get_all::{FromNode, Item, Open, Settings};
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::{ChannelName, Key};

use super::control::{Answer, Event, Said, Stream, Tidings};
use super::{About, AnyProperty, Kind, Property, watch};
use crate::world::{Frame, NODES, Node, Note, Request, node_at};

/// The keys of a channel are below this.
const KEYS: usize = 8;

/// The GetAll that a property is about.
#[derive(Clone, Debug)]
pub struct Reading {
    stream: Stream,
    channel: ChannelName,
    settings: Settings,
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

    /// The properties of every GetAll.
    pub fn properties(self) -> Vec<Box<dyn AnyProperty>> {
        let own = |reading: &Self| reading.clone();
        vec![
            watch(EndsUnlessSuspended(own(&self))),
            watch(Complete("P44", own(&self))),
            watch(NoRepetition(own(&self))),
            watch(Stored(own(&self))),
            watch(Matching(own(&self))),
            watch(WholeBatches(own(&self))),
            watch(WalkEnds(own(&self))),
            watch(FinishedEverywhere(own(&self))),
            watch(Continues(own(&self))),
            watch(WholeValues(self)),
        ]
    }

    /// Would a record with this value be delivered?
    fn wants(&self, value: &[u8]) -> bool {
        let fits = self.settings.keys_only || value.len() <= MAX_VALUE;
        fits && self.matches(value)
    }

    fn matches(&self, value: &[u8]) -> bool {
        let filter = &self.settings.value_filter;
        filter.is_empty() || value.windows(filter.len()).any(|part| part == filter)
    }

    /// A note as a change of the channel.
    fn change<'a>(&self, note: &'a Note) -> Option<Change<'a>> {
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
    fn batch(&self, note: &Note) -> Option<(Node, Vec<Found>)> {
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
    fn item(&self, note: &Note) -> Option<(Node, Key)> {
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
    fn first(&self, frame: &Frame, what: impl Fn(&[u8]) -> u8) -> [[u8; KEYS]; NODES] {
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
type Found = (Key, Option<Bytes>);

/// A change of the channel.
enum Change<'a> {
    Record(Node, usize, Option<&'a Bytes>),
    All(Node),
}

fn place(key: Key) -> Option<usize> {
    usize::try_from(key.0).ok().filter(|key| *key < KEYS)
}

fn bit(place: usize) -> u8 {
    1 << place
}

/// The keys for which something holds, as bits.
fn keys(held: &[u8; KEYS]) -> u8 {
    let held = held.iter().enumerate().filter(|(_, held)| **held != 0);
    held.fold(0, |keys, (place, _)| keys | bit(place))
}

/// Defines a property of a [`Reading`].
macro_rules! properties {
    ($(
        $(#[$meta:meta])*
        $name:ident: $id:literal, $kind:ident, $sentence:literal,
        $memory:ty, $start:expr, $note:expr $(, $owes:expr)?;
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Reading);

        impl Property for $name {
            type Memory = $memory;

            fn about(&self) -> About {
                About { id: $id, kind: Kind::$kind, sentence: $sentence }
            }

            fn start(&self, frame: &Frame) -> $memory {
                let start: fn(&Reading, &Frame) -> $memory = $start;
                start(&self.0, frame)
            }

            fn note(&self, memory: &mut $memory, note: &Note) -> bool {
                let judge: fn(&Reading, &mut $memory, &Note) -> bool = $note;
                judge(&self.0, memory, note)
            }

            $(fn owes(&self, memory: &$memory) -> bool {
                let owes: fn(&$memory) -> bool = $owes;
                owes(memory)
            })?
        }
    )+};
}

properties! {
    /// P07, of a GetAll whose user does not keep it suspended.
    EndsUnlessSuspended: "P07", Eventually,
    "A GetAll that its user does not leave suspended tells its end.",
    (bool, bool), |_, _| (false, false),
    |reading, (owed, suspended), note| {
        use dht_protocol::neo::request::control::Control;
        match (note, reading.stream.event(note)) {
            (Note::Begun(request), _) if *request == reading.stream.request => *owed = true,
            (_, Some(Event::Called(control, true))) => *suspended = control == Control::Suspend,
            (_, Some(Event::Told(Tidings::Stopped | Tidings::Finished))) => *owed = false,
            _ => {}
        }
        false
    },
    |(owed, suspended)| *owed && !*suspended;

    /// P45: nothing comes twice.
    NoRepetition: "P45", Always,
    "A node delivers no record twice that was not removed and written again.",
    [u8; NODES], |_, _| Default::default(),
    |reading, delivered, note| {
        match reading.change(note) {
            Some(Change::Record(node, place, None)) => delivered[node] &= !bit(place),
            Some(Change::All(node)) => delivered[node] = 0,
            _ => {}
        }
        if let Some(Event::Over) = reading.stream.event(note) {
            *delivered = Default::default();
        }
        let Some((node, key)) = reading.item(note) else {
            return false;
        };
        let bit = place(key).map_or(0, bit);
        let again = delivered[node] & bit != 0;
        delivered[node] |= bit;
        again
    };

    /// P46: what is delivered was there.
    Stored: "P46", Always,
    "A record that is delivered stood in that channel, with that value, at some moment since the node began.",
    [Seen; NODES],
    |reading, frame| reading.first(frame, class).map(|now| Seen { now, since: None }),
    |reading, seen, note| {
        match reading.change(note) {
            Some(Change::Record(node, place, value)) => {
                let seen = &mut seen[node];
                let class = value.map_or(0, |value| class(value));
                seen.now[place] = class;
                if let Some(since) = &mut seen.since {
                    since[place] |= class;
                }
            }
            Some(Change::All(node)) => seen[node].now = [0; KEYS],
            None => {}
        }
        match reading.stream.event(note) {
            Some(Event::NodeSaid(node, Answer::Started)) => seen[node].since = Some(seen[node].now),
            Some(Event::NodeEnded(node) | Event::NodeDown(node)) => seen[node].since = None,
            _ => {}
        }
        let Some((node, records)) = reading.batch(note) else {
            return false;
        };
        let since = seen[node].since.unwrap_or_default();
        records.iter().any(|(key, value)| {
            let stood = place(*key).map_or(0, |place| since[place]);
            match value {
                Some(value) => stood & class(value) == 0,
                None => stood == 0,
            }
        })
    };

    /// P47: the filter is looked at.
    Matching: "P47", Always,
    "Every record that is delivered matches the filter; if only keys are read, its value has matched since the node began.",
    ([[u8; KEYS]; NODES], [u8; NODES]),
    |reading, frame| (reading.first(frame, |value| u8::from(reading.matches(value))), [0; NODES]),
    |reading, (now, since), note| {
        if !reading.settings.keys_only {
            let batch = reading.batch(note);
            let values = batch.iter().flat_map(|(_, records)| records);
            return values.flat_map(|(_, value)| value).any(|value| !reading.matches(value));
        }
        if let Some(Change::Record(node, place, value)) = reading.change(note) {
            let matches = value.is_some_and(|value| reading.matches(value));
            now[node][place] = u8::from(matches);
            since[node] |= keys(&now[node]);
        }
        if let Some(Event::NodeSaid(node, Answer::Started)) = reading.stream.event(note) {
            since[node] = keys(&now[node]);
        }
        let batch = reading.batch(note);
        let mut records = batch.iter().flat_map(|(node, records)| {
            records.iter().map(move |(key, _)| (*node, *key))
        });
        records.any(|(node, key)| place(key).map_or(0, bit) & since[node] == 0)
    };

    /// P48: batches are whole.
    WholeBatches: "P48", Always,
    "A batch decompresses to the length that it says, at most 65,536 bytes, and is a list of whole records, or of keys if only keys are read.",
    (), |_, _| (),
    |reading, (), note| {
        let Note::NodeSent(request, _, payload) = note else {
            return false;
        };
        // Behind its type, what is no batch is no message either.
        if *request != reading.stream.request || payload.first() != Some(&7) {
            return false;
        }
        match FromNode::decode(payload) {
            Ok(FromNode::RecordBatch(block)) if reading.settings.keys_only => {
                batch::decode_keys(&block).is_err()
            }
            Ok(FromNode::RecordBatch(block)) => batch::decode_records(&block).is_err(),
            _ => true,
        }
    };

    /// P49: a node comes to the end of its records.
    WalkEnds: "P49", Eventually,
    "A node that is not suspended comes to the end of its records, if no more are added for ever.",
    [Walk; NODES], |_, _| Default::default(),
    |reading, walks, note| {
        match reading.stream.event(note) {
            Some(Event::NodeSaid(node, Answer::Started)) => walks[node].walks = true,
            Some(Event::Suspended(node, suspended)) => walks[node].suspended = suspended,
            Some(
                Event::NodeSaid(node, Answer::Final)
                | Event::NodeEnded(node)
                | Event::NodeDown(node),
            ) => walks[node] = Walk::default(),
            _ => {}
        }
        false
    },
    |walks| walks.iter().any(|walk| walk.walks && !walk.suspended);

    /// P50: finished means finished.
    FinishedEverywhere: "P50", Always,
    "A GetAll finishes only when every node that it knows has finished, or failed.",
    [bool; NODES],
    |reading, frame| {
        let mut open = [false; NODES];
        for node in &frame.clients[reading.stream.client].knows {
            open[*node] = true;
        }
        open
    },
    |reading, open, note| match reading.stream.event(note) {
        Some(
            Event::ClientHeard(node, Answer::Final) | Event::Told(Tidings::Failed(node)),
        ) => {
            open[node] = false;
            false
        }
        Some(Event::Told(Tidings::Finished)) => open.contains(&true),
        _ => false,
    };

    /// P51: a node goes on where it was.
    Continues: "P51", Always,
    "After a break the request goes on behind the last record that the user was given from that node, or from the beginning if there was none.",
    [Option<Key>; NODES], |_, _| Default::default(),
    |reading, last, note| {
        if let Some((node, key)) = reading.item(note) {
            last[node] = Some(key);
        }
        match reading.stream.event(note) {
            Some(Event::ClientSaid(node, Said::Open(open))) => {
                let open = Open::decode(open.get(2..).unwrap_or_default());
                open.map_or(true, |open| open.continue_from != last[node])
            }
            Some(Event::Over) => {
                *last = Default::default();
                false
            }
            _ => false,
        }
    };

    /// P52: whole or not at all.
    WholeValues: "P52", Always,
    "A record that is too large for a batch is left out, and never delivered in part.",
    [Fitting; NODES],
    |reading, frame| reading.first(frame, fits).map(|now| Fitting { now: keys(&now), since: 0 }),
    |reading, fitting, note| {
        match reading.change(note) {
            Some(Change::Record(node, place, value)) => {
                let fitting = &mut fitting[node];
                fitting.now &= !bit(place);
                if value.is_some_and(|value| fits(value) != 0) {
                    fitting.now |= bit(place);
                }
                fitting.since |= fitting.now;
            }
            Some(Change::All(node)) => fitting[node].now = 0,
            None => {}
        }
        if let Some(Event::NodeSaid(node, Answer::Started)) = reading.stream.event(note) {
            fitting[node].since = fitting[node].now;
        }
        let Some((node, records)) = reading.batch(note) else {
            return false;
        };
        let whole = |key: Key| fitting[node].since & place(key).map_or(0, bit) != 0;
        records.iter().any(|(key, value)| value.is_some() && !whole(*key))
    };
}

/// Something by which a value is told from others.
fn class(value: &[u8]) -> u8 {
    1 << (value.first().unwrap_or(&0) % 8)
}

fn fits(value: &[u8]) -> u8 {
    u8::from(value.len() <= MAX_VALUE)
}

/// The values of each key of a node: now, and all since it began.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Seen {
    now: [u8; KEYS],
    since: Option<[u8; KEYS]>,
}

/// The keys whose values fit into a batch: now, or at some time since the node began.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Fitting {
    now: u8,
    since: u8,
}

/// Where a node stands with its records.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Walk {
    walks: bool,
    suspended: bool,
}
