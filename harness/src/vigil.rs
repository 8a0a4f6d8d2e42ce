//! Watches the connections of a client for a node that breaks the protocol, or is not there any more. The
//! client itself goes on after such a thing as well as it can; for a certification it is the end of
//! whatever is looked at.

use dht_client::core::ConnectionEvent;
use dht_client::{Client, ConnectionError};
use dht_requirements::{self as req, Requirement};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a violation breaks.
pub const REQUIREMENT: &Requirement = &req::REQ_ANSWER_DEFINED;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Vigil {
    violation: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl Vigil {
    /// Watches a client's connections from now on.
    pub fn new(client: &Client) -> Self {
        let (sender, violation) = watch::channel(None);
        let mut connections = client.connections();
        let task = tokio::spawn(async move {
            while let Some(event) = connections.next().await {
                if let ConnectionEvent::Disconnected(_, error) | ConnectionEvent::Failed(_, error) =
                    event
                    && ends_everything(&error)
                {
                    // The first one is the one to look at.
                    sender.send_if_modified(|violation| {
                        let first = violation.is_none();
                        violation.get_or_insert_with(|| error.to_string());
                        first
                    });
                }
            }
        });
        Self { violation, task }
    }

    /// Has the node broken the protocol?
    pub fn found(&self) -> bool {
        self.violation.borrow().is_some()
    }

    /// Waits until the node breaks the protocol, and says how.
    pub async fn violation(&self) -> String {
        let mut violation = self.violation.clone();
        if let Ok(found) = violation.wait_for(Option::is_some).await
            && let Some(found) = found.clone()
        {
            return found;
        }
        // The client was shut down; nothing can happen any more.
        std::future::pending().await
    }
}

/// A node that refuses connections now was there when the vigil began.
fn ends_everything(error: &ConnectionError) -> bool {
    use ConnectionError::{Flooding, Refused, Violation};
    matches!(error, Violation(_) | Flooding | Refused)
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.task.abort();
    }
}
