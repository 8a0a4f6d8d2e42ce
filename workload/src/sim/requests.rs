//! What a client has under way, and what it is told, in the words of a world.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_model::{Action, Answer, Decision, Operation};
use dht_protocol::neo::RequestId;
use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::remove_channel::Notice;
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::neo::request::update::{self, Updated};
use dht_protocol::neo::request::{Failure, RecordName, gather, get_all, mirror, put};
use dht_protocol::{ChannelName, Key};

use crate::world::{Ending, Event, Happening, Stream, Ticket};

/// What a client is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    request: Request,
    /// What an Update does at once with what it has read.
    decision: Option<Decision>,
    /// It is a stream, which tells as it goes on.
    streams: bool,
}

impl Ask {
    /// A whole operation; `None` for one that a user of a client cannot ask for.
    pub fn operation(operation: Operation) -> Option<Self> {
        let mut decide = None;
        let request = match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let record = RecordName { channel, key };
                match action {
                    Action::Put(value) => Request::Put(put::Open { record, value }),
                    Action::Get => Request::Get(record),
                    Action::Exists => Request::Exists(record),
                    Action::Remove => Request::Remove(record),
                    Action::Update(decision) => {
                        decide = Some(decision);
                        Request::Update(record)
                    }
                    Action::UpdateRecord { .. } => return None,
                }
            }
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => Request::GetAll(
                channel,
                get_all::Settings {
                    keys_only,
                    value_filter: filter,
                },
            ),
            Operation::GetChannels => Request::GetChannels,
            Operation::RemoveChannel { channel, .. } => Request::RemoveChannel(channel),
            Operation::Refresh { .. }
            | Operation::GetHashRange
            | Operation::PutBatch { .. }
            | Operation::GetSize { .. }
            | Operation::Listen { .. } => return None,
        };
        Some(Self {
            request,
            decision: decide,
            streams: false,
        })
    }

    /// The first half of an Update.
    pub fn update(channel: ChannelName, key: Key) -> Self {
        Self {
            request: Request::Update(RecordName { channel, key }),
            decision: None,
            streams: false,
        }
    }

    /// A stream; `None` for one of the legacy protocol.
    pub fn stream(channel: ChannelName, stream: &Stream) -> Option<Self> {
        let request = match stream {
            Stream::GetAll { keys_only, filter } => Request::GetAll(
                channel,
                get_all::Settings {
                    keys_only: *keys_only,
                    value_filter: filter.clone(),
                },
            ),
            Stream::Mirror { refresh } => Request::Mirror(
                channel,
                mirror::Settings {
                    initial_refresh: *refresh,
                    periodic_refresh_s: 0,
                },
            ),
            Stream::Listen => return None,
        };
        Some(Self {
            request,
            decision: None,
            streams: true,
        })
    }

    /// What the client is asked for.
    pub fn request(&self) -> Request {
        self.request.clone()
    }
}

/// What a client has under way.
#[derive(Debug, Default)]
pub struct Requests {
    active: BTreeMap<RequestId, Active>,
    ids: BTreeMap<Ticket, RequestId>,
}

#[derive(Debug)]
struct Active {
    ticket: Ticket,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// It is answered and over; what came so far, where it comes in parts.
    Single(Gathered),
    /// An Update that decides at once; what it has read.
    Update(Decision, Bytes),
    /// An Update that waits for a decision; what it has read.
    Held(Bytes),
    Stream,
}

#[derive(Debug, Default)]
struct Gathered {
    records: Vec<(Key, Bytes)>,
    keys: Vec<Key>,
    keys_only: bool,
    channels: Vec<ChannelName>,
    /// The first that went wrong.
    bad: Option<Ending>,
}

/// What came of something that a client was told.
#[derive(Debug, Default)]
pub struct Came {
    /// What the world says.
    pub happening: Option<Happening>,
    /// An Update is to be decided.
    pub decide: Option<(RequestId, update::Decision)>,
}

