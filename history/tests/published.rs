//! Histories from the literature and other tools, told by hand, and what is known of them.

mod common;

use dht_history::{Budget, Fault, Semantics, Verdict, check, check_witness, read};

/// A register's history: client, operation, value or `expected>value`, when, and the result (`?` unknown).
fn register(lines: &[(u64, &str, &str, i64, i64, &str)]) -> Verdict {
    judge(Semantics::Register, &text(lines))
}

fn judge(semantics: Semantics, text: &str) -> Verdict {
    let history = read(text.as_bytes()).expect("a history");
    let verdict = check(&history, semantics, Budget::default());
    if let Verdict::Linearizable(witness) = &verdict {
        assert_eq!(check_witness(&history, semantics, witness), Ok(()));
    }
    verdict
}

fn text(lines: &[(u64, &str, &str, i64, i64, &str)]) -> String {
    let mut text = String::new();
    for (client, op, value, invoked, returned, result) in lines {
        let values = match (*op, value.split_once('>')) {
            ("put", _) => format!(r#""value":"{value}","#),
            ("update", Some((expected, value))) => {
                format!(r#""expected":"{expected}","value":"{value}","#)
            }
            _ => String::new(),
        };
        let answer = match (*op, *result) {
            (_, "?") => r#""returned":null"#.to_owned(),
            ("get", "none") => format!(r#""returned":{returned},"result":"no_record""#),
            ("get", value) => format!(r#""returned":{returned},"result":{{"value":"{value}"}}"#),
            ("exists", flag) => format!(r#""returned":{returned},"result":{flag}"#),
            (_, word) => format!(r#""returned":{returned},"result":"{word}""#),
        };
        text += &format!(
            "{{\"client\":{client},\"op\":\"{op}\",\"channel\":\"c\",\"key\":\"k\",{values}\"invoked\":{invoked},{answer}}}\n"
        );
    }
    text
}

#[track_caller]
fn right(verdict: &Verdict) {
    assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict}");
}

#[track_caller]
fn wrong(verdict: &Verdict, fault: Fault, operations: &[usize]) {
    match verdict {
        Verdict::NotLinearizable(explanation) => {
            assert_eq!(explanation.fault(), fault, "{verdict}");
            assert_eq!(explanation.operations(), operations, "{verdict}");
        }
        _ => panic!("{verdict}"),
    }
}

/// Herlihy and Wing, *Linearizability* (1990), figure 2: registers. H5 is fine, H6 reads an old value.
#[test]
fn herlihy_and_wing() {
    right(&register(&[
        (1, "put", "0", 0, 10, "ok"),
        (2, "put", "1", 5, 30, "ok"),
        (1, "get", "", 12, 18, "1"),
        (3, "put", "0b", 14, 40, "ok"),
        (1, "get", "", 42, 50, "0b"),
    ]));
    wrong(
        &register(&[
            (1, "put", "0", 0, 10, "ok"),
            (2, "put", "1", 5, 40, "ok"),
            (1, "get", "", 12, 18, "1"),
            (2, "get", "", 50, 60, "0"),
        ]),
        Fault::StaleRead,
        &[0, 2, 3],
    );
}

/// The register of porcupine's documentation: a put that overlaps two gets, first with the old value after
/// the new one.
#[test]
fn porcupine_register() {
    right(&register(&[
        (0, "put", "100", 0, 100, "ok"),
        (1, "get", "", 25, 75, "100"),
        (2, "get", "", 30, 60, "none"),
    ]));
    wrong(
        &register(&[
            (0, "put", "200", 0, 100, "ok"),
            (1, "get", "", 10, 30, "200"),
            (2, "get", "", 40, 90, "none"),
        ]),
        Fault::LostWrite,
        &[1, 2],
    );
}

/// Knossos' compare-and-set register with operations that crashed: they may still happen much later.
#[test]
fn knossos_crashed_writes() {
    right(&register(&[
        (0, "put", "1", 0, 1, "ok"),
        (1, "put", "2", 2, 0, "?"),
        (2, "get", "", 10, 11, "1"),
        (2, "get", "", 20, 21, "2"),
        (2, "update", "2>3", 30, 31, "ok"),
        (3, "get", "", 40, 41, "3"),
    ]));
    // Once it has happened, it does not happen again.
    wrong(
        &register(&[
            (0, "put", "1", 0, 1, "ok"),
            (1, "put", "2", 2, 0, "?"),
            (2, "get", "", 20, 21, "2"),
            (2, "put", "3", 30, 31, "ok"),
            (3, "get", "", 40, 41, "2"),
        ]),
        Fault::CrossedValues,
        &[2, 3, 4],
    );
}

/// In the manner of Jepsen's tests of etcd and the like: few values, which return, and writes whose clients lost
/// the answer.
#[test]
fn jepsen_register() {
    let history = include_str!("data/register.jsonl");
    right(&judge(Semantics::Register, history));
    // The lost write of "2" took effect once, and so did the lost update that followed it: "3" was gone then.
    let (read, other) = (r#""result":{"value":"0"}}"#, r#""result":{"value":"3"}}"#);
    let late = history.replace(
        &format!(r#""invoked":31,"returned":33,{read}"#),
        &format!(r#""invoked":31,"returned":33,{other}"#),
    );
    assert_ne!(late, history);
    let verdict = judge(Semantics::Register, &late);
    assert!(matches!(verdict, Verdict::NotLinearizable(_)), "{verdict}");
    // A read cannot go back behind what the same client has read.
    let back = history.replace(
        r#""invoked":19,"returned":22,"result":{"value":"1"}"#,
        r#""invoked":19,"returned":22,"result":{"value":"0"}"#,
    );
    assert_ne!(back, history);
    let verdict = judge(Semantics::Register, &back);
    assert!(matches!(verdict, Verdict::NotLinearizable(_)), "{verdict}");
}

/// The three anomalies that Jepsen's reports find most often in registers.
#[test]
fn jepsen_anomalies() {
    // A lost write: confirmed, and after a failover nobody has heard of it.
    wrong(
        &register(&[
            (0, "put", "1", 0, 5, "ok"),
            (1, "put", "2", 6, 9, "ok"),
            (2, "get", "", 10, 12, "2"),
            (3, "get", "", 20, 22, "1"),
        ]),
        Fault::StaleRead,
        &[0, 2, 3],
    );
    // A lost update: two clients increment what they both read.
    wrong(
        &register(&[
            (0, "put", "1", 0, 5, "ok"),
            (1, "get", "", 6, 8, "1"),
            (2, "get", "", 6, 8, "1"),
            (1, "update", "1>2", 9, 15, "ok"),
            (2, "update", "1>2b", 9, 16, "ok"),
        ]),
        Fault::DoubleUpdate,
        &[3, 4],
    );
    // A dirty read: of a write that was refused, and is therefore not in the history.
    wrong(
        &register(&[(0, "put", "1", 0, 5, "ok"), (1, "get", "", 6, 8, "2")]),
        Fault::UnwrittenValue,
        &[1],
    );
}

/// The examples of the documentation.
#[test]
fn examples() {
    right(&judge(
        Semantics::Dht,
        include_str!("data/every_operation.jsonl"),
    ));
    wrong(
        &judge(Semantics::Dht, include_str!("data/stale.jsonl")),
        Fault::StaleRead,
        &[0, 2, 5],
    );
}

#[test]
fn two_updates_of_one_value() {
    wrong(
        &register(&[
            (0, "put", "1", 0, 1, "ok"),
            (1, "update", "1>2", 2, 10, "ok"),
            (2, "update", "1>3", 3, 11, "ok"),
        ]),
        Fault::DoubleUpdate,
        &[1, 2],
    );
}

#[test]
fn updates_that_needed_each_other() {
    wrong(
        &register(&[
            (1, "update", "1>2", 2, 10, "ok"),
            (2, "update", "2>1", 3, 11, "ok"),
        ]),
        Fault::UnwrittenValue,
        &[0, 1],
    );
}

#[test]
fn refused_updates() {
    // A register that has nothing refuses, a record is reported as missing.
    let refused = [(0, "update", "1>2", 0, 1, "conflict")];
    right(&register(&refused));
    wrong(
        &judge(Semantics::Dht, &text(&refused)),
        Fault::PhantomRecord,
        &[0],
    );
    let missing = [(0, "update", "1>2", 0, 1, "no_record")];
    right(&judge(Semantics::Dht, &text(&missing)));
    wrong(&register(&missing), Fault::ImpossibleAnswer, &[0]);
    // Refused although the expected value was there all the time.
    let equal = [
        (0, "put", "1", 0, 1, "ok"),
        (0, "update", "1>2", 2, 3, "conflict"),
    ];
    wrong(&register(&equal), Fault::NoOrder, &[0, 1]);
}

#[test]
fn removals() {
    let dht = |lines: &[_]| judge(Semantics::Dht, &text(lines));
    wrong(
        &dht(&[
            (1, "put", "a", 0, 10, "ok"),
            (2, "remove", "", 20, 30, "removed"),
            (3, "get", "", 40, 50, "a"),
        ]),
        Fault::StaleRead,
        &[0, 1, 2],
    );
    wrong(
        &dht(&[
            (1, "put", "a", 0, 10, "ok"),
            (2, "remove", "", 20, 30, "removed"),
            (2, "put", "b", 60, 70, "ok"),
            (3, "exists", "", 40, 50, "true"),
        ]),
        Fault::PhantomRecord,
        &[1, 3],
    );
    // Two overlapping removals of one record cannot both have removed it.
    wrong(
        &dht(&[
            (1, "put", "a", 0, 10, "ok"),
            (2, "remove", "", 20, 30, "removed"),
            (3, "remove", "", 21, 31, "removed"),
        ]),
        Fault::NoOrder,
        &[1, 2],
    );
}

/// An update whose record is removed between its two halves creates it again, and only then.
#[test]
fn an_update_outlives_a_removal() {
    let dht = |lines: &[_]| judge(Semantics::Dht, &text(lines));
    right(&dht(&[
        (1, "put", "a", 0, 1, "ok"),
        (2, "remove", "", 2, 10, "removed"),
        (3, "update", "a>b", 3, 9, "ok"),
        (1, "get", "", 11, 12, "b"),
    ]));
    wrong(
        &dht(&[
            (1, "put", "a", 0, 1, "ok"),
            (2, "remove", "", 2, 3, "removed"),
            (3, "update", "a>b", 4, 9, "ok"),
        ]),
        Fault::StaleRead,
        &[0, 1, 2],
    );
}
