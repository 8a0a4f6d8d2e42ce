//! Clients and nodes that run the machines of the protocol, with everything between and around them that
//! can happen in any order: messages on their way, connections that break, users, other writers,
//! redistribution (`neo-requests.md` 15.1).
//!
//! A [`Frame`] says what a model consists of. A [`World`] is that as a [`stateright::Model`]: its [`Action`]s
//! are what can happen next; its [`State`]s are small, because what is in them is kept elsewhere, and they hold
//! its number. Delivery to a process and its reaction up to the next wait is one step. Requests on one
//! connection do not keep order among each other, which allows more than TCP does.
//!
//! What happens in a step is a list of [`Note`]s. [Properties](crate::property) judge nothing else, and what
//! they remember is part of the state; so a property about a whole run becomes one about its states.
//!
//! * `frame`, `state`, `action`, `note`: the values.
//! * `possible`: which actions there are. `fair`: which of them happen if nothing prevents them.
//! * `step`: what an action does; `delivery`, `links`, `writes`, `redistribution` and `handover`: to messages,
//!   connections and what is stored. `client`, `node`: what the machines do. `remember`: what properties make of it.
//! * `store`: what nodes store.
//! * `defects`: what can be switched on to be wrong.

mod action;
mod client;
mod defects;
mod delivery;
mod fair;
mod frame;
mod handover;
mod links;
mod node;
mod note;
mod possible;
mod redistribution;
mod remember;
mod state;
mod step;
mod store;
mod writes;

pub use action::Action;
pub use frame::{
    Budget, CLIENTS, ClientSetup, Frame, Handover, NODES, REQUESTS, RequestSetup, Transfer, Write,
    WriteKind, address, node_at,
};
pub use handover::Part;
pub(crate) use handover::order_of;
pub use note::{Client, From, Node, Note, Request, Way};
pub use state::{Link, State, Used};
pub use store::Store;

use bytes::Bytes;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::{ClientName, Credential};
use stateright::{Model, Property as Checked};

use crate::chart::Glyphs;
use crate::drawing;
use crate::intern::{Id, Interner, Memo};
use crate::property::{About, Kind, Memories};
use handover::Moving;
use state::{Asked, Queue, Served};

/// A model, ready to be explored.
#[derive(Debug)]
pub struct World {
    frame: Frame,
    client_name: ClientName,
    registries: Interner<Registry>,
    asked: Interner<Asked>,
    served: Interner<Served>,
    stores: Interner<Store>,
    movings: Interner<Moving>,
    messages: Interner<Bytes>,
    queues: Interner<Queue>,
    notes: Interner<Vec<Note>>,
    memories: Interner<Memories>,
    client_steps: Memo<ClientStep, client::Step>,
    node_steps: Memo<NodeStep, node::Step>,
    heads: Memo<Id<Queue>, delivery::Head>,
    pushed: Memo<(Id<Queue>, Id<Bytes>), Id<Queue>>,
    remembered: Memo<Remembering, (Id<Memories>, u64)>,
    /// What stands for nothing.
    nothing: Nothing,
    goals: Goals,
}

/// What a client's step depends on: the request, its state, what happens, and the nodes that can be reached.
type ClientStep = (u8, Id<Asked>, client::Input, u8);
/// What a node's step depends on: the request, the node, its state, what happens, and what is stored.
type NodeStep = (u8, u8, Id<Served>, node::Input, Id<Store>);
/// What properties remember, and what they are told.
type Remembering = (Id<Memories>, Id<Vec<Note>>);

/// The properties that hold only if something comes in the end.
#[derive(Debug)]
struct Goals {
    names: Vec<&'static str>,
    /// Their numbers among all properties.
    numbers: Vec<usize>,
}

/// The numbers of what stands for nothing.
#[derive(Clone, Copy, Debug)]
struct Nothing {
    queue: Id<Queue>,
    served: Id<Served>,
    waiting: Id<Asked>,
    over: Id<Asked>,
    silence: Id<Vec<Note>>,
}

/// A frame that is larger than a state has room for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a model has at most {CLIENTS} clients, {NODES} nodes, {REQUESTS} requests, 2 writers and 64 properties, \
     and names only those that it has"
)]
pub struct BadFrame;

