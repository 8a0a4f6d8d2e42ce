//! Every kind of step.

use std::sync::Arc;

use dht_client::{NodeAddress, Side, Tap};
use dht_workload::case::{Direction, Fault};
use dht_workload::net::Options;
use dht_workload::recording::StreamRecord;
use dht_workload::world::{Ending, Event};
use dht_workload::{Case, Step, judge};
use fakedht::TestNode;

use super::{case, ending, faulty, names, play, story};

/// Every kind of step, one after another, on two connections.
fn every_step() -> Case {
    case(
        r#"{ "lanes": [0, 1], "rounds": [
        [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
        [ {"lane": 0, "put": {"channel": "c", "key": "k1", "value": {"text": "long", "length": 60000}}} ],
        [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
        [ {"lane": 1, "get": {"channel": "c", "key": "k7"}} ],
        [ {"lane": 1, "exists": {"channel": "c", "key": "k1"}} ],
        [ {"lane": 0, "open_mirror": {"stream": "m", "channel": "c", "refresh": true}} ],
        [ {"lane": 1, "update": {"channel": "c", "key": "k0", "decision": {"replace": "v2"}}} ],
        [ {"lane": 1, "update": {"channel": "c", "key": "k7", "decision": "leave"}} ],
        [ {"lane": 0, "begin_update": {"update": "u", "channel": "c", "key": "k0"}} ],
        [ {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v3"}} ],
        [ {"lane": 0, "decide": {"update": "u", "decision": {"replace": "v4"}}} ],
        [ {"lane": 0, "begin_update": {"update": "none", "channel": "c", "key": "k7"}} ],
        [ {"lane": 0, "decide": {"update": "none", "decision": "delete"}} ],
        [ {"lane": 0, "finish": {"stream": "m"}} ],
        [ {"lane": 0, "get_all": {"channel": "c"}} ],
        [ {"lane": 0, "get_all": {"channel": "c", "keys_only": true, "filter": "v"}} ],
        [ {"lane": 0, "open_get_all": {"stream": "g", "channel": "c", "keys_only": true}} ],
        [ {"lane": 0, "finish": {"stream": "g"}} ],
        [ {"lane": 0, "open_mirror": {"stream": "n", "channel": "c", "refresh": false}} ],
        [ {"lane": 0, "suspend": {"stream": "n"}} ],
        [ {"lane": 0, "resume": {"stream": "n"}} ],
        [ {"lane": 0, "stop": {"stream": "n"}} ],
        [ {"lane": 0, "suspend": {"stream": "n"}} ],
        [ {"lane": 0, "remove": {"channel": "c", "key": "k1"}} ],
        [ {"lane": 0, "remove": {"channel": "c", "key": "k1"}} ],
        [ {"lane": 0, "get_channels": {}} ],
        [ {"lane": 1, "remove_channel": {"channel": "c"}} ],
        [ {"lane": 0, "get_channels": {}} ] ] }"#,
    )
}

#[tokio::test]
async fn every_kind_of_step_straight_and_through_proxies() {
    let case = every_step();
    let mut stories = Vec::new();
    for options in [Options::default(), faulty()] {
        let node = TestNode::start().await.unwrap();
        let recording = play(&case, node.address(), options).await;
        assert_eq!(judge::judge(&recording, &names()), None);
        for entry in &recording.entries {
            let unknown = matches!(ending(entry), Ending::Unknown(_));
            assert!(!unknown, "{}: {}", entry.step, ending(entry));
        }
        let [mirror, get_all, suspended] = &recording.streams[..] else {
            panic!("three streams");
        };
        assert_eq!(mirror.disagrees, None);
        let last = |stream: &StreamRecord| stream.told.last().map(|(_, event)| event.clone());
        assert_eq!(last(mirror), Some(Event::Stopped));
        assert_eq!(last(get_all), Some(Event::Finished));
        assert_eq!(get_all.told.len(), 4, "Started, two keys, Finished");
        let told: Vec<_> = suspended.told.iter().map(|(_, event)| event).collect();
        let expected = [
            &Event::Started,
            &Event::Suspended,
            &Event::Resumed,
            &Event::Stopped,
        ];
        assert_eq!(told, expected);
        stories.push(story(&recording));
    }
    let sorted = |story: &[String]| story[..every_step().len()].to_vec();
    assert_eq!(sorted(&stories[0]), sorted(&stories[1]));
    let told = |what: &str| stories[0].iter().any(|line| line == what);
    assert!(told("decide Update u: to \"v4\": conflict"));
    assert!(told("begin Update none of c/k7: no record"));
    assert!(told(
        "decide Update none: (delete): nothing came of it: there is no such Update"
    ));
    assert!(told("Update c/k0 to \"v2\": updated from \"v1\""));
}

fn connection_cut() -> Step {
    Step::Fault(Fault::Cut {
        connection: 0,
        direction: Direction::ToClient,
        messages: 0,
        bytes: 0,
    })
}

#[tokio::test]
async fn faults_need_their_means() {
    let node = TestNode::start().await.unwrap();
    let steps = [
        connection_cut(),
        Step::Fault(Fault::Halt { ms: 1 }),
        Step::Fault(Fault::Kill {}),
    ];
    let recording = play(&Case::sequential(steps), node.address(), Options::default()).await;
    for entry in &recording.entries {
        let refused = Ending::Nothing("this cannot be done here".to_owned());
        assert_eq!(ending(entry), &refused);
    }
}

/// The taps of connections are told the node's address, also when a proxy stands in between.
#[tokio::test]
async fn taps_hear_their_connection() {
    #[derive(Debug, Default)]
    struct Heard(std::sync::Mutex<Vec<(NodeAddress, Vec<u8>)>>);

    impl Tap for Heard {
        fn opened(&self, _: NodeAddress) {}

        fn bytes(&self, node: NodeAddress, _: Side, bytes: &[u8]) {
            self.0.lock().unwrap().push((node, bytes.to_vec()));
        }

        fn closed(&self, _: NodeAddress, _: &str) {}
    }

    let node = TestNode::start().await.unwrap();
    for faulty in [false, true] {
        let taps = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        let options = Options {
            taps: taps
                .iter()
                .map(|tap| Arc::clone(tap) as Arc<dyn Tap>)
                .collect(),
            faulty,
            ..Options::default()
        };
        let case = case(
            r#"{ "lanes": [0, 1], "rounds": [
            [ {"lane": 0, "get": {"channel": "zero", "key": "k0"}} ],
            [ {"lane": 1, "get": {"channel": "one", "key": "k0"}} ] ] }"#,
        );
        play(&case, node.address(), options).await;
        for (tap, channel) in taps.iter().zip(["zero", "one"]) {
            let heard = tap.0.lock().unwrap();
            assert!(heard.iter().all(|(address, _)| *address == node.address()));
            let all: Vec<u8> = heard.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            let all = String::from_utf8_lossy(&all);
            for name in ["x_zero", "x_one"] {
                assert_eq!(all.contains(name), name.ends_with(channel));
            }
        }
    }
}
