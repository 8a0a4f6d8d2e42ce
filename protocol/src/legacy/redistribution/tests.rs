//! A node that gives records away, and nodes that take them, without sockets.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::legacy::{Event, NodeConnection, Redistribute, Target};
use crate::testing::legacy::said;
use crate::testing::{Memory, noise};

/// More steps than anything here takes.
const MAX_STEPS: usize = 100_000;

/// The lower half: even keys. The node keeps it.
fn low() -> HashRange {
    HashRange::new(0, u64::MAX / 2).unwrap()
}

fn high() -> HashRange {
    HashRange::new(1 << 63, u64::MAX).unwrap()
}

fn quarter(number: u64) -> HashRange {
    let min = number << 62;
    HashRange::new(min, min + (u64::MAX >> 2)).unwrap()
}

/// A node that takes records.
struct Other {
    memory: Memory,
    /// Does it accept connections?
    listens: bool,
    link: Option<(Link, NodeConnection)>,
}

struct World {
    source: Memory,
    moving: Redistribution,
    others: Vec<Other>,
    /// How long each connection was to wait.
    dials: Vec<Duration>,
    switches: usize,
}

impl World {
    /// `ranges` are taken by one node each.
    fn new(source: Memory, range: HashRange, ranges: &[HashRange]) -> Self {
        let nodes = ranges.iter().enumerate().map(|(index, range)| Target {
            address: "127.0.0.1".into(),
            port: 1 + index as u16,
            range: *range,
        });
        let order = Redistribute {
            min: range.min(),
            max: range.max(),
            nodes: nodes.collect(),
        };
        let plan = Plan::new(&order).unwrap();
        let others = plan.places().iter().map(|place| Other {
            memory: Memory::covering(place.range),
            listens: true,
            link: None,
        });
        Self {
            others: others.collect(),
            moving: Redistribution::new(plan, &source),
            source,
            dials: Vec::new(),
            switches: 0,
        }
    }

    fn halves(source: Memory) -> Self {
        Self::new(source, low(), &[high()])
    }

    fn put(&mut self, channel: &str, key: u64, value: impl AsRef<[u8]>) {
        let id = self.source.create(channel);
        self.moving.opened(id, &channel.into());
        self.source.store(channel, key, value);
        self.moving.changed(id, Key(key));
    }

    fn remove(&mut self, channel: &str, key: u64) {
        if let Some(id) = self.source.find_channel(&channel.into())
            && self.source.remove(id, Key(key)).unwrap()
        {
            self.moving.changed(id, Key(key));
        }
    }

    fn remove_channel(&mut self, channel: &str) {
        if let Some(id) = self.source.find_channel(&channel.into()) {
            self.moving.removing(id, &self.source);
        }
        self.source.remove_channel(&channel.into()).unwrap();
    }

    /// Does one thing of each kind. Says what the work has come to.
    fn step(&mut self) -> Work {
        let had_work = self.moving.has_work();
        let work = self.moving.work(&mut self.source);
        assert!(had_work || matches!(work, Work::Wait | Work::Over));
        assert!(work != Work::Wait || !self.moving.has_work());
        if work == Work::Switch {
            self.switches += 1;
            self.source.range = self.moving.plan().range();
        }
        let has_dial = self.moving.has_dial();
        let dial = self.moving.next_dial();
        assert_eq!(dial.is_some(), has_dial);
        if let Some(dial) = dial {
            self.dials.push(dial.after);
            let other = &mut self.others[dial.target];
            match other.listens {
                true => other.link = Some((Link::default(), NodeConnection::default())),
                false => self.moving.lost(dial.target),
            }
        }
        for target in 0..self.others.len() {
            self.carry(target);
        }
        work
    }

    /// Carries one order to a node, and its answer back.
    fn carry(&mut self, target: usize) {
        let Other { memory, link, .. } = &mut self.others[target];
        let Some((link, connection)) = link else {
            return;
        };
        let has_order = self.moving.has_order(target);
        let order = self.moving.next_order(target);
        assert_eq!(order.is_some(), has_order);
        if let Some(order) = order {
            link.send(&order);
        }
        connection.feed(&std::mem::take(link.output()));
        link.feed(&said(connection, memory).unwrap());
        while let Some(event) = link.receive().unwrap() {
            let Event::Answered(answer) = event else {
                panic!("{event:?}");
            };
            if self.moving.answered(target, answer.status()).is_err() {
                self.others[target].link = None;
                return;
            }
        }
    }

