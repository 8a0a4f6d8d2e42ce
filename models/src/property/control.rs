//! Properties of Suspend, Resume and Stop, and of what GetAll and Mirror have in common otherwise
//! (`neo-requests.md` 16.3, and P06, P10 of 16.1).
//!
//! Each property watches one request: give it the [`Stream`] that it is about. What a client says and
//! tells is judged in [`client`], what a node says in [`node`].

pub mod client;
mod goals;
pub mod node;

pub use goals::{Goal, Reaches, Suspension};

use dht_protocol::neo::client::{ClientRequest, Request as Asks, Told};
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::control::{ACK, Control, FromClient};
use dht_protocol::neo::request::stream::Notification;
use dht_protocol::neo::request::{SupportedStatus, get_all, mirror};

use super::AnyProperty;
use crate::world::{Client, Frame, From, Node, Note, Request};

/// The GetAll or Mirror that a property is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stream {
    /// Its number.
    pub request: Request,
    /// Whose it is.
    pub client: Client,
    /// Is it a Mirror, and not a GetAll?
    pub is_mirror: bool,
}

/// Something that concerns a [`Stream`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// The user makes a call, which is accepted or not.
    Called(Control, bool),
    /// The user is told something.
    Told(Tidings),
    /// The client has nothing more to do.
    Over,
    /// The client sends something.
    ClientSaid(Node, Said<'a>),
    /// It arrives.
    NodeHeard(Node, Said<'a>),
    /// The node sends something.
    NodeSaid(Node, Answer),
    /// It arrives.
    ClientHeard(Node, Answer),
    /// The node holds back what it has to send from now on, or no longer.
    Suspended(Node, bool),
    /// The node has nothing more to do.
    NodeEnded(Node),
    /// The connection is given up because the protocol was broken.
    Closed(Node, From),
    /// The connection is up.
    Up(Node),
    /// The client notices that the connection is broken.
    ClientDown(Node),
    /// The node notices it.
    NodeDown(Node),
}

/// What a client says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Said<'a> {
    /// The first message, whole.
    Open(&'a [u8]),
    /// A control message.
    Control(Control),
    /// It has heard the final message.
    Ack,
}

/// What a node says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It knows the request.
    Supported,
    /// It does not.
    Refused,
    /// It has begun.
    Started,
    /// It could not begin.
    Error,
    /// A control message has arrived.
    Ack,
    /// Data.
    Data(Data),
    /// It has nothing more to send.
    Final,
    /// Nothing that a node says.
    Noise,
}

/// What kind of data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Data {
    /// Records in a batch.
    Batch,
    /// A change of a record.
    Change,
    /// Changes were lost.
    Overflow,
}

/// What a user is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tidings {
    /// All nodes have begun.
    Started,
    /// Something of what was asked for.
    Item(Node),
    /// All nodes are suspended.
    Suspended,
    /// All nodes are running again.
    Resumed,
    /// A connection broke.
    Disconnected,
    /// A node takes no further part.
    Failed(Node),
    /// The request was stopped.
    Stopped,
    /// The request has come to its end.
    Finished,
}

impl Stream {
    /// The request with this number, of a frame; `None` if it is neither a GetAll nor a Mirror.
    pub fn of(frame: &Frame, request: Request) -> Option<Self> {
        let setup = frame.requests.get(request)?;
        let is_mirror = match setup.asks {
            Some(Asks::GetAll(..)) => false,
            Some(Asks::Mirror(..)) => true,
            _ => return None,
        };
        Some(Self {
            request,
            client: setup.client,
            is_mirror,
        })
    }

    /// The properties of every GetAll and Mirror that say something in this frame.
    pub fn properties(self, frame: &Frame) -> Vec<Box<dyn AnyProperty>> {
        let is_controlled = frame
            .requests
            .get(self.request)
            .is_some_and(|setup| setup.calls > 0);
        let breaks = frame.budget.breaks + frame.budget.restarts > 0;
        let is_paced = frame.budget.paces > 0;
        let mut properties = client::properties(self);
        properties.extend(node::properties(self));
        properties.retain(|property| match property.about().id {
            "P10" => breaks,
            "P33" | "P34" | "P35" | "P37" => is_controlled,
            // A node may begin suspended because the user has too much to read.
            "P40" => !is_paced,
            _ => true,
        });
        properties
    }

