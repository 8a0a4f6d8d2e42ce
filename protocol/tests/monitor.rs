//! The wire monitor judges by the request halves themselves, and by nothing else: what it says of a message
//! is what the half says, in every state. What the original client and node said to each other is legal.

mod support;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use dht_protocol::HashRange;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::client::{ClientRequest, Event, Request, Told};
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};
use dht_protocol::neo::monitor::{Breach, Monitor, Transition, Wrong};
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::update::{self, Decision};
use dht_protocol::neo::request::{
    Effect, Failure, RecordName, RequestCode, get_all, get_hash_range, mirror, put,
};
use proptest::prelude::*;
use proptest::sample::select;
use support::recordings::{VECTORS, recordings};
use support::said::OF_NODES;
use support::{hex, node};

const ID: u64 = 1;

/// What no node says in any request.
const OF_NO_NODE: &[&str] = &["", "00", "0c", "04 00"];
const VALUE: &str = "05 0600000000000000 6f6c6476616c";
const BATCHES: [&str; 2] = [
    "07 1c00000000000000 1000000000000000 21 0800000000000000 0200000000000000 110000",
    "07 2900000000000000 1d00000000000000 2e 0800000000000000 0200000000000000 \
     0500000000000000 776f726c64 110000",
];

/// Everything that a node can say, and what it cannot.
fn of_nodes() -> Vec<&'static str> {
    [OF_NODES, OF_NO_NODE].concat()
}

/// Everything that a client can say, and what it cannot.
const OF_CLIENTS: &[&str] = &[
    "",
    "00",
    "01",
    "02",
    "03",
    "04",
    "05",
    "01 00",
    "03 00",
    "01 00 00",
    "02 8d705df679e6353b 0100000000000000 76",
    "02 0000000000000000 0100000000000000 76",
    "02 00 0100000000000000 63 0100000000000000 0500000000000000 68656c6c6f",
    "03 00 0100000000000000 63 0100000000000000",
    "0a 00 01 0100000000000000 63 0100000000000000",
];

fn registry(nodes: &[NodeAddress]) -> Registry {
    let mut registry = Registry::default();
    for node in nodes {
        registry.learn(*node, HashRange::FULL);
    }
    registry
}

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: dht_protocol::Key(1),
    }
}

/// One of each request that a user can ask for, and some more than once.
fn requests() -> Vec<Request> {
    let keys = get_all::Settings {
        keys_only: true,
        value_filter: "f".into(),
    };
    vec![
        Request::Put(put::Open {
            record: record(),
            value: "v".into(),
        }),
        Request::Get(record()),
        Request::Exists(record()),
        Request::Remove(record()),
        Request::Update(record()),
        Request::GetAll("c".into(), get_all::Settings::default()),
        Request::GetAll("c".into(), keys),
        Request::Mirror("c".into(), mirror::Settings::default()),
        Request::GetChannels,
        Request::RemoveChannel("c".into()),
    ]
}

/// A client's half that has asked its one node, and its opening.
fn asked(request: Request, suspended: bool) -> (ClientRequest, Vec<u8>) {
    let mut effects = Vec::new();
    let mut half = ClientRequest::start(request, &registry(&[node(1)]), &mut effects).unwrap();
    if suspended {
        half.control(Control::Suspend, &mut effects).unwrap();
    }
    half.handle(Event::Connected(node(1)), &mut effects);
    let [opening] = sends(&effects).try_into().unwrap();
    (half, opening)
}

fn sends(effects: &[Effect<Told>]) -> Vec<Vec<u8>> {
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Send { payload, .. } => Some(payload.clone()),
        _ => None,
    });
    sends.collect()
}

/// Do these effects accuse the node?
fn accuses(effects: &[Effect<Told>]) -> bool {
    let is_violation = |failure: &Failure| matches!(failure, Failure::Violation { .. });
    effects.iter().any(|effect| match effect {
        Effect::Close { .. } => true,
        Effect::Notify(
            Told::Put(Err(failure))
            | Told::Get(Err(failure))
            | Told::Exists(Err(failure))
            | Told::Remove(Err(failure))
            | Told::Update(update::Notification::Ended(Err(failure))),
        ) => is_violation(failure),
        _ => false,
    })
}

