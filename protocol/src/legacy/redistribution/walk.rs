//! A way through all records of a node, which survives whatever happens to them meanwhile.

use bytes::Bytes;

use crate::channel::ChannelName;
use crate::host::{ChannelId, Host};
use crate::key::Key;

/// Where somebody is on the way.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Walk {
    channel: Option<(ChannelName, ChannelId)>,
    after: Option<Key>,
    started: bool,
    over: bool,
}

/// What is next on the way.
pub(super) enum Next {
    /// A record of the channel; until it is [passed](Walk::pass), it stays the next.
    Record(Key, Bytes),
    /// The channel has no more records.
    ChannelEnd,
    /// There are no more channels.
    End,
}

impl Walk {
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The channel of what [`next`](Self::next) says.
    pub(super) fn channel(&self) -> Option<&(ChannelName, ChannelId)> {
        self.channel.as_ref()
    }

    pub(super) fn next<H: Host + ?Sized>(&mut self, host: &H) -> Next {
        if !self.started {
            self.started = true;
            self.next_channel(host);
        }
        match &self.channel {
            None => {
                self.over = true;
                Next::End
            }
            Some((_, id)) => match host.record_after(*id, self.after) {
                Some((key, value)) => Next::Record(key, value),
                None => Next::ChannelEnd,
            },
        }
    }

    pub(super) fn pass(&mut self, key: Key) {
        self.after = Some(key);
    }

    /// Goes on behind the channel.
    pub(super) fn next_channel<H: Host + ?Sized>(&mut self, host: &H) {
        let mut name = self.channel.take().map(|(name, _)| name);
        self.after = None;
        loop {
            name = host.channel_after(name.as_ref());
            let Some(found) = &name else {
                return;
            };
            if let Some(id) = host.find_channel(found) {
                self.channel = Some((found.clone(), id));
                return;
            }
        }
    }
}