    /// What a note is to this request.
    pub fn event(self, note: &Note) -> Option<Event<'_>> {
        let mine = |request: &Request| *request == self.request;
        let ours = |client: &Client| *client == self.client;
        Some(match note {
            Note::Controlled(request, control, accepted) if mine(request) => {
                Event::Called(*control, *accepted)
            }
            Note::Told(request, told) if mine(request) => Event::Told(tidings(told)?),
            Note::Over(request) if mine(request) => Event::Over,
            Note::ClientSent(request, node, payload) if mine(request) => {
                Event::ClientSaid(*node, said(payload))
            }
            Note::NodeTook(request, node, payload) if mine(request) => {
                Event::NodeHeard(*node, said(payload))
            }
            Note::NodeSent(request, node, payload) if mine(request) => {
                Event::NodeSaid(*node, self.answer(payload))
            }
            Note::ClientTook(request, node, payload) if mine(request) => {
                Event::ClientHeard(*node, self.answer(payload))
            }
            Note::Suspended(request, node, suspended) if mine(request) => {
                Event::Suspended(*node, *suspended)
            }
            Note::NodeEnded(request, node) if mine(request) => Event::NodeEnded(*node),
            Note::Violated(request, node, by, _) if mine(request) => Event::Closed(*node, *by),
            Note::Up(client, node) if ours(client) => Event::Up(*node),
            Note::ClientDown(client, node) if ours(client) => Event::ClientDown(*node),
            Note::NodeDown(client, node) if ours(client) => Event::NodeDown(*node),
            _ => return None,
        })
    }

    fn answer(self, payload: &[u8]) -> Answer {
        match SupportedStatus::decode(payload) {
            Ok(SupportedStatus::Supported) => return Answer::Supported,
            Ok(_) => return Answer::Refused,
            Err(_) => {}
        }
        if self.is_mirror {
            match mirror::FromNode::decode(payload) {
                Ok(mirror::FromNode::Ack) => Answer::Ack,
                Ok(mirror::FromNode::Started) => Answer::Started,
                Ok(mirror::FromNode::Error) => Answer::Error,
                Ok(mirror::FromNode::RecordChanged(..) | mirror::FromNode::RecordDeleted(_)) => {
                    Answer::Data(Data::Change)
                }
                Ok(mirror::FromNode::RecordRefreshBatch(_)) => Answer::Data(Data::Batch),
                Ok(mirror::FromNode::UpdateOverflow) => Answer::Data(Data::Overflow),
                Ok(mirror::FromNode::ChannelRemoved) => Answer::Final,
                Err(_) => Answer::Noise,
            }
        } else {
            match get_all::FromNode::decode(payload) {
                Ok(get_all::FromNode::Ack) => Answer::Ack,
                Ok(get_all::FromNode::Started) => Answer::Started,
                Ok(get_all::FromNode::Error) => Answer::Error,
                Ok(get_all::FromNode::RecordBatch(_)) => Answer::Data(Data::Batch),
                Ok(get_all::FromNode::Finished) => Answer::Final,
                Err(_) => Answer::Noise,
            }
        }
    }
}

/// Is this half of a GetAll or Mirror suspended?
pub(crate) fn is_suspended(half: Option<&NodeRequest>) -> bool {
    match half {
        Some(NodeRequest::GetAll(half)) => half.is_suspended(),
        Some(NodeRequest::Mirror(half)) => half.is_suspended(),
        _ => false,
    }
}

/// Is it half of a GetAll or Mirror?
pub(crate) fn is_stream(half: &ClientRequest) -> bool {
    matches!(half, ClientRequest::GetAll(_) | ClientRequest::Mirror(_))
}

/// Does a first message ask the node to begin suspended?
pub(crate) fn starts_suspended(open: &[u8]) -> bool {
    // Behind code and version, of both requests.
    open.get(2).is_some_and(|suspended| *suspended != 0)
}

fn said(payload: &[u8]) -> Said<'_> {
    match FromClient::decode(payload) {
        // The code of Mirror is that of Ack, but a first message is longer.
        Ok(FromClient::Control(control)) if payload.len() == 1 => Said::Control(control),
        Ok(FromClient::Ack) if payload == [ACK] => Said::Ack,
        _ => Said::Open(payload),
    }
}

fn tidings(told: &Told) -> Option<Tidings> {
    match told {
        Told::GetAll(told) => tidings_of(told),
        Told::Mirror(told) => tidings_of(told),
        _ => None,
    }
}

fn tidings_of<T>(told: &Notification<T>) -> Option<Tidings> {
    let at = crate::world::node_at;
    Some(match told {
        Notification::Started => Tidings::Started,
        Notification::Item(node, _) => Tidings::Item(at(*node)?),
        Notification::Suspended => Tidings::Suspended,
        Notification::Resumed => Tidings::Resumed,
        Notification::Disconnected(_) => Tidings::Disconnected,
        Notification::NodeError(node) | Notification::Unsupported(node, _) => {
            Tidings::Failed(at(*node)?)
        }
        Notification::Stopped => Tidings::Stopped,
        Notification::Finished => Tidings::Finished,
    })
}

/// How much data may still come after Suspend was acknowledged (P31), and how much came.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Stragglers {
    batches: u8,
    changes: u8,
    overflows: u8,
}

impl Stragglers {
    /// More data came. Is it too much?
    fn count(&mut self, stream: Stream, data: Data) -> bool {
        let (count, most) = match (data, stream.is_mirror) {
            (Data::Batch, false) => (&mut self.batches, 2),
            (Data::Batch, true) => (&mut self.batches, 1),
            (Data::Change, _) => (&mut self.changes, 1),
            (Data::Overflow, _) => (&mut self.overflows, 1),
        };
        *count = (*count + 1).min(most + 1);
        *count > most
    }
}

/// Defines properties of a [`Stream`]: what they remember, what is wrong, and what is owed.
macro_rules! properties {
    ($(
        $(#[$meta:meta])*
        $name:ident: $id:literal, $kind:ident, $sentence:literal,
        $memory:ty, $note:expr $(, $owes:expr)?;
    )+) => {
        /// All of them.
        pub fn properties(stream: $crate::property::control::Stream) -> Vec<Box<dyn $crate::property::AnyProperty>> {
            vec![$($crate::property::watch($name(stream)),)+]
        }

        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name(pub $crate::property::control::Stream);

            impl $crate::property::Property for $name {
                type Memory = $memory;

                fn about(&self) -> $crate::property::About {
                    $crate::property::About {
                        id: $id,
                        kind: $crate::property::Kind::$kind,
                        sentence: $sentence,
                    }
                }

                fn start(&self, _: &$crate::world::Frame) -> $memory {
                    Default::default()
                }

                fn note(&self, memory: &mut $memory, note: &$crate::world::Note) -> bool {
                    type Judge = fn(Stream, &mut $memory, Event<'_>) -> bool;
                    let judge: Judge = $note;
                    self.0.event(note).is_some_and(|event| judge(self.0, memory, event))
                }

                $(fn owes(&self, memory: &$memory) -> bool {
                    let owes: fn(&$memory) -> bool = $owes;
                    owes(memory)
                })?
            }
        )+
    };
}
use properties;
