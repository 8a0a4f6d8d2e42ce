//! Update: bytes, the node's half, the client's half.

mod node_half;

use super::*;
use crate::HashRange;
use crate::key::{Key, fnv1a};
use crate::neo::request::{Effect, RecordName, SupportedStatus};
use crate::testing::talk::{closed, sent, told};
use crate::testing::{Half, Memory, hex, node, open, said};

const GET: &str = "0a 00 01 0100000000000000 63 0000000000000000";
const SET: &str = "0a 00 02 0100000000000000 63 0000000000000000 \
                   8d705df679e6353b 0800000000000000 4e455756414c5545";
/// UpdateRecord as the second message: from "oldval" to "NEWVALUE".
const WRITE: &str = "02 8d705df679e6353b 0800000000000000 4e455756414c5545";
/// RecordValue "oldval".
const OLD: &str = "05 0600000000000000 6f6c6476616c";

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(0),
    }
}

fn replacement() -> Replacement {
    Replacement {
        original_hash: fnv1a(b"oldval"),
        new_value: "NEWVALUE".into(),
    }
}

mod bytes_on_the_wire {
    use super::*;

    #[test]
    fn the_examples_of_the_specification() {
        for (open, bytes) in [
            (Open::GetRecord(record()), GET),
            (Open::UpdateRecord(record(), replacement()), SET),
        ] {
            assert_eq!(open.encode(), hex(bytes));
            assert_eq!(Open::decode(&hex(bytes)[2..]), Ok(open));
        }
        for (message, bytes) in [
            (FromClient::UpdateRecord(replacement()), WRITE),
            (FromClient::RemoveRecord, "03"),
            (FromClient::LeaveRecord, "04"),
        ] {
            assert_eq!(message.encode(), hex(bytes));
            assert_eq!(FromClient::decode(&hex(bytes)), Ok(message));
        }
        for (message, bytes) in [
            (FromNode::RecordValue("oldval".into()), OLD),
            (FromNode::Ok, "06"),
            (FromNode::NoRecord, "07"),
            (FromNode::UpdateConflict, "08"),
            (FromNode::WrongNode, "09"),
            (FromNode::Error, "0a"),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(out, hex(bytes));
            assert_eq!(FromNode::decode(&out), Ok(message));
        }
        for bad in ["", "00", "01", "04", "05", "0b", "0600"] {
            assert!(FromNode::decode(&hex(bad)).is_err(), "{bad}");
        }
        for bad in ["", "00", "01", "02", "05", &format!("{WRITE} 00")] {
            assert!(FromClient::decode(&hex(bad)).is_err(), "{bad}");
        }
    }
}

/// An update under test and what it has done.
struct Scenario {
    client: Client,
    effects: Vec<Effect<Notification>>,
}

impl Scenario {
    /// Nodes 1 to `nodes` cover the key, 1 is the newest.
    fn start(nodes: u16) -> Self {
        let mut effects = Vec::new();
        let client = Client::start(record(), (1..=nodes).map(node), &mut effects);
        Self { client, effects }
    }

    /// The record was found on node `holder` of `nodes`; what was done so far is forgotten.
    fn deciding(nodes: u16, holder: u16) -> Self {
        let mut it = Self::start(nodes);
        for port in 1..holder {
            it.hear(port, "fd").hear(port, "07");
        }
        it.hear(holder, "fd").hear(holder, OLD);
        let received = Notification::Received("oldval".into());
        assert_eq!(told(&it.effects), [received]);
        it.effects.clear();
        it
    }

    fn hear(&mut self, port: u16, message: &str) -> &mut Self {
        let effects = &mut self.effects;
        self.client.receive(node(port), &hex(message), effects);
        self
    }

    fn down(&mut self, port: u16) -> &mut Self {
        self.client.disconnected(node(port), &mut self.effects);
        self
    }

    fn decide(&mut self, decision: Decision) -> &mut Self {
        self.client.decide(decision, &mut self.effects);
        self
    }

    fn replace(&mut self) -> &mut Self {
        self.decide(Decision::Replace("NEWVALUE".into()))
    }

    fn timed_out(&mut self) -> &mut Self {
        self.client.timed_out(&mut self.effects);
        self
    }

    /// Nothing was sent but this, and the connections are as they were.
    fn sent(&mut self, expected: &[(u16, &str)]) -> &mut Self {
        let expected: Vec<_> = expected
            .iter()
            .map(|(port, message)| (node(*port), hex(message)))
            .collect();
        assert_eq!(sent(&self.effects), expected);
        assert_eq!(closed(&self.effects), []);
        self
    }

    /// The user was told the end and nothing else; nothing can happen any more.
    fn ended(&mut self, expected: Result<Updated, Failure>) {
        assert_eq!(told(&self.effects), [Notification::Ended(expected)]);
        assert!(self.client.is_ended());
        self.silent_ever_after();
    }

    fn silent_ever_after(&mut self) {
        let before = self.effects.clone();
        for port in 1..4 {
            for message in ["fd", "06", OLD, ""] {
                self.hear(port, message);
            }
            self.down(port);
        }
        self.replace().timed_out();
        assert_eq!(self.effects, before, "P06, P08");
    }

