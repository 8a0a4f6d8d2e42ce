//! The scenarios of `neo-requests.md` 2.8 and 15.3, with a GetAll and up to three nodes.

use super::*;
use crate::neo::request::get_all;
use crate::testing::talk::{closed, outline, sent, told};
use crate::testing::{hex, node};

/// A GetAll under test and what it has done since it was last looked at.
struct Scenario {
    request: Streaming<get_all::Client>,
    effects: Effects<get_all::Client>,
}

impl Scenario {
    /// Nodes 1 to `nodes` are known.
    fn with_nodes(nodes: u16) -> Self {
        let client = get_all::Client::new("c".into(), get_all::Settings::default());
        let mut request = Streaming::new(client);
        for port in 1..=nodes {
            request.add_node(node(port));
        }
        let effects = Vec::new();
        Self { request, effects }
    }

    /// Nodes 1 to `nodes` have started.
    fn running(nodes: u16) -> Self {
        let mut scenario = Self::with_nodes(nodes);
        for port in 1..=nodes {
            scenario.up(port);
        }
        for port in 1..=nodes {
            scenario.hear(port, "fd");
            scenario.hear(port, "05");
        }
        assert_eq!(scenario.seen().last().unwrap(), "Started");
        scenario
    }

    fn up(&mut self, port: u16) -> &mut Self {
        self.request.connected(node(port), &mut self.effects);
        self
    }

    fn down(&mut self, port: u16) -> &mut Self {
        self.request.disconnected(node(port), &mut self.effects);
        self
    }

    fn hear(&mut self, port: u16, message: &str) -> &mut Self {
        let effects = &mut self.effects;
        self.request.receive(node(port), &hex(message), effects);
        self
    }

    fn want(&mut self, control: Control) -> &mut Self {
        self.request.control(control, &mut self.effects).unwrap();
        self
    }

    fn refuses(&mut self, control: Control, error: ControlError) -> &mut Self {
        let before = self.effects.clone();
        let refusal = self.request.control(control, &mut self.effects);
        assert_eq!(refusal, Err(error));
        assert_eq!(self.effects, before);
        self
    }

    /// What has happened since the last call.
    fn seen(&mut self) -> Vec<String> {
        outline(&std::mem::take(&mut self.effects))
    }
}

/// A batch with the record 2.
const RECORD_2: &str = "07 2900000000000000 1d00000000000000 2e 0800000000000000 \
                        0200000000000000 0500000000000000 776f726c64 110000";

mod start {
    use super::*;

    #[test]
    fn every_node_that_is_connected_must_have_begun() {
        let mut it = Scenario::with_nodes(3);
        it.up(1).up(2).hear(1, "fd").hear(1, "05");
        assert_eq!(it.seen(), ["1: GetAll", "2: GetAll"]);
        it.hear(2, "fd");
        assert_eq!(it.seen(), [""; 0]);
        it.hear(2, "05");
        assert_eq!(it.seen(), ["Started"], "the third is not connected");
        it.up(3).hear(3, "fd").hear(3, "05");
        assert_eq!(it.seen(), ["3: GetAll"], "given once (P38)");
    }

    #[test]
    fn a_node_that_cannot_begin_is_not_waited_for() {
        let mut it = Scenario::with_nodes(2);
        it.up(1).up(2).hear(1, "fd").hear(1, "05").seen();
        it.hear(2, "fd").hear(2, "06");
        assert_eq!(it.seen(), ["2 failed", "Started"]);

        let mut it = Scenario::with_nodes(1);
        it.up(1).hear(1, "fe");
        let seen = it.seen();
        assert!(seen[1].starts_with("Unsupported"), "{seen:?}");
        assert_eq!(seen[2..], ["Finished"], "P50");
        assert!(it.request.is_ended());
    }

    #[test]
    fn a_node_that_goes_away_while_it_is_opened_is_not_waited_for() {
        let mut it = Scenario::with_nodes(2);
        it.up(1)
            .up(2)
            .hear(1, "fd")
            .hear(1, "05")
            .hear(2, "fd")
            .seen();
        it.down(2);
        assert_eq!(it.seen(), ["2 disconnected", "Started"]);
    }