impl World {
    /// The model in this frame.
    pub fn new(frame: Frame) -> Result<Self, BadFrame> {
        if !fits(&frame) {
            return Err(BadFrame);
        }
        let (queues, served) = (Interner::default(), Interner::default());
        let (asked, notes) = (Interner::default(), Interner::default());
        let nothing = Nothing {
            queue: queues.id(Queue::default()),
            served: served.id(Served::default()),
            waiting: asked.id(Asked::Waiting),
            over: asked.id(Asked::Over),
            silence: notes.id(Vec::new()),
        };
        let goals = Goals::of(&frame);
        Ok(Self {
            frame,
            client_name: Credential::default_admin().name,
            registries: Interner::default(),
            asked,
            served,
            stores: Interner::default(),
            movings: Interner::default(),
            messages: Interner::default(),
            queues,
            notes,
            memories: Interner::default(),
            client_steps: Memo::default(),
            node_steps: Memo::default(),
            heads: Memo::default(),
            pushed: Memo::default(),
            remembered: Memo::default(),
            nothing,
            goals,
        })
    }

    /// What the model consists of.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The properties with their numbers.
    pub fn abouts(&self) -> Vec<About> {
        let properties = self.frame.properties.iter();
        properties.map(|property| property.about()).collect()
    }

    /// Is something owed by which the property with this number holds only if it comes?
    pub fn owes(&self, state: &State, property: usize) -> bool {
        let memories = self.memories.get(state.memories);
        self.frame.properties[property].owes(memories.0[property])
    }

    fn payload(&self, message: Id<Bytes>) -> Bytes {
        self.messages.get(message).clone()
    }
}

/// Is there room for everything, and is everything there that something else names?
fn fits(frame: &Frame) -> bool {
    let (clients, nodes) = (frame.clients.len(), frame.nodes.len());
    let knows = frame.clients.iter().flat_map(|client| &client.knows);
    let writes = frame.writers.iter().flatten().map(|write| &write.node);
    let handover = frame.handover.iter().map(|handover| &handover.transfer);
    let transfer = frame.transfer.iter().chain(handover);
    let transfer = transfer.flat_map(|transfer| [&transfer.from, &transfer.to]);
    let mut named = knows.chain(writes).chain(transfer);
    let mut requests = frame.requests.iter();
    clients <= CLIENTS
        && nodes <= NODES
        && frame.requests.len() <= REQUESTS
        && frame.writers.len() <= 2
        && frame.properties.len() <= 64
        && frame.rude.is_none_or(|client| client < clients)
        && named.all(|node| *node < nodes)
        && requests.all(|request| {
            let others = request
                .after
                .is_none_or(|other| other < frame.requests.len());
            request.client < clients && others
        })
}

impl Goals {
    fn of(frame: &Frame) -> Self {
        let abouts = frame.properties.iter().map(|property| property.about());
        let eventual = abouts
            .enumerate()
            .filter(|(_, about)| about.kind == Kind::Eventually);
        let (numbers, names) = eventual.map(|(number, about)| (number, about.id)).unzip();
        Self { names, numbers }
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.step(state, action)
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }

    fn format_step(&self, before: &State, action: Action) -> Option<String> {
        self.explain(before, action)?;
        Some(drawing::draw(self, before, [action]).text(100, Glyphs::Unicode))
    }

    fn as_svg(&self, path: stateright::Path<State, Action>) -> Option<String> {
        Some(drawing::draw(self, &self.first(), path.into_actions()).svg())
    }

    fn properties(&self) -> Vec<Checked<Self>> {
        let properties = self.frame.properties.iter().enumerate();
        let safety = properties.filter_map(|(number, property)| {
            let (about, condition) = (property.about(), CONDITIONS.get(number)?);
            Some(match about.kind {
                Kind::Always => Checked::always(about.id, condition.unmarked),
                Kind::Sometimes => Checked::sometimes(about.id, condition.marked),
                // Found by a search of our own: stateright overlooks some.
                Kind::Eventually => return None,
            })
        });
        safety.collect()
    }
}

/// The conditions of a property with a certain number, which stateright wants as plain functions.
struct Conditions {
    marked: fn(&World, &State) -> bool,
    unmarked: fn(&World, &State) -> bool,
}

const CONDITIONS: [Conditions; 64] = {
    macro_rules! conditions {
        ($($number:literal)+) => {
            [$(Conditions {
                marked: |_, state| state.marked & (1 << $number) != 0,
                unmarked: |_, state| state.marked & (1 << $number) == 0,
            },)+]
        };
    }
    conditions! {
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
    }
};
