//! Nodes that do anything at all: the client reports them, keeps trying, and neither panics nor hangs,
//! and its other nodes are not affected.

mod common;

use common::scripted::{Say, Scripted, range, supported};
use common::{PATIENCE, builder, even, node_with, odd, within};
use dht_client::{
    Client, ConnectionError, ConnectionEvent, Failure, HashRange, NodeAddress, Notification,
    RequestError, get_all, mirror,
};
use dht_protocol::neo::Violation;
use dht_protocol::neo::header::{Header, Kind};
use dht_protocol::neo::request::{RequestCode, SupportedStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A client of a good node, which has the odd keys, and of another one.
async fn beside(bad: NodeAddress) -> (fakedht::TestNode, Client) {
    let good = node_with(odd()).await;
    let client = builder().node(good.address()).node(bad).build();
    within(client.wait_connected(1)).await.unwrap();
    (good, client)
}

/// How the connection to a node came to nothing.
async fn how_it_ended(client: &Client, bad: NodeAddress) -> ConnectionError {
    let mut events = client.connections();
    loop {
        match within(events.next()).await.unwrap() {
            ConnectionEvent::Failed(node, error) | ConnectionEvent::Disconnected(node, error)
                if node == bad =>
            {
                return error;
            }
            _ => {}
        }
    }
}

/// The other node can be used as if nothing had happened.
async fn the_good_node_works(client: &Client) {
    within(client.wait_ranges_known(1)).await.unwrap();
    within(client.put("c", 1, "x")).await.unwrap();
    assert_eq!(within(client.get("c", 1)).await, Ok(Some("x".into())));
}

/// A header that announces so many bytes.
fn announce(kind: Kind, body_len: u64) -> Vec<u8> {
    Header { kind, body_len }.encode().to_vec()
}

/// An authentication message.
fn authentication(body: &[u8]) -> Vec<u8> {
    let mut message = announce(Kind::Authentication, body.len() as u64);
    message.extend(body);
    message
}

#[tokio::test]
async fn a_handshake_can_go_wrong_in_every_way() {
    // Each line is what the node sends, in answer to each thing that the client says.
    let nonce = authentication(&[1, 2, 3, 4]);
    let scripts: Vec<Vec<Vec<u8>>> = vec![
        vec![vec![]],
        vec![vec![0]],
        vec![vec![255]],
        vec![vec![1, 1]],
        vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()],
        vec![vec![1], vec![]],
        vec![vec![1], vec![0; 10]],
        vec![vec![1], vec![0xff; 10]],
        vec![vec![1], vec![2, 3]],
        vec![vec![1], authentication(&[])],
        vec![vec![1], authentication(&[0; 5])],
        vec![vec![1], announce(Kind::Request, 9)],
        vec![vec![1], announce(Kind::Request, 1 << 63)],
        vec![vec![1], authentication(&[0; 999])],
        vec![vec![1], nonce.clone(), vec![]],
        vec![vec![1], nonce.clone(), vec![2]],
        vec![vec![1], nonce.clone(), authentication(&[0])],
        vec![vec![1], nonce.clone(), authentication(&[7])],
        vec![vec![1], nonce.clone(), authentication(&[1, 1])],
        vec![vec![1], nonce.clone(), nonce.clone()],
    ];
    for script in scripts {
        let says = script.clone();
        let bad = Scripted::raw(move |mut stream, _| {
            let says = says.clone();
            async move {
                let mut buffer = [0; 4096];
                for say in says {
                    let heard = stream.read(&mut buffer).await;
                    if heard.is_err() || stream.write_all(&say).await.is_err() {
                        return;
                    }
                }
                // What the client says last is read, so that it is not told of a reset.
                let _ = stream.shutdown().await;
                while let Ok(1..) = stream.read(&mut buffer).await {}
            }
        })
        .await;
        let (_good, client) = beside(bad.address).await;
        let error = how_it_ended(&client, bad.address).await;
        let expected = match script.last().unwrap().as_slice() {
            [] | [2] | [2, 3] => matches!(error, ConnectionError::Closed),
            [version @ (0 | 255)] => error == ConnectionError::WrongVersion { version: *version },
            last if last == authentication(&[0]) => error == ConnectionError::Rejected,
            _ => matches!(error, ConnectionError::Violation(_)),
        };
        assert!(expected, "{error:?} after {script:?}");
        the_good_node_works(&client).await;
    }
}

