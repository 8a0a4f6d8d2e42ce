//! The world over sockets.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddrV4;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dht_client::{ControlError, Controller, Credential, PendingUpdate, get_all, mirror};
use dht_model::{Decision, Operation};
use dht_protocol::neo::monitor::{Coverage, Listener};
use dht_protocol::{ChannelName, Key};
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, SelectAll, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::health::Health;
use super::legacy::{self, Links};
use super::link::Link;
use super::perform::{Asked, Done, decide, perform};
use super::proxy::{Gates, Line, Proxy, Traffic};
use super::subject::Subject;
use super::telling::{Kind, Running, Told};
use super::{ConnectError, NodeControl, Options};
use crate::case::{Direction, Fault, Protocol};
use crate::world::{Control, Ending, Event, Happening, Held, Stir, Stream, Ticket, World};

/// What came of what a ticket was for, and the link that it went over, if that speaks neo.
type Came = (Ticket, Option<Arc<Link>>, Done);

/// Connections to a node, each by a client of its own.
///
/// It is for one case: tickets are not to be used twice. Dropped, it closes its connections;
/// [`shutdown`](Self::shutdown) waits for a node that is being started as well.
pub struct NetWorld {
    patience: Duration,
    links: BTreeMap<usize, Arc<Link>>,
    /// Those that speak the legacy protocol.
    legacy: Links,
    /// The faults of each connection, if there can be any.
    lines: Vec<Arc<Line>>,
    /// Where messages can be held, if they can be.
    gates: Option<Arc<Gates>>,
    control: Option<Arc<dyn NodeControl>>,
    /// What is under way.
    working: FuturesUnordered<BoxFuture<'static, Came>>,
    streams: SelectAll<Running>,
    health: Health,
    updates: BTreeMap<Ticket, (Arc<Link>, PendingUpdate)>,
    controllers: BTreeMap<Ticket, Controller>,
    /// What has happened at once.
    happened: VecDeque<Happening>,
    _proxies: JoinSet<()>,
    /// Nothing can be expected of the node before.
    halted_until: Option<Instant>,
    /// Whom to ask first; it changes, so that no stream without an end keeps others from being heard.
    streams_first: bool,
    longest_wait: Duration,
}

impl NetWorld {
    /// Connects to a node, so many times. `patience` is how long to wait for that, and later for anything
    /// at all to happen.
    pub async fn connect(
        node: SocketAddrV4,
        credential: Credential,
        connections: usize,
        patience: Duration,
        options: Options,
    ) -> Result<Self, ConnectError> {
        let mut health = Health::new(node);
        let traffic = Arc::new(Traffic::new(connections));
        let gates = options.gated.then(|| Arc::new(Gates::new(connections)));
        let (mut lines, mut proxies) = (Vec::new(), JoinSet::new());
        let (mut links, mut legacy) = (BTreeMap::new(), BTreeMap::new());
        let mut taps = options.taps.into_iter();
        for number in 0..connections {
            let tap = taps.next();
            let (protocol, node) = match options.legacy.get(&number) {
                Some(legacy) => (Protocol::Legacy, legacy.address),
                None => (Protocol::Neo, node),
            };
            let mut address = node;
            if options.faulty || options.gated {
                let mut line = Line::new(number, protocol, Arc::clone(&traffic));
                if let (Some(gates), Protocol::Neo) = (&gates, protocol) {
                    line = line.with_gates(Arc::clone(gates));
                }
                let line = Arc::new(line);
                let proxy = Proxy::listen(node, Arc::clone(&line)).await?;
                address = proxy.address()?;
                lines.push(line);
                proxies.spawn(proxy.run(health.refusals(links.len())));
            }
            if let Some(options) = options.legacy.get(&number) {
                let link = legacy::Link::connect(address, patience, options).await?;
                legacy.insert(number, Arc::new(link));
                continue;
            }
            let breaches = health.breaches();
            let listener = match options.covering {
                true => Listener::covering(),
                false => Listener::new(),
            };
            let credential = credential.clone();
            let link = Link::new(address, node, credential, tap, breaches, listener);
            links.insert(number, Arc::new(link));
        }
        for link in links.values() {
            link.client.ready(patience).await?;
            health.watch(link.client.connections());
        }
        Ok(Self {
            patience,
            links,
            legacy,
            lines,
            gates,
            control: options.control,
            working: FuturesUnordered::new(),
            streams: SelectAll::new(),
            health,
            updates: BTreeMap::new(),
            controllers: BTreeMap::new(),
            happened: VecDeque::new(),
            _proxies: proxies,
            halted_until: None,
            streams_first: true,
            longest_wait: Duration::ZERO,
        })
    }

