//! What users of requests on all nodes are told, and what the histories of the records allow.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::{gather, get_all, mirror, remove_channel, stream};
use dht_protocol::{ChannelName, Key};

use crate::records::History;
use crate::tasks::{Judge, KEYS};
use crate::world::World;

/// What a stream tells besides its items, and when it may.
#[derive(Default)]
struct Controlled {
    started: bool,
    changed: bool,
    suspended: bool,
    stopping: bool,
}

impl Controlled {
    /// The item, if it is one, and whether it is the last notification.
    fn told<T: PartialEq>(
        &mut self,
        told: stream::Notification<T>,
    ) -> (Option<(NodeAddress, T)>, bool) {
        match told {
            stream::Notification::Item(node, item) => return (Some((node, item)), false),
            stream::Notification::Started => {
                assert!(!self.started && !self.changed, "P38");
                self.started = true;
            }
            stream::Notification::Suspended | stream::Notification::Resumed => {
                assert!(!self.stopping, "P36");
                self.changed = true;
                self.suspended = told == stream::Notification::Suspended;
            }
            stream::Notification::Stopped => {
                assert!(self.stopping);
                return (None, true);
            }
            stream::Notification::Finished => {
                assert!(!self.stopping, "P36");
                return (None, true);
            }
            stream::Notification::Disconnected(_) => {}
            stream::Notification::NodeError(_) | stream::Notification::Unsupported(..) => {
                panic!("no node has a reason for that")
            }
        }
        (None, false)
    }

    fn wanted(&mut self, control: Control) {
        self.stopping |= control == Control::Stop;
        self.suspended = false;
    }
}

/// GetAll.
pub(crate) struct Listing {
    channel: &'static str,
    control: Controlled,
    /// When it was started, for every record of every node.
    moments: BTreeMap<(NodeAddress, u64), usize>,
    seen: BTreeSet<(NodeAddress, u64)>,
}

impl Listing {
    pub(crate) fn new(channel: &'static str, world: &World) -> Self {
        let moments = world.servers.iter().flat_map(|server| {
            let moment = |key| ((server.address, key), server.memory.moment(channel, key));
            (0..KEYS).map(moment)
        });
        Self {
            channel,
            control: Controlled::default(),
            moments: moments.collect(),
            seen: BTreeSet::new(),
        }
    }

    fn history(&self, node: NodeAddress, key: u64, world: &World) -> History {
        let mut servers = world.servers.iter();
        let server = servers.find(|server| server.address == node).unwrap();
        let moment = self.moments[&(node, key)];
        server.memory.since(self.channel, key, moment)
    }
}

impl Judge<stream::Notification<get_all::Item>> for Listing {
    fn told(&mut self, told: stream::Notification<get_all::Item>, world: &World) -> bool {
        let finished = told == stream::Notification::Finished;
        let (item, last) = self.control.told(told);
        if let Some((node, item)) = item {
            let (get_all::Item::Record(key, _) | get_all::Item::Key(key)) = item;
            assert!(self.seen.insert((node, key.0)), "{key} a second time (P45)");
            let history = self.history(node, key.0, world);
            match item {
                get_all::Item::Record(_, value) => {
                    assert!(history.contains(&Some(value)), "P46");
                }
                get_all::Item::Key(_) => assert!(history.iter().any(Option::is_some)),
            }
        }
        for (node, key) in self.moments.keys().filter(|_| finished) {
            if let [Some(_)] = self.history(*node, *key, world)[..] {
                assert!(self.seen.contains(&(*node, *key)), "{key} is missing (P44)");
            }
        }
        last
    }

    fn wanted(&mut self, control: Control) {
        self.control.wanted(control);
    }
}

/// Mirror: a copy of the channel on every node.
pub(crate) struct Copy {
    channel: &'static str,
    control: Controlled,
    copies: BTreeMap<NodeAddress, BTreeMap<Key, Bytes>>,
    /// Removals may have been missed there.
    was_away: BTreeSet<NodeAddress>,
    removed: BTreeSet<NodeAddress>,
    over: bool,
}

impl Copy {
    pub(crate) fn new(channel: &'static str) -> Self {
        Self {
            channel,
            control: Controlled::default(),
            copies: BTreeMap::new(),
            was_away: BTreeSet::new(),
            removed: BTreeSet::new(),
            over: false,
        }
    }
}

impl Judge<stream::Notification<mirror::Item>> for Copy {
    fn told(&mut self, told: stream::Notification<mirror::Item>, _: &World) -> bool {
        if let stream::Notification::Disconnected(node) = told {
            self.was_away.insert(node);
        }
        let (item, last) = self.control.told(told);
        self.over = last;
        if let Some((node, item)) = item {
            let gone = item == mirror::Item::ChannelRemoved;
            assert!(gone || !self.control.suspended, "P41: {item:?}");
            let copy = self.copies.entry(node).or_default();
            match item {
                mirror::Item::Updated(key, value) | mirror::Item::Refreshed(key, value) => {
                    copy.insert(key, value);
                }
                mirror::Item::Deleted(key) => {
                    copy.remove(&key);
                }
                mirror::Item::ChannelRemoved => {
                    self.removed.insert(node);
                }
                mirror::Item::UpdatesLost => panic!("P59"),
            }
        }
        last
    }

    fn wanted(&mut self, control: Control) {
        self.control.wanted(control);
    }

    fn settled(&self, world: &World) {
        if self.over || self.control.stopping {
            return;
        }
        for server in &world.servers {
            let address = &server.address;
            if self.removed.contains(address) {
                continue;
            }
            let mut copy = self.copies.get(address).cloned().unwrap_or_default();
            let records = server.memory.records(self.channel);
            if self.was_away.contains(address) {
                copy.retain(|key, _| records.contains_key(key));
            }
            assert_eq!(copy, records, "P54");
        }
    }
}

/// GetChannels.
pub(crate) struct Names {
    seen: BTreeSet<String>,
    /// The channels when it was started, and how many had been removed by then.
    before: BTreeSet<String>,
    removals: usize,
}

impl Names {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            seen: BTreeSet::new(),
            before: names(world),
            removals: removals(world),
        }
    }
}

fn names(world: &World) -> BTreeSet<String> {
    let servers = world.servers.iter();
    servers.flat_map(|server| server.memory.names()).collect()
}

fn removals(world: &World) -> usize {
    let servers = world.servers.iter();
    servers.map(|server| server.memory.removals).sum()
}

impl Judge<gather::Notification<ChannelName>> for Names {
    fn told(&mut self, told: gather::Notification<ChannelName>, world: &World) -> bool {
        match told {
            gather::Notification::Notice(name) => {
                let name = name.to_string();
                assert!(["a", "b"].contains(&name.as_str()), "P25");
                assert!(self.seen.insert(name), "P26");
            }
            gather::Notification::Disconnected(_) => {}
            gather::Notification::Finished => {
                let all = self.before.is_subset(&self.seen);
                assert!(all || self.removals != removals(world), "P25");
                return true;
            }
            other => panic!("{other:?}"),
        }
        false
    }
}

/// RemoveChannel.
pub(crate) struct ChannelRemoval;

impl Judge<gather::Notification<remove_channel::Notice>> for ChannelRemoval {
    fn told(&mut self, told: gather::Notification<remove_channel::Notice>, _: &World) -> bool {
        match told {
            gather::Notification::Disconnected(_) => false,
            gather::Notification::Finished => true,
            other => panic!("{other:?}"),
        }
    }
}
