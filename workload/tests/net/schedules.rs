//! Messages that are delivered in a given order: what depends on it comes out the same each time.

use dht_model::Answer;
use dht_workload::judge;
use dht_workload::names::KeyName;
use dht_workload::net::Options;
use dht_workload::world::{Ending, Event};
use dht_workload::{Case, Recording};
use fakedht::TestNode;

use super::{case, ending, names, play, world};

/// So often each case is run. Without its schedule it would come out this way and that.
const TIMES: usize = 5;

/// One round of these steps with this schedule, behind one in which the record c/k0 gets the value v1.
fn scheduled(lanes: &str, steps: &str, schedule: &str) -> Case {
    case(&format!(
        r#"{{ "lanes": {lanes}, "rounds": [
            [ {{"lane": 0, "put": {{"channel": "c", "key": "k0", "value": "v1"}}}} ],
            {{"steps": [{steps}], "schedule": [{schedule}]}} ] }}"#
    ))
}

fn gated() -> Options {
    Options {
        gated: true,
        ..Options::default()
    }
}

/// Runs a case whose schedule can be followed, on a healthy node.
async fn followed(case: &Case) -> Recording {
    let node = TestNode::start().await.unwrap();
    let recording = play(case, node.address(), gated()).await;
    assert_eq!(recording.notes, Vec::<String>::new(), "{case}");
    assert_eq!(judge::judge(&recording, &names()), None, "{case}");
    recording
}

/// How the steps behind the first one ended, by lane.
fn endings(recording: &Recording) -> Vec<Ending> {
    let mut entries: Vec<_> = recording.entries[1..].iter().collect();
    entries.sort_by_key(|entry| entry.lane);
    entries
        .into_iter()
        .map(|entry| ending(entry).clone())
        .collect()
}

fn answer(answer: Answer) -> Ending {
    Ending::Answer(answer)
}

fn value(value: &'static str) -> Answer {
    Answer::Value(value.into())
}

