//! How much a node does for one GetAll before it lets others work.

use super::*;

const MIB: usize = 1024 * 1024;

/// After as many small records the node hurries.
fn slow_start() -> Memory {
    let mut memory = Memory::default();
    for key in 0..u64::from(SLOW_RECORDS) {
        memory.store("c", key, "small");
    }
    memory
}

/// How many turns are taken before the first batch by a GetAll that no record matches, those of a slow
/// start aside.
fn turns(memory: Memory) -> usize {
    let mut open = open_all();
    open.settings.value_filter = "nowhere".into();
    let mut half = run(memory, &open);
    assert_eq!(outline(&[half.next().unwrap()]), ["Started"]);
    let mut out = Vec::new();
    let mut yields = || half.node.poll(&mut half.memory, &mut out) == Progress::Yielded;
    let turns = (0..10_000).take_while(|_| yields()).count();
    turns - usize::from(SLOW_RECORDS)
}

#[test]
fn the_first_records_are_taken_one_a_turn() {
    assert_eq!(turns(slow_start()), 1, "in the last one no record is found");
}

#[test]
fn then_a_turn_takes_many_records() {
    let mut memory = slow_start();
    for key in 0..2 * RECORDS_A_TURN as u64 {
        memory.store("c", 10_000 + key, "small");
    }
    assert_eq!(turns(memory), 2 + 1);
}

#[test]
fn but_only_a_few_large_ones() {
    let mut memory = slow_start();
    for key in 0..12 {
        memory.store("c", 10_000 + key, vec![0; MIB]);
    }
    assert_eq!(
        turns(memory),
        3,
        "5 and 5, which are more than 4 MiB, and 2"
    );
}
