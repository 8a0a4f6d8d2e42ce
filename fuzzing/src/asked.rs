//! What users of a client ask for, as structured input.

use arbitrary::Arbitrary;
use bytes::Bytes;
use dht_protocol::neo::Violation;
use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::{self, Decision};
use dht_protocol::neo::request::{Effect, Failure, RecordName, get_all, mirror, put};
use dht_protocol::{ChannelName, Key};

/// What a user asks for.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Asked {
    Put(u8),
    Get,
    Exists,
    Remove,
    Update,
    GetAll { keys_only: bool, filter: bool },
    Mirror { refresh: bool, period: bool },
    GetChannels,
    RemoveChannel,
}

/// What the user of a stream says.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Said {
    Suspend,
    Resume,
    Stop,
}

/// What the user of an Update decides: nothing, a new value or that the record goes.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Decided(Option<bool>);

impl Asked {
    /// The request, which is about this channel, or the record in it with this key, if it is about one.
    pub(crate) fn request(self, channel: &ChannelName, key: Key) -> Request {
        let channel = channel.clone();
        let record = |channel| RecordName { channel, key };
        match self {
            Self::Put(length) => Request::Put(put::Open {
                record: record(channel),
                value: value(length),
            }),
            Self::Get => Request::Get(record(channel)),
            Self::Exists => Request::Exists(record(channel)),
            Self::Remove => Request::Remove(record(channel)),
            Self::Update => Request::Update(record(channel)),
            Self::GetAll { keys_only, filter } => Request::GetAll(
                channel,
                get_all::Settings {
                    keys_only,
                    value_filter: if filter { "v".into() } else { "".into() },
                },
            ),
            Self::Mirror { refresh, period } => Request::Mirror(
                channel,
                mirror::Settings {
                    initial_refresh: refresh,
                    periodic_refresh_s: u32::from(period),
                },
            ),
            Self::GetChannels => Request::GetChannels,
            Self::RemoveChannel => Request::RemoveChannel(channel),
        }
    }
}

impl From<Said> for Control {
    fn from(said: Said) -> Self {
        match said {
            Said::Suspend => Self::Suspend,
            Said::Resume => Self::Resume,
            Said::Stop => Self::Stop,
        }
    }
}

impl From<Decided> for Decision {
    fn from(Decided(decision): Decided) -> Self {
        match decision {
            None => Self::Leave,
            Some(true) => Self::Replace("new".into()),
            Some(false) => Self::Delete,
        }
    }
}

/// A value of this length. It takes no memory.
pub(crate) fn value(length: u8) -> Bytes {
    static VALUE: [u8; u8::MAX as usize] = [b'v'; u8::MAX as usize];
    Bytes::from_static(&VALUE[..usize::from(length)])
}

/// The channel that everything is about.
pub(crate) fn channel() -> ChannelName {
    "c".into()
}

/// What a client accuses the node of: a request for one record tells its user.
pub(crate) fn accusation(effect: &Effect<Told>) -> Option<&Violation> {
    match effect {
        Effect::Close { violation, .. }
        | Effect::Notify(
            Told::Put(Err(Failure::Violation { violation, .. }))
            | Told::Get(Err(Failure::Violation { violation, .. }))
            | Told::Exists(Err(Failure::Violation { violation, .. }))
            | Told::Remove(Err(Failure::Violation { violation, .. }))
            | Told::Update(update::Notification::Ended(Err(Failure::Violation {
                violation, ..
            }))),
        ) => Some(violation),
        _ => None,
    }
}