    fn violated(&mut self, port: u16) {
        assert_eq!(closed(&self.effects), [node(port)]);
        let told = told(&self.effects);
        assert!(
            matches!(
                told[..],
                [Notification::Ended(Err(Failure::Violation { .. }))]
            ),
            "{told:?}"
        );
        assert!(self.client.is_ended());
        self.silent_ever_after();
    }
}

mod reading {
    use super::*;

    #[test]
    fn from_the_newest_node_that_has_it() {
        Scenario::start(0).ended(Err(Failure::NoNode));

        let mut it = Scenario::start(3);
        it.sent(&[(1, GET)]);
        it.hear(1, "fd").hear(1, "07").sent(&[(1, GET), (2, GET)]);
        it.hear(2, "fd").hear(2, OLD).sent(&[(1, GET), (2, GET)]);
        let received = Notification::Received("oldval".into());
        assert_eq!(told(&it.effects), [received], "P77");

        let mut it = Scenario::start(2);
        for port in 1..3 {
            it.hear(port, "fd").hear(port, "07");
        }
        it.ended(Ok(Updated::NoRecord));
    }

    #[test]
    fn failures_end_it() {
        let node = node(1);
        let mut it = Scenario::start(2);
        it.hear(1, "fd").hear(1, "09");
        it.ended(Err(Failure::WrongNode { node }));
        let mut it = Scenario::start(2);
        it.hear(1, "fd").hear(1, "0a");
        it.ended(Err(Failure::NodeError { node }));
        let mut it = Scenario::start(2);
        it.hear(1, "ff");
        let status = SupportedStatus::NotSupported;
        it.ended(Err(Failure::Unsupported { node, status }));
    }

    #[test]
    fn a_node_that_cannot_be_reached_may_have_it() {
        for heard in [&[][..], &["fd"]] {
            let mut it = Scenario::start(2);
            for message in heard {
                it.hear(1, message);
            }
            let node = node(1);
            it.down(2).down(1).sent(&[(1, GET)]);
            it.ended(Err(Failure::Disconnected { node }));
        }
        let mut it = Scenario::start(2);
        it.hear(1, "fd").hear(1, "07").down(2);
        let node = node(2);
        it.ended(Err(Failure::Disconnected { node }));
    }

    #[test]
    fn a_node_that_breaks_the_protocol_is_closed() {
        for bad in ["", "00", "fdfd"] {
            Scenario::start(1).hear(1, bad).violated(1);
        }
        for bad in ["", "00", "05", "06", "08", "0b"] {
            Scenario::start(1).hear(1, "fd").hear(1, bad).violated(1);
        }
        for bad in [OLD, "06", "07", "08", "09", "0a", ""] {
            Scenario::deciding(1, 1).hear(1, bad).violated(1);
        }
    }
}

mod deciding {
    use super::*;

    #[test]
    fn a_new_value_is_written_where_the_record_is() {
        let node = node(1);
        for (answer, outcome) in [
            ("06", Ok(Updated::Done)),
            ("08", Ok(Updated::Conflict)),
            ("09", Err(Failure::WrongNode { node })),
            ("0a", Err(Failure::NodeError { node })),
        ] {
            let mut it = Scenario::deciding(2, 1);
            it.replace().sent(&[(1, WRITE)]);
            it.hear(1, answer).sent(&[(1, WRITE)]);
            it.ended(outcome);
        }
        let mut it = Scenario::deciding(1, 1);
        it.replace().down(1);
        it.ended(Err(Failure::Disconnected { node }));
        Scenario::deciding(1, 1).replace().hear(1, OLD).violated(1);
    }

    #[test]
    fn leaving_and_deleting() {
        for holder in 1..3 {
            let mut it = Scenario::deciding(2, holder);
            it.decide(Decision::Leave).sent(&[(holder, "04")]);
            it.hear(holder, "06");
            it.ended(Ok(Updated::Done));
            let mut it = Scenario::deciding(2, holder);
            it.decide(Decision::Delete).sent(&[(holder, "03")]);
            it.hear(holder, "06");
            it.ended(Ok(Updated::Done));
        }
    }

    #[test]
    fn the_connection_may_break_before_the_decision() {
        let mut it = Scenario::deciding(1, 1);
        it.down(1);
        let node = node(1);
        it.ended(Err(Failure::Disconnected { node }));
    }
}

mod moving {
    use super::*;

    fn asked() -> Scenario {
        let mut it = Scenario::deciding(2, 2);
        it.replace().sent(&[(1, SET)]);
        it.effects.clear();
        it
    }

    #[test]
    fn the_old_copy_goes_when_the_new_one_is_stored() {
        let mut it = asked();
        it.hear(1, "fd").sent(&[]).hear(1, "06").sent(&[(2, "03")]);
        it.hear(2, "06").sent(&[(2, "03")]);
        it.ended(Ok(Updated::Done));
    }

