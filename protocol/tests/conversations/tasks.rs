//! Requests that were started: the client's half of each, and a judge of what its user is told.

use std::fmt::{self, Debug};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::stream::Streaming;
use dht_protocol::neo::request::update::{self, Decision};
use dht_protocol::neo::request::visit::{Outcome, Visit, Visitor};
use dht_protocol::neo::request::{
    Effect, exists, get, get_all, get_channels, mirror, put, remove, remove_channel,
};

use crate::drive::{Drive, Happening, Updating};
use crate::listings::{ChannelRemoval, Copy, Listing, Names};
use crate::records::{Change, Presence, Record, RecordJudge, Removal};
use crate::world::World;

/// Keys are below this.
pub(crate) const KEYS: u64 = 6;

/// A request to be started.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Put(&'static str, u64, usize),
    Get(&'static str, u64),
    Exists(&'static str, u64),
    Remove(&'static str, u64),
    Replace(&'static str, u64),
    Delete(&'static str, u64),
    Leave(&'static str, u64),
    GetAll(&'static str),
    GetKeys(&'static str),
    Mirror(&'static str, u32),
    GetChannels,
    RemoveChannel(&'static str),
}

/// What a client's half is to send: to whom and what.
pub(crate) type Messages = Vec<(NodeAddress, Vec<u8>)>;

/// A request that was started.
pub(crate) struct Running {
    name: String,
    task: Box<dyn AnyTask>,
    is_stream: bool,
}

impl Running {
    pub(crate) fn happen(&mut self, happening: Happening<'_>, world: &World) -> Messages {
        self.task.happen(happening, world)
    }

    /// Everything has been said and heard, and nothing is suspended.
    pub(crate) fn settled(&mut self, world: &World) {
        self.task.settled(world);
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.task.is_ended()
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }
}

impl Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a user believes, and whether they may.
pub(crate) trait Judge<T> {
    /// Is this the last notification?
    fn told(&mut self, told: T, world: &World) -> bool;

    fn wanted(&mut self, _: Control) {}

    fn settled(&self, _: &World) {}
}

trait AnyTask {
    fn happen(&mut self, happening: Happening<'_>, world: &World) -> Messages;
    fn settled(&mut self, world: &World);
    fn is_ended(&self) -> bool;
}

struct Task<D, J> {
    half: D,
    judge: J,
    /// Has the last notification been given?
    over: bool,
}

impl<D: Drive, J: Judge<D::Told>> Task<D, J> {
    fn absorb(&mut self, effects: Vec<Effect<D::Told>>, world: &World) -> Messages {
        let mut messages = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { node, payload } => messages.push((node, payload)),
                Effect::Close { node, violation } => panic!("{node}: {violation}"),
                Effect::Notify(told) => {
                    assert!(!self.over, "a notification behind the last one (P08)");
                    self.over = self.judge.told(told, world);
                }
            }
        }
        messages
    }
}

impl<D: Drive, J: Judge<D::Told>> AnyTask for Task<D, J> {
    fn happen(&mut self, happening: Happening<'_>, world: &World) -> Messages {
        let mut effects = Vec::new();
        let allowed = self.half.happen(happening, &mut effects);
        if let (Happening::Wanted(control), true) = (happening, allowed) {
            self.judge.wanted(control);
        }
        self.absorb(effects, world)
    }

    fn settled(&mut self, world: &World) {
        self.judge.settled(world);
    }

    fn is_ended(&self) -> bool {
        assert!(
            self.over || !self.half.is_ended(),
            "ended without a word (P07)"
        );
        self.over && self.half.is_ended()
    }
}

impl Op {
    /// The request, and what it sends at once.
    pub(crate) fn start(self, world: &mut World) -> (Running, Messages) {
        let name = format!("{self:?}");
        let mut is_stream = false;
        let (task, messages): (Box<dyn AnyTask>, _) = match self {
            Self::Put(channel, key, size) => {
                let mut value = format!("{}:", world.version()).into_bytes();
                value.resize(value.len().max(size), b'.');
                let judge = Record::new(channel, key, world).writing(value.into());
                let open = put::Open {
                    record: judge.name(),
                    value: judge.value.clone(),
                };
                visit(put::Client::new(open).unwrap(), judge, world)
            }
            Self::Get(channel, key) => {
                let judge = Record::new(channel, key, world);
                visit(get::Client::new(judge.name()), judge, world)
            }
            Self::Exists(channel, key) => {
                let judge = Presence(Record::new(channel, key, world));
                visit(exists::Client::new(judge.0.name()), judge, world)
            }
            Self::Remove(channel, key) => {
                let judge = Removal(Record::new(channel, key, world));
                visit(remove::Client::new(judge.0.name()), judge, world)
            }
            Self::Replace(channel, key) => {
                let value = Bytes::from(format!("{}:", world.version()));
                update(channel, key, Decision::Replace(value), world)
            }
            Self::Delete(channel, key) => update(channel, key, Decision::Delete, world),
            Self::Leave(channel, key) => update(channel, key, Decision::Leave, world),
            Self::GetAll(channel) | Self::GetKeys(channel) => {
                is_stream = true;
                let settings = get_all::Settings {
                    keys_only: matches!(self, Self::GetKeys(_)),
                    ..Default::default()
                };
                let half = Streaming::new(get_all::Client::new(channel.into(), settings));
                start(half, Listing::new(channel, world))
            }
            Self::Mirror(channel, periodic_refresh_s) => {
                is_stream = true;
                let settings = mirror::Settings {
                    initial_refresh: true,
                    periodic_refresh_s,
                };
                let half = Streaming::new(mirror::Client::new(channel.into(), settings));
                start(half, Copy::new(channel))
            }
            Self::GetChannels => {
                let half = Gathering::new(get_channels::Client::default());
                start(half, Names::new(world))
            }
            Self::RemoveChannel(channel) => {
                let half = Gathering::new(remove_channel::Client::new(channel.into()));
                start(half, ChannelRemoval)
            }
        };
        let running = Running {
            name,
            task,
            is_stream,
        };
        (running, messages)
    }
}

/// A request on all nodes, which are known.
fn start<D: Drive + 'static, J: Judge<D::Told> + 'static>(
    half: D,
    judge: J,
) -> (Box<dyn AnyTask>, Messages) {
    let task = Task {
        half,
        judge,
        over: false,
    };
    (Box::new(task), Vec::new())
}

fn visit<V: Visitor + 'static, J: Judge<Outcome<V::Output>> + RecordJudge + 'static>(
    visitor: V,
    judge: J,
    world: &World,
) -> (Box<dyn AnyTask>, Messages) {
    let nodes = world.registry.covering(Key(judge.key()));
    let mut effects = Vec::new();
    let half = Visit::start(visitor, nodes, &mut effects);
    let mut task = Task {
        half,
        judge,
        over: false,
    };
    let messages = task.absorb(effects, world);
    (Box::new(task), messages)
}

fn update(
    channel: &'static str,
    key: u64,
    decision: Decision,
    world: &World,
) -> (Box<dyn AnyTask>, Messages) {
    let record = Record::new(channel, key, world);
    let mut effects = Vec::new();
    let nodes = world.registry.covering(Key(key));
    let client = update::Client::start(record.name(), nodes, &mut effects);
    let mut task = Task {
        half: Updating {
            client,
            decision: decision.clone(),
        },
        judge: Change {
            record,
            decision,
            read: None,
        },
        over: false,
    };
    let messages = task.absorb(effects, world);
    (Box::new(task), messages)
}
