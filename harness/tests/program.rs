//! The program as its user meets it: exit codes, output, reports.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

/// Runs the program in a folder of its own, since it keeps what it finds.
fn dhtcheck(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A listener nobody accepts on is a node that hangs: connections succeed and nothing is ever said.
fn silent_node() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An address on which nobody listens, and nobody else can as long as the socket lives.
fn closed_address() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let address = socket
        .local_addr()
        .unwrap()
        .as_socket()
        .unwrap()
        .to_string();
    (socket, address)
}

#[test]
fn the_embedded_node_is_certified() {
    let directory = tempfile::tempdir().unwrap();
    let junit = directory.path().join("report.xml");
    let output = dhtcheck(&[
        "certify",
        "--seed",
        "5eed",
        "--operations",
        "2000",
        "--timeout",
        "60",
        "--junit",
        junit.to_str().unwrap(),
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("seed 5eed") && text.contains("Certified."),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text}");

    let xml = std::fs::read_to_string(junit).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let cases: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .collect();
    for name in [
        "records.put-get",
        "getall.suspend-resume",
        "mirror.refresh",
        "random.sequential",
    ] {
        let case = cases
            .iter()
            .find(|case| case.attribute("name") == Some(name))
            .expect(name);
        assert!(case.attribute("classname").is_some() && case.attribute("time").is_some());
        assert!(
            !case.children().any(|child| child.has_tag_name("failure")),
            "{name}"
        );
    }
    let property = |name| {
        document
            .descendants()
            .find(|node| node.has_tag_name("property") && node.attribute("name") == Some(name))
            .and_then(|node| node.attribute("value"))
    };
    assert_eq!(property("seed"), Some("5eed"));
    assert_eq!(property("version"), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_filter_chooses_the_checks() {
    let output = dhtcheck(&["certify", "--filter", "records.put-get", "--timeout", "60"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let listed = stdout(&dhtcheck(&["list", "--filter", "records.put-get"]));
    assert_eq!(listed.lines().count(), 1);
    assert!(listed.contains("Neo Put followed by neo Get"), "{listed}");
}

#[test]
fn a_broken_node_fails_with_an_explanation() {
    let output = dhtcheck(&[
        "certify",
        "--bug",
        "put-not-stored",
        "--filter",
        "records.put-get",
        "--timeout",
        "60",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "NEO-DATA-01",
        "records.put-get",
        "NoRecord",
        "Get",
        "again:",
        "--bug put-not-stored",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}

#[test]
fn a_wrong_answer_in_the_random_part_is_made_short() {
    let output = dhtcheck(&[
        "certify",
        "--bug",
        "put-not-stored",
        "--filter",
        "random.sequential",
        "--seed",
        "1",
        "--timeout",
        "60",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("again:") && text.contains("probes"), "{text}");
}

#[test]
fn a_node_that_is_not_there_is_said_so() {
    let (_socket, address) = closed_address();
    let output = dhtcheck(&["certify", "--node", &address, "--timeout", "5"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("cannot start") && text.contains("refused"),
        "{text}"
    );
}

#[test]
fn wrong_credentials_are_said_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = runtime.block_on(fakedht::TestNode::start()).unwrap();
    let auth = format!("admin:{}", "01".repeat(128));
    let address = node.address().to_string();
    let output = dhtcheck(&[
        "certify",
        "--node",
        &address,
        "--auth",
        &auth,
        "--timeout",
        "30",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("cannot start") && text.contains("key"),
        "{text}"
    );
}

#[test]
fn a_node_that_hangs_gives_a_verdict() {
    let (_listener, address) = silent_node();
    let output = dhtcheck(&["certify", "--node", &address, "--timeout", "0.3"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("accepts connections, but") && text.contains("--timeout"),
        "{text}"
    );
}

#[test]
fn an_interrupted_run_says_what_it_found() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("run.jsonl");
    // Those that need a Get wait until the run is interrupted.
    let child = Command::new(env!("CARGO_BIN_EXE_dhtcheck"))
        .args(["certify", "--bug", "get-never-answers", "--timeout", "600"])
        .args(["--filter", "records.", "--budget", "0", "--json"])
        .arg(&events)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_secs(60);
    let finished = || {
        let stored = std::fs::read_to_string(&events).unwrap_or_default();
        stored.contains("check_finished")
    };
    while !finished() && Instant::now() < limit {
        std::thread::yield_now();
    }
    let process = Pid::from_child(&child);
    kill_process(process, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("interrupted"), "{text}");
    assert!(text.contains("kept in"), "{text}");
    let stored = std::fs::read_to_string(&events).unwrap();
    assert!(stored.contains("run_finished"), "{stored}");
}

#[test]
fn a_node_that_answers_no_get_is_broken_not_waited_for() {
    let output = dhtcheck(&[
        "certify",
        "--bug",
        "get-never-answers",
        "--filter",
        "records.put-get",
        "--timeout",
        "1",
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("NEO-REQ-"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    let output = dhtcheck(&[
        "certify",
        "--filter",
        "records.put-get",
        "--timeout",
        "60",
        "--junit",
        "/nowhere/at/all/report.xml",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
}

#[test]
fn a_stored_run_is_reported_again_by_another_profile() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (events, junit, profile) = (path("run.jsonl"), path("again.xml"), path("profile.toml"));
    let output = dhtcheck(&[
        "certify",
        "--bug",
        "put-not-stored",
        "--filter",
        "records.put-get",
        "--timeout",
        "60",
        "--json",
        &events,
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));

    let again = dhtcheck(&["report", &events, "--junit", &junit]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    assert!(stdout(&again).contains("NEO-DATA-01"));
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("<failure"), "{xml}");

    let known = "name = \"forgetful\"\n[[deviation]]\nrequirement = \"NEO-DATA-01\"\n\
                 instead = \"forgets\"\nwhy = \"it is a test\"\n";
    std::fs::write(&profile, known).unwrap();
    let excused = dhtcheck(&["report", &events, "--profile", &profile]);
    let text = stdout(&excused);
    assert_eq!(excused.status.code(), Some(0), "{text}");
    assert!(
        text.contains("forgetful") && text.contains("forgets"),
        "{text}"
    );
}

#[test]
fn what_is_no_run_is_not_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    std::fs::write(&path, "nonsense\n").unwrap();
    let output = dhtcheck(&["report", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1"));
}

#[test]
fn checks_that_may_kill_run_against_a_foreign_node_only_if_asked_for() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = runtime.block_on(fakedht::TestNode::start()).unwrap();
    let address = node.address().to_string();
    let run = |more: &[&str]| {
        let arguments = [
            &[
                "certify",
                "--node",
                &address,
                "--filter",
                "lethal",
                "--timeout",
                "60",
            ],
            more,
        ];
        dhtcheck(&arguments.concat())
    };
    let careful = run(&[]);
    assert!(
        stdout(&careful).contains("--hostile"),
        "{}",
        stdout(&careful)
    );
    let asked = run(&["--hostile"]);
    assert_eq!(asked.status.code(), Some(0), "{}", stdout(&asked));
    assert!(!stdout(&asked).contains("--hostile"), "{}", stdout(&asked));
}

#[test]
fn requirements_are_listed() {
    let listed = stdout(&dhtcheck(&["list", "--requirements"]));
    assert!(listed.lines().count() > 200);
    assert!(
        listed
            .lines()
            .all(|line| line.starts_with("NEO-") || line.starts_with("LEG-")),
        "{listed}"
    );
}

#[test]
fn nonsense_on_the_command_line_is_a_usage_error() {
    for arguments in [
        &["certify", "--timeout", "0"][..],
        &["certify", "--auth", "admin"],
        &["certfy"],
    ] {
        assert_eq!(dhtcheck(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