    #[test]
    fn without_a_node_it_waits_for_one() {
        let mut it = Scenario::with_nodes(0);
        it.down(1).hear(1, "08");
        assert_eq!(it.seen(), [""; 0]);
        it.up(1).hear(1, "fd").hear(1, "05");
        assert_eq!(it.seen(), ["1: GetAll", "Started"]);
    }
}

mod change {
    use super::*;

    #[test]
    fn it_is_made_when_every_node_has_acknowledged_it() {
        let mut it = Scenario::running(2);
        it.want(Control::Suspend);
        assert_eq!(it.seen(), ["1: Suspend", "2: Suspend"]);
        it.hear(1, "04");
        assert_eq!(it.seen(), [""; 0]);
        it.refuses(Control::Resume, ControlError::Busy);
        it.hear(2, RECORD_2).hear(2, "04");
        assert_eq!(it.seen(), ["record 2 of 2", "Suspended"]);
        it.want(Control::Resume).hear(2, "04").hear(1, "04");
        assert_eq!(it.seen(), ["1: Resume", "2: Resume", "Resumed"]);
    }

    #[test]
    fn the_same_change_twice_is_told_twice() {
        let mut it = Scenario::running(1);
        for _ in 0..2 {
            it.want(Control::Suspend).hear(1, "04");
            assert_eq!(it.seen(), ["1: Suspend", "Suspended"], "P37");
        }
    }

    #[test]
    fn it_is_remembered_while_a_node_is_being_opened() {
        for heard in 0..2 {
            let mut it = Scenario::with_nodes(1);
            it.up(1);
            for message in ["fd", "05"].iter().take(heard) {
                it.hear(1, message);
            }
            it.seen();
            it.want(Control::Suspend);
            assert_eq!(it.seen(), [""; 0], "P39, F30: nothing is closed");
            for message in ["fd", "05"].iter().skip(heard) {
                it.hear(1, message);
            }
            assert_eq!(it.seen(), ["1: Suspend", "Started"]);
            it.hear(1, "04");
            assert_eq!(it.seen(), ["Suspended"]);
        }
    }

    #[test]
    fn one_that_was_not_sent_yet_is_superseded_by_the_next() {
        let mut it = Scenario::with_nodes(1);
        it.up(1).hear(1, "fd").seen();
        it.want(Control::Suspend);
        it.want(Control::Stop);
        it.hear(1, "05");
        assert_eq!(
            it.seen(),
            ["1: Stop", "Started"],
            "15.3: nothing awaits an Ack"
        );
        it.hear(1, "04");
        assert_eq!(it.seen(), ["Stopped"]);
    }

    #[test]
    fn without_a_connected_node_it_is_made_at_once() {
        let mut it = Scenario::with_nodes(2);
        it.want(Control::Suspend);
        assert_eq!(it.seen(), ["Started", "Suspended"], "in this order (P38)");
        it.up(1).up(2);
        assert_eq!(it.seen(), ["1: GetAll suspended", "2: GetAll suspended"]);
        it.hear(1, "fd").hear(1, "05").hear(2, "fd").hear(2, "05");
        assert_eq!(it.seen(), [""; 0], "Started was told");
        it.want(Control::Resume);
        assert_eq!(it.seen(), ["1: Resume", "2: Resume"]);
    }

    #[test]
    fn a_drop_before_the_ack_does_not_hold_it_up() {
        let mut it = Scenario::running(2);
        it.want(Control::Suspend).hear(1, "04").seen();
        it.down(2);
        assert_eq!(it.seen(), ["2 disconnected", "Suspended"], "P37, F32");
        it.up(2);
        assert_eq!(it.seen(), ["2: GetAll suspended"], "P40");
    }

    #[test]
    fn it_reaches_a_node_that_was_away() {
        let mut it = Scenario::running(2);
        it.down(2).want(Control::Suspend).hear(1, "04");
        assert_eq!(it.seen(), ["2 disconnected", "1: Suspend", "Suspended"]);
        it.up(2).hear(2, "fd").want(Control::Resume).hear(1, "04");
        assert_eq!(it.seen(), ["2: GetAll suspended", "1: Resume"]);
        it.hear(2, "05").hear(2, "04");
        assert_eq!(
            it.seen(),
            ["2: Resume", "Resumed"],
            "the node is not forgotten"
        );
    }

