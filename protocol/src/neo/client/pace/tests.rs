//! A GetAll whose user falls behind and catches up, and wants changes meanwhile.

use super::*;
use crate::neo::request::get_all;
use crate::testing::talk::outline;
use crate::testing::{hex, node};

const ACK: &str = "04";
const FINISHED: &str = "08";

/// A GetAll under test and what it has done since it was last looked at.
struct Scenario {
    request: Paced<get_all::Client>,
    effects: Effects<get_all::Client>,
}

impl Scenario {
    /// Nodes 1 to `nodes` have started.
    fn running(nodes: u16) -> Self {
        let client = get_all::Client::new("c".into(), get_all::Settings::default());
        let mut scenario = Self {
            request: Paced::new(client),
            effects: Vec::new(),
        };
        for port in 1..=nodes {
            scenario.request.add_node(node(port));
        }
        for port in 1..=nodes {
            scenario.up(port);
        }
        for port in 1..=nodes {
            scenario.hear(port, "fd").hear(port, "05");
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
        let refusal = self.request.control(control, &mut self.effects);
        assert_eq!(refusal, Err(error));
        assert_eq!(self.seen(), [""; 0]);
        self
    }

    /// The user has so much to read; node 1 is connected.
    fn backlog(&mut self, backlog: Backlog) -> &mut Self {
        let effects = &mut self.effects;
        self.request.pace(backlog, vec![node(1)], effects);
        self
    }

    fn abandon(&mut self) -> &mut Self {
        self.request.abandon(&mut self.effects);
        self
    }

    /// What has happened since the last call.
    fn seen(&mut self) -> Vec<String> {
        outline(&std::mem::take(&mut self.effects))
    }
}

mod unnoticed {
    use super::*;

    #[test]
    fn nodes_are_suspended_while_there_is_too_much_to_read() {
        for much in [Backlog::High, Backlog::Excessive] {
            let mut it = Scenario::running(1);
            it.backlog(Backlog::Low);
            assert_eq!(it.seen(), [""; 0]);
            it.backlog(much);
            assert_eq!(it.seen(), ["1: Suspend"]);
            it.backlog(much).hear(1, ACK).backlog(much);
            assert_eq!(it.seen(), [""; 0], "the user is not told");
            it.backlog(Backlog::Low);
            assert_eq!(it.seen(), ["1: Resume"]);
            it.hear(1, ACK);
            assert_eq!(it.seen(), [""; 0]);
        }
    }

    #[test]
    fn a_change_waits_for_every_node_to_have_made_the_previous_one() {
        let mut it = Scenario::running(2);
        it.backlog(Backlog::High).backlog(Backlog::Low);
        assert_eq!(it.seen(), ["1: Suspend", "2: Suspend"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), [""; 0]);
        it.hear(2, ACK);
        assert_eq!(it.seen(), ["1: Resume", "2: Resume"]);
    }

    #[test]
    fn whatever_ends_a_change_lets_the_next_one_begin() {
        let mut it = Scenario::running(2);
        it.backlog(Backlog::High).hear(1, ACK);
        it.backlog(Backlog::Low).seen();
        it.down(2);
        assert_eq!(it.seen(), ["2 disconnected", "1: Resume"]);
    }

    #[test]
    fn what_is_received_meanwhile_reaches_the_user() {
        let mut it = Scenario::running(1);
        it.backlog(Backlog::High).hear(1, FINISHED);
        assert_eq!(it.seen(), ["1: Suspend", "1: Ack", "Finished"]);
        assert!(it.request.is_ended());
        it.backlog(Backlog::Low);
        assert_eq!(it.seen(), [""; 0]);
    }
}

mod user {
    use super::*;

    #[test]
    fn without_a_backlog_changes_go_to_the_nodes_as_they_are() {
        let mut it = Scenario::running(1);
        for (control, told) in [
            (Control::Resume, "Resumed"),
            (Control::Suspend, "Suspended"),
            (Control::Suspend, "Suspended"),
            (Control::Resume, "Resumed"),
        ] {
            it.want(control);
            assert_eq!(it.seen(), [format!("1: {control}")]);
            it.hear(1, ACK);
            assert_eq!(it.seen(), [told]);
        }
    }

