//! A node inside a test of an application that uses a DHT. Copy this into a test of your own and put
//! your application in the place of `application`.
//!
//!     cargo run -p fakedht --example embed_in_a_test

use std::error::Error;
use std::time::Duration;

use dht_protocol::codec::Put;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::{RequestCode, put};
use dht_protocol::neo::{Connection, Credential, Event, Limits, NodeAddress, RequestId};
use fakedht::TestNode;
use fakedht::server::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the application may take.
const LIMIT: Duration = Duration::from_secs(5);

// In a test: #[tokio::test]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A node of its own for each test, on a port of its own.
    let node = TestNode::start().await?;
    node.put("orders", 0xbee, "17 jars");

    // The application works against the node like against any other.
    application(node.address()).await?;

    // Whatever it does later is waited for, without sleeping.
    let invoice = node
        .wait_for_record("invoices", 0xbee, |value| value.is_some(), LIMIT)
        .await?;
    assert_eq!(invoice.as_deref(), Some(&b"17 jars: paid"[..]));
    println!(
        "{} invoice in {:?}",
        node.size("invoices").records,
        node.channels()
    );
    Ok(())
}

/// Stores an invoice. A real application has a client for this, `dht-client` for instance; this one
/// shows what such a client does.
async fn application(node: NodeAddress) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(node).await?;
    let handshake = ClientHandshake::new(Credential::default_admin());
    let mut connection = Connection::new(handshake, Limits::default());
    let mut invoice = vec![RequestCode::Put as u8, 0];
    invoice.put_array(b"invoices");
    invoice.put_u64(0xbee);
    invoice.put_array(b"17 jars: paid");

    let clock = SystemClock::new();
    let mut bytes = [0; 4096];
    loop {
        stream.write_all(connection.output()).await?;
        connection.output().clear();
        let len = stream.read(&mut bytes).await?;
        if len == 0 {
            return Err("the node has closed the connection".into());
        }
        connection.feed(&bytes[..len]);
        while let Some(event) = connection.next_event(clock.now())? {
            match event {
                Event::Established(()) => connection.send(RequestId::FIRST, &invoice),
                Event::Message { payload, .. } if payload[..] == put::Reply::Put.encode() => {
                    return Ok(());
                }
                // First comes the node's word that it knows the request.
                Event::Message { .. } => {}
            }
        }
    }
}
