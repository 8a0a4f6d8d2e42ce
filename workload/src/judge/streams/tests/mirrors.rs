//! Mirror: each rule kept and broken.

use dht_model::Answer;
use dht_requirements as req;

use super::story::{Story, deleted, put, refreshed, remove, update, updated};
use crate::case::{Decision, Step};
use crate::names::KeyName;
use crate::value::Value;
use crate::world::{Control, Ending, Event};

/// What is wrong with a Mirror that begins before these things happen.
fn following(happens: impl FnOnce(&mut Story)) -> Option<&'static str> {
    let mut story = Story::new();
    story.mirror(false);
    happens(&mut story);
    story.fault()
}

#[test]
fn updates_tell_what_is_written() {
    let right = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .put(0, "b")
            .tell(updated(0, "b"));
        story.remove(0).tell(deleted(0)).agrees();
    });
    assert_eq!(right, None);
    // The write may not have been answered yet, and both updates may carry the newer value.
    let early = following(|story| {
        let entry = story.begin(put("c", 0, "a"));
        story.tell(updated(0, "a"));
        story.answer(entry, Answer::Stored);
        story
            .put(0, "b")
            .put(0, "c")
            .tell(updated(0, "c"))
            .tell(updated(0, "c"));
    });
    assert_eq!(early, None);
    let invented = following(|story| {
        story.put(0, "a").tell(updated(0, "x"));
    });
    assert_eq!(invented, Some(req::MIRROR_CHANGED_VALUE.id));
    let too_early = following(|story| {
        story.tell(updated(0, "a")).put(0, "a");
    });
    assert_eq!(too_early, Some(req::MIRROR_CHANGED_VALUE.id));
    let too_often = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .tell(updated(0, "a"));
    });
    assert_eq!(too_often, Some(req::MIRROR_EVERY_WRITE.id));
    let stale = following(|story| {
        story.put(0, "a").put(0, "b");
        story.tell(updated(0, "a")).tell(updated(0, "a"));
    });
    assert_eq!(stale, Some(req::MIRROR_CHANGED_VALUE.id));
    let foreign = following(|story| {
        story.done(put("d", 0, "x"), Answer::Stored);
        story.tell(updated(0, "x"));
    });
    assert_eq!(foreign, Some(req::MIRROR_ONLY_CHANNEL.id));
}

#[test]
fn updates_come_in_order() {
    let swapped = following(|story| {
        story
            .put(0, "a")
            .put(0, "b")
            .tell(updated(0, "b"))
            .tell(updated(0, "a"));
    });
    assert_eq!(swapped, Some(req::MIRROR_ORDER_PER_KEY.id));
    // What overlaps has no order, and other records have their own.
    let overlapping = following(|story| {
        let (one, other) = (story.begin(put("c", 0, "a")), story.begin(put("c", 0, "b")));
        story.answer(one, Answer::Stored);
        story.answer(other, Answer::Stored);
        story.put(1, "c").tell(updated(1, "c"));
        story.tell(updated(0, "b")).tell(updated(0, "a"));
    });
    assert_eq!(overlapping, None);
    let late = following(|story| {
        let lost = story.begin(put("c", 0, "a"));
        story.lost(lost);
        story
            .put(0, "b")
            .tell(updated(0, "b"))
            .tell(updated(0, "a"));
    });
    assert_eq!(late, None, "a lost Put may come late");
}

#[test]
fn deletions_tell_removals() {
    let invented = following(|story| {
        story.put(0, "a").tell(updated(0, "a")).tell(deleted(0));
    });
    assert_eq!(invented, Some(req::MIRROR_ORDER_PER_KEY.id));
    let absent = following(|story| {
        story
            .done(remove(0), Answer::Removed(false))
            .tell(deleted(0));
    });
    assert_eq!(absent, None, "the Remove of an absent record may be told");
    let back = following(|story| {
        story
            .put(0, "a")
            .remove(0)
            .tell(deleted(0))
            .tell(updated(0, "a"));
    });
    assert_eq!(back, Some(req::MIRROR_ORDER_PER_KEY.id));
    let swapped = following(|story| {
        story.put(0, "a").remove(0).put(0, "b");
        story
            .tell(updated(0, "b"))
            .tell(updated(0, "b"))
            .tell(deleted(0));
    });
    assert_eq!(swapped, Some(req::MIRROR_ORDER_PER_KEY.id));
    let coalesced = following(|story| {
        story.put(0, "a").remove(0).put(0, "b");
        story
            .tell(updated(0, "b"))
            .tell(deleted(0))
            .tell(updated(0, "b"));
    });
    assert_eq!(coalesced, None);
    let cleared = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .remove_channel()
            .tell(deleted(0));
    });
    assert_eq!(cleared, Some(req::MIRROR_REMOVED_NO_DELETIONS.id));
}

