//! Stored events: their text is a promise, so it is compared to the letter; and nothing is lost on the way.

mod fixtures;

use std::time::Duration;

use dht_reports::{
    CheckStarted, Event, Obstacle, Plan, Progress, RunFinished, RunStarted, Verdict, Workload,
};

fn json(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[test]
fn what_is_stored_comes_back() {
    for events in [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::cannot_start(),
        fixtures::known(),
        fixtures::long_exchange(7),
    ] {
        for event in events {
            let line = json(&event);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(
                serde_json::from_str::<Event>(&line).unwrap(),
                event,
                "{line}"
            );
        }
    }
}

#[test]
fn a_start_is_stored_as_promised() {
    let mut start = fixtures::start(&[("requests", Plan::Checks(142)), ("random", Plan::Random)]);
    if let Event::RunStarted(start) = &mut start {
        start.requirements = vec![fixtures::requirement(fixtures::LAST_PUT)];
    }
    assert_eq!(
        json(&start),
        concat!(
            r#"{"run_started":{"schema":1,"version":"0.1.0","seed":"7f3a91c2","node":"127.0.0.1:10100 (neo 1)","#,
            r#""range":"0000000000000000..ffffffffffffffff","#,
            r#""profile":{"name":"strict","description":null,"deviations":[]},"filter":null,"#,
            r#""started_ms":1600000000000,"groups":[{"name":"requests","plan":{"checks":142}},"#,
            r#"{"name":"random","plan":"random"}],"requirements":[{"id":"NEO-GET-01","level":"must","#,
            r#""sentence":"Get returns the value that was put last.","#,
            r#""source":"neo-requests.md 8.4"}]}}"#
        )
    );
}

#[test]
fn verdicts_are_stored_as_promised() {
    let prefix = concat!(
        r#"{"check_finished":{"check":{"id":"put.get","group":"requests","#,
        r#""title":"Each record is delivered once.","#,
        r#""requirements":["NEO-GETALL-14","NEO-GETALL-15"],"request":"Put","tags":[],"#,
        r#""subsumes":"Neo Put followed by neo Get"},"verdict":"#
    );
    let suffix = r#","duration_us":12345,"dialect":[]}}"#;
    let mut failure = fixtures::delivered_twice();
    failure.exchange.truncate(2);
    failure.exchange[1] = failure.exchange[1].clone().at(12).on("client 2");
    failure.minimal = Some(vec!["GetAll c0".to_owned()]);
    let reason = || "why".to_owned();
    let verdicts = [
        (Verdict::Kept, r#""kept""#),
        (
            Verdict::Inconclusive { reason: reason() },
            r#"{"inconclusive":{"reason":"why"}}"#,
        ),
        (
            Verdict::NotApplicable { reason: reason() },
            r#"{"not_applicable":{"reason":"why"}}"#,
        ),
        (
            Verdict::from(failure),
            concat!(
                r#"{"broken":{"requirement":{"id":"NEO-GETALL-14","level":"must","sentence":"#,
                r#""After a suspended iteration resumes, no record is delivered again.","#,
                r#""source":"neo-requests.md 8.4"},"outcome":"extra","#,
                r#""sent":"GetAll c0, Suspend, Resume","#,
                r#""expected":["records not yet delivered","Finished"],"#,
                r#""observed":"k0=v0 a second time","exchange":["#,
                r#"{"direction":"to_node","text":"GetAll c0","ms":null,"connection":null},"#,
                r#"{"direction":"to_client","text":"Started, k0=v0","ms":12,"connection":"client 2"}],"#,
                r#""again":"dhtcheck certify --filter getall.suspend-resume --node 127.0.0.1:10100","#,
                r#""minimal":["GetAll c0"]}}"#
            ),
        ),
    ];
    for (verdict, stored) in verdicts {
        let event = fixtures::result("requests", "put.get", verdict);
        assert_eq!(json(&event), format!("{prefix}{stored}{suffix}"));
    }
}

#[test]
fn the_other_events_are_stored_as_promised() {
    let group = || "random".to_owned();
    let events = [
        (
            Event::CheckStarted(CheckStarted {
                id: "put.get".to_owned(),
            }),
            r#"{"check_started":{"id":"put.get"}}"#,
        ),
        (
            Event::Progress(Progress {
                group: group(),
                operations: 7,
                elapsed: Duration::from_millis(3),
                budget: None,
                findings: 2,
            }),
            r#"{"progress":{"group":"random","operations":7,"elapsed_us":3000,"budget_us":null,"findings":2}}"#,
        ),
        (
            Event::RandomFinished(Workload {
                group: group(),
                operations: 7,
                clients: 1,
                faults: 0,
                duration: Duration::from_secs(1),
            }),
            concat!(
                r#"{"random_finished":{"group":"random","operations":7,"clients":1,"#,
                r#""faults":0,"duration_us":1000000}}"#
            ),
        ),
        (
            Event::Stopped(Obstacle {
                reason: "nobody answers.".to_owned(),
                clues: Vec::new(),
                advice: None,
            }),
            r#"{"stopped":{"reason":"nobody answers.","clues":[],"advice":null}}"#,
        ),
        (
            Event::RunFinished(RunFinished {
                duration: Duration::MAX,
            }),
            r#"{"run_finished":{"duration_us":18446744073709551615}}"#,
        ),
    ];
    for (event, stored) in events {
        assert_eq!(json(&event), stored);
    }
}

#[test]
fn what_may_be_absent_may_be_absent() {
    let line = concat!(
        r#"{"run_started":{"schema":1,"version":"0.1.0","seed":"1","node":"n","#,
        r#""started_ms":0,"groups":[],"from_a_later_version":true}}"#
    );
    let start = RunStarted {
        version: "0.1.0".to_owned(),
        seed: "1".to_owned(),
        node: "n".to_owned(),
        ..RunStarted::default()
    };
    let read: Event = serde_json::from_str(line).unwrap();
    assert_eq!(read, Event::RunStarted(start));

    let line = r#"{"progress":{"group":"random","operations":7,"elapsed_us":3000}}"#;
    let read: Event = serde_json::from_str(line).unwrap();
    assert!(matches!(
        read,
        Event::Progress(Progress { budget: None, .. })
    ));
}

#[test]
fn what_is_no_event_is_an_error() {
    for line in [
        "",
        "{}",
        r#"{"run_paused":{}}"#,
        r#"{"run_finished":{"duration_us":-1}}"#,
        r#"{"check_started":{}}"#,
    ] {
        assert!(serde_json::from_str::<Event>(line).is_err(), "{line}");
    }
}
