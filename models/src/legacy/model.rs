//! The model: what can happen next, and what becomes of it.

use bytes::Bytes;
use dht_protocol::legacy::{Event, Incoming, Order};
use dht_protocol::neo::request::mirror::Change;
use stateright::{Model, Property};

use super::defect::Defect;
use super::frame::Frame;
use super::oracle::Oracle;
use super::properties::{GOALS, PROPERTIES};
use super::state::{Action, Expected, Lane, Share, State, Unit};
use super::store::Store;

/// A node and the connections to it. Every step uses up orders or bytes, so every run ends, and what must happen
/// in the end holds in the last state.
#[derive(Debug)]
pub struct LegacyModel {
    frame: Frame,
    defect: Option<Defect>,
}

impl LegacyModel {
    /// The model of a frame.
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            defect: None,
        }
    }

    /// With a deviation, which some property must find.
    #[must_use]
    pub fn with_defect(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    /// What it is about.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Can nothing happen any more?
    pub fn is_over(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        let mut actions = actions.into_iter();
        actions.all(|action| self.next_state(state, action).is_none())
    }

    /// The client sends its next order.
    fn order(&self, lane: &mut Lane, orders: &[Order]) -> Option<()> {
        let number = lane.sent();
        let order = orders.get(number)?;
        lane.link.send(order);
        let bytes = Bytes::from(std::mem::take(lane.link.output()));
        lane.to_node.push_back(Unit {
            order: number,
            bytes,
            cut: false,
        });
        lane.heard.push(Vec::new());
        lane.waiting = true;
        Some(())
    }

    /// The client reads.
    fn read(&self, lane: &mut Lane, share: Share) -> Option<()> {
        let (order, bytes) = take(&mut lane.to_client, share)?;
        if order + 1 < lane.sent() {
            // The end of a Listen that the client has given up.
            return Some(());
        }
        lane.link.feed(&bytes);
        loop {
            match lane.link.receive() {
                Ok(Some(event)) => {
                    lane.waiting &= !matches!(event, Event::Answered(_) | Event::Ended);
                    lane.heard.last_mut()?.push(event);
                }
                Ok(None) => break,
                Err(violation) => {
                    lane.failed = Some(violation);
                    break;
                }
            }
        }
        Some(())
    }

    /// The node goes on, and those who listen are told what was written.
    fn work(&self, state: &mut State, number: usize) -> Option<()> {
        let State {
            lanes,
            store,
            oracle,
        } = state;
        let lane = lanes.get_mut(number)?;
        loop {
            if self.frame.stalls && !lane.to_client.is_empty() {
                break;
            }
            let goes_on = lane.node.advance(store);
            self.write(lane);
            match goes_on {
                Some(true) => {}
                Some(false) => break,
                None => match lane.node.next_order() {
                    Ok(Some(incoming)) => {
                        if let Incoming::Order(order) = &incoming {
                            lane.expected.push(oracle.order(order));
                        }
                        // A violation would leave the order unanswered, which is found.
                        lane.node.open(incoming, store).ok()?;
                    }
                    Ok(None) | Err(_) => break,
                },
            }
        }
        for (channel, change) in std::mem::take(&mut store.events) {
            for lane in lanes.iter_mut() {
                match change {
                    Some(_) if self.misses(Defect::MissesChanges) && oracle.log.len() > 1 => {}
                    Some(change) => lane.node.changed(channel, change),
                    None if self.misses(Defect::MissesRemoval) => {}
                    None => lane.node.channel_removed(channel),
                }
                if matches!(change, Some(Change::Deleted(_))) && self.misses(Defect::EndsEarly) {
                    lane.node.channel_removed(channel);
                }
            }
        }
        Some(())
    }

    /// What the node has written is on its way.
    fn write(&self, lane: &mut Lane) {
        let mut bytes = std::mem::take(lane.node.output());
        // Whom nobody has read an order of is told nothing.
        let Some(order) = lane.expected.len().checked_sub(1) else {
            return;
        };
        let listens = matches!(lane.expected.last(), Some(Expected::Writes(_)));
        match self.defect {
            Some(Defect::Distorts) if listens && bytes.len() > 16 => {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
            }
            Some(Defect::Repeats) if !listens => bytes = bytes.repeat(2),
            Some(Defect::Forgets) if order == 1 => bytes.clear(),
            _ => {}
        }
        if !bytes.is_empty() {
            lane.to_client.push_back(Unit {
                order,
                bytes: bytes.into(),
                cut: false,
            });
        }
    }

    fn misses(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn shares(&self, unit: Option<&Unit>) -> &'static [Share] {
        match unit {
            None => &[],
            Some(unit) if self.frame.cuts && !unit.cut && unit.bytes.len() > 1 => {
                &[Share::Whole, Share::Half]
            }
            Some(_) => &[Share::Whole],
        }
    }
}