    fn cut(&mut self, target: usize) {
        if self.others[target].link.take().is_some() {
            self.moving.lost(target);
        }
    }

    fn finish(&mut self) {
        for _ in 0..MAX_STEPS {
            if self.step() == Work::Over {
                assert!(!self.moving.has_work());
                return;
            }
        }
        panic!("it does not end");
    }

    fn taken(&self, key: u64) -> Option<Bytes> {
        self.others[0].memory.value("c", key)
    }
}

#[test]
fn everything_moves_and_nobody_is_told_that_it_was_removed() {
    let mut source = Memory::default();
    for key in 0..10_000 {
        source.store("c", key, key.to_string());
    }
    source.store("d", 1, "one");
    source.events.clear();
    let mut world = World::halves(source);
    while world.switches == 0 {
        // Until the range changes everything is still here.
        assert_eq!(world.source.range, HashRange::FULL);
        assert_eq!(world.source.records("c").len(), 10_000);
        world.step();
    }
    world.finish();
    assert_eq!(world.source.range, low());
    assert_eq!(world.source.records("c").len(), 5000);
    assert_eq!(world.others[0].memory.records("c").len(), 5000);
    assert_eq!(world.others[0].memory.names(), ["c", "d"]);
    assert_eq!(world.taken(4711).as_deref(), Some(&b"4711"[..]));
    assert_eq!(world.dials, [Duration::ZERO], "one connection");
    assert!(world.source.events.is_empty() && world.others[0].memory.events.is_empty());
    let moved = (1..10_000).step_by(2).map(|key: u64| key.to_string().len());
    let bytes = moved.sum::<usize>() + "one".len();
    assert_eq!(world.moving.copied(), bytes as u64);
    assert_eq!(world.moving.stayed(), 0);
    assert_eq!(world.switches, 1);
}

#[test]
fn several_nodes_take_what_is_theirs_and_the_rest_stays() {
    let source = Memory::with("c", [(0, "0"), (1, "1"), (2, "2"), (3, "3")]);
    let mut world = World::new(source, quarter(0), &[quarter(3), quarter(1)]);
    world.finish();
    // 1 lies in the third quarter, which is nobody's.
    let keys: Vec<u64> = world.source.records("c").keys().map(|key| key.0).collect();
    assert_eq!(keys, [0, 1]);
    for other in &world.others {
        assert_eq!(other.memory.records("c").len(), 1);
        assert!(other.memory.records("c").keys().all(|key| key.0 > 1));
    }
}

#[test]
fn who_only_gets_more_is_done_at_once_and_asks_nobody() {
    let mut source = Memory::with("c", [(2, "two")]);
    source.range = low();
    let mut world = World::new(source, HashRange::FULL, &[]);
    assert_eq!(world.moving.range_for_now(low()), HashRange::FULL);
    world.finish();
    assert_eq!((world.switches, world.dials.len()), (0, 0));
    // Nothing goes there, so it does not matter that nobody is there.
    let mut world = World::halves(Memory::with("c", [(2, "two")]));
    world.others[0].listens = false;
    world.finish();
    assert_eq!((world.switches, world.dials.len()), (1, 0));
}

#[test]
fn keys_that_border_on_the_range_are_the_nodes_own_at_once() {
    let range = |min, max| HashRange::new(min, max).unwrap();
    for (before, after, now) in [
        (range(10, 19), range(12, 15), range(10, 19)),
        (range(10, 19), range(15, 29), range(10, 29)),
        (range(10, 19), range(0, 9), range(0, 19)),
        (range(10, 19), range(20, 29), range(10, 29)),
        (range(10, 19), range(21, 29), range(10, 19)),
        (HashRange::EMPTY, range(0, 9), range(0, 9)),
        (range(0, u64::MAX - 1), range(9, u64::MAX), HashRange::FULL),
    ] {
        let order = Redistribute {
            min: after.min(),
            max: after.max(),
            nodes: vec![],
        };
        let plan = Plan::new(&order).unwrap();
        let moving = Redistribution::new(plan, &Memory::covering(before));
        assert_eq!(moving.range_for_now(before), now, "{before} to {after}");
    }
}

