//! A client's half and a node's half of one request, with a network in between that loses, repeats,
//! reorders and damages messages.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use arbitrary::{Arbitrary, Unstructured};
use dht_protocol::neo::client::{ClientRequest, Event, Told};
use dht_protocol::neo::monitor::{Breach, Monitor, Wrong};
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{Command, Effect, Host, Opening, Progress};
use dht_protocol::neo::{ClientName, Limits, NodeAddress, Violation};
use dht_protocol::{HashRange, Key};
use fakedht::node::host::Event as Written;

use crate::asked::{Asked, Decided, Said, accusation, channel};
use crate::host::Room;
use crate::memory;
use crate::work::Work;

const NODE: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
const ID: u64 = 1;
const LIMITS: Limits = Limits {
    message: 64 * 1024,
    active_requests: 16,
    mirror_queue: 4,
};
/// Steps of one conversation; more come from no failure that fewer do not show.
const STEPS: usize = 32;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    /// The first message on its way to the node.
    ToNode(Fate),
    /// The first message on its way to the client.
    ToClient(Fate),
    /// The node has room for one message.
    Poll,
    /// The user of a stream says something.
    Control(Said),
    /// The user of an Update decides.
    Decide(Decided),
    /// Somebody else writes a record; `None` removes it.
    Write(u8, Option<u8>),
    /// Somebody else removes the channel.
    RemoveChannel,
    /// A refresh of a Mirror is due.
    Tick,
}

/// What becomes of a message.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fate {
    Arrives,
    IsLost,
    ArrivesTwice,
    /// The next one is first.
    IsOvertaken,
    /// One byte is another one.
    IsDamaged(u8, u8),
}

/// Whatever the network does to the messages, neither half panics, the monitor agrees with the client's half
/// on each of them, and as far as what arrives at the node is legal, the node accepts it and keeps to the
/// protocol itself. If the network does nothing, both keep to the protocol and the request ends.
pub fn conversation(data: &[u8]) {
    memory::bounded(data, 4096, || converse(data));
}

fn converse(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(asked) = Asked::arbitrary(&mut input) else {
        return;
    };
    let Some(mut talk) = Talk::begin(asked, Work::of(data)) else {
        return;
    };
    for _ in 0..STEPS {
        if input.is_empty() || talk.closed {
            break;
        }
        match Step::arbitrary(&mut input) {
            Ok(step) => talk.step(step),
            Err(_) => break,
        }
    }
    talk.finish();
}

struct Talk {
    client: ClientRequest,
    node: Option<NodeRequest>,
    name: ClientName,
    room: Room,
    to_node: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    /// Listens at the client's end.
    monitor: Monitor,
    /// Listens at the node's end, until what arrives there breaks the protocol.
    at_node: Option<Monitor>,
    /// The network has changed nothing yet.
    honest: bool,
    closed: bool,
    work: Work,
}

