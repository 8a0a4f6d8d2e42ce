//! GetAll: each rule kept and broken.

use bytes::Bytes;
use dht_model::Answer;
use dht_requirements as req;

use super::story::{Story, key, put, record, remove};
use crate::case::{Fault, Step};
use crate::names::KeyName;
use crate::value::Value;
use crate::world::{Control, Ending, Event};

fn finished(story: &mut Story) -> Option<&'static str> {
    story.tell(Event::Finished).fault()
}

#[test]
fn what_is_there_comes_once() {
    let mut right = Story::new();
    right.put(0, "a").put(1, "b").get_all(false, "");
    right.tell(record(1, "b")).tell(record(0, "a"));
    assert_eq!(finished(&mut right), None);

    let mut missing = Story::new();
    missing.put(0, "a").put(1, "b").get_all(false, "");
    missing.tell(record(1, "b"));
    assert_eq!(missing.fault(), None, "it may still come");
    assert_eq!(finished(&mut missing), Some(req::GETALL_COMPLETE.id));

    let mut twice = Story::new();
    twice.put(0, "a").get_all(false, "");
    twice.tell(record(0, "a")).tell(record(0, "a"));
    assert_eq!(twice.fault(), Some(req::GETALL_NO_DUPLICATE.id));

    let mut wrong = Story::new();
    wrong.put(0, "a").get_all(false, "").tell(record(0, "x"));
    assert_eq!(wrong.fault(), Some(req::GETALL_VALUES.id));
}

#[test]
fn a_value_is_one_of_its_time() {
    // Overwritten meanwhile: the old value and the new one are both right.
    for value in ["a", "b"] {
        let mut story = Story::new();
        story.put(0, "a").get_all(false, "").put(0, "b");
        story.tell(record(0, value));
        assert_eq!(finished(&mut story), None);
    }
    let mut stale = Story::new();
    stale.put(0, "a").put(0, "b").get_all(false, "");
    stale.tell(record(0, "a"));
    assert_eq!(stale.fault(), Some(req::GETALL_VALUES.id));

    let mut early = Story::new();
    early.put(0, "a").get_all(false, "").tell(record(0, "b"));
    early.put(0, "b");
    assert_eq!(early.fault(), Some(req::GETALL_VALUES.id));

    let mut removed = Story::new();
    removed.put(0, "a").remove(0).get_all(false, "");
    removed.tell(record(0, "a"));
    assert_eq!(removed.fault(), Some(req::REMOVE_GONE.id));

    let mut gone = Story::new();
    gone.put(0, "a").remove_channel().get_all(false, "");
    gone.tell(record(0, "a"));
    assert_eq!(gone.fault(), Some(req::RMCHANNEL_STARTS_EMPTY.id));
}

#[test]
fn unknown_writes_may_come_at_any_time_or_never() {
    for came in [vec![], vec![record(0, "a")]] {
        let mut story = Story::new();
        let lost = story.begin(put("c", 0, "a"));
        story.lost(lost);
        story.get_all(false, "");
        for event in came {
            story.tell(event);
        }
        assert_eq!(finished(&mut story), None);
    }
    // A lost Put may overwrite what came long after it, and a lost Remove may remove it.
    let mut late = Story::new();
    let lost = late.begin(put("c", 0, "a"));
    late.lost(lost);
    late.put(0, "b").get_all(false, "").tell(record(0, "a"));
    assert_eq!(finished(&mut late), None);

    let mut removed = Story::new();
    let lost = removed.begin(remove(0));
    removed.lost(lost);
    removed.put(0, "b").get_all(false, "");
    assert_eq!(finished(&mut removed), None);

    // Nothing makes up for a Put that was never begun.
    let mut story = Story::new();
    story.put(0, "b").get_all(false, "");
    let lost = story.begin(put("c", 0, "c"));
    story.lost(lost);
    assert_eq!(finished(&mut story), Some(req::GETALL_OVERWRITTEN_ONCE.id));
}

