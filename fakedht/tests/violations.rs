//! A client that breaks the protocol is disconnected, the log says which rule it broke, and nobody else
//! notices anything.

mod support;

use dht_protocol::neo::header::{Header, Kind};
use dht_protocol::neo::request::{RequestCode, get_all};
use dht_protocol::neo::{Credential, NodeAddress};
use dht_requirements::{self as req, Requirement};
use support::{Client, Lines, about, logging_node, put, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Says something before the authentication and reads everything up to the end of the connection.
async fn say(address: NodeAddress, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    within("the end of the connection", async {
        stream.write_all(&bytes[..1]).await.unwrap();
        if bytes.len() > 1 {
            // The node wants its version byte to be waited for.
            let mut version = [0];
            stream.read_exact(&mut version).await.unwrap();
            answer.extend(version);
            stream.write_all(&bytes[1..]).await.unwrap();
        }
        // A reset is an end as good as any.
        let _ = stream.read_to_end(&mut answer).await;
    })
    .await;
    answer
}

fn request(body_len: u64) -> Vec<u8> {
    let kind = Kind::Request;
    Header { kind, body_len }.encode().to_vec()
}

fn authentication(body: &[u8]) -> Vec<u8> {
    let header = Header {
        kind: Kind::Authentication,
        body_len: body.len() as u64,
    };
    [&header.encode()[..], body].concat()
}

/// The only line of the log, which must name the rule.
fn assert_logged(lines: &Lines, client: &str, rule: &Requirement, text: &str) {
    let lines = lines.take();
    let [line] = &lines[..] else {
        panic!("one line, not {lines:#?}");
    };
    assert!(line.starts_with("127.0.0.1:"), "{line}");
    for part in [client, rule.id, text] {
        assert!(line.contains(part), "\"{part}\" is not in: {line}");
    }
}

#[tokio::test]
async fn before_the_authentication() {
    let (node, lines) = logging_node().await;
    let mut bystander = Client::connect(node.address()).await;
    let version = |rest: Vec<u8>| [vec![1], rest].concat();
    let mut bad_parity = authentication(&[0; 8]);
    bad_parity[9] ^= 1;
    for (bytes, answer, rule, text) in [
        (
            vec![2],
            &[1][..],
            &req::CONN_WRONG_VERSION_DROPPED,
            "version 2",
        ),
        (
            version(bad_parity),
            &[1],
            &req::AUTH_HEADER_CHECKED,
            "parity",
        ),
        (
            version(vec![0; 10]),
            &[1],
            &req::AUTH_HEADER_CHECKED,
            "type 0",
        ),
        (
            version(vec![3, 8, 0, 0, 0, 0, 0, 0, 0, 11]),
            &[1],
            &req::AUTH_HEADER_CHECKED,
            "type 3",
        ),
        (
            version(request(8)),
            &[1],
            &req::AUTH_REQUEST_TOO_EARLY,
            "phase",
        ),
        (
            version(request(1 << 63)),
            &[1],
            &req::AUTH_MESSAGE_LIMIT,
            "9223372036854775808 bytes",
        ),
        (
            version(authentication(&[0; 1000])),
            &[1],
            &req::AUTH_MESSAGE_LIMIT,
            "1000 bytes",
        ),
        (
            version(authentication(&[0; 7])),
            &[1],
            &req::AUTH_TIMESTAMP_LENGTH,
            "timestamp",
        ),
    ] {
        assert_eq!(say(node.address(), &bytes).await, answer, "{bytes:02x?}");
        assert_logged(&lines, "not authenticated", rule, text);
    }
    assert_eq!(bystander.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn bytes_that_did_not_wait_for_the_version() {
    let (node, lines) = logging_node().await;
    let mut stream = TcpStream::connect(node.address()).await.unwrap();
    stream.write_all(&[1; 20]).await.unwrap();
    let mut answer = Vec::new();
    within("the end", async {
        let _ = stream.read_to_end(&mut answer).await;
    })
    .await;
    assert_eq!(answer, []);
    assert_logged(
        &lines,
        "not authenticated",
        &req::CONN_EARLY_BYTES_DROPPED,
        "19 bytes",
    );
}

#[tokio::test]
async fn wrong_names_and_keys() {
    let (node, lines) = logging_node().await;
    for (credential, rule, text) in [
        (
            format!("admin:{}", "01".repeat(128)),
            &req::AUTH_WRONG_KEY,
            "code of \"admin\"",
        ),
        (
            format!("nobody:{}", "00".repeat(128)),
            &req::AUTH_UNKNOWN_NAME,
            "no client \"nobody\"",
        ),
    ] {
        let credential: Credential = credential.parse().unwrap();
        let refused = Client::connect_as(node.address(), credential).await;
        assert!(refused.is_err());
        assert_logged(&lines, "not authenticated", rule, text);
    }
    Client::connect(node.address()).await;
}

#[tokio::test]
async fn on_an_open_connection() {
    let (node, lines) = logging_node().await;
    let mut bystander = Client::connect(node.address()).await;
    let body = |body: &[u8]| [request(body.len() as u64), body.to_vec()].concat();
    let id = |payload: &[u8]| [&7_u64.to_le_bytes()[..], payload].concat();
    let mut bad_parity = body(&id(&[2, 0]));
    bad_parity[9] ^= 1;
    let get = about(RequestCode::Get, "c", 1);
    for (bytes, rule, text) in [
        (bad_parity, &req::FRAME_PARITY_CHECKED, "parity"),
        (
            vec![9, 0, 0, 0, 0, 0, 0, 0, 0, 9],
            &req::FRAME_TYPE_UNKNOWN_DROPPED,
            "type 9",
        ),
        (
            body(&[0; 7]),
            &req::FRAME_NO_ROOM_FOR_ID,
            "no room for a request id",
        ),
        (
            authentication(&[0; 8]),
            &req::FRAME_AUTH_TYPE_DROPPED,
            "authentication message",
        ),
        (
            request(u64::MAX),
            &req::ROBUST_LENGTH_DROPPED,
            "18446744073709551615 bytes",
        ),
        (body(&[0; 20]), &req::MUX_ZERO_ID_DROPPED, "request id 0"),
        (body(&id(&[])), &req::MUX_NO_COMMAND, "0 bytes"),
        (body(&id(&[4])), &req::MUX_NO_COMMAND, "1 bytes"),
        (
            body(&id(&get[..get.len() - 1])),
            &req::REQ_MALFORMED_CLOSES,
            "Get: malformed first message",
        ),
        (
            body(&id(&[&get[..], &[0]].concat())),
            &req::REQ_MALFORMED_CLOSES,
            "1 bytes behind the end",
        ),
        (body(&id(&[10, 0, 9])), &req::REQ_MALFORMED_CLOSES, "Update"),
    ] {
        let mut client = Client::connect(node.address()).await;
        // What was asked before is answered.
        let before = client.start(put("c", 1, "v")).await;
        client.send_raw(&bytes).await;
        assert_eq!(client.messages(before, 2).await, [[0xfd], [1]]);
        client.closed().await;
        assert_logged(&lines, "(admin)", rule, text);
    }
    assert_eq!(bystander.ask(put("c", 1, "v"), 1).await, [[1]]);
    Client::connect(node.address()).await;
}

#[tokio::test]
async fn messages_that_nobody_waits_for() {
    let (node, lines) = logging_node().await;
    let open = get_all::Open {
        start_suspended: true,
        channel: "c".into(),
        continue_from: None,
        settings: get_all::Settings::default(),
    };
    node.put("c", 1, "v");
    for (message, rule, text) in [
        ([4], &req::MUX_OUT_OF_TURN_DROPPED, "Ack is not allowed"),
        ([9], &req::REQ_MALFORMED_CLOSES, "malformed control"),
    ] {
        let mut client = Client::connect(node.address()).await;
        let id = client.start(open.encode()).await;
        client.messages(id, 2).await;
        client.send(id, message).await;
        client.closed().await;
        assert_logged(&lines, "(admin)", rule, text);
    }
    let mut client = Client::connect(node.address()).await;
    let id = client.start([1, 0]).await;
    client.messages(id, 2).await;
    client.send(id, [1]).await;
    client.closed().await;
    assert_logged(
        &lines,
        "(admin)",
        &req::MUX_OUT_OF_TURN_DROPPED,
        "a second message",
    );
}
