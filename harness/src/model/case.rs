//! From a model to a node: a run of a model as a case of the corpus, with a schedule that delivers its
//! messages in the order of the run.
//!
//! What the run says of users, of messages that arrive and of connections that end becomes steps and moves;
//! when the node sends what it has to say is up to the node. What nobody can do to a node from outside
//! makes a run [`Unplayable`].

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_models::property::About;
use dht_models::world::{Action, Frame, Link, Node, Note, Request, State, World, Write, WriteKind};
use dht_protocol::Key;
use dht_protocol::neo::Limits;
use dht_protocol::neo::client::Request as Asks;
use dht_protocol::neo::request::RecordName;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update;
use dht_requirements::Requirement;
use dht_workload::case::{Case, Decision, Move, Placed, Round, Step, Whose};
use dht_workload::corpus::{FORMAT, Found, Kept};
use dht_workload::names::KeyName;
use dht_workload::value::Value;

/// The node that a case is run against.
const NODE: Node = 0;
/// How the keys 1, 2 and so on of a model are called in a case: so that the embedded node walks them in that
/// order, and the original dhtnode the first three. In what order a node walks its keys is up to the node.
const NAMES: [u32; 5] = [4, 0, 2, 66, 194];

/// A run that cannot be repeated with a node.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it cannot be replayed: {0}")]
pub(crate) struct Unplayable(&'static str);

/// What a model is like if its node is a real one, which has a long queue for each Mirror, and does not wait
/// for a client to read before it sends more.
pub(crate) fn as_over_a_network(mut frame: Frame) -> Frame {
    frame.room = usize::MAX;
    frame.limits.mirror_queue = Limits::default().mirror_queue;
    frame
}

/// The case that repeats a run.
pub(crate) fn case(
    world: &World,
    actions: impl IntoIterator<Item = Action>,
) -> Result<Case, Unplayable> {
    let frame = world.frame();
    if frame.nodes.len() > 1 {
        return Err(Unplayable("it needs more than one node"));
    }
    let mut replay = Replay {
        world,
        round: Round::default(),
        open: BTreeMap::new(),
        calls: Vec::new(),
    };
    let mut state = first(world)?;
    for action in actions {
        let Some((after, notes)) = world.explain(&state, action) else {
            break;
        };
        replay.take(&state, action, &notes)?;
        state = after;
    }
    let end = replay.end();
    let Replay { round, calls, .. } = replay;
    let lanes = (frame.requests.iter().map(|request| request.client))
        .chain((0..frame.writers.len()).map(|writer| frame.clients.len() + writer))
        .chain(calls);
    Ok(Case {
        lanes: lanes.collect(),
        rounds: setup(frame)?
            .into_iter()
            .chain([round])
            .chain(end)
            .collect(),
        ..Case::default()
    })
}

/// The same as a file of the corpus.
pub(super) fn kept(world: &World, about: &About, case: Case) -> Kept {
    Kept {
        format: FORMAT,
        about: about.sentence.to_owned(),
        requirement: requirement(about.id)
            .map_or(about.id, |requirement| requirement.id)
            .to_owned(),
        sent: format!("a run of the model {}", world.frame().name),
        allowed: format!("{}: {}", about.id, about.sentence),
        observed: "not tried with a node yet".to_owned(),
        fails: None,
        bug: None,
        found: Some(Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: "none: the model checker found it".to_owned(),
            technique: "model".to_owned(),
            ..Found::default()
        }),
        case,
        exchange: Vec::new(),
    }
}

/// The requirement that names this property of the specification.
fn requirement(property: &str) -> Option<&'static Requirement> {
    let mut all = dht_requirements::all();
    all.find(|requirement| {
        let mut words = requirement.source.split([' ', ',']);
        words.any(|word| word == property)
    })
}

fn first(world: &World) -> Result<State, Unplayable> {
    use stateright::Model as _;
    let first = world.init_states().into_iter().next();
    first.ok_or(Unplayable("it has no beginning"))
}

