use super::*;
use crate::testing::hex;
use Side::{Client as C, Node as N};

const PUT: &str = "02 00 0100000000000000 63 0100000000000000 0100000000000000 76";
const GET: &str = "03 00 0100000000000000 63 0100000000000000";
const EXISTS: &str = "07 00 0100000000000000 63 0100000000000000";
const REMOVE: &str = "08 00 0100000000000000 63 0100000000000000";
const MIRROR: &str = "04 00 00 0100000000000000 63 00 00000000";
const GET_ALL: &str = "05 00 00 0100000000000000 63 00 0000000000000000 00 0000000000000000";
const GET_ALL_SUSPENDED: &str =
    "05 00 01 0100000000000000 63 00 0000000000000000 00 0000000000000000";
const UPDATE: &str = "0a 00 01 0100000000000000 63 0100000000000000";
/// FNV-1a of "oldval", and a new value.
const UPDATE_RECORD: &str = "02 8d705df679e6353b 0100000000000000 76";
const RECORD_VALUE: &str = "05 0600000000000000 6f6c6476616c";
const MOVE: &str =
    "0a 00 02 0100000000000000 63 0100000000000000 8d705df679e6353b 0100000000000000 76";
const BATCH: &str = "07 0b00000000000000 0000000000000000 110000";
const REFRESH: &str =
    "09 1f00000000000000 1300000000000000 24 0a00000000000000 0300000000000000 666f6f 110000";
const CHANGED: &str = "07 0100000000000000 0300000000000000 6e6577";
const DELETED: &str = "08 0200000000000000";
const SUSPEND: &str = "01";
const RESUME: &str = "02";
const STOP: &str = "03";
const ACK: &str = "04";
const STARTED: &str = "05";
const FINISHED: &str = "08";

type Said<'a> = (Side, u64, &'a str);

fn hear(monitor: &mut Monitor, (side, id, payload): Said<'_>) -> Result<(), Breach> {
    match side {
        C => monitor.sent(id, &hex(payload)),
        N => monitor.received(id, &hex(payload)),
    }
}