impl Model for LegacyModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Frame {
            range,
            room,
            records,
            ..
        } = &self.frame;
        vec![State {
            lanes: vec![Lane::default(); self.frame.clients.len()],
            store: Store::new(*range, *room, records, self.defect),
            oracle: Oracle::new(*range, *room, records),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, lane) in state.lanes.iter().enumerate() {
            if lane.broken || lane.failed.is_some() {
                continue;
            }
            let client = &self.frame.clients[number];
            let last = lane.sent().checked_sub(1).map(|last| &client.orders[last]);
            let listens = matches!(last, Some(Order::Listen { .. }));
            // Whoever gives a Listen up does so between two of its records.
            let midway = lane.to_client.front().is_some_and(|unit| unit.cut);
            let may_order = !lane.waiting || (client.impatient && listens && !midway);
            if may_order && lane.sent() < client.orders.len() {
                actions.push(Action::Order(number));
            }
            let deaf = self.misses(Defect::ListensOnly) && lane.node.is_busy();
            if lane.node.wants_input() && !deaf {
                let shares = self.shares(lane.to_node.front()).iter();
                actions.extend(shares.map(|share| Action::ToNode(number, *share)));
            }
            if lane.node.is_busy() {
                actions.push(Action::Turn(number));
            }
            let shares = self.shares(lane.to_client.front()).iter();
            actions.extend(shares.map(|share| Action::ToClient(number, *share)));
            if self.frame.breaks && number == 0 && lane.sent() > 0 {
                actions.push(Action::Break(number));
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Order(number) => {
                let orders = &self.frame.clients.get(number)?.orders;
                self.order(state.lanes.get_mut(number)?, orders)?;
            }
            Action::ToNode(number, share) => {
                let lane = state.lanes.get_mut(number)?;
                let (_, bytes) = take(&mut lane.to_node, share)?;
                lane.node.feed(&bytes);
                self.work(&mut state, number)?;
            }
            Action::Turn(number) => self.work(&mut state, number)?,
            Action::ToClient(number, share) => self.read(state.lanes.get_mut(number)?, share)?,
            Action::Break(number) => {
                let lane = state.lanes.get_mut(number)?;
                lane.broken = true;
                lane.to_node.clear();
                lane.to_client.clear();
                lane.node = dht_protocol::legacy::NodeConnection::default();
            }
        }
        // Whom nobody asks what it follows need not say it.
        for lane in &mut state.lanes {
            lane.node.take_follows();
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let must = PROPERTIES.iter().map(|property| property.checked());
        let goals = GOALS.iter().filter(|goal| goal.frame == self.frame.name);
        must.chain(goals.map(|goal| goal.checked())).collect()
    }
}

/// Takes what arrives next.
fn take(way: &mut std::collections::VecDeque<Unit>, share: Share) -> Option<(usize, Bytes)> {
    let mut unit = way.pop_front()?;
    let order = unit.order;
    let bytes = match share {
        Share::Whole => unit.bytes,
        Share::Half => {
            let first = unit.bytes.split_to(unit.bytes.len() / 2);
            unit.cut = true;
            way.push_front(unit);
            first
        }
    };
    Some((order, bytes))
}
