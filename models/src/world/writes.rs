//! What nodes store is changed: by writers outside of the model, and by requests; and those who follow it are
//! told.

use dht_protocol::neo::request::{Host, HostError, mirror::Change};

use super::frame::{Write, WriteKind};
use super::node;
use super::note::{Node, Note, Request};
use super::step::Step;
use super::store::{Store, StoreHost, Written};
use crate::intern::Id;

impl Step<'_> {
    pub(super) fn write(&mut self, writer: usize) {
        let world = self.world;
        let position = usize::from(self.state.used.written[writer]);
        let Some(Write {
            node,
            channel,
            what,
        }) = world.frame.writers[writer].get(position)
        else {
            return;
        };
        self.state.used.written[writer] += 1;
        if let WriteKind::Legacy(order) = what {
            self.order_of_client(*node, order);
            return;
        }
        self.change(*node, |host| {
            match what {
                WriteKind::Put(key, value) => {
                    let channel = host.open_channel(channel)?;
                    host.put(channel, *key, value)?;
                }
                WriteKind::Remove(key) => {
                    let channel = host.open_channel(channel)?;
                    host.remove(channel, *key)?;
                }
                WriteKind::RemoveChannel => host.remove_channel(channel)?,
                WriteKind::Legacy(_) => {}
            }
            Ok(())
        });
    }

    /// Changes what a node stores, and tells those who follow it.
    pub(super) fn change(
        &mut self,
        node: Node,
        change: impl FnOnce(&mut StoreHost<'_>) -> Result<(), HostError>,
    ) {
        let world = self.world;
        let before = self.state.stores[node];
        let mut store = Store::clone(world.stores.get(before));
        // A store of a model never fails.
        let (_, written) = store.change(world.frame.defects, change);
        self.state.stores[node] = world.stores.id(store);
        self.spread(node, before, &written, None);
    }

    /// Tells those who follow a channel what was written. `before` is the store as it was.
    pub(super) fn spread(
        &mut self,
        node: Node,
        before: Id<Store>,
        written: &[Written],
        by: Option<Request>,
    ) {
        if written.is_empty() {
            return;
        }
        self.follow(node, before, written);
        let world = self.world;
        let (before, after) = (
            world.stores.get(before),
            world.stores.get(self.state.stores[node]),
        );
        for written in written {
            let (input, note) = match written {
                Written::Record(channel, change) => {
                    let (Change::Changed(key) | Change::Deleted(key)) = *change;
                    let name = after.name(*channel).or_else(|| before.name(*channel));
                    let name = name.cloned().unwrap_or_default();
                    let value = after.value(&name, key).cloned();
                    let value = value.filter(|_| matches!(change, Change::Changed(_)));
                    (
                        node::Input::Changed(*channel, *change),
                        Note::Wrote(node, name, key, value, by),
                    )
                }
                Written::Created(name) => {
                    self.note(Note::CreatedChannel(node, name.clone(), by));
                    continue;
                }
                Written::Channel(channel, name) => (
                    node::Input::ChannelRemoved(*channel),
                    Note::RemovedChannel(node, name.clone(), by),
                ),
            };
            self.note(note);
            self.tell_all(node, input);
        }
    }

    /// Gives an event to all requests that are active on a node.
    pub(super) fn tell_all(&mut self, node: Node, input: node::Input) {
        for request in 0..self.world.frame.requests.len() {
            if self.state.served[request][node] != self.world.nothing.served {
                self.node(request, node, input);
            }
        }
    }
}
