//! The judge is judged: every check fails on a node with a bug that it is meant for, and says so about the
//! right rule. That a healthy node passes is shown by `program.rs`.

use std::collections::BTreeSet;
use std::process::Command;

use dhtcheck::checks;
use fakedht::Bugs;

/// A check, a bug that it has to find, and the rule that it has to say is broken.
const FOUND_BY: &[(&str, &str, &str)] = &[
    ("records.put-get", "put-not-stored", "A18.1"),
    ("records.put-get", "get-cuts-last-byte", "A18.2"),
    ("records.put-get", "get-value-missing", "P03"),
    ("records.put-remove-get", "remove-says-no-record", "A18.3"),
    ("records.put-remove-get", "exists-inverted", "P19"),
    ("records.put-remove-get", "remove-keeps-record", "A18.2"),
    ("records.get-missing", "remove-says-removed", "A18.3"),
    ("records.get-missing", "get-says-found-for-nothing", "A18.2"),
    ("records.get-missing", "exists-always", "P19"),
    ("records.overwrite", "put-keeps-old-value", "A18.2"),
    ("records.too-big", "put-cuts-large-values", "A18.2"),
    ("records.largest", "get-all-loses-last-of-batch", "A18.4"),
    ("update.missing", "update-finds-nothing", "A12"),
    ("update.replace", "update-not-stored", "A18.2"),
    ("update.serialized", "update-always-conflicts", "A12"),
    ("update.leave-delete", "update-remove-keeps-record", "A18.2"),
    ("update.conflict", "update-ignores-hash", "A18.6"),
    ("channels.put-remove", "remove-channel-keeps-channel", "A4"),
    ("channels.list", "get-channels-misses-first", "A18.10"),
    ("channels.list", "get-channels-never-finishes", "P03"),
    (
        "channels.list-after-removal",
        "get-channels-lists-removed",
        "A18.10",
    ),
    ("bulk.sequential", "put-every-100th-lost", "A18.1"),
    ("bulk.sequential", "get-all-ignores-filter", "P47"),
    ("bulk.spread", "get-all-stops-at-500", "A18.4"),
    ("bulk.put-remove", "remove-says-no-record", "A18.3"),
    ("bulk.spread", "keys-cut-to-32-bits", "A18.4"),
    ("getall.complete", "get-all-swaps-values", "A18.4"),
    ("getall.complete", "get-all-never-finishes", "P03"),
    ("getall.suspend-resume", "suspend-ignored", "A18.9"),
    ("getall.suspend-resume", "control-not-acknowledged", "P28"),
    (
        "getall.suspend-resume",
        "get-all-repeats-after-resume",
        "P45",
    ),
    (
        "getall.connection-drop",
        "get-all-continues-from-start",
        "P45",
    ),
    ("getall.stop", "control-not-acknowledged", "P34"),
    ("mirror.removes", "mirror-misses-deletions", "P63"),
    ("mirror.puts", "mirror-wrong-value", "P63"),
    ("mirror.order", "mirror-misses-every-10th-change", "A18.7"),
    ("mirror.connection-drop", "mirror-no-refresh", "P54"),
    ("mirror.suspend-resume", "control-not-acknowledged", "P28"),
    ("mirror.suspend-resume", "suspend-ignored", "A18.9"),
    ("mirror.refresh-suspend", "suspend-ignored", "A18.9"),
    ("mirror.refresh", "mirror-no-periodic-refresh", "P62"),
    (
        "mirror.refresh-suspend",
        "mirror-no-periodic-refresh",
        "P62",
    ),
    (
        "mirror.remove-channel",
        "mirror-misses-channel-removal",
        "P60",
    ),
    ("random.sequential", "get-stale-value", "A18.2"),
    ("random.sequential", "put-not-stored", "A18.3"),
    ("random.sequential", "put-every-100th-lost", "A18.3"),
    ("random.sequential", "get-all-repeats-record", "A18.4"),
    ("random.sequential", "get-all-sends-values-for-keys", "WIRE"),
];

/// Bugs that are a silence: only the time that an answer may take shows them.
const SILENT: [&str; 9] = [
    "control-not-acknowledged",
    "get-all-never-finishes",
    "get-channels-never-finishes",
    "get-value-missing",
    "mirror-misses-channel-removal",
    "mirror-misses-deletions",
    "mirror-misses-every-10th-change",
    "mirror-no-periodic-refresh",
    "mirror-no-refresh",
];

/// Seconds that an answer may take: few where they have to pass, many where a slow machine must not make a
/// silence of what is none.
fn timeout(bug: &str) -> &'static str {
    if SILENT.contains(&bug) { "2" } else { "60" }
}

#[test]
fn every_check_finds_the_bugs_that_it_is_meant_for() {
    let workers: Vec<_> = FOUND_BY
        .chunks(FOUND_BY.len().div_ceil(4))
        .map(|part| std::thread::spawn(move || part.iter().filter_map(missed).collect::<Vec<_>>()))
        .collect();
    let missed: Vec<_> = workers
        .into_iter()
        .flat_map(|worker| worker.join().unwrap())
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

/// Why a check did not find a bug, or not what is wrong with it, if so.
fn missed((check, bug, rule): &(&str, &str, &str)) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args([
            "certify",
            "--bug",
            bug,
            "--filter",
            check,
            "--timeout",
            timeout(bug),
            "--seed",
            "1",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let found = output.status.code() == Some(1)
        && text.contains(&format!("check {check}:"))
        && text.contains(&format!("\n{rule}  \""));
    (!found).then(|| format!("{check} does not find {bug} as a breach of {rule}:\n{text}"))
}

#[test]
fn no_check_is_left_unjudged() {
    let judged: BTreeSet<_> = FOUND_BY.iter().map(|(check, ..)| *check).collect();
    let unjudged: Vec<_> = checks::all()
        .map(|check| check.id)
        .filter(|check| !judged.contains(check))
        .collect();
    assert!(unjudged.is_empty(), "{unjudged:?}");
}

/// What every check may find, whatever it is about: silence, and messages that are none.
const ALWAYS: [&str; 2] = ["P03", "WIRE"];

#[test]
fn checks_break_no_rules_but_those_that_they_name() {
    for (id, bug, rule) in FOUND_BY {
        let Some(check) = checks::all().find(|check| check.id == *id) else {
            continue;
        };
        assert!(
            check.rules.contains(rule) || ALWAYS.contains(rule),
            "{id} finds {bug} to break {rule}"
        );
    }
}

#[test]
fn every_bug_is_one_of_the_catalogue() {
    for (_, bug, _) in FOUND_BY {
        assert!(Bugs::find(bug).is_some(), "{bug}");
    }
}