#[test]
fn removals_are_felt_by_their_record_alone() {
    let mut right = Story::new();
    right.put(0, "a").put(1, "b").get_all(false, "").remove(0);
    right.tell(record(1, "b"));
    assert_eq!(finished(&mut right), None);

    // A node may make a record of one that was removed meanwhile.
    let mut empty = Story::new();
    empty.put(0, "a").get_all(false, "").remove(0);
    empty.tell(Event::Record(key(0), Bytes::new()));
    assert_eq!(finished(&mut empty), None);

    let mut skipped = Story::new();
    skipped.put(0, "a").put(1, "b").get_all(false, "").remove(0);
    assert_eq!(
        finished(&mut skipped),
        Some(req::GETALL_REMOVALS_ELSEWHERE.id)
    );

    let mut again = Story::new();
    again.put(0, "a").get_all(false, "").tell(record(0, "a"));
    again.remove(0).put(0, "b").tell(record(0, "b"));
    assert_eq!(finished(&mut again), None);

    let mut twice = Story::new();
    twice.put(0, "a").get_all(false, "").tell(record(0, "a"));
    twice.put(0, "b").tell(record(0, "b"));
    assert_eq!(twice.fault(), Some(req::GETALL_OVERWRITTEN_ONCE.id));

    let mut inserted = Story::new();
    inserted.get_all(false, "").put(0, "a");
    inserted.tell(record(0, "a")).tell(record(0, "a"));
    assert_eq!(inserted.fault(), Some(req::GETALL_INSERTED_ONCE.id));
}

#[test]
fn filters_and_keys() {
    let mut right = Story::new();
    right.put(0, "xa").put(1, "b").get_all(false, "x");
    right.tell(record(0, "xa"));
    assert_eq!(finished(&mut right), None);

    let mut surplus = Story::new();
    surplus.put(1, "b").get_all(false, "x").tell(record(1, "b"));
    assert_eq!(surplus.fault(), Some(req::GETALL_FILTER_ONLY_MATCHING.id));

    let mut missing = Story::new();
    missing.put(0, "xa").get_all(false, "x");
    assert_eq!(
        finished(&mut missing),
        Some(req::GETALL_FILTER_ALL_MATCHING.id)
    );

    // It may have been read when it did not match.
    let mut between = Story::new();
    between.put(0, "xa").get_all(false, "x").put(0, "b");
    assert_eq!(finished(&mut between), None);

    let mut keys = Story::new();
    keys.put(0, "xa").put(1, "b").get_all(true, "x");
    keys.tell(Event::Key(key(0)));
    assert_eq!(keys.fault(), None);
    keys.tell(Event::Key(key(1)));
    assert_eq!(keys.fault(), Some(req::GETALL_FILTER_KEYS_ONLY.id));

    let mut foreign = Story::new();
    foreign.get_all(true, "").tell(Event::Key(key(5)));
    assert_eq!(foreign.fault(), Some(req::GETALL_ONLY_CHANNEL.id));
}

#[test]
fn other_channels_stay_out() {
    let mut story = Story::new();
    story.done(put("d", 0, "x"), Answer::Stored);
    story.get_all(false, "").tell(record(0, "x"));
    assert_eq!(story.fault(), Some(req::GETALL_ONLY_CHANNEL.id));

    let mut leak = Story::new();
    leak.put(0, "a").get_all(false, "").remove_channel();
    leak.done(put("d", 0, "x"), Answer::Stored);
    leak.tell(record(0, "x"));
    assert_eq!(leak.fault(), Some(req::GETALL_NO_LEAK.id));

    // The same name does not make it the same channel.
    let mut same = Story::new();
    same.put(0, "a").get_all(false, "").remove_channel();
    same.put(0, "b").tell(record(0, "b"));
    assert_eq!(same.fault(), Some(req::GETALL_NO_LEAK.id));

    let mut old = Story::new();
    old.put(0, "a").get_all(false, "").remove_channel();
    old.put(0, "b").tell(record(0, "a"));
    assert_eq!(finished(&mut old), None);
}

#[test]
fn large_values_may_be_left_out_but_not_their_keys() {
    let large = |keys_only| {
        let mut story = Story::new();
        let step = Step::Put {
            channel: "c".to_owned(),
            key: KeyName::Inside(0),
            value: Value::long("a", 65_513),
        };
        story.done(step, Answer::Stored).get_all(keys_only, "");
        finished(&mut story)
    };
    assert_eq!(large(false), None);
    assert_eq!(large(true), Some(req::GETALL_KEYS_OVERSIZE.id));
}

