//! Both halves of a request, what is under way between them, and the monitors that listen.

use std::collections::VecDeque;
use std::mem::take;
use std::net::{Ipv4Addr, SocketAddrV4};

use dht_protocol::Key;
use dht_protocol::neo::client::{ClientRequest, Event, Told};
use dht_protocol::neo::monitor::{Breach, Wrong};
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{Command, Effect, Host, Opening, Progress};
use dht_protocol::neo::{Limits, NodeAddress, Violation};
use fakedht::node::host::Event as Written;

use super::Step;
use super::stage::Stage;
use crate::asked::{Asked, accusation, value};
use crate::host::Room;
use crate::work::Work;

pub(super) const NODE: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
const ID: u64 = 1;
const LIMITS: Limits = Limits {
    message: 64 * 1024,
    active_requests: 16,
    mirror_queue: 4,
};

/// See the module.
pub(super) struct Talk<'a> {
    client: ClientRequest,
    /// What the client's half wants at the moment; kept because most steps need one.
    effects: Vec<Effect<Told>>,
    node: Option<NodeRequest>,
    room: Room,
    stage: &'a mut Stage,
    to_node: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    /// The monitor at the client's end has found fault, and says nothing more about the request.
    given_up: bool,
    /// The monitor at the node's end has found nothing that breaks the protocol.
    legal: bool,
    /// The network has changed nothing yet.
    honest: bool,
    closed: bool,
    work: Work,
}

