//! The judge is judged: every check fails on a node with a bug that it is meant for, and says so about the
//! right rule. That a healthy node passes is shown by `program.rs`.

use std::collections::BTreeSet;
use std::process::Command;

use dhtcheck::checks;

/// A check and a bug that it has to find.
const FOUND_BY: &[(&str, &str)] = &[
    ("records.put-get", "put-not-stored"),
    ("records.put-get", "get-cuts-last-byte"),
    ("records.put-get", "get-value-missing"),
    ("records.put-remove-get", "remove-says-no-record"),
    ("records.put-remove-get", "exists-inverted"),
    ("records.get-missing", "remove-says-removed"),
    ("records.get-missing", "get-says-found-for-nothing"),
    ("records.get-missing", "exists-always"),
    ("records.overwrite", "put-keeps-old-value"),
    ("records.put-remove-get", "remove-keeps-record"),
    ("records.too-big", "put-cuts-large-values"),
    ("records.largest", "get-all-loses-last-of-batch"),
    ("update.missing", "update-finds-nothing"),
    ("update.replace", "update-not-stored"),
    ("update.serialized", "update-always-conflicts"),
    ("update.leave-delete", "update-remove-keeps-record"),
    ("update.conflict", "update-ignores-hash"),
    ("channels.put-remove", "remove-channel-keeps-channel"),
    ("channels.list", "get-channels-misses-first"),
    ("channels.list", "get-channels-never-finishes"),
    ("channels.list-after-removal", "get-channels-lists-removed"),
    ("bulk.sequential", "put-every-100th-lost"),
    ("bulk.sequential", "get-all-ignores-filter"),
    ("bulk.spread", "get-all-stops-at-500"),
    ("bulk.put-remove", "remove-says-no-record"),
    ("getall.complete", "get-all-swaps-values"),
    ("getall.complete", "get-all-never-finishes"),
    ("getall.suspend-resume", "suspend-ignored"),
    ("getall.suspend-resume", "control-not-acknowledged"),
    ("getall.suspend-resume", "get-all-repeats-after-resume"),
    ("getall.connection-drop", "get-all-continues-from-start"),
    ("getall.stop", "control-not-acknowledged"),
    ("mirror.removes", "mirror-misses-deletions"),
    ("mirror.puts", "mirror-wrong-value"),
    ("mirror.order", "mirror-misses-every-10th-change"),
    ("mirror.connection-drop", "mirror-no-refresh"),
    ("mirror.suspend-resume", "control-not-acknowledged"),
    ("mirror.suspend-resume", "suspend-ignored"),
    ("mirror.refresh-suspend", "suspend-ignored"),
    ("mirror.refresh", "mirror-no-periodic-refresh"),
    ("mirror.refresh-suspend", "mirror-no-periodic-refresh"),
    ("mirror.remove-channel", "mirror-misses-channel-removal"),
    ("bulk.spread", "keys-cut-to-32-bits"),
    ("random.sequential", "get-stale-value"),
    ("random.sequential", "put-not-stored"),
    ("random.sequential", "put-every-100th-lost"),
    ("random.sequential", "get-all-repeats-record"),
    ("random.sequential", "get-all-sends-values-for-keys"),
];

/// Seconds that an answer may take. Checks whose bug is a silence take some of them.
const TIMEOUT: &str = "1.5";

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

/// Why a check did not find a bug, if it did not.
fn missed((check, bug): &(&str, &str)) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args([
            "certify",
            "--bug",
            bug,
            "--filter",
            check,
            "--timeout",
            TIMEOUT,
            "--seed",
            "1",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let found = output.status.code() == Some(1) && text.contains(&format!("check {check}"));
    (!found).then(|| format!("{check} does not find {bug}:\n{text}"))
}

#[test]
fn no_check_is_left_unjudged() {
    let judged: BTreeSet<_> = FOUND_BY.iter().map(|(check, _)| *check).collect();
    let unjudged: Vec<_> = checks::all()
        .map(|check| check.id)
        .filter(|check| !judged.contains(check))
        .collect();
    assert!(unjudged.is_empty(), "{unjudged:?}");
}
