//! Counts the records of a channel and their bytes, on all nodes, with a pause in between.
//!
//! ```text
//! cargo run -p dht-client --example count_a_channel [ADDRESS:PORT CHANNEL]
//! ```
//!
//! Without arguments it starts a node of its own, in memory, with some records.

use std::error::Error;
use std::time::Duration;

use dht_client::get_all::{Item, Settings};
use dht_client::{Client, Credential, Notification};
use dht_protocol::fnv1a;
use fakedht::TestNode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    // The node lives as long as this variable.
    let node = TestNode::start().await?;
    let (address, channel) = match (arguments.next(), arguments.next()) {
        (Some(address), Some(channel)) => (address.parse()?, channel),
        _ => {
            for key in 0..200_000_u64 {
                let digits =
                    (0..8).map(|n| format!("{:016x}", fnv1a(&(8 * key + n).to_le_bytes())));
                node.put("numbers", key, digits.collect::<String>());
            }
            (node.address(), "numbers".to_owned())
        }
    };

    let client = Client::builder(Credential::default_admin())
        .node(address)
        .build();
    client.ready(Duration::from_secs(5)).await?;

    // Without settings: all records, with their values.
    let mut all = client.get_all(channel, Settings::default());
    let (mut records, mut bytes) = (0, 0);
    while let Some(event) = all.next().await {
        match event {
            Notification::Started => {
                // Control is possible at any time, also by other tasks: see `controller`. The request
                // may be over already, in which case there is nothing to be suspended.
                if let Err(error) = all.suspend() {
                    println!("not suspended: {error}");
                }
            }
            Notification::Item(_, Item::Record(_, value)) => {
                records += 1;
                bytes += value.len();
            }
            Notification::Item(_, Item::Key(_)) => records += 1,
            Notification::Suspended => {
                println!("suspended after {records} records; no more come for now");
                all.resume()?;
            }
            Notification::Resumed => println!("resumed"),
            Notification::Disconnected(node) => {
                println!("lost {node}; it will go on where it was when it is back");
            }
            Notification::NodeError(node) => println!("{node} cannot read the channel"),
            Notification::Unsupported(node, status) => println!("{node}: {status}"),
            Notification::Stopped | Notification::Finished => {}
        }
    }
    println!("{records} records with {bytes} bytes");
    Ok(())
}
