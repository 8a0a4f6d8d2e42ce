//! A search that is interrupted reports what it has found.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No wait takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn an_interrupted_search_reports_what_it_has_found() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    let mut child = Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args([
            "certify",
            "--seed",
            "1",
            "--filter",
            "random.sequential",
            "--bug",
        ])
        .args(["put-not-stored", "--budget", "3600", "--timeout", "60"])
        .arg("--corpus")
        .arg(&corpus)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Something was found when it is kept; it may still be made shorter.
    let until = Instant::now() + PATIENCE;
    while !has_file(&corpus) && Instant::now() < until {
        std::thread::yield_now();
    }
    let found = has_file(&corpus);
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    if !matches!(&interrupted, Ok(status) if status.success()) {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(found, "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "operations in",
        "must  \"",
        "minimal case",
        "dhtcheck replay",
        "it was interrupted",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}

fn has_file(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.path().extension().is_some_and(|end| end == "json"))
        })
    })
}
