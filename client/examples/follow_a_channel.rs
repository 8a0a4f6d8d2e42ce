//! Follows what happens to the records of a channel, on all nodes, until the channel is removed.
//!
//! ```text
//! cargo run -p dht-client --example follow_a_channel [ADDRESS:PORT CHANNEL]
//! ```
//!
//! Without arguments it starts a node of its own, in memory, in whose channel something happens.

use std::error::Error;
use std::time::Duration;

use dht_client::mirror::{Item, Settings};
use dht_client::{Client, Credential, Notification};
use fakedht::TestNode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    // The node lives as long as this variable.
    let node = TestNode::start().await?;
    let (address, channel, ours) = match (arguments.next(), arguments.next()) {
        (Some(address), Some(channel)) => (address.parse()?, channel, false),
        _ => (node.address(), "pets".to_owned(), true),
    };

    let client = Client::builder(Credential::default_admin())
        .node(address)
        .build();
    client.ready(Duration::from_secs(5)).await?;
    if ours {
        client.put("pets", 1, "a cat").await?;
    }

    // First all records, then every change; and all records again every ten minutes, for peace of mind.
    let settings = Settings {
        initial_refresh: true,
        periodic_refresh_s: 600,
    };
    let mut mirror = client.mirror(channel, settings);
    while let Some(event) = mirror.next().await {
        match event {
            Notification::Started => {
                println!("all nodes tell their changes from now on");
                if ours {
                    tokio::spawn(something_happens(client.clone()));
                }
            }
            Notification::Item(_, Item::Refreshed(key, value)) => {
                println!("{key} is {}", value.escape_ascii());
            }
            Notification::Item(_, Item::Updated(key, value)) => {
                println!("{key} was written: {}", value.escape_ascii());
            }
            Notification::Item(_, Item::Deleted(key)) => println!("{key} was removed"),
            Notification::Item(node, Item::UpdatesLost) => {
                println!("{node} had more changes than this program could follow");
            }
            Notification::Item(node, Item::ChannelRemoved) => {
                println!("the channel was removed from {node}");
            }
            Notification::Disconnected(node) => {
                println!("lost {node}; it will tell everything again when it is back");
            }
            Notification::NodeError(node) => println!("{node} cannot tell its changes"),
            Notification::Unsupported(node, status) => println!("{node}: {status}"),
            Notification::Suspended | Notification::Resumed => {}
            Notification::Stopped | Notification::Finished => println!("that was all"),
        }
    }
    Ok(())
}

/// What others do meanwhile.
async fn something_happens(client: Client) {
    let work = async {
        client.put("pets", 2, "a dog").await?;
        client.put("pets", 1, "an old cat").await?;
        client.remove("pets", 2).await?;
        client.remove_channel("pets").await
    };
    if let Err(error) = work.await {
        println!("cannot change the channel: {error}");
    }
}
