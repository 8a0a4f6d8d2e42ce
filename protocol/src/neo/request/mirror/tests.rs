//! Mirror: bytes, the node's half, and what the client's half adds to `Streaming`.

mod dumps;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::neo::Limits;
use crate::neo::request::control::Control;
use crate::neo::request::stream::{Notification, Streaming};
use crate::testing::talk::{closed, sent, told};
use crate::testing::{Event, Half, Memory, hex, node, open};

/// A Mirror of the channel "c" without dumps.
const MIRROR: &str = "04 00 00 0100000000000000 63 00 00000000";
const SUSPENDED: &str = "04 00 01 0100000000000000 63 00 00000000";
const WITH_DUMP: &str = "04 00 00 0100000000000000 63 01 00000000";

impl Half<Node> {
    /// Tells the Mirror what was written since the last time.
    fn follow(&mut self) {
        for event in std::mem::take(&mut self.memory.events) {
            let (Event::Record(channel, _) | Event::Gone(channel)) = event;
            if Some(channel) == self.node.channel() {
                match event {
                    Event::Record(_, change) => self.node.changed(change),
                    Event::Gone(_) => self.node.channel_removed(),
                }
            }
        }
    }

    fn put(&mut self, key: u64, value: &str) {
        self.memory.store("c", key, value);
        self.follow();
    }

    fn erase(&mut self, key: u64) {
        self.memory.erase("c", key);
        self.follow();
    }

    fn remove_channel(&mut self) {
        self.memory.remove_channel(&"c".into()).unwrap();
        self.follow();
    }

    /// What is said, in short.
    fn outline(&mut self) -> Vec<String> {
        self.say().iter().map(|message| outline(message)).collect()
    }
}

fn outline(message: &[u8]) -> String {
    match FromNode::decode(message).unwrap() {
        FromNode::RecordChanged(key, value) => format!("{}={}", key.0, value.escape_ascii()),
        FromNode::RecordDeleted(key) => format!("{} deleted", key.0),
        FromNode::RecordRefreshBatch(block) => {
            let records = batch::decode_refresh(&block).unwrap();
            let records = records
                .iter()
                .map(|(key, value)| format!(" {}={}", key.0, value.escape_ascii()));
            format!("dump{}", records.collect::<String>())
        }
        other => format!("{other:?}"),
    }
}

/// A Mirror that has said Started.
fn started(memory: Memory, first: &str) -> Half<Node> {
    let mut half = Half::<Node>::open(memory, first);
    assert_eq!(half.next(), Some(hex("05")));
    half
}

mod bytes_on_the_wire {
    use super::*;

    #[test]
    fn first_messages() {
        let open = Open {
            start_suspended: false,
            channel: "c".into(),
            settings: Settings {
                initial_refresh: false,
                periodic_refresh_s: 0,
            },
        };
        assert_eq!(open.encode(), hex(MIRROR));
        let usual = Open {
            settings: Settings::default(),
            ..open.clone()
        };
        assert_eq!(
            usual.encode(),
            hex("04 00 00 0100000000000000 63 01 68010000")
        );
        for open in [open, usual] {
            assert_eq!(Open::decode(&open.encode()[2..]), Ok(open));
        }
        for bad in [
            &MIRROR[..MIRROR.len() - 2],
            &format!("{MIRROR} 00"),
            "04 00 00 0100000000000000 63 02 00000000",
            "04 00",
        ] {
            let mut memory = Memory::default();
            assert!(super::open::<Node>(&mut memory, bad).is_err(), "{bad}");
            assert_eq!(memory.names(), [""; 0]);
        }
    }

    #[test]
    fn the_node_s_messages() {
        let batch = "2400000000000000 07 01 00000000000000 02 00 a0 00 00 02 76 31 \
                     02 00000000000000 02 00000000000000 76 32 11 00 00";
        for (message, bytes) in [
            (FromNode::Ack, "04"),
            (FromNode::Started, "05"),
            (FromNode::Error, "06"),
            (
                FromNode::RecordChanged(Key(1), "new".into()),
                "07 0100000000000000 0300000000000000 6e6577",
            ),
            (FromNode::RecordDeleted(Key(2)), "08 0200000000000000"),
            (
                FromNode::RecordRefreshBatch(hex(batch).into()),
                &format!("09 2e00000000000000 {batch}"),
            ),
            (FromNode::ChannelRemoved, "0a"),
            (FromNode::UpdateOverflow, "0b"),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(out, hex(bytes));
            assert_eq!(FromNode::decode(&out), Ok(message));
        }
        assert_eq!(
            batch::decode_refresh(&hex(batch)),
            Ok(vec![(Key(1), "v1".into()), (Key(2), "v2".into())])
        );
        for bad in ["", "00", "01", "0c", "0500", "07", "08 00", "0a00"] {
            assert!(FromNode::decode(&hex(bad)).is_err(), "{bad}");
        }
    }
}