#[test]
fn one_order_at_a_time_and_nothing_to_do_before_its_answer() {
    let World {
        mut source,
        mut moving,
        ..
    } = World::halves(Memory::with("c", [(1, "one")]));
    assert!(moving.has_work() && !moving.has_dial() && !moving.has_order(0));
    assert_eq!(moving.work(&mut source), Work::Wait);
    assert!(!moving.has_work() && moving.has_dial() && moving.has_order(0));
    assert!(!moving.has_order(1), "there is no such node");
    assert!(moving.next_dial().is_some() && moving.next_dial().is_none());
    assert!(moving.next_order(0).is_some() && moving.next_order(0).is_none());
    assert_eq!(moving.work(&mut source), Work::Wait);
    assert!(!moving.has_work() && !moving.has_dial() && !moving.has_order(0));
    assert_eq!(moving.answered(0, Status::Ok), Ok(()));
    assert_eq!(moving.copied(), 3);
    assert!(moving.has_work());
    assert_eq!(moving.work(&mut source), Work::Switch);
}

#[test]
fn what_the_nodes_owner_writes_after_the_change_stays() {
    let mut world = World::halves(Memory::with("c", [(1, "one"), (3, "three")]));
    while world.step() != Work::Switch {}
    world.put("c", 1, "uno");
    world.put("c", 5, "cinque");
    world.finish();
    let keys: Vec<u64> = world.source.records("c").keys().map(|key| key.0).collect();
    assert_eq!(keys, [1, 5]);
    assert_eq!(world.source.value("c", 1).as_deref(), Some(&b"uno"[..]));
    assert_eq!(world.taken(1).as_deref(), Some(&b"one"[..]));
    assert_eq!(world.moving.stayed(), 0);
}

#[test]
fn the_largest_value_fits_into_an_array_whatever_it_is() {
    let value = noise(LARGEST as usize);
    let block = crate::legacy::batch::alone(Key(1), &value);
    assert!(block.len() > value.len(), "noise cannot be compressed");
    assert!(block.len() as u64 <= MAX_ARRAY);
}

#[test]
fn what_cannot_be_moved_stays() {
    let mut source = Memory::with("c", [(1, ""), (3, "three")]);
    source.store("c.d", 5, "five");
    source.store("c", 7, vec![7; LARGEST as usize + 1]);
    source.store("c", 9, vec![9; 1_000_000]);
    let mut world = World::halves(source);
    world.step();
    // What has moved already goes back, so to speak.
    world.put("c", 3, "");
    world.finish();
    assert_eq!(world.moving.stayed(), 4);
    let keys: Vec<u64> = world.source.records("c").keys().map(|key| key.0).collect();
    assert_eq!(keys, [1, 3, 7]);
    assert_eq!(world.source.value("c.d", 5).as_deref(), Some(&b"five"[..]));
    let taken = world.others[0].memory.records("c");
    assert_eq!(taken.keys().collect::<Vec<_>>(), [&Key(9)]);
    assert_eq!(taken[&Key(9)], vec![9; 1_000_000]);
}

#[test]
fn a_record_too_large_for_a_batch_moves_alone() {
    let mut source = Memory::with("c", [(1, "one"), (5, "five"), (7, "seven")]);
    source.store("c", 3, vec![3; 100_000]);
    source.store("c", 9, vec![9; 100_000]);
    let before = source.records("c");
    let mut world = World::halves(source);
    world.finish();
    assert_eq!(world.others[0].memory.records("c"), before);
    assert!(world.source.records("c").is_empty());
}