/// What the node has to store at the beginning.
fn setup(frame: &Frame) -> Result<Vec<Round>, Unplayable> {
    let mut rounds = Vec::new();
    for (channel, records) in frame.nodes.iter().flat_map(|store| store.channels()) {
        for (of, stored) in records {
            let step = Step::Put {
                channel: channel.to_string(),
                key: key(*of)?,
                value: value(stored),
            };
            rounds.push(Round::from(vec![Placed { lane: 0, step }]));
        }
    }
    Ok(rounds)
}

struct Replay<'a> {
    world: &'a World,
    round: Round,
    /// The streams that are not stopped. Is each suspended?
    open: BTreeMap<Request, bool>,
    /// The clients whose users call a stream. Each call has a lane of its own, as it may come before the
    /// stream has started, or the call before it was answered.
    calls: Vec<usize>,
}

impl Replay<'_> {
    fn take(&mut self, before: &State, action: Action, notes: &[Note]) -> Result<(), Unplayable> {
        let open = |request: Request| {
            let client = self.world.frame().requests[request].client;
            before.links[client][NODE] == Link::Up
        };
        match action {
            Action::Begin(request) => {
                let step = self.begin(request)?;
                if let Step::OpenGetAll { .. } | Step::OpenMirror { .. } = step {
                    self.open.insert(request, false);
                }
                self.start(request, step);
            }
            Action::Control(request, control) => {
                let stream = name(request);
                let accepted = |note: &Note| matches!(note, Note::Controlled(_, _, true));
                if notes.iter().any(accepted) {
                    match control {
                        Control::Stop => self.open.remove(&request),
                        _ => self.open.insert(request, control == Control::Suspend),
                    };
                    let step = match control {
                        Control::Suspend => Step::Suspend { stream },
                        Control::Resume => Step::Resume { stream },
                        Control::Stop => Step::Stop { stream },
                    };
                    let frame = self.world.frame();
                    let lane = frame.requests.len() + frame.writers.len() + self.calls.len();
                    self.calls.push(frame.requests[request].client);
                    self.start(lane, step);
                }
            }
            Action::Decide(request, which) => {
                let decisions = &self.world.frame().requests[request].decisions;
                let decision = match decisions.get(usize::from(which)) {
                    Some(update::Decision::Replace(new)) => Decision::Replace(value(new)),
                    Some(update::Decision::Delete) => Decision::Delete,
                    Some(update::Decision::Leave) | None => Decision::Leave,
                };
                let update = name(request);
                self.start(request, Step::Decide { update, decision });
            }
            // What is on its way when a connection ends is lost in a replay.
            Action::ToNode(request, _) if open(request) => {
                self.round.schedule.push(Move::ToNode(self.whose(request)));
            }
            Action::ToClient(request, _) if open(request) => {
                let whose = self.whose(request);
                self.round.schedule.push(Move::ToClient(whose));
            }
            Action::Write(writer) => self.write(usize::from(writer), before)?,
            Action::Break(client, _) => self.round.schedule.push(Move::Cut(client)),
            Action::ToNode(..)
            | Action::ToClient(..)
            | Action::Turn(..)
            | Action::ClientDown(..)
            | Action::NodeDown(..)
            | Action::Connect(..) => {}
            Action::Tick(..) => return Err(Unplayable("a Mirror's periods take a second or more")),
            Action::Abandon(_) => return Err(Unplayable("a user loses patience")),
            Action::Restart(_) => return Err(Unplayable("a node is restarted")),
            _ => return Err(Unplayable("it has a step that no case has")),
        }
        Ok(())
    }

    fn begin(&self, request: Request) -> Result<Step, Unplayable> {
        let handle = name(request);
        let of = |record: &RecordName| Ok((record.channel.to_string(), key(record.key)?));
        let setup = &self.world.frame().requests[request];
        let asks = setup
            .asks
            .as_ref()
            .ok_or(Unplayable("it is about the permanent GetHashRange"))?;
        Ok(match asks {
            Asks::Put(open) => {
                let (channel, key) = of(&open.record)?;
                let value = value(&open.value);
                Step::Put {
                    channel,
                    key,
                    value,
                }
            }
            Asks::Get(record) => {
                let (channel, key) = of(record)?;
                Step::Get { channel, key }
            }
            Asks::Exists(record) => {
                let (channel, key) = of(record)?;
                Step::Exists { channel, key }
            }
            Asks::Remove(record) => {
                let (channel, key) = of(record)?;
                Step::Remove { channel, key }
            }
            Asks::Update(record) => {
                let (channel, key) = of(record)?;
                Step::BeginUpdate {
                    update: handle,
                    channel,
                    key,
                }
            }
            Asks::GetAll(channel, settings) => Step::OpenGetAll {
                stream: handle,
                channel: channel.to_string(),
                keys_only: settings.keys_only,
                filter: String::from_utf8_lossy(&settings.value_filter).into_owned(),
            },
            Asks::Mirror(channel, settings) => Step::OpenMirror {
                stream: handle,
                channel: channel.to_string(),
                refresh: settings.initial_refresh,
            },
            Asks::GetChannels => Step::GetChannels {},
            Asks::RemoveChannel(channel) => Step::RemoveChannel {
                channel: channel.to_string(),
            },
        })
    }

    fn start(&mut self, lane: usize, step: Step) {
        self.round.steps.push(Placed { lane, step });
        self.round.schedule.push(Move::Start(lane));
    }

    /// A writer's step, all at once.
    fn write(&mut self, writer: usize, before: &State) -> Result<(), Unplayable> {
        let frame = self.world.frame();
        let position = usize::from(before.used.written[writer]);
        let Some(Write { channel, what, .. }) = frame.writers[writer].get(position) else {
            return Ok(());
        };
        let channel = channel.to_string();
        let step = match what {
            WriteKind::Put(of, new) => Step::Put {
                channel,
                key: key(*of)?,
                value: value(new),
            },
            WriteKind::Remove(of) => Step::Remove {
                channel,
                key: key(*of)?,
            },
            WriteKind::RemoveChannel => Step::RemoveChannel { channel },
            WriteKind::Legacy(_) => return Err(Unplayable("a legacy client writes")),
        };
        let lane = frame.requests.len() + writer;
        self.start(lane, step);
        self.round.schedule.push(Move::End(lane));
        Ok(())
    }

    /// What shows whether the streams have told everything: they are read to their ends.
    fn end(&self) -> Option<Round> {
        let mut steps = Vec::new();
        for (request, is_suspended) in &self.open {
            let (lane, stream) = (*request, name(*request));
            if *is_suspended {
                let stream = stream.clone();
                let step = Step::Resume { stream };
                steps.push(Placed { lane, step });
            }
            let step = Step::Finish { stream };
            steps.push(Placed { lane, step });
        }
        (!steps.is_empty()).then(|| Round::from(steps))
    }

    /// By what a move names a request.
    fn whose(&self, request: Request) -> Whose {
        match &self.world.frame().requests[request].asks {
            Some(Asks::Update(_) | Asks::GetAll(..) | Asks::Mirror(..)) => {
                Whose::Named(name(request))
            }
            _ => Whose::Lane(request),
        }
    }
}

/// The name of a stream or an Update.
fn name(request: Request) -> String {
    format!("r{}", request + 1)
}

fn key(key: Key) -> Result<KeyName, Unplayable> {
    let place = key.0.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    place
        .and_then(|place| NAMES.get(place))
        .map(|name| KeyName::Inside(*name))
        .ok_or(Unplayable("it has a key that no case has a name for"))
}

fn value(value: &Bytes) -> Value {
    let shown = value[..value.len().min(8)].escape_ascii().to_string();
    match u32::try_from(value.len()) {
        Ok(length) if value.len() > 8 => Value::long(shown, length),
        _ => Value::new(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dht_protocol::HashRange;

    #[test]
    fn the_embedded_node_walks_the_keys_in_the_order_of_the_model() {
        // The range of the embedded node.
        let range = HashRange::new(0, u64::MAX / 2).unwrap();
        let keys = NAMES.map(|name| range.nth_key(u64::from(name) + 1));
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
