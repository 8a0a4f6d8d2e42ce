//! A node becomes responsible for other keys and moves records to other nodes (`legacy.md` 7.16,
//! `semantics-and-client.md` A14): the whole of it, without sockets and without a clock.
//!
//! Whoever runs it lets it [`work`](Redistribution::work), tells it what is written to the node, and carries
//! orders to the other nodes: it connects to them when a [`Dial`] says so, sends what
//! [`next_order`](Redistribution::next_order) gives over a [`Link`], and says what became of it.
//!
//! The originals change the range first and move the records afterwards. Meanwhile nobody finds a record that
//! is still on its way, a Mirror is told that records were removed which have only moved, and a record that
//! cannot be moved is destroyed. Here it goes like this instead:
//!
//! 1. An order that makes no sense is refused, and nothing changes ([`Plan`]).
//! 2. Keys that the node is to have besides are its own at once, if they border on what it has; others as
//!    soon as it is responsible for nothing else. It takes records of both.
//! 3. What others are to have is copied to them, one batch at a time for each. The node stays responsible.
//!    What is written or removed meanwhile is noted by its key, and copied again, or removed there by an
//!    ordinary Remove.
//! 4. When nothing is left to copy and no answer is missing, the range changes in one step, in which clients
//!    are told of the others first and then of the change (P68). If clients write faster than that ever
//!    happens, writes of the last few keys are refused for a moment (WrongNode), as if the change had come.
//! 5. The copies that stayed are removed. No Mirror and no Listen is told: no client has removed them (P64).
//!
//! A record with an empty value, one that is too large for any batch, and the records of a channel whose name
//! is illegal in this protocol cannot be moved. They stay, and can still be read by legacy requests.
//!
//! At the other end [`Growth`] sees to it that what clients have written there is not replaced by what is
//! handed over. What the orders cannot tell is left: where the ranges of two nodes overlap meanwhile, and clients
//! that do not know the same nodes yet write the same key at both, the value at the node that takes records stays,
//! or a Remove that follows from the other one comes last. And an order that was on its way when its connection broke may
//! be read behind those of the next one.
//!
//! Whatever fails, also a refusal by the other node, is tried again on a new connection after [`RETRY`],
//! without end.

mod carrier;
mod growth;
mod link;
mod plan;
mod walk;

pub use growth::Growth;
pub use link::Link;
pub use plan::{Place, Plan, Refusal};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::command::Status;
use super::host::LegacyHost;
use super::order::Order;
use super::{MAX_ARRAY, is_channel_name};
use crate::channel::ChannelName;
use crate::host::{ChannelId, Host};
use crate::key::{HashRange, Key};
use crate::neo::NodeAddress;
use carrier::{Carrier, Prepared};
use walk::{Next, Walk};

/// How long after a failure the other node is tried again.
pub const RETRY: Duration = Duration::from_secs(2);

/// How many records are looked at before others get their turn.
const TURN: usize = 1024;
/// How many loads of records that have changed are sent before writes may be refused.
const PATIENCE: u32 = 64;
/// Up to how many records of each node may be the last ones.
const LAST: usize = 1024;
/// The largest value that can be moved: whatever it is, it fits in an array together with its key when it
/// is compressed.
const LARGEST: u64 = MAX_ARRAY / 16 * 15;

/// A redistribution that is under way.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Redistribution {
    plan: Plan,
    carriers: Vec<Carrier>,
    stage: Stage,
    /// Does the node have the new range?
    switched: bool,
    /// The channels that there are, since writes are told by number.
    names: BTreeMap<ChannelId, ChannelName>,
    /// How many loads of records that have changed were sent.
    rounds: u32,
    /// Are writes of the last records refused?
    closing: bool,
    copied: u64,
    stayed: u64,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Stage {
    /// Records are sent to other nodes.
    Copying,
    /// What was sent is removed here.
    Clearing {
        walk: Walk,
        /// What the node's owner has written since: nobody else has that.
        written: BTreeSet<(ChannelId, Key)>,
    },
    Over,
}

