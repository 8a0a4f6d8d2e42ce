//! Mirrors on a connection: whom they follow, and when their dumps are due.

use super::*;

const EVERY_SECOND: &str = "04 00 00 0100000000000000 63 00 01000000";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_first_and_the_last_on_a_channel_are_announced() {
    let mut wire = Wire::open(Memory::default());
    let channel = wire.memory.create("c");
    wire.ask(&[(1, MIRROR)]);
    wire.ask(&[(2, MIRROR)]);
    assert_eq!(wire.node.take_follows(), [Follow::Begin(channel)]);
    assert_eq!(wire.node.mirrors(channel), 2);
    wire.ask(&[(1, "03")]);
    assert_eq!(
        (wire.node.take_follows(), wire.node.mirrors(channel)),
        (vec![], 1)
    );
    wire.ask(&[(2, "03")]);
    assert_eq!(wire.node.take_follows(), [Follow::End(channel)]);
    assert_eq!(wire.node.mirrors(channel), 0);
}

#[test]
fn every_mirror_of_the_channel_hears_of_a_change() {
    let mut wire = Wire::open(Memory::default());
    wire.ask(&[
        (1, MIRROR),
        (2, MIRROR),
        (3, "04 00 00 0100000000000000 64 00 00000000"),
    ]);
    let said = wire.ask(&[(4, PUT)]);
    let changed = hex("07 0100000000000000 0100000000000000 76");
    for id in [1, 2] {
        assert!(said.contains(&(id, changed.clone())), "{said:?}");
    }
    assert!(!said.contains(&(3, changed)), "another channel");
    let said = wire.ask(&[(5, "09 00 0100000000000000 63")]);
    assert!(said.contains(&(1, vec![10])) && said.contains(&(2, vec![10])));
}

#[test]
fn a_mirror_of_a_removed_channel_hears_nothing_of_the_next_one() {
    let mut wire = Wire::open(Memory::default());
    wire.ask(&[(1, MIRROR)]);
    wire.ask(&[(2, "09 00 0100000000000000 63")]);
    let said = wire.ask(&[(3, PUT)]);
    assert!(said.iter().all(|(id, _)| *id == 3), "F04: {said:?}");
    wire.ask(&[(1, "04")]);
    assert_eq!(wire.node.active_requests(), 0);
}

#[test]
fn dumps_come_once_a_period() {
    let mut wire = Wire::open(filled(1, 1));
    assert_eq!(wire.node.next_tick(), None);
    wire.now.elapsed = seconds(10);
    wire.ask(&[(1, EVERY_SECOND)]);
    assert_eq!(wire.node.next_tick(), Some(seconds(11)));
    assert_eq!(wire.take_all(), [], "the first after one period");
    for second in 11..14 {
        wire.now.elapsed = seconds(second) - Duration::from_nanos(1);
        assert_eq!(wire.take_all(), []);
        wire.now.elapsed = seconds(second);
        let said = wire.take_all();
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(wire.node.next_tick(), Some(seconds(second + 1)));
    }
}

#[test]
fn periods_that_were_missed_are_not_made_up_for() {
    let mut wire = Wire::open(filled(1, 1));
    wire.ask(&[(1, EVERY_SECOND)]);
    wire.now.elapsed = seconds(1000);
    assert_eq!(wire.take_all().len(), 1);
    assert!(wire.node.next_tick() > Some(wire.now.elapsed));
}

#[test]
fn what_has_ended_has_no_period() {
    let mut wire = Wire::open(filled(1, 1));
    wire.ask(&[
        (1, EVERY_SECOND),
        (2, "04 00 00 0100000000000000 63 00 05000000"),
    ]);
    wire.ask(&[(1, "03")]);
    assert_eq!(wire.node.next_tick(), Some(seconds(5)));
    wire.ask(&[(2, "03")]);
    assert_eq!(wire.node.next_tick(), None);
}

#[test]
fn a_new_range_reaches_those_who_asked() {
    let mut wire = Wire::open(Memory::default());
    wire.ask(&[(1, HASH_RANGE), (2, MIRROR)]);
    wire.node
        .range_updated(Update::ChangeHashRange(crate::HashRange::EMPTY));
    let said = wire.take_all();
    let update = hex("02 ffffffffffffffff 0000000000000000");
    assert_eq!(said, [(1, update)], "P67");
}