impl Talk {
    fn begin(asked: Asked, work: Work) -> Option<Self> {
        let mut registry = Registry::default();
        registry.learn(NODE, HashRange::FULL);
        let mut effects = Vec::new();
        let client = ClientRequest::start(asked.request(Key(0)), &registry, &mut effects)?;
        let mut talk = Self {
            client,
            node: None,
            name: ClientName::new(b"admin").ok()?,
            room: Room::new(),
            to_node: VecDeque::new(),
            to_client: VecDeque::new(),
            monitor: Monitor::new(),
            at_node: Some(Monitor::new()),
            honest: true,
            closed: false,
            work,
        };
        talk.write(0, Some(3));
        talk.write(1, Some(0));
        if talk.client.runs_on_all_nodes() {
            talk.client.handle(Event::NodeAdded(NODE), &mut effects);
            talk.client.handle(Event::Connected(NODE), &mut effects);
        }
        talk.act(effects);
        Some(talk)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::ToNode(fate) => {
                self.honest &= fate.suffer(&mut self.to_node);
                if let Some(payload) = self.to_node.pop_front() {
                    self.node_hears(&payload);
                }
            }
            Step::ToClient(fate) => {
                self.honest &= fate.suffer(&mut self.to_client);
                if let Some(payload) = self.to_client.pop_front() {
                    self.client_hears(&payload);
                }
            }
            Step::Poll => {
                self.poll();
            }
            Step::Control(said) => self.control(said.into()),
            Step::Decide(decided) => self.decide(decided.into()),
            Step::Write(key, value) => self.write(key, value),
            Step::RemoveChannel => {
                let removed = self.room.host().remove_channel(&channel());
                removed.expect("memory does not fail");
                self.tell_mirror();
            }
            Step::Tick => {
                if let Some(NodeRequest::Mirror(half)) = &mut self.node {
                    half.tick();
                }
            }
        }
    }

    /// From here on the network does its best.
    fn finish(&mut self) {
        self.settle();
        self.decide(Decision::Leave);
        self.settle();
        self.control(Control::Resume);
        self.settle();
        self.control(Control::Stop);
        self.settle();
        if self.honest {
            assert!(!self.closed, "closed without a reason");
            assert!(self.client.is_over(), "does not end: {:?}", self.client);
            assert!(self.node.is_none(), "does not end: {:?}", self.node);
            assert_eq!(self.monitor.active(), 0);
        }
    }

    fn settle(&mut self) {
        while !self.closed {
            self.work.step();
            if let Some(payload) = self.to_node.pop_front() {
                self.node_hears(&payload);
            } else if let Some(payload) = self.to_client.pop_front() {
                self.client_hears(&payload);
            } else if !self.poll() {
                return;
            }
        }
    }

    fn node_hears(&mut self, payload: &[u8]) {
        if let Some(monitor) = &mut self.at_node
            && monitor.sent(ID, payload).is_err()
        {
            self.at_node = None;
        }
        let result = match &mut self.node {
            Some(half) => half.receive(payload, self.room.host()),
            None => self.open(payload),
        };
        self.end_if_over();
        if let Err(violation) = result {
            assert!(!self.honest, "the node complains: {violation}");
            assert!(
                self.at_node.is_none(),
                "the monitor finds no fault: {violation}"
            );
            self.closed = true;
        }
        self.tell_mirror();
    }

    /// As a node's connection does with a message of no active request.
    fn open(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let (command, fields) = Command::decode(payload).map_err(|_| Violation::NoCommand {
            id: ID,
            len: payload.len(),
        })?;
        self.node_says(command.status().encode().to_vec());
        if let Ok(request) = command.request() {
            let opening = Opening {
                fields,
                client: &self.name,
                limits: &LIMITS,
            };
            self.node = Some(NodeRequest::open(request, opening, self.room.host())?);
        }
        Ok(())
    }

    /// Lets the node say something. Is there more to come?
    fn poll(&mut self) -> bool {
        let Some(half) = &mut self.node else {
            return false;
        };
        let mut message = Vec::new();
        let progress = half.poll(self.room.host(), &mut message);
        assert_eq!(progress == Progress::Sent, !message.is_empty());
        if progress == Progress::Sent {
            self.node_says(message);
        }
        if progress == Progress::Ended {
            self.node = None;
        }
        self.end_if_over();
        self.tell_mirror();
        matches!(progress, Progress::Sent | Progress::Yielded)
    }

    fn node_says(&mut self, message: Vec<u8>) {
        if let Some(monitor) = &mut self.at_node
            && let Err(breach) = monitor.received(ID, &message)
        {
            panic!("the node broke the protocol: {breach}");
        }
        self.to_client.push_back(message);
    }

    fn end_if_over(&mut self) {
        if self.node.as_ref().is_some_and(NodeRequest::is_over) {
            self.node = None;
        }
    }

    fn client_hears(&mut self, payload: &[u8]) {
        let said = self.monitor.received(ID, payload);
        if self.client.is_over() {
            assert!(!self.honest, "the node goes on behind the end");
            // The client knows no such request any more and closes the connection.
            self.closed = true;
            return;
        }
        let mut effects = Vec::new();
        let event = Event::Message(NODE, payload);
        self.client.handle(event, &mut effects);
        let violation = effects.iter().find_map(accusation).cloned();
        self.closed |= violation.is_some();
        self.agree(said, violation);
        self.act(effects);
    }

    /// What the half refuses the monitor refuses, for the same reason. The monitor alone knows of what is too
    /// much while a request is suspended.
    fn agree(&self, said: Result<(), Breach>, violation: Option<Violation>) {
        match (said, violation) {
            (Ok(()), None) => {}
            (Err(breach), None) => {
                assert!(!self.honest, "{breach}");
                assert!(!matches!(breach.what, Wrong::Violation(_)), "{breach}");
            }
            (Err(breach), Some(violation)) => {
                assert!(!self.honest, "{breach}");
                assert_eq!(breach.what, Wrong::Violation(violation));
            }
            (Ok(()), Some(violation)) => panic!("the monitor has heard nothing of: {violation}"),
        }
    }

    fn control(&mut self, control: Control) {
        let mut effects = Vec::new();
        // Refused if another one is under way.
        let _ = self.client.control(control, &mut effects);
        self.act(effects);
    }

    fn decide(&mut self, decision: Decision) {
        let mut effects = Vec::new();
        self.client.decide(decision, &mut effects);
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect<Told>>) {
        for effect in effects {
            match effect {
                Effect::Send { payload, .. } => {
                    if let Err(breach) = self.monitor.sent(ID, &payload) {
                        panic!("the client broke the protocol: {breach}");
                    }
                    self.to_node.push_back(payload);
                }
                Effect::Close { .. } => self.closed = true,
                Effect::Notify(_) => {}
            }
        }
    }

    fn write(&mut self, key: u8, value: Option<u8>) {
        let key = Key(u64::from(key % 4));
        let id = self
            .room
            .host()
            .open_channel(&channel())
            .expect("memory does not fail");
        match value {
            Some(length) => {
                let value = vec![b'v'; usize::from(length)];
                self.room.host().put(id, key, &value.into())
            }
            None => self.room.host().remove(id, key).map(drop),
        }
        .expect("memory does not fail");
        self.tell_mirror();
    }

    fn tell_mirror(&mut self) {
        let written = self.room.take_written();
        if let Some(NodeRequest::Mirror(half)) = &mut self.node {
            for event in written {
                match event {
                    _ if half.channel() != Some(event.channel()) => {}
                    Written::Record(_, change) => half.changed(change),
                    Written::Gone(_) => half.channel_removed(),
                }
            }
        }
    }
}

