//! Requests as their users see them, and what the nodes' histories allow them to see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

use bytes::Bytes;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{self, Gathering};
use dht_protocol::neo::request::stream::{self, Streaming};
use dht_protocol::neo::request::update::{self, Decision, Updated};
use dht_protocol::neo::request::visit::{Outcome, Visit, Visitor};
use dht_protocol::neo::request::{
    Effect, Failure, RecordName, exists, get, get_all, get_channels, mirror, put, remove,
    remove_channel,
};
use dht_protocol::{ChannelName, Key};

use crate::drive::{Drive, Happening, Updating};
use crate::support::Memory;
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
trait Judge<T> {
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
                start(half, Listing::new(channel, world), world)
            }
            Self::Mirror(channel, periodic_refresh_s) => {
                is_stream = true;
                let settings = mirror::Settings {
                    initial_refresh: true,
                    periodic_refresh_s,
                };
                let half = Streaming::new(mirror::Client::new(channel.into(), settings));
                start(half, Copy::new(channel), world)
            }
            Self::GetChannels => {
                let half = Gathering::new(get_channels::Client::default());
                start(half, Names::default(), world)
            }
            Self::RemoveChannel(channel) => {
                let half = Gathering::new(remove_channel::Client::new(channel.into()));
                start(half, ChannelRemoval, world)
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
    _: &World,
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

/// The only failures that are nobody's fault.
fn excused(failure: &Failure) {
    let excuses = matches!(
        failure,
        Failure::Disconnected { .. } | Failure::TimedOut | Failure::NoNode
    );
    assert!(excuses, "{failure}");
}

trait RecordJudge {
    fn key(&self) -> u64;
}

/// A record, the moments when the request was started on the nodes that cover it, and what it writes.
struct Record {
    channel: &'static str,
    key: u64,
    moments: Vec<usize>,
    value: Bytes,
}

/// The values that a record has had on a node since the request was started.
type History = Vec<Option<Bytes>>;

impl Record {
    fn new(channel: &'static str, key: u64, world: &World) -> Self {
        let covering = world.covering(key);
        Self {
            channel,
            key,
            moments: covering.map(|node| node.moment(channel, key)).collect(),
            value: Bytes::new(),
        }
    }

    fn writing(self, value: Bytes) -> Self {
        Self { value, ..self }
    }

    fn name(&self) -> RecordName {
        RecordName {
            channel: self.channel.into(),
            key: Key(self.key),
        }
    }

    fn histories(&self, world: &World) -> Vec<History> {
        let covering = world.covering(self.key).zip(&self.moments);
        let history =
            |(node, moment): (&Memory, &usize)| node.since(self.channel, self.key, *moment);
        covering.map(history).collect()
    }

    /// Did any node have this value?
    fn had(&self, value: Option<&Bytes>, world: &World) -> bool {
        let histories = self.histories(world);
        histories.iter().flatten().any(|had| had.as_ref() == value)
    }

    /// Was every node without it once?
    fn was_absent(&self, world: &World) -> bool {
        let histories = self.histories(world);
        histories.iter().all(|history| history.contains(&None))
    }
}

impl RecordJudge for Record {
    fn key(&self) -> u64 {
        self.key
    }
}

/// Put.
impl Judge<Outcome<()>> for Record {
    fn told(&mut self, told: Outcome<()>, world: &World) -> bool {
        match told {
            Ok(()) => assert!(self.had(Some(&self.value), world), "P14"),
            Err(failure) => excused(&failure),
        }
        true
    }

    fn settled(&self, world: &World) {
        let histories = self.histories(world);
        let written = |value: &&Option<Bytes>| value.as_ref() == Some(&self.value);
        let times = histories.iter().flatten().filter(written).count();
        assert!(times <= 1, "stored {times} times (P15)");
    }
}

/// Get.
impl Judge<Outcome<Option<Bytes>>> for Record {
    fn told(&mut self, told: Outcome<Option<Bytes>>, world: &World) -> bool {
        match told {
            Ok(Some(value)) => assert!(self.had(Some(&value), world), "P16"),
            Ok(None) => assert!(self.was_absent(world), "P18"),
            Err(failure) => excused(&failure),
        }
        true
    }
}

struct Presence(Record);

impl RecordJudge for Presence {
    fn key(&self) -> u64 {
        self.0.key
    }
}

impl Judge<Outcome<bool>> for Presence {
    fn told(&mut self, told: Outcome<bool>, world: &World) -> bool {
        match told {
            Ok(true) => {
                let histories = self.0.histories(world);
                assert!(histories.iter().flatten().any(Option::is_some));
            }
            Ok(false) => assert!(self.0.was_absent(world), "P18"),
            Err(failure) => excused(&failure),
        }
        true
    }
}

struct Removal(Record);

impl RecordJudge for Removal {
    fn key(&self) -> u64 {
        self.0.key
    }
}

impl Judge<Outcome<bool>> for Removal {
    fn told(&mut self, told: Outcome<bool>, world: &World) -> bool {
        match told {
            Ok(true) => {
                let histories = self.0.histories(world);
                let mut steps = histories.iter().flat_map(|history| history.windows(2));
                assert!(
                    steps.any(|step| step[0].is_some() && step[1].is_none()),
                    "P20"
                );
            }
            Ok(false) => {
                assert!(self.0.was_absent(world), "P20");
                let unchanged = self
                    .0
                    .histories(world)
                    .iter()
                    .all(|history| history.len() == 1);
                assert!(unchanged || !world.alone, "P21");
            }
            Err(failure) => excused(&failure),
        }
        true
    }
}

/// Update.
struct Change {
    record: Record,
    decision: Decision,
    read: Option<Bytes>,
}

impl Judge<update::Notification> for Change {
    fn told(&mut self, told: update::Notification, world: &World) -> bool {
        match told {
            update::Notification::Received(value) => {
                assert!(self.record.had(Some(&value), world));
                assert!(self.read.replace(value).is_none(), "P77");
                return false;
            }
            update::Notification::Ended(Ok(Updated::Done)) => match &self.decision {
                Decision::Replace(new) => {
                    let histories = self.record.histories(world);
                    let mut steps = histories.iter().flat_map(|history| history.windows(2));
                    let step = steps.find(|step| step[1].as_ref() == Some(new)).unwrap();
                    assert!(step[0].is_none() || step[0] == self.read, "P70: {step:?}");
                    let oldest = &histories[0];
                    let moved = histories.len() > 1 && oldest.contains(&self.read);
                    assert!(!moved || oldest.last() == Some(&None), "P75");
                }
                Decision::Delete => {
                    let histories = self.record.histories(world);
                    assert!(histories.iter().any(|history| history.contains(&None)));
                }
                Decision::Leave => assert!(self.read.is_some()),
            },
            update::Notification::Ended(Ok(Updated::NoRecord)) => {
                assert!(self.record.was_absent(world) && self.read.is_none(), "P18");
            }
            update::Notification::Ended(Ok(Updated::Conflict)) => {
                let Decision::Replace(new) = &self.decision else {
                    panic!("nothing can conflict with {:?}", self.decision);
                };
                assert!(!self.record.had(Some(new), world), "P71");
            }
            update::Notification::Ended(Err(failure)) => excused(&failure),
        }
        true
    }
}

/// What a stream tells besides its items, and when it may.
#[derive(Default)]
struct Controlled {
    started: bool,
    changed: bool,
    suspended: bool,
    stopping: bool,
}

impl Controlled {
    /// The item, if it is one, and whether it is the last notification.
    fn told<T: PartialEq>(
        &mut self,
        told: stream::Notification<T>,
    ) -> (Option<(NodeAddress, T)>, bool) {
        match told {
            stream::Notification::Item(node, item) => return (Some((node, item)), false),
            stream::Notification::Started => {
                assert!(!self.started && !self.changed, "P38");
                self.started = true;
            }
            stream::Notification::Suspended | stream::Notification::Resumed => {
                assert!(!self.stopping, "P36");
                self.changed = true;
                self.suspended = told == stream::Notification::Suspended;
            }
            stream::Notification::Stopped => {
                assert!(self.stopping);
                return (None, true);
            }
            stream::Notification::Finished => {
                assert!(!self.stopping, "P36");
                return (None, true);
            }
            stream::Notification::Disconnected(_) => {}
            stream::Notification::NodeError(_) | stream::Notification::Unsupported(..) => {
                panic!("no node has a reason for that")
            }
        }
        (None, false)
    }
}

impl Controlled {
    fn wanted(&mut self, control: Control) {
        self.stopping |= control == Control::Stop;
        self.suspended = false;
    }
}

/// GetAll.
struct Listing {
    channel: &'static str,
    control: Controlled,
    /// When it was started, for every record of every node.
    moments: BTreeMap<(NodeAddress, u64), usize>,
    seen: BTreeSet<(NodeAddress, u64)>,
}

impl Listing {
    fn new(channel: &'static str, world: &World) -> Self {
        let moments = world.servers.iter().flat_map(|server| {
            let moment = |key| ((server.address, key), server.memory.moment(channel, key));
            (0..KEYS).map(moment)
        });
        Self {
            channel,
            control: Controlled::default(),
            moments: moments.collect(),
            seen: BTreeSet::new(),
        }
    }

    fn history(&self, node: NodeAddress, key: u64, world: &World) -> History {
        let mut servers = world.servers.iter();
        let server = servers.find(|server| server.address == node).unwrap();
        let moment = self.moments[&(node, key)];
        server.memory.since(self.channel, key, moment)
    }
}

impl Judge<stream::Notification<get_all::Item>> for Listing {
    fn told(&mut self, told: stream::Notification<get_all::Item>, world: &World) -> bool {
        let finished = told == stream::Notification::Finished;
        let (item, last) = self.control.told(told);
        if let Some((node, item)) = item {
            let (get_all::Item::Record(key, _) | get_all::Item::Key(key)) = item;
            assert!(self.seen.insert((node, key.0)), "{key} a second time (P45)");
            let history = self.history(node, key.0, world);
            match item {
                get_all::Item::Record(_, value) => {
                    assert!(history.contains(&Some(value)), "P46");
                }
                get_all::Item::Key(_) => assert!(history.iter().any(Option::is_some)),
            }
        }
        for (node, key) in self.moments.keys().filter(|_| finished) {
            if let [Some(_)] = self.history(*node, *key, world)[..] {
                assert!(self.seen.contains(&(*node, *key)), "{key} is missing (P44)");
            }
        }
        last
    }

    fn wanted(&mut self, control: Control) {
        self.control.wanted(control);
    }
}

/// Mirror: a copy of the channel on every node.
struct Copy {
    channel: &'static str,
    control: Controlled,
    copies: BTreeMap<NodeAddress, BTreeMap<Key, Bytes>>,
    /// Removals may have been missed there.
    was_away: BTreeSet<NodeAddress>,
    removed: BTreeSet<NodeAddress>,
    over: bool,
}

impl Copy {
    fn new(channel: &'static str) -> Self {
        Self {
            channel,
            control: Controlled::default(),
            copies: BTreeMap::new(),
            was_away: BTreeSet::new(),
            removed: BTreeSet::new(),
            over: false,
        }
    }
}

impl Judge<stream::Notification<mirror::Item>> for Copy {
    fn told(&mut self, told: stream::Notification<mirror::Item>, _: &World) -> bool {
        if let stream::Notification::Disconnected(node) = told {
            self.was_away.insert(node);
        }
        let (item, last) = self.control.told(told);
        self.over = last;
        if let Some((node, item)) = item {
            let gone = item == mirror::Item::ChannelRemoved;
            assert!(gone || !self.control.suspended, "P41: {item:?}");
            let copy = self.copies.entry(node).or_default();
            match item {
                mirror::Item::Updated(key, value) | mirror::Item::Refreshed(key, value) => {
                    copy.insert(key, value);
                }
                mirror::Item::Deleted(key) => {
                    copy.remove(&key);
                }
                mirror::Item::ChannelRemoved => {
                    self.removed.insert(node);
                }
                mirror::Item::UpdatesLost => panic!("P59"),
            }
        }
        last
    }

    fn wanted(&mut self, control: Control) {
        self.control.wanted(control);
    }

    fn settled(&self, world: &World) {
        if self.over || self.control.stopping {
            return;
        }
        for server in &world.servers {
            let address = &server.address;
            if self.removed.contains(address) {
                continue;
            }
            let mut copy = self.copies.get(address).cloned().unwrap_or_default();
            let records = server.memory.records(self.channel);
            if self.was_away.contains(address) {
                copy.retain(|key, _| records.contains_key(key));
            }
            assert_eq!(copy, records, "P54");
        }
    }
}

/// GetChannels.
#[derive(Default)]
struct Names(BTreeSet<ChannelName>);

impl Judge<gather::Notification<ChannelName>> for Names {
    fn told(&mut self, told: gather::Notification<ChannelName>, _: &World) -> bool {
        match told {
            gather::Notification::Notice(name) => {
                assert!(name == "a".into() || name == "b".into(), "P25");
                assert!(self.0.insert(name), "P26");
            }
            gather::Notification::Disconnected(_) => {}
            gather::Notification::Finished => return true,
            other => panic!("{other:?}"),
        }
        false
    }
}

/// RemoveChannel.
struct ChannelRemoval;

impl Judge<gather::Notification<remove_channel::Notice>> for ChannelRemoval {
    fn told(&mut self, told: gather::Notification<remove_channel::Notice>, _: &World) -> bool {
        match told {
            gather::Notification::Disconnected(_) => false,
            gather::Notification::Finished => true,
            other => panic!("{other:?}"),
        }
    }
}
