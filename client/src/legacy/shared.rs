//! What all handles of a client share: the [`Core`] behind a lock, which is never held across an await, and
//! who is to be woken when its turn has come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::connection::Connection;
use super::core::{Core, Ticket};
use super::tap::Taps;

/// How a client was built.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) connect_timeout: Duration,
    pub(super) handshake_retry: Duration,
    pub(super) taps: Option<Arc<Taps>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) core: Core<Connection>,
    /// Who waits for a connection.
    pub(super) wakers: BTreeMap<Ticket, Waker>,
}

impl Shared {
    pub(super) fn new(core: Core<Connection>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            state: Mutex::new(State {
                core,
                wakers: BTreeMap::new(),
            }),
        })
    }

    /// The state is sound between any two calls of the core, whatever happened to who held the lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Who is to be woken since this ticket's turn has come.
    pub(super) fn call(&mut self, ticket: Option<Ticket>) -> Option<Waker> {
        self.wakers.remove(&ticket?)
    }
}
