//! What the doctor says of nodes that are well, and of all that can be wrong with one.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::process::Command as Process;
use std::sync::Arc;

use clap::Parser;
use dht_protocol::HashRange;
use dht_protocol::neo::{Credential, Credentials, Now};
use dhtcheck::cli::{Cli, Command};
use dhtcheck::doctor::{Answer, Diagnosis, Question, examine};
use fakedht::server::{Clock, SystemClock, listen};
use fakedht::{Bugs, MemoryStorage, Node, NodeConfig, Server, ServerOptions, SharedNode, TestNode};
use socket2::{Domain, Socket, Type};

/// Patience with nodes that answer: a slow machine makes no silence of it.
const LONG: &str = "60";
/// And with those that do not.
const SHORT: &str = "0.3";

/// The first question whose answer is not ok, and those that are wrong.
fn verdict(diagnosis: &Diagnosis) -> (Option<Question>, Vec<Question>) {
    let findings = || diagnosis.findings().iter();
    let first = findings().find(|finding| finding.answer != Answer::Ok);
    let wrong = findings().filter(|finding| finding.answer == Answer::Wrong);
    (
        first.map(|finding| finding.question),
        wrong.map(|finding| finding.question).collect(),
    )
}

/// What was found about a question, and what to do about it.
#[track_caller]
fn about(diagnosis: &Diagnosis, question: Question) -> (Answer, String) {
    let finding = diagnosis.finding(question).expect("it is always asked");
    let advice = finding.advice.as_deref().unwrap_or_default();
    assert_eq!(finding.answer == Answer::Wrong, !advice.is_empty());
    (finding.answer, format!("{}\n{advice}", finding.found))
}

async fn diagnosis(node: impl ToString, timeout: &str, arguments: &[&str]) -> Diagnosis {
    let node = node.to_string();
    let start = ["dhtcheck", "doctor", "--node", &node, "--timeout", timeout];
    let command = Cli::parse_from(start.iter().chain(arguments)).command;
    let Command::Doctor(options) = command else {
        panic!("the doctor was asked for");
    };
    examine(&options).await
}

fn key(byte: &str) -> String {
    byte.repeat(128)
}

async fn node(config: NodeConfig) -> TestNode {
    let options = ServerOptions::default();
    TestNode::start_with(config, options).await.unwrap()
}

async fn buggy(bug: &str) -> TestNode {
    let bugs = Bugs::from_iter([Bugs::find(bug).unwrap()]);
    let config = NodeConfig {
        bugs,
        ..NodeConfig::default()
    };
    node(config).await
}

/// A node that knows "admin" and a client with this name, whose keys are zeros.
async fn knowing(name: &str) -> TestNode {
    let guest: Credential = format!("{name}:{}", key("00")).parse().unwrap();
    let config = NodeConfig {
        credentials: Credentials::from_iter([Credential::default_admin(), guest]),
        ..NodeConfig::default()
    };
    node(config).await
}

/// A node whose clock is off by so many seconds.
async fn off_by(seconds: i64) -> TestNode {
    #[derive(Debug)]
    struct Off(SystemClock, i64);

    impl Clock for Off {
        fn now(&self) -> Now {
            let now = self.0.now();
            Now {
                unix: now.unix.saturating_add_signed(self.1),
                ..now
            }
        }
    }

    let options = ServerOptions {
        clock: Arc::new(Off(SystemClock::new(), seconds)),
        ..ServerOptions::default()
    };
    let config = NodeConfig::default();
    TestNode::start_with(config, options).await.unwrap()
}

#[tokio::test]
async fn a_healthy_node_has_nothing_wrong_and_nothing_left_on_it() {
    let node = TestNode::start().await.unwrap();
    let diagnosis = diagnosis(node.address(), LONG, &[]).await;
    assert_eq!(verdict(&diagnosis), (None, vec![]), "{diagnosis}");
    assert!(diagnosis.is_healthy());
    assert!(about(&diagnosis, Question::Range).1.contains("full"));
    assert!(about(&diagnosis, Question::RoundTrip).1.contains(" ms"));
    assert!(diagnosis.finding(Question::Guest).is_none());
    assert_eq!(node.channels(), []);
}

#[tokio::test]
async fn a_part_of_the_keys_is_enough() {
    let range = HashRange::new(0x1000, 0x1fff).unwrap();
    let node = node(NodeConfig {
        range,
        ..NodeConfig::default()
    })
    .await;
    let diagnosis = diagnosis(node.address(), LONG, &[]).await;
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    let (_, found) = about(&diagnosis, Question::Range);
    assert!(found.contains("1fff"), "{found}");
}

