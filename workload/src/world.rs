//! Where a case is run: what a world has to do.
//!
//! A world has connections to one node, made before a case begins, numbered from 0. It knows nothing of
//! cases: it is asked for operations, streams and faults, and says what happens, one thing after another.
//! Two worlds exist: one over sockets, through the public client, and one in this process, where a
//! schedule of its own decides which bytes pass when.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use dht_client::ControlError;
use dht_model::{Answer, Decision, Operation};
use dht_protocol::{ChannelName, Key};

pub use dht_protocol::neo::request::control::Control;

pub use crate::violation::Violation;

use crate::case::{Direction, Fault, Wrong};
use crate::names::Names;

/// Names what was asked for, so that what happens can be told apart. Never used twice in a world.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// What a stream is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stream {
    /// All records of a channel, or all keys.
    GetAll {
        /// Only keys are wanted.
        keys_only: bool,
        /// Only records whose value contains these bytes are wanted; if empty, all.
        filter: Bytes,
    },
    /// The writes to a channel, over a legacy connection.
    Listen,
    /// The changes of a channel.
    Mirror {
        /// All records are wanted at the start.
        refresh: bool,
    },
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// What this ticket was for has ended.
    Ended(Ticket, Ending),
    /// A stream has told something.
    Told(Ticket, Event),
    /// The node has broken the protocol. Nothing else is worth judging.
    Violation(Violation),
    /// The node is gone, and cannot be reached again.
    Gone(String),
    /// Nothing has happened for as long as anybody would wait.
    Silence,
}

impl Happening {
    /// Has the node said it? Otherwise it has become clear without the node, or by waiting.
    pub(crate) fn is_said(&self) -> bool {
        matches!(
            self,
            Self::Ended(_, Ending::Answer(_) | Ending::Read(_)) | Self::Told(..)
        )
    }
}

/// What a wait while messages are held has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum Stir {
    /// Something happened.
    Happened(Happening),
    /// A message was held, or has passed.
    Held,
    /// The time is up.
    Nothing,
}

/// How many messages of a request were held in one direction of its connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Held {
    /// So many came since the connection began.
    pub arrived: u64,
    /// So many of them have not passed.
    pub waiting: u64,
}

impl Held {
    /// How many have passed.
    pub fn passed(self) -> u64 {
        self.arrived.saturating_sub(self.waiting)
    }
}

/// How something ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It was answered.
    Answer(Answer),
    /// The first half of an Update was: it awaits a decision on this value.
    Read(Bytes),
    /// Nobody knows: the connection was lost, or the time was up. It may have happened, and may even
    /// happen later.
    Unknown(String),
    /// It certainly has no effect: it was never sent, or it is something that has none.
    Nothing(String),
}

/// What a stream tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// It has begun.
    Started,
    /// GetAll: a record.
    Record(Key, Bytes),
    /// GetAll: a key.
    Key(Key),
    /// Mirror, Listen: a record was written.
    Updated(Key, Bytes),
    /// Mirror: a record of a refresh.
    Refreshed(Key, Bytes),
    /// Mirror: a record was removed.
    Deleted(Key),
    /// Mirror: changes were lost.
    UpdatesLost,
    /// Mirror, Listen: the channel was removed.
    ChannelRemoved,
    /// The node has suspended it.
    Suspended,
    /// The node has resumed it.
    Resumed,
    /// The connection broke; it goes on when it is back.
    Disconnected,
    /// The node failed at it. Nothing follows.
    Failed(String),
    /// It was stopped. Nothing follows.
    Stopped,
    /// The node has nothing more to tell. Nothing follows.
    Finished,
}

impl Event {
    /// Does nothing follow?
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Stopped | Self::Finished)
    }
}

/// Connections to a node, and what can be done with them.
///
/// What is asked of a connection that is down waits until it is up again.
pub trait World {
    /// Begins a whole operation. [`Happening::Ended`] follows.
    fn begin(&mut self, ticket: Ticket, connection: usize, operation: Operation);

    /// Begins the first half of an Update. It ends with [`Ending::Read`], or without a record to decide on.
    fn begin_update(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, key: Key);

    /// Begins the second half of the Update that `update` has read. [`Happening::Ended`] follows for `ticket`.
    fn decide(&mut self, ticket: Ticket, update: Ticket, decision: Decision);

    /// Begins a stream, which is known by this ticket. [`Happening::Told`] follows, again and again.
    fn open(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, stream: Stream);

    /// Suspends, resumes or stops a stream. What comes of it is told.
    fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError>;

    /// Lets something go wrong. False: this world cannot do that.
    fn fault(&mut self, fault: &Fault) -> bool;

    /// Says or does something wrongly on a connection; `names` are those of the case. [`Happening::Ended`]
    /// follows: with [`Ending::Nothing`] if it certainly has no effect. False: this world cannot do that.
    fn misbehave(&mut self, _: Ticket, _connection: usize, _: &Wrong, _: &Names) -> bool {
        false
    }

    /// What happens next.
    fn next(&mut self) -> impl Future<Output = Happening> + Send;

    /// Holds the messages of all requests back from now on, or lets them all go. False: this world
    /// cannot do that.
    fn hold(&mut self, _held: bool) -> bool {
        false
    }

    /// How many messages of what this ticket is for were held back.
    fn held(&self, _ticket: Ticket, _direction: Direction) -> Held {
        Held::default()
    }

    /// Lets the next message pass that is held back of what this ticket is for. False: there is none.
    fn pass(&mut self, _ticket: Ticket, _direction: Direction) -> bool {
        false
    }

    /// Is a message on its way that was let pass?
    fn is_passing(&self) -> bool {
        false
    }

    /// How often this connection was established.
    fn begun(&self, _connection: usize) -> u64 {
        0
    }

    /// What happens next to requests, or to messages that are held back, in so long a time.
    fn stir(&mut self, _limit: Duration) -> impl Future<Output = Stir> + Send {
        std::future::ready(Stir::Nothing)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => answer.fmt(f),
            Self::Read(value) => write!(f, "read {}", Answer::Value(value.clone())),
            Self::Unknown(why) => write!(f, "no answer: {why}"),
            Self::Nothing(why) => write!(f, "nothing came of it: {why}"),
        }
    }
}
