//! What tells things by itself: streams, and connections.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use dht_client::core::ConnectionEvent;
use dht_client::{Connections, GetAll, Mirror, Notification, get_all, mirror};
use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt};

use crate::world::{Event, Ticket, Violation};

/// A stream that was begun. It ends with its last event.
#[derive(Debug)]
pub(super) struct Running {
    ticket: Ticket,
    kind: Kind,
    over: bool,
}

/// What is running.
pub(super) enum Kind {
    /// A GetAll.
    GetAll(GetAll),
    /// A Mirror.
    Mirror(Mirror),
    /// A Listen.
    Listen(BoxStream<'static, Result<Event, Violation>>),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GetAll(_) => "GetAll",
            Self::Mirror(_) => "Mirror",
            Self::Listen(_) => "Listen",
        })
    }
}

/// What was told by a stream.
#[derive(Debug)]
pub(super) enum Told {
    /// Something that is to be told.
    Event(Ticket, Event),
    /// The node has broken the protocol.
    Violation(Violation),
}

/// What happens to the connection of this number.
#[derive(Debug)]
pub(super) struct Events {
    number: usize,
    connections: Connections,
}

impl Running {
    /// It has told nothing yet.
    pub(super) fn new(ticket: Ticket, kind: Kind) -> Self {
        Self {
            ticket,
            kind,
            over: false,
        }
    }
}

impl Stream for Running {
    type Item = Told;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Told>> {
        if self.over {
            return Poll::Ready(None);
        }
        self.kind.poll(context).map(|event| {
            Some(match event {
                Ok(event) => {
                    self.over = event.is_last();
                    Told::Event(self.ticket, event)
                }
                Err(violation) => {
                    self.over = true;
                    Told::Violation(violation)
                }
            })
        })
    }
}

impl Events {
    /// What these connections tell, of which the client has one.
    pub(super) fn new(number: usize, connections: Connections) -> Self {
        Self {
            number,
            connections,
        }
    }
}

impl Stream for Events {
    type Item = (usize, ConnectionEvent);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let number = self.number;
        let next = Pin::new(&mut self.connections).poll_next(context);
        next.map(|event| Some((number, event?)))
    }
}

impl Kind {
    /// The next event. An error says how the node has broken the protocol.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Violation>> {
        match self {
            Self::Listen(listen) => listen
                .poll_next_unpin(context)
                .map(|event| event.unwrap_or(Ok(Event::Stopped))),
            Self::GetAll(get_all) => Pin::new(&mut *get_all).poll_next(context).map(|event| {
                let event = event.ok_or_else(|| get_all.failure().map(ToString::to_string));
                in_our_words(event, |item| match item {
                    get_all::Item::Record(key, value) => Event::Record(key, value),
                    get_all::Item::Key(key) => Event::Key(key),
                })
            }),
            Self::Mirror(mirror) => Pin::new(&mut *mirror).poll_next(context).map(|event| {
                let event = event.ok_or_else(|| mirror.failure().map(ToString::to_string));
                in_our_words(event, |item| match item {
                    mirror::Item::Updated(key, value) => Event::Updated(key, value),
                    mirror::Item::Refreshed(key, value) => Event::Refreshed(key, value),
                    mirror::Item::Deleted(key) => Event::Deleted(key),
                    mirror::Item::UpdatesLost => Event::UpdatesLost,
                    mirror::Item::ChannelRemoved => Event::ChannelRemoved,
                })
            }),
        }
    }
}

/// An event of the client. One that is an error is the end of a stream without a last event.
fn in_our_words<T>(
    event: Result<Notification<T>, Option<String>>,
    of_item: impl FnOnce(T) -> Event,
) -> Result<Event, Violation> {
    Ok(match event {
        Ok(Notification::Started) => Event::Started,
        Ok(Notification::Item(_, item)) => of_item(item),
        Ok(Notification::Suspended) => Event::Suspended,
        Ok(Notification::Resumed) => Event::Resumed,
        Ok(Notification::Disconnected(_)) => Event::Disconnected,
        Ok(Notification::NodeError(_)) => {
            Event::Failed("the node answered with an error".to_owned())
        }
        Ok(Notification::Unsupported(_, status)) => return Err(status.to_string().into()),
        Ok(Notification::Stopped) => Event::Stopped,
        Ok(Notification::Finished) => Event::Finished,
        Err(failure) => {
            Event::Failed(failure.unwrap_or_else(|| "it ended without a word".to_owned()))
        }
    })
}