    #[test]
    fn a_node_that_fails_while_it_is_opened_does_not_hold_it_up() {
        let mut it = Scenario::running(1);
        it.up(2).want(Control::Suspend).hear(1, "04").seen();
        it.hear(2, "fd").hear(2, "06");
        assert_eq!(it.seen(), ["2 failed", "Suspended"]);
    }

    #[test]
    fn finished_that_crosses_it_takes_its_place() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).hear(1, "08");
        assert_eq!(
            it.seen(),
            ["1: Suspend", "1: Ack", "Finished"],
            "one Ack (P32)"
        );

        let mut it = Scenario::running(2);
        it.want(Control::Suspend).hear(1, "08").seen();
        it.hear(2, "04");
        assert_eq!(it.seen(), ["Suspended"]);
        it.want(Control::Resume).hear(2, "04").hear(2, "08");
        assert_eq!(it.seen(), ["2: Resume", "Resumed", "2: Ack", "Finished"]);
    }

    #[test]
    fn the_ack_may_come_before_finished() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).hear(1, "04").hear(1, "08");
        assert_eq!(it.seen(), ["1: Suspend", "Suspended", "1: Ack", "Finished"]);
    }
}

mod stop {
    use super::*;

    #[test]
    fn it_ends_the_request_when_every_node_has_acknowledged_it() {
        let mut it = Scenario::running(2);
        it.want(Control::Stop).hear(1, "04").hear(2, RECORD_2);
        assert_eq!(it.seen(), ["1: Stop", "2: Stop", "record 2 of 2"]);
        it.refuses(Control::Suspend, ControlError::Ended);
        it.hear(2, "04");
        assert_eq!(it.seen(), ["Stopped"]);
        it.refuses(Control::Stop, ControlError::Ended);
        it.down(1).up(1).hear(1, "04").hear(2, "08");
        assert_eq!(it.seen(), [""; 0], "P06, P08");
    }

    #[test]
    fn while_no_node_is_connected_it_ends_the_request_at_once() {
        for nodes in 0..3 {
            let mut it = Scenario::with_nodes(nodes);
            it.want(Control::Stop);
            assert_eq!(it.seen(), ["Stopped"], "P35, P36, F31");
            assert!(it.request.is_ended());
            it.up(1).up(2);
            assert_eq!(it.seen(), [""; 0]);
        }
    }

    #[test]
    fn a_node_that_is_away_need_not_come_back() {
        let mut it = Scenario::running(2);
        it.down(2).want(Control::Stop).hear(1, "04");
        assert_eq!(it.seen(), ["2 disconnected", "1: Stop", "Stopped"]);

        let mut it = Scenario::running(2);
        it.want(Control::Stop).down(2).up(2).hear(1, "04");
        assert_eq!(
            it.seen(),
            ["1: Stop", "2: Stop", "2 disconnected", "Stopped"],
            "nothing is asked of it on the new connection"
        );
    }

    #[test]
    fn a_node_that_becomes_known_later_is_not_asked() {
        let mut it = Scenario::running(1);
        it.want(Control::Stop);
        it.request.add_node(node(2));
        it.up(3);
        assert_eq!(it.seen(), ["1: Stop"]);
        it.hear(1, "04");
        assert_eq!(it.seen(), ["Stopped"], "P35");
    }

    #[test]
    fn it_is_remembered_while_a_node_is_being_opened() {
        let mut it = Scenario::with_nodes(1);
        it.up(1).want(Control::Stop).hear(1, "fd").hear(1, "05");
        assert_eq!(it.seen(), ["1: GetAll", "1: Stop", "Started"]);
        it.hear(1, "04");
        assert_eq!(it.seen(), ["Stopped"]);

        let mut it = Scenario::with_nodes(1);
        it.up(1).want(Control::Stop).down(1);
        assert_eq!(it.seen(), ["1: GetAll", "1 disconnected", "Stopped"]);
    }

