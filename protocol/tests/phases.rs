//! Where a client's half says that it stands, message by message. The wire monitor counts transitions by
//! these names, and reports and models show them: they stay the same.

mod support;

use dht_protocol::HashRange;
use dht_protocol::neo::client::{ClientRequest, Event, Request};
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{RecordName, get_hash_range, put};
use support::{hex, node};

/// What happens to a request.
enum Step {
    /// The connection to the node is up.
    Up,
    /// The node says this.
    Hears(&'static str),
    /// The older node says this.
    HearsOlder(&'static str),
    Wants(Control),
    Decides(Decision),
    Abandoned,
}

use Step::{Abandoned, Decides, Hears, HearsOlder, Up, Wants};

const RECORD: &str = "05 0100000000000000 76";

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: 1.into(),
    }
}

/// Takes every step and compares where the request then stands on the newer of two nodes.
fn walk(request: Request, first: &str, steps: Vec<(Step, &str)>) {
    let (newer, older) = (node(1), node(2));
    let mut registry = Registry::default();
    registry.learn(older, HashRange::FULL);
    registry.learn(newer, HashRange::FULL);
    let text = format!("{request:?}");
    let mut effects = Vec::new();
    let mut half = ClientRequest::start(request, &registry, &mut effects).unwrap();
    assert_eq!(half.phase(newer), first, "{text}");
    for (place, (step, phase)) in steps.into_iter().enumerate() {
        match step {
            Up => half.handle(Event::Connected(newer), &mut effects),
            Hears(bytes) => half.handle(Event::Message(newer, &hex(bytes)), &mut effects),
            HearsOlder(bytes) => half.handle(Event::Message(older, &hex(bytes)), &mut effects),
            Wants(control) => half.control(control, &mut effects).unwrap(),
            Decides(decision) => half.decide(decision, &mut effects),
            Abandoned => half.handle(Event::Abandoned, &mut effects),
        }
        assert_eq!(half.phase(newer), phase, "{text}, step {place}");
    }
}

#[test]
fn requests_for_one_record() {
    let put = put::Open {
        record: record(),
        value: "v".into(),
    };
    walk(
        Request::Put(put),
        "AwaitSupported",
        vec![(Hears("fd"), "AwaitAnswer"), (Hears("01"), "Ended")],
    );
    walk(
        Request::Get(record()),
        "AwaitSupported",
        vec![
            (Hears("fd"), "AwaitAnswer"),
            (Hears("02"), "AwaitValue"),
            (Hears("0100000000000000 76"), "Ended"),
        ],
    );
    walk(
        Request::Exists(record()),
        "AwaitSupported",
        vec![
            (Hears("fd"), "AwaitAnswer"),
            (Hears("02"), "AwaitOther"),
            (HearsOlder("fd"), "AwaitOther"),
            (HearsOlder("01"), "Ended"),
        ],
    );
    walk(
        Request::Remove(record()),
        "AwaitOther",
        vec![
            (HearsOlder("fd"), "AwaitOther"),
            (HearsOlder("01"), "AwaitSupported"),
            (Hears("fd"), "AwaitAnswer"),
            (Hears("01"), "Ended"),
        ],
    );
}

#[test]
fn updates() {
    walk(
        Request::Update(record()),
        "AwaitSupported",
        vec![
            (Hears("fd"), "AwaitRecord"),
            (Hears(RECORD), "Deciding"),
            (Decides(Decision::Leave), "AwaitEnd"),
            (Hears("06"), "Ended"),
        ],
    );
    walk(
        Request::Update(record()),
        "AwaitSupported",
        vec![
            (Hears("fd"), "AwaitRecord"),
            (Hears("07"), "AwaitSupported"),
            (HearsOlder("fd"), "AwaitRecord"),
            (HearsOlder(RECORD), "Deciding"),
            (
                Decides(Decision::Replace("w".into())),
                "MovingAwaitSupported",
            ),
            (Hears("fd"), "Moving"),
            (Hears("06"), "AwaitEnd"),
            (HearsOlder("06"), "Ended"),
        ],
    );
    walk(
        Request::Update(record()),
        "AwaitSupported",
        vec![(Abandoned, "Abandoned"), (Hears("ff"), "Ended")],
    );
}

#[test]
fn requests_that_are_controlled() {
    let channel = || "c".into();
    for request in [
        Request::GetAll(channel(), Default::default()),
        Request::Mirror(channel(), Default::default()),
    ] {
        walk(
            request,
            "AwaitConnection",
            vec![
                (Up, "AwaitSupported"),
                (Hears("fd"), "AwaitStarted"),
                (Hears("05"), "Running"),
                (Wants(Control::Suspend), "AwaitAckOfSuspend"),
                (Hears("04"), "Suspended"),
                (Wants(Control::Resume), "AwaitAckOfResume"),
                (Hears("04"), "Running"),
                (Wants(Control::Stop), "AwaitAckOfStop"),
                (Hears("04"), "Ended"),
            ],
        );
    }
}

#[test]
fn requests_on_all_nodes() {
    for request in [Request::GetChannels, Request::RemoveChannel("c".into())] {
        let end = match request {
            Request::GetChannels => "03",
            _ => "01",
        };
        walk(
            request,
            "AwaitConnection",
            vec![
                (Up, "AwaitSupported"),
                (Hears("fd"), "Running"),
                (Hears(end), "Ended"),
            ],
        );
    }
    let (mut ranges, mut effects) = (Gathering::new(get_hash_range::Client), Vec::new());
    assert_eq!(ranges.phase(node(1)), "AwaitConnection");
    ranges.connected(node(1), &mut effects);
    for (message, phase) in [
        ("fd", "AwaitRange"),
        ("0000000000000000 ffffffffffffffff", "AwaitUpdate"),
        ("02 0000000000000000 0100000000000000", "AwaitUpdate"),
    ] {
        ranges.receive(node(1), &hex(message), &mut effects);
        assert_eq!(ranges.phase(node(1)), phase, "{message}");
    }
}
