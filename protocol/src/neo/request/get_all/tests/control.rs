//! Suspend, Resume and Stop at the node.

use super::*;

/// A GetAll over two batches: record 1 fills the first.
fn two_batches() -> Memory {
    let mut memory = Memory::with("c", [(2, "two"), (3, "three")]);
    memory.store("c", 1, vec![0; 65_512]);
    memory
}

#[test]
fn nothing_is_sent_before_resume() {
    let open = Open {
        start_suspended: true,
        ..open_all()
    };
    let mut half = run(two_batches(), &open);
    assert_eq!(outline(&half.say()), ["Started"]);
    half.receive("01").unwrap();
    assert_eq!(outline(&half.say()), ["Ack"], "suspended already");
    assert!(half.node.is_suspended());
    half.receive("02").unwrap();
    assert_eq!(
        outline(&half.say()),
        ["Ack", "batch 1", "batch 2 3", "Finished"]
    );
    assert!(!half.node.is_suspended());
}

#[test]
fn what_has_nothing_to_send_finishes_although_it_is_suspended() {
    let mut open = open_all();
    open.start_suspended = true;
    let mut half = run(Memory::default(), &open);
    assert_eq!(outline(&half.say()), ["Started", "batch", "Finished"]);
    open.settings.value_filter = "nowhere".into();
    let mut half = run(two_batches(), &open);
    assert_eq!(
        outline(&half.say()),
        ["Started", "batch", "Finished"],
        "F23"
    );
}

#[test]
fn a_suspension_in_the_middle_loses_and_repeats_nothing() {
    let mut half = run(two_batches(), &open_all());
    assert_eq!(outline(&[half.next().unwrap()]), ["Started"]);
    assert_eq!(outline(&[half.next().unwrap()]), ["batch 1"]);
    half.receive("01").unwrap();
    assert_eq!(outline(&half.say()), ["Ack"]);
    assert!(!half.is_ended());
    half.receive("02").unwrap();
    assert_eq!(outline(&half.say()), ["Ack", "batch 2 3", "Finished"]);
}

#[test]
fn every_control_message_gets_its_ack() {
    let mut half = run(two_batches(), &open_all());
    half.next();
    for message in ["02", "01", "01", "02", "01"] {
        half.receive(message).unwrap();
    }
    assert_eq!(half.say(), vec![vec![4]; 5], "P28, and suspended at last");
}

#[test]
fn nothing_follows_the_ack_for_stop() {
    for told_before in 0..3 {
        let mut half = run(two_batches(), &open_all());
        for _ in 0..told_before {
            half.next();
        }
        half.receive("03").unwrap();
        let said = half.say();
        let expected: &[&str] = match told_before {
            0 => &["Started", "Ack"],
            _ => &["Ack"],
        };
        assert_eq!(outline(&said), expected);
        assert!(half.is_ended(), "P29, P30, P34");
    }
}

#[test]
fn stop_overtakes_the_last_batch_and_finished() {
    let mut half = run(Memory::default(), &open_all());
    assert_eq!(outline(&[half.next().unwrap()]), ["Started"]);
    assert_eq!(outline(&[half.next().unwrap()]), ["batch"]);
    half.receive("03").unwrap();
    assert_eq!(outline(&half.say()), ["Ack"], "and no Finished");
    assert!(half.is_ended());
}

#[test]
fn a_control_message_that_crosses_finished_is_forgotten() {
    for crossing in ["01", "02", "03"] {
        let mut half = run(two_batches(), &open_all());
        half.say();
        half.receive(crossing).unwrap();
        assert_eq!(half.say(), [[0; 0]; 0], "no Ack");
        assert!(!half.is_ended());
        half.receive("04").unwrap();
        assert!(half.is_ended());
    }
}

#[test]
fn what_nobody_waits_for_is_a_violation() {
    for bad in ["04", "05", "00", ""] {
        let mut half = run(two_batches(), &open_all());
        half.next();
        assert!(half.receive(bad).is_err(), "{bad}");
    }
    let mut half = run(two_batches(), &open_all());
    half.say();
    assert!(half.receive("05").is_err(), "while Ack is awaited as well");
}