#[test]
fn refreshes_are_not_older_than_what_was_told() {
    let mut right = Story::new();
    right.put(0, "a").mirror(true).tell(refreshed(0, "a"));
    right.put(0, "b").tell(updated(0, "b")).agrees();
    assert_eq!(right.fault(), None);

    let mut stale = Story::new();
    stale.put(0, "a").mirror(true).put(0, "b");
    stale.tell(updated(0, "b")).tell(refreshed(0, "a"));
    assert_eq!(stale.fault(), Some(req::MIRROR_NO_STALE_REFRESH.id));

    let mut back = Story::new();
    back.put(0, "a").mirror(true).remove(0);
    back.tell(deleted(0)).tell(refreshed(0, "a"));
    assert_eq!(back.fault(), Some(req::MIRROR_NO_RESURRECTION.id));

    let mut put_again = Story::new();
    put_again.put(0, "a").mirror(true).remove(0).put(0, "b");
    put_again
        .tell(deleted(0))
        .tell(refreshed(0, "b"))
        .tell(updated(0, "b"));
    assert_eq!(put_again.fault(), None);

    let mut old = Story::new();
    old.put(0, "a")
        .put(0, "b")
        .mirror(true)
        .tell(refreshed(0, "a"));
    assert_eq!(old.fault(), Some(req::MIRROR_REFRESH_VALUES.id));

    let mut gone = Story::new();
    gone.put(0, "a")
        .remove(0)
        .mirror(true)
        .tell(refreshed(0, "a"));
    assert_eq!(gone.fault(), Some(req::REMOVE_GONE.id));
}

#[test]
fn what_was_written_is_told_in_the_end() {
    let update = || update(0, Decision::Replace(Value::new("b")));
    let read = || Answer::Updated {
        read: Value::new("a").bytes(),
    };
    let untold = following(|story| {
        story.put(0, "a").disagrees();
    });
    assert_eq!(untold, Some(req::MIRROR_PUT_REPORTED.id));
    let untold_update = following(|story| {
        story.put(0, "a").tell(updated(0, "a"));
        story.done(update(), read()).disagrees();
    });
    assert_eq!(untold_update, Some(req::MIRROR_UPDATE_REPORTED.id));
    let agreed = following(|story| {
        story.put(0, "a").agrees();
    });
    assert_eq!(agreed, Some(req::MIRROR_PUT_REPORTED.id));
    let removed = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .remove(0)
            .disagrees();
    });
    assert_eq!(removed, Some(req::MIRROR_REMOVE_REPORTED.id));
    let last = following(|story| {
        story.put(0, "a").remove(0).put(0, "b");
        story.tell(updated(0, "b")).tell(deleted(0)).disagrees();
    });
    assert_eq!(last, Some(req::MIRROR_LAST_AGREES.id));
    let mut unrefreshed = Story::new();
    unrefreshed.put(0, "a").mirror(true).disagrees();
    assert_eq!(unrefreshed.fault(), Some(req::MIRROR_REFRESH_COMPLETE.id));
    let unknown = following(|story| {
        let lost = story.begin(put("c", 0, "a"));
        story.lost(lost);
        story.disagrees();
    });
    assert_eq!(unknown, None);
    let suspended = following(|story| {
        story.control(Control::Suspend).tell(Event::Suspended);
        story.put(0, "a").disagrees();
    });
    assert_eq!(suspended, None, "it is still suspended");
    let kept = following(|story| {
        story
            .control(Control::Suspend)
            .tell(Event::Suspended)
            .put(0, "a");
        story
            .control(Control::Resume)
            .tell(Event::Resumed)
            .disagrees();
    });
    assert_eq!(kept, Some(req::MIRROR_SUSPEND_KEEPS.id));
}

#[test]
fn the_comparison_decides_what_the_times_do_not() {
    let overlapping = |late: bool| {
        following(|story| {
            let (one, other) = (story.begin(put("c", 0, "a")), story.begin(put("c", 0, "b")));
            story.answer(one, Answer::Stored);
            story.answer(other, Answer::Stored);
            story
                .tell(updated(0, "a"))
                .tell(updated(0, "b"))
                .disagrees();
            if late {
                story.put(1, "c").tell(updated(1, "c"));
            }
        })
    };
    assert_eq!(overlapping(false), Some(req::MIRROR_LAST_AGREES.id));
    assert_eq!(overlapping(true), None, "others were writing");
}

