//! Time and chance. The server reads them here and passes them to the node, which reads neither; tests
//! supply their own.

use std::fmt::Debug;
use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use dht_protocol::neo::Now;
use dht_protocol::neo::auth::Nonce;

/// What time it is.
pub trait Clock: Debug + Send + Sync {
    /// Now, by both clocks that the node needs.
    fn now(&self) -> Now;
}

/// The clocks of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Clocks whose elapsed time begins now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        // A machine whose clock stands before 1970 lets nobody in.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            unix: unix.map_or(0, |unix| unix.as_secs()),
            elapsed: self.start.elapsed(),
        }
    }
}

/// Where nonces come from. A client that can foresee them can be impersonated with what it once sent.
pub trait Nonces: Debug + Send + Sync {
    /// The nonce of the next connection.
    fn nonce(&self) -> io::Result<Nonce>;
}

/// The operating system's source of random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomNonces;

impl Nonces for RandomNonces {
    fn nonce(&self) -> io::Result<Nonce> {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        Ok(nonce)
    }
}
