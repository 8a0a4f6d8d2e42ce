//! One request, as the monitor sees it: the client's half with one node, and what it wants sent that has
//! not been seen yet.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::breach::Wrong;
use super::quota::Quota;
use super::{Transition, name};
use crate::neo::NodeAddress;
use crate::neo::client::{ClientRequest, Event, Told};
use crate::neo::dissect::Side;
use crate::neo::request::control::FromClient;
use crate::neo::request::gather::{self, Gathering};
use crate::neo::request::update::{self, Decision};
use crate::neo::request::{Command, Effect, Failure, RequestCode, get_hash_range, stream};
use crate::neo::violation::Violation;

/// What the halves are told that the node at the other end is.
pub(super) const NODE: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
/// The node that a record moves away from, on a connection that nobody listens to.
pub(super) const OTHER: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 2);

/// The client's half of any request, GetHashRange among them.
#[derive(Clone, Debug)]
pub(super) enum Half {
    Ranges(Gathering<get_hash_range::Client>),
    Request(ClientRequest),
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    code: RequestCode,
    half: Half,
    /// What the half has wanted sent since; the client has not been heard sending it.
    owed: VecDeque<Vec<u8>>,
    /// The half as it was before the message that made it want that. Control messages leave a client's
    /// queue later than its half has wanted them sent, and the final message may come in between.
    crossed: Option<Half>,
    suspended: Option<Quota>,
}

/// What a half wants.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    sends: Vec<(NodeAddress, Vec<u8>)>,
    violation: Option<Violation>,
    /// The user was told that the node has suspended the request, or resumed it.
    pub(super) suspended: Option<bool>,
}

impl Watched {
    pub(super) fn new(code: RequestCode, half: Half, suspended: Option<bool>) -> Self {
        Self {
            code,
            half,
            owed: VecDeque::new(),
            crossed: None,
            suspended: (suspended == Some(true)).then(Quota::default),
        }
    }

    pub(super) fn code(&self) -> RequestCode {
        self.code
    }

    /// Is nothing to be said any more by either side?
    pub(super) fn is_over(&self) -> bool {
        self.half.is_over() && self.owed.is_empty()
    }

    /// The client has sent this. Is it what the half has wanted sent, or would want sent if its user said
    /// so?
    pub(super) fn sent(&mut self, payload: &[u8]) -> Result<Transition, Wrong> {
        let transition = self.transition(Side::Client, name::of_client(self.code, payload));
        if self.owed.front().is_some_and(|owed| owed == payload) {
            self.owed.pop_front();
            return Ok(transition);
        }
        let wanted = match self.owed.is_empty() {
            true => self.half.be_told_to_send(payload),
            false => match self.crossed.take() {
                Some(mut half) => half.be_told_to_send(payload),
                None => Wanted::default(),
            },
        };
        if wanted.is_just(payload) {
            return Ok(transition);
        }
        let opens = Command::decode(payload).is_ok_and(|(command, _)| command.request().is_ok());
        let decides =
            self.code == RequestCode::Update && update::FromClient::decode(payload).is_ok();
        Err(match opens && !decides {
            true => Wrong::IdTaken,
            false => Wrong::NotNow {
                message: transition.message,
                state: transition.state,
            },
        })
    }

    /// The client has received this. Does the half accept it?
    pub(super) fn received(&mut self, payload: &[u8]) -> Result<Transition, Wrong> {
        let transition = self.transition(Side::Node, name::of_node(self.code, payload));
        if self.half.is_over() {
            let message = transition.message;
            return Err(Wrong::BehindFinal { message });
        }
        let before = self.half.is_controllable().then(|| self.half.clone());
        let wanted = self.half.hear(payload);
        if let Some(violation) = wanted.violation {
            return Err(Wrong::Violation(violation));
        }
        let owed = wanted.sends.into_iter().filter(|(node, _)| *node == NODE);
        self.owed.extend(owed.map(|(_, payload)| payload));
        self.crossed = before.filter(|_| !self.owed.is_empty());
        if let Some(quota) = &mut self.suspended {
            quota.count(self.code, payload)?;
        }
        match wanted.suspended {
            Some(true) if self.suspended.is_none() => self.suspended = Some(Quota::default()),
            Some(false) => self.suspended = None,
            _ => {}
        }
        Ok(transition)
    }

    fn transition(&self, from: Side, message: &'static str) -> Transition {
        Transition {
            request: self.code,
            state: self.half.phase(),
            message,
            from,
        }
    }
}

