//! What every request begins with, and what only some can be told.

use super::*;
use crate::key::{HashRange, Key};
use crate::neo::request::{Failure, RecordName};
use crate::testing::node;
use crate::testing::talk::{sent, told};

type Effects = Vec<Effect<Told>>;

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(1),
    }
}

fn put(len: usize) -> Request {
    let (record, value) = (record(), vec![7; len].into());
    Request::Put(put::Open { record, value })
}

fn for_one_record() -> Vec<Request> {
    vec![
        put(1),
        Request::Get(record()),
        Request::Exists(record()),
        Request::Remove(record()),
        Request::Update(record()),
    ]
}

fn for_all_nodes() -> Vec<Request> {
    let channel = crate::ChannelName::from("c");
    vec![
        Request::GetAll(channel.clone(), get_all::Settings::default()),
        Request::Mirror(channel.clone(), mirror::Settings::default()),
        Request::GetChannels,
        Request::RemoveChannel(channel),
    ]
}

/// Starts a request that asks one of three nodes or all: 1 and 2 cover the record, 2 is the newer, and 3
/// has nothing.
fn start(request: Request) -> (ClientRequest, Effects) {
    let mut registry = Registry::default();
    registry.learn(node(1), HashRange::FULL);
    registry.learn(node(2), HashRange::FULL);
    registry.learn(node(3), HashRange::EMPTY);
    let mut effects = Vec::new();
    let started = ClientRequest::start(request, &registry, &mut effects);
    (started.unwrap(), effects)
}

#[test]
fn a_request_for_one_record_asks_its_first_node_at_once() {
    for request in for_one_record() {
        let first = match request {
            Request::Remove(_) => node(1),
            _ => node(2),
        };
        let (half, effects) = start(request);
        let asked: Vec<_> = sent(&effects).into_iter().map(|(node, _)| node).collect();
        assert_eq!(asked, [first], "{:?}", half.code());
        assert!(!half.is_over() && !half.runs_on_all_nodes());
    }
}

#[test]
fn a_request_for_all_nodes_waits_to_be_told_of_them() {
    for request in for_all_nodes() {
        let (mut half, mut effects) = start(request);
        assert_eq!(effects, []);
        assert!(half.runs_on_all_nodes() && !half.is_over());
        half.handle(Event::NodeAdded(node(3)), &mut effects);
        assert_eq!(effects, []);
        half.handle(Event::Connected(node(3)), &mut effects);
        assert_eq!(sent(&effects).len(), 1, "{:?}", half.code());
    }
}

#[test]
fn what_nobody_is_responsible_for_ends_at_once() {
    for request in for_one_record() {
        let mut effects = Vec::new();
        let half = ClientRequest::start(request, &Registry::default(), &mut effects);
        assert_eq!(half, None);
        let [Effect::Notify(told)] = &effects[..] else {
            panic!("{effects:?}");
        };
        let failure = match told {
            Told::Put(Err(failure))
            | Told::Get(Err(failure))
            | Told::Exists(Err(failure))
            | Told::Remove(Err(failure))
            | Told::Update(update::Notification::Ended(Err(failure))) => failure,
            _ => panic!("{told:?}"),
        };
        assert_eq!(*failure, Failure::NoNode);
    }
}

#[test]
fn a_value_that_is_too_big_is_sent_to_nobody() {
    let limit = put::MAX_VALUE;
    start(put(limit));
    let mut effects = Vec::new();
    let half = ClientRequest::start(put(limit + 1), &Registry::default(), &mut effects);
    assert_eq!(half, None);
    let len = limit + 1;
    let failure = Failure::ValueTooBig { len, limit };
    assert_eq!(effects, [Effect::Notify(Told::Put(Err(failure)))]);
}

#[test]
fn only_what_streams_can_be_controlled_and_paced() {
    for request in for_one_record().into_iter().chain(for_all_nodes()) {
        let streams = matches!(request, Request::GetAll(..) | Request::Mirror(..));
        let (mut half, mut effects) = start(request);
        half.handle(Event::Connected(node(2)), &mut effects);
        half.pace(Backlog::High, vec![node(2)], &mut effects);
        effects.clear();
        half.handle(Event::Message(node(2), &[0xfd]), &mut effects);
        half.handle(Event::Message(node(2), &[5]), &mut effects);
        let suspended = sent(&effects) == [(node(2), vec![1])];
        assert_eq!(suspended, streams, "{:?}", half.code());

        effects.clear();
        let accepted = half.control(Control::Suspend, &mut effects);
        half.handle(Event::Message(node(2), &[4]), &mut effects);
        match half.code() {
            RequestCode::GetAll => {
                assert_eq!(
                    told(&effects),
                    [Told::GetAll(stream::Notification::Suspended)]
                );
            }
            RequestCode::Mirror => {
                assert_eq!(
                    told(&effects),
                    [Told::Mirror(stream::Notification::Suspended)]
                );
            }
            _ => assert_eq!(accepted, Err(ControlError::Ended)),
        }
    }
}