#[tokio::test]
async fn a_node_without_keys_cannot_be_certified() {
    let node = TestNode::start().await.unwrap();
    node.set_range(HashRange::EMPTY);
    let diagnosis = diagnosis(node.address(), LONG, &[]).await;
    let (answer, found) = about(&diagnosis, Question::Range);
    assert!(
        answer == Answer::Wrong && found.contains("empty"),
        "{found}"
    );
    let (answer, _) = about(&diagnosis, Question::Records);
    assert_eq!(answer, Answer::CannotTell);
    // What does not depend on keys is looked at all the same.
    let (answer, _) = about(&diagnosis, Question::Permissions);
    assert_eq!(answer, Answer::Ok);
}

#[tokio::test]
async fn a_wrong_name_or_key_is_told_from_a_wrong_clock() {
    let node = TestNode::start().await.unwrap();
    let (wrong_key, unknown) = (
        format!("admin:{}", key("01")),
        format!("nobody:{}", key("00")),
    );
    for auth in [wrong_key, unknown] {
        let diagnosis = diagnosis(node.address(), LONG, &["--auth", &auth]).await;
        let expected = (Some(Question::Credentials), vec![Question::Credentials]);
        assert_eq!(verdict(&diagnosis), expected, "{diagnosis}");
        let (_, found) = about(&diagnosis, Question::Credentials);
        assert!(found.contains("--credentials FILE"), "{found}");
        let (answer, found) = about(&diagnosis, Question::Clock);
        assert_eq!(answer, Answer::CannotTell, "{found}");
        let (answer, _) = about(&diagnosis, Question::Range);
        assert_eq!(answer, Answer::CannotTell);
    }
}

#[tokio::test]
async fn a_wrong_clock_is_told_from_a_wrong_name_or_key() {
    for (seconds, side, about_minutes) in [
        (5_400, "ahead of", ["88 min", "93 min"]),
        (-2_400, "behind", ["37 min", "43 min"]),
        (-36_000, "behind", ["9 h 57 min", "10 h 3 min"]),
    ] {
        let node = off_by(seconds).await;
        let diagnosis = diagnosis(node.address(), LONG, &[]).await;
        assert_eq!(verdict(&diagnosis).1, [Question::Clock], "{diagnosis}");
        let (_, found) = about(&diagnosis, Question::Clock);
        assert!(found.contains(side) && found.contains("NTP"), "{found}");
        let minutes = minutes(&found);
        let [least, most] = about_minutes.map(self::minutes);
        assert!((least..=most).contains(&minutes), "{found}");
        assert_eq!(about(&diagnosis, Question::Credentials).0, Answer::Ok);
    }
}

/// How many minutes a text like `about 1 h 20 min` says.
fn minutes(text: &str) -> u64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut minutes = 0;
    for pair in words.windows(2) {
        let number = pair[0].parse::<u64>();
        minutes += match (number, pair[1]) {
            (Ok(hours), "h") => hours * 60,
            (Ok(number), "min") => number,
            _ => 0,
        };
    }
    minutes
}

#[tokio::test]
async fn a_clock_that_is_only_just_right_is_told() {
    for (seconds, side) in [(700, "ahead of"), (-1_600, "behind")] {
        let node = off_by(seconds).await;
        let diagnosis = diagnosis(node.address(), LONG, &[]).await;
        assert_eq!(verdict(&diagnosis).1, [Question::Clock], "{diagnosis}");
        let (_, found) = about(&diagnosis, Question::Clock);
        assert!(found.contains(side), "{found}");
        assert_eq!(about(&diagnosis, Question::Permissions).0, Answer::Ok);
    }
}

#[tokio::test]
async fn a_node_that_lets_clocks_differ_too_little_has_no_wrong_clock() {
    let node = buggy("login-narrow-window").await;
    let diagnosis = diagnosis(node.address(), LONG, &[]).await;
    assert_eq!(verdict(&diagnosis).1, [Question::Clock], "{diagnosis}");
    let (_, found) = about(&diagnosis, Question::Clock);
    assert!(found.contains("must accept times up to 1,800 s"), "{found}");
}

#[tokio::test]
async fn nobody_listens() {
    // Nobody else can listen there as long as the socket lives.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let diagnosis = diagnosis(address, SHORT, &[]).await;
    let expected = (Some(Question::Port), vec![Question::Port]);
    assert_eq!(verdict(&diagnosis), expected, "{diagnosis}");
    let (_, found) = about(&diagnosis, Question::Port);
    assert!(found.contains("refused"), "{found}");
}

#[tokio::test]
async fn a_port_that_says_nothing_may_be_the_legacy_port() {
    let (_node, silent) = beside_a_node().await;
    let silent = silent.local_addr().unwrap();
    let diagnosis = diagnosis(silent, SHORT, &[]).await;
    let expected = (Some(Question::Version), vec![Question::Version]);
    assert_eq!(verdict(&diagnosis), expected, "{diagnosis}");
    let (_, found) = about(&diagnosis, Question::Version);
    let neo = silent.port() + 100;
    assert!(
        found.contains(&format!("--node 127.0.0.1:{neo}")),
        "{found}"
    );
}

