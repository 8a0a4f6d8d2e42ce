//! What somebody hears who listens to the connections of a client of the legacy protocol.

mod common;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use common::legacy::{Say, Scripted};
use common::{PATIENCE, within};
use dht_client::legacy::{Answer, Client, Order, Status, Tap};
use dht_client::{Key, NodeAddress, Side};

#[derive(Clone, Debug, Eq, PartialEq)]
enum Heard {
    Opened(u64, NodeAddress),
    Bytes(u64, Side, Vec<u8>),
    Closed(u64, String),
}

#[derive(Debug, Default)]
struct Ear(Mutex<Vec<Heard>>);

impl Ear {
    fn note(&self, heard: Heard) {
        let mut all = self.0.lock().unwrap();
        // How the sockets cut the bytes is of no interest here.
        if let Heard::Bytes(connection, from, bytes) = &heard
            && let Some(Heard::Bytes(number, side, before)) = all.last_mut()
            && (connection, from) == (number, side)
        {
            before.extend(bytes);
            return;
        }
        all.push(heard);
    }

    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Tap for Ear {
    fn opened(&self, connection: u64, node: NodeAddress) {
        self.note(Heard::Opened(connection, node));
    }

    fn bytes(&self, connection: u64, from: Side, bytes: &[u8]) {
        self.note(Heard::Bytes(connection, from, bytes.to_vec()));
    }

    fn closed(&self, connection: u64, reason: &str) {
        self.note(Heard::Closed(connection, reason.to_owned()));
    }
}

fn put(key: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    Order::Put {
        channel: "c".into(),
        key: Key(key).into(),
        value: Bytes::from("v"),
    }
    .encode(&mut bytes);
    bytes
}

#[tokio::test]
async fn everything_that_passes_is_heard_once_and_in_order() {
    let ok = Say::Answer(Answer::Status(Status::Ok));
    // The second Put is not answered.
    let mut says = vec![ok.clone(), Say::Close, ok].into_iter();
    let node = Scripted::start(move |_| says.next().into_iter().collect()).await;
    let ear = Arc::new(Ear::default());
    let client = Client::builder()
        .node(node.address)
        .connections(1)
        .tap(Arc::clone(&ear) as Arc<dyn Tap>)
        .build();
    client.ready(PATIENCE).await.unwrap();
    let opened = ear.take();
    assert_eq!(opened[0], Heard::Opened(0, node.address));
    within(async {
        client.put("c", 1, "v").await.unwrap();
        assert_eq!(
            ear.take(),
            [
                Heard::Bytes(0, Side::Client, put(1)),
                Heard::Bytes(0, Side::Node, vec![200, 0, 0, 0]),
            ]
        );
        client.put("c", 2, "v").await.unwrap_err();
        assert_eq!(
            ear.take(),
            [
                Heard::Bytes(0, Side::Client, put(2)),
                Heard::Closed(0, "it closed the connection".to_owned()),
            ]
        );
        client.put("c", 3, "v").await.unwrap();
        assert_eq!(ear.take()[0], Heard::Opened(1, node.address));
    })
    .await;
}

#[tokio::test]
async fn a_client_that_ends_closes_its_connections() {
    let node = Scripted::start(|_| vec![Say::Answer(Answer::Status(Status::Ok))]).await;
    let ear = Arc::new(Ear::default());
    let client = Client::builder()
        .node(node.address)
        .tap(Arc::clone(&ear) as Arc<dyn Tap>)
        .build();
    client.ready(PATIENCE).await.unwrap();
    drop(client);
    let (mut opened, mut closed) = (0, 0);
    for heard in ear.take() {
        match heard {
            Heard::Opened(..) => opened += 1,
            Heard::Bytes(..) => {}
            Heard::Closed(_, reason) => {
                assert_eq!(reason, "by the client");
                closed += 1;
            }
        }
    }
    assert!(opened > 0);
    assert_eq!(opened, closed);
}