    /// How long it took at most until the node said something that was waited for.
    pub fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// What all connections have covered of the requests' automata so far, if that was to be remembered.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for covered in self.links.values().filter_map(|link| link.coverage()) {
            coverage.merge(&covered);
        }
        coverage
    }

    /// Closes all connections. Waits for a node that is being started, as long as for anything else.
    pub async fn shutdown(mut self) {
        for link in self.links.values() {
            link.client.shutdown();
        }
        // Longer than that nobody waits for a node.
        let _ = timeout(self.patience, self.health.restarted()).await;
    }

    /// A connection; or what is asked of it comes to nothing.
    fn link(&mut self, ticket: Ticket, connection: usize) -> Option<Arc<Link>> {
        let link = self.links.get(&connection);
        if link.is_none() {
            let nothing = Ending::Nothing("there is no such connection".to_owned());
            self.happened.push_back(Happening::Ended(ticket, nothing));
        }
        link.cloned()
    }

    fn ask(&mut self, ticket: Ticket, connection: usize, asked: Asked) {
        let Some(link) = self.link(ticket, connection) else {
            return;
        };
        let patience = self.patience;
        self.working.push(Box::pin(async move {
            let done = perform(&link, asked, patience).await;
            (ticket, Some(link), done)
        }));
    }

    fn kill(&mut self) -> bool {
        let Some(control) = &self.control else {
            return false;
        };
        self.health.kill(&**control);
        true
    }

    fn halt(&mut self, time: Duration) -> bool {
        let Some(control) = &self.control else {
            return false;
        };
        control.halt(time);
        let until = Instant::now() + time;
        self.halted_until = Some(self.halted_until.map_or(until, |other| other.max(until)));
        true
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Happening> {
        if let Some(happening) = self.happened.pop_front() {
            return Poll::Ready(happening);
        }
        self.streams_first = !self.streams_first;
        let next = match self.streams_first {
            true => self
                .poll_streams(context)
                .or_else(|| self.poll_working(context)),
            false => self
                .poll_working(context)
                .or_else(|| self.poll_streams(context)),
        };
        // What the connections tell comes last, and before everything else: if a node breaks the protocol,
        // whoever waits for it is told that the connection was lost.
        match self.health.poll(context).or(next) {
            Some(happening) => Poll::Ready(happening),
            None => Poll::Pending,
        }
    }

    fn poll_streams(&mut self, context: &mut Context<'_>) -> Option<Happening> {
        let Poll::Ready(told) = self.streams.poll_next_unpin(context) else {
            return None;
        };
        Some(match told? {
            Told::Event(ticket, event) => {
                if event.is_last() {
                    for link in self.legacy.values() {
                        link.over(ticket);
                    }
                    self.controllers.remove(&ticket);
                    self.over(ticket);
                }
                Happening::Told(ticket, event)
            }
            Told::Violation(violation) => Happening::Violation(violation),
        })
    }

    fn poll_working(&mut self, context: &mut Context<'_>) -> Option<Happening> {
        let Poll::Ready(ended) = self.working.poll_next_unpin(context) else {
            return None;
        };
        let (ticket, link, done) = ended?;
        Some(match done {
            Done::Ended(ending) => {
                self.over(ticket);
                Happening::Ended(ticket, ending)
            }
            Done::Read(update) => {
                let value = update.value().clone();
                if let Some(link) = link {
                    self.updates.insert(ticket, (link, update));
                }
                Happening::Ended(ticket, Ending::Read(value))
            }
            Done::Violation(violation) => Happening::Violation(violation),
        })
    }

    /// Messages of a request about this subject belong to this ticket.
    fn expect(&self, ticket: Ticket, connection: usize, subject: Option<Subject>) {
        if let (Some(gates), Some(subject)) = (&self.gates, subject) {
            gates.expect(ticket, connection, subject);
        }
    }

    /// What this ticket is for does not begin once more.
    fn over(&self, ticket: Ticket) {
        if let Some(gates) = &self.gates {
            gates.over(ticket);
        }
    }

    /// How long to wait for anything to happen.
    fn patience(&self) -> Duration {
        match self.halted_until {
            Some(until) => self.patience + until.saturating_duration_since(Instant::now()),
            None => self.patience,
        }
    }
}

impl World for NetWorld {
    fn begin(&mut self, ticket: Ticket, connection: usize, operation: Operation) {
        if let Some(link) = self.legacy.get(&connection).cloned() {
            let patience = self.patience;
            self.working.push(Box::pin(async move {
                let done = legacy::perform(&link, operation, patience).await;
                (ticket, None, done)
            }));
            return;
        }
        self.expect(ticket, connection, Subject::of_operation(&operation));
        self.ask(ticket, connection, Asked::Operation(operation));
    }

    fn begin_update(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, key: Key) {
        let subject = Subject::of_update(channel.clone(), key);
        self.expect(ticket, connection, Some(subject));
        self.ask(ticket, connection, Asked::Read(channel, key));
    }