/// What comes after some work.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Work {
    /// More work; others may go first.
    More,
    /// Nothing until another node has answered, a connection has failed or something was written.
    Wait,
    /// The node is to have the new range now, before it does anything else, and to tell clients.
    Switch,
    /// Everything is done.
    Over,
}

/// Somebody is to connect to another node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Dial {
    /// Its number.
    pub target: usize,
    /// Where it listens.
    pub address: NodeAddress,
    /// How long to wait first.
    pub after: Duration,
}

impl Redistribution {
    /// Begins. The node takes the range that [`range_for_now`](Self::range_for_now) says.
    pub fn new<H: Host + ?Sized>(plan: Plan, host: &H) -> Self {
        let mut names = BTreeMap::new();
        let mut last = None;
        while let Some(name) = host.channel_after(last.as_ref()) {
            if let Some(id) = host.find_channel(&name) {
                names.insert(id, name.clone());
            }
            last = Some(name);
        }
        Self {
            carriers: vec![Carrier::default(); plan.places().len()],
            switched: plan.range().includes(host.range()),
            plan,
            stage: Stage::Copying,
            names,
            rounds: 0,
            closing: false,
            copied: 0,
            stayed: 0,
        }
    }

    /// What is to happen.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the node is responsible for while records are moved: what it was and what it will be, if that
    /// is a range.
    pub fn range_for_now(&self, before: HashRange) -> HashRange {
        let after = self.plan.range();
        if before.includes(after) {
            return before;
        }
        if after.includes(before) {
            return after;
        }
        let (low, high) = match before.min() <= after.min() {
            true => (before, after),
            false => (after, before),
        };
        let touching = high.min() <= low.max().saturating_add(1);
        let both = HashRange::new(low.min(), low.max().max(high.max()));
        both.filter(|_| touching).unwrap_or(before)
    }

    /// How many bytes of values others have confirmed.
    pub fn copied(&self) -> u64 {
        self.copied
    }

    /// How many records could not be moved, as far as is known.
    pub fn stayed(&self) -> u64 {
        self.stayed
    }

    /// May clients write this record, as far as the redistribution is concerned?
    pub fn is_writable(&self, key: Key) -> bool {
        !self.closing || self.plan.target(key).is_none()
    }

    /// There is a channel.
    pub fn opened(&mut self, channel: ChannelId, name: &ChannelName) {
        let names = self.names.entry(channel);
        names.or_insert_with(|| name.clone());
    }

    /// A record was written or removed.
    pub fn changed(&mut self, channel: ChannelId, key: Key) {
        let Some(target) = self.plan.target(key) else {
            return;
        };
        match &mut self.stage {
            Stage::Copying => {
                if let Some(name) = self.names.get(&channel)
                    && is_channel_name(name)
                {
                    self.carriers[target].note(name.clone(), key);
                }
            }
            Stage::Clearing { written, .. } => {
                written.insert((channel, key));
            }
            Stage::Over => {}
        }
    }

    /// A channel is about to be removed, with its records.
    pub fn removing<H: Host + ?Sized>(&mut self, channel: ChannelId, host: &H) {
        let mut after = None;
        while let Some((key, _)) = host.record_after(channel, after) {
            self.changed(channel, key);
            after = Some(key);
        }
        self.names.remove(&channel);
    }

    /// Is there something to do for [`work`](Self::work)?
    pub fn has_work(&self) -> bool {
        match &self.stage {
            Stage::Copying => {
                self.carriers.iter().any(Carrier::can_prepare)
                    || self.carriers.iter().all(Carrier::is_done)
            }
            Stage::Clearing { .. } => true,
            Stage::Over => false,
        }
    }

    /// Works for a while.
    pub fn work<H: LegacyHost + ?Sized>(&mut self, host: &mut H) -> Work {
        match &self.stage {
            Stage::Copying => self.copy(host),
            Stage::Clearing { .. } => self.clear(host),
            Stage::Over => Work::Over,
        }
    }

