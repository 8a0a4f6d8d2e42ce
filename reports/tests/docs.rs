//! The documents show events and a profile; what they show is read as they say.

mod fixtures;

use std::collections::BTreeSet;

use dht_reports::{Event, Exit, Profile, Run, Verdict, jsonl};

const RUN_EVENTS: &str = include_str!("../../docs/run-events.md");
const PROFILES: &str = include_str!("../../docs/profiles.md");

/// The blocks of `document` marked as `language`.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    document
        .split(start.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_examples_of_run_events_are_a_run() {
    let examples = blocks(RUN_EVENTS, "json");
    // Examples are broken into lines to be read; a file has an event a line.
    let file: String = examples
        .iter()
        .map(|example| {
            let value: serde_json::Value = serde_json::from_str(example).unwrap();
            format!("{value}\n")
        })
        .collect();
    let events = jsonl::read(file.as_bytes()).unwrap();
    assert_eq!(events.len(), examples.len());
    for (event, example) in events.iter().zip(&examples) {
        assert!(!matches!(event, Event::Other(_)), "{example}");
        // Nothing is shown that would not be written, and nothing is left out.
        let shown: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), shown);
    }
    let run: Run = events.iter().collect();
    assert_eq!(run.judged().exit(), Exit::Kept, "{:?}", run.missing());
    assert_eq!(run.judged().tally().deviations, 1);
}

#[test]
fn the_example_of_a_run_that_stopped_is_an_event() {
    let [example] = blocks(RUN_EVENTS, "jsonc")[..] else {
        panic!("one example stands apart");
    };
    let event: Event = serde_json::from_str(example).unwrap();
    assert!(matches!(event, Event::Stopped(_)));
    let shown: serde_json::Value = serde_json::from_str(example).unwrap();
    assert_eq!(serde_json::to_value(event).unwrap(), shown);
}

#[test]
fn every_event_and_every_verdict_has_an_example() {
    let all = [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::cannot_start(),
    ];
    let mut expected = BTreeSet::new();
    for event in all.iter().flatten() {
        let value = serde_json::to_value(event).unwrap();
        let name = value.as_object().unwrap().keys().next().unwrap();
        expected.insert(format!("\"{name}\""));
        if let Event::CheckFinished(result) = event {
            let verdict = match result.verdict {
                Verdict::Kept => "\"kept\"",
                Verdict::Broken(_) => "\"broken\"",
                Verdict::Inconclusive { .. } => "\"inconclusive\"",
                _ => "\"not_applicable\"",
            };
            expected.insert(verdict.to_owned());
        }
    }
    assert_eq!(expected.len(), 7 + 4);
    for name in expected {
        assert!(RUN_EVENTS.contains(&name), "{name}");
    }
}

#[test]
fn the_examples_of_profiles_are_profiles() {
    let examples = blocks(PROFILES, "toml");
    assert!(!examples.is_empty());
    for example in examples {
        let profile = Profile::from_toml(example).unwrap();
        assert!(!profile.deviations.is_empty());
    }
}