    fn decide(&mut self, ticket: Ticket, update: Ticket, decision: Decision) {
        self.over(update);
        let Some((link, update)) = self.updates.remove(&update) else {
            let nothing = Ending::Nothing("there is no such Update".to_owned());
            self.happened.push_back(Happening::Ended(ticket, nothing));
            return;
        };
        let patience = self.patience;
        self.working.push(Box::pin(async move {
            let done = decide(&link, update, decision, patience).await;
            (ticket, Some(link), done)
        }));
    }

    fn open(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, stream: Stream) {
        if let (Some(link), Stream::Listen) = (self.legacy.get(&connection), &stream) {
            match link.listen(ticket, channel) {
                Some(told) => self.streams.push(Running::new(ticket, Kind::Listen(told))),
                None => {
                    let taken = Happening::Told(ticket, Event::Stopped);
                    self.happened.push_back(taken);
                }
            }
            return;
        }
        let Some(Link { client, .. }) = self.links.get(&connection).map(|link| &**link) else {
            let failed = Event::Failed("there is no such connection".to_owned());
            self.happened.push_back(Happening::Told(ticket, failed));
            return;
        };
        let subject = Subject::of_stream(&stream, channel.clone());
        self.expect(ticket, connection, subject);
        let (running, controller) = match stream {
            Stream::GetAll { keys_only, filter } => {
                let settings = get_all::Settings {
                    keys_only,
                    value_filter: filter,
                };
                let get_all = client.get_all(channel, settings);
                let controller = get_all.controller();
                (Kind::GetAll(get_all), controller)
            }
            Stream::Mirror { refresh } => {
                let settings = mirror::Settings {
                    initial_refresh: refresh,
                    periodic_refresh_s: 0,
                };
                let mirror = client.mirror(channel, settings);
                let controller = mirror.controller();
                (Kind::Mirror(mirror), controller)
            }
            Stream::Listen => {
                let failed = Event::Failed("neo does not know this".to_owned());
                self.happened.push_back(Happening::Told(ticket, failed));
                return;
            }
        };
        self.controllers.insert(ticket, controller);
        self.streams.push(Running::new(ticket, running));
    }

    fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError> {
        if control == Control::Stop && self.legacy.values().any(|link| link.stop(stream)) {
            return Ok(());
        }
        let controller = self.controllers.get(&stream).ok_or(ControlError::Ended)?;
        match control {
            Control::Suspend => controller.suspend(),
            Control::Resume => controller.resume(),
            Control::Stop => controller.stop(),
        }
    }

    fn fault(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::Cut { connection, .. }
            | Fault::Split { connection, .. }
            | Fault::Coalesce { connection, .. }
            | Fault::Stall { connection, .. } => {
                let line = self.lines.get(*connection);
                line.is_some_and(|line| line.set(fault))
            }
            Fault::Halt { ms } => self.halt(Duration::from_millis((*ms).into())),
            Fault::Kill {} => self.kill(),
        }
    }

    async fn next(&mut self) -> Happening {
        let patience = self.patience();
        let (began, halted) = (Instant::now(), self.halted_until.is_some());
        let next = std::future::poll_fn(|context| self.poll(context));
        let happening = timeout(patience, next).await.unwrap_or(Happening::Silence);
        if !halted && happening.is_said() {
            self.longest_wait = self.longest_wait.max(began.elapsed());
        }
        happening
    }

    fn hold(&mut self, held: bool) -> bool {
        if let Some(gates) = &self.gates {
            gates.hold(held);
        }
        self.gates.is_some()
    }

    fn held(&self, ticket: Ticket, direction: Direction) -> Held {
        let gates = self.gates.as_ref();
        gates.map_or_else(Held::default, |gates| gates.held(ticket, direction))
    }

    fn pass(&mut self, ticket: Ticket, direction: Direction) -> bool {
        let gates = self.gates.as_ref();
        gates.is_some_and(|gates| gates.pass(ticket, direction))
    }

    fn is_passing(&self) -> bool {
        self.gates.as_ref().is_some_and(|gates| gates.is_passing())
    }

    fn begun(&self, connection: usize) -> u64 {
        let gates = self.gates.as_ref();
        gates.map_or(0, |gates| gates.begun(connection))
    }

    async fn stir(&mut self, limit: Duration) -> Stir {
        let Some(gates) = self.gates.clone() else {
            return Stir::Nothing;
        };
        let next = std::future::poll_fn(|context| self.poll(context));
        match timeout(limit, select(next, pin!(gates.changed()))).await {
            Ok(Either::Left((happening, _))) => Stir::Happened(happening),
            Ok(Either::Right(_)) => Stir::Held,
            Err(_) => Stir::Nothing,
        }
    }
}

impl fmt::Debug for NetWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetWorld")
            .field("links", &self.links)
            .field("lines", &self.lines)
            .field("health", &self.health)
            .field("working", &self.working.len())
            .finish_non_exhaustive()
    }
}