impl<'a> Talk<'a> {
    /// Somebody asks for something, of a node that has two records.
    pub(super) fn begin(asked: Asked, stage: &'a mut Stage, work: Work) -> Option<Self> {
        let mut effects = Vec::new();
        let request = asked.request(&stage.channel, Key(0));
        let client = ClientRequest::start(request, &stage.registry, &mut effects)?;
        let mut talk = Self {
            client,
            effects: Vec::new(),
            node: None,
            room: stage.room(),
            stage,
            to_node: VecDeque::new(),
            to_client: VecDeque::new(),
            given_up: false,
            legal: true,
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
        talk.act(&mut effects);
        talk.effects = effects;
        Some(talk)
    }

    /// Has somebody closed the connection?
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Something happens.
    pub(super) fn step(&mut self, step: Step) {
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
                let removed = self.room.host().remove_channel(&self.stage.channel);
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
    pub(super) fn finish(&mut self) {
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
            assert_eq!(self.stage.monitor.active(), 0);
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
        self.legal = self.legal && self.stage.at_node.sent(ID, payload).is_ok();
        let result = match &mut self.node {
            Some(half) => half.receive(payload, self.room.host()),
            None => self.open(payload),
        };
        self.end_if_over();
        if let Err(violation) = result {
            assert!(!self.honest, "the node complains: {violation}");
            assert!(!self.legal, "the monitor finds no fault: {violation}");
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
                client: &self.stage.client,
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
        if self.legal
            && let Err(breach) = self.stage.at_node.received(ID, &message)
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
        let said = self.stage.monitor.received(ID, payload);
        if self.client.is_over() {
            assert!(!self.honest, "the node goes on behind the end");
            // The client knows no such request any more and closes the connection.
            self.closed = true;
            return;
        }
        let mut effects = take(&mut self.effects);
        let event = Event::Message(NODE, payload);
        self.client.handle(event, &mut effects);
        let violation = effects.iter().find_map(accusation).cloned();
        self.closed |= violation.is_some();
        self.agree(said, violation);
        self.act(&mut effects);
        self.effects = effects;
    }

    /// What the half refuses the monitor refuses, for the same reason. The monitor alone knows of what is too
    /// much while a request is suspended.
    fn agree(&mut self, said: Result<(), Breach>, violation: Option<Violation>) {
        match (said, violation) {
            (Ok(()), None) => {}
            (Err(breach), None) => {
                assert!(!self.honest, "{breach}");
                assert!(!matches!(breach.what, Wrong::Violation(_)), "{breach}");
                self.given_up = true;
            }
            (Err(breach), Some(violation)) => {
                assert!(!self.honest, "{breach}");
                assert_eq!(breach.what, Wrong::Violation(violation));
            }
            (Ok(()), Some(violation)) => assert!(
                self.given_up,
                "the monitor has heard nothing of: {violation}"
            ),
        }
    }

    fn control(&mut self, control: Control) {
        let mut effects = take(&mut self.effects);
        // Refused if another one is under way.
        let _ = self.client.control(control, &mut effects);
        self.act(&mut effects);
        self.effects = effects;
    }

    fn decide(&mut self, decision: Decision) {
        let mut effects = take(&mut self.effects);
        self.client.decide(decision, &mut effects);
        self.act(&mut effects);
        self.effects = effects;
    }

    /// Does what the client's half wants.
    fn act(&mut self, effects: &mut Vec<Effect<Told>>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { payload, .. } => {
                    if let Err(breach) = self.stage.monitor.sent(ID, &payload) {
                        panic!("the client broke the protocol: {breach}");
                    }
                    self.to_node.push_back(payload);
                }
                Effect::Close { .. } => self.closed = true,
                Effect::Notify(_) => {}
            }
        }
    }

    fn write(&mut self, key: u8, length: Option<u8>) {
        let key = Key(u64::from(key % 4));
        let host = self.room.host();
        let id = host.open_channel(&self.stage.channel);
        let id = id.expect("memory does not fail");
        match length {
            Some(length) => host.put(id, key, &value(length)),
            None => host.remove(id, key).map(drop),
        }
        .expect("memory does not fail");
        self.tell_mirror();
    }

    fn tell_mirror(&mut self) {
        let written = self.room.take_written();
        let Some(NodeRequest::Mirror(half)) = &mut self.node else {
            return;
        };
        for event in written {
            match event {
                _ if half.channel() != Some(event.channel()) => {}
                Written::Record(_, change) => half.changed(change),
                Written::Gone(_) => half.channel_removed(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::header::Kind;

    use super::*;
    use crate::wrong::is_noticed;

    fn talk(stage: &mut Stage) -> Talk<'_> {
        Talk::begin(Asked::Get, stage, Work::of(b"")).expect("there is a node")
    }

    fn refused(talk: &mut Talk<'_>) -> Breach {
        let said = talk.stage.monitor.received(ID, b"no status");
        said.expect_err("that is no status")
    }

    #[test]
    fn a_monitor_and_a_half_that_disagree_are_noticed() {
        let violation = || Violation::Phase {
            kind: Kind::Request,
        };
        let mut stage = Stage::new();
        let mut talk = talk(&mut stage);
        let breach = refused(&mut talk);
        let Wrong::Violation(reason) = breach.what.clone() else {
            panic!("{breach}");
        };
        talk.agree(Ok(()), None);
        assert!(is_noticed(|| talk.agree(Ok(()), Some(violation()))));
        assert!(is_noticed(|| talk.agree(Err(breach.clone()), None)));
        talk.honest = false;
        assert!(is_noticed(|| talk.agree(Ok(()), Some(violation()))));
        talk.agree(Err(breach.clone()), Some(reason));
        assert!(is_noticed(
            || talk.agree(Err(breach.clone()), Some(violation()))
        ));
        assert!(is_noticed(|| talk.agree(Err(breach), None)));
    }

    #[test]
    fn a_monitor_that_has_given_up_says_nothing_more() {
        let mut stage = Stage::new();
        let mut talk = talk(&mut stage);
        talk.honest = false;
        let mut breach = refused(&mut talk);
        breach.what = Wrong::ZeroId;
        talk.agree(Err(breach), None);
        let kind = Kind::Request;
        talk.agree(Ok(()), Some(Violation::Phase { kind }));
    }

    #[test]
    fn who_breaks_the_protocol_is_noticed() {
        let mut stage = Stage::new();
        let mut silent = talk(&mut stage);
        silent.to_node.clear();
        assert!(is_noticed(|| silent.finish()), "the request does not end");
        let mut stage = Stage::new();
        let mut wrong = talk(&mut stage);
        assert!(is_noticed(|| wrong.node_says(b"no status".to_vec())));
        let mut stage = Stage::new();
        let mut wrong = talk(&mut stage);
        let payload = b"no status".to_vec();
        assert!(is_noticed(|| wrong.act(&mut vec![Effect::Send {
            node: NODE,
            payload
        }])));
    }
}