#[test]
fn what_fails_is_tried_again_after_a_while() {
    let mut world = World::halves(Memory::with("c", [(1, "one"), (3, "three")]));
    world.others[0].listens = false;
    while world.dials.len() < 3 {
        world.step();
    }
    assert_eq!(world.dials, [Duration::ZERO, RETRY, RETRY]);
    // There, but without room; then not responsible.
    world.others[0].listens = true;
    world.others[0].memory.room = 3;
    while world.dials.len() < 6 {
        world.step();
    }
    assert_eq!(
        world.taken(1).as_deref(),
        Some(&b"one"[..]),
        "as far as it fits"
    );
    assert_eq!(world.taken(3), None);
    world.others[0].memory.room = u64::MAX;
    world.others[0].memory.range = low();
    while world.dials.len() < 9 {
        world.step();
    }
    assert_eq!(world.source.records("c").len(), 2);
    assert_eq!(world.switches, 0);
    world.others[0].memory.range = high();
    world.finish();
    assert_eq!(world.others[0].memory.records("c").len(), 2);
    assert_eq!(world.source.records("c").len(), 0);
}

#[test]
fn who_writes_all_the_time_waits_a_moment_in_the_end() {
    let mut source = Memory::default();
    for key in 0..100 {
        source.store("c", key, "v");
    }
    let mut world = World::halves(source);
    let mut refused = 0;
    for number in 0.. {
        assert!(number < MAX_STEPS, "it never ends");
        assert!(world.moving.is_writable(Key(2)), "this one stays");
        match world.moving.is_writable(Key(1)) {
            true if world.switches == 0 => world.put("c", 1, number.to_string()),
            true => {}
            false => refused += 1,
        }
        let written = world.source.value("c", 1);
        if world.step() == Work::Switch {
            assert_eq!(world.taken(1), written, "the last value has moved");
            break;
        }
    }
    assert!((1..10).contains(&refused), "refused {refused} times");
    // If the other node is gone meanwhile, writes do not wait for it.
    let mut world = World::halves(world.source);
    world.put("c", 1, "v");
    for number in 0..MAX_STEPS {
        world.put("c", 1, number.to_string());
        world.step();
        if !world.moving.is_writable(Key(1)) {
            break;
        }
    }
    assert!(!world.moving.is_writable(Key(1)));
    world.others[0].listens = false;
    world.cut(0);
    world.step();
    assert!(world.moving.is_writable(Key(1)));
}

#[test]
fn nobody_waits_for_many_records() {
    let mut source = Memory::default();
    for key in 0..4000 {
        source.store("c", key, [0; 100]);
    }
    let channel = source.find_channel(&"c".into()).unwrap();
    let mut world = World::halves(source);
    // All that moves changes all the time, and does not fit into one load.
    for _ in 0..2 * PATIENCE {
        for key in (1..4000).step_by(2) {
            world.moving.changed(channel, Key(key));
        }
        world.step();
        assert!(world.moving.is_writable(Key(1)));
    }
    // When that ends, a few loads later only the last are left.
    for _ in 0..4 {
        assert_ne!(world.step(), Work::Switch);
        if !world.moving.is_writable(Key(1)) {
            break;
        }
    }
    assert!(!world.moving.is_writable(Key(1)));
    assert!(world.moving.is_writable(Key(2)), "this one stays");
}

#[test]
fn nobody_waits_for_a_node_that_cannot_be_reached() {
    // Keys 1 and 3 belong to one node each.
    let source = Memory::with("c", [(1, "one"), (3, "three")]);
    let mut world = World::new(source, low(), &[quarter(2), quarter(3)]);
    world.others[1].listens = false;
    while world.dials.len() < 2 {
        world.step();
    }
    // One more attempt is made, and nobody knows yet what becomes of it.
    let dial = (0..10).find_map(|_| {
        world.moving.work(&mut world.source);
        world.moving.next_dial()
    });
    let dial = dial.unwrap();
    assert_eq!((dial.target, dial.after), (1, RETRY));
    for number in 0..2 * PATIENCE {
        world.put("c", 1, number.to_string());
        world.moving.work(&mut world.source);
        world.carry(0);
        assert!(world.moving.is_writable(Key(1)));
    }
    world.others[1].link = Some((Link::default(), NodeConnection::default()));
    world.carry(1);
    for number in 0..MAX_STEPS {
        world.put("c", 1, number.to_string());
        world.step();
        if !world.moving.is_writable(Key(1)) {
            break;
        }
    }
    assert!(!world.moving.is_writable(Key(1)));
}