/// The halves that come of what a user can say to make this one send just this.
fn willing(half: &ClientRequest, payload: &[u8]) -> Vec<ClientRequest> {
    type Say<'a> = Box<dyn Fn(&mut ClientRequest, &mut Vec<Effect<Told>>) + 'a>;
    let control = |control| -> Say<'_> {
        Box::new(move |half, effects| {
            let _ = half.control(control, effects);
        })
    };
    let decide = |decision: Decision| -> Say<'_> {
        Box::new(move |half, effects| half.decide(decision.clone(), effects))
    };
    [
        control(Control::Suspend),
        control(Control::Resume),
        control(Control::Stop),
        decide(Decision::Replace("v".into())),
        decide(Decision::Delete),
        decide(Decision::Leave),
    ]
    .into_iter()
    .filter_map(|say| {
        let (mut half, mut effects) = (half.clone(), Vec::new());
        say(&mut half, &mut effects);
        (sends(&effects) == [payload]).then_some(half)
    })
    .collect()
}

/// A moment of a conversation: the reference half, what it has wanted sent, the half before that, and the
/// monitor that has heard the same.
#[derive(Clone)]
struct Moment {
    half: ClientRequest,
    owed: Option<Vec<u8>>,
    crossed: Option<ClientRequest>,
    monitor: Monitor,
}

/// What the halves say of a message of the client, and what comes of it.
fn of_client(moment: &Moment, payload: &[u8]) -> Option<Moment> {
    if moment.owed.as_deref() == Some(payload) {
        return Some(Moment {
            owed: None,
            crossed: None,
            ..moment.clone()
        });
    }
    if moment.owed.is_some() {
        // It may have been decided on before the final message came.
        let crossed = willing(moment.crossed.as_ref()?, payload);
        return crossed.into_iter().next().map(|_| Moment {
            crossed: None,
            ..moment.clone()
        });
    }
    let half = willing(&moment.half, payload).into_iter().next()?;
    Some(Moment {
        half,
        ..moment.clone()
    })
}

fn of_node(moment: &Moment, payload: &[u8]) -> Option<Moment> {
    if moment.half.is_over() {
        return None;
    }
    let (mut half, mut effects) = (moment.half.clone(), Vec::new());
    half.handle(Event::Message(node(1), payload), &mut effects);
    if accuses(&effects) {
        return None;
    }
    let owed = sends(&effects).pop();
    Some(Moment {
        crossed: owed.is_some().then(|| moment.half.clone()),
        half,
        owed,
        monitor: moment.monitor.clone(),
    })
}

/// All conversations from an opening on, as far as their states differ.
fn explore(half: ClientRequest, opening: &[u8], transitions: &mut BTreeSet<Transition>) -> usize {
    let mut monitor = Monitor::covering();
    assert_eq!(monitor.sent(ID, opening), Ok(()));
    let mut waiting = vec![Moment {
        half,
        owed: None,
        crossed: None,
        monitor,
    }];
    let mut seen = HashSet::new();
    while let Some(moment) = waiting.pop() {
        let state = (&moment.half, &moment.owed, &moment.crossed);
        if !seen.insert(format!("{state:?}")) {
            continue;
        }
        let over = moment.half.is_over() && moment.owed.is_none();
        assert_eq!(moment.monitor.active(), usize::from(!over));
        for message in OF_CLIENTS {
            // Where nothing is open it may be an opening; that is not what is looked at here.
            if over && hex(message).len() > 1 {
                continue;
            }
            let mut monitor = moment.monitor.clone();
            let said = monitor.sent(ID, &hex(message));
            let next = of_client(&moment, &hex(message)).filter(|_| !over);
            agree(&moment, message, &said, next.is_some());
            waiting.extend(next.map(|next| Moment { monitor, ..next }));
        }
        for message in of_nodes() {
            let mut monitor = moment.monitor.clone();
            let said = monitor.received(ID, &hex(message));
            let next = of_node(&moment, &hex(message));
            // The only thing that the halves leave to the monitor.
            let too_much = |said: &Breach| matches!(said.what, Wrong::Suspended { .. });
            if said.as_ref().is_err_and(too_much) {
                assert!(next.is_some() && is_suspended(&moment));
                continue;
            }
            agree(&moment, message, &said, next.is_some());
            waiting.extend(next.map(|next| Moment { monitor, ..next }));
        }
        transitions.extend(&moment.monitor.coverage().unwrap().transitions);
    }
    seen.len()
}

