//! The JUnit XML of a run: to the letter, by the rules of Jenkins' schema, and with any text in it.

mod fixtures;

use std::io;
use std::time::Duration;

use dht_reports::{
    Event, Exit, Failure, Line, Observation, Plan, Profile, RunFinished, RunStarted, Verdict,
    Workload, junit,
};
use roxmltree::{Document, Node};

fn xml(events: &[Event]) -> String {
    let mut bytes = Vec::new();
    junit::write(&fixtures::run(events).judged(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_node_that_keeps_the_requirements() {
    assert_eq!(xml(&fixtures::kept()), include_str!("expected/kept.xml"));
}

#[test]
fn a_node_that_does_not() {
    assert_eq!(
        xml(&fixtures::broken()),
        include_str!("expected/broken.xml")
    );
}

#[test]
fn a_node_that_cannot_be_tested() {
    assert_eq!(
        xml(&fixtures::cannot_start()),
        include_str!("expected/cannot_start.xml")
    );
}

#[test]
fn known_deviations_pass_and_say_so() {
    let xml = xml(&fixtures::known());
    assert_eq!(xml, include_str!("expected/known.xml"));
    assert!(!xml.contains("<failure"));
}

#[test]
fn advice_passes_and_says_so() {
    let xml = xml(&fixtures::advised());
    assert_eq!(xml, include_str!("expected/advised.xml"));
    assert!(!xml.contains("<failure"));
}

#[test]
fn follows_the_schema_of_jenkins() {
    let cut_off = &fixtures::kept()[..4];
    for events in [
        &fixtures::kept()[..],
        &fixtures::broken(),
        &fixtures::cannot_start(),
        &fixtures::known(),
        &fixtures::advised(),
        &fixtures::long_exchange(1_000),
        cut_off,
        &[],
    ] {
        let xml = xml(events);
        assert_schema(Document::parse(&xml).unwrap().root_element());
    }
}

#[test]
fn is_green_exactly_when_the_program_ends_with_0() {
    let kept = fixtures::kept();
    let mut runs: Vec<Vec<Event>> = (0..kept.len()).map(|end| kept[..end].to_vec()).collect();
    runs.extend([
        kept,
        fixtures::broken(),
        fixtures::cannot_start(),
        fixtures::known(),
        fixtures::advised(),
        vec![fixtures::start(&[]), fixtures::finished()],
    ]);
    let mut green = 0;
    for events in runs {
        let xml = xml(&events);
        let document = Document::parse(&xml).unwrap();
        let red = document
            .descendants()
            .any(|node| node.has_tag_name("failure") || node.has_tag_name("error"));
        assert_eq!(
            fixtures::run(&events).judged().exit() == Exit::Kept,
            !red,
            "{xml}"
        );
        green += usize::from(!red);
    }
    assert_eq!(green, 3);
}

#[test]
fn a_long_exchange_is_longer_than_on_the_terminal_but_cropped() {
    let xml = xml(&fixtures::long_exchange(1_000));
    for message in [1, 50, 851, 1_000] {
        assert!(xml.contains(&format!(" message {message} ")), "{message}");
    }
    for message in [51, 850] {
        assert!(!xml.contains(&format!(" message {message} ")), "{message}");
    }
    assert!(xml.contains(" 800 lines left out "));
}

#[test]
fn holds_any_text() {
    // Every class of characters that XML 1.0 treats in its own way, and both sides of each border.
    let nasty: String = (0..0x500)
        .chain(0xd7f0..0xd800)
        .chain(0xe000..0xe010)
        .chain(0xfff0..0x1_0010)
        .chain(0x1_fff0..0x2_0000)
        .chain(0x10_fff0..=0x10_ffff)
        .filter_map(char::from_u32)
        .chain("]]> <![CDATA[ ]]]]>> &amp; <a b='\"'/> -->".chars())
        .collect();
    let xml = xml(&everywhere(&nasty));
    let document = Document::parse(&xml).unwrap();
    assert_schema(document.root_element());

    // What cannot be written is shown, and what can be written comes back as it was.
    let failure = find(&document, "failure");
    let message = failure.attribute("message").unwrap();
    assert!(message.contains("\\0\\u{1}"), "{message}");
    assert!(message.contains("\\u{1b}"), "{message}");
    assert!(
        message.contains("\u{fffd}\\u{fffe}\\u{ffff}\u{10000}"),
        "{message}"
    );
    assert!(message.contains("]]> <![CDATA[ ]]]]>> &amp; <a b='\"'/> -->"));
    let title = find(&document, "system-out").text().unwrap();
    assert!(title.contains("]]> <![CDATA[ ]]]]>> &amp; <a b='\"'/> -->"));

    // The parser is no lenient one: it refuses what is left out here.
    for illegal in ["\0", "\u{1b}", "\u{fffe}"] {
        assert!(Document::parse(&format!("<a>{illegal}</a>")).is_err());
    }
}

#[test]
fn times_are_plain_decimals_at_both_ends() {
    for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let mut result = fixtures::result("streams", "getall", Verdict::Kept);
        if let Event::CheckFinished(result) = &mut result {
            result.duration = duration;
        }
        let mut start = fixtures::start(&[]);
        if let Event::RunStarted(start) = &mut start {
            start.started_ms = u64::MAX;
        }
        let end = Event::RunFinished(RunFinished { duration });
        let xml = xml(&[start, result.clone(), result, end]);
        let document = Document::parse(&xml).unwrap();
        assert_schema(document.root_element());
        let suite = find(&document, "testsuite");
        assert_eq!(suite.attribute("timestamp"), Some("9999-12-31T23:59:59Z"));
    }
}

#[test]
fn errors_of_the_sink_are_told() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = junit::write(&fixtures::run(&fixtures::kept()).judged(), Full).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

/// A run with `text` in each place that takes any.
fn everywhere(text: &str) -> Vec<Event> {
    let own = || text.to_owned();
    let mut events = vec![Event::RunStarted(RunStarted {
        version: own(),
        seed: own(),
        node: own(),
        range: Some(own()),
        profile: Profile {
            restart: None,
            name: own(),
            ..Profile::strict()
        },
        filter: Some(own()),
        ..RunStarted::default()
    })];
    let failure = fixtures::delivered_twice();
    let verdicts = [
        Verdict::from(Failure {
            observed: own(),
            sent: own(),
            expected: vec![own()],
            exchange: vec![Line::to_node(text), Line::note(text), Line::to_client(text)],
            again: own(),
            minimal: Some(vec![own()]),
            ..failure
        }),
        Verdict::Inconclusive { reason: own() },
        Verdict::NotApplicable { reason: own() },
        Verdict::Kept,
    ];
    for verdict in verdicts {
        let mut event = fixtures::result(text, text, verdict);
        if let Event::CheckFinished(result) = &mut event {
            result.check.title = own();
            result.check.requirements = vec![own()];
            result.dialect = vec![Observation {
                question: own(),
                answer: own(),
            }];
            result.check.subsumes = Some(own());
        }
        events.push(event);
    }
    events.push(Event::RandomFinished(Workload {
        group: own(),
        operations: 1,
        clients: 1,
        faults: 0,
        duration: Duration::ZERO,
    }));
    let mut stop = fixtures::cannot_start().pop().unwrap();
    if let Event::Stopped(obstacle) = &mut stop {
        obstacle.reason = own();
        obstacle.advice = Some(own());
        obstacle.clues[0].question = own();
        obstacle.clues[0].answer = own();
    }
    events.push(stop);
    events
}

fn find<'a, 'input>(document: &'a Document<'input>, name: &str) -> Node<'a, 'input> {
    let found = document.descendants().find(|node| node.has_tag_name(name));
    found.unwrap()
}

/// The rules of `junit-10.xsd` of Jenkins' xUnit plugin, as far as they concern the elements used here, and
/// what the schema cannot say: that the numbers are right and names are unique.
fn assert_schema(root: Node<'_, '_>) {
    assert_eq!(root.tag_name().name(), "testsuites");
    let count = |node: Node<'_, '_>, name: &str| {
        node.descendants()
            .filter(|child| child.has_tag_name(name))
            .count()
    };
    for node in root.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        let (required, optional, children): (&[&str], &[&str], &[&str]) = match name {
            "testsuites" => (
                &[],
                &["name", "time", "tests", "failures", "errors"],
                &["testsuite"],
            ),
            "testsuite" => (
                &["name", "tests", "failures", "errors"],
                &["time", "skipped", "timestamp", "hostname", "id", "package"],
                &["properties", "testcase"],
            ),
            "properties" => (&[], &[], &["property"]),
            "property" => (&["name", "value"], &[], &[]),
            "testcase" => (
                &["name"],
                &["time", "classname"],
                &["skipped", "error", "failure", "system-out"],
            ),
            "skipped" | "error" | "failure" => (&[], &["type", "message"], &[]),
            "system-out" => (&[], &[], &[]),
            other => panic!("the schema has no element {other}"),
        };
        for attribute in required {
            assert!(node.has_attribute(*attribute), "{name} lacks {attribute}");
        }
        for attribute in node.attributes() {
            let attribute = attribute.name();
            assert!(
                required.contains(&attribute) || optional.contains(&attribute),
                "{name} may not have {attribute}"
            );
        }
        for child in node.children().filter(Node::is_element) {
            let child = child.tag_name().name();
            assert!(children.contains(&child), "{name} may not have {child}");
        }
        if let Some(time) = node.attribute("time") {
            let (whole, fraction) = time.split_once('.').unwrap();
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(!whole.is_empty() && digits(whole), "{time}");
            assert!(fraction.len() == 3 && digits(fraction), "{time}");
        }
        if matches!(name, "testsuites" | "testsuite") {
            for (attribute, element) in [
                ("tests", "testcase"),
                ("failures", "failure"),
                ("errors", "error"),
                ("skipped", "skipped"),
            ] {
                if let Some(number) = node.attribute(attribute) {
                    assert_eq!(
                        number,
                        count(node, element).to_string(),
                        "{name} {attribute}"
                    );
                }
            }
        }
    }
    let cases = root
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    let mut names: Vec<_> = cases
        .map(|case| (case.attribute("classname"), case.attribute("name")))
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "names are not unique: {names:?}");
    assert!(all > 0, "Jenkins takes a file without cases for an error");
}

#[test]
fn a_group_that_was_not_reached_has_no_suite() {
    let events = [
        fixtures::start(&[("requests", Plan::Checks(1)), ("streams", Plan::Checks(1))]),
        fixtures::result("requests", "put.get", Verdict::Kept),
        fixtures::finished(),
    ];
    let xml = xml(&events);
    let document = Document::parse(&xml).unwrap();
    let suites: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testsuite"))
        .map(|suite| suite.attribute("name").unwrap())
        .collect();
    assert_eq!(suites, ["requests", "run"]);
    assert_eq!(
        find(&document, "error").attribute("message"),
        Some("streams: 1 of 1 checks did not run")
    );
}
