//! `dhtcheck history`: verdict, exit code, and the files that it writes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The examples that `docs/history.md` explains.
fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../history/tests/data");
    folder.join(name).display().to_string()
}

fn history(arguments: &[&str]) -> Output {
    piped(arguments, "")
}

fn piped(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .arg("history")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who reads a file does not read this.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[track_caller]
fn said(output: &Output, code: i32, expected: &[&str]) {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text += str::from_utf8(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[test]
fn a_right_history_has_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let order = folder.path().join("order.jsonl");
    let file = example("every_operation.jsonl");
    let output = history(&[&file, "--witness", order.to_str().unwrap()]);
    said(
        &output,
        0,
        &[
            "12 operations of 4 clients on 3 records, 1 of unknown outcome",
            "\nlinearizable: ",
            "\nthe order is in ",
        ],
    );
    let order = std::fs::read_to_string(order).unwrap();
    let numbers: Vec<usize> = (1..=12)
        .filter(|number| order.contains(&format!("{{\"number\":{number},")))
        .collect();
    assert_eq!(numbers, Vec::from_iter(1..=12), "{order}");
}

#[test]
fn a_wrong_history_is_explained_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("fault.svg");
    let file = example("stale.jsonl");
    let output = history(&[&file, "--svg", drawing.to_str().unwrap()]);
    said(
        &output,
        1,
        &[
            "not linearizable: record \"000000000000000a\" of channel \"jobs\"\n",
            "client 2 updated \"queued\" to \"running\" between 1900 and 2300\n",
            "client 4 got \"queued\" between 2500 and 2800\n",
            "(operations 1, 3 and 6 of the history)\n",
            "the drawing is in ",
        ],
    );
    let drawing = std::fs::read_to_string(drawing).unwrap();
    let parsed = roxmltree::Document::parse(&drawing).unwrap();
    let bars = parsed.descendants().filter(|node| {
        let class = node.attribute("class").unwrap_or_default();
        node.has_tag_name("rect") && class.contains("proof")
    });
    assert_eq!(bars.count(), 3, "{drawing}");
}

#[test]
fn the_model_gives_operations_their_meaning() {
    let file = example("register.jsonl");
    let output = history(&[&file, "--model", "register"]);
    said(&output, 0, &["\nlinearizable: "]);
    // A record that is not there is not refused an update as a conflict.
    let output = history(&[&file]);
    said(&output, 1, &["not linearizable: ", "(operation"]);
    let file = example("every_operation.jsonl");
    let output = history(&[&file, "--model", "register"]);
    said(&output, 2, &["unknown: operation 3 is exists"]);
}

#[test]
fn a_history_can_come_through_a_pipe() {
    let text = std::fs::read_to_string(example("stale.jsonl")).unwrap();
    said(
        &piped(&["-"], &text),
        1,
        &["not linearizable: ", "4 clients"],
    );
    said(&piped(&["-"], ""), 0, &["0 operations of 0 clients"]);
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let text = std::fs::read_to_string(example("stale.jsonl")).unwrap();
    let broken = text.replace("\"returned\":2800", "\"returned\":2400");
    let wrong = "line 6: `returned` 2400 is before `invoked` 2500";
    said(
        &piped(&["-"], &broken),
        2,
        &["cannot check standard input, ", wrong],
    );
    said(
        &history(&["no-such-file"]),
        2,
        &["cannot check no-such-file: "],
    );
    said(&history(&[env!("CARGO_MANIFEST_DIR")]), 2, &["line 1: "]);
}

#[test]
fn a_search_that_may_not_take_long_is_not_decided() {
    let file = example("register.jsonl");
    let output = history(&[&file, "--model", "register", "--budget", "0"]);
    said(&output, 2, &["unknown: the steps ran out"]);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let file = example("stale.jsonl");
    let output = history(&[&file, "--svg", "/no-such-folder/fault.svg"]);
    said(
        &output,
        2,
        &[
            "not linearizable: ",
            "cannot write /no-such-folder/fault.svg: ",
        ],
    );
}

#[test]
fn exit_codes_are_in_the_help() {
    said(&history(&["--help"]), 0, &["1  not linearizable"]);
}
