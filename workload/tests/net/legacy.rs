//! Cases that speak both protocols, over sockets.

use std::sync::{Arc, Mutex};

use dht_client::legacy::Tap;
use dht_client::{NodeAddress, Side};
use dht_protocol::legacy::Order;
use dht_workload::case::Protocol;
use dht_workload::net::LegacyOptions;
use dht_workload::world::Event;
use fakedht::{Bugs, NodeConfig, ServerOptions};

use super::*;

/// The options for a case on this node.
fn options(case: &Case, node: &TestNode) -> Options {
    let protocols = case.protocols().into_iter().enumerate();
    let legacy = protocols.filter(|(_, protocol)| *protocol == Protocol::Legacy);
    Options {
        faulty: case.has_faults(),
        legacy: legacy
            .map(|(number, _)| {
                let address = node.legacy_address();
                (number, LegacyOptions { address, tap: None })
            })
            .collect(),
        ..Options::default()
    }
}

async fn played(case: &Case, node: &TestNode) -> Recording {
    play(case, node.address(), options(case, node)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_protocols_show_one_state() {
    for shape in [
        Shape::sequential(60).mixed(1),
        Shape::concurrent(60, 2, 2).mixed(2),
        Shape::concurrent(60, 2, 1).faulty().mixed(2),
    ] {
        for seed in 0..8 {
            let node = TestNode::start().await.unwrap();
            let case = generate::case(seed, &shape);
            let recording = played(&case, &node).await;
            let found = judge::judge(&recording, &names());
            assert_eq!(found, None, "seed {seed} of {shape:?}");
            assert_eq!(recording.entries.len(), case.len());
        }
    }
}

#[tokio::test]
async fn a_listen_is_told_and_occupies_its_connection() {
    let case = case(
        r#"{ "lanes": [0, 1], "legacy": [1], "rounds": [
            [ {"lane": 1, "open_listen": {"stream": "l1", "channel": "c"}} ],
            [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
            [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
            [ {"lane": 0, "finish": {"stream": "l1"}} ],
            [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
            [ {"lane": 1, "open_listen": {"stream": "l2", "channel": "c"}},
              {"lane": 1, "stop": {"stream": "l2"}},
              {"lane": 1, "get": {"channel": "c", "key": "k0"}} ] ] }"#,
    );
    let node = TestNode::start().await.unwrap();
    let recording = played(&case, &node).await;
    assert_eq!(judge::judge(&recording, &names()), None);
    let endings: Vec<_> = recording.entries.iter().map(ending).collect();
    assert!(matches!(endings[1], Ending::Nothing(_)));
    for read in [4, 7] {
        assert_eq!(endings[read].to_string(), "\"v1\"");
    }
    for stream in &recording.streams {
        let last = stream.told.last().map(|(_, event)| event);
        assert_eq!(last, Some(&Event::Stopped));
    }
}

#[tokio::test]
async fn a_cut_connection_is_made_again() {
    let case = case(
        r#"{ "lanes": [0, 1], "legacy": [1], "rounds": [
            [ {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
            [ {"lane": 0, "fault": {"cut": {"connection": 1, "direction": "to_client", "messages": 0}}} ],
            [ {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v2"}} ],
            [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
            [ {"lane": 0, "get": {"channel": "c", "key": "k0"}} ] ] }"#,
    );
    let node = TestNode::start().await.unwrap();
    let recording = played(&case, &node).await;
    assert_eq!(judge::judge(&recording, &names()), None);
    let endings: Vec<_> = recording.entries.iter().map(ending).collect();
    assert_eq!(endings[3].to_string(), endings[4].to_string());
    assert!(matches!(endings[3], Ending::Answer(_)));
}

#[tokio::test]
async fn a_wrong_node_is_found() {
    let bug = Bugs::find("legacy-get-cuts-last-byte");
    let config = NodeConfig {
        bugs: bug.into_iter().collect(),
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap();
    let case = generate::case(1, &Shape::sequential(200).mixed(1));
    let recording = played(&case, &node).await;
    assert!(judge::judge(&recording, &names()).is_some());
}

/// A tap is told the node's address, also when a proxy stands in between, and nothing of what every client
/// asks first.
#[tokio::test]
async fn a_tap_hears_what_the_case_says() {
    #[derive(Debug, Default)]
    struct Heard(Mutex<(Vec<NodeAddress>, Vec<u8>)>);

    impl Tap for Heard {
        fn opened(&self, _: u64, node: NodeAddress) {
            self.0.lock().unwrap().0.push(node);
        }

        fn bytes(&self, _: u64, _: Side, bytes: &[u8]) {
            self.0.lock().unwrap().1.extend(bytes);
        }

        fn closed(&self, _: u64, _: &str) {}
    }

    let node = TestNode::start().await.unwrap();
    let case = case(
        r#"{ "lanes": [0], "legacy": [0], "rounds": [
            [ {"lane": 0, "remove": {"channel": "c", "key": "k0"}} ] ] }"#,
    );
    let mut said = Vec::new();
    for faulty in [false, true] {
        let tap = Arc::new(Heard::default());
        let mut options = options(&case, &node);
        options.faulty = faulty;
        for legacy in options.legacy.values_mut() {
            legacy.tap = Some(Arc::clone(&tap) as Arc<dyn Tap>);
        }
        play(&case, node.address(), options).await;
        let mut heard = tap.0.lock().unwrap();
        assert_eq!(heard.0, [node.legacy_address()]);
        said.push(std::mem::take(&mut heard.1));
    }
    assert_eq!(said[0], said[1]);
    let mut expected = Vec::new();
    let (channel, key) = (names().channel("c"), names().key(KeyName::Inside(0)));
    Order::Remove {
        channel,
        key: key.into(),
    }
    .encode(&mut expected);
    expected.extend(200_i32.to_le_bytes());
    assert_eq!(said[0], expected);
}
