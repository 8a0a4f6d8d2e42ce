//! Dumps, and what becomes of them when records change meanwhile.

use super::*;

#[test]
fn a_dump_holds_every_record() {
    let mut half = started(Memory::with("c", [(1, "one"), (2, "")]), WITH_DUMP);
    assert_eq!(half.outline(), ["dump 1=one 2="]);
    let mut half = started(Memory::default(), WITH_DUMP);
    assert_eq!(half.outline(), [""; 0], "an empty dump is not sent");
}

#[test]
fn batches_are_sent_as_soon_as_they_are_full() {
    let mut memory = Memory::default();
    for key in 0..4 {
        memory.store("c", key, vec![b'x'; 40_000]);
    }
    memory.store("c", 4, vec![b'x'; 65_520]);
    memory.store("c", 5, vec![b'x'; 65_521]);
    memory.events.clear();
    let mut half = started(memory, WITH_DUMP);
    let sizes: Vec<_> = half
        .say()
        .iter()
        .map(|message| match FromNode::decode(message).unwrap() {
            FromNode::RecordRefreshBatch(block) => batch::decode_refresh(&block).unwrap().len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sizes, [2, 2, 1], "the last record fits no batch");
}

#[test]
fn changes_and_a_dump_take_turns() {
    let mut memory = Memory::default();
    for key in 0..3 {
        memory.store("c", key, vec![b'x'; 65_520]);
    }
    memory.events.clear();
    let mut half = started(memory, WITH_DUMP);
    for key in 7..10 {
        half.put(key, "new");
    }
    let said = half.outline();
    let said: Vec<_> = said.iter().map(|line| line.trim_end_matches('x')).collect();
    assert_eq!(
        said,
        [
            "7=new",
            "dump 0=",
            "8=new",
            "dump 1=",
            "9=new",
            "dump 2=",
            "dump 7=new 8=new 9=new"
        ]
    );
}

#[test]
fn start_suspended_holds_the_dump_back() {
    let mut half = started(
        Memory::with("c", [(1, "one")]),
        "04 00 01 0100000000000000 63 01 00000000",
    );
    assert_eq!(half.outline(), [""; 0]);
    half.receive("02").unwrap();
    assert_eq!(half.outline(), ["Ack", "dump 1=one"]);
}

#[test]
fn the_period_is_what_the_client_asked_for() {
    let half = Half::<Node>::open(Memory::default(), MIRROR);
    assert_eq!(half.node.period(), None);
    let periodic = "04 00 00 0100000000000000 63 00 68010000";
    let half = Half::<Node>::open(Memory::default(), periodic);
    assert_eq!(half.node.period(), Some(Duration::from_secs(360)));
}

#[test]
fn every_period_gives_a_dump() {
    let mut half = started(Memory::with("c", [(1, "one")]), MIRROR);
    assert_eq!(half.outline(), [""; 0]);
    for _ in 0..3 {
        half.node.tick();
        half.node.tick();
        assert_eq!(half.outline(), ["dump 1=one"], "P62");
    }
}

#[test]
fn a_suspension_ends_neither_changes_nor_dumps() {
    for tick_first in [true, false] {
        let mut half = started(Memory::with("c", [(1, "one")]), MIRROR);
        half.receive("01").unwrap();
        assert_eq!(half.outline(), ["Ack"]);
        if tick_first {
            half.node.tick();
        }
        half.put(2, "two");
        half.node.tick();
        assert_eq!(half.outline(), [""; 0]);
        half.receive("02").unwrap();
        assert_eq!(
            half.outline(),
            ["Ack", "2=two", "dump 1=one 2=two"],
            "one dump, however many periods went by"
        );
        half.put(1, "new");
        half.node.tick();
        assert_eq!(half.outline(), ["1=new", "dump 1=new 2=two"], "F02");
    }
}

#[test]
fn a_change_of_a_record_that_waits_in_a_batch_sends_the_batch_first() {
    for removed in [false, true] {
        let records = (0..1000).map(|key| (key, "old"));
        let mut half = started(Memory::with("c", records), WITH_DUMP);
        let mut out = Vec::new();
        let progress = half.node.poll(&mut half.memory, &mut out);
        assert_eq!(
            progress,
            Progress::Yielded,
            "records were read, none was sent"
        );
        match removed {
            true => half.erase(0),
            false => half.put(0, "new"),
        }
        let said = half.outline();
        assert!(said[0].starts_with("dump 0=old"), "{}", said[0]);
        let expected = if removed { "0 deleted" } else { "0=new" };
        assert_eq!(said[1], expected, "P55, P56, F05");
        assert!(!said[2..].iter().any(|line| line.contains(" 0=")));
    }
}

/// What happens between two turns of the node.
#[derive(Clone, Debug)]
enum Step {
    Put(u64),
    Erase(u64),
    Tick,
    Control(bool),
    Turn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..700u64).prop_map(Step::Put),
        3 => (0..700u64).prop_map(Step::Erase),
        1 => Just(Step::Tick),
        1 => any::<bool>().prop_map(Step::Control),
        6 => Just(Step::Turn),
    ]
}

/// A client's copy of the channel; every value tells its version.
#[derive(Default)]
struct Replica {
    records: BTreeMap<Key, u64>,
    newest: BTreeMap<Key, u64>,
}

impl Replica {
    fn receive(&mut self, message: &[u8]) {
        let records = match FromNode::decode(message).unwrap() {
            FromNode::RecordChanged(key, value) => vec![(key, value)],
            FromNode::RecordRefreshBatch(block) => batch::decode_refresh(&block).unwrap(),
            FromNode::RecordDeleted(key) => {
                self.records.remove(&key);
                return;
            }
            FromNode::Ack | FromNode::Started => return,
            other => panic!("{other:?}"),
        };
        for (key, value) in records {
            let version = u64::from_le_bytes(value[..].try_into().unwrap());
            let newest = self.newest.entry(key).or_default();
            assert!(*newest <= version, "{key}: an older value came later (P55)");
            *newest = version;
            self.records.insert(key, version);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replica_converges(steps in prop::collection::vec(step(), 0..120)) {
        let mut half = Half::<Node>::open(Memory::default(), WITH_DUMP);
        let mut version = 0_u64;
        let mut put = |half: &mut Half<Node>, key| {
            version += 1;
            half.memory.store("c", key, version.to_le_bytes());
        };
        for key in 0..600 {
            put(&mut half, key);
        }
        half.memory.events.clear();
        let mut replica = Replica::default();
        for step in steps {
            match step {
                Step::Put(key) => put(&mut half, key),
                Step::Erase(key) => half.memory.erase("c", key),
                Step::Tick => half.node.tick(),
                Step::Control(suspend) => {
                    half.receive(if suspend { "01" } else { "02" }).unwrap();
                }
                Step::Turn => {
                    let mut out = Vec::new();
                    if half.node.poll(&mut half.memory, &mut out) == Progress::Sent {
                        replica.receive(&out);
                    }
                }
            }
            half.follow();
        }
        half.receive("02").unwrap();
        for message in half.say() {
            replica.receive(&message);
        }
        let copy: BTreeMap<_, _> = replica
            .records
            .into_iter()
            .map(|(key, version)| (key, Bytes::copy_from_slice(&version.to_le_bytes())))
            .collect();
        prop_assert_eq!(copy, half.memory.records("c"), "P54, P57");
    }
}