impl Requests {
    /// A request has begun.
    pub fn started(&mut self, id: RequestId, ticket: Ticket, ask: Ask) {
        let kind = match (ask.request, ask.decision) {
            _ if ask.streams => Kind::Stream,
            (_, Some(decision)) => Kind::Update(decision, Bytes::new()),
            (Request::Update(_), None) => Kind::Held(Bytes::new()),
            (Request::GetAll(_, settings), None) => Kind::Single(Gathered {
                keys_only: settings.keys_only,
                ..Gathered::default()
            }),
            _ => Kind::Single(Gathered::default()),
        };
        self.ids.insert(ticket, id);
        self.active.insert(id, Active { ticket, kind });
    }

    /// What a stream is called on the connection.
    pub fn id(&self, ticket: Ticket) -> Option<RequestId> {
        self.ids.get(&ticket).copied()
    }

    /// The Update that `read` has read goes on as `ticket`.
    pub fn deciding(&mut self, read: Ticket, ticket: Ticket) -> Option<RequestId> {
        let id = self.ids.remove(&read)?;
        let active = self.active.get_mut(&id)?;
        active.ticket = ticket;
        self.ids.insert(ticket, id);
        Some(id)
    }

    /// A request has told its user something.
    pub fn told(&mut self, id: RequestId, told: Told) -> Came {
        let Some(active) = self.active.get_mut(&id) else {
            return Came::default();
        };
        let ticket = active.ticket;
        let mut came = Came::default();
        let ending = match (&mut active.kind, told) {
            (Kind::Stream, told) => {
                let event = event(told);
                if event.as_ref().is_some_and(Event::is_last) {
                    self.active.remove(&id);
                    self.ids.remove(&ticket);
                }
                came.happening = event.map(|event| Happening::Told(ticket, event));
                return came;
            }
            (Kind::Update(decided, read), Told::Update(update::Notification::Received(value))) => {
                *read = value;
                came.decide = Some((id, decision(decided)));
                return came;
            }
            (Kind::Held(read), Told::Update(update::Notification::Received(value))) => {
                *read = value.clone();
                came.happening = Some(Happening::Ended(ticket, Ending::Read(value)));
                return came;
            }
            (Kind::Update(_, read) | Kind::Held(read), Told::Update(told)) => {
                let update::Notification::Ended(ended) = told else {
                    return came;
                };
                Some(ended.map_or_else(
                    |failure| failed(&failure),
                    |updated| {
                        Ending::Answer(match updated {
                            Updated::Done => Answer::Updated { read: read.clone() },
                            Updated::NoRecord => Answer::NoRecord,
                            Updated::Conflict => Answer::Conflict,
                        })
                    },
                ))
            }
            (Kind::Single(gathered), told) => gathered.told(told),
            _ => None,
        };
        if let Some(ending) = ending {
            self.active.remove(&id);
            self.ids.remove(&ticket);
            came.happening = Some(Happening::Ended(ticket, ending));
        }
        came
    }
}

