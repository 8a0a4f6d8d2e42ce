//! What can be read, and what is said about what cannot.

use dht_history::{
    Budget, Entry, Limit, Octets, Operation, Outcome, ReadError, Reason, Record, Returned,
    Semantics, Verdict, check, jsonl, read,
};

const ALL: &str = r#"{"client":1,"op":"put","channel":"c","key":"000000000000000a","value":"a","invoked":0,"returned":10,"result":"ok"}
{"client":1,"op":"get","channel":"c","key":"000000000000000a","invoked":11,"returned":12,"result":{"value":"a"}}
{"client":2,"op":"exists","channel":"c","key":"000000000000000a","invoked":11,"returned":12,"result":true}
{"client":2,"op":"update","channel":"c","key":"000000000000000a","expected":"a","value":{"hex":"00ff"},"invoked":13,"returned":14,"result":"ok"}
{"client":2,"op":"update","channel":"c","key":"000000000000000a","expected":"a","value":"b","invoked":15,"returned":16,"result":"conflict"}
{"client":3,"op":"get_channels","invoked":15,"returned":17,"result":{"channels":["c",{"hex":"ff"}]}}
{"client":3,"op":"remove","channel":"c","key":"000000000000000a","invoked":20,"returned":21,"result":"removed"}
{"client":3,"op":"remove","channel":"c","key":"000000000000000a","invoked":22,"returned":23,"result":"no_record"}
{"client":3,"op":"remove_channel","channel":"c","invoked":24,"returned":null}
"#;

#[test]
fn what_is_read_is_written_again() {
    let history = read(ALL.as_bytes()).expect("a history");
    let mut written = Vec::new();
    jsonl::write(&history, &mut written).expect("memory is writable");
    assert_eq!(String::from_utf8(written).expect("UTF-8"), ALL);
    let put = Entry {
        client: 1,
        operation: Operation::Put(Record::new("c", "000000000000000a"), "a".into()),
        invoked: 0,
        returned: Some(Returned {
            at: 10,
            outcome: Outcome::Ok,
        }),
    };
    assert_eq!(history.entries()[0], put);
    assert_eq!(history.entries()[8].returned, None);
    let verdict = check(&history, Semantics::Dht, Budget::default());
    assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict}");
}

