//! Is the node still there, and does it keep the protocol? What its connections say about it, and its
//! deaths that were wanted.

use std::fmt;
use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use dht_client::Connections;
use dht_protocol::neo::monitor::Breach;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{SelectAll, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::NodeControl;
use super::telling::Events;
use super::vigil::{Finding, Vigil};
use crate::world::{Happening, Violation};

/// Notices that nobody has read yet; of refusals more would say nothing more.
const NOTICES: usize = 64;
/// How long the node may take to accept a connection when somebody has a look whether it is there.
const LOOK: Duration = Duration::from_secs(5);

/// Watches the node.
pub(super) struct Health {
    node: SocketAddrV4,
    connections: SelectAll<Events>,
    /// Of each connection.
    vigils: Vec<Vigil>,
    notices: mpsc::Receiver<Notice>,
    sender: mpsc::Sender<Notice>,
    /// Times that the node is being killed and started.
    restarting: Arc<AtomicU32>,
    restarts: JoinSet<()>,
    /// A look whether the node is there, while it is taken.
    look: Option<BoxFuture<'static, io::Result<()>>>,
}

/// Takes what the wire monitor of a connection has found.
#[derive(Debug)]
pub(super) struct Breaches(mpsc::Sender<Notice>);

/// What proxies, restarts and the wire monitors have to say.
#[derive(Debug)]
enum Notice {
    /// One side has broken the protocol.
    Breach(Breach),
    /// The node has refused this connection.
    Refused(usize),
    /// The node could not be started again.
    NotStarted(io::Error),
}

impl Health {
    /// Nothing is known of the node yet.
    pub(super) fn new(node: SocketAddrV4) -> Self {
        let (sender, notices) = mpsc::channel(NOTICES);
        Self {
            node,
            connections: SelectAll::new(),
            vigils: Vec::new(),
            notices,
            sender,
            restarting: Arc::default(),
            restarts: JoinSet::new(),
            look: None,
        }
    }

    /// Watches another connection.
    pub(super) fn watch(&mut self, connections: Connections) {
        let number = self.vigils.len();
        self.vigils.push(Vigil::default());
        self.connections.push(Events::new(number, connections));
    }

    /// What a proxy is to call when the node refuses the connection of this number.
    pub(super) fn refusals(&self, number: usize) -> impl Fn() + Send + 'static {
        let sender = self.sender.clone();
        move || {
            // If there is no room, there are more than enough of them.
            let _ = sender.try_send(Notice::Refused(number));
        }
    }

    /// What is to be told what is wrong with messages.
    pub(super) fn breaches(&self) -> Breaches {
        Breaches(self.sender.clone())
    }

    /// Kills the node and starts it again, and does not wait for that.
    pub(super) fn kill(&mut self, control: &dyn NodeControl) {
        self.restarting.fetch_add(1, Ordering::SeqCst);
        let (restarting, sender) = (Arc::clone(&self.restarting), self.sender.clone());
        let restart = control.kill_and_restart();
        self.restarts.spawn(async move {
            let restarted = restart.await;
            restarting.fetch_sub(1, Ordering::SeqCst);
            if let Err(error) = restarted {
                // Nobody listens any more if the case is over.
                let _ = sender.send(Notice::NotStarted(error)).await;
            }
        });
    }

    /// Waits until the node is not being started.
    pub(super) async fn restarted(&mut self) {
        while self.restarts.join_next().await.is_some() {}
    }

    /// What has shown that ends everything.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Option<Happening> {
        // Never closed: there is a sender here.
        while let Poll::Ready(Some(notice)) = self.notices.poll_recv(context) {
            let finding = match notice {
                Notice::Breach(breach) => match Violation::of_node(breach) {
                    Some(violation) => return Some(Happening::Violation(violation)),
                    None => continue,
                },
                Notice::Refused(number) => self.vigils.get_mut(number).and_then(Vigil::refused),
                Notice::NotStarted(error) => return Some(Happening::Gone(error.to_string())),
            };
            if let Some(happening) = self.found(finding) {
                return Some(happening);
            }
        }
        // What a client says of the node comes behind what the wire monitor does, which is more exact.
        while let Poll::Ready(Some((number, event))) = self.connections.poll_next_unpin(context) {
            let vigil = self.vigils.get_mut(number);
            let finding = vigil.and_then(|vigil| vigil.observe(&event));
            if let Some(happening) = self.found(finding) {
                return Some(happening);
            }
        }
        if let Some(look) = &mut self.look
            && let Poll::Ready(looked) = look.poll_unpin(context)
        {
            self.look = None;
            if let (Err(error), false) = (looked, self.is_restarting()) {
                return Some(Happening::Gone(error.to_string()));
            }
        }
        None
    }

    fn found(&mut self, finding: Option<Finding>) -> Option<Happening> {
        match finding? {
            Finding::Violation(text) => Some(Happening::Violation(text.into())),
            Finding::Missing => {
                // The refusals may be those of a node that was being started, and is there by now.
                if self.look.is_none() && !self.is_restarting() {
                    self.look = Some(look(self.node).boxed());
                }
                None
            }
        }
    }

    fn is_restarting(&self) -> bool {
        self.restarting.load(Ordering::SeqCst) > 0
    }
}

impl Breaches {
    /// Something is wrong with a message.
    pub(super) fn report(&self, breach: Breach) {
        // If there is no room, there are more than enough of them.
        let _ = self.0.try_send(Notice::Breach(breach));
    }
}

/// Is the node there?
async fn look(node: SocketAddrV4) -> io::Result<()> {
    match timeout(LOOK, TcpStream::connect(node)).await {
        // It may have connected to itself.
        Ok(Ok(stream)) if stream.local_addr().ok() == stream.peer_addr().ok() => {
            Err(io::ErrorKind::ConnectionRefused.into())
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(error),
        // Something is there, however busy it is.
        _ => Ok(()),
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("node", &self.node)
            .field("vigils", &self.vigils)
            .field("restarting", &self.restarting)
            .finish_non_exhaustive()
    }
}
