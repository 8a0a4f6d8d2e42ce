//! The bugs of a node, between its connections and the driver.
//!
//! A connection with bugs is fed one message at a time, so that a bug knows during which message the
//! node is asked for something, and what it says is taken away at once, for the bugs to act on. Legacy
//! connections have seams of their own (`legacy`); bugs behind the requests act there as on neo ones.

use std::mem::take;

use dht_protocol::legacy::{self, Command, LegacyHost};
use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{ClientName, Credentials, Limits, NodeConnection, Now, Violation};

use super::filters::Filters;
use super::host_bug::{Call, HostBug};
use super::legacy::{self as legacy_bugs, LegacyBug, LegacyTap};
use super::login::Login;
use super::pieces::Piece;
use super::reaction::{
    AcceptBug, Admission, Arrival, Breach, Departure, HalfClose, HangUp, Harm, Reaction,
};
use super::seam::{EventBug, Seam};
use super::tap::Tap;
use super::wire::authentication;
use super::{Bugs, host};
use crate::node::ConnectionId;
use crate::node::host::Event;

/// All bugs of a node, with what they remember.
#[derive(Default)]
pub(crate) struct Layer {
    host: Vec<Box<dyn HostBug>>,
    filters: Filters,
    events: Vec<EventBug>,
    legacy: Vec<Box<dyn LegacyBug>>,
    logins: Vec<fn(&Login<'_>) -> Option<Proof>>,
    times: Vec<fn(u64, u64) -> u64>,
    nonces: Vec<fn(Nonce) -> Nonce>,
    limits: Vec<fn(&mut Limits)>,
    accept: Vec<Box<dyn AcceptBug>>,
    violations: Vec<(Breach, Reaction)>,
    closed: Vec<(HangUp, Reaction)>,
    half_close: HalfClose,
    congestion: Option<usize>,
    /// Has something happened after which no connection is served any more?
    unusable: bool,
}

impl Layer {
    /// `None` for a healthy node.
    pub(crate) fn new(bugs: &Bugs) -> Option<Self> {
        let mut layer = Self::default();
        for bug in bugs.iter() {
            match (bug.seam)() {
                Seam::Limits(change) => layer.limits.push(change),
                Seam::Accept(bug) => layer.accept.push(bug),
                Seam::Nonce(change) => layer.nonces.push(change),
                Seam::Input(bug) => layer.filters.input.push(bug),
                Seam::Output(bug) => layer.filters.output.push(bug),
                Seam::Violation(which, reaction) => layer.violations.push((which, reaction)),
                Seam::Time(judge) => layer.times.push(judge),
                Seam::Login(judge) => layer.logins.push(judge),
                Seam::Closed(which, reaction) => layer.closed.push((which, reaction)),
                Seam::HalfClose(half_close) => layer.half_close = half_close,
                Seam::Congestion(limit) => layer.congestion = Some(limit),
                Seam::Host(bug) => layer.host.push(bug),
                Seam::Arriving(bug) => layer.filters.arriving.push(bug),
                Seam::Leaving(bug) => layer.filters.leaving.push(bug),
                Seam::Event(bug) => layer.events.push(bug),
                Seam::Legacy(bug) => layer.legacy.push(bug),
            }
        }
        (!bugs.is_empty()).then_some(layer)
    }

    /// What the node accepts of a connection, instead of `limits`.
    pub(crate) fn limits(&self, limits: Limits) -> Limits {
        let mut limits = limits;
        for change in &self.limits {
            change(&mut limits);
        }
        limits
    }

    /// What a new connection is given instead of `nonce`.
    pub(crate) fn nonce(&self, nonce: Nonce) -> Nonce {
        self.nonces
            .iter()
            .fold(nonce, |nonce, change| change(nonce))
    }

