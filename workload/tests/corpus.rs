//! The failures that are kept with the program, in the world without sockets: a healthy node has none of them,
//! one with the bug that the file names has that one. Those with a schedule are run over sockets, by
//! `net/corpus.rs`.

use std::path::{Path, PathBuf};

use dht_protocol::HashRange;
use dht_workload::corpus::{self, Kept};
use dht_workload::hunt::Hunt;
use fakedht::{Bugs, NodeConfig};

/// So many steps a person reads with ease.
const SHORT: usize = 8;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn files() -> Vec<(PathBuf, Kept)> {
    let paths = corpus::files(&folder()).unwrap();
    let read = |path: PathBuf| {
        let kept = Kept::read(&path).unwrap();
        (path, kept)
    };
    paths.into_iter().map(read).collect()
}

/// Those that this world can run.
fn free() -> impl Iterator<Item = (PathBuf, Kept)> {
    let files = files().into_iter();
    files.filter(|(_, kept)| !kept.case.has_schedule())
}

fn node(bugs: Bugs) -> Hunt {
    Hunt::new(NodeConfig {
        bugs,
        range: HashRange::FULL,
        ..NodeConfig::default()
    })
}

#[test]
fn there_are_enough_and_they_are_short() {
    let files = files();
    assert!(files.len() >= 40, "{}", files.len());
    for (path, kept) in files {
        assert!(kept.case.len() <= SHORT, "{}", path.display());
    }
}

/// Whoever edits a file finds it again as it was but for the edit.
#[test]
fn files_are_written_as_they_are_read() {
    for (path, kept) in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(kept.text(), text, "{}", path.display());
    }
}

#[test]
fn a_healthy_node_passes() {
    for (path, kept) in free() {
        let schedule = schedule(&kept);
        let fault = node(Bugs::none()).judge(&kept.case, schedule);
        assert_eq!(fault, None, "{}", path.display());
    }
}

#[test]
fn a_node_with_the_bug_fails_as_it_is_written() {
    for (path, kept) in free() {
        let path = path.display();
        let name = kept.bug.as_deref().unwrap_or_default();
        let bug = Bugs::find(name).unwrap_or_else(|| panic!("{path}: no bug \"{name}\""));
        let fault = node(Bugs::from_iter([bug])).judge(&kept.case, schedule(&kept));
        let fault = fault.unwrap_or_else(|| panic!("{path} passes"));
        assert_eq!(fault.requirement.id, kept.requirement, "{path}");
        assert_eq!(fault.observed, kept.observed, "{path}");
    }
}

fn schedule(kept: &Kept) -> u64 {
    kept.found
        .as_ref()
        .and_then(|found| found.schedule)
        .unwrap_or_default()
}