    #[test]
    fn finished_that_crosses_it_is_acknowledged() {
        let mut it = Scenario::running(2);
        it.want(Control::Stop).hear(1, "08").hear(2, "04");
        assert_eq!(
            it.seen(),
            ["1: Stop", "2: Stop", "1: Ack", "Stopped"],
            "P29, P32, P36"
        );
    }

    #[test]
    fn it_is_too_late_when_all_have_finished() {
        let mut it = Scenario::running(1);
        it.hear(1, "08");
        assert_eq!(it.seen(), ["1: Ack", "Finished"]);
        it.refuses(Control::Stop, ControlError::Ended);
    }
}

mod connections {
    use super::*;

    #[test]
    fn a_part_goes_on_when_the_connection_is_back() {
        let mut it = Scenario::running(1);
        it.hear(1, RECORD_2).down(1).hear(1, RECORD_2);
        assert_eq!(
            it.seen(),
            ["record 2 of 1", "1 disconnected"],
            "nothing of the old connection is believed (P11)"
        );
        it.up(1).up(1);
        assert_eq!(it.seen(), ["1: GetAll"], "P10");
        it.hear(1, "fd").hear(1, "05").hear(1, "08");
        assert_eq!(it.seen(), ["1: Ack", "Finished"]);
    }

    #[test]
    fn a_node_that_has_finished_is_not_asked_again() {
        let mut it = Scenario::running(2);
        it.hear(1, "08").down(1).up(1);
        assert_eq!(it.seen(), ["1: Ack"]);
        it.hear(2, "08");
        assert_eq!(it.seen(), ["2: Ack", "Finished"]);
    }

    #[test]
    fn a_node_that_breaks_the_protocol_is_closed_and_asked_again() {
        for bad in ["04", "05", "06", "00", "", "0800", "07", "ff"] {
            let mut it = Scenario::running(2);
            it.hear(1, bad);
            assert_eq!(it.seen(), ["1: closed"], "{bad}");
            it.down(1).up(1);
            assert_eq!(it.seen(), ["1 disconnected", "1: GetAll"], "P10, F42");
            it.hear(2, "08");
            assert_eq!(it.seen(), ["2: Ack"], "P09");
        }
        for bad in ["04", "08", "fd", ""] {
            let mut it = Scenario::with_nodes(1);
            it.up(1).hear(1, "fd").seen();
            it.hear(1, bad);
            assert_eq!(it.seen(), ["1: closed"], "{bad}, before Started");
        }
    }

    #[test]
    fn records_before_started_do_not_reach_the_user() {
        let mut it = Scenario::with_nodes(1);
        it.up(1).hear(1, "fd").seen();
        it.hear(1, RECORD_2);
        assert_eq!(it.seen(), ["1: closed"]);
        it.down(1).up(1);
        let opening = sent(&it.effects).pop().unwrap().1;
        let opening = get_all::Open::decode(&opening[2..]).unwrap();
        assert_eq!(opening.continue_from, None, "nor count as received");
    }

    #[test]
    fn strangers_are_ignored() {
        let mut it = Scenario::running(1);
        it.hear(9, "08").down(9);
        assert_eq!((told(&it.effects), closed(&it.effects)), (vec![], vec![]));
    }
}

#[test]
fn a_violation_says_what_came_when() {
    let violation = |mut it: Scenario, message| {
        it.hear(1, message);
        match &it.effects[..] {
            [Effect::Close { violation, .. }] => violation.to_string(),
            effects => panic!("{effects:?}"),
        }
    };
    let opening = || {
        let mut it = Scenario::with_nodes(1);
        it.up(1).hear(1, "fd").seen();
        it
    };
    let too_soon = violation(opening(), "04");
    assert_eq!(too_soon, "GetAll: Ack is not allowed before Started");
    let too_soon = violation(opening(), "08");
    assert_eq!(
        too_soon,
        "GetAll: the final message is not allowed before Started"
    );
    let twice = violation(Scenario::running(1), "05");
    assert_eq!(twice, "GetAll: Started is not allowed now");
    let too_late = violation(Scenario::running(1), "06");
    assert_eq!(too_late, "GetAll: Error is not allowed now");
}