fn is_suspended(moment: &Moment) -> bool {
    let phase = moment.half.phase(node(1));
    phase == "Suspended" || phase.starts_with("AwaitAck")
}

fn agree(moment: &Moment, message: &str, said: &Result<(), Breach>, half_agrees: bool) {
    assert_eq!(
        said.is_ok(),
        half_agrees,
        "{message:?} in {:?}: the monitor says {said:?}",
        moment.half
    );
}

#[test]
fn no_second_table_says_which_message_is_legal_when() {
    let (mut states, mut transitions) = (0, BTreeSet::<Transition>::new());
    for request in requests() {
        for suspended in [false, true] {
            if suspended && !matches!(request, Request::GetAll(..) | Request::Mirror(..)) {
                continue;
            }
            let (half, opening) = asked(request.clone(), suspended);
            states += explore(half, &opening, &mut transitions);
        }
    }
    assert!(states > 100, "{states} states");
    // All requests but GetHashRange, which is no `ClientRequest`.
    let covered: BTreeSet<_> = transitions.iter().map(|it| it.request).collect();
    assert_eq!(covered.len(), RequestCode::ALL.len() - 1);
}

#[test]
fn the_range_request_is_judged_by_its_half_too() {
    let mut half = Gathering::new(get_hash_range::Client);
    half.connected(node(1), &mut Vec::new());
    let mut monitor = Monitor::covering();
    monitor.sent(ID, &get_hash_range::Open.encode()).unwrap();
    let mut waiting = vec![(half, monitor)];
    let mut seen = HashSet::new();
    while let Some((half, monitor)) = waiting.pop() {
        if !seen.insert(half.clone()) {
            continue;
        }
        for message in OF_CLIENTS {
            assert!(
                monitor.clone().sent(ID, &hex(message)).is_err(),
                "{message}"
            );
        }
        for message in of_nodes() {
            let (mut half, mut monitor, mut effects) = (half.clone(), monitor.clone(), Vec::new());
            half.receive(node(1), &hex(message), &mut effects);
            let accused = effects
                .iter()
                .any(|effect| matches!(effect, Effect::Close { .. }));
            let legal = monitor.received(ID, &hex(message)).is_ok();
            assert_eq!(legal, !accused, "{message}");
            if legal && !half.is_ended() {
                waiting.push((half, monitor));
            }
        }
    }
    assert!(seen.len() >= 3, "{} states", seen.len());
}

/// A record that moves is begun by a message that only a history with two nodes leads to.
#[test]
fn a_move_is_what_a_decision_leads_to() {
    let mut effects = Vec::new();
    // The node that is learned last is the newest.
    let registry = registry(&[node(2), node(1)]);
    let request = Request::Update(record());
    let mut half = ClientRequest::start(request, &registry, &mut effects).unwrap();
    let say = |half: &mut ClientRequest, port, message, effects: &mut Vec<_>| {
        half.handle(Event::Message(node(port), &hex(message)), effects);
    };
    for (port, message) in [(1, "fd"), (1, "07"), (2, "fd"), (2, VALUE)] {
        say(&mut half, port, message, &mut effects);
    }
    effects.clear();
    half.decide(Decision::Replace("v".into()), &mut effects);
    let opening = sends(&effects);
    let mut monitor = Monitor::covering();
    assert_eq!(monitor.sent(ID, &opening[0]), Ok(()));
    for message in of_nodes() {
        let (mut half, mut monitor) = (half.clone(), monitor.clone());
        let mut told = Vec::new();
        say(&mut half, 1, "fd", &mut told);
        assert_eq!(monitor.received(ID, &hex("fd")), Ok(()));
        say(&mut half, 1, message, &mut told);
        say(&mut half, 2, "06", &mut told);
        let judged = monitor.received(ID, &hex(message));
        assert_eq!(judged.is_err(), accuses(&told), "{message}");
    }
}

