//! What both protocols have to do with streams: each rule kept and broken.

use dht_model::Answer;
use dht_requirements as req;

use super::story::{Story, deleted, key, put, remove, updated};
use crate::case::{Protocol, Step};
use crate::names::KeyName;
use crate::value::Value;
use crate::world::Event;

fn listening(happens: impl FnOnce(&mut Story)) -> Option<&'static str> {
    let mut story = Story::new();
    story.put(9, "old").listen();
    happens(&mut story);
    story.fault()
}

fn batch(records: &[(u32, &str)]) -> Step {
    let record = |(number, value): &(u32, &str)| (KeyName::Inside(*number), Value::new(*value));
    Step::PutBatch {
        channel: "c".to_owned(),
        records: records.iter().map(record).collect(),
    }
}

/// The last step was made by a lane that speaks legacy.
fn by_legacy(story: &mut Story) {
    if let Some(entry) = story.recording.entries.last_mut() {
        entry.protocol = Protocol::Legacy;
    }
}

#[test]
fn a_listen_is_free_in_much() {
    let right = listening(|story| {
        story.put(0, "a").put(1, "b").put(0, "c");
        // In any order, more than once, with a newer value.
        story.tell(updated(1, "b")).tell(updated(0, "c"));
        story.tell(updated(0, "c")).remove(0).tell(updated(0, ""));
        story.agrees();
    });
    assert_eq!(right, None);
    let batches = |told: bool| {
        listening(|story| {
            story.done(batch(&[(0, "a"), (1, "b")]), Answer::Stored);
            if told {
                story.tell(updated(1, "b"));
            }
            story.agrees();
        })
    };
    assert_eq!((batches(false), batches(true)), (None, None));
}

#[test]
fn a_listen_tells_only_what_was_written() {
    for (told, rule) in [
        (updated(0, "x"), &req::LEG_LISTEN_ONLY_STORED),
        (updated(0, ""), &req::LEG_LISTEN_ONLY_STORED),
        (updated(7, "x"), &req::LEG_LISTEN_ONLY_STORED),
        (updated(9, "old"), &req::LEG_LISTEN_NOT_BEFORE),
        (updated(3, "d"), &req::LEG_LISTEN_ONLY_CHANNEL),
        (Event::ChannelRemoved, &req::LEG_LISTEN_END),
    ] {
        let wrong = listening(|story| {
            story.put(0, "a").done(put("d", 3, "d"), Answer::Stored);
            story.tell(told.clone());
        });
        assert_eq!(wrong, Some(rule.id), "{told:?}");
    }
    let outlived = listening(|story| {
        story.put(9, "new").tell(updated(9, "old"));
    });
    assert_eq!(outlived, None, "it had that value since");
    let mut story = Story::new();
    story.put(9, "older").put(9, "old").listen();
    story.put(9, "new").tell(updated(9, "older"));
    assert_eq!(story.fault(), Some(req::LEG_LISTEN_NOT_BEFORE.id));
}

#[test]
fn what_a_listen_owes_in_the_end() {
    let silent = listening(|story| {
        story.put(0, "a").disagrees();
    });
    assert_eq!(silent, Some(req::LEG_LISTEN_SETTLES.id));
    let no_end = |legacy: bool| {
        listening(|story| {
            story.remove_channel();
            if legacy {
                by_legacy(story);
            }
            story.disagrees();
        })
    };
    assert_eq!(no_end(true), Some(req::LEG_LISTEN_END.id));
    assert_eq!(no_end(false), Some(req::LEG_BOTH_LISTEN_END.id));
    let lost = listening(|story| {
        story.put(0, "a").tell(Event::Disconnected).disagrees();
    });
    assert_eq!(lost, None);
}

#[test]
fn a_mirror_is_told_what_legacy_clients_do() {
    let following = |happens: fn(&mut Story)| {
        let mut story = Story::new();
        story.mirror(false);
        happens(&mut story);
        story.fault()
    };
    let put = following(|story| {
        story.put(0, "a");
        by_legacy(story);
        story.disagrees();
    });
    assert_eq!(put, Some(req::LEG_BOTH_MIRROR_PUT.id));
    let removed = following(|story| {
        story.put(0, "a").tell(updated(0, "a"));
        story.done(remove(0), Answer::Gone);
        by_legacy(story);
        story.disagrees();
    });
    assert_eq!(removed, Some(req::LEG_BOTH_MIRROR_REMOVE.id));
    let ended = following(|story| {
        story.remove_channel();
        by_legacy(story);
        story.disagrees();
    });
    assert_eq!(ended, Some(req::LEG_BOTH_MIRROR_END.id));
    let untold_batch = following(|story| {
        story.put(0, "a").tell(updated(0, "a"));
        story.done(batch(&[(0, "b"), (1, "c")]), Answer::Stored);
        story.agrees();
    });
    assert_eq!(untold_batch, None);
    let nothing_removed = following(|story| {
        story.done(remove(0), Answer::Gone).agrees();
    });
    assert_eq!(nothing_removed, None);
    let told = following(|story| {
        story.put(0, "a").tell(updated(0, "a"));
        story
            .done(remove(0), Answer::Gone)
            .tell(deleted(0))
            .agrees();
    });
    assert_eq!(told, None);
}

#[test]
fn a_legacy_get_all_is_exact_while_nothing_changes() {
    let all = |records: &[(u32, &str)], busy: bool| {
        let mut story = Story::new();
        story.put(0, "a").put(1, "b");
        let entry = story.begin(Step::GetAll {
            channel: "c".to_owned(),
            keys_only: false,
            filter: String::new(),
        });
        story.recording.entries[entry].protocol = Protocol::Legacy;
        if busy {
            story.put(2, "c");
        }
        let record = |(number, value): &(u32, &str)| (key(*number), Value::new(*value).bytes());
        let records = records.iter().map(record).collect();
        story.answer(entry, Answer::Records(records));
        story.fault()
    };
    assert_eq!(all(&[(0, "a"), (1, "b")], false), None);
    assert_eq!(all(&[(0, "a")], false), Some(req::LEG_GETALL_COMPLETE.id));
    assert_eq!(all(&[(0, "a")], true), None);
    let twice = [(0, "a"), (1, "b"), (0, "a")];
    assert_eq!(all(&twice, false), Some(req::LEG_GETALL_UNIQUE.id));
    assert_eq!(all(&twice, true), None);
    assert_eq!(all(&[(0, "x")], true), Some(req::LEG_GETALL_VALUES.id));
}
