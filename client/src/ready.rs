//! Waiting for nodes.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use crate::ConnectionError;
use crate::client::Client;
use crate::core::{ConnectionState, NodeState};
use crate::error::{Missing, NotReady, RequestError};
use crate::shared::State;

/// Waiting for nodes.
impl Client {
    /// Waits until all registered nodes are connected and have told which keys they are responsible
    /// for, but no longer than `patience`, and no longer than until a node says something that waiting
    /// does not change (wrong credentials, another version).
    pub async fn ready(&self, patience: Duration) -> Result<(), NotReady> {
        let ready = self.wait_for(|state| match check(state) {
            Err(NotReady { nodes }) if !nodes.iter().any(|(_, missing)| is_lasting(missing)) => {
                None
            }
            checked => Some(checked),
        });
        match timeout(patience, ready).await {
            Ok(Ok(checked)) => checked,
            // Shut down, or out of patience.
            Ok(Err(_)) | Err(_) => check(&self.shared().lock()),
        }
    }

    /// Waits until all registered nodes are connected, for as long as that takes.
    pub async fn wait_all_connected(&self) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (!nodes.is_empty() && nodes.values().all(is_open)).then_some(())
        })
        .await
    }

    /// Waits until at least `count` nodes are connected, for as long as that takes.
    pub async fn wait_connected(&self, count: usize) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (nodes.values().filter(|node| is_open(node)).count() >= count).then_some(())
        })
        .await
    }

    /// Waits until the ranges of all registered nodes are known, for as long as that takes.
    pub async fn wait_all_ranges_known(&self) -> Result<(), RequestError> {
        self.wait_for(|state| {
            let nodes = state.core.nodes();
            (!nodes.is_empty() && nodes.values().all(|node| node.range.is_some())).then_some(())
        })
        .await
    }

    /// Waits until the ranges of at least `count` nodes are known, for as long as that takes.
    pub async fn wait_ranges_known(&self, count: usize) -> Result<(), RequestError> {
        self.wait_for(|state| (state.core.known_ranges() >= count).then_some(()))
            .await
    }

    /// Waits until `condition` gives something.
    async fn wait_for<T>(
        &self,
        condition: impl Fn(&State) -> Option<T>,
    ) -> Result<T, RequestError> {
        let shared = self.shared();
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let changed = shared.changed.notified();
            {
                let state = shared.lock();
                if state.shutdown {
                    return Err(RequestError::Shutdown);
                }
                if let Some(value) = condition(&state) {
                    return Ok(value);
                }
            }
            changed.await;
        }
    }
}

fn is_open(node: &NodeState) -> bool {
    node.connection == ConnectionState::Open
}

/// What do the nodes lack to be ready?
fn check(state: &State) -> Result<(), NotReady> {
    let nodes = state.core.nodes();
    let missing = nodes.iter().filter_map(|(node, known)| {
        let missing = match &known.connection {
            ConnectionState::Open if known.range.is_some() => return None,
            ConnectionState::Open => Missing::Range,
            _ if state.shutdown => ConnectionError::Shutdown.into(),
            ConnectionState::Failed(error) => error.clone().into(),
            ConnectionState::Connecting => {
                ConnectionError::Unreachable(io::ErrorKind::TimedOut).into()
            }
            ConnectionState::Authenticating => ConnectionError::TimedOut.into(),
        };
        Some((*node, missing))
    });
    let missing: Vec<_> = missing.collect();
    match missing.is_empty() && !nodes.is_empty() {
        true => Ok(()),
        false => Err(NotReady { nodes: missing }),
    }
}

fn is_lasting(missing: &Missing) -> bool {
    matches!(missing, Missing::Connection(error) if error.is_lasting())
}
