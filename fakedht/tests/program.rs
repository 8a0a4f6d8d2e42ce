//! The program as scripts use it.
#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::{Output, Stdio};

use dht_protocol::HashRange;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::get_hash_range::Range;
use dht_protocol::neo::request::{RequestCode, remove_channel};
use fakedht::Bugs;
use support::{Client, about, put, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

fn fakedht() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fakedht"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Starts the program, which is to serve the neo protocol alone, and waits until it says where.
async fn start(command: &mut Command) -> (Child, NodeAddress) {
    let (child, legacy, neo) = start_both(command).await;
    assert_eq!(legacy, None);
    (child, neo)
}

/// Starts the program and waits until it says where it listens: the legacy port if there is one, and the
/// neo port.
async fn start_both(command: &mut Command) -> (Child, Option<NodeAddress>, NodeAddress) {
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut legacy = None;
    loop {
        let line = within("a line", stdout.next_line()).await.unwrap();
        let Some(line) = line else {
            let output = within("the end", child.wait_with_output()).await.unwrap();
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        };
        let address = |text: &str| text.parse().expect("an address");
        if let Some(neo) = line.strip_prefix("listening on neo ") {
            return (child, legacy, address(neo));
        }
        let text = line.strip_prefix("listening on legacy ").expect(&line);
        assert_eq!(legacy.replace(address(text)), None);
    }
}

async fn end(child: Child, signal: &str) -> Output {
    let pid = child.id().unwrap();
    let kill = format!("kill -{signal} {pid}");
    let sent = Command::new("sh").args(["-c", &kill]).status().await;
    assert!(sent.unwrap().success());
    within("the end", child.wait_with_output()).await.unwrap()
}

async fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = within("the end", command.output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_when_told_to() {
    for signal in ["TERM", "INT"] {
        let (child, address) = start(fakedht().args(["--neo", "127.0.0.1:0"])).await;
        let mut client = Client::connect(address).await;
        assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);
        let output = end(child, signal).await;
        client.closed().await;
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[tokio::test]
async fn it_serves_both_protocols() {
    let mut command = fakedht();
    command.args(["--neo", "127.0.0.1:0", "--legacy", "127.0.0.1:0"]);
    let (child, legacy, neo) = start_both(&mut command).await;
    let mut client = Client::connect(neo).await;
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);
    // Whoever has read the line of the neo port may use the other one.
    let mut stream = TcpStream::connect(legacy.unwrap()).await.unwrap();
    let remove_channel = b"\x16\0\0\0\x01\0\0\0\0\0\0\0c";
    stream.write_all(remove_channel).await.unwrap();
    let mut answer = [0; 4];
    within("an answer", stream.read_exact(&mut answer))
        .await
        .unwrap();
    assert_eq!(answer, [200, 0, 0, 0]);
    let get = about(RequestCode::Get, "c", 1);
    assert_eq!(client.ask(get, 1).await, [[1]], "no such record");

    let output = end(child, "TERM").await;
    assert_eq!(output.status.code(), Some(0));
    let closed = within("the end", stream.read(&mut answer)).await;
    assert!(!matches!(closed, Ok(1..)));
}

#[tokio::test]
async fn it_takes_range_credentials_and_permissions() {
    let directory = tempfile::tempdir().unwrap();
    let credentials = directory.path().join("credentials");
    let entry = format!("app:{}\n", "11".repeat(128));
    std::fs::write(&credentials, &entry).unwrap();
    let mut command = fakedht();
    command
        .args(["--neo", "127.0.0.1:0", "--everyone-may-remove-channels"])
        .args(["--min", "0x8000000000000000", "--credentials"])
        .arg(&credentials);
    let (child, address) = start(&mut command).await;
    let mut client = Client::connect_as(address, entry.trim().parse().unwrap())
        .await
        .unwrap();
    assert_eq!(range(&mut client).await, HashRange::new(1 << 63, u64::MAX));
    let remove = remove_channel::Open("c".into()).encode();
    assert_eq!(client.ask(remove, 1).await, [[1]]);
    end(child, "TERM").await;
}

async fn range(client: &mut Client) -> Option<HashRange> {
    let answers = client.ask([RequestCode::GetHashRange as u8, 0], 1).await;
    Some(Range::decode(&answers[0]).unwrap().0)
}

/// A directory as the original node wants to be started in.
fn working_directory(config: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let etc = directory.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    std::fs::write(etc.join("config.ini"), config).unwrap();
    let entry = format!("admin:{}\n", "00".repeat(128));
    std::fs::write(etc.join("credentials"), entry).unwrap();
    directory
}

const CONFIG: &str = "[Server]
address = 127.0.0.1
port = 0
neoport = 0
minval = 0000000000000000
maxval = 7fffffffffffffff
data_dir = data
[LOG.Root]
level = info
";

fn in_directory(directory: &Path) -> Command {
    let mut command = fakedht();
    command
        .current_dir(directory)
        .arg("--config=etc/config.ini");
    command
}

#[tokio::test]
async fn it_reads_an_original_configuration() {
    let directory = working_directory(CONFIG);
    let (child, legacy, neo) = start_both(&mut in_directory(directory.path())).await;
    let mut client = Client::connect(neo).await;
    assert_eq!(range(&mut client).await, HashRange::new(0, u64::MAX / 2));
    TcpStream::connect(legacy.unwrap()).await.unwrap();
    let output = end(child, "TERM").await;
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        warnings,
        "fakedht: ignored: [LOG.Root] level\nfakedht: ignored: [Server] data_dir\n"
    );
    let mut neo_alone = in_directory(directory.path());
    let (child, _) = start(neo_alone.args(["--legacy", "none"])).await;
    end(child, "TERM").await;
}

#[tokio::test]
async fn it_says_what_is_wrong_with_its_files() {
    let directory = working_directory(CONFIG);
    let etc = directory.path().join("etc");
    std::fs::write(etc.join("credentials"), "admin:12\n").unwrap();
    let (code, _, error) = run(&mut in_directory(directory.path())).await;
    assert_eq!(code, Some(2));
    assert!(error.contains("fakedht: etc/credentials: "), "{error}");

    std::fs::remove_file(etc.join("credentials")).unwrap();
    let (code, _, error) = run(&mut in_directory(directory.path())).await;
    assert_eq!(code, Some(2));
    let expected = "fakedht: cannot read the credentials file etc/credentials: ";
    assert!(error.contains(expected), "{error}");

    std::fs::write(etc.join("config.ini"), "[Server]\nport = 1\n").unwrap();
    let (code, _, error) = run(&mut in_directory(directory.path())).await;
    assert_eq!(code, Some(2));
    assert_eq!(
        error,
        "fakedht: etc/config.ini: [Server] has no \"address\"\n"
    );
}

#[tokio::test]
async fn it_says_that_an_address_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (neo, legacy) in [(&*address, "none"), ("127.0.0.1:0", &*address)] {
        let (code, printed, error) = run(fakedht().args(["--neo", neo, "--legacy", legacy])).await;
        assert_eq!(code, Some(2));
        assert_eq!(printed, "", "whoever waits for a port is not misled");
        let expected = format!("fakedht: cannot listen on {address}: ");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[tokio::test]
async fn it_is_wrong_if_it_is_told_to() {
    let mut command = fakedht();
    command.args(["--neo", "127.0.0.1:0"]).args([
        "--bug",
        "exists-always",
        "--bug",
        "put-not-stored",
    ]);
    let (child, address) = start(&mut command).await;
    let mut client = Client::connect(address).await;
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);
    let get = about(RequestCode::Get, "c", 1);
    assert_eq!(client.ask(get, 1).await, [[1]], "not stored");
    let exists = about(RequestCode::Exists, "c", 1);
    assert_eq!(client.ask(exists, 1).await, [[1]], "but said to exist");
    end(child, "TERM").await;
}

#[tokio::test]
async fn it_lists_its_bugs() {
    let (code, list, _) = run(fakedht().arg("--list-bugs")).await;
    assert_eq!(code, Some(0));
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let expected: Vec<&str> = Bugs::catalogue().map(|bug| bug.name).collect();
    assert_eq!(names, expected);
    let (code, _, error) = run(fakedht().args(["--bug", "nonsense"])).await;
    assert_eq!(code, Some(2));
    assert!(error.contains("--list-bugs"), "{error}");
}