    /// What becomes of a new connection: `number` came before it, and `open` are open.
    pub(crate) fn admit(&mut self, number: u64, open: usize) -> Admission {
        if self.unusable {
            return Admission::Refuse;
        }
        let arrival = Arrival { number, open };
        let mut verdicts = self.accept.iter_mut().map(|bug| bug.accept(arrival));
        let unusual = verdicts.find(|admission| *admission != Admission::Serve);
        unusual.unwrap_or(Admission::Serve)
    }

    /// A connection has ended.
    pub(crate) fn closed(&mut self, tap: &Tap, active: usize) {
        self.filters.running.forget(tap.connection);
        let phase = tap.phase();
        let departure = Departure { phase, active };
        for (which, reaction) in self.closed.clone() {
            if which(&departure) {
                self.suffer(reaction, tap.connection);
            }
        }
    }

    /// What the node does about a client that sends nothing more.
    pub(crate) fn half_close(&self) -> HalfClose {
        self.half_close
    }

    /// At how many bytes that wait for a client the whole node stands still.
    pub(crate) fn congestion(&self) -> Option<usize> {
        self.congestion
    }

    /// What bugs have done to the node since the last call.
    pub(crate) fn take_harms(&mut self) -> Vec<Harm> {
        take(&mut self.filters.harms)
    }

    /// The node is started again.
    pub(crate) fn restart(&mut self) {
        self.unusable = false;
    }

    /// As [`NodeConnection::process`].
    pub(crate) fn process(
        &mut self,
        tap: &mut Tap,
        connection: &mut NodeConnection,
        credentials: &Credentials,
        now: Now,
        host: &mut dyn LegacyHost,
    ) -> Result<bool, Violation> {
        while !tap.is_full() && self.filters.harms.is_empty() {
            let mark = tap.mark();
            let Some(piece) = tap.next_piece(&mut self.filters.input) else {
                return self.work(tap, connection, now, host, NO_MESSAGE);
            };
            // Only bugs that forgive need to know how things were.
            let before = (!self.violations.is_empty()).then(|| connection.clone());
            let call = self.hand_over(piece, tap, connection, credentials, now);
            let Err(violation) = self.work(tap, connection, now, host, call) else {
                continue;
            };
            let reaction = self.reaction(&violation);
            match (reaction, before) {
                (Reaction::Ignore, Some(before)) => {
                    *connection = before;
                    tap.go_back(mark);
                    continue;
                }
                (Reaction::CloseMute, _) => tap.unsay(mark),
                _ => self.suffer(reaction, tap.connection),
            }
            return Err(violation);
        }
        Ok(false)
    }

    /// Feeds a connection with what bugs make of a piece, and says what message that is.
    fn hand_over(
        &mut self,
        piece: Piece,
        tap: &mut Tap,
        connection: &mut NodeConnection,
        credentials: &Credentials,
        now: Now,
    ) -> Call {
        match piece {
            Piece::Raw(bytes) => connection.feed(&bytes),
            Piece::Authentication(body) => {
                let body = self.authenticate(tap, body, credentials, now);
                connection.feed(&authentication(&body));
            }
            Piece::Request(id, payload) => {
                let active = connection.is_active(id);
                connection.feed(&tap.arrive(id, &payload, active, &mut self.filters));
                if let Some((request, first)) = tap.request(id) {
                    let request = Some(request);
                    return Call { request, first };
                }
            }
        }
        NO_MESSAGE
    }

    /// What the node does about a broken rule.
    fn reaction(&self, violation: &Violation) -> Reaction {
        let mut violations = self.violations.iter();
        let unusual = violations.find(|(which, _)| which(violation));
        unusual.map_or(Reaction::Close, |(_, reaction)| *reaction)
    }

    /// Something went wrong on a connection which is closed.
    fn suffer(&mut self, reaction: Reaction, connection: ConnectionId) {
        match reaction {
            Reaction::Close | Reaction::CloseMute | Reaction::Ignore => {}
            Reaction::CloseAll => self.filters.harms.push(Harm::AllBut(connection)),
            Reaction::Crash => self.filters.harms.push(Harm::Crash),
            Reaction::Unusable => self.unusable = true,
        }
    }

