//! GetAll: bytes, the node's half, and what the client's half adds to `Streaming`.

mod control;
mod turns;

use super::*;
use crate::neo::request::control::Control;
use crate::neo::request::stream::{Notification, Streaming};
use crate::testing::talk::{closed, sent, told};
use crate::testing::{Half, Memory, hex, node, open};

const ALL: &str = "05 00 00 0100000000000000 63 00 0000000000000000 00 0000000000000000";

/// A GetAll of the channel "c".
fn open_all() -> Open {
    Open {
        start_suspended: false,
        channel: "c".into(),
        continue_from: None,
        settings: Settings::default(),
    }
}

fn text(open: &Open) -> String {
    let bytes = open.encode();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(memory: Memory, open: &Open) -> Half<Node> {
    Half::open(memory, &text(open))
}

/// The keys in batches of records; everything else by its name.
fn outline(said: &[Vec<u8>]) -> Vec<String> {
    let outline = |message: &Vec<u8>| match FromNode::decode(message).unwrap() {
        FromNode::RecordBatch(block) => {
            let records = batch::decode_records(&block).unwrap();
            let keys = records.iter().map(|(key, _)| format!(" {}", key.0));
            format!("batch{}", keys.collect::<String>())
        }
        other => format!("{other:?}"),
    };
    said.iter().map(outline).collect()
}

fn keys(said: &[Vec<u8>], keys_only: bool) -> Vec<u64> {
    let batches = said.iter().filter_map(|message| {
        let FromNode::RecordBatch(block) = FromNode::decode(message).unwrap() else {
            return None;
        };
        Some(match keys_only {
            true => batch::decode_keys(&block).unwrap(),
            false => batch::decode_records(&block)
                .unwrap()
                .into_iter()
                .map(|(key, _)| key)
                .collect(),
        })
    });
    batches.flatten().map(|key| key.0).collect()
}

mod bytes_on_the_wire {
    use super::*;

    #[test]
    fn first_messages() {
        assert_eq!(open_all().encode(), hex(ALL));
        let resumed = Open {
            continue_from: Some(Key(12)),
            ..open_all()
        };
        assert_eq!(
            resumed.encode(),
            hex("05 00 00 0100000000000000 63 01 0c00000000000000 00 0000000000000000")
        );
        let everything = Open {
            start_suspended: true,
            settings: Settings {
                keys_only: true,
                value_filter: "ab".into(),
            },
            ..open_all()
        };
        assert_eq!(
            everything.encode(),
            hex("05 00 01 0100000000000000 63 00 0000000000000000 01 0200000000000000 6162")
        );
        for open in [open_all(), resumed, everything] {
            assert_eq!(Open::decode(&open.encode()[2..]), Ok(open));
        }
        let ignored = hex("05 00 00 0100000000000000 63 00 ffffffffffffffff 00 0000000000000000");
        assert_eq!(Open::decode(&ignored[2..]), Ok(open_all()));
    }

    #[test]
    fn the_node_s_messages() {
        let batch = hex(
            "1d00000000000000 2e 0800000000000000 0200000000000000 0500000000000000 776f726c64 110000",
        );
        for (message, bytes) in [
            (FromNode::Ack, "04".to_owned()),
            (FromNode::Started, "05".to_owned()),
            (FromNode::Error, "06".to_owned()),
            (
                FromNode::RecordBatch(batch.into()),
                "07 2900000000000000 1d00000000000000 2e 0800000000000000 0200000000000000 \
                 0500000000000000 776f726c64 110000"
                    .to_owned(),
            ),
            (FromNode::Finished, "08".to_owned()),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(out, hex(&bytes));
            assert_eq!(FromNode::decode(&out), Ok(message));
        }
        for bad in ["", "00", "01", "09", "0800", "07", "07 0100000000000000"] {
            assert!(FromNode::decode(&hex(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn malformed_first_messages_are_violations() {
        for bad in [
            &ALL[..ALL.len() - 2],
            &format!("{ALL} 00"),
            "05 00 02 0100000000000000 63 00 0000000000000000 00 0000000000000000",
            "05 00",
        ] {
            let mut memory = Memory::default();
            assert!(open::<Node>(&mut memory, bad).is_err(), "{bad}");
            assert_eq!(memory.names(), [""; 0]);
        }
    }
}

mod iteration {
    use super::*;

    #[test]
    fn an_empty_channel_gives_an_empty_batch() {
        let mut half = run(Memory::default(), &open_all());
        let empty = hex("07 0b00000000000000 0000000000000000 110000");
        assert_eq!(half.say(), [hex("05"), empty, hex("08")]);
        assert_eq!(half.memory.names(), ["c"], "reading creates the channel");
        assert!(!half.is_ended(), "the client's Ack is awaited");
        half.receive("04").unwrap();
        assert!(half.is_ended());
    }

    #[test]
    fn every_record_comes_once_in_full_batches() {
        let mut memory = Memory::default();
        for key in 0..300 {
            memory.store("c", key, vec![b'x'; 1000]);
        }
        let said = run(memory, &open_all()).say();
        assert_eq!(keys(&said, false), Vec::from_iter(0..300));
        assert_eq!(said.len(), 1 + 5 + 1, "64 records of 1024 bytes a batch");
    }

    #[test]
    fn keys_alone() {
        let memory = Memory::with("c", [(1, "one"), (2, "two")]);
        let mut open = open_all();
        open.settings.keys_only = true;
        let said = run(memory, &open).say();
        assert_eq!(keys(&said, true), [1, 2]);
        assert_eq!(said.len(), 3);

        let single = run(Memory::with("c", [(2, "world")]), &open).say();
        assert_eq!(
            single[1],
            hex("07 1c00000000000000 1000000000000000 21 0800000000000000 0200000000000000 110000")
        );
    }

    #[test]
    fn the_filter_looks_at_values_even_if_only_keys_are_wanted() {
        for keys_only in [false, true] {
            let memory = Memory::with("c", [(1, "xaby"), (2, "a-b"), (3, "ab"), (4, "")]);
            let mut open = open_all();
            open.settings = Settings {
                keys_only,
                value_filter: "ab".into(),
            };
            assert_eq!(keys(&run(memory, &open).say(), keys_only), [1, 3]);
        }
    }

    #[test]
    fn a_value_that_no_batch_holds_is_left_out_and_its_key_is_not() {
        for (keys_only, expected) in [(false, vec![1, 3]), (true, vec![1, 2, 3])] {
            let mut memory = Memory::with("c", [(3, "three")]);
            memory.store("c", 1, vec![0; 65_512]);
            memory.store("c", 2, vec![0; 65_513]);
            let mut open = open_all();
            open.settings.keys_only = keys_only;
            assert_eq!(keys(&run(memory, &open).say(), keys_only), expected, "P52");
        }
    }

    #[test]
    fn continuing_begins_behind_a_key_that_may_be_gone() {
        let open = Open {
            continue_from: Some(Key(2)),
            ..open_all()
        };
        let memory = Memory::with("c", [(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!(keys(&run(memory.clone(), &open).say(), false), [3]);
        let mut without = memory;
        without.erase("c", 2);
        assert_eq!(keys(&run(without, &open).say(), false), [3], "F08");
    }

    #[test]
    fn a_node_that_cannot_open_the_channel_says_so() {
        let mut half = run(Memory::broken(), &open_all());
        assert_eq!(half.say(), [[6]]);
        assert!(half.is_ended());
    }
}

mod concurrent_changes {
    use super::*;

    /// Suspended before the first record of 1 to 6.
    fn suspended() -> Half<Node> {
        let memory = Memory::with("c", (1..=6).map(|key| (key, "then")));
        let mut half = run(
            memory,
            &Open {
                start_suspended: true,
                ..open_all()
            },
        );
        half.say();
        half
    }

    fn resume(half: &mut Half<Node>) -> Vec<Vec<u8>> {
        half.receive("02").unwrap();
        half.say()
    }

    #[test]
    fn removed_records_take_no_others_with_them() {
        let mut half = suspended();
        half.memory.erase("c", 1);
        half.memory.erase("c", 4);
        assert_eq!(keys(&resume(&mut half), false), [2, 3, 5, 6], "F06");
    }

    #[test]
    fn the_last_record_that_was_sent_may_be_removed() {
        let mut half = suspended();
        half.memory.store("c", 1, vec![0; 65_512]);
        half.receive("02").unwrap();
        assert_eq!(
            outline(&[half.next().unwrap(), half.next().unwrap()])[1],
            "batch 1"
        );
        half.memory.erase("c", 1);
        let mut other = run(half.memory.clone(), &open_all());
        assert_eq!(keys(&other.say(), false), [2, 3, 4, 5, 6]);
        assert_eq!(keys(&half.say(), false), [2, 3, 4, 5, 6], "P44, F06, F07");
    }

    #[test]
    fn values_are_of_the_time_when_they_are_sent() {
        let mut half = suspended();
        half.memory.store("c", 3, "now");
        let said = resume(&mut half);
        let FromNode::RecordBatch(block) = FromNode::decode(&said[1]).unwrap() else {
            panic!("{said:?}");
        };
        let records = batch::decode_records(&block).unwrap();
        assert_eq!(records[2], (Key(3), "now".into()));
    }

    #[test]
    fn a_channel_that_was_removed_has_no_records_and_no_successor() {
        let mut half = suspended();
        half.memory.remove_channel(&"c".into()).unwrap();
        half.memory.store("c", 9, "of the new channel");
        assert_eq!(
            outline(&resume(&mut half)),
            ["Ack", "batch", "Finished"],
            "F04"
        );
    }
}

mod client {
    use super::*;

    fn started() -> Streaming<Client> {
        let mut request = Streaming::new(Client::new("c".into(), Settings::default()));
        request.connected(node(1), &mut Vec::new());
        for message in ["fd", "05"] {
            request.receive(node(1), &hex(message), &mut Vec::new());
        }
        request
    }

    fn batch_of(keys: &[u64]) -> Vec<u8> {
        let (mut batch, mut out) = (GetAllBatch::default(), Vec::new());
        for key in keys {
            batch.push(Key(*key), b"v");
        }
        FromNode::RecordBatch(batch.finish().into()).encode(&mut out);
        out
    }

    #[test]
    fn records_then_finished_and_one_ack() {
        let (mut request, mut effects) = (started(), Vec::new());
        request.receive(node(1), &batch_of(&[1, 2]), &mut effects);
        request.receive(node(1), &batch_of(&[]), &mut effects);
        request.receive(node(1), &hex("08"), &mut effects);
        let record = |key| Notification::Item(node(1), Item::Record(Key(key), "v".into()));
        assert_eq!(
            told(&effects),
            [record(1), record(2), Notification::Finished]
        );
        assert_eq!(sent(&effects), [(node(1), hex("04"))], "P32");
    }

    #[test]
    fn keys_alone() {
        let settings = Settings {
            keys_only: true,
            ..Settings::default()
        };
        let (mut client, mut items) = (Client::new("c".into(), settings), Vec::new());
        let batch =
            hex("07 1c00000000000000 1000000000000000 21 0800000000000000 0200000000000000 110000");
        let data = client.receive(&mut None, &batch, &mut items);
        assert_eq!((data, items), (Ok(Data::Items), vec![Item::Key(Key(2))]));
    }

    #[test]
    fn after_a_reconnection_it_goes_on_behind_the_last_record() {
        for (batches, expected) in [
            (vec![], None),
            (vec![batch_of(&[])], None),
            (vec![batch_of(&[5, 3])], Some(Key(3))),
            (vec![batch_of(&[7]), batch_of(&[])], Some(Key(7))),
        ] {
            let (mut request, mut effects) = (started(), Vec::new());
            for batch in &batches {
                request.receive(node(1), batch, &mut effects);
            }
            request.disconnected(node(1), &mut effects);
            request.connected(node(1), &mut effects);
            let (_, opening) = sent(&effects).pop().unwrap();
            let opening = Open::decode(&opening[2..]).unwrap();
            assert_eq!(opening.continue_from, expected, "P51, F45");
            assert!(!opening.start_suspended);
        }
    }

    #[test]
    fn a_suspended_one_starts_suspended_on_a_new_connection() {
        let (mut request, mut effects) = (started(), Vec::new());
        request.control(Control::Suspend, &mut effects).unwrap();
        request.receive(node(1), &hex("04"), &mut effects);
        request.connected(node(2), &mut effects);
        let (_, opening) = sent(&effects).pop().unwrap();
        assert!(Open::decode(&opening[2..]).unwrap().start_suspended, "P40");
    }

    #[test]
    fn a_batch_that_is_none_closes_the_connection_and_nothing_else() {
        for bad in [
            "07 0000000000000000",
            "07 0b00000000000000 0100000000000000 110000",
            "07 0b00000000000000 ffffffffffffffff 110000",
            "07 0300000000000000 110000",
            "07 ff00000000000000",
        ] {
            let (mut request, mut effects) = (started(), Vec::new());
            request.receive(node(1), &hex(bad), &mut effects);
            assert_eq!(closed(&effects), [node(1)], "{bad} (F43)");
            assert_eq!(told(&effects), []);
            assert!(!request.is_ended());
        }
    }
}
