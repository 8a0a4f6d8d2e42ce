//! The judge is judged: the fuzzer finds bugs of the fake node's catalogue, names a fitting requirement, and keeps
//! a file that shows the bug again; of a healthy node it finds nothing.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use dht_reports::{Event, Verdict, jsonl};
use dhtcheck::cli::{Cli, Command};
use dhtcheck::fuzz::fuzz;
use dhtcheck::replay::replay;
use fakedht::TestNode;
use futures_util::stream::{self, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Generous: nothing here takes long unless it is broken.
const LIMIT: Duration = Duration::from_secs(300);
/// How many bugs are looked for at the same time.
const PARALLEL: usize = 3;

/// A bug, the defects that are put in (all of them if there are none), and the requirements of which the fuzzer
/// may say that they are broken.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    // The node dies.
    ("id-zero-crashes", &[], &["NEO-ROBUST-01"]),
    ("no-command-crashes", &[], &["NEO-ROBUST-01"]),
    ("request-without-id-crashes", &[], &["NEO-ROBUST-01"]),
    ("huge-length-crashes", &[], &["NEO-ROBUST-01"]),
    ("malformed-request-crashes", &[], &["NEO-ROBUST-01"]),
    ("unexpected-message-crashes", &[], &["NEO-ROBUST-01"]),
    ("unknown-request-crashes", &[], &["NEO-ROBUST-01"]),
    ("login-malformed-crashes", &[], &["NEO-ROBUST-01"]),
    // Others suffer.
    ("header-error-closes-all", &[], &["NEO-ROBUST-02"]),
    ("malformed-request-closes-all", &[], &["NEO-ROBUST-02"]),
    ("version-mismatch-closes-all", &[], &["NEO-ROBUST-02"]),
    ("header-error-makes-unusable", &[], &["NEO-ROBUST-03"]),
    ("no-command-makes-unusable", &[], &["NEO-ROBUST-03"]),
    // Something wrong is taken for right, or for nothing.
    ("version-any-accepted", &["wrong-version"], &["NEO-CONN-04"]),
    ("parity-not-checked", &["bad-parity"], &["NEO-FRAME-06"]),
    ("type-not-checked", &["unknown-type"], &["NEO-FRAME-07"]),
    (
        "parity-error-answered",
        &["bad-parity"],
        &["NEO-MUX-01", "NEO-FRAME-11"],
    ),
    ("bools-not-checked", &["bad-bool"], &["NEO-REQ-18"]),
    ("no-command-ignored", &["no-command"], &["NEO-MUX-08"]),
    ("login-any-key", &["login-wrong-code"], &["NEO-AUTH-10"]),
    // Something right is not understood.
    ("split-message-dropped", &["trickled"], &["NEO-FRAME-14"]),
    (
        "half-close-drops-answers",
        &["half-close"],
        &["NEO-ROBUST-20"],
    ),
    ("half-close-kept-open", &["half-close"], &["NEO-ROBUST-21"]),
    // The same in the legacy protocol: the node dies.
    ("legacy-unknown-crashes", &[], &["NEO-ROBUST-01"]),
    ("legacy-too-long-crashes", &[], &["NEO-ROBUST-01"]),
    ("legacy-bad-batch-crashes", &[], &["NEO-ROBUST-01"]),
    (
        "legacy-listen-bad-name-crashes",
        &["legacy-listen-bad-name"],
        &["NEO-ROBUST-01"],
    ),
    ("legacy-filter-empty-crashes", &[], &["NEO-ROBUST-01"]),
    // Something wrong is taken for right, or answered otherwise than it may be.
    (
        "legacy-unknown-answered",
        &["legacy-unknown-command"],
        &["LEG-CONN-08"],
    ),
    (
        "legacy-unknown-skipped",
        &["legacy-behind-unknown"],
        &["LEG-CONN-09"],
    ),
    (
        "legacy-unknown-spoils-segment",
        &["legacy-before-unknown"],
        &["LEG-CONN-10", "LEG-GET-01", "NEO-DATA-01"],
    ),
    (
        "legacy-cut-off-answered",
        &["legacy-truncated"],
        &["LEG-CONN-06"],
    ),
    (
        "legacy-too-long-answered",
        &["legacy-long-array"],
        &["LEG-CONN-12"],
    ),
    (
        "legacy-bad-batch-answered",
        &["legacy-batch-size"],
        &["LEG-PUTBATCH-12"],
    ),
    (
        "legacy-malformed-key-answered",
        &["legacy-bad-key"],
        &["LEG-KEY-03"],
    ),
    (
        "legacy-names-unchecked",
        &["legacy-bad-name"],
        &["LEG-NAME-02"],
    ),
    (
        "legacy-says-invalid-request",
        &["legacy-bad-name"],
        &["LEG-NAME-02"],
    ),
    (
        "legacy-refusal-closes",
        &["legacy-bad-name"],
        &["LEG-CONN-03"],
    ),
    (
        "legacy-refusal-with-body",
        &["legacy-bad-name"],
        &["LEG-ANSWER-04"],
    ),
    (
        "legacy-value-before-name",
        &["legacy-bad-name-and-more"],
        &["LEG-NAME-03"],
    ),
    (
        "legacy-key-before-name",
        &["legacy-bad-name-and-more"],
        &["LEG-NAME-03"],
    ),
    (
        "legacy-empty-value-accepted",
        &["legacy-empty-value"],
        &["LEG-PUT-06"],
    ),
    (
        "legacy-too-big-says-error",
        &["legacy-large-value"],
        &["LEG-PUT-09"],
    ),
    (
        "legacy-too-big-closes",
        &["legacy-large-value"],
        &["LEG-PUT-10"],
    ),
    (
        "legacy-redistribute-ignored",
        &["legacy-redistribute-range"],
        &["LEG-REDIST-03"],
    ),
    (
        "legacy-redistribute-bad-node-accepted",
        &["legacy-redistribute-node"],
        &["LEG-REDIST-04"],
    ),
    // Something right is not understood.
    (
        "legacy-pieces-dropped",
        &["legacy-trickled"],
        &["LEG-CONN-02"],
    ),
    (
        "legacy-pipelined-dropped",
        &["legacy-pipelined"],
        &["LEG-CONN-04"],
    ),
    (
        "legacy-listen-input-ignored",
        &["legacy-listen-interrupted"],
        &["LEG-LISTEN-13"],
    ),
    (
        "legacy-listen-half-close-marked",
        &["legacy-listen-half-close"],
        &["LEG-LISTEN-14"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn bugs_are_found_and_the_files_show_them_again() {
    let chosen = std::env::var("FUZZ_BUG").unwrap_or_default();
    let cases = CASES.iter().filter(|(bug, ..)| bug.contains(&chosen));
    let missed: Vec<String> = stream::iter(cases)
        .map(|case| missed(*case))
        .buffer_unordered(PARALLEL)
        .filter_map(async |missed| missed)
        .collect()
        .await;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Why a bug was not found, or not as it should be, if so.
async fn missed((bug, defects, requirements): Case) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["--bug", bug, "--timeout", "1", "--scripts", "192"];
    for defect in defects {
        arguments.extend(["--defect", defect]);
    }
    let events = fuzzed(&arguments, folder.path()).await;
    let broken = broken(&events);
    let named: Vec<&str> = broken.iter().map(|(id, _)| id.as_str()).collect();
    let Some((_, file)) = broken
        .iter()
        .find(|(id, _)| requirements.contains(&id.as_str()))
    else {
        return Some(format!(
            "{bug} breaks {requirements:?}, but found was {named:?}"
        ));
    };
    let file = file.to_str().unwrap();
    let again = replayed(&["--bug", bug, "--timeout", "1", file], folder.path()).await;
    let healthy = replayed(&[file], folder.path()).await;
    let shown = again.iter().any(|id| requirements.contains(&id.as_str()));
    (!shown || !healthy.is_empty()).then(|| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        format!("{bug}: replayed with the bug {again:?}, without it {healthy:?}\n{text}")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_of_a_healthy_node() {
    let folder = tempfile::tempdir().unwrap();
    let events = fuzzed(&["--scripts", "512"], folder.path()).await;
    let broken = broken(&events);
    assert!(broken.is_empty(), "{broken:?}");
    let kept = events.iter().filter(
        |event| matches!(event, Event::CheckFinished(result) if result.verdict == Verdict::Kept),
    );
    assert!(kept.count() > 30, "{events:?}");
    let Some(Event::RandomFinished(work)) = events
        .iter()
        .find(|event| matches!(event, Event::RandomFinished(_)))
    else {
        panic!("the run says what was done");
    };
    assert!(work.operations > 10_000 && work.faults > 500, "{work:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_does_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["--scripts", "16", "--defect", "unknown-code", "--seed", "7"];
        let events = fuzzed(&arguments, folder.path()).await;
        let work = events.iter().find_map(|event| match event {
            Event::RandomFinished(work) => Some((work.operations, work.faults)),
            _ => None,
        });
        runs.push(work.unwrap());
    }
    assert_eq!(runs[0], runs[1]);
}

/// What a node in another process is, as its environment says: its port, and what is wrong with it.
const NODE: &str = "DHTCHECK_TEST_NODE";
/// How much of each connection a node keeps that leaks.
const LEAK: usize = 512 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_takes_is_measured() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for (wrong, requirement, culprit) in [
        ("nothing", None, ""),
        (
            "leaks",
            Some("FUZZ-MEMORY"),
            "legal conversations alone bring it about",
        ),
        (
            "leaks-dropped",
            Some("FUZZ-MEMORY"),
            "the defect unknown-type alone brings it about",
        ),
        (
            "spins",
            Some("NEO-ROBUST-15"),
            "legal conversations alone bring it about",
        ),
    ] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.unwrap().port();
        let exe = std::env::current_exe().unwrap();
        let exe = exe.to_str().unwrap();
        let test = "a_node_in_a_process_of_its_own";
        let command = format!("{NODE}='{port} {wrong}' exec '{exe}' --exact {test}");
        let (node, folder) = (format!("127.0.0.1:{port}"), tempfile::tempdir().unwrap());
        let mut options = vec!["--spawn", &command, "--node", &node, "--scripts", "224"];
        options.extend(["--connections", "4", "--defect", "unknown-type"]);
        options.extend(["--defect", "unknown-code"]);
        let events = fuzzed(&options, folder.path()).await;
        let broken = broken(&events);
        let broken: Vec<_> = broken.iter().map(|(id, _)| id.as_str()).collect();
        let expected: Vec<_> = requirement.into_iter().collect();
        assert_eq!(broken, expected, "a node that {wrong}: {events:?}");
        let mut failures = events.iter().filter_map(|event| match event {
            Event::CheckFinished(result) => result.verdict.failure(),
            _ => None,
        });
        let named = failures.all(|failure| failure.observed.ends_with(culprit));
        assert!(named, "a node that {wrong}: {events:?}");
        let measured = events.iter().filter(|event| match event {
            Event::CheckFinished(result) => {
                ["fuzz.memory", "fuzz.processor"].contains(&result.check.id.as_str())
                    && !matches!(result.verdict, Verdict::NotApplicable { .. })
            }
            _ => false,
        });
        assert_eq!(measured.count(), 2);
    }
}

/// No test by itself: the process that others start as a node.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_in_a_process_of_its_own() {
    let Ok(wish) = std::env::var(NODE) else {
        return;
    };
    let (port, wrong) = wish.split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    let node = TestNode::start().await.unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let leaked: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let mut spins = wrong == "spins";
    while let Ok((mut client, _)) = listener.accept().await {
        let mut server = TcpStream::connect(node.address()).await.unwrap();
        let (client_side, server_side) = (client.set_nodelay(true), server.set_nodelay(true));
        client_side.and(server_side).unwrap();
        let leaked = Arc::clone(&leaked);
        let (all, dropped) = (wrong == "leaks", wrong == "leaks-dropped");
        if std::mem::take(&mut spins) {
            std::thread::spawn(|| {
                loop {
                    std::hint::spin_loop();
                }
            });
        }
        tokio::spawn(async move {
            let ((mut from_client, mut to_client), (mut from_node, mut to_node)) =
                (client.split(), server.split());
            let node_ends = tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_node) => false,
                _ = tokio::io::copy(&mut from_node, &mut to_client) => true,
            };
            if all || dropped && node_ends {
                leaked.lock().unwrap().push(vec![1; LEAK]);
            }
        });
    }
}