#[test]
fn a_witness_without_halves_is_a_history() {
    let history = read(ALL.as_bytes()).expect("a history");
    let Verdict::Linearizable(witness) = check(&history, Semantics::Dht, Budget::default()) else {
        panic!("linearizable");
    };
    let mut written = Vec::new();
    witness
        .write(&history, &mut written)
        .expect("memory is writable");
    let text = String::from_utf8(written).expect("UTF-8");
    assert!(
        text.starts_with(r#"{"number":1,"client":1,"op":"put""#),
        "{text}"
    );
    assert!(text.contains(r#""moment":"stores""#), "{text}");
    assert!(text.contains(r#""moment":{"channel":"c"}"#), "{text}");
    assert_eq!(
        read(text.as_bytes()).expect("a history").entries().len(),
        witness.steps().len()
    );
}

#[test]
fn mistakes_are_named_with_their_line() {
    let line = |change: (&str, &str)| {
        let good = ALL.lines().next().unwrap_or_default();
        assert!(good.contains(change.0), "{change:?}");
        format!("\n{}\n", good.replace(change.0, change.1))
    };
    for (change, message) in [
        ((r#""client":1,"#, ""), "line 2: missing field `client`"),
        (
            (r#""op":"put""#, r#""op":"puts""#),
            "line 2: unknown variant `puts`",
        ),
        (
            (r#""key":"000000000000000a","#, ""),
            "line 2: missing field `key`",
        ),
        ((r#""value":"a","#, ""), "line 2: missing field `value`"),
        (
            (r#""value":"a""#, r#""value":7"#),
            "line 2: invalid type: integer `7`, expected a string, or {",
        ),
        (
            (r#""returned":10,"#, ""),
            "line 2: missing field `returned`",
        ),
        (
            (r#","result":"ok""#, ""),
            "line 2: missing field `result` of put",
        ),
        (
            (r#""returned":10"#, r#""returned":-1"#),
            "line 2: `returned` -1 is before `invoked` 0",
        ),
        (
            (r#""returned":10"#, r#""returned":null"#),
            "line 2: a `result` although",
        ),
        (
            (r#""returned":10"#, r#""returned":1.5"#),
            "line 2: invalid type",
        ),
        (
            (r#""result":"ok""#, r#""result":"removed""#),
            "line 2: no such `result` of put",
        ),
        (
            (r#""result":"ok""#, r#""result":"fine""#),
            "line 2: unknown variant `fine`, expected one of `ok`",
        ),
        (
            (r#""op":"put""#, r#""op":"get""#),
            "line 2: get has no `value`",
        ),
        (("}", ""), "line 2: EOF"),
        (("{", "[{"), "line 2: "),
    ] {
        let text = line(change);
        let error = read(text.as_bytes()).expect_err(&text);
        assert!(error.to_string().starts_with(message), "{error}\n{text}");
    }
}

#[test]
fn a_line_without_end_is_not_held_in_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b' '));
    assert!(matches!(read(endless), Err(ReadError::TooLong { line: 1 })));
}

#[test]
fn a_register_has_three_operations() {
    let history = read(ALL.as_bytes()).expect("a history");
    let reason = Reason::NoRegister {
        entry: 2,
        operation: "exists",
    };
    assert_eq!(
        check(&history, Semantics::Register, Budget::default()),
        Verdict::Unknown(reason)
    );
}

#[test]
fn an_empty_value_is_not_judged_as_a_record() {
    let text = r#"{"client":1,"op":"put","channel":"c","key":"k","value":"","invoked":0,"returned":1,"result":"ok"}
{"client":1,"op":"get","channel":"c","key":"k","invoked":2,"returned":3,"result":"no_record"}
"#;
    let history = read(text.as_bytes()).expect("a history");
    let verdict = check(&history, Semantics::Dht, Budget::default());
    assert!(
        matches!(verdict, Verdict::Unknown(Reason::EmptyValue { .. })),
        "{verdict}"
    );
    let verdict = check(&history, Semantics::Register, Budget::default());
    assert!(matches!(verdict, Verdict::NotLinearizable(_)), "{verdict}");
}

/// Two values put again and again by overlapping clients, then one that nobody could have removed last.
fn hard() -> String {
    let mut text = String::new();
    for client in 0..40 {
        text += &format!(
            r#"{{"client":{client},"op":"put","channel":"c","key":"k","value":"v{client}","invoked":0,"returned":100,"result":"ok"}}
{{"client":{},"op":"remove","channel":"c","key":"k","invoked":0,"returned":100,"result":"removed"}}
"#,
            client + 100
        );
    }
    text + r#"{"client":1,"op":"remove","channel":"c","key":"k","invoked":0,"returned":100,"result":"removed"}
"#
}

#[test]
fn what_is_too_hard_ends_with_the_reason() {
    let history = read(hard().as_bytes()).expect("a history");
    for (budget, expected) in [
        (
            Budget {
                steps: 100_000,
                ..Budget::default()
            },
            Limit::Steps,
        ),
        (
            Budget {
                memory: 100_000,
                ..Budget::default()
            },
            Limit::Memory,
        ),
    ] {
        match check(&history, Semantics::Dht, budget) {
            Verdict::Unknown(Reason::Exhausted { limit, .. }) => assert_eq!(limit, expected),
            verdict => panic!("{verdict}"),
        }
    }
}

#[test]
fn any_bytes_are_a_channel() {
    let octets = Octets::from(vec![0xff, 0x00]);
    assert_eq!(octets.to_string(), r#""\xff\x00""#);
}