    /// Somebody is to connect to another node, and says [`lost`](Self::lost) if that does not work. What
    /// is said here is said once.
    pub fn next_dial(&mut self) -> Option<Dial> {
        for (target, carrier) in self.carriers.iter_mut().enumerate() {
            if let Some(failed) = carrier.take_wish() {
                return Some(Dial {
                    target,
                    address: self.plan.places()[target].address,
                    after: if failed { RETRY } else { Duration::ZERO },
                });
            }
        }
        None
    }

    /// Will [`next_dial`](Self::next_dial) say something?
    pub fn has_dial(&self) -> bool {
        self.carriers.iter().any(Carrier::wants_contact)
    }

    /// Will [`next_order`](Self::next_order) say something?
    pub fn has_order(&self, target: usize) -> bool {
        self.carriers.get(target).is_some_and(Carrier::has_order)
    }

    /// What is to be sent to another node. Nothing more before that is answered.
    pub fn next_order(&mut self, target: usize) -> Option<Order> {
        self.carriers.get_mut(target)?.next_order()
    }

    /// Another node has answered what was sent. If it does not accept it, the connection is to be closed.
    pub fn answered(&mut self, target: usize, status: Status) -> Result<(), Status> {
        if status != Status::Ok {
            self.lost(target);
            return Err(status);
        }
        if let Some(carrier) = self.carriers.get_mut(target) {
            self.copied = self.copied.saturating_add(carrier.confirmed());
        }
        Ok(())
    }

    /// A connection to another node has failed or has ended.
    pub fn lost(&mut self, target: usize) {
        if let Some(carrier) = self.carriers.get_mut(target) {
            carrier.lost();
        }
        // Nobody knows for how long: writes must not wait for that.
        self.closing = false;
        self.rounds = 0;
    }

    fn copy<H: LegacyHost + ?Sized>(&mut self, host: &mut H) -> Work {
        let mut yielded = false;
        for (me, carrier) in self.carriers.iter_mut().enumerate() {
            match carrier.prepare(me, &self.plan, host) {
                Prepared::Done => {}
                Prepared::Again => self.rounds = self.rounds.saturating_add(1),
                Prepared::Yielded => yielded = true,
            }
        }
        if yielded {
            return Work::More;
        }
        if !self.carriers.iter().all(Carrier::is_done) {
            self.closing = self.rounds >= PATIENCE && self.carriers.iter().all(is_last);
            return Work::Wait;
        }
        self.closing = false;
        self.stage = Stage::Clearing {
            walk: Walk::default(),
            written: BTreeSet::new(),
        };
        match std::mem::replace(&mut self.switched, true) {
            false => Work::Switch,
            true => Work::More,
        }
    }

    fn clear<H: LegacyHost + ?Sized>(&mut self, host: &mut H) -> Work {
        let Stage::Clearing { walk, written } = &mut self.stage else {
            return Work::Over;
        };
        for _ in 0..TURN {
            match walk.next(host) {
                Next::End => {
                    self.stage = Stage::Over;
                    return Work::Over;
                }
                Next::ChannelEnd => walk.next_channel(host),
                Next::Record(key, value) => {
                    walk.pass(key);
                    let Some((name, id)) = walk.channel() else {
                        continue;
                    };
                    if self.plan.target(key).is_none() || written.contains(&(*id, key)) {
                        continue;
                    }
                    let gone = can_move(name, &value) && host.hand_over(*id, key).is_ok();
                    self.stayed += u64::from(!gone);
                }
            }
        }
        Work::More
    }
}

/// Can so few records be left only that others may wait for them?
fn is_last(carrier: &Carrier) -> bool {
    carrier.is_done()
        || (carrier.has_walked() && carrier.is_in_contact() && carrier.noted() <= LAST)
}

/// Is there an order that another node accepts such a record in?
fn can_move(channel: &ChannelName, value: &[u8]) -> bool {
    is_channel_name(channel) && !value.is_empty() && value.len() as u64 <= LARGEST
}

#[cfg(test)]
mod tests;