/// Every message but the last is legal; what is wrong with the last, if anything.
fn judge(said: &[Said<'_>]) -> (Monitor, Option<Breach>) {
    let mut monitor = Monitor::covering();
    let (last, legal) = said.split_last().unwrap();
    for message in legal {
        assert_eq!(hear(&mut monitor, *message), Ok(()), "{message:?}");
    }
    let breach = hear(&mut monitor, *last).err();
    (monitor, breach)
}

fn legal(said: &[Said<'_>]) -> Monitor {
    let (monitor, breach) = judge(said);
    assert_eq!(breach, None, "{said:?}");
    monitor
}

/// A GetAll or Mirror that has started, and what is said then.
fn running<'a>(opening: &'a str, said: &[(Side, &'a str)]) -> Vec<Said<'a>> {
    let begun = [(C, opening), (N, "fd"), (N, STARTED)];
    let said = begun.iter().chain(said);
    said.map(|(side, message)| (*side, 7, *message)).collect()
}

#[test]
fn whole_conversations_are_legal_and_leave_nothing_open() {
    for said in [
        vec![(C, 7, PUT), (N, 7, "fd"), (N, 7, "01")],
        vec![(C, 7, PUT), (N, 7, "ff")],
        vec![
            (C, 7, GET),
            (N, 7, "fd"),
            (N, 7, "02"),
            (N, 7, "0500000000000000 68656c6c6f"),
        ],
        running(GET_ALL, &[(N, BATCH), (N, FINISHED), (C, ACK)]),
        running(
            GET_ALL_SUSPENDED,
            &[(C, RESUME), (N, ACK), (N, FINISHED), (C, ACK)],
        ),
        running(MIRROR, &[(N, CHANGED), (C, STOP), (N, DELETED), (N, ACK)]),
        vec![
            (C, 7, UPDATE),
            (N, 7, "fd"),
            (N, 7, RECORD_VALUE),
            (C, 7, UPDATE_RECORD),
            (N, 7, "08"),
        ],
        vec![(C, 7, MOVE), (N, 7, "fd"), (N, 7, "06")],
    ] {
        assert_eq!(legal(&said).active(), 0, "{said:?}");
    }
}

#[test]
fn what_is_illegal_breaks_the_rule_that_says_so() {
    let put = [(C, 7, PUT), (N, 7, "fd"), (N, 7, "01")];
    let after_put = |last| [&put[..], &[last]].concat();
    for (said, side, rule) in [
        (vec![(N, 7, "fd")], N, "neo-transport 8.2"),
        (vec![(C, 0, PUT)], C, "neo-transport 8.2"),
        (vec![(N, 0, "fd")], N, "neo-transport 8.2"),
        (after_put((N, 7, "01")), N, "neo-requests 15.2"),
        (after_put((C, 7, ACK)), C, "P06"),
        (vec![(C, 7, PUT), (C, 7, GET)], C, "P11"),
        (vec![(C, 7, UPDATE), (C, 7, PUT)], C, "P11"),
        (
            vec![(C, 7, PUT), (N, 7, "fd"), (N, 7, "fd")],
            N,
            "neo-requests 4",
        ),
        (
            vec![(C, 7, GET), (N, 7, "fd"), (N, 7, "99")],
            N,
            "neo-requests 5",
        ),
        (
            vec![(C, 7, EXISTS), (N, 7, "fd"), (N, 7, "99")],
            N,
            "neo-requests 9",
        ),
        (
            vec![(C, 7, REMOVE), (N, 7, "fd"), (N, 7, "99")],
            N,
            "neo-requests 10",
        ),
        (
            vec![(C, 7, UPDATE), (N, 7, "fd"), (N, 7, "99")],
            N,
            "neo-requests 12",
        ),
        (vec![(C, 7, PUT), (N, 7, "fe"), (N, 7, "01")], N, "P02"),
        (vec![(C, 7, "0b 00")], C, "neo-transport 8.3"),
        (vec![(C, 7, "02 00 01")], C, "neo-requests 4"),
        (running(GET_ALL, &[(C, ACK)]), C, "P27"),
        (running(GET_ALL, &[(C, SUSPEND), (C, RESUME)]), C, "P27"),
        (vec![(C, 7, GET_ALL), (N, 7, "fd"), (C, 7, STOP)], C, "P27"),
        (running(GET_ALL, &[(N, ACK)]), N, "neo-requests 7"),
        (
            running(GET_ALL, &[(C, STOP), (N, ACK), (N, BATCH)]),
            N,
            "P30",
        ),
        (running(GET_ALL, &[(N, FINISHED), (N, ACK)]), N, "P28"),
        (
            running(GET_ALL, &[(N, FINISHED), (N, BATCH)]),
            N,
            "neo-requests 2.8",
        ),
        (
            running(GET_ALL, &[(N, FINISHED), (C, ACK), (C, ACK)]),
            C,
            "P06",
        ),
        (
            running(GET_ALL, &[(N, FINISHED), (C, ACK), (N, BATCH)]),
            N,
            "neo-requests 15.2",
        ),
        (
            running(
                GET_ALL,
                &[(C, SUSPEND), (N, ACK), (N, BATCH), (N, BATCH), (N, BATCH)],
            ),
            N,
            "P31",
        ),
        (
            running(
                MIRROR,
                &[(C, SUSPEND), (N, ACK), (N, CHANGED), (N, DELETED)],
            ),
            N,
            "P31",
        ),
        (
            running(
                MIRROR,
                &[(C, SUSPEND), (N, ACK), (N, REFRESH), (N, REFRESH)],
            ),
            N,
            "P31",
        ),
        (
            running(
                MIRROR,
                &[(C, SUSPEND), (N, ACK), (N, REFRESH), (N, "0b"), (N, "0b")],
            ),
            N,
            "P31",
        ),
        (
            vec![(C, 7, UPDATE), (N, 7, "fd"), (C, 7, UPDATE_RECORD)],
            C,
            "neo-requests 12",
        ),
        (
            vec![
                (C, 7, UPDATE),
                (N, 7, "fd"),
                (N, 7, RECORD_VALUE),
                // Not the hash of the value that was read.
                (C, 7, "02 0000000000000000 0100000000000000 76"),
            ],
            C,
            "neo-requests 12",
        ),
        (
            vec![(C, 7, MOVE), (N, 7, "fd"), (N, 7, "07")],
            N,
            "neo-requests 12",
        ),
    ] {
        let (_, breach) = judge(&said);
        let breach = breach.unwrap_or_else(|| panic!("{said:?} is legal"));
        assert_eq!(
            (breach.side, breach.rule),
            (side, rule),
            "{said:?}: {breach}"
        );
    }
}

#[test]
fn a_suspension_ends_with_the_ack_of_resume() {
    let flood = [(N, BATCH); 5];
    let resumed = [(C, SUSPEND), (N, ACK), (N, BATCH), (C, RESUME), (N, ACK)];
    legal(&running(GET_ALL, &[&resumed[..], &flood].concat()));
    // Before the Ack of Suspend it has not begun.
    legal(&running(GET_ALL, &[&[(C, SUSPEND)][..], &flood].concat()));
    let twice = [(C, SUSPEND), (N, ACK), (N, BATCH), (N, BATCH)];
    let again = [&twice[..], &twice[..3]].concat();
    let (_, breach) = judge(&running(GET_ALL, &again));
    assert_eq!(
        breach.unwrap().rule,
        "P31",
        "another Suspend brings nothing"
    );
}

#[test]
fn a_control_message_may_cross_the_final_message() {
    let crossing = [(N, FINISHED), (C, SUSPEND), (C, ACK)];
    assert_eq!(legal(&running(GET_ALL, &crossing)).active(), 0);
    let sent_before = [(C, SUSPEND), (N, FINISHED), (C, ACK)];
    assert_eq!(legal(&running(GET_ALL, &sent_before)).active(), 0);
    for second in [
        &[(N, FINISHED), (C, SUSPEND), (C, RESUME)][..],
        &[(C, SUSPEND), (N, FINISHED), (C, RESUME)],
    ] {
        let (_, breach) = judge(&running(GET_ALL, second));
        assert_eq!(breach.unwrap().rule, "P27");
    }
}

#[test]
fn an_id_can_be_used_again_when_its_request_has_ended() {
    let put = [(C, 7, PUT), (N, 7, "fd"), (N, 7, "01")];
    legal(&[put, put].concat());
    let unsupported = [(C, 7, GET_ALL), (N, 7, "fe")];
    legal(&[&unsupported[..], &put].concat());
    let (_, breach) = judge(&[&unsupported[..], &put, &[(N, 7, "01")]].concat());
    assert_eq!(
        breach.unwrap().rule,
        "neo-requests 15.2",
        "the second one ended otherwise"
    );
}

#[test]
fn after_a_breach_its_id_is_not_judged_and_others_are() {
    let (mut monitor, breach) = judge(&[(C, 8, PUT), (C, 7, PUT), (N, 7, "00")]);
    assert!(breach.is_some());
    assert_eq!(hear(&mut monitor, (N, 7, "99")), Ok(()));
    assert_eq!(hear(&mut monitor, (C, 7, "")), Ok(()));
    assert!(hear(&mut monitor, (N, 8, "00")).is_err());
    assert_eq!(monitor.active(), 0);
}

#[test]
fn who_does_nothing_right_takes_no_memory() {
    let mut monitor = Monitor::covering();
    let breaches = (1..100_000)
        .filter(|id| monitor.received(*id, &[0xfd]).is_err())
        .count();
    assert_eq!(breaches, GIVEN_UP);
    assert_eq!(monitor.given_up.len(), GIVEN_UP);

    let mut monitor = Monitor::covering();
    for id in 1..10_000 {
        for said in [(C, id, PUT), (N, id, "fd"), (N, id, "01")] {
            hear(&mut monitor, said).unwrap();
        }
    }
    assert_eq!((monitor.active(), monitor.ended.len()), (0, REMEMBERED));
    assert_eq!(monitor.coverage().unwrap().transitions.len(), 3);
}

#[test]
fn nothing_of_a_connection_outlives_it() {
    let put = [(C, 7, PUT), (N, 7, "fd"), (N, 7, "01")];
    let mut monitor = legal(&[&put[..], &[(C, 8, PUT), (C, 9, GET)]].concat());
    assert!(hear(&mut monitor, (N, 9, "99")).is_err());
    let coverage = monitor.coverage().unwrap().clone();
    monitor.closed();
    assert_eq!(monitor.active(), 0);
    for id in 7..10 {
        let breach = hear(&mut monitor, (N, id, "fd")).unwrap_err();
        assert_eq!(breach.what, Wrong::NothingOpen);
    }
    let closed = monitor.coverage().unwrap();
    assert_eq!(closed.latest().count(), 0);
    assert_eq!(closed.transitions, coverage.transitions);
}

#[test]
fn an_interrupted_listing_may_go_on_behind_what_was_received() {
    for keys_only in ["00", "01"] {
        let opening = format!(
            "05 00 00 0100000000000000 63 01 0c00000000000000 {keys_only} 0000000000000000"
        );
        legal(&[(C, 7, &opening)]);
    }
}

#[test]
fn what_can_be_read_may_still_be_nothing_that_a_user_asks_for() {
    // A key, but no word that the listing goes on behind it; and a value that a client refuses to store.
    let a_key_too_much =
        "05 00 00 0100000000000000 63 00 0500000000000000 00 0000000000000000".to_owned();
    let too_big = format!(
        "02 00 0100000000000000 63 0100000000000000 e9ff000000000000 {}",
        "00".repeat(0xffe9)
    );
    for opening in [a_key_too_much, too_big] {
        let (_, breach) = judge(&[(C, 7, &opening)]);
        assert_eq!(breach.unwrap().what, Wrong::NobodysOpening);
    }
}

#[test]
fn coverage_is_of_what_followed_in_one_request() {
    let said = [(C, 7, GET), (C, 8, PUT), (N, 7, "fd"), (N, 8, "fd")];
    let first = legal(&said).coverage().unwrap().clone();
    let messages = |transitions: Vec<Transition>| -> Vec<_> {
        transitions.iter().map(|heard| heard.message).collect()
    };
    assert_eq!(
        messages(first.latest().collect()),
        ["supported", "supported"]
    );
    let pairs: BTreeSet<_> = first
        .pairs
        .iter()
        .map(|(before, after)| (before.message, after.message))
        .collect();
    let expected = [("Get", "supported"), ("Put", "supported")];
    assert_eq!(pairs, BTreeSet::from(expected));

    let put = [(C, 7, PUT), (N, 7, "fd"), (N, 7, "01")];
    let again = legal(&[put, put].concat()).coverage().unwrap().clone();
    assert_eq!(again.latest().count(), 0);
    assert_eq!(again.pairs.len(), 2, "the second Put follows nothing");
    let mut both = first.clone();
    both.merge(&again);
    assert_eq!(both.transitions.len(), 5);
    assert_eq!(both.pairs.len(), 3);
    assert!(both.transitions.is_superset(&first.transitions));
    assert!(both.transitions.is_superset(&again.transitions));
}

#[test]
fn messages_have_the_names_of_the_specification() {
    for (said, expected) in [
        (
            vec![
                (C, UPDATE),
                (N, "fd"),
                (N, RECORD_VALUE),
                (C, UPDATE_RECORD),
            ],
            &["GetRecord", "supported", "RecordValue", "UpdateRecord"][..],
        ),
        (
            vec![
                (C, GET),
                (N, "fd"),
                (N, "02"),
                (N, "0500000000000000 68656c6c6f"),
            ],
            &["Get", "supported", "Got", "value"],
        ),
        (
            vec![
                (C, "01 00"),
                (N, "fd"),
                (N, "0000000000000000 ffffffffffffffff"),
            ],
            &["GetHashRange", "supported", "range"],
        ),
    ] {
        let said: Vec<_> = said
            .into_iter()
            .map(|(side, text)| (side, 7, text))
            .collect();
        let monitor = legal(&said);
        let heard = monitor.coverage().unwrap().transitions.iter();
        let names: BTreeSet<_> = heard.map(|transition| transition.message).collect();
        assert_eq!(names, expected.iter().copied().collect());
    }
}

#[test]
fn transitions_bear_the_states_of_the_half() {
    let monitor = legal(&running(
        GET_ALL,
        &[(C, SUSPEND), (N, ACK), (N, FINISHED), (C, ACK)],
    ));
    let expected = [
        (Transition::BEGIN, "GetAll", C),
        ("AwaitSupported", "supported", N),
        ("AwaitStarted", "Started", N),
        ("Running", "Suspend", C),
        ("AwaitAckOfSuspend", "Ack", N),
        ("Suspended", "Finished", N),
        ("Ended", "Ack", C),
    ];
    let expected = expected.map(|(state, message, from)| Transition {
        request: RequestCode::GetAll,
        state,
        message,
        from,
    });
    assert_eq!(
        monitor.coverage().unwrap().transitions,
        BTreeSet::from(expected)
    );
}

#[test]
fn a_breach_says_who_did_what() {
    let (_, breach) = judge(&running(GET_ALL, &[(C, STOP), (N, ACK), (N, BATCH)]));
    let breach = breach.unwrap();
    let what = std::error::Error::source(&breach).unwrap();
    assert_eq!(what.to_string(), breach.what.to_string());
    assert_eq!(
        breach.to_string(),
        "the node broke P30 in request #7 (GetAll): a message came after the end of the request, which was \
         the node's \"Ack\""
    );
    let (_, breach) = judge(&running(MIRROR, &[(C, SUSPEND), (C, STOP)]));
    assert_eq!(
        breach.unwrap().to_string(),
        "the client broke P27 in request #7 (Mirror): Stop is nothing that a client sends in the state \
         AwaitAckOfSuspend"
    );
}