    /// As [`legacy::NodeConnection::process`].
    pub(crate) fn process_legacy(
        &mut self,
        tap: &mut LegacyTap,
        connection: &mut legacy::NodeConnection,
        host: &mut dyn LegacyHost,
    ) -> Result<bool, legacy::Violation> {
        let mut bugs = legacy_bugs::Bugs {
            legacy: &mut self.legacy,
            host: &mut self.host,
            harms: &mut self.filters.harms,
        };
        bugs.process(tap, connection, host)
    }

    /// What followers are told of an event.
    pub(crate) fn raised(&mut self, event: Event) -> Option<Event> {
        let mut event = event;
        for bug in &mut self.events {
            event = bug(event)?;
        }
        Some(event)
    }

    fn work(
        &mut self,
        tap: &mut Tap,
        connection: &mut NodeConnection,
        now: Now,
        host: &mut dyn LegacyHost,
        call: Call,
    ) -> Result<bool, Violation> {
        let result = host::behind(&mut self.host, host, call, |host| {
            connection.process(now, host)
        });
        let said = take(connection.output());
        tap.leave(&said, |id| connection.is_active(id), &mut self.filters);
        if let (false, Some(client)) = (tap.welcomed, connection.client()) {
            tap.welcomed = true;
            self.welcome(tap.connection, client);
        }
        result
    }

    /// A client has authenticated itself.
    fn welcome(&mut self, connection: ConnectionId, client: &ClientName) {
        for bug in &mut self.accept {
            if let Some(other) = bug.authenticated(connection, client) {
                self.filters.harms.push(Harm::Connection(other));
            }
        }
    }

    /// What a client says to get in: its time first, its proof then.
    fn authenticate(
        &self,
        tap: &mut Tap,
        body: Vec<u8>,
        credentials: &Credentials,
        now: Now,
    ) -> Vec<u8> {
        let Some((told, taken)) = tap.time else {
            let Ok(told) = Timestamp::decode(&body) else {
                return body;
            };
            let mut taken = told.0;
            for judge in &self.times {
                taken = judge(taken, now.unix);
            }
            let taken = Timestamp(taken);
            tap.time = Some((told, taken));
            return taken.encode();
        };
        let Ok(mut proof) = Proof::decode(&body) else {
            return body;
        };
        for judge in &self.logins {
            let login = Login {
                credentials,
                nonce: tap.nonce,
                timestamp: told,
                proof: &proof,
            };
            proof = judge(&login).unwrap_or(proof);
        }
        if told != taken
            && let Ok(name) = ClientName::new(&proof.name)
            && let Some(key) = credentials.key(&name)
            && proof.code == auth::code(key, told.0, tap.nonce)
        {
            // The client proved the time that it told; the connection was told another one.
            proof.code = auth::code(key, taken.0, tap.nonce);
        }
        proof.encode()
    }
}

/// The neo request that does the same.
pub(super) fn counterpart(command: Command) -> Option<RequestCode> {
    match command {
        Command::Put => Some(RequestCode::Put),
        Command::Get => Some(RequestCode::Get),
        Command::Exists => Some(RequestCode::Exists),
        Command::Remove => Some(RequestCode::Remove),
        Command::GetChannels => Some(RequestCode::GetChannels),
        Command::GetResponsibleRange => Some(RequestCode::GetHashRange),
        Command::RemoveChannel => Some(RequestCode::RemoveChannel),
        Command::GetAll | Command::GetAllKeys | Command::GetAllFilter => Some(RequestCode::GetAll),
        Command::GetChannelSize
        | Command::GetSize
        | Command::GetNumConnections
        | Command::GetVersion
        | Command::Listen
        | Command::Redistribute
        | Command::PutBatch => None,
    }
}

const NO_MESSAGE: Call = Call {
    request: None,
    first: false,
};

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").finish_non_exhaustive()
    }
}