mod changes {
    use super::*;

    #[test]
    fn writes_and_removals_are_told() {
        let mut half = started(Memory::with("c", [(1, "old")]), MIRROR);
        assert_eq!(half.outline(), [""; 0], "nothing has happened yet");
        half.put(1, "new");
        half.put(1, "new");
        half.erase(1);
        assert_eq!(
            half.outline(),
            ["1 deleted"],
            "the values were gone when they could have been sent"
        );
        half.put(2, "");
        assert_eq!(half.outline(), ["2="]);
        assert!(!half.is_ended());
    }

    #[test]
    fn values_are_of_the_time_when_they_are_sent() {
        let mut half = started(Memory::default(), SUSPENDED);
        half.put(1, "x1");
        half.put(1, "x2");
        half.erase(1);
        half.put(1, "x3");
        assert_eq!(half.outline(), [""; 0]);
        assert_eq!(half.node.updates_waiting(), 4);
        assert_eq!(half.node.next_update(), Some(Change::Changed(Key(1))));
        half.receive("02").unwrap();
        assert_eq!(half.outline(), ["Ack", "1=x3", "1=x3", "1 deleted", "1=x3"]);
        assert_eq!(half.node.updates_waiting(), 0);
        assert_eq!(half.node.next_update(), None);
    }

    #[test]
    fn a_change_before_started_is_not_lost() {
        let mut half = Half::<Node>::open(Memory::default(), MIRROR);
        half.put(1, "x");
        assert_eq!(half.outline(), ["Started", "1=x"]);
    }

    #[test]
    fn a_value_of_any_size_is_told() {
        let mut half = started(Memory::default(), MIRROR);
        half.put(1, &"x".repeat(200_000));
        assert_eq!(half.say()[0].len(), 17 + 200_000);
    }

    #[test]
    fn what_does_not_fit_the_queue_is_reported_behind_the_rest() {
        let limits = Limits {
            mirror_queue: 2,
            ..Limits::default()
        };
        let mut half = Half::<Node>::open_with(Memory::default(), SUSPENDED, limits);
        half.next();
        for round in 0..2 {
            for key in 0..2 {
                half.put(key, "x");
            }
            half.receive("02").unwrap();
            assert_eq!(half.outline(), ["Ack", "0=x", "1=x"], "P59");
            half.receive("01").unwrap();
            for key in 0..5 {
                half.put(key, "x");
            }
            half.receive("02").unwrap();
            let said = half.outline();
            assert_eq!(
                said,
                ["Ack", "Ack", "0=x", "1=x", "UpdateOverflow"],
                "P58, F19, round {round}"
            );
            half.receive("01").unwrap();
            half.say();
        }
    }

    #[test]
    fn a_node_that_cannot_open_the_channel_says_so() {
        let mut half = Half::<Node>::open(Memory::broken(), MIRROR);
        assert_eq!(half.say(), [[6]]);
        assert!(half.is_ended());
    }
}

mod control {
    use super::*;

    #[test]
    fn stop_ends_it_and_nothing_follows_the_ack() {
        for first in [MIRROR, SUSPENDED, WITH_DUMP] {
            let mut half = started(Memory::with("c", [(1, "one")]), first);
            half.put(2, "two");
            half.receive("03").unwrap();
            assert_eq!(half.outline(), ["Ack"], "P30");
            assert!(half.is_ended());
        }
    }

    #[test]
    fn every_control_message_gets_its_ack() {
        let mut half = started(Memory::default(), MIRROR);
        for message in ["01", "01", "02", "02", "01"] {
            half.receive(message).unwrap();
        }
        assert!(!half.node.is_suspended());
        assert_eq!(half.outline(), ["Ack"; 5]);
        assert!(half.node.is_suspended());
        half.put(1, "one");
        assert_eq!(half.outline(), [""; 0], "suspended at last");
    }

    #[test]
    fn what_nobody_waits_for_is_a_violation() {
        for bad in ["04", "05", "00", "", "0b"] {
            let mut half = started(Memory::default(), MIRROR);
            assert!(half.receive(bad).is_err(), "{bad}");
        }
    }
}

mod removal_of_the_channel {
    use super::*;

    fn ended_by_ack(mut half: Half<Node>) {
        for crossing in ["01", "02", "03"] {
            half.receive(crossing).unwrap();
            assert_eq!(half.outline(), [""; 0], "ignored from now on");
        }
        assert!(!half.is_ended());
        half.receive("04").unwrap();
        assert!(half.is_ended());
    }

