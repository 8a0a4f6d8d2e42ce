//! `dhtcheck model`: verdicts, exit codes, the files that it writes, and the way from a model to a node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn dhtcheck(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap()
}

fn model(arguments: &[&str]) -> Output {
    dhtcheck(&[&["model", "--threads", "1"], arguments].concat())
}

#[track_caller]
fn said(output: &Output, code: i32, expected: &[&str]) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text += str::from_utf8(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    text
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn what_holds_is_a_table() {
    let output = model(&["--bounds", "small", "put", "get-channels", "update-put"]);
    let text = said(&output, 0, &["states", "steps", "depth", "\nput-too-big "]);
    assert!(!text.contains("VIOLATED"), "{text}");
    for name in ["put", "get-channels", "update-put"] {
        let mut lines = text.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        assert!(line.is_some_and(|line| line.contains(" hold")), "{text}");
    }
}

#[test]
fn a_defect_is_drawn_with_the_property_that_it_violates() {
    let output = model(&["--defect", "F05", "mirror-dump"]);
    said(
        &output,
        1,
        &[
            "VIOLATED P54 P55",
            "mirror-dump: P55 (always) violated\n",
            "A value of a record is never delivered after one that was stored later.",
            "user mirrors c",
            "RecordRefreshBatch",
            "!! P55 becomes false",
            "Switched on: F05, ",
        ],
    );
}

#[test]
fn files_of_a_run_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (json, junit) = (
        folder.path().join("run.json"),
        folder.path().join("run.xml"),
    );
    let output = model(&[
        "--defect",
        "F05",
        "--json",
        json.to_str().unwrap(),
        "--junit",
        junit.to_str().unwrap(),
    ]);
    let text = said(&output, 1, &[]);
    let run: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(run["defect"], "F05");
    let models = run["models"].as_array().unwrap();
    let properties = models
        .iter()
        .flat_map(|model| model["properties"].as_array().unwrap());
    let (mut all, mut violated) = (0, 0);
    for property in properties {
        all += 1;
        violated += usize::from(property.to_string().contains("\"violated\""));
    }
    assert_eq!(text.matches(") violated\n").count(), violated, "{text}");
    let xml = fs::read_to_string(junit).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let cases = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    let failures = document
        .descendants()
        .filter(|node| node.has_tag_name("failure"));
    assert_eq!((cases.count(), failures.count()), (all, violated), "{xml}");
    assert!(violated > 0, "{text}");
}

#[test]
fn a_limit_leaves_it_open_and_says_what_was_covered() {
    let output = model(&["--max-states", "100", "mirror-dump"]);
    said(&output, 2, &["stopped", "every state to depth"]);
    let output = model(&["--max-memory", "64K", "mirror-nodes"]);
    said(&output, 2, &["stopped", "every state to depth"]);
}

#[test]
fn names_are_listed_and_others_are_refused() {
    let text = said(
        &model(&["--list"]),
        0,
        &["connection-handshake ", "\nmirror-dump "],
    );
    assert!(text.lines().count() > 60, "{text}");
    said(
        &model(&["no-such-model"]),
        2,
        &[
            "There is no model \"no-such-model\"",
            "dhtcheck model --list",
        ],
    );
    said(&model(&["--defect", "F99"]), 2, &["F05"]);
}

#[test]
fn counterexamples_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let output = model(&["--defect", "F03", "--svg", folder.path().to_str().unwrap()]);
    said(&output, 1, &["mirror-removal: P60 (eventually) violated"]);
    let drawings = files(folder.path());
    assert!(drawings.len() > 1, "{drawings:?}");
    for drawing in drawings {
        let text = fs::read_to_string(&drawing).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(
            document.root_element().tag_name().name(),
            "svg",
            "{drawing:?}"
        );
        assert!(
            text.contains("ChannelRemoved") || text.contains("removes channel"),
            "{text}"
        );
    }
}

/// Runs of the model are tried with a node that has the same defect.
#[track_caller]
fn a_node_shows(defect: &str, name: &str, bug: &str, requirements: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().to_str().unwrap();
    said(
        &model(&["--defect", defect, "--save", cases, name]),
        1,
        &["kept as "],
    );
    let text = said(&dhtcheck(&["replay", cases]), 0, &["Certified."]);
    assert!(!text.contains("could not be followed"), "{text}");
    said(&dhtcheck(&["replay", cases, "--bug", bug]), 1, requirements);
}

#[test]
fn a_node_that_misses_removals_is_found_by_runs_of_a_model() {
    a_node_shows(
        "F03",
        "mirror-removal",
        "mirror-removal-lost-behind-change",
        &["NEO-MIRROR-27"],
    );
}

#[test]
fn a_node_that_sends_old_values_is_found_by_runs_of_a_model() {
    a_node_shows(
        "F05",
        "mirror-dump-removal",
        "mirror-refresh-overtaken",
        &["NEO-MIRROR-04"],
    );
}

#[test]
fn a_node_that_goes_on_in_the_next_channel_is_found_by_runs_of_a_model() {
    a_node_shows(
        "F04",
        "mirror-removal",
        "mirror-follows-next-channel",
        &["NEO-MIRROR-31"],
    );
}

#[test]
fn a_node_that_loses_its_place_is_found_by_runs_of_a_model() {
    a_node_shows(
        "F06",
        "get-all-break",
        "get-all-skips-behind-removed",
        &["NEO-GETALL-18"],
    );
    a_node_shows(
        "F08",
        "get-all-break",
        "get-all-lost-without-key",
        &["NEO-GETALL-18"],
    );
}

#[test]
fn a_run_that_needs_two_nodes_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases");
    let output = model(&[
        "--defect",
        "F03",
        "--save",
        cases.to_str().unwrap(),
        "mirror-nodes",
    ]);
    said(
        &output,
        1,
        &["it cannot be replayed: it needs more than one node"],
    );
    assert!(!cases.exists());
}

#[test]
fn tours_are_counted_and_their_runs_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().to_str().unwrap();
    let text = said(
        &model(&["--tour", "get-all", "mirror-writers", "--save", runs]),
        0,
        &["transitions", "\nAll tours: ", "runs are in "],
    );
    let line = text
        .lines()
        .find(|line| line.starts_with("mirror-writers "));
    let numbers = line.unwrap().split_whitespace().skip(1);
    let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
    let [count, transitions, pairs] = numbers[..] else {
        panic!("{text}");
    };
    assert!(count > 0 && transitions > 0 && pairs > 0, "{text}");
    let written = files(folder.path());
    let of_model = written.iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with("mirror-writers.")
    });
    assert_eq!(of_model.count(), count, "{written:?}");
    // A healthy node does nothing wrong in them.
    said(&dhtcheck(&["replay", runs]), 0, &["Certified."]);
}

/// The first run that a page shows, and what the program says.
#[test]
fn the_counterexample_of_the_page_is_what_the_program_prints() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/model-checking.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, example) = page.split_once("```chart\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let (command, chart) = example.split_once("\n\n").unwrap();
    let arguments: Vec<&str> = command.split_whitespace().skip(2).collect();
    assert!(command.starts_with("$ dhtcheck "), "{command}");
    let output = dhtcheck(&[&arguments[..], &["--threads", "1"]].concat());
    said(&output, 1, &[chart]);
}
