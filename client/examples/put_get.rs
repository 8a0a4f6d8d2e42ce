//! Stores a record, reads it, changes it and removes it.
//!
//! ```text
//! cargo run -p dht-client --example put_get [ADDRESS:PORT]
//! ```
//!
//! Without an address it starts a node of its own, in memory.

use std::error::Error;
use std::time::Duration;

use dht_client::{Client, Credential, Decision, Updated};
use dht_protocol::fnv1a;
use fakedht::TestNode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The node lives as long as this variable.
    let node = TestNode::start().await?;
    let address = match std::env::args().nth(1) {
        Some(address) => address.parse()?,
        None => node.address(),
    };

    // Connects in the background.
    let client = Client::builder(Credential::default_admin())
        .node(address)
        .request_timeout(Duration::from_secs(5))
        .build();
    client.ready(Duration::from_secs(5)).await?;

    // Keys are numbers. Applications make them of names with this hash.
    let key = fnv1a(b"tomcat");

    client.put("pets", key, "a cat").await?;
    match client.get("pets", key).await? {
        Some(value) => println!("found: {}", String::from_utf8_lossy(&value)),
        None => println!("there is no such record"),
    }

    // Changes the record, unless somebody else does so between reading and writing.
    let updated = client.update("pets", key, |value| {
        let mut new = value.to_vec();
        new.extend(b" with boots");
        Decision::Replace(new.into())
    });
    match updated.await? {
        Updated::Done => println!("changed"),
        Updated::Conflict => println!("somebody else was quicker; try again"),
        Updated::NoRecord => println!("there is no such record any more"),
    }

    let existed = client.remove("pets", key).await?;
    println!("removed: {existed}");
    Ok(())
}
