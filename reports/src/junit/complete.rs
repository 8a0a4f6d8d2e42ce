//! What junit-report leaves out: properties, the number of skipped cases, the sums of the whole run, and
//! times that are always plain decimals with three digits behind the point.
//!
//! junit-report has no place for these, and its types no way to add one. Its output is therefore read back
//! element by element, by the same version of the XML library that wrote it, and completed on its way out:
//! nothing is found by searching in text. Lines are broken and indented at the same time, which a reader of
//! a failing run will be glad of.

use std::borrow::Cow;
use std::io::{self, Write};

use junit_report::{Report, TestSuite};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use crate::judged::Judged;
use crate::run::{Group, Run};

use super::attribute;

/// What is to be said of one suite.
pub(super) struct Facts {
    properties: Vec<(&'static str, String)>,
}

impl Facts {
    /// The facts of the run, and of the random workload of `group`.
    pub(super) fn of(judged: &Judged<'_>, group: Option<&Group>) -> Self {
        let mut properties = Vec::new();
        if let Some(start) = judged.run().start() {
            properties.push(("version", start.version.clone()));
            properties.push(("seed", start.seed.clone()));
            properties.push(("node", start.node.clone()));
            properties.extend(start.range.clone().map(|range| ("range", range)));
            properties.push(("profile", judged.profile().to_owned()));
            properties.extend(start.filter.clone().map(|filter| ("filter", filter)));
        }
        if let Some(workload) = group.and_then(|group| group.workload.as_ref()) {
            properties.push(("operations", workload.operations.to_string()));
            properties.push(("clients", workload.clients.to_string()));
            properties.push(("faults", workload.faults.to_string()));
        }
        Self { properties }
    }
}

/// Writes `xml`, which junit-report made of `report`, to `sink`; the suites have the `facts` of the same
/// index.
pub(super) fn write(
    xml: &[u8],
    run: &Run,
    report: &Report,
    facts: &[Facts],
    sink: impl Write,
) -> io::Result<()> {
    let mut reader = Reader::from_reader(xml);
    let mut writer = Writer::new_with_indent(sink, b' ', 2);
    let mut suites = report.testsuites().iter().zip(facts);
    loop {
        match reader.read_event().map_err(io::Error::other)? {
            Event::Eof => break,
            Event::Start(element) if element.name().as_ref() == b"testsuites" => {
                writer.write_event(Event::Start(root(run, report)))?;
            }
            // A suite always has a case, so it is never an empty element.
            Event::Start(element) if element.name().as_ref() == b"testsuite" => {
                let mut element = with_plain_time(&element)?;
                let Some((suite, facts)) = suites.next() else {
                    return Err(io::Error::other("more suites were written than there are"));
                };
                element.push_attribute(("skipped", skipped(suite).to_string().as_str()));
                writer.write_event(Event::Start(element))?;
                properties(&mut writer, facts)?;
            }
            Event::Start(element) => {
                writer.write_event(Event::Start(with_plain_time(&element)?))?
            }
            Event::Empty(element) => {
                writer.write_event(Event::Empty(with_plain_time(&element)?))?
            }
            other => writer.write_event(other)?,
        }
    }
    let mut sink = writer.into_inner();
    sink.write_all(b"\n")?;
    sink.flush()
}

fn root(run: &Run, report: &Report) -> BytesStart<'static> {
    let sum = |count: fn(&TestSuite) -> usize| {
        let sum: usize = report.testsuites().iter().map(count).sum();
        sum.to_string()
    };
    let seconds = run.duration().unwrap_or_default().as_secs_f64();
    let mut element = BytesStart::new("testsuites");
    element.push_attribute(("name", "dhtcheck"));
    element.push_attribute(("tests", sum(TestSuite::tests).as_str()));
    element.push_attribute(("failures", sum(TestSuite::failures).as_str()));
    element.push_attribute(("errors", sum(TestSuite::errors).as_str()));
    element.push_attribute(("time", plain(seconds).as_str()));
    element
}

fn skipped(suite: &TestSuite) -> usize {
    suite
        .testcases
        .iter()
        .filter(|case| case.is_skipped())
        .count()
}

fn properties<W: Write>(writer: &mut Writer<W>, facts: &Facts) -> io::Result<()> {
    if facts.properties.is_empty() {
        return Ok(());
    }
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            for (name, value) in &facts.properties {
                writer
                    .create_element("property")
                    .with_attribute(("name", *name))
                    .with_attribute(("value", attribute(value).as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

/// The same element; its attribute `time` may be any floating-point number and becomes a plain one.
fn with_plain_time(element: &BytesStart<'_>) -> io::Result<BytesStart<'static>> {
    let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
    let mut result = BytesStart::new(name);
    for read in element.attributes() {
        let mut read = read.map_err(io::Error::other)?;
        if read.key.as_ref() == b"time" {
            let text = String::from_utf8_lossy(&read.value).into_owned();
            let seconds: f64 = text.parse().map_err(io::Error::other)?;
            read.value = Cow::Owned(plain(seconds).into_bytes());
        }
        result.push_attribute(read);
    }
    Ok(result)
}

fn plain(seconds: f64) -> String {
    format!("{seconds:.3}")
}
