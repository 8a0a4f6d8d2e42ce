//! `dhtcheck replay` of files with schedules: the rare order of messages is the only one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn replay(arguments: &[&str], file: &Path) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .arg("replay")
        .arg(file)
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap()
}

fn kept(name: &str) -> PathBuf {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    corpus.join(name).with_extension("json")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_file_with_a_schedule_fails_with_its_bug_and_not_without() {
    let bug = "update-misses-update-between";
    let healthy = replay(&[], &kept(bug));
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stdout));
    assert_eq!(text(&healthy.stderr), "");
    let broken = replay(&["--bug", bug], &kept(bug));
    let shown = text(&broken.stdout);
    assert_eq!(broken.status.code(), Some(1), "{shown}");
    assert!(shown.contains("NEO-UPDATE-08"), "{shown}");
}

#[test]
fn a_schedule_that_cannot_be_followed_is_told_and_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lost.json");
    let text_of_file = fs::read_to_string(kept("update-misses-update-between")).unwrap();
    // The value that the first Update waits for is to reach it before it has asked.
    let edited = text_of_file.replacen(r#"{"to_node":0}"#, r#"{"to_client":0}"#, 1);
    assert_ne!(edited, text_of_file);
    fs::write(&file, edited).unwrap();
    let output = replay(&[], &file);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let told = text(&output.stderr);
    let note = "the schedule of round 1 could not be followed from move 2";
    assert!(told.contains(note), "{told}");
}
