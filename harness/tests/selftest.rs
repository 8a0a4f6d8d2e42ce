//! `dhtcheck selftest`: bugs of all kinds are found, kept and listed.

use std::path::Path;
use std::process::{Command, Output};

use dht_workload::corpus::Kept;

fn selftest(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .arg("selftest")
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn bugs_are_found_kept_and_listed() {
    let directory = tempfile::tempdir().unwrap();
    let (folder, page) = (
        directory.path().join("corpus"),
        directory.path().join("page.md"),
    );
    let output = selftest(&[
        "--bug",
        "put-not-stored",
        "--bug",
        "remove-won-twice",
        // No random case speaks the protocol wrongly.
        "--bug",
        "parity-not-checked",
        "--save",
        folder.to_str().unwrap(),
        "--markdown",
        page.to_str().unwrap(),
    ]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("3 bugs, 3 found."), "{said}");
    assert!(
        said.contains("2 by random cases, 1 by directed checks"),
        "{said}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    for (bug, by) in [
        ("put-not-stored", "sequential"),
        ("parity-not-checked", "headers.parity"),
    ] {
        let row = page.lines().find(|line| line.contains(bug)).expect(bug);
        assert!(row.contains(by), "{row}");
    }
    let kept = |name: &str| Kept::read(&folder.join(name));
    let put = kept("put-not-stored.json").unwrap();
    assert_eq!(put.bug.as_deref(), Some("put-not-stored"));
    assert!(put.case.len() <= 3, "{}", put.case);
    assert!(kept("remove-won-twice.json").is_ok());
    assert!(kept("parity-not-checked.json").is_err());
}

/// What cannot be found by these means is said, and is no success.
#[test]
fn a_bug_that_is_missed_is_reported() {
    let output = selftest(&[
        "--bug",
        "range-change-not-told",
        "--bug",
        "login-any-key",
        "--technique",
        "sequential",
        "--budget",
        "0.1",
    ]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 bugs, 0 found."), "{said}");
    assert!(said.contains("1 not looked for"), "{said}");
}

#[test]
fn what_cannot_be_run_is_refused() {
    assert_eq!(selftest(&["--bug", "no-such-bug"]).status.code(), Some(2));
    assert_eq!(selftest(&["--technique", "magic"]).status.code(), Some(2));
    let nowhere = Path::new("/nowhere/at/all/page.md").to_str().unwrap();
    let output = selftest(&["--bug", "put-not-stored", "--markdown", nowhere]);
    assert_eq!(output.status.code(), Some(2));
}
