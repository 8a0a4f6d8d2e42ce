//! The client without I/O against a node without I/O, in one thread, without sockets: what a harness
//! does. The same inputs lead to the same outputs.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use bytes::Bytes;
use dht_client::core::{ConnectionEvent, Core, Output};
use dht_client::{
    ConnectionError, Credential, Failure, HashRange, Key, Limits, NodeAddress, Notification,
    get_all, mirror,
};
use dht_protocol::neo::client::{Backlog, Request, Told};
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::{RecordName, put};
use dht_protocol::neo::{Now, RequestId};
use fakedht::{ConnectionId, MemoryStorage, Node, NodeConfig};

const NOW: Now = Now {
    unix: 1_700_000_000,
    elapsed: Duration::ZERO,
};
const ADDRESS: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10_100);

/// A client and its only node.
struct Pair {
    core: Core,
    node: Node<MemoryStorage>,
    connection: Option<ConnectionId>,
    told: Vec<Output>,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            core: Core::new(Credential::default_admin(), Limits::default()),
            node: Node::new(NodeConfig::default(), MemoryStorage::new()),
            connection: None,
            told: Vec::new(),
        };
        pair.core.add_node(ADDRESS, NOW);
        pair
    }

    fn connected() -> Self {
        let mut pair = Self::new();
        pair.run();
        pair.told.clear();
        pair
    }

    /// Moves bytes until neither side has anything to say.
    fn run(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.core.next_output() {
                moved = true;
                match output {
                    Output::Connect(_) => {
                        self.connection = Some(self.node.accept([1, 2, 3, 4]));
                        self.core.connected(ADDRESS, NOW);
                    }
                    Output::Write(_) => self.write(),
                    Output::Close { .. } => {
                        if let Some(connection) = self.connection.take() {
                            self.node.close(connection);
                        }
                    }
                    told => self.told.push(told),
                }
            }
            let Some(connection) = self.connection else {
                break;
            };
            while self.node.process(connection, NOW).unwrap() {}
            let bytes = self.node.take_output(connection);
            if !bytes.is_empty() {
                moved = true;
                self.core.received(ADDRESS, &bytes, NOW);
            }
            if !moved {
                break;
            }
        }
    }

    fn write(&mut self) {
        if let (Some(bytes), Some(connection)) = (self.core.output(ADDRESS), self.connection) {
            self.node.feed(connection, bytes);
            bytes.clear();
        }
    }

    /// The transport breaks, and a new one is there at once.
    fn reconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.node.close(connection);
        }
        self.core
            .disconnected(ADDRESS, ConnectionError::Closed, NOW);
        self.connection = Some(self.node.accept([1, 2, 3, 4]));
        self.core.connected(ADDRESS, NOW);
        self.run();
    }

    fn ask(&mut self, request: Request) -> Told {
        let id = self.core.start(request, NOW).unwrap();
        self.run();
        match self.told.pop() {
            Some(Output::Request { id: by, told }) if by == id => told,
            told => panic!("{told:?}"),
        }
    }

    /// What a request was told.
    fn heard(&mut self, request: RequestId) -> Vec<Told> {
        let told = std::mem::take(&mut self.told);
        let of_it = told.into_iter().filter_map(|output| match output {
            Output::Request { id, told } if id == request => Some(told),
            _ => None,
        });
        of_it.collect()
    }
}

fn record(key: u64) -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(key),
    }
}

fn put(key: u64, value: &'static str) -> Request {
    Request::Put(put::Open {
        record: record(key),
        value: value.into(),
    })
}

#[test]
fn connecting_is_told_and_the_range_becomes_known() {
    let mut pair = Pair::new();
    pair.run();
    let expected = [
        Output::Connection(ConnectionEvent::Connected(ADDRESS)),
        Output::Connection(ConnectionEvent::RangeKnown(ADDRESS, HashRange::FULL)),
    ];
    assert_eq!(pair.told, expected);
    assert!(pair.core.is_open(ADDRESS));
}

#[test]
fn requests_are_answered() {
    let mut pair = Pair::connected();
    assert_eq!(pair.ask(put(1, "one")), Told::Put(Ok(())));
    let got = Told::Get(Ok(Some(Bytes::from("one"))));
    assert_eq!(pair.ask(Request::Get(record(1))), got);
    assert_eq!(
        pair.ask(Request::Exists(record(2))),
        Told::Exists(Ok(false))
    );
    assert_eq!(pair.ask(Request::Remove(record(1))), Told::Remove(Ok(true)));
    assert_eq!(pair.core.active_requests(), 1);
}

#[test]
fn ids_count_from_the_permanent_request_and_are_never_reused() {
    let mut pair = Pair::connected();
    let mut last = RequestId::FIRST;
    for key in 0..10 {
        let id = pair.core.start(Request::Get(record(key)), NOW).unwrap();
        assert_eq!(id, last.next());
        last = id;
    }
    pair.reconnect();
    let id = pair.core.start(Request::Get(record(1)), NOW).unwrap();
    assert_eq!(id, last.next());
}

#[test]
fn an_abandoned_request_says_that_it_timed_out() {
    let mut pair = Pair::connected();
    let id = pair.core.start(put(1, "one"), NOW).unwrap();
    pair.core.abandon(id, NOW);
    pair.core.abandon(id, NOW);
    pair.run();
    let timed_out = Told::Put(Err(Failure::TimedOut));
    assert_eq!(
        pair.heard(id),
        [timed_out],
        "and nothing of the late answer"
    );
    assert_eq!(pair.core.active_requests(), 1);
}

