//! Bugs of what requests ask of the node they run on: records, channels, the hash range.

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};
use dht_protocol::{ChannelName, HashRange, Key};

use super::seam::Seam;

/// During which client's message the node is asked for something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The request of the message, or the one that does what a legacy order does; `None` if the node works
    /// without one.
    pub(super) request: Option<RequestCode>,
    /// Is it the request's first message?
    pub(super) first: bool,
}

/// Which record the node is asked for, and during which message.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) call: Call,
    pub(super) channel: ChannelId,
    pub(super) key: Key,
}

/// A record of whatever channel.
pub(super) type RecordId = (ChannelId, Key);

pub(super) type Done = Result<(), HostError>;
pub(super) type Found = Result<Option<Bytes>, HostError>;
pub(super) type Removed = Result<bool, HostError>;
/// The next record of a channel.
pub(super) type Next = Option<(Key, Bytes)>;

impl At {
    /// Does this request ask?
    pub(super) fn by(self, request: RequestCode) -> bool {
        self.call.request == Some(request)
    }

    /// Does this request ask at a later message than its first?
    pub(super) fn later_by(self, request: RequestCode) -> bool {
        self.by(request) && !self.call.first
    }

    pub(super) fn record(self) -> RecordId {
        (self.channel, self.key)
    }

    pub(super) fn with_key(self, key: Key) -> Self {
        Self { key, ..self }
    }

    pub(super) fn put(self, host: &mut dyn Host, value: &Bytes) -> Done {
        host.put(self.channel, self.key, value)
    }

    pub(super) fn get(self, host: &dyn Host) -> Found {
        host.get(self.channel, self.key)
    }

    pub(super) fn remove(self, host: &mut dyn Host) -> Removed {
        host.remove(self.channel, self.key)
    }
}

/// The node could not do it.
pub(super) fn refused<T>() -> Result<T, HostError> {
    Err(HostError("refused".to_owned()))
}

/// Acts on what requests ask of the node; see [`Host`]. By default everything is passed on.
pub(super) trait HostBug: Send {
    fn range(&self, host: &dyn Host, _: Call) -> HashRange {
        host.range()
    }

    fn may_remove_channels(&self, host: &dyn Host, client: &ClientName) -> bool {
        host.may_remove_channels(client)
    }

    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Done {
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        host.channel_after(after)
    }

    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        at.put(host, value)
    }

    fn get(&self, host: &dyn Host, at: At) -> Found {
        at.get(host)
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        at.remove(host)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        host.record_after(channel, after)
    }
}

/// Acts on several questions, or remembers some for others.
pub(super) fn host(bug: impl HostBug + 'static) -> Seam {
    Seam::Host(Box::new(bug))
}

/// Bugs of a single question: a function each that is asked instead of the host.
macro_rules! single {
    ($(
        $(#[$meta:meta])*
        $constructor:ident, $bug:ident($call:ident): $method:ident
            ($self:ident: $me:ty)($host:ty $(, $name:ident: $argument:ty)*) -> $answer:ty;
    )+) => {$(
        $(#[$meta])*
        pub(super) fn $constructor(
            ask: impl $call($host $(, $argument)*) -> $answer + Send + 'static,
        ) -> Seam {
            host($bug(ask))
        }

        struct $bug<F>(F);

        impl<F: $call($host $(, $argument)*) -> $answer + Send> HostBug for $bug<F> {
            fn $method($self: $me, host: $host $(, $name: $argument)*) -> $answer {
                ($self.0)(host $(, $name)*)
            }
        }
    )+};
}

single! {
    /// A record is to be stored.
    on_put, OnPut(FnMut): put(self: &mut Self)(&mut dyn Host, at: At, value: &Bytes) -> Done;
    /// A record is to be read.
    on_get, OnGet(Fn): get(self: &Self)(&dyn Host, at: At) -> Found;
    /// A record is to be removed.
    on_remove, OnRemove(FnMut): remove(self: &mut Self)(&mut dyn Host, at: At) -> Removed;
    /// The next record of a channel is wanted.
    on_walk, OnWalk(Fn): record_after(self: &Self)
        (&dyn Host, channel: ChannelId, after: Option<Key>) -> Next;
    /// The next channel is wanted.
    on_list, OnList(Fn): channel_after(self: &Self)
        (&dyn Host, after: Option<&ChannelName>) -> Option<ChannelName>;
    /// A channel is to be removed.
    on_remove_channel, OnRemoveChannel(FnMut): remove_channel(self: &mut Self)
        (&mut dyn Host, name: &ChannelName) -> Done;
    /// May a client remove channels?
    on_permission, OnPermission(Fn): may_remove_channels(self: &Self)
        (&dyn Host, client: &ClientName) -> bool;
}

/// The node looks at this hash range, which is not the one that it tells.
pub(super) fn responsible_for(
    range: impl Fn(HashRange) -> Option<HashRange> + Send + 'static,
) -> Seam {
    host(ResponsibleFor(range))
}

struct ResponsibleFor<F>(F);

impl<F: Fn(HashRange) -> Option<HashRange> + Send> HostBug for ResponsibleFor<F> {
    fn range(&self, host: &dyn Host, call: Call) -> HashRange {
        let range = host.range();
        match call.request {
            Some(RequestCode::GetHashRange) => range,
            _ => (self.0)(range).unwrap_or(range),
        }
    }
}