#[test]
fn nobody_waits_for_what_is_copied_for_the_first_time() {
    const MANY: u32 = 2 * PATIENCE;
    let mut source = Memory::with("c", [(1, "one")]);
    for number in 0..MANY {
        // Keys that end in 3 belong to the other node; each record fills a load.
        source.store("c", u64::from(number) << 2 | 3, vec![0; 60_000]);
    }
    let mut world = World::new(source, low(), &[quarter(2), quarter(3)]);
    while world.others[1].memory.records("c").len() < MANY as usize {
        world.put("c", 1, "uno");
        world.step();
        let copied = world.others[1].memory.records("c").len() == MANY as usize;
        assert!(copied || world.moving.is_writable(Key(1)));
    }
}

#[test]
fn what_is_copied_for_the_first_time_makes_nobody_impatient() {
    let mut source = Memory::default();
    let keys = (1..=2 * u64::from(PATIENCE)).map(|number| 2 * number + 1);
    for key in keys.clone() {
        // Each fills a load.
        source.store("c", key, [0; 60_000]);
    }
    let mut world = World::halves(source);
    while world.others[0].memory.records("c").len() < keys.clone().count() {
        world.step();
    }
    for number in 0..PATIENCE / 2 {
        world.put("c", 1, number.to_string());
        world.step();
        assert!(world.moving.is_writable(Key(1)));
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Put(u8, u64, u8),
    Remove(u8, u64),
    RemoveChannel(u8),
    Step,
    Cut,
    Listens(bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..2_u8, 0..8_u64, 0..4_u8).prop_map(|(c, key, value)| Deed::Put(c, key, value)),
        2 => (0..2_u8, 0..8_u64).prop_map(|(c, key)| Deed::Remove(c, key)),
        1 => (0..2_u8).prop_map(Deed::RemoveChannel),
        8 => Just(Deed::Step),
        1 => Just(Deed::Cut),
        1 => any::<bool>().prop_map(Deed::Listens),
    ]
}

proptest! {
    /// Whatever is written and whatever fails: in the end each record is where it belongs, with its last
    /// value, and nowhere else.
    #[test]
    fn nothing_is_lost_and_nothing_comes_back(
        before in prop::collection::vec((0..2_u8, 0..8_u64, 0..4_u8), 0..10),
        deeds in prop::collection::vec(deed(), 0..60),
    ) {
        let channels = ["c", "d"];
        // Value 0 is the empty one, which does not move.
        let value = |value: u8| vec![value; usize::from(value)];
        let mut records = BTreeMap::new();
        let mut source = Memory::default();
        for (channel, key, number) in before {
            source.store(channels[usize::from(channel)], key, value(number));
            records.insert((channel, key), number);
        }
        let mut world = World::halves(source);
        for deed in deeds {
            let writable = |key| low().covers(Key(key)) || world.switches == 0;
            match deed {
                Deed::Put(channel, key, number) if writable(key) => {
                    world.put(channels[usize::from(channel)], key, value(number));
                    records.insert((channel, key), number);
                }
                Deed::Remove(channel, key) if writable(key) => {
                    world.remove(channels[usize::from(channel)], key);
                    records.remove(&(channel, key));
                }
                Deed::RemoveChannel(channel) if world.switches == 0 => {
                    world.remove_channel(channels[usize::from(channel)]);
                    records.retain(|(of, _), _| *of != channel);
                }
                Deed::Step => _ = world.step(),
                Deed::Cut => world.cut(0),
                Deed::Listens(listens) => world.others[0].listens = listens,
                _ => {}
            }
        }
        world.others[0].listens = true;
        world.finish();
        for (channel, name) in (0_u8..).zip(channels) {
            for key in 0..8 {
                let number = records.get(&(channel, key)).copied();
                let moves = !low().covers(Key(key)) && number != Some(0);
                let expected = number.map(|number| Bytes::from(value(number)));
                let (here, there) = match moves {
                    true => (None, expected),
                    false => (expected, None),
                };
                prop_assert_eq!(world.source.value(name, key), here, "{} {} here", name, key);
                let taken = world.others[0].memory.value(name, key);
                prop_assert_eq!(taken, there, "{} {} there", name, key);
            }
        }
    }
}