#[tokio::test]
async fn of_two_updates_that_have_both_read_the_first_to_write_wins() {
    let steps = r#"
        {"lane": 0, "update": {"channel": "c", "key": "k0", "decision": {"replace": "v2"}}},
        {"lane": 1, "update": {"channel": "c", "key": "k0", "decision": {"replace": "v3"}}}"#;
    let both_read = r#"{"start": 0}, {"start": 1}, {"to_node": 0}, {"to_node": 1},
        {"to_client": 0}, {"to_client": 1}, {"to_client": 1}, {"to_client": 0}"#;
    for lanes in ["[0, 1]", "[0, 0]"] {
        for winner in [0, 1] {
            let schedule = format!(r#"{both_read}, {{"to_node": {winner}}}, {{"end": {winner}}}"#);
            let case = scheduled(lanes, steps, &schedule);
            for _ in 0..TIMES {
                let recording = followed(&case).await;
                let mut expected = vec![answer(Answer::Conflict); 2];
                expected[winner] = answer(Answer::Updated { read: "v1".into() });
                assert_eq!(endings(&recording), expected, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_get_is_passed_by_a_remove_or_not() {
    let steps = r#"
        {"lane": 0, "get": {"channel": "c", "key": "k0"}},
        {"lane": 1, "remove": {"channel": "c", "key": "k0"}}"#;
    let removed = answer(Answer::Removed(true));
    for (schedule, got) in [
        // The Get is held before the node.
        (
            r#"{"start": 0}, {"start": 1}, {"end": 1}, {"end": 0}"#,
            Answer::NoRecord,
        ),
        // Its answer is held before the client.
        (
            r#"{"start": 0}, {"to_node": 0}, {"start": 1}, {"end": 1}, {"end": 0}"#,
            value("v1"),
        ),
    ] {
        for lanes in ["[0, 1]", "[0, 0]"] {
            let case = scheduled(lanes, steps, schedule);
            for _ in 0..TIMES {
                let recording = followed(&case).await;
                let expected = [answer(got.clone()), removed.clone()];
                assert_eq!(endings(&recording), expected, "{case}");
                let ended = |entry: usize| recording.entries[entry].ended.as_ref().map(|at| at.0);
                assert!(ended(2) < ended(1), "{recording:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_get_all_is_suspended_before_its_first_batch() {
    let steps = r#"
        {"lane": 0, "open_get_all": {"stream": "g", "channel": "c"}},
        {"lane": 0, "suspend": {"stream": "g"}}"#;
    let schedule = r#"{"start": 0}, {"to_node": 0}, {"to_client": "g"}, {"to_client": "g"},
        {"start": 0}, {"to_node": "g"}, {"to_client": 0}"#;
    let case = scheduled("[0]", steps, schedule);
    let mut stories = Vec::new();
    for _ in 0..TIMES {
        let recording = followed(&case).await;
        let [get_all] = &recording.streams[..] else {
            panic!("one stream");
        };
        let [(suspended, _)] = get_all.controlled[..] else {
            panic!("{get_all:#?}");
        };
        let told: Vec<_> = get_all
            .told
            .iter()
            .map(|(_, event)| event.clone())
            .collect();
        assert_eq!(told[0], Event::Started);
        assert!(get_all.told[0].0 < suspended && suspended < get_all.told[1].0);
        stories.push(told);
    }
    stories.dedup();
    assert_eq!(stories.len(), 1, "{stories:?}");
}

/// A Mirror tells two writes in the order in which the node saw them, and when the schedule says so.
#[tokio::test]
async fn what_a_mirror_tells_is_held_as_well() {
    let steps = r#"
        {"lane": 0, "open_mirror": {"stream": "m", "channel": "c", "refresh": false}},
        {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v2"}},
        {"lane": 1, "remove": {"channel": "c", "key": "k0"}}"#;
    let schedule = r#"{"start": 0}, {"end": 0}, {"start": 1}, {"end": 1}, {"start": 1}, {"end": 1},
        {"to_client": "m"}, {"to_client": "m"}"#;
    let case = scheduled("[0, 1]", steps, schedule);
    for _ in 0..TIMES {
        let recording = followed(&case).await;
        let told: Vec<_> = recording.streams[0].told.iter().collect();
        let removed = recording.entries[3].ended.as_ref().map(|(time, _)| *time);
        assert!(removed < Some(told[1].0), "{recording:#?}");
        assert!(matches!(told[1].1, Event::Updated(..)), "{told:?}");
        assert!(matches!(told[2].1, Event::Deleted(..)), "{told:?}");
    }
}

#[tokio::test]
async fn a_connection_is_cut_before_the_request_or_before_its_answer() {
    let steps = r#"{"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v2"}}"#;
    for (schedule, held) in [
        (r#"{"start": 0}, {"cut": 0}"#, "v1"),
        (r#"{"start": 0}, {"to_node": 0}, {"cut": 0}"#, "v2"),
        (
            r#"{"start": 0}, {"to_node": 0}, {"to_client": 0}, {"cut": 0}"#,
            "v2",
        ),
    ] {
        let case = scheduled("[0]", steps, schedule);
        for _ in 0..TIMES {
            let node = TestNode::start().await.unwrap();
            let recording = play(&case, node.address(), gated()).await;
            assert_eq!(recording.notes, Vec::<String>::new(), "{case}");
            let put = ending(&recording.entries[1]);
            assert!(matches!(put, Ending::Unknown(_)), "{put}: {case}");
            let stored = node.get(names().channel("c"), names().key(KeyName::Inside(0)));
            assert_eq!(stored.as_deref(), Some(held.as_bytes()), "{case}");
        }
    }
}

#[tokio::test]
async fn a_stream_begins_again_behind_a_cut_and_is_held_again() {
    let steps = r#"
        {"lane": 0, "open_mirror": {"stream": "m", "channel": "c", "refresh": false}},
        {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v2"}},
        {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v3"}}"#;
    let schedule = r#"{"start": 0}, {"end": 0}, {"cut": 0}, {"start": 1}, {"end": 1},
        {"to_node": "m"}, {"to_client": "m"}, {"to_client": "m"},
        {"start": 1}, {"end": 1}, {"to_client": "m"}"#;
    let case = scheduled("[0, 1]", steps, schedule);
    for _ in 0..TIMES {
        let recording = followed(&case).await;
        let told = recording.streams[0].told.iter();
        let told: Vec<_> = told.map(|(_, event)| event.clone()).collect();
        assert_eq!(told[..2], [Event::Started, Event::Disconnected]);
        // The first write came while nobody listened.
        let updated: Vec<_> = told
            .iter()
            .filter_map(|event| match event {
                Event::Updated(_, value) => Some(&value[..]),
                _ => None,
            })
            .collect();
        assert_eq!(updated, [b"v3"], "{told:?}");
    }
}

#[tokio::test]
async fn a_schedule_that_cannot_be_followed_is_left_with_a_note() {
    let get = r#"{"lane": 0, "get": {"channel": "c", "key": "k0"}}"#;
    for (schedule, why) in [
        (
            r#"{"start": 0}, {"to_client": 0}"#,
            "round 1 could not be followed from move 1 (a message of lane 0 to the client)",
        ),
        (r#"{"to_node": 0}"#, "nothing came from the client"),
        (r#"{"to_node": "m"}"#, "m has begun nothing"),
    ] {
        let case = scheduled("[0]", get, schedule);
        let node = TestNode::start().await.unwrap();
        let recording = play(&case, node.address(), gated()).await;
        let [note] = &recording.notes[..] else {
            panic!("{:?}", recording.notes);
        };
        assert!(note.contains(why), "{note}");
        assert_eq!(endings(&recording), [answer(value("v1"))]);
        assert_eq!(judge::judge(&recording, &names()), None);
    }
}

#[tokio::test]
async fn a_world_without_gates_says_so() {
    let case = scheduled(
        "[0]",
        r#"{"lane": 0, "get": {"channel": "c", "key": "k0"}}"#,
        r#"{"start": 0}, {"end": 0}"#,
    );
    let node = TestNode::start().await.unwrap();
    let recording = play(&case, node.address(), Options::default()).await;
    let note = "the schedule of round 1 cannot be followed in this world";
    assert_eq!(recording.notes, [note]);
    assert_eq!(endings(&recording), [answer(value("v1"))]);
}

/// Whatever is held when a run ends passes, so that the world can be left.
#[tokio::test]
async fn a_run_ends_while_messages_are_held() {
    let case = scheduled(
        "[0, 1]",
        r#"{"lane": 0, "get": {"channel": "c", "key": "k0"}},
           {"lane": 1, "get_channels": {}}"#,
        r#"{"start": 0}, {"start": 1}, {"end": 1}, {"end": 0}"#,
    );
    let node = TestNode::start().await.unwrap();
    let mut world = world(node.address(), 2, gated()).await;
    let names = names();
    // The first step that ends under the schedule is the last that anybody wants to see.
    let mut seen = 0;
    let watch = |_: &dht_workload::recording::Entry| {
        seen += 1;
        match seen {
            2 => std::ops::ControlFlow::Break(()),
            _ => std::ops::ControlFlow::Continue(()),
        }
    };
    let recording = dht_workload::run::run(&case, &names, &mut world, watch).await;
    world.shutdown().await;
    assert_eq!(recording.entries.len(), 3);
    assert_eq!(recording.entries[1].ended, None);
}