impl Fate {
    /// Does it to the first message. Has nothing happened that a good network does not do?
    fn suffer(self, messages: &mut VecDeque<Vec<u8>>) -> bool {
        let Some(first) = messages.front_mut() else {
            return true;
        };
        match self {
            Self::Arrives => return true,
            Self::IsDamaged(_, 0) => return true,
            Self::IsDamaged(place, bits) => {
                let place = usize::from(place) % first.len();
                first[place] ^= bits;
            }
            Self::IsLost => {
                messages.pop_front();
            }
            Self::ArrivesTwice => {
                let again = first.clone();
                messages.push_front(again);
            }
            Self::IsOvertaken if messages.len() < 2 => return true,
            Self::IsOvertaken => messages.swap(0, 1),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::header::Kind;

    use super::*;
    use crate::wrong::is_noticed;

    fn talk() -> Talk {
        Talk::begin(Asked::Get, Work::of(b"")).expect("there is a node")
    }

    fn refused(talk: &mut Talk) -> Breach {
        let said = talk.monitor.received(ID, b"no status");
        said.expect_err("that is no status")
    }

    #[test]
    fn a_monitor_and_a_half_that_disagree_are_noticed() {
        let violation = || Violation::Phase {
            kind: Kind::Request,
        };
        let mut talk = talk();
        let breach = refused(&mut talk);
        let Wrong::Violation(reason) = breach.what.clone() else {
            panic!("{breach}");
        };
        talk.agree(Ok(()), None);
        assert!(is_noticed(|| talk.agree(Ok(()), Some(violation()))));
        assert!(is_noticed(|| talk.agree(Err(breach.clone()), None)));
        talk.honest = false;
        talk.agree(Err(breach.clone()), Some(reason));
        assert!(is_noticed(
            || talk.agree(Err(breach.clone()), Some(violation()))
        ));
        assert!(is_noticed(|| talk.agree(Err(breach), None)));
    }

    #[test]
    fn who_breaks_the_protocol_is_noticed() {
        let mut silent = talk();
        silent.to_node.clear();
        assert!(is_noticed(|| silent.finish()), "the request does not end");
        let mut wrong = talk();
        assert!(is_noticed(|| wrong.node_says(b"no status".to_vec())));
        let mut wrong = talk();
        let payload = b"no status".to_vec();
        assert!(is_noticed(|| wrong.act(vec![Effect::Send {
            node: NODE,
            payload
        }])));
    }
}