#[tokio::test]
async fn an_open_connection_can_be_filled_with_anything() {
    let mut parity = announce(Kind::Request, 9);
    parity[9] ^= 1;
    let zero_id = {
        let mut message = announce(Kind::Request, 9);
        message.extend([0; 9]);
        message
    };
    type IsExpected = fn(&Violation) -> bool;
    let cases: Vec<(Vec<u8>, IsExpected)> = vec![
        (parity, |violation| {
            matches!(violation, Violation::Parity { .. })
        }),
        (vec![9, 0, 0, 0, 0, 0, 0, 0, 0, 9], |violation| {
            matches!(violation, Violation::MessageType { code: 9 })
        }),
        (announce(Kind::Request, 1 << 63), |violation| {
            matches!(violation, Violation::TooLong { .. })
        }),
        (announce(Kind::Request, u64::MAX), |violation| {
            matches!(violation, Violation::TooLong { .. })
        }),
        (announce(Kind::Request, 7), |violation| {
            matches!(violation, Violation::NoRequestId { body_len: 7 })
        }),
        (authentication(&[1]), |violation| {
            matches!(violation, Violation::Phase { .. })
        }),
        (zero_id, |violation| {
            matches!(violation, Violation::ZeroRequestId)
        }),
    ];
    for (bytes, is_expected) in cases {
        let bytes_to_say = bytes.clone();
        let bad = Scripted::start_all(move |_| vec![Say::Raw(bytes_to_say.clone())]).await;
        let (_good, client) = beside(bad.address).await;
        match how_it_ended(&client, bad.address).await {
            ConnectionError::Violation(violation) => {
                assert!(is_expected(&violation), "{violation:?} after {bytes:?}");
            }
            error => panic!("{error:?} after {bytes:?}"),
        }
        the_good_node_works(&client).await;
    }
}

#[tokio::test]
async fn messages_that_belong_to_no_request_are_ignored() {
    let bad = Scripted::start_all(|heard| {
        let mut says: Vec<_> = (100..200).map(|id| Say::Of(id, vec![0xfd])).collect();
        match heard.opens() {
            Some(1) => says.extend(range(HashRange::FULL)),
            _ => says.extend(supported([&[1]])),
        }
        // And more of a request that has ended.
        says.extend([Say::Message(vec![1])]);
        says.truncate(says.len() - usize::from(heard.opens() == Some(1)));
        says
    })
    .await;
    let client = common::connect([bad.address]).await;
    for key in 0..10_u64 {
        within(client.put("c", key, "x")).await.unwrap();
    }
    assert_eq!(client.stats().connected_nodes(), 1);
}

#[tokio::test]
async fn a_malformed_range_ends_the_connection() {
    let answers = [
        supported([&[0; 15]]),
        supported([&[0; 17]]),
        // Lower bound above the upper one.
        supported([&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]),
        supported([&[0xff; 16], &[9]]),
        vec![Say::Message(vec![0])],
    ];
    for answer in answers {
        let says = answer.clone();
        let bad = Scripted::start_all(move |_| says.clone()).await;
        let (_good, client) = beside(bad.address).await;
        let error = how_it_ended(&client, bad.address).await;
        assert!(
            matches!(
                error,
                ConnectionError::Violation(Violation::Malformed {
                    request: RequestCode::GetHashRange,
                    ..
                })
            ),
            "{error:?} after {answer:?}"
        );
        the_good_node_works(&client).await;
    }
}

#[tokio::test]
async fn a_node_without_ranges_is_connected_all_the_same() {
    let node = Scripted::start_all(|_| vec![Say::Message(vec![0xff])]).await;
    let client = builder().node(node.address).build();
    within(client.wait_connected(1)).await.unwrap();
    let listed = within(client.channels().collect_all()).await;
    let failure = Failure::Unsupported {
        node: node.address,
        status: SupportedStatus::NotSupported,
    };
    assert_eq!(listed, Err(RequestError::Failed(failure)));
    assert_eq!(
        within(client.get("c", 1)).await,
        Err(Failure::NoNode.into())
    );
}

