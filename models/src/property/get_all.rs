//! Properties of GetAll (`neo-requests.md` 16.4).
//!
//! They listen to the messages of one GetAll, and to what is written in the channel that it reads. Keys
//! are small numbers, and values are told apart by their first byte.

mod complete;
mod reading;

pub use complete::{Complete, Course};
pub use reading::Reading;

use dht_protocol::Key;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::get_all::{FromNode, Open};

use super::control::{Answer, Event, Said, Tidings};
use super::{About, AnyProperty, Kind, Property, watch};
use crate::world::{Frame, NODES, Note};
use reading::{Change, KEYS, bit, class, fits, keys, place};

impl Reading {
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
