//! Who waits for what the requests tell.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::neo::request::{Failure, gather, update};
use dht_protocol::neo::{NodeAddress, RequestId};
use tokio::sync::oneshot;

use crate::mailbox::{Letter as _, Sender};
use dht_protocol::neo::client::{
    Backlog, ChannelEvent, GetAllEvent, MirrorEvent, RemoveChannelEvent, Told,
};

/// How much memory the names of one GetChannels may take. The request remembers all of them, in order
/// to tell each once.
pub(crate) const MAX_NAMES: usize = 256 * 1024 * 1024;

/// Who waits for the only answer of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Put(oneshot::Sender<Result<(), Failure>>),
    Get(oneshot::Sender<Result<Option<Bytes>, Failure>>),
    Exists(oneshot::Sender<Result<bool, Failure>>),
    Remove(oneshot::Sender<Result<bool, Failure>>),
}

/// Who reads what a request tells.
#[derive(Debug)]
pub(crate) enum Queue {
    Update(Sender<update::Notification>),
    GetAll(Sender<GetAllEvent>),
    Mirror(Sender<MirrorEvent>),
    Channels {
        sender: Sender<ChannelEvent>,
        /// Memory of all names that were told.
        weight: usize,
    },
    RemoveChannel(Sender<RemoveChannelEvent>),
}

/// What the driver has to do after something was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Then {
    Nothing,
    /// The user has that much to read now; what made it so came from this node.
    Pace(Backlog, Option<NodeAddress>),
    /// The request takes more memory than it may.
    Abandon,
}

/// Everybody who waits.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    answers: BTreeMap<RequestId, Answer>,
    queues: BTreeMap<RequestId, Queue>,
}

impl Waiters {
    pub(crate) fn expect(&mut self, id: RequestId, answer: Answer) {
        self.answers.insert(id, answer);
    }

    pub(crate) fn follow(&mut self, id: RequestId, queue: Queue) {
        self.queues.insert(id, queue);
    }

    /// Nobody waits any more.
    pub(crate) fn forget(&mut self, id: RequestId) {
        self.answers.remove(&id);
        self.queues.remove(&id);
    }

    /// Nobody will be told anything any more.
    pub(crate) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// How many wait for an only answer.
    pub(crate) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// Passes on what a request tells. A user who does not listen any more is no reason to do anything:
    /// that the request is not wanted is said elsewhere.
    pub(crate) fn tell(&mut self, id: RequestId, told: Told) -> Then {
        match told {
            Told::Put(outcome) => {
                if let Some(Answer::Put(waiting)) = self.answers.remove(&id) {
                    let _ = waiting.send(outcome);
                }
            }
            Told::Get(outcome) => {
                if let Some(Answer::Get(waiting)) = self.answers.remove(&id) {
                    let _ = waiting.send(outcome);
                }
            }
            Told::Exists(outcome) => {
                if let Some(Answer::Exists(waiting)) = self.answers.remove(&id) {
                    let _ = waiting.send(outcome);
                }
            }
            Told::Remove(outcome) => {
                if let Some(Answer::Remove(waiting)) = self.answers.remove(&id) {
                    let _ = waiting.send(outcome);
                }
            }
            Told::Update(event) => {
                if let Some(Queue::Update(sender)) = self.queues.get(&id) {
                    let last = matches!(event, update::Notification::Ended(_));
                    sender.push(event);
                    self.end_if(last, id);
                }
            }
            Told::GetAll(event) => {
                if let Some(Queue::GetAll(sender)) = self.queues.get(&id) {
                    let (source, last) = about(&event);
                    let backlog = sender.push(event);
                    self.end_if(last, id);
                    return backlog.map_or(Then::Nothing, |backlog| Then::Pace(backlog, source));
                }
            }
            Told::Mirror(event) => {
                if let Some(Queue::Mirror(sender)) = self.queues.get(&id) {
                    let (source, last) = about(&event);
                    let backlog = sender.push(event);
                    self.end_if(last, id);
                    return backlog.map_or(Then::Nothing, |backlog| Then::Pace(backlog, source));
                }
            }
            Told::GetChannels(event) => {
                if let Some(Queue::Channels { sender, weight }) = self.queues.get_mut(&id) {
                    let last = event == gather::Notification::Finished;
                    *weight += event.weight();
                    let too_much = *weight > MAX_NAMES;
                    if !too_much {
                        sender.push(event);
                    }
                    self.end_if(last || too_much, id);
                    if too_much {
                        return Then::Abandon;
                    }
                }
            }
            Told::RemoveChannel(event) => {
                if let Some(Queue::RemoveChannel(sender)) = self.queues.get(&id) {
                    let last = event == gather::Notification::Finished;
                    sender.push(event);
                    self.end_if(last, id);
                }
            }
        }
        Then::Nothing
    }

    fn end_if(&mut self, last: bool, id: RequestId) {
        if last {
            self.queues.remove(&id);
        }
    }
}

/// Which node an item came from, and whether nothing follows.
fn about<T>(event: &Notification<T>) -> (Option<NodeAddress>, bool) {
    match event {
        Notification::Item(node, _) => (Some(*node), false),
        Notification::Stopped | Notification::Finished => (None, true),
        _ => (None, false),
    }
}
