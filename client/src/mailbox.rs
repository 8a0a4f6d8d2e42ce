//! The queue between the connections and the user of a request that tells more than one thing. It knows
//! how much the user has still to read, and never blocks who fills it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dht_protocol::neo::request::stream::Notification;
use dht_protocol::neo::request::{get_all, mirror, update};

use crate::core::ConnectionEvent;
use dht_protocol::neo::client::{Backlog, ChannelEvent, RemoveChannelEvent};

/// What can be queued.
pub(crate) trait Letter {
    /// About how many bytes of memory it takes.
    fn weight(&self) -> usize;

    /// Is it the same loss of a connection as `earlier`, which has not been read yet? `None` if one of
    /// them is something else.
    fn repeats(&self, earlier: &Self) -> Option<bool>;
}

/// What a GetAll or Mirror delivers. Implemented for the two, and not to be implemented elsewhere.
pub trait Item {
    /// Bytes of the value that comes with it.
    fn value_len(&self) -> usize;
}

/// How much may be queued, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Marks {
    /// From here on the backlog is high, until half of it has been read.
    pub(crate) high: usize,
    /// From here on it is excessive.
    pub(crate) excessive: usize,
}

#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Mutex<Inner<T>>>);

#[derive(Debug)]
pub(crate) struct Receiver<T>(Arc<Mutex<Inner<T>>>);

#[derive(Debug)]
struct Inner<T> {
    queue: VecDeque<T>,
    weight: usize,
    marks: Marks,
    backlog: Backlog,
    waker: Option<Waker>,
    closed: bool,
}

/// An empty mailbox.
pub(crate) fn mailbox<T>(marks: Marks) -> (Sender<T>, Receiver<T>) {
    let inner = Arc::new(Mutex::new(Inner {
        queue: VecDeque::new(),
        weight: 0,
        marks,
        backlog: Backlog::Low,
        waker: None,
        closed: false,
    }));
    (Sender(Arc::clone(&inner)), Receiver(inner))
}

impl<T: Letter> Sender<T> {
    /// Puts something in. Says how much there is if that has become another matter.
    pub(crate) fn push(&self, letter: T) -> Option<Backlog> {
        let mut inner = lock(&self.0);
        // A connection that comes and goes must not fill a mailbox that nobody reads.
        let repeated = inner
            .queue
            .iter()
            .rev()
            .map_while(|earlier| letter.repeats(earlier))
            .any(|repeats| repeats);
        if inner.closed || repeated {
            return None;
        }
        inner.weight += letter.weight();
        inner.queue.push_back(letter);
        let before = inner.backlog;
        inner.backlog = if inner.weight >= inner.marks.excessive {
            Backlog::Excessive
        } else if inner.weight >= inner.marks.high {
            Backlog::High.max(before)
        } else {
            before
        };
        let changed = (inner.backlog != before).then_some(inner.backlog);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        changed
    }

    /// Puts something in; if the backlog is high the oldest goes.
    pub(crate) fn push_dropping_oldest(&self, letter: T) {
        let mut inner = lock(&self.0);
        while inner.weight >= inner.marks.high && inner.pop().is_some() {}
        drop(inner);
        self.push(letter);
    }

    /// Is there nobody any more who could read it?
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.0).closed
    }
}

impl<T> Drop for Sender<T> {
    /// What is in the mailbox can still be read.
    fn drop(&mut self) {
        let mut inner = lock(&self.0);
        inner.closed = true;
        if let Some(waker) = inner.waker.take() {
            drop(inner);
            waker.wake();
        }
    }
}

impl<T: Letter> Receiver<T> {
    /// Takes the oldest out; `None` if there is nothing and nothing will come any more. The second value
    /// says that the backlog has become less, so that the request is to be told.
    pub(crate) fn poll_next(&mut self, context: &Context<'_>) -> (Poll<Option<T>>, bool) {
        let mut inner = lock(&self.0);
        let before = inner.backlog;
        match inner.pop() {
            Some(letter) => {
                let eased = inner.backlog < before;
                (Poll::Ready(Some(letter)), eased)
            }
            None if inner.closed => (Poll::Ready(None), false),
            None => {
                inner.waker = Some(context.waker().clone());
                (Poll::Pending, false)
            }
        }
    }

    /// How much there is to read.
    pub(crate) fn backlog(&self) -> Backlog {
        lock(&self.0).backlog
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut inner = lock(&self.0);
        inner.closed = true;
        inner.queue.clear();
    }
}

impl<T: Letter> Inner<T> {
    fn pop(&mut self) -> Option<T> {
        let letter = self.queue.pop_front()?;
        self.weight -= letter.weight();
        if self.weight <= self.marks.high / 2 {
            self.backlog = Backlog::Low;
        }
        Some(letter)
    }
}