    #[test]
    fn a_change_that_was_refused_is_not_made_later() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).seen();
        it.refuses(Control::Resume, ControlError::Busy);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Suspended"]);
        it.backlog(Backlog::High).backlog(Backlog::Low);
        assert_eq!(it.seen(), [""; 0], "it is still suspended");
    }

    #[test]
    fn a_change_that_pacing_has_made_is_told_at_once() {
        let mut it = Scenario::running(1);
        it.backlog(Backlog::High).hear(1, ACK).seen();
        it.want(Control::Suspend);
        assert_eq!(it.seen(), ["Suspended"]);
        it.backlog(Backlog::Low);
        assert_eq!(it.seen(), [""; 0], "now it is the user who wants it");
        it.want(Control::Resume);
        assert_eq!(it.seen(), ["1: Resume"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Resumed"]);
    }

    #[test]
    fn a_user_with_much_to_read_resumes_what_stays_suspended() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).hear(1, ACK);
        it.backlog(Backlog::High).seen();
        it.want(Control::Resume);
        assert_eq!(it.seen(), ["Resumed"]);
        it.backlog(Backlog::Low);
        assert_eq!(it.seen(), ["1: Resume"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), [""; 0], "it was told already");
    }

    #[test]
    fn a_change_that_pacing_is_making_is_told_when_it_is_made() {
        for (control, told) in [
            (Control::Suspend, "Suspended"),
            (Control::Resume, "Resumed"),
        ] {
            let mut it = Scenario::running(1);
            it.backlog(Backlog::High).seen();
            it.want(control);
            assert_eq!(it.seen(), [""; 0]);
            it.hear(1, ACK);
            assert_eq!(it.seen(), [told]);
        }
    }

    #[test]
    fn a_change_waits_for_the_one_that_pacing_takes_back() {
        let mut it = Scenario::running(1);
        it.backlog(Backlog::High).hear(1, ACK);
        it.backlog(Backlog::Low).seen();
        it.want(Control::Suspend);
        assert_eq!(
            it.seen(),
            [""; 0],
            "not refused although a Resume is under way"
        );
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["1: Suspend"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Suspended"]);
    }

    #[test]
    fn a_backlog_waits_for_the_users_change() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).hear(1, ACK);
        it.want(Control::Resume).backlog(Backlog::High).seen();
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Resumed", "1: Suspend"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), [""; 0]);
    }
}

mod end {
    use super::*;

    #[test]
    fn stop_waits_for_pacing_and_nothing_comes_behind_it() {
        let mut it = Scenario::running(1);
        it.backlog(Backlog::High).seen();
        it.want(Control::Stop);
        assert_eq!(it.seen(), [""; 0]);
        it.refuses(Control::Resume, ControlError::Ended);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["1: Stop"]);
        it.request.add_node(node(2));
        it.up(2).up(3);
        it.backlog(Backlog::Low);
        assert_eq!(it.seen(), [""; 0], "no other node is asked any more");
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Stopped"]);
        assert!(it.request.is_ended());
        it.refuses(Control::Resume, ControlError::Ended);
    }

    #[test]
    fn a_node_that_is_not_connected_is_waited_for_unless_the_request_is_being_stopped() {
        let mut it = Scenario::running(1);
        it.request.add_node(node(2));
        it.hear(1, FINISHED);
        assert_eq!(it.seen(), ["1: Ack"]);
        it.up(2).hear(2, "fd").hear(2, "05").hear(2, FINISHED);
        assert_eq!(it.seen(), ["2: GetAll", "2: Ack", "Finished"]);

        let mut it = Scenario::running(1);
        it.backlog(Backlog::High).want(Control::Stop).seen();
        it.request.add_node(node(2));
        it.hear(1, FINISHED);
        assert_eq!(it.seen(), ["1: Ack", "Finished"]);
    }

    #[test]
    fn a_request_that_has_ended_takes_no_change() {
        let mut it = Scenario::running(1);
        it.hear(1, FINISHED).seen();
        it.refuses(Control::Suspend, ControlError::Ended);
        it.backlog(Backlog::High).abandon();
        assert_eq!(it.seen(), [""; 0]);
    }

    #[test]
    fn who_has_gone_is_told_of_no_change() {
        let mut it = Scenario::running(1);
        it.want(Control::Suspend).abandon();
        assert_eq!(it.seen(), ["1: Suspend"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["1: Stop"]);
        it.hear(1, ACK);
        assert_eq!(it.seen(), ["Stopped"]);
    }
}

mod excess {
    use super::*;

    #[test]
    fn who_does_not_obey_is_asked_again_when_the_user_has_read_on() {
        for (read_on, asked) in [
            (Backlog::High, &["1: GetAll suspended"][..]),
            (Backlog::Low, &["1: GetAll suspended"]),
        ] {
            let mut it = Scenario::running(2);
            it.hear(2, FINISHED).backlog(Backlog::Excessive).seen();
            it.down(1).up(1).backlog(Backlog::Excessive);
            assert_eq!(it.seen(), ["1 disconnected"]);
            it.backlog(read_on);
            assert_eq!(it.seen(), asked);
            it.hear(1, "fd").hear(1, "05");
            match read_on {
                Backlog::Low => assert_eq!(it.seen(), ["1: Resume"]),
                _ => assert_eq!(it.seen(), [""; 0]),
            }
        }
    }
}
