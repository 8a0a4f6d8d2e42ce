//! A run as JUnit XML, in the dialect that Jenkins' schema describes (`junit-10.xsd` of its xUnit plugin) and
//! that GitLab and the usual actions of GitHub read.
//!
//! | here | there |
//! |---|---|
//! | group | `testsuite`, with the facts of the run as `properties` |
//! | check | `testcase`: `name` is its id, `classname` is `dhtcheck.` and its group |
//! | kept | a `testcase` that passed |
//! | broken | `failure`: `type` is the requirement, the text is what the terminal shows |
//! | advice | a `testcase` that passed, with the advice in its `system-out` |
//! | deviation | a `testcase` that passed, with the deviation in its `system-out` |
//! | inconclusive | `error` |
//! | not applicable | `skipped` |
//!
//! *Inconclusive* is an `error` because that is what JUnit calls a test that ended without an answer, and
//! because a file without failures and errors must mean the same as exit status 0. For the same reason a run
//! that could not start or was not completed has one more suite, `run`, with an `error` that says why.

mod case;
mod complete;

use std::io::{self, Write};
use std::time::Duration;

use junit_report::{OffsetDateTime, Report, TestCase, TestResult, TestSuite};

use crate::judged::Judged;
use crate::run::Run;
use crate::terminal::printable;

use case::Cases;
use complete::Facts;

/// The last second of the year 9999, in milliseconds since 1970: timestamps go no further.
const LAST_MS: u64 = 253_402_300_799_000;

/// A century and more, in milliseconds: no check takes longer.
const LONGEST_MS: u64 = u32::MAX as u64 * 1_000;

/// Writes a run as JUnit XML.
///
/// # Errors
///
/// Only those of `sink`.
pub fn write(judged: &Judged<'_>, sink: impl Write) -> io::Result<()> {
    let run = judged.run();
    let mut report = Report::new();
    let mut facts = Vec::new();
    let cases = Cases::of(judged);
    for group in run
        .groups()
        .iter()
        .filter(|group| !group.results.is_empty())
    {
        report.add_testsuite(suite(run, &group.name, cases.of_group(group)));
        facts.push(Facts::of(judged, Some(group)));
    }
    if let Some(case) = obstacle(run) {
        report.add_testsuite(suite(run, "run", vec![case]));
        facts.push(Facts::of(judged, None));
    }
    let mut xml = Vec::new();
    report.write_xml(&mut xml).map_err(|error| match error {
        junit_report::Error::Io(error) => error,
        junit_report::Error::Xml(error) => io::Error::other(error),
    })?;
    complete::write(&xml, run, &report, &facts, sink)
}

fn suite(run: &Run, name: &str, testcases: Vec<TestCase>) -> TestSuite {
    let started_ms = run.start().map_or(0, |start| start.started_ms);
    TestSuite {
        name: attribute(name),
        package: "dhtcheck".to_owned(),
        timestamp: OffsetDateTime::UNIX_EPOCH.saturating_add(milliseconds(started_ms.min(LAST_MS))),
        // What the format asks for where the name of the host is not known.
        hostname: "localhost".to_owned(),
        testcases,
        system_out: None,
        system_err: None,
    }
}

/// Why there may be less in the file than a reader expects: the one case of the suite `run`.
fn obstacle(run: &Run) -> Option<TestCase> {
    let (type_, lines) = match run.obstacle() {
        Some(obstacle) => {
            let mut lines = vec![obstacle.reason.clone()];
            for clue in &obstacle.clues {
                lines.push(format!("{} {}", clue.question, clue.answer));
            }
            lines.extend(obstacle.advice.clone());
            ("stopped", lines)
        }
        None => ("incomplete", run.missing()),
    };
    let reason = lines.first()?;
    Some(TestCase {
        name: "run.complete".to_owned(),
        time: time(Duration::ZERO),
        result: TestResult::Error {
            type_: type_.to_owned(),
            message: attribute(reason),
            cause: Some(cdata(&lines.join("\n"))),
        },
        classname: Some(class("run")),
        filepath: None,
        system_out: None,
        system_err: None,
    })
}

/// A class name of two parts. Jenkins takes what is before the last dot for a package, so a group's name
/// has none.
fn class(group: &str) -> String {
    let name = group.replace(|c: char| !c.is_alphanumeric(), "-");
    format!("dhtcheck.{name}")
}

fn time(duration: Duration) -> junit_report::Duration {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    milliseconds(ms.min(LONGEST_MS))
}

/// No more than either limit above, so that neither this nor the sums that junit-report makes overflow.
fn milliseconds(ms: u64) -> junit_report::Duration {
    junit_report::Duration::milliseconds(i64::try_from(ms).unwrap_or_default())
}

/// Text for an attribute, as the terminal would show it: in one line, since a reader makes one line of it
/// anyway, of bounded length, and without anything that XML cannot hold.
fn attribute(text: &str) -> String {
    printable(text)
}

/// Text for a CDATA section. Its end mark is split over two sections: junit-report writes what it is given.
fn cdata(text: &str) -> String {
    legal(text).replace("]]>", "]]]]><![CDATA[>")
}

/// Text without the characters that XML 1.0 cannot hold, not even escaped; they are written as in Rust.
fn legal(text: &str) -> String {
    let mut legal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' | '\n' | '\r' => legal.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => legal.extend(character.escape_unicode()),
            _ => legal.push(character),
        }
    }
    legal
}