    #[test]
    fn it_is_told_once_without_any_deletion() {
        let mut half = started(Memory::with("c", [(1, "one")]), MIRROR);
        half.remove_channel();
        assert_eq!(half.outline(), ["ChannelRemoved"]);
        ended_by_ack(half);
    }

    #[test]
    fn it_is_told_in_spite_of_a_suspension() {
        let mut half = started(Memory::default(), SUSPENDED);
        assert!(half.node.is_suspended());
        half.remove_channel();
        assert_eq!(half.outline(), ["ChannelRemoved"]);
        assert!(!half.node.is_suspended(), "it waits for the Ack alone");
        ended_by_ack(half);
    }

    #[test]
    fn changes_that_wait_do_not_hold_it_back() {
        for resume_first in [false, true] {
            let mut half = started(Memory::with("c", [(1, "one")]), SUSPENDED);
            half.put(2, "two");
            half.node.tick();
            half.remove_channel();
            let mut said = Vec::new();
            if resume_first {
                half.receive("02").unwrap();
                said.push("Ack");
            }
            said.push("ChannelRemoved");
            assert_eq!(half.outline(), said, "P60, F03");
            ended_by_ack(half);
        }
    }

    #[test]
    fn it_is_told_by_one_that_is_busy() {
        let mut half = started(Memory::default(), WITH_DUMP);
        for key in 0..20 {
            half.put(key, "x");
        }
        half.remove_channel();
        assert_eq!(half.outline(), ["ChannelRemoved"], "F03");
    }

    #[test]
    fn an_ack_that_is_due_goes_first() {
        let mut half = started(Memory::default(), MIRROR);
        half.receive("01").unwrap();
        half.remove_channel();
        assert_eq!(half.outline(), ["Ack", "ChannelRemoved"]);
        let mut half = started(Memory::default(), MIRROR);
        half.receive("03").unwrap();
        half.remove_channel();
        assert_eq!(half.outline(), ["Ack"], "P29: Stop has won");
        assert!(half.is_ended());
    }

    #[test]
    fn nothing_of_the_next_channel_is_told() {
        let mut half = started(Memory::default(), SUSPENDED);
        half.put(1, "old");
        half.remove_channel();
        half.put(1, "new");
        half.receive("02").unwrap();
        half.node.tick();
        assert_eq!(half.outline(), ["Ack", "ChannelRemoved"], "P61, F04");
    }
}

mod client {
    use super::*;

    fn running() -> Streaming<Client> {
        let settings = Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        };
        let mut request = Streaming::new(Client::new("c".into(), settings));
        request.connected(node(1), &mut Vec::new());
        for message in ["fd", "05"] {
            request.receive(node(1), &hex(message), &mut Vec::new());
        }
        request
    }

    #[test]
    fn what_the_node_tells_reaches_the_user() {
        let (mut request, mut effects) = (running(), Vec::new());
        for message in [
            "07 0100000000000000 0300000000000000 6e6577",
            "08 0200000000000000",
            "09 1f00000000000000 1300000000000000 24 0a00000000000000 0300000000000000 666f6f 110000",
            "0b",
            "0a",
        ] {
            request.receive(node(1), &hex(message), &mut effects);
        }
        let items = [
            Item::Updated(Key(1), "new".into()),
            Item::Deleted(Key(2)),
            Item::Refreshed(Key(10), "foo".into()),
            Item::UpdatesLost,
            Item::ChannelRemoved,
        ];
        let mut expected: Vec<_> = items
            .into_iter()
            .map(|item| Notification::Item(node(1), item))
            .collect();
        expected.push(Notification::Finished);
        assert_eq!(told(&effects), expected);
        assert_eq!(sent(&effects), [(node(1), hex("04"))], "P32");
    }

    #[test]
    fn after_a_reconnection_it_says_the_same_again() {
        let (mut request, mut effects) = (running(), Vec::new());
        request.disconnected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        assert_eq!(sent(&effects), [(node(1), hex(MIRROR))]);
        request.control(Control::Stop, &mut effects).unwrap();
    }

    #[test]
    fn a_batch_that_is_none_closes_the_connection_and_nothing_else() {
        for bad in [
            "09 0300000000000000 110000",
            "09 0b00000000000000 0100000000000000 110000",
        ] {
            let (mut request, mut effects) = (running(), Vec::new());
            request.receive(node(1), &hex(bad), &mut effects);
            assert_eq!(closed(&effects), [node(1)], "{bad} (F42)");
            assert!(!request.is_ended());
        }
    }
}