/// The content is sound at any moment, whatever happened to who held the lock.
fn lock<T>(inner: &Mutex<Inner<T>>) -> MutexGuard<'_, Inner<T>> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Item for get_all::Item {
    fn value_len(&self) -> usize {
        match self {
            Self::Record(_, value) => value.len(),
            Self::Key(_) => 0,
        }
    }
}

impl Item for mirror::Item {
    fn value_len(&self) -> usize {
        match self {
            Self::Updated(_, value) | Self::Refreshed(_, value) => value.len(),
            Self::Deleted(_) | Self::UpdatesLost | Self::ChannelRemoved => 0,
        }
    }
}

impl<T: Item> Letter for Notification<T> {
    fn weight(&self) -> usize {
        let value = match self {
            Self::Item(_, item) => item.value_len(),
            _ => 0,
        };
        size_of::<Self>() + value
    }

    fn repeats(&self, earlier: &Self) -> Option<bool> {
        match (self, earlier) {
            (Self::Disconnected(node), Self::Disconnected(other)) => Some(node == other),
            _ => None,
        }
    }
}

impl Letter for ChannelEvent {
    fn weight(&self) -> usize {
        let name = match self {
            Self::Notice(name) => name.as_bytes().len(),
            _ => 0,
        };
        size_of::<Self>() + name
    }

    fn repeats(&self, earlier: &Self) -> Option<bool> {
        match (self, earlier) {
            (Self::Disconnected(node), Self::Disconnected(other)) => Some(node == other),
            _ => None,
        }
    }
}

impl Letter for RemoveChannelEvent {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }

    fn repeats(&self, earlier: &Self) -> Option<bool> {
        // It is only the first of each that counts.
        Some(self == earlier)
    }
}

impl Letter for update::Notification {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }

    fn repeats(&self, _: &Self) -> Option<bool> {
        None
    }
}

impl Letter for ConnectionEvent {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }

    fn repeats(&self, _: &Self) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dht_protocol::Key;
    use dht_protocol::neo::NodeAddress;

    use super::*;

    type Event = Notification<get_all::Item>;

    const MARKS: Marks = Marks {
        high: 10_000,
        excessive: 50_000,
    };

    fn node(port: u16) -> NodeAddress {
        NodeAddress::new([127, 0, 0, 1].into(), port)
    }

    fn record(len: usize) -> Event {
        let value = Bytes::from(vec![0; len]);
        Notification::Item(node(1), get_all::Item::Record(Key(1), value))
    }

    fn poll(receiver: &mut Receiver<Event>) -> (Poll<Option<Event>>, bool) {
        receiver.poll_next(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_change_of_the_backlog_is_told_once() {
        let (sender, mut receiver) = mailbox(MARKS);
        assert_eq!(sender.push(record(1000)), None);
        assert_eq!(sender.push(record(10_000)), Some(Backlog::High));
        assert_eq!(sender.push(record(10_000)), None);
        assert_eq!(sender.push(record(40_000)), Some(Backlog::Excessive));
        assert_eq!(sender.push(record(1000)), None);
        for eased in [false, false, false, true, false] {
            assert!(matches!(poll(&mut receiver), (Poll::Ready(Some(_)), by) if by == eased));
        }
        assert_eq!(receiver.backlog(), Backlog::Low);
        assert!(matches!(poll(&mut receiver), (Poll::Pending, false)));
    }

    #[test]
    fn what_was_sent_before_the_end_is_read_after_it() {
        let (sender, mut receiver) = mailbox(MARKS);
        sender.push(Notification::Started);
        drop(sender);
        let started = Poll::Ready(Some(Notification::Started));
        assert_eq!(poll(&mut receiver).0, started);
        assert_eq!(poll(&mut receiver).0, Poll::Ready(None));
    }

    #[test]
    fn nothing_is_kept_for_nobody() {
        let (sender, receiver) = mailbox(MARKS);
        sender.push(record(10));
        drop(receiver);
        assert!(sender.is_closed());
        sender.push(record(10));
        assert_eq!(lock(&sender.0).queue.len(), 0);
    }

    #[test]
    fn connections_that_come_and_go_are_told_once_until_that_is_read() {
        let (sender, receiver) = mailbox::<Event>(MARKS);
        for _ in 0..100 {
            sender.push(Notification::Disconnected(node(1)));
            sender.push(Notification::Disconnected(node(2)));
        }
        sender.push(record(10));
        sender.push(Notification::Disconnected(node(1)));
        assert_eq!(lock(&receiver.0).queue.len(), 4);
    }

    #[test]
    fn the_oldest_can_make_room() {
        let (sender, mut receiver) = mailbox(MARKS);
        for len in [6000, 6001, 6002] {
            sender.push_dropping_oldest(record(len));
        }
        assert_eq!(poll(&mut receiver).0, Poll::Ready(Some(record(6001))));
        assert_eq!(poll(&mut receiver).0, Poll::Ready(Some(record(6002))));
    }
}
