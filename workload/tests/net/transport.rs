//! A transport that is slow, or joins and splits what it is given, changes nothing.

use dht_workload::Step;
use dht_workload::world::Ending;
use fakedht::TestNode;

use super::{case, ending, faulty, play, story};

#[tokio::test]
async fn bad_transport_changes_nothing() {
    let setting = |fault: Option<&str>| {
        let fault = fault.unwrap_or(r#"{"split": {"connection": 0, "bytes": 0}}"#);
        case(&format!(
            r#"{{ "lanes": [0, 0, 0, 0, 1], "rounds": [
            [ {{"lane": 0, "put": {{"channel": "c", "key": "k0", "value": {{"text": "long", "length": 65000}}}}}} ],
            [ {{"lane": 0, "fault": {fault}}} ],
            [ {{"lane": 0, "put": {{"channel": "c", "key": "k1", "value": "v1"}}}},
              {{"lane": 1, "put": {{"channel": "c", "key": "k2", "value": "v2"}}}},
              {{"lane": 2, "put": {{"channel": "c", "key": "k3", "value": {{"text": "w", "length": 3000}}}}}},
              {{"lane": 3, "get": {{"channel": "c", "key": "k0"}}}},
              {{"lane": 4, "get": {{"channel": "c", "key": "k0"}}}},
              {{"lane": 4, "put": {{"channel": "d", "key": "k0", "value": "v3"}}}},
              {{"lane": 4, "get_all": {{"channel": "d"}}}} ],
            [ {{"lane": 0, "get_all": {{"channel": "c"}}}} ],
            [ {{"lane": 0, "fault": {fault}}} ],
            [ {{"lane": 0, "open_get_all": {{"stream": "g", "channel": "c"}}}} ],
            [ {{"lane": 0, "finish": {{"stream": "g"}}}},
              {{"lane": 4, "get": {{"channel": "c", "key": "k2"}}}} ] ] }}"#
        ))
    };
    let mut stories = Vec::new();
    for fault in [
        None,
        Some(r#"{"split": {"connection": 0, "bytes": 1}}"#),
        Some(r#"{"split": {"connection": 0, "bytes": 7}}"#),
        Some(r#"{"coalesce": {"connection": 0, "messages": 3}}"#),
        Some(r#"{"coalesce": {"connection": 0, "messages": 100}}"#),
        Some(r#"{"stall": {"connection": 0, "direction": "to_node", "messages": 6}}"#),
        Some(r#"{"stall": {"connection": 0, "direction": "to_client", "messages": 1000}}"#),
    ] {
        let node = TestNode::start().await.unwrap();
        let recording = play(&setting(fault), node.address(), faulty()).await;
        for entry in &recording.entries {
            if let Step::Fault(_) = entry.step {
                assert_eq!(ending(entry), &Ending::Nothing("done".to_owned()));
            }
        }
        stories.push((fault, story(&recording)));
    }
    for (fault, story) in &stories {
        assert_eq!(story, &stories[0].1, "{fault:?}");
    }
}
