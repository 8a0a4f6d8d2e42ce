//! What all handles of a client and its connections share: the [`Core`] behind a lock, and the carrying
//! out of what it says. The lock is never held across an await.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dht_protocol::neo::{NodeAddress, Now, RequestId};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ConnectionError;
use crate::backoff::Backoff;
use crate::core::{ConnectionEvent, Core, Output};
use crate::link::{self, Link};
use crate::mailbox::Sender;
use crate::tap::Tap;
use crate::waiters::{Then, Waiters};
use dht_protocol::neo::client::Backlog;

/// How a client was built.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) tap: Option<Arc<dyn Tap>>,
    pub(crate) backoff: Backoff,
    pub(crate) connect_timeout: Duration,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Something has happened to a connection, or the client was shut down.
    pub(crate) changed: Notify,
    runtime: Handle,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) core: Core,
    pub(crate) waiters: Waiters,
    pub(crate) links: BTreeMap<NodeAddress, Link>,
    pub(crate) listeners: Vec<Sender<ConnectionEvent>>,
    pub(crate) shutdown: bool,
}

/// Who writes what has come to stand in the output of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Writing {
    /// This call, as far as the socket takes it.
    Now,
    /// The connection's task, which collects what others add until its turn comes.
    Later,
}

impl Shared {
    /// Must be called inside a runtime.
    pub(crate) fn new(core: Core, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            changed: Notify::new(),
            runtime: Handle::current(),
            began: Instant::now(),
            state: Mutex::new(State {
                core,
                waiters: Waiters::default(),
                links: BTreeMap::new(),
                listeners: Vec::new(),
                shutdown: false,
            }),
        })
    }

    /// The state is sound between any two calls of the core, whatever happened to who held the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            unix: unix.map_or(0, |since| since.as_secs()),
            elapsed: self.began.elapsed(),
        }
    }

    /// Does what the core says, until it has nothing more to say.
    pub(crate) fn carry_out(self: &Arc<Self>, state: &mut State, writing: Writing, now: Now) {
        while let Some(output) = state.core.next_output() {
            match output {
                Output::Connect(node) => self.connect(state, node),
                Output::Write(node) => match writing {
                    Writing::Now => self.flush(state, node),
                    Writing::Later => state.wake(node),
                },
                Output::Close { node, reason } => {
                    if let Some(link) = state.links.get_mut(&node) {
                        link.close(reason);
                    }
                }
                Output::Connection(event) => {
                    state.listeners.retain(|listener| !listener.is_closed());
                    for listener in &state.listeners {
                        listener.push_dropping_oldest(event.clone());
                    }
                    self.changed.notify_waiters();
                }
                Output::Request { id, told } => match state.waiters.tell(id, told) {
                    Then::Nothing => {}
                    Then::Pace(backlog, source) => {
                        state.core.pace(id, backlog, now);
                        if let (Backlog::Excessive, Some(node)) = (backlog, source) {
                            state.core.close(node, ConnectionError::Flooding, now);
                        }
                    }
                    Then::Abandon => state.core.abandon(id, now),
                },
            }
        }
    }

    /// The user of a GetAll or Mirror has read some of what there was.
    pub(crate) fn eased(self: &Arc<Self>, id: RequestId, backlog: impl FnOnce() -> Backlog) {
        let mut state = self.lock();
        let now = self.now();
        // Looked at only now: nothing is added while the state is locked.
        state.core.pace(id, backlog(), now);
        self.carry_out(&mut state, Writing::Later, now);
    }

    /// Nobody waits for a request any more.
    pub(crate) fn drop_request(self: &Arc<Self>, id: RequestId) {
        let mut state = self.lock();
        let now = self.now();
        state.waiters.forget(id);
        state.core.abandon(id, now);
        self.carry_out(&mut state, Writing::Later, now);
    }

    /// Writes what stands in the output of a node, as far as its socket takes it.
    pub(crate) fn flush(&self, state: &mut State, node: NodeAddress) {
        let State { core, links, .. } = state;
        let (Some(link), Some(output)) = (links.get_mut(&node), core.output(node)) else {
            return;
        };
        link.flush(node, output, self.settings.tap.as_deref());
    }

    fn connect(self: &Arc<Self>, state: &mut State, node: NodeAddress) {
        let task = self.runtime.spawn(link::run(Arc::clone(self), node));
        state.links.insert(node, Link::new(task.abort_handle()));
    }

    /// Ends everything. Who waits is told so by the end of what it waits for.
    pub(crate) fn shut_down(self: &Arc<Self>) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.shutdown, true) {
            return;
        }
        state.waiters.forget_all();
        let now = self.now();
        for (node, link) in std::mem::take(&mut state.links) {
            link.abort(node, self.settings.tap.as_deref());
            let reason = ConnectionError::Shutdown;
            state.core.disconnected(node, reason, now);
        }
        self.carry_out(&mut state, Writing::Later, now);
        state.listeners.clear();
        drop(state);
        self.changed.notify_waiters();
    }
}

impl State {
    fn wake(&mut self, node: NodeAddress) {
        if let Some(link) = self.links.get_mut(&node) {
            link.wake();
        }
    }
}
