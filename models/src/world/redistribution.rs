//! Redistribution: a node is responsible for fewer keys than before, and its records follow to another one.

use bytes::Bytes;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::request::{ChannelId, Host};
use dht_protocol::{ChannelName, HashRange, Key};

use super::frame::{Transfer, address};
use super::node;
use super::note::{Node, Note};
use super::step::Step;
use super::store::Store;
use crate::defect::Defect;

impl Step<'_> {
    /// The other node is announced before the range changes, so that no client is without a node for a
    /// key in between (P68).
    pub(super) fn announce(&mut self) {
        let world = self.world;
        let Some(transfer) = world.frame.transfer else {
            return;
        };
        self.state.used.announced = true;
        self.change_range(transfer);
    }

    pub(super) fn change_range(&mut self, transfer: Transfer) {
        let world = self.world;
        let from = transfer.from;
        // The defect: the other way around.
        let late = world.frame.defects.has(Defect::F28);
        if !late {
            self.announce_node(from, transfer.to, transfer.gets);
        }
        let mut store = Store::clone(world.stores.get(self.state.stores[from]));
        store.range = transfer.keeps;
        self.state.stores[from] = world.stores.id(store);
        self.note(Note::Ranged(from, transfer.keeps));
        let changed = Update::ChangeHashRange(transfer.keeps);
        self.tell_all(from, node::Input::Ranged(changed));
        if late {
            self.announce_node(from, transfer.to, transfer.gets);
        }
    }

    /// A node tells its clients of another one.
    fn announce_node(&mut self, from: Node, to: Node, gets: HashRange) {
        self.note(Note::Announced(from, to, gets));
        let news = Update::NewNode(address(to), gets);
        self.tell_all(from, node::Input::Ranged(news));
    }

    /// A record follows to the node that is responsible for it now: its value replaces whatever that
    /// node has, and it is removed here (`semantics-and-client.md` A14).
    pub(super) fn move_record(&mut self, key: Key) {
        let world = self.world;
        let Some(transfer) = world.frame.transfer else {
            return;
        };
        let from = world.stores.get(self.state.stores[transfer.from]);
        let moved = from.channels().find_map(|(name, records)| {
            let value = records.get(&key)?;
            Some((name.clone(), value.clone()))
        });
        let Some((channel, value)) = moved else {
            return;
        };
        self.arrive(transfer.to, &channel, key, value);
        self.note(Note::Left(transfer.from, channel.clone(), key));
        self.change(transfer.from, |host| {
            let channel = host.open_channel(&channel)?;
            host.remove(channel, key).map(|_| ())
        });
    }

    /// A record that comes from another node is told to nobody.
    fn arrive(&mut self, node: Node, channel: &ChannelName, key: Key, value: Bytes) {
        let world = self.world;
        let mut store = Store::clone(world.stores.get(self.state.stores[node]));
        let (_, _) = store.change(world.frame.defects, |host| {
            let channel: ChannelId = host.open_channel(channel)?;
            host.put(channel, key, &value)
        });
        self.state.stores[node] = world.stores.id(store);
        self.note(Note::Arrived(node, channel.clone(), key, value));
    }
}
