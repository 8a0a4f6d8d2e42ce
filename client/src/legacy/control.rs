//! Suspending, resuming and stopping a stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Controls a stream from anywhere. It keeps neither the stream nor the client alive.
#[derive(Clone, Debug, Default)]
pub struct Controller(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    control: Control,
    /// How often the stream was suspended.
    pauses: u64,
    /// Who reads the stream.
    waker: Option<Waker>,
}

/// What a stream is to do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Control {
    #[default]
    Go,
    Wait,
    Stop,
}

impl Controller {
    /// See [`Running::suspend`](super::Running::suspend).
    pub fn suspend(&self) {
        self.set(Control::Wait);
    }

    /// See [`Running::resume`](super::Running::resume).
    pub fn resume(&self) {
        self.set(Control::Go);
    }

    /// See [`Running::stop`](super::Running::stop).
    pub fn stop(&self) {
        self.set(Control::Stop);
    }

    /// What the stream is to do, and how often it was suspended. Its reader is woken when that changes.
    pub(super) fn poll(&self, context: &Context<'_>) -> (Control, u64) {
        let mut state = self.lock();
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            waker @ None => *waker = Some(context.waker().clone()),
        }
        (state.control, state.pauses)
    }

    fn set(&self, control: Control) {
        let mut state = self.lock();
        if state.control == Control::Stop || state.control == control {
            return;
        }
        state.control = control;
        state.pauses += u64::from(control == Control::Wait);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The state is sound at any moment, whatever happened to who held the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