impl Half {
    /// The node has sent this.
    fn hear(&mut self, payload: &[u8]) -> Wanted {
        let mut wanted = Wanted::default();
        match self {
            Self::Ranges(half) => {
                wanted.of_ranges(|effects| half.receive(NODE, payload, effects));
            }
            Self::Request(half) => {
                wanted.of(|effects| half.handle(Event::Message(NODE, payload), effects));
                // The node that a record moves away from does what it is told.
                if wanted.sends.iter().any(|(node, _)| *node == OTHER) {
                    let mut done = Vec::new();
                    update::FromNode::Ok.encode(&mut done);
                    wanted.of(|effects| half.handle(Event::Message(OTHER, &done), effects));
                }
            }
        }
        wanted
    }

    /// The user says what may make a client send this, if anything can.
    fn be_told_to_send(&mut self, payload: &[u8]) -> Wanted {
        let mut wanted = Wanted::default();
        match self {
            Self::Request(half @ (ClientRequest::GetAll(_) | ClientRequest::Mirror(_))) => {
                if let Ok(FromClient::Control(control)) = FromClient::decode(payload) {
                    // If it is refused, nothing is sent.
                    let _ = wanted.of(|effects| half.control(control, effects));
                }
            }
            Self::Request(half @ ClientRequest::Update(_)) => {
                if let Ok(message) = update::FromClient::decode(payload) {
                    let decision = match message {
                        update::FromClient::UpdateRecord(new) => Decision::Replace(new.new_value),
                        update::FromClient::RemoveRecord => Decision::Delete,
                        update::FromClient::LeaveRecord => Decision::Leave,
                    };
                    wanted.of(|effects| half.decide(decision, effects));
                }
            }
            Self::Ranges(_) | Self::Request(_) => {}
        }
        wanted
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Ranges(half) => half.is_ended(),
            Self::Request(half) => half.is_over(),
        }
    }

    fn phase(&self) -> &'static str {
        match self {
            Self::Ranges(half) => half.phase(NODE),
            Self::Request(half) => half.phase(NODE),
        }
    }

    fn is_controllable(&self) -> bool {
        matches!(
            self,
            Self::Request(ClientRequest::GetAll(_) | ClientRequest::Mirror(_))
        )
    }
}

impl Wanted {
    /// Is it to send this, and nothing else?
    pub(super) fn is_just(&self, payload: &[u8]) -> bool {
        let Self {
            sends, violation, ..
        } = self;
        violation.is_none()
            && matches!(&sends[..], [(node, sent)] if *node == NODE && sent == payload)
    }

    /// A half does something.
    pub(super) fn of<T>(&mut self, happens: impl FnOnce(&mut Vec<Effect<Told>>) -> T) -> T {
        let mut effects = Vec::new();
        let result = happens(&mut effects);
        for effect in effects {
            if let Some(told) = self.take(effect) {
                self.hear(told);
            }
        }
        result
    }

    pub(super) fn of_ranges(
        &mut self,
        happens: impl FnOnce(&mut Vec<Effect<gather::Notification<get_hash_range::Learned>>>),
    ) {
        let mut effects = Vec::new();
        happens(&mut effects);
        for effect in effects {
            self.take(effect);
        }
    }

    pub(super) fn of_update<T>(
        &mut self,
        happens: impl FnOnce(&mut Vec<Effect<update::Notification>>) -> T,
    ) -> T {
        let mut effects = Vec::new();
        let result = happens(&mut effects);
        for effect in effects {
            if let Some(told) = self.take(effect) {
                self.hear(Told::Update(told));
            }
        }
        result
    }

    /// What the user is told, if that is it.
    fn take<N>(&mut self, effect: Effect<N>) -> Option<N> {
        match effect {
            Effect::Send { node, payload } => self.sends.push((node, payload)),
            Effect::Close { violation, .. } => self.violation = Some(violation),
            Effect::Notify(told) => return Some(told),
        }
        None
    }

    /// What the user is told may be that the node has broken the protocol, or has made a change.
    fn hear(&mut self, told: Told) {
        let failure = match told {
            Told::Put(outcome) => outcome.err(),
            Told::Get(outcome) => outcome.err(),
            Told::Exists(outcome) => outcome.err(),
            Told::Remove(outcome) => outcome.err(),
            Told::Update(update::Notification::Ended(outcome)) => outcome.err(),
            Told::GetAll(stream::Notification::Suspended)
            | Told::Mirror(stream::Notification::Suspended) => {
                self.suspended = Some(true);
                None
            }
            Told::GetAll(stream::Notification::Resumed)
            | Told::Mirror(stream::Notification::Resumed) => {
                self.suspended = Some(false);
                None
            }
            _ => None,
        };
        if let Some(Failure::Violation { violation, .. }) = failure {
            self.violation = Some(violation);
        }
    }
}
