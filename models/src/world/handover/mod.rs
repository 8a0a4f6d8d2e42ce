//! A redistribution as a node does it that does it right: the machine that the node runs
//! ([`Redistribution`]), a connection between two nodes with what is on its way, and what the node that takes
//! records protects ([`Growth`]).
//!
//! Everything that can happen to it is one of the [`Part`]s. The machine is told what is written to its
//! node, as a node tells it.

mod host;
mod moving;

use bytes::Bytes;
use dht_protocol::legacy::NEO_PORT_OFFSET;
use dht_protocol::legacy::batch::decode_records;
use dht_protocol::legacy::redistribution::{Growth, Plan, Work};
use dht_protocol::legacy::{
    Event, Incoming, MAX_VALUE, NodeRequest, Order, Redistribute, Redistribution, Status, Target,
};
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::{Host, Key};

use super::frame::{Handover, Transfer, address};
use super::node;
use super::note::{Node, Note, Way};
use super::step::Step;
use super::store::{Store, Written};
use crate::defect::Defect;
use crate::intern::Id;
use host::{Deeds, HandoverHost};
use moving::Lane;
pub(super) use moving::Moving;
pub use moving::Part;

impl Step<'_> {
    /// Goes on with the redistribution.
    pub(super) fn hand_over(&mut self, part: Part) {
        let world = self.world;
        let Some(handover) = world.frame.handover else {
            return;
        };
        let transfer = handover.transfer;
        let mut moving = Moving::clone(world.movings.get(self.state.moving));
        match part {
            Part::Begin => self.begin(transfer, &mut moving),
            Part::Work => self.work(transfer, &mut moving),
            Part::Order => self.order(transfer, &mut moving),
            Part::Answer => self.answer(transfer, &mut moving),
            Part::Break => {
                self.state.used.spent.drops += 1;
                self.hang_up(transfer, &mut moving, handover.late);
            }
            Part::LateOrder => self.late_order(transfer, &mut moving),
            Part::LateEnd => {
                if let Some(lane) = moving.late.take() {
                    self.lost(transfer, &lane);
                }
            }
        }
        self.state.moving = world.movings.id(moving);
    }

    fn begin(&mut self, transfer: Transfer, moving: &mut Moving) {
        let (world, Transfer { from, to, .. }) = (self.world, transfer);
        moving.begun = true;
        self.note(Note::HandoverBegan(from));
        if world.frame.defects.has(Defect::A14) {
            self.switch(transfer);
        }
        let port = address(to).port().saturating_sub(NEO_PORT_OFFSET);
        let order = Redistribute {
            min: transfer.keeps.min(),
            max: transfer.keeps.max(),
            nodes: vec![Target {
                address: address(to).ip().to_string().into(),
                port,
                range: transfer.gets,
            }],
        };
        let mut store = self.store(from);
        let host = HandoverHost::new(&mut store, None, world.frame.defects);
        moving.source = Plan::new(&order)
            .ok()
            .map(|plan| Redistribution::new(plan, &host));
    }

    fn work(&mut self, transfer: Transfer, moving: &mut Moving) {
        let Some(source) = &mut moving.source else {
            return;
        };
        let (work, deeds) = self.on_store(transfer.from, None, |host| source.work(host));
        match work {
            Work::More | Work::Wait => {}
            Work::Switch => self.switch(transfer),
            Work::Over => moving.source = None,
        }
        // What it has handed over it tells nobody, nor itself.
        self.did(transfer.from, &deeds);
        self.dial(transfer, moving);
        if moving.source.is_none() {
            self.note(Note::HandoverOver(transfer.from));
        }
    }

    /// Connects to the other node if it is time, and sends it the next order.
    fn dial(&mut self, transfer: Transfer, moving: &mut Moving) {
        let Some(source) = &mut moving.source else {
            return;
        };
        // The defect: once is enough.
        let gives_up = self.world.frame.defects.has(Defect::M67) && moving.connections > 0;
        if source.next_dial().is_some() && !gives_up {
            moving.lane = Some(Lane::new(moving.connections));
            moving.connections += 1;
        }
        let Some(lane) = &mut moving.lane else {
            return;
        };
        if let Some(order) = source.next_order(0) {
            lane.link.send(&order);
            let bytes = Bytes::from(std::mem::take(lane.link.output()));
            lane.orders.push(bytes.clone());
            let way = Way::new(transfer, lane.number);
            self.note(Note::OrderSent(way, bytes));
            if self.world.frame.defects.has(Defect::M65) {
                self.remove_early(transfer.from, &order);
            }
        }
    }

    /// The defect: what was sent counts as handed over.
    fn remove_early(&mut self, node: Node, order: &Order) {
        let Order::PutBatch { channel, batch } = order else {
            return;
        };
        let records = decode_records(batch).unwrap_or_default();
        let ((), deeds) = self.on_store(node, None, |host| {
            if let Some(id) = host.find_channel(channel) {
                for (key, _) in &records {
                    host.give(id, *key);
                }
            }
        });
        self.did(node, &deeds);
    }

    fn order(&mut self, transfer: Transfer, moving: &mut Moving) {
        let Some(mut lane) = moving.lane.take() else {
            return;
        };
        if let Some(answer) = self.take_order(transfer, moving, &mut lane) {
            let way = Way::new(transfer, lane.number).back();
            self.note(Note::OrderSent(way, answer.clone()));
            lane.answers.push(answer);
        }
        moving.lane = Some(lane);
    }

    fn late_order(&mut self, transfer: Transfer, moving: &mut Moving) {
        let Some(mut lane) = moving.late.take() else {
            return;
        };
        // Nobody hears the answer.
        self.take_order(transfer, moving, &mut lane);
        moving.late = (!lane.orders.is_empty()).then_some(lane);
    }

    /// The next order arrives. Says what is answered.
    fn take_order(
        &mut self,
        transfer: Transfer,
        moving: &mut Moving,
        lane: &mut Lane,
    ) -> Option<Bytes> {
        if lane.orders.is_empty() {
            return None;
        }
        let order = lane.orders.remove(0);
        self.note(Note::OrderTook(Way::new(transfer, lane.number)));
        lane.node.feed(&order);
        let growth = moving.growth.clone();
        let protects = growth.filter(|_| !self.world.frame.defects.has(Defect::F18));
        let (closes, deeds) = self.on_store(transfer.to, protects.as_ref(), |host| {
            while let Ok(true) = lane.node.process(host) {}
            lane.node.process(host).is_err()
        });
        self.spread_by_order(transfer.to, &deeds, moving);
        let answer = std::mem::take(lane.node.output());
        (!closes && !answer.is_empty()).then(|| answer.into())
    }

    fn answer(&mut self, transfer: Transfer, moving: &mut Moving) {
        let (Some(lane), Some(source)) = (&mut moving.lane, &mut moving.source) else {
            return;
        };
        if lane.answers.is_empty() {
            return;
        }
        let answer = lane.answers.remove(0);
        self.note(Note::OrderTook(Way::new(transfer, lane.number).back()));
        lane.link.feed(&answer);
        let mut refused = false;
        loop {
            match lane.link.receive() {
                Ok(Some(Event::Answered(answer))) => {
                    refused |= source.answered(0, answer.status()).is_err();
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => {
                    source.lost(0);
                    refused = true;
                    break;
                }
            }
        }
        if refused {
            moving.lane = None;
        }
    }

    fn hang_up(&mut self, transfer: Transfer, moving: &mut Moving, late: bool) {
        let (Some(mut lane), Some(source)) = (moving.lane.take(), &mut moving.source) else {
            return;
        };
        source.lost(0);
        self.note(Note::HandoverBroke(transfer.from, transfer.to));
        let orders = std::mem::take(&mut lane.orders);
        for _ in lane.answers.drain(..) {
            self.note(Note::OrderLost(Way::new(transfer, lane.number).back()));
        }
        lane.orders = orders;
        if late && !lane.orders.is_empty() {
            moving.late = Some(lane);
        } else {
            self.lost(transfer, &lane);
        }
    }

    fn lost(&mut self, transfer: Transfer, lane: &Lane) {
        for _ in &lane.orders {
            self.note(Note::OrderLost(Way::new(transfer, lane.number)));
        }
    }

    /// A legacy client writes or reads a record: at this node, or at the other one if that is the one which is
    /// responsible. It is told at once.
    pub(super) fn order_of_client(&mut self, node: Node, order: &Order) {
        let others = (0..self.world.frame.nodes.len()).filter(|other| *other != node);
        let key = key_of(order);
        for node in std::iter::once(node).chain(others) {
            let covers = |key: Key| self.store(node).range.covers(key);
            if key.is_none_or(covers) {
                let incoming = Incoming::Order(order.clone());
                let before = self.state.stores[node];
                let (answer, deeds) =
                    self.on_store(node, None, |host| match NodeRequest::open(incoming, host) {
                        Ok(NodeRequest::Answer(answer)) => Some(answer),
                        _ => None,
                    });
                self.did(node, &deeds);
                self.spread(node, before, &deeds.written, None);
                if let Some(answer) = answer
                    && answer.status() != Status::WrongNode
                {
                    self.note(Note::Ordered(node, order.clone(), answer));
                    return;
                }
            }
        }
    }

    /// The other node is announced, and the range changes: in one step.
    fn switch(&mut self, transfer: Transfer) {
        let range = self.store(transfer.from).range;
        if range != transfer.keeps {
            self.change_range(transfer);
        }
    }

    /// What was written is told to the machines.
    pub(super) fn follow(&mut self, node: Node, before: Id<Store>, written: &[Written]) {
        let world = self.world;
        let Some(Handover { transfer, .. }) = world.frame.handover else {
            return;
        };
        let mut moving = Moving::clone(world.movings.get(self.state.moving));
        if node == transfer.to {
            moving.touch(written);
        }
        if node == transfer.from
            && let Some(source) = &mut moving.source
        {
            let after = world.stores.get(self.state.stores[node]);
            let mut before = Store::clone(world.stores.get(before));
            for written in written {
                match written {
                    Written::Created(name) => {
                        if let Some(id) = after.id(name) {
                            source.opened(id, name);
                        }
                    }
                    Written::Channel(id, _) => {
                        let host = HandoverHost::new(&mut before, None, world.frame.defects);
                        source.removing(*id, &host);
                    }
                    // The defect: what is copied counts as copied.
                    Written::Record(..) if world.frame.defects.has(Defect::M64) => {}
                    Written::Record(id, change) => source.changed(*id, changed(*change)),
                }
            }
        }
        self.state.moving = world.movings.id(moving);
    }

    /// As [`spread`](Self::spread), for what the handover itself has written to the node that takes records.
    fn spread_by_order(&mut self, node: Node, deeds: &Deeds, moving: &mut Moving) {
        let world = self.world;
        // The step holds what is moving: what is told of it meanwhile would be forgotten.
        self.state.moving = world.movings.id(moving.clone());
        let before = deeds.before.clone().map(|store| world.stores.id(store));
        self.did(node, deeds);
        for written in &deeds.written {
            // A removal that follows the record: a client has removed it at the other node, and that was told.
            if let Written::Record(id, change) = written {
                if let Some(name) = world.stores.get(self.state.stores[node]).name(*id) {
                    self.note(Note::Left(node, name.clone(), changed(*change)));
                }
                self.tell_all(node, node::Input::Changed(*id, *change));
            }
        }
        if let Some(before) = before {
            self.follow(node, before, &deeds.written);
        }
        *moving = Moving::clone(world.movings.get(self.state.moving));
    }

    /// Does something to what a node stores.
    fn on_store<T>(
        &mut self,
        node: Node,
        growth: Option<&Growth>,
        change: impl FnOnce(&mut HandoverHost<'_>) -> T,
    ) -> (T, Deeds) {
        let world = self.world;
        let before = self.store(node);
        let mut store = before.clone();
        let mut host = HandoverHost::new(&mut store, growth, world.frame.defects);
        let result = change(&mut host);
        let mut deeds = host.finish();
        deeds.before = Some(before);
        self.state.stores[node] = world.stores.id(store);
        (result, deeds)
    }

    /// Tells those who judge what was moved.
    fn did(&mut self, node: Node, deeds: &Deeds) {
        for (channel, key, value) in &deeds.taken {
            self.note(Note::Arrived(node, channel.clone(), *key, value.clone()));
        }
        for (channel, key) in &deeds.given {
            self.note(Note::Left(node, channel.clone(), *key));
            // The defect: those who follow the channel are told.
            if self.world.frame.defects.has(Defect::M66)
                && let Some(id) = self.store(node).id(channel)
            {
                let told = Written::Record(id, Change::Deleted(*key));
                let before = self.state.stores[node];
                self.spread(node, before, &[told], None);
            }
        }
    }

    fn store(&self, node: Node) -> Store {
        Store::clone(self.world.stores.get(self.state.stores[node]))
    }
}

fn changed(change: Change) -> Key {
    match change {
        Change::Changed(key) | Change::Deleted(key) => key,
    }
}

fn key_of(order: &Order) -> Option<Key> {
    match order {
        Order::Put { key, .. }
        | Order::Get { key, .. }
        | Order::Exists { key, .. }
        | Order::Remove { key, .. } => key.parse(),
        _ => None,
    }
}

/// The order that these bytes are, for those who draw it.
pub(crate) fn order_of(bytes: &[u8]) -> Option<Order> {
    match Order::decode(bytes, MAX_VALUE) {
        Ok(Some((Incoming::Order(order), _))) => Some(order),
        _ => None,
    }
}
