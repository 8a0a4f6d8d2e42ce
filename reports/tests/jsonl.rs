//! The file of a run: what is written is read, a run that was cut off too, and nothing else is.

mod fixtures;

use std::io::{self, BufReader, Read};

use dht_reports::jsonl::{self, Reason};
use dht_reports::{Event, Exit, Run};

fn text(events: &[Event]) -> String {
    let mut bytes = Vec::new();
    for event in events {
        jsonl::write(event, &mut bytes).unwrap();
    }
    String::from_utf8(bytes).unwrap()
}

fn read(text: &str) -> Result<Vec<Event>, jsonl::ReadError> {
    jsonl::read(text.as_bytes())
}

#[test]
fn what_is_written_is_read() {
    for events in [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::known(),
        fixtures::cannot_start(),
    ] {
        let text = text(&events);
        assert_eq!(text.lines().count(), events.len());
        assert_eq!(read(&text).unwrap(), events);
        // As an editor may leave it.
        let edited = format!("\n{}", text.trim_end().replace('\n', "\r\n\r\n"));
        assert_eq!(read(&edited).unwrap(), events);
    }
}

#[test]
fn a_run_that_was_cut_off_anywhere_is_read_as_far_as_it_goes() {
    let events = fixtures::known();
    let text = text(&events);
    let first = text.find('\n').unwrap();
    for end in 0..text.len() {
        let cut = &text.as_bytes()[..end];
        let read = jsonl::read(cut);
        if end < first {
            let error = read.unwrap_err();
            assert!(matches!(error.reason, Reason::NoRun), "{end}: {error}");
            continue;
        }
        let read = read.unwrap();
        assert!(events.starts_with(&read), "{end}");
        let lines = cut.iter().filter(|byte| **byte == b'\n').count();
        // A last line that lacks but its end is whole.
        assert!((lines..=lines + 1).contains(&read.len()), "{end}");
        let run: Run = read.iter().collect();
        assert_eq!(run.duration().is_some(), read.len() == events.len());
    }
}

#[test]
fn only_the_last_line_may_be_cut_off() {
    let text = text(&fixtures::kept());
    let half = |line: &str| line[..line.len() / 2].to_owned();
    for broken in [1, 3] {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[broken] = half(&lines[broken]);
        let error = read(&(lines.join("\n") + "\n")).unwrap_err();
        assert_eq!(error.line, broken + 1);
        assert!(matches!(error.reason, Reason::Json(_)), "{error}");
    }
    // Something else than a cut.
    let error = read(&format!("{text}{}", r#"{"check_started":{}}"#)).unwrap_err();
    assert_eq!(error.line, fixtures::kept().len() + 1);
}

#[test]
fn another_schema_is_refused_before_its_events_are_looked_at() {
    let line = r#"{"run_started":{"schema":2,"groups":"many"}}"#;
    let error = read(line).unwrap_err();
    assert!(matches!(error.reason, Reason::Schema(2)), "{error}");
    assert_eq!(
        error.to_string(),
        "line 1: schema 2 is not known to this version, which reads schema 1"
    );
}

#[test]
fn what_is_not_the_file_of_a_run_is_refused() {
    for text in [
        "",
        "\n\n",
        "{}\n",
        "[]\n",
        "7\n",
        "\"run_started\"\n",
        "{\"check_started\":{\"id\":\"a\"}}\n",
        "{\"run_started\":{\"version\":\"0.1.0\"}}\n",
        "{\"something\":1}\n",
        "<xml/>\n",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(read(&format!("{deep}\n")).is_err());
}

#[test]
fn events_of_a_later_version_do_no_harm_and_are_not_lost() {
    let events = fixtures::kept();
    let known = text(&events);
    let (first, rest) = known.split_once('\n').unwrap();
    let later = r#"{"node_restarted":{"after":"put.get"}}"#;
    let mixed = format!("{first}\n{later}\n{rest}");
    let read = read(&mixed).unwrap();
    assert!(matches!(read[1], Event::Other(_)), "{:?}", read[1]);
    assert_eq!(text(&read), mixed);
    let run: Run = read.iter().collect();
    assert_eq!(run, fixtures::run(&events));
    assert_eq!(run.judged().exit(), Exit::Kept);
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let endless = BufReader::with_capacity(1 << 20, io::repeat(b' '));
    let error = jsonl::read(endless).unwrap_err();
    assert!(matches!(error.reason, Reason::TooLong), "{error}");
}

#[test]
fn errors_of_the_source_are_told() {
    struct Gone;
    impl Read for Gone {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let error = jsonl::read(BufReader::new(Gone)).unwrap_err();
    assert!(matches!(error.reason, Reason::Io(_)), "{error}");
}