/// Fuzzes with these options; the events of the run.
async fn fuzzed(options: &[&str], folder: &Path) -> Vec<Event> {
    let (corpus, json) = (folder.join("corpus"), folder.join("events.jsonl"));
    let paths = [&corpus, &json].map(|path| path.to_str().unwrap());
    let seed = if options.contains(&"--seed") {
        &[][..]
    } else {
        &["--seed", "5eed"]
    };
    let fixed = ["dhtcheck", "fuzz", "--corpus", paths[0], "--json", paths[1]];
    let Command::Fuzz(options) = Cli::parse_from([&fixed[..], seed, options].concat()).command
    else {
        panic!("fuzz was asked for");
    };
    timeout(LIMIT, fuzz(*options)).await.expect("it ends");
    let stored = BufReader::new(File::open(&json).unwrap());
    jsonl::read(stored).unwrap()
}

/// Runs a file again; the requirements that are broken then.
async fn replayed(options: &[&str], folder: &Path) -> Vec<String> {
    let json = folder.join("replay.jsonl");
    let fixed = ["dhtcheck", "replay", "--json", json.to_str().unwrap()];
    let Command::Replay(options) = Cli::parse_from([&fixed[..], options].concat()).command else {
        panic!("replay was asked for");
    };
    timeout(LIMIT, replay(*options)).await.expect("it ends");
    let stored = BufReader::new(File::open(&json).unwrap());
    let broken = broken(&jsonl::read(stored).unwrap());
    broken.into_iter().map(|(id, _)| id).collect()
}

/// The requirements that are said to be broken, and the files that show it.
fn broken(events: &[Event]) -> Vec<(String, PathBuf)> {
    let failures = events.iter().filter_map(|event| match event {
        Event::CheckFinished(result) => result.verdict.failure(),
        _ => None,
    });
    failures
        .map(|failure| {
            let words = failure.again.split_whitespace();
            let file = words.clone().find(|word| word.ends_with(".json"));
            let file = PathBuf::from(file.unwrap_or_default());
            (failure.requirement.id.clone(), file)
        })
        .collect()
}