#[test]
fn a_lost_connection_ends_requests_for_a_record_and_restarts_the_others() {
    let mut pair = Pair::connected();
    pair.ask(put(1, "one"));
    let settings = mirror::Settings {
        initial_refresh: true,
        periodic_refresh_s: 0,
    };
    let mirror = pair
        .core
        .start(Request::Mirror("c".into(), settings), NOW)
        .unwrap();
    pair.run();
    let refreshed = mirror::Item::Refreshed(Key(1), "one".into());
    let refreshed = Told::Mirror(Notification::Item(ADDRESS, refreshed));
    let started = Told::Mirror(Notification::Started);
    assert_eq!(pair.heard(mirror), [started, refreshed.clone()]);

    let get = pair.core.start(Request::Get(record(1)), NOW).unwrap();
    pair.core.next_output();
    pair.core
        .disconnected(ADDRESS, ConnectionError::Closed, NOW);
    pair.reconnect();
    let lost = Told::Get(Err(Failure::Disconnected { node: ADDRESS }));
    let mut told = std::mem::take(&mut pair.told);
    told.retain(|output| matches!(output, Output::Request { .. }));
    let of = |id, told| Output::Request { id, told };
    let disconnected = Told::Mirror(Notification::Disconnected(ADDRESS));
    let expected = [
        of(mirror, disconnected),
        of(get, lost),
        of(mirror, refreshed),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_backlog_suspends_the_node_unnoticed() {
    let mut pair = Pair::connected();
    pair.ask(put(1, "one"));
    let all = Request::GetAll("c".into(), get_all::Settings::default());
    pair.core
        .disconnected(ADDRESS, ConnectionError::Closed, NOW);
    let id = pair.core.start(all, NOW).unwrap();
    pair.core.pace(id, Backlog::High, NOW);
    pair.reconnect();
    let started = Told::GetAll(Notification::Started);
    assert_eq!(pair.heard(id), [started]);
    // The user's own changes are told, but do not let more come than it can take.
    for (control, told) in [
        (Control::Suspend, Notification::Suspended),
        (Control::Resume, Notification::Resumed),
    ] {
        pair.core.control(id, control, NOW).unwrap();
        pair.run();
        assert_eq!(pair.heard(id), [Told::GetAll(told)]);
    }
    pair.core.pace(id, Backlog::Low, NOW);
    pair.run();
    let record = get_all::Item::Record(Key(1), "one".into());
    let record = Told::GetAll(Notification::Item(ADDRESS, record));
    assert_eq!(
        pair.heard(id),
        [record, Told::GetAll(Notification::Finished)]
    );
}

#[test]
fn a_user_is_not_refused_because_the_client_itself_is_making_a_change() {
    let mut pair = Pair::connected();
    let mirror = Request::Mirror("c".into(), mirror::Settings::default());
    let id = pair.core.start(mirror, NOW).unwrap();
    pair.run();
    pair.core.pace(id, Backlog::High, NOW);
    pair.run();
    pair.heard(id);
    // The Resume that this leads to is not acknowledged yet.
    pair.core.pace(id, Backlog::Low, NOW);
    pair.core.control(id, Control::Stop, NOW).unwrap();
    pair.run();
    assert_eq!(pair.heard(id), [Told::Mirror(Notification::Stopped)]);
}

#[test]
fn an_excessive_backlog_keeps_a_request_from_starting_again() {
    let mut pair = Pair::connected();
    pair.ask(put(1, "one"));
    let all = Request::GetAll("c".into(), get_all::Settings::default());
    let id = pair.core.start(all, NOW).unwrap();
    pair.core.pace(id, Backlog::Excessive, NOW);
    pair.reconnect();
    let told = pair.heard(id);
    assert!(!told.is_empty() && !told.contains(&Told::GetAll(Notification::Finished)));
    assert_eq!(pair.node.active_requests(pair.connection.unwrap()), 1);
    pair.core.pace(id, Backlog::Low, NOW);
    pair.run();
    assert_eq!(
        pair.heard(id).last(),
        Some(&Told::GetAll(Notification::Finished))
    );
}

/// Everything that a run of all kinds of requests leads to.
fn history(seed: u64) -> Vec<String> {
    let mut pair = Pair::connected();
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut history = Vec::new();
    let mut started = BTreeSet::new();
    for _ in 0..2000 {
        let record = record(random(20));
        let request = match random(12) {
            0..4 => put(record.key.0, "value"),
            4 | 5 => Request::Get(record),
            6 => Request::Exists(record),
            7 => Request::Remove(record),
            8 => Request::GetChannels,
            9 => Request::GetAll("c".into(), get_all::Settings::default()),
            10 => Request::Mirror("c".into(), mirror::Settings::default()),
            _ => Request::RemoveChannel("c".into()),
        };
        if let Ok(id) = pair.core.start(request, NOW) {
            started.insert(id);
        }
        if random(3) == 0 {
            let control = [Control::Suspend, Control::Resume, Control::Stop];
            let control = control[random(3) as usize];
            let at = random(started.len() as u64) as usize;
            if let Some(id) = started.iter().nth(at) {
                let accepted = pair.core.control(*id, control, NOW);
                history.push(format!("{id} {control:?} {accepted:?}"));
            }
        }
        if random(2) == 0 {
            pair.run();
        }
        if random(200) == 0 {
            pair.reconnect();
        }
    }
    pair.run();
    history.extend(pair.told.iter().map(|told| format!("{told:?}")));
    history
}

#[test]
fn the_same_inputs_lead_to_the_same_outputs() {
    let first = history(7);
    assert!(first.len() > 2000);
    assert_eq!(first, history(7));
    assert_ne!(first, history(8));
}