impl Gathered {
    /// Adds what was told; gives the end if that was it.
    fn told(&mut self, told: Told) -> Option<Ending> {
        let ended = |outcome: Result<Answer, Failure>| {
            Some(outcome.map_or_else(|failure| failed(&failure), Ending::Answer))
        };
        match told {
            Told::Put(outcome) => ended(outcome.map(|()| Answer::Stored)),
            Told::Get(outcome) => ended(outcome.map(|value| match value {
                Some(value) => Answer::Value(value),
                None => Answer::NoRecord,
            })),
            Told::Exists(outcome) => ended(outcome.map(Answer::Exists)),
            Told::Remove(outcome) => ended(outcome.map(Answer::Removed)),
            Told::GetAll(Notification::Item(_, item)) => {
                match item {
                    get_all::Item::Record(key, value) => self.records.push((key, value)),
                    get_all::Item::Key(key) => self.keys.push(key),
                }
                None
            }
            Told::GetAll(Notification::Finished) => Some(self.bad.take().unwrap_or_else(|| {
                Ending::Answer(match self.keys_only {
                    true => Answer::Keys(std::mem::take(&mut self.keys)),
                    false => Answer::Records(std::mem::take(&mut self.records)),
                })
            })),
            Told::GetAll(Notification::Stopped) => {
                Some(Ending::Unknown("it was stopped".to_owned()))
            }
            Told::GetAll(Notification::NodeError(_)) => self.bad(Ending::Answer(Answer::Error)),
            Told::GetChannels(told) => match told {
                gather::Notification::Notice(name) => {
                    self.channels.push(name);
                    None
                }
                gather::Notification::Finished => Some(self.bad.take().unwrap_or_else(|| {
                    Ending::Answer(Answer::Channels(std::mem::take(&mut self.channels)))
                })),
                // It is asked afresh, and tells no name twice. What was told before may be gone by now, so
                // that the list is of no moment.
                gather::Notification::Disconnected(_) => {
                    self.bad(Ending::Unknown("the connection broke".to_owned()))
                }
                gather::Notification::NodeError(_) => self.bad(Ending::Answer(Answer::Error)),
                gather::Notification::Unsupported(_, status) => {
                    self.bad(Ending::Unknown(status.to_string()))
                }
            },
            Told::RemoveChannel(told) => match told {
                gather::Notification::Finished => Some(
                    self.bad
                        .take()
                        .unwrap_or(Ending::Answer(Answer::ChannelRemoved)),
                ),
                gather::Notification::Notice(Notice::NotPermitted(_)) => {
                    self.bad(Ending::Answer(Answer::NotPermitted))
                }
                // The client asks again: the channel may be removed twice.
                gather::Notification::Disconnected(_) => {
                    self.bad(Ending::Unknown("the connection broke".to_owned()))
                }
                gather::Notification::NodeError(_) => self.bad(Ending::Answer(Answer::Error)),
                gather::Notification::Unsupported(_, status) => {
                    self.bad(Ending::Unknown(status.to_string()))
                }
            },
            _ => None,
        }
    }

    fn bad(&mut self, ending: Ending) -> Option<Ending> {
        self.bad.get_or_insert(ending);
        None
    }
}

/// What a stream tells.
fn event(told: Told) -> Option<Event> {
    match told {
        Told::GetAll(told) => common(told, |item| match item {
            get_all::Item::Record(key, value) => Event::Record(key, value),
            get_all::Item::Key(key) => Event::Key(key),
        }),
        Told::Mirror(told) => common(told, |item| match item {
            mirror::Item::Updated(key, value) => Event::Updated(key, value),
            mirror::Item::Refreshed(key, value) => Event::Refreshed(key, value),
            mirror::Item::Deleted(key) => Event::Deleted(key),
            mirror::Item::UpdatesLost => Event::UpdatesLost,
            mirror::Item::ChannelRemoved => Event::ChannelRemoved,
        }),
        _ => None,
    }
}

fn common<T>(told: Notification<T>, item: impl Fn(T) -> Event) -> Option<Event> {
    Some(match told {
        Notification::Item(_, told) => item(told),
        Notification::Started => Event::Started,
        Notification::Suspended => Event::Suspended,
        Notification::Resumed => Event::Resumed,
        Notification::Disconnected(_) => Event::Disconnected,
        Notification::NodeError(_) => Event::Failed("the node answered with an error".to_owned()),
        Notification::Unsupported(_, status) => Event::Failed(status.to_string()),
        Notification::Stopped => Event::Stopped,
        Notification::Finished => Event::Finished,
    })
}

/// How a request ended that did not end as it should.
fn failed(failure: &Failure) -> Ending {
    match failure {
        Failure::NoNode => Ending::Answer(Answer::NoNode),
        Failure::WrongNode { .. } => Ending::Answer(Answer::WrongNode),
        Failure::ValueTooBig { .. } => Ending::Answer(Answer::ValueTooBig),
        Failure::NodeError { .. } => Ending::Answer(Answer::Error),
        failure => Ending::Unknown(failure.to_string()),
    }
}

/// A decision in the client's words.
pub fn decision(decision: &Decision) -> update::Decision {
    match decision {
        Decision::Replace(value) => update::Decision::Replace(value.clone()),
        Decision::Leave => update::Decision::Leave,
        Decision::Delete => update::Decision::Delete,
    }
}