/// A node, and a listener on the port 100 below it that answers nothing.
async fn beside_a_node() -> (Server, TcpListener) {
    // Somebody else may have that port.
    for _ in 0..100 {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = silent.local_addr().unwrap().port().saturating_add(100);
        if let Ok(neo) = listen(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
            let node = Node::new(NodeConfig::default(), MemoryStorage::new());
            let options = ServerOptions::default();
            let server = Server::start(neo, SharedNode::new(node), options).unwrap();
            return (server, silent);
        }
    }
    panic!("no pair of ports is free");
}

#[tokio::test]
async fn a_node_that_stops_on_the_way_is_told_where() {
    for (bug, question, timeout) in [
        ("version-answered-2", Question::Version, LONG),
        ("nonce-never-sent", Question::Nonce, SHORT),
        ("refusal-silent", Question::Credentials, SHORT),
        ("get-never-answers", Question::Records, "2"),
        ("put-not-stored", Question::Records, LONG),
    ] {
        let node = buggy(bug).await;
        let auth = format!("nobody:{}", key("00"));
        let arguments: &[&str] = match question {
            Question::Credentials => &["--auth", &auth],
            _ => &[],
        };
        let diagnosis = diagnosis(node.address(), timeout, arguments).await;
        assert_eq!(
            verdict(&diagnosis),
            (Some(question), vec![question]),
            "{bug}: {diagnosis}"
        );
        assert_eq!(node.channels(), [], "{bug}");
    }
}

#[tokio::test]
async fn a_client_that_is_not_admin_may_not_remove_channels() {
    let node = knowing("visitor").await;
    let auth = format!("visitor:{}", key("00"));
    let diagnosis = diagnosis(node.address(), LONG, &["--auth", &auth]).await;
    assert_eq!(
        verdict(&diagnosis).1,
        [Question::Permissions],
        "{diagnosis}"
    );
    let (_, found) = about(&diagnosis, Question::Permissions);
    assert!(found.contains("Log in as \"admin\""), "{found}");
    let [left] = &node.channels()[..] else {
        panic!("the channel stays");
    };
    assert!(
        found.contains(&*String::from_utf8_lossy(left.as_bytes())),
        "{found}"
    );
}

#[tokio::test]
async fn the_second_client_is_looked_at_if_there_is_one() {
    let node = knowing("visitor").await;
    for (guest, expected) in [
        (format!("visitor:{}", key("00")), Answer::Ok),
        (format!("visitor:{}", key("01")), Answer::Wrong),
        (format!("admin:{}", key("00")), Answer::Wrong),
    ] {
        let diagnosis = diagnosis(node.address(), LONG, &["--guest", &guest]).await;
        assert_eq!(
            about(&diagnosis, Question::Guest).0,
            expected,
            "{diagnosis}"
        );
        assert_eq!(about(&diagnosis, Question::RoundTrip).0, Answer::Ok);
    }
}

#[tokio::test]
async fn what_is_no_address_is_told() {
    for node in ["127.0.0.1", "[::1]:10100"] {
        let diagnosis = diagnosis(node, LONG, &[]).await;
        let expected = (Some(Question::Address), vec![Question::Address]);
        assert_eq!(verdict(&diagnosis), expected, "{diagnosis}");
    }
}

#[tokio::test]
async fn a_credentials_file_that_cannot_be_read_is_told() {
    let node = TestNode::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    let arguments = ["--credentials", file.to_str().unwrap()];
    let without = diagnosis(node.address(), LONG, &arguments).await;
    assert_eq!(verdict(&without).1, [Question::Credentials], "{without}");
    std::fs::write(&file, format!("admin:{}\n", key("00"))).unwrap();
    let with = diagnosis(node.address(), LONG, &arguments).await;
    assert!(with.is_healthy(), "{with}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_it_a_line_each_and_ends_with_0_or_2() {
    let node = TestNode::start().await.unwrap();
    let (healthy, wrong) = (node.address().to_string(), format!("admin:{}", key("01")));
    for (arguments, code, lines) in [
        (
            &[][..],
            0,
            [
                "  credentials  ok           \"admin\" is accepted\n",
                "Nothing is wrong. Exit 0.\n",
            ],
        ),
        (
            &["--auth", &wrong],
            2,
            [
                "  credentials  wrong        \"admin\" is refused",
                "1 of 10 wrong. Exit 2.\n",
            ],
        ),
    ] {
        let mut process = Process::new(env!("CARGO_BIN_EXE_dhtcheck"));
        process
            .args(["doctor", "--node", &healthy, "--timeout", LONG])
            .args(arguments);
        let running = tokio::task::spawn_blocking(move || process.output());
        let output = running.await.unwrap().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        for line in lines {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
