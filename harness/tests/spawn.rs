//! Nodes that are started by a command: waited for, stopped with everything that they started, and told
//! from what was there before.

use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::path::Path;
use std::time::Duration;

use dhtcheck::spawn::{SpawnError, Spawned};
use tokio::time::timeout;

/// Generous: nothing here takes long unless it is broken.
const LIMIT: Duration = Duration::from_secs(60);

/// A free port, and an address with it.
fn free_address() -> SocketAddrV4 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    address_of(&listener)
}

fn address_of(listener: &TcpListener) -> SocketAddrV4 {
    match listener.local_addr().unwrap() {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(address) => panic!("{address}"),
    }
}

async fn exists(file: &Path) -> bool {
    let waiting = async {
        while !file.exists() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, waiting).await.is_ok()
}

#[tokio::test]
async fn a_node_is_waited_for_and_stopped_with_what_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let (begun, child) = (
        directory.path().join("begun"),
        directory.path().join("child"),
    );
    // The child notes its end, if it is asked to end. The test plays the node that listens.
    let command = format!(
        "(trap 'touch {child}.ended; exit' TERM; touch {child}; while :; do sleep 0.01; done) & touch {begun}; wait",
        child = child.display(),
        begun = begun.display(),
    );
    let address = free_address();
    let start = tokio::spawn(async move { Spawned::start(&command, address).await });
    assert!(exists(&begun).await && exists(&child).await);
    let _listener = TcpListener::bind(address).unwrap();
    let spawned = timeout(LIMIT, start).await.unwrap().unwrap().unwrap();
    timeout(LIMIT, spawned.stop()).await.unwrap();
    assert!(exists(&child.with_extension("ended")).await);
}

#[tokio::test]
async fn a_command_that_ends_is_no_node() {
    let started = timeout(LIMIT, Spawned::start("exit 3", free_address()))
        .await
        .unwrap();
    assert!(matches!(started, Err(SpawnError::Ended(status, _)) if status.code() == Some(3)));
}

#[tokio::test]
async fn what_listens_already_is_not_taken_for_the_node() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = address_of(&listener);
    let started = timeout(LIMIT, Spawned::start("sleep 1000", address))
        .await
        .unwrap();
    assert!(matches!(started, Err(SpawnError::Occupied(occupied)) if occupied == address));
}
