//! Client halves and nodes talk over bytes that arrive in pieces, while other requests run and
//! connections break: every request ends exactly once, nobody breaks the protocol, and what users are
//! told agrees with what the nodes held at the time.

mod drive;
mod listings;
mod records;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::control::Control;
use proptest::prelude::*;

use drive::Happening;
use tasks::{KEYS, Op};
use world::{NODES, World};

#[derive(Clone, Debug)]
enum Action {
    Start(Op),
    ReachNode(usize, usize),
    ReachClient(usize, usize),
    Want(usize, Control),
    TimeOut(usize),
    Connect(usize),
    Cut(usize, usize, usize),
    Wait,
}

fn channel() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("a"), 1 => Just("b")]
}

fn op() -> impl Strategy<Value = Op> {
    let record = || (channel(), 0..KEYS);
    prop_oneof![
        6 => (record(), prop_oneof![2 => Just(0), 1 => 1..60_000usize])
            .prop_map(|((channel, key), size)| Op::Put(channel, key, size)),
        3 => record().prop_map(|(channel, key)| Op::Get(channel, key)),
        1 => record().prop_map(|(channel, key)| Op::Exists(channel, key)),
        3 => record().prop_map(|(channel, key)| Op::Remove(channel, key)),
        3 => record().prop_map(|(channel, key)| Op::Replace(channel, key)),
        1 => record().prop_map(|(channel, key)| Op::Delete(channel, key)),
        1 => record().prop_map(|(channel, key)| Op::Leave(channel, key)),
        2 => channel().prop_map(Op::GetAll),
        1 => channel().prop_map(Op::GetKeys),
        2 => (channel(), 0..2u32).prop_map(|(channel, period)| Op::Mirror(channel, period)),
        1 => Just(Op::GetChannels),
        1 => channel().prop_map(Op::RemoveChannel),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let piece = || prop_oneof![1usize..40, 40usize..4000, Just(usize::MAX)];
    let node = || 0..NODES;
    let control = prop_oneof![
        3 => Just(Control::Suspend),
        3 => Just(Control::Resume),
        1 => Just(Control::Stop),
    ];
    prop_oneof![
        8 => op().prop_map(Action::Start),
        16 => (node(), piece()).prop_map(|(node, count)| Action::ReachNode(node, count)),
        16 => (node(), piece()).prop_map(|(node, count)| Action::ReachClient(node, count)),
        6 => (any::<usize>(), control).prop_map(|(which, control)| Action::Want(which, control)),
        2 => any::<usize>().prop_map(Action::TimeOut),
        4 => node().prop_map(Action::Connect),
        2 => (node(), piece(), piece())
            .prop_map(|(node, to_node, to_client)| Action::Cut(node, to_node, to_client)),
        1 => Just(Action::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_every_request_ends_once_and_tells_the_truth(
        overlapping: bool,
        actions in prop::collection::vec(action(), 1..250),
    ) {
        let mut world = World::new(overlapping);
        for action in actions {
            match action {
                Action::Start(op) if world.task_count() < 60 => world.start(op),
                Action::Start(_) => {}
                Action::ReachNode(index, count) => {
                    world.reach_node(index, count);
                }
                Action::ReachClient(index, count) => {
                    world.reach_client(index, count);
                }
                Action::Want(which, control) => world.want(which, Happening::Wanted(control)),
                Action::TimeOut(which) => world.want(which, Happening::TimedOut),
                Action::Connect(index) => world.connect(index),
                Action::Cut(index, to_node, to_client) => world.cut(index, to_node, to_client),
                Action::Wait => world.wait(Duration::from_secs(1)),
            }
        }
        world.end();
    }

    #[test]
    fn one_after_the_other_they_do_what_a_map_does(
        overlapping: bool,
        ops in prop::collection::vec((op(), 1usize..100), 1..60),
    ) {
        let mut world = World::new(overlapping);
        world.alone = true;
        let mut model = BTreeMap::<(&str, u64), Bytes>::new();
        let held = world.servers[0].memory.records("a").into_iter();
        model.extend(held.map(|(key, value)| (("a", key.0), value)));
        for (op, piece) in ops {
            if matches!(op, Op::Mirror(..)) {
                continue;
            }
            let which = world.task_count();
            world.start(op.clone());
            let mut moved = true;
            while moved {
                moved = false;
                for index in 0..NODES {
                    // A large value would take for ever in small pieces.
                    moved |= world.reach_node(index, piece * 100);
                    moved |= world.reach_client(index, piece * 100);
                }
                if !moved && !world.has_ended(which) {
                    world.want(which, Happening::Wanted(Control::Resume));
                    moved = true;
                }
            }
            match op {
                Op::Put(channel, key, _) | Op::Replace(channel, key) => {
                    let newest = world.covering(key).last().unwrap();
                    if matches!(op, Op::Put(..)) || model.contains_key(&(channel, key)) {
                        let stored = newest.value(channel, key).unwrap();
                        let number = format!("{}:", world.last_version());
                        prop_assert!(stored.starts_with(number.as_bytes()));
                        model.insert((channel, key), stored);
                    }
                }
                Op::Remove(channel, key) => {
                    model.remove(&(channel, key));
                }
                Op::Delete(channel, key) => {
                    // An older copy may have been behind the one that was deleted.
                    match world.covering(key).find_map(|node| node.value(channel, key)) {
                        Some(older) => model.insert((channel, key), older),
                        None => model.remove(&(channel, key)),
                    };
                }
                Op::RemoveChannel(channel) => model.retain(|(of, _), _| *of != channel),
                _ => {}
            }
            for channel in ["a", "b"] {
                let expected: BTreeMap<_, _> = model
                    .iter()
                    .filter(|((of, _), _)| *of == channel)
                    .map(|((_, key), value)| (Key(*key), value.clone()))
                    .collect();
                // A newer node's copy is the one that counts.
                let mut held = world.servers[0].memory.records(channel);
                held.extend(world.servers[1].memory.records(channel));
                prop_assert_eq!(held, expected);
            }
        }
        world.end();
    }
}