#[test]
fn updates_are_lost_when_there_are_many() {
    let lost = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .tell(Event::UpdatesLost);
    });
    assert_eq!(lost, Some(req::MIRROR_OVERFLOW_NOT_INVENTED.id));
    let few = following(|story| {
        story
            .put(0, "a")
            .put(0, "b")
            .tell(updated(0, "b"))
            .tell(Event::UpdatesLost);
    });
    assert_eq!(few, Some(req::MIRROR_QUEUE_CAPACITY.id));
    let many = following(|story| {
        for _ in 0..16_385 {
            story.put(0, "a");
        }
        story.tell(Event::UpdatesLost).disagrees();
    });
    assert_eq!(many, None);
}

#[test]
fn the_removal_of_the_channel() {
    let right = following(|story| {
        story.put(0, "a").tell(updated(0, "a")).remove_channel();
        story
            .tell(Event::ChannelRemoved)
            .tell(Event::Finished)
            .put(0, "b");
    });
    assert_eq!(right, None);
    let invented = following(|story| {
        story.tell(Event::ChannelRemoved);
    });
    assert_eq!(invented, Some(req::MIRROR_REMOVED_IDLE.id));
    let more = following(|story| {
        story
            .put(0, "a")
            .remove_channel()
            .tell(Event::ChannelRemoved);
        story.tell(updated(0, "a"));
    });
    assert_eq!(more, Some(req::MIRROR_REMOVED_DETACHED.id));
    let attached = following(|story| {
        story.remove_channel().put(0, "a").tell(updated(0, "a"));
    });
    assert_eq!(attached, Some(req::MIRROR_REMOVED_DETACHED.id));
    let leak = following(|story| {
        story
            .remove_channel()
            .done(put("d", 0, "x"), Answer::Stored);
        story.tell(updated(0, "x"));
    });
    assert_eq!(leak, Some(req::MIRROR_NO_LEAK.id));
    let untold = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .remove_channel()
            .disagrees();
    });
    assert_eq!(untold, Some(req::MIRROR_REMOVED_IDLE.id));
    let pending = following(|story| {
        story.control(Control::Suspend).tell(Event::Suspended);
        story.put(0, "a").remove_channel().control(Control::Resume);
        story.tell(Event::Resumed).disagrees();
    });
    assert_eq!(pending, Some(req::MIRROR_REMOVED_PENDING.id));
    let before = {
        let mut story = Story::new();
        story.put(0, "a").remove_channel().mirror(true);
        story.tell(refreshed(0, "a"));
        story.fault()
    };
    assert_eq!(before, Some(req::RMCHANNEL_STARTS_EMPTY.id));
}

#[test]
fn a_lost_connection_begins_it_again() {
    let again = following(|story| {
        story
            .put(0, "a")
            .tell(updated(0, "a"))
            .tell(Event::Disconnected);
        story.put(0, "b").tell(updated(0, "b"));
        // What was pending is lost, and may be told anew.
        story
            .tell(Event::Disconnected)
            .tell(updated(0, "b"))
            .disagrees();
    });
    assert_eq!(again, None);
    let invented = following(|story| {
        story.tell(Event::Disconnected).tell(updated(0, "x"));
    });
    assert_eq!(invented, Some(req::MIRROR_CHANGED_VALUE.id));
}

#[test]
fn a_suspended_one_tells_little() {
    let told = |more: bool| {
        following(|story| {
            story.put(0, "a").put(1, "b").control(Control::Suspend);
            story.tell(Event::Suspended).tell(updated(0, "a"));
            if more {
                story.tell(updated(1, "b"));
            }
        })
    };
    assert_eq!(told(false), None);
    assert_eq!(told(true), Some(req::MIRROR_SUSPEND_BOUND.id));
}

#[test]
fn suspending_does_not_end_it() {
    let ended = following(|story| {
        story
            .control(Control::Suspend)
            .tell(Event::Suspended)
            .tell(Event::Finished);
    });
    assert_eq!(ended, Some(req::CTL_SUSPENSIONS_HARMLESS.id));
}

#[test]
fn decisions_belong_to_the_record_that_was_read() {
    let decided = |value: &str| {
        following(|story| {
            story.put(0, "a").tell(updated(0, "a"));
            let read = story.begin(Step::BeginUpdate {
                update: "u".to_owned(),
                channel: "c".to_owned(),
                key: KeyName::Inside(0),
            });
            story.end(read, Ending::Read(Value::new("a").bytes()));
            let decide = Step::Decide {
                update: "u".to_owned(),
                decision: Decision::Replace(Value::new("b")),
            };
            let answer = Answer::Updated {
                read: Value::new("a").bytes(),
            };
            story.done(decide, answer).tell(updated(0, value));
        })
    };
    assert_eq!(decided("b"), None);
    assert_eq!(decided("a"), Some(req::MIRROR_CHANGED_VALUE.id));
}