#[test]
fn lost_connections() {
    let mut right = Story::new();
    right.put(0, "a").put(1, "b").get_all(false, "");
    right.tell(record(0, "a")).tell(Event::Disconnected);
    right.tell(record(1, "b"));
    assert_eq!(finished(&mut right), None);

    let mut again = Story::new();
    again.put(0, "a").get_all(false, "");
    again.tell(record(0, "a")).tell(Event::Disconnected);
    again.tell(record(0, "a"));
    assert_eq!(again.fault(), Some(req::GETALL_CONTINUE_NO_REPEAT.id));

    // The place may be lost when something changes.
    let mut moved = Story::new();
    moved.put(0, "a").get_all(false, "");
    moved.tell(record(0, "a")).tell(Event::Disconnected);
    moved.put(1, "b").tell(record(0, "a"));
    assert_eq!(finished(&mut moved), None);

    let mut missing = Story::new();
    missing.put(0, "a").put(1, "b").get_all(false, "");
    missing.tell(record(0, "a")).tell(Event::Disconnected);
    assert_eq!(finished(&mut missing), Some(req::GETALL_CONTINUE_REST.id));
}

#[test]
fn nothing_is_known_of_a_node_that_was_killed() {
    let mut story = Story::new();
    story.put(0, "a").put(0, "b").get_all(false, "");
    let kill = story.begin(Step::Fault(Fault::Kill {}));
    story.end(kill, Ending::Nothing("done".to_owned()));
    story.tell(record(0, "a"));
    assert_eq!(finished(&mut story), None);
}

#[test]
fn empty_values_are_left_to_the_node() {
    let mut story = Story::new();
    story.put(0, "a").put(0, "").get_all(false, "");
    assert_eq!(finished(&mut story), None);
    let mut story = Story::new();
    story
        .put(0, "a")
        .put(0, "")
        .get_all(false, "")
        .tell(record(0, ""));
    assert_eq!(finished(&mut story), None);
    let mut story = Story::new();
    story.put(0, "").get_all(false, "").tell(record(0, "x"));
    assert_eq!(story.fault(), Some(req::GETALL_VALUES.id));
}

#[test]
fn whole_ones_are_judged_as_well() {
    let read = |records: &[(u32, &str)]| {
        let mut story = Story::new();
        story.put(0, "a").put(1, "b");
        let step = Step::GetAll {
            channel: "c".to_owned(),
            keys_only: false,
            filter: String::new(),
        };
        let entry = story.begin(step);
        story.put(2, "c");
        let records = records.iter();
        let records = records.map(|(number, value)| (key(*number), Value::new(*value).bytes()));
        story.answer(entry, Answer::Records(records.collect()));
        story.fault()
    };
    assert_eq!(read(&[(0, "a"), (1, "b")]), None);
    assert_eq!(read(&[(0, "a"), (1, "b"), (2, "c")]), None);
    assert_eq!(read(&[(0, "a")]), Some(req::GETALL_COMPLETE.id));
    let twice = read(&[(0, "a"), (1, "b"), (1, "b")]);
    assert_eq!(twice, Some(req::GETALL_NO_DUPLICATE.id));
}

#[test]
fn suspended_ones_tell_little() {
    let told = |count: u32, resumed: bool| {
        let mut story = Story::new();
        for number in 0..count {
            let step = Step::Put {
                channel: "c".to_owned(),
                key: KeyName::Inside(number),
                value: Value::long(format!("v{number}"), 60_000),
            };
            story.done(step, Answer::Stored);
        }
        story.get_all(false, "").control(Control::Suspend);
        story.tell(Event::Suspended);
        if resumed {
            story.control(Control::Resume);
        }
        for number in 0..count {
            let value = Value::long(format!("v{number}"), 60_000).bytes();
            story.tell(Event::Record(key(number), value));
        }
        story.fault()
    };
    assert_eq!(told(2, false), None);
    assert_eq!(told(3, true), None);
    assert_eq!(told(3, false), Some(req::GETALL_SUSPEND_BOUND.id));
}

#[test]
fn suspending_loses_nothing() {
    let mut story = Story::new();
    story
        .put(0, "a")
        .get_all(false, "")
        .control(Control::Suspend);
    story.tell(Event::Suspended).control(Control::Resume);
    story.tell(Event::Resumed);
    assert_eq!(finished(&mut story), Some(req::GETALL_SUSPEND_LOSSLESS.id));
}
