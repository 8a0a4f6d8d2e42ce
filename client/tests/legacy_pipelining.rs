//! Many orders under way on one legacy connection.

mod common;

use common::legacy::LegacyNode;
use common::{PATIENCE, within};
use dht_client::legacy::{Answer, Connection, Event, Failure, Order, Status};
use dht_client::{HashRange, Key};

fn put(key: u64) -> Order {
    Order::Put {
        channel: "c".into(),
        key: Key(key).into(),
        value: common::value(20),
    }
}

#[tokio::test]
async fn orders_are_answered_in_their_order() {
    let node = LegacyNode::start(HashRange::FULL);
    within(async {
        let mut connection = Connection::open(node.address, PATIENCE).await.unwrap();
        assert_eq!(connection.next().await, Ok(None), "nothing was asked");
        let done = Event::Answered(Answer::Status(Status::Ok));
        let mut keys = 0..20_000;
        loop {
            for key in keys.by_ref().take(64 - connection.unanswered()) {
                connection.send(&put(key));
            }
            match connection.next().await.unwrap() {
                Some(event) => assert_eq!(event, done),
                None => break,
            }
        }
        connection.send(&Order::Exists {
            channel: "c".into(),
            key: Key(19_999).into(),
        });
        connection.send(&Order::GetAllKeys {
            channel: "c".into(),
        });
        connection.send(&Order::GetVersion);
        let exists = Event::Answered(Answer::Exists(true));
        assert_eq!(connection.next().await, Ok(Some(exists)));
        assert_eq!(connection.next().await, Ok(Some(Event::Started)));
        let mut told = 0;
        while let Some(Event::Keys(keys)) = connection.next().await.unwrap() {
            told += keys.len();
        }
        assert_eq!(told, 20_000, "and then the end");
        let version = Event::Answered(Answer::version());
        assert_eq!(connection.next().await, Ok(Some(version)));
        assert_eq!(connection.unanswered(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_does_not_end_the_connection() {
    let node = LegacyNode::start(HashRange::FULL);
    within(async {
        let mut connection = Connection::open(node.address, PATIENCE).await.unwrap();
        let nameless = Order::RemoveChannel { channel: "".into() };
        let refused = connection.ask(&nameless);
        let status = Failure::Status(Status::BadChannelName);
        assert_eq!(refused.await, Err(status));
        let stored = connection.ask(&put(1)).await;
        assert_eq!(stored, Ok(Answer::Status(Status::Ok)));
    })
    .await;
}
