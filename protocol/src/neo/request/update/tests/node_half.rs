//! The node's half.

use super::*;

/// The record was read, the decision is awaited.
fn deciding(value: &str) -> Half<Node> {
    let mut half = Half::<Node>::open(Memory::with("c", [(0, value)]), GET);
    assert!(FromNode::decode(&half.next().unwrap()).is_ok());
    assert!(!half.is_ended());
    half
}

fn decide(half: &mut Half<Node>, message: &str) -> Vec<Vec<u8>> {
    half.receive(message).unwrap();
    let said = half.say();
    assert!(half.is_ended());
    said
}

#[test]
fn reading() {
    let mut half = Half::<Node>::open(Memory::with("c", [(0, "oldval")]), GET);
    assert_eq!(half.say(), [hex(OLD)]);
    let mut memory = Memory::default();
    assert_eq!(said::<Node>(&mut memory, GET), [[7]]);
    assert_eq!(memory.names(), ["c"], "reading creates the channel");
    let mut memory = Memory::covering(HashRange::EMPTY);
    assert_eq!(said::<Node>(&mut memory, GET), [[9]]);
    assert_eq!(said::<Node>(&mut memory, SET), [[9]]);
    assert_eq!(memory.names(), [""; 0], "P12");
    assert_eq!(said::<Node>(&mut Memory::broken(), GET), [[10]]);
}

#[test]
fn writing_compares_the_value_of_that_moment() {
    let mut half = deciding("oldval");
    assert_eq!(decide(&mut half, WRITE), [[6]]);
    assert_eq!(half.memory.value("c", 0).unwrap(), "NEWVALUE");
    assert_eq!(half.memory.events.len(), 1, "followers are told");

    let mut half = deciding("oldval");
    half.memory.store("c", 0, "other");
    half.memory.events.clear();
    assert_eq!(decide(&mut half, WRITE), [[8]], "P70");
    assert_eq!(half.memory.value("c", 0).unwrap(), "other", "P71");
    assert_eq!(half.memory.events, []);

    let mut half = deciding("oldval");
    half.memory.erase("c", 0);
    assert_eq!(decide(&mut half, WRITE), [[6]], "recreated (F17)");
    assert_eq!(half.memory.value("c", 0).unwrap(), "NEWVALUE");
}

#[test]
fn of_two_that_read_the_same_only_one_writes() {
    let mut first = deciding("oldval");
    let mut second = Half {
        node: first.node.clone(),
        memory: Memory::default(),
    };
    assert_eq!(decide(&mut first, WRITE), [[6]]);
    std::mem::swap(&mut first.memory, &mut second.memory);
    assert_eq!(decide(&mut second, WRITE), [[8]], "P72");
}

#[test]
fn writing_at_once() {
    let mut memory = Memory::with("c", [(0, "oldval")]);
    assert_eq!(said::<Node>(&mut memory, SET), [[6]]);
    assert_eq!(said::<Node>(&mut memory, SET), [[8]], "NEWVALUE by now");
    let mut memory = Memory::default();
    assert_eq!(said::<Node>(&mut memory, SET), [[6]], "there was none");
    assert_eq!(memory.value("c", 0).unwrap(), "NEWVALUE");
    assert_eq!(said::<Node>(&mut Memory::broken(), SET), [[10]]);
}

#[test]
fn a_node_that_has_lost_the_key_meanwhile_does_not_write() {
    let mut half = deciding("oldval");
    half.memory.range = HashRange::EMPTY;
    assert_eq!(decide(&mut half, WRITE), [[9]], "P79, F16");
    assert_eq!(half.memory.value("c", 0).unwrap(), "oldval");
}

#[test]
fn removing_and_leaving() {
    let mut half = deciding("oldval");
    half.memory.store("c", 0, "whatever");
    assert_eq!(decide(&mut half, "03"), [[6]]);
    assert_eq!(half.memory.value("c", 0), None);
    let mut half = deciding("oldval");
    half.memory.erase("c", 0);
    assert_eq!(decide(&mut half, "03"), [[6]], "gone already");
    let mut half = deciding("oldval");
    assert_eq!(decide(&mut half, "04"), [[6]]);
    assert_eq!(half.memory.value("c", 0).unwrap(), "oldval", "P74");
    assert_eq!(half.memory.events, []);
    let mut half = deciding("oldval");
    half.memory.broken = true;
    assert_eq!(decide(&mut half, "03"), [[10]]);
}

#[test]
fn what_nobody_waits_for_is_a_violation() {
    for bad in ["0a 00", "0a 00 00", "0a 00 03", &GET[..GET.len() - 2]] {
        let mut memory = Memory::with("c", [(0, "oldval")]);
        assert!(open::<Node>(&mut memory, bad).is_err(), "{bad}");
    }
    for bad in [
        &format!("{GET} 00"),
        &format!("{SET} 00"),
        &SET[..SET.len() - 2],
    ] {
        let mut memory = Memory::with("c", [(0, "oldval")]);
        assert!(open::<Node>(&mut memory, bad).is_err(), "{bad}");
        assert_eq!(memory.value("c", 0).unwrap(), "oldval");
    }
    for bad in ["", "01", "05", "02", &format!("{WRITE} 00")] {
        let mut half = deciding("oldval");
        assert!(half.receive(bad).is_err(), "{bad}");
        assert_eq!(half.memory.value("c", 0).unwrap(), "oldval");
    }
    let mut early = Half::<Node>::open(Memory::with("c", [(0, "oldval")]), GET);
    assert!(early.receive("04").is_err(), "before the value was sent");
}