#[tokio::test]
async fn a_node_that_makes_up_others_does_not_fill_the_memory() {
    let bad = Scripted::start_all(|heard| {
        let mut says = range(HashRange::FULL);
        if heard.opens() == Some(1) {
            for n in 0..20_000_u32 {
                let [a, b, c, d] = n.to_be_bytes();
                // Addresses of this machine where nobody listens.
                let mut message = vec![1, 127, 1 + b, c, d, 0, 1 + a];
                message.extend([0; 8]);
                message.extend([0xff; 8]);
                says.push(Say::Message(message));
            }
        }
        says
    })
    .await;
    let client = builder()
        .reconnect(dht_client::Backoff {
            first: PATIENCE,
            max: PATIENCE,
        })
        .node(bad.address)
        .build();
    let most = dht_client::core::MAX_NODES;
    within(client.wait_ranges_known(most)).await.unwrap();
    assert_eq!(client.stats().registered_nodes(), most);
}

#[tokio::test]
async fn a_stream_survives_a_node_that_breaks_it_again_and_again() {
    let length = |block: &[u8]| (block.len() as u64).to_le_bytes().to_vec();
    let batch = |block: &[u8]| [&[7][..], &length(block), block].concat();
    // A block that claims to be enormous, one that claims more than it has, and one of nonsense.
    let bomb = batch(&[&(1_u64 << 40).to_le_bytes()[..], &[0x11, 0, 0]].concat());
    let short = batch(&[&100_u64.to_le_bytes()[..], &[0x11, 0, 0]].concat());
    let nonsense = batch(&[0xaa; 100]);
    // An array that is longer than the message.
    let array = [&[7][..], &u64::MAX.to_le_bytes(), b"x"].concat();
    let bad_answers = [
        supported([&[5], &bomb]),
        supported([&[5], &short]),
        supported([&[5], &nonsense]),
        supported([&[5], &array]),
        supported([&[5], &[4]]),
        supported([&[5], &[99]]),
        supported([&[5], &[]]),
        supported([&[5], &[5]]),
        supported([&bomb]),
        vec![Say::Message(vec![1])],
        vec![Say::Close],
        supported([]).into_iter().chain([Say::Close]).collect(),
    ];
    let attempts = bad_answers.len();
    let node = Scripted::start(move |heard| match heard.opens() {
        Some(5) => match bad_answers.get(heard.connection) {
            Some(answer) => answer.clone(),
            None => supported([&[5], &[8]]),
        },
        _ => Vec::new(),
    })
    .await;
    let client = common::connect([node.address]).await;
    let mut all = client.get_all("c", get_all::Settings::default());
    let mut breaks = 0;
    loop {
        match within(all.next()).await.unwrap() {
            Notification::Disconnected(by) if by == node.address => breaks += 1,
            Notification::Started => {}
            Notification::Finished => break,
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(breaks, attempts);
}

#[tokio::test]
async fn a_mirror_survives_nonsense_too() {
    let nonsense = [&[9][..], &3_u64.to_le_bytes(), &[1, 2, 3]].concat();
    let node = Scripted::start(move |heard| match (heard.opens(), heard.connection) {
        (Some(4), 0) => supported([&[5], &nonsense]),
        (Some(4), _) => supported([&[5], &[10]]),
        _ => Vec::new(),
    })
    .await;
    let client = common::connect([node.address]).await;
    let mut mirror = client.mirror("c", mirror::Settings::default());
    let mut told = Vec::new();
    while let Some(event) = within(mirror.next()).await {
        told.push(event);
    }
    let removed = Notification::Item(node.address, mirror::Item::ChannelRemoved);
    assert!(told.contains(&Notification::Disconnected(node.address)));
    assert!(
        told.ends_with(&[removed, Notification::Finished]),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_node_that_closes_every_connection_does_not_block_the_others() {
    let bad = Scripted::start_all(|heard| match heard.opens() {
        Some(1) => {
            let mut says = range(even());
            says.push(Say::Close);
            says
        }
        _ => vec![Say::Close],
    })
    .await;
    let (_good, client) = beside(bad.address).await;
    assert_eq!(
        how_it_ended(&client, bad.address).await,
        ConnectionError::Closed
    );
    the_good_node_works(&client).await;
    let failed = within(client.put("c", 2, "x")).await.unwrap_err();
    let down = Failure::Disconnected { node: bad.address };
    assert_eq!(failed, down.into());
}
