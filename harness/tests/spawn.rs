//! Nodes that are started by a command: waited for, stopped with everything that they started, and told
//! from what was there before.

use std::net::{SocketAddr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;

use dhtcheck::spawn::{SpawnError, Spawned};
use socket2::{Domain, Socket, Type};
use tokio::time::timeout;

/// Generous: nothing here takes long unless it is broken.
const LIMIT: Duration = Duration::from_secs(60);

/// A port on which nobody listens yet, and nobody else can as long as the socket lives.
fn reserve() -> (Socket, SocketAddrV4) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let address = socket.local_addr().unwrap().as_socket_ipv4().unwrap();
    (socket, address)
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
    let (socket, address) = reserve();
    let start = tokio::spawn(async move { Spawned::start(&command, address).await });
    assert!(exists(&begun).await && exists(&child).await);
    socket.listen(8).unwrap();
    let spawned = timeout(LIMIT, start).await.unwrap().unwrap().unwrap();
    timeout(LIMIT, spawned.stop()).await.unwrap();
    assert!(exists(&child.with_extension("ended")).await);
}

#[tokio::test]
async fn a_node_that_does_not_want_to_end_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let begun = directory.path().join("begun");
    // The shell ends when it is asked to, the node that it started does not.
    let command = format!(
        "(trap '' TERM; touch {begun}; exec tail -f /dev/null) & wait",
        begun = begun.display(),
    );
    let (socket, address) = reserve();
    let start = tokio::spawn(async move { Spawned::start(&command, address).await });
    assert!(exists(&begun).await);
    socket.listen(8).unwrap();
    let spawned = timeout(LIMIT, start).await.unwrap().unwrap().unwrap();
    let group = spawned.group().unwrap();
    timeout(LIMIT, spawned.stop()).await.unwrap();
    let gone = async {
        while rustix::process::test_kill_process_group(group).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(LIMIT, gone).await.is_ok());
}

#[tokio::test]
async fn a_command_that_ends_is_no_node() {
    let (_socket, address) = reserve();
    let started = timeout(
        LIMIT,
        Spawned::start("echo no licence >&2; exit 3", address),
    )
    .await
    .unwrap();
    let Err(error @ SpawnError::Ended { .. }) = started else {
        panic!("{started:?}")
    };
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    assert!(error.to_string().ends_with("no licence"), "{error}");
}

#[tokio::test]
async fn what_listens_already_is_not_taken_for_the_node() {
    let (socket, address) = reserve();
    socket.listen(8).unwrap();
    let started = timeout(LIMIT, Spawned::start("sleep 1000", address))
        .await
        .unwrap();
    assert!(matches!(started, Err(SpawnError::Occupied(occupied)) if occupied == address));
}