    #[test]
    fn the_old_copy_stays_when_the_new_one_could_not_be_stored() {
        let node = node(1);
        let status = SupportedStatus::VersionNotSupported;
        for (answers, outcome) in [
            (&["fd", "08"][..], Ok(Updated::Conflict)),
            (&["fd", "09"], Err(Failure::WrongNode { node })),
            (&["fd", "0a"], Err(Failure::NodeError { node })),
            (&["fe"], Err(Failure::Unsupported { node, status })),
        ] {
            // Whatever the old node says to it, or if its connection breaks.
            for farewell in [Some("06"), Some("0a"), Some("08"), None] {
                let mut it = asked();
                for answer in answers {
                    it.hear(1, answer);
                }
                it.sent(&[(2, "04")]);
                match farewell {
                    Some(answer) => it.hear(2, answer),
                    None => it.down(2),
                };
                it.sent(&[(2, "04")]);
                it.ended(outcome.clone());
            }
        }
        for heard in [&[][..], &["fd"]] {
            let mut it = asked();
            for message in heard {
                it.hear(1, message);
            }
            it.down(1).sent(&[(2, "04")]).hear(2, "06");
            it.ended(Err(Failure::Disconnected { node }));
        }
    }

    #[test]
    fn the_old_node_is_brought_to_an_end_whatever_the_new_one_says() {
        for bad in [&["00"][..], &[""], &["fd", "07"], &["fd", OLD], &["fd", ""]] {
            let mut it = asked();
            for message in bad {
                it.hear(1, message);
            }
            it.sent(&[(2, "04")]).hear(2, "06");
            let told = told(&it.effects);
            assert!(
                matches!(
                    told[..],
                    [Notification::Ended(Err(Failure::Violation { .. }))]
                ),
                "P76: {told:?}"
            );
        }
    }

    #[test]
    fn the_old_node_has_nothing_to_say_meanwhile() {
        asked().hear(2, "06").violated(2);
        let mut it = asked();
        it.down(2);
        let node = node(2);
        it.ended(Err(Failure::Disconnected { node }));
    }

    #[test]
    fn an_old_node_that_cannot_remove_its_copy_fails_it() {
        let mut it = asked();
        it.hear(1, "fd").hear(1, "06").hear(2, "0a");
        let node = node(2);
        it.ended(Err(Failure::NodeError { node }));
    }
}

mod giving_up {
    use super::*;

    /// The user has been told, but a node may still ask.
    fn given_up(it: &mut Scenario) {
        let ended = Notification::Ended(Err(Failure::TimedOut));
        assert_eq!(told(&it.effects), [ended]);
        assert!(!it.client.is_ended());
        it.effects.clear();
    }

    #[test]
    fn a_node_that_asks_too_late_is_told_to_leave_the_record() {
        for heard in [&[][..], &["fd"]] {
            let mut it = Scenario::start(1);
            for message in heard {
                it.hear(1, message);
            }
            it.timed_out();
            given_up(&mut it);
            for message in ["fd", OLD].iter().skip(heard.len()) {
                it.hear(1, message);
            }
            it.sent(&[(1, "04")]);
            assert_eq!(told(&it.effects), [], "P76");
            assert!(it.client.is_ended());
            it.silent_ever_after();
        }
    }

    #[test]
    fn a_node_that_has_nothing_to_ask_is_left_alone() {
        for last in ["07", "09", "0a"] {
            let mut it = Scenario::start(2);
            it.hear(1, "fd").timed_out();
            given_up(&mut it);
            it.hear(1, last).sent(&[]);
            assert!(it.client.is_ended());
        }
        let mut it = Scenario::start(1);
        it.timed_out();
        given_up(&mut it);
        it.hear(1, "ff").sent(&[]);
        assert!(it.client.is_ended());
        let mut it = Scenario::start(1);
        it.timed_out().down(1);
        assert!(it.client.is_ended());
    }

    #[test]
    fn what_a_node_believes_that_breaks_the_protocol_is_unknown() {
        for bad in [&["00"][..], &[""], &["fd", "00"], &["fd", ""]] {
            let mut it = Scenario::start(1);
            it.timed_out();
            given_up(&mut it);
            for message in bad {
                it.hear(1, message);
            }
            assert_eq!(closed(&it.effects), [node(1)], "{bad:?} (P76)");
            assert_eq!(told(&it.effects), []);
            assert!(it.client.is_ended());
        }
    }

    #[test]
    fn a_node_that_is_not_asked_has_nothing_to_say() {
        let mut it = Scenario::start(2);
        it.hear(2, "fd");
        assert_eq!(it.client.phase(), "AwaitSupported");
        it.timed_out().hear(2, "ff");
        assert_eq!(it.client.phase(), "Abandoned");
    }

    #[test]
    fn a_node_that_waits_is_told_at_once() {
        let mut it = Scenario::deciding(1, 1);
        it.timed_out().sent(&[(1, "04")]);
        it.ended(Err(Failure::TimedOut));

        let mut it = Scenario::deciding(2, 2);
        it.replace().timed_out().sent(&[(1, SET), (2, "04")]);
        it.ended(Err(Failure::TimedOut));

        let mut it = Scenario::deciding(1, 1);
        it.replace().timed_out().sent(&[(1, WRITE)]);
        it.ended(Err(Failure::TimedOut));
    }
}
