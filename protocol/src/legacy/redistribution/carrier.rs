//! What goes to one of the nodes that take records: all that it is to have first, then whatever has
//! changed meanwhile.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::plan::Plan;
use super::walk::{Next, Walk};
use super::{TURN, can_move};
use crate::channel::ChannelName;
use crate::host::Host;
use crate::key::Key;
use crate::legacy::batch::{self, Batch, Pushed};
use crate::legacy::key::KeyText;
use crate::legacy::order::Order;

/// See the module.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Carrier {
    walk: Walk,
    /// Records that were written or removed, or that the other node has not confirmed.
    noted: BTreeSet<(ChannelName, Key)>,
    load: Option<Load>,
    contact: Contact,
    /// Has it failed since the other node last confirmed something?
    failed: bool,
}

/// How the other node is reached.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
enum Contact {
    /// Not at all: nothing was to be sent so far, or it failed.
    #[default]
    None,
    /// There is something to send.
    Wanted,
    /// Somebody connects to it, or has.
    Made,
}

/// What is sent in one order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Load {
    channel: ChannelName,
    keys: Vec<Key>,
    /// The records as a block and how many bytes their values have; `None` if there is no such record.
    records: Option<(Bytes, u64)>,
    sent: bool,
}

/// What became of an attempt to find something to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Prepared {
    /// There is something, or nothing at all is left.
    Done,
    /// There is something that changed after it was copied.
    Again,
    /// Others shall have their turn first.
    Yielded,
}

impl Carrier {
    /// Is nothing left to do?
    pub(super) fn is_done(&self) -> bool {
        self.has_walked() && self.noted.is_empty() && self.load.is_none()
    }

    /// Has everything been seen once?
    pub(super) fn has_walked(&self) -> bool {
        self.walk.is_over()
    }

    /// How many records wait that were seen before.
    pub(super) fn noted(&self) -> usize {
        self.noted.len()
    }

    /// Would [`prepare`](Self::prepare) do something?
    pub(super) fn can_prepare(&self) -> bool {
        self.load.is_none() && !self.is_done()
    }

    /// Is the other node reached, as far as is known?
    pub(super) fn is_in_contact(&self) -> bool {
        self.contact == Contact::Made && !self.failed
    }

    pub(super) fn note(&mut self, channel: ChannelName, key: Key) {
        self.noted.insert((channel, key));
    }

    /// Finds something to send, if nothing is being sent. `me` is the carrier's number in the plan.
    pub(super) fn prepare<H: Host + ?Sized>(
        &mut self,
        me: usize,
        plan: &Plan,
        host: &H,
    ) -> Prepared {
        if self.load.is_some() {
            return Prepared::Done;
        }
        let again = self.has_walked();
        self.load = match again {
            false => self.seen_first(me, plan, host),
            true => self.seen_before(host),
        };
        if self.load.is_some() && self.contact == Contact::None {
            self.contact = Contact::Wanted;
        }
        match self.load {
            Some(_) if again => Prepared::Again,
            None if !self.is_done() => Prepared::Yielded,
            _ => Prepared::Done,
        }
    }

    /// Should somebody connect to the other node now? Says so once, and whether it has failed before.
    pub(super) fn take_wish(&mut self) -> Option<bool> {
        if self.contact != Contact::Wanted {
            return None;
        }
        self.contact = Contact::Made;
        Some(self.failed)
    }

    pub(super) fn wants_contact(&self) -> bool {
        self.contact == Contact::Wanted
    }

    pub(super) fn has_order(&self) -> bool {
        self.load.as_ref().is_some_and(|load| !load.sent)
    }

    /// The order to send. Each is given once.
    pub(super) fn next_order(&mut self) -> Option<Order> {
        let load = self.load.as_mut().filter(|load| !load.sent)?;
        load.sent = true;
        let channel = load.channel.clone();
        Some(match (&load.records, &load.keys[..]) {
            (None, [key, ..]) => Order::Remove {
                channel,
                key: KeyText::from(*key),
            },
            (records, _) => Order::PutBatch {
                channel,
                batch: records
                    .as_ref()
                    .map_or_else(Bytes::new, |(block, _)| block.clone()),
            },
        })
    }

    /// The other node has confirmed what was sent. Says how many bytes of values that were.
    pub(super) fn confirmed(&mut self) -> u64 {
        self.failed = false;
        let load = self.load.take();
        load.and_then(|load| load.records)
            .map_or(0, |(_, bytes)| bytes)
    }

    /// The other node is not connected any more, or is to be connected anew.
    pub(super) fn lost(&mut self) {
        self.contact = Contact::None;
        self.failed = true;
        if let Some(load) = self.load.take() {
            for key in load.keys {
                self.noted.insert((load.channel.clone(), key));
            }
        }
    }

    /// A load of records that were not looked at before.
    fn seen_first<H: Host + ?Sized>(&mut self, me: usize, plan: &Plan, host: &H) -> Option<Load> {
        let mut filling = Filling::default();
        for _ in 0..TURN {
            match self.walk.next(host) {
                Next::End => break,
                Next::ChannelEnd if !filling.keys.is_empty() => break,
                Next::ChannelEnd => self.walk.next_channel(host),
                Next::Record(key, value) => {
                    let (channel, _) = self.walk.channel()?;
                    let moves = plan.target(key) == Some(me) && can_move(channel, &value);
                    if moves && !filling.add(key, &value) {
                        break;
                    }
                    self.walk.pass(key);
                }
            }
        }
        let (channel, _) = self.walk.channel()?;
        filling.finish(channel.clone())
    }

    /// A load of what was noted: records of one channel that are there, or one that is not, or that cannot
    /// be moved any more.
    fn seen_before<H: Host + ?Sized>(&mut self, host: &H) -> Option<Load> {
        let mut filling = Filling::default();
        let channel = self.noted.first()?.0.clone();
        let id = host.find_channel(&channel);
        while let Some((of, key)) = self.noted.first() {
            if *of != channel {
                break;
            }
            let key = *key;
            let value = id.and_then(|id| host.get(id, key).ok().flatten());
            match value.filter(|value| can_move(&channel, value)) {
                Some(value) if !filling.add(key, &value) => break,
                Some(_) => {}
                None if filling.keys.is_empty() => {
                    self.noted.pop_first();
                    return Some(Load {
                        channel,
                        keys: vec![key],
                        records: None,
                        sent: false,
                    });
                }
                None => break,
            }
            self.noted.pop_first();
        }
        filling.finish(channel)
    }
}

/// A load that is being put together.
#[derive(Default)]
struct Filling {
    batch: Batch,
    /// A record that is too large for an ordinary batch, compressed.
    alone: Option<Bytes>,
    keys: Vec<Key>,
    bytes: u64,
}

impl Filling {
    /// Adds a record. False if there is no room for it.
    fn add(&mut self, key: Key, value: &Bytes) -> bool {
        if self.alone.is_some() {
            return false;
        }
        match self.batch.push(key, value) {
            Pushed::Added => {}
            Pushed::TooBig if self.keys.is_empty() => {
                self.alone = Some(batch::alone(key, value).into());
            }
            Pushed::TooBig | Pushed::Full => return false,
        }
        self.keys.push(key);
        self.bytes += value.len() as u64;
        true
    }

    fn finish(mut self, channel: ChannelName) -> Option<Load> {
        if self.keys.is_empty() {
            return None;
        }
        let block = self.alone.unwrap_or_else(|| self.batch.finish().into());
        Some(Load {
            channel,
            keys: self.keys,
            records: Some((block, self.bytes)),
            sent: false,
        })
    }
}