/// Where a GetAll goes on after a reconnection depends on what came before, on a connection that the monitor
/// has not heard.
#[test]
fn a_get_all_may_go_on_where_an_earlier_connection_ended() {
    for keys_only in [false, true] {
        for suspended in [false, true] {
            let settings = get_all::Settings {
                keys_only,
                value_filter: "f".into(),
            };
            let (mut half, _) = asked(Request::GetAll("c".into(), settings), false);
            let batch = if keys_only { BATCHES[0] } else { BATCHES[1] };
            let mut effects = Vec::new();
            for message in ["fd", "05", batch] {
                half.handle(Event::Message(node(1), &hex(message)), &mut effects);
            }
            half.handle(Event::Disconnected(node(1)), &mut effects);
            if suspended {
                half.control(Control::Suspend, &mut effects).unwrap();
            }
            effects.clear();
            half.handle(Event::Connected(node(1)), &mut effects);
            let [opening] = sends(&effects).try_into().unwrap();
            assert_ne!(opening, asked_again(keys_only, suspended), "it goes on");
            let mut transitions = BTreeSet::new();
            assert!(explore(half, &opening, &mut transitions) > 10);
        }
    }
}

fn asked_again(keys_only: bool, suspended: bool) -> Vec<u8> {
    let settings = get_all::Settings {
        keys_only,
        value_filter: "f".into(),
    };
    asked(Request::GetAll("c".into(), settings), suspended).1
}

/// The messages of requests: who sent them, their ids and their payloads.
fn messages(recording: &Path) -> Vec<(Side, u64, Vec<u8>)> {
    let text = fs::read_to_string(recording).unwrap();
    let lines = text.lines().skip(1).map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            line["from"] == "client",
            line["kind"].clone(),
            line["hex"].clone(),
        )
    });
    lines
        .filter(|(_, kind, _)| kind == "request")
        .map(|(of_client, _, bytes)| {
            let bytes = hex(bytes.as_str().unwrap());
            let (id, payload) = bytes[HEADER_LEN..].split_first_chunk::<ID_LEN>().unwrap();
            let side = if of_client { Side::Client } else { Side::Node };
            (side, u64::from_le_bytes(*id), payload.to_vec())
        })
        .collect()
}

#[test]
fn what_the_original_programs_said_is_legal() {
    let mut transitions = BTreeSet::<Transition>::new();
    let recordings = recordings();
    assert!(recordings.len() >= 26, "{} recordings", recordings.len());
    for recording in &recordings {
        let mut monitor = Monitor::covering();
        for (index, (side, id, payload)) in messages(recording).iter().enumerate() {
            let judged = match side {
                Side::Client => monitor.sent(*id, payload),
                Side::Node => monitor.received(*id, payload),
            };
            if let Err(breach) = judged {
                // Of other recordings the beginning may have been left out; not of ours.
                if breach.what == Wrong::NothingOpen && !recording.starts_with(VECTORS) {
                    continue;
                }
                panic!("{}, request message {index}: {breach}", recording.display());
            }
        }
        transitions.extend(&monitor.coverage().unwrap().transitions);
    }
    let requests: BTreeSet<_> = transitions.iter().map(|it| it.request).collect();
    assert_eq!(requests.len(), RequestCode::ALL.len());
    assert!(transitions.len() > 30, "{} transitions", transitions.len());
}

proptest! {
    #[test]
    fn nothing_that_is_heard_makes_it_panic_or_grow(
        said in prop::collection::vec(
            (
                any::<bool>(),
                0..6u64,
                prop_oneof![
                    4 => select(of_nodes()).prop_map(hex),
                    4 => select(OF_CLIENTS).prop_map(hex),
                    1 => prop::collection::vec(any::<u8>(), 0..40),
                ],
            ),
            0..60,
        )
    ) {
        let mut monitor = Monitor::covering();
        let mut broken = BTreeSet::new();
        for (of_client, id, payload) in said {
            let judged = match of_client {
                true => monitor.sent(id, &payload),
                false => monitor.received(id, &payload),
            };
            if let Err(breach) = judged {
                prop_assert!(!breach.to_string().is_empty() && !breach.rule.is_empty());
                prop_assert!(broken.insert(id), "a second breach of request {id}");
            }
            prop_assert!(monitor.active() <= 5);
        }
    }
}
