//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// When lost connections are tried again: the first time at once, then after `first`, then after twice
/// as long each time, up to `max`. It starts over when a connection was established.
///
/// A node that accepts every connection and closes it again is tried no more often than every `first`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Backoff {
    /// As the original: 20 ms, up to 2.5 s.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(20),
            max: Duration::from_millis(2500),
        }
    }
}

/// The waits between the attempts to connect to one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    backoff: Backoff,
    /// `None` before the attempt that follows at once.
    next: Option<Duration>,
}

impl Waits {
    pub(crate) fn new(backoff: Backoff) -> Self {
        let next = None;
        Self { backoff, next }
    }

    /// The wait after an attempt that came to nothing.
    pub(crate) fn after_failure(&mut self) -> Duration {
        let first = self.backoff.first.min(self.backoff.max);
        match self.next.replace(first) {
            None => Duration::ZERO,
            Some(wait) => {
                self.next = Some(wait.saturating_mul(2).min(self.backoff.max));
                wait
            }
        }
    }

    /// The wait after a connection that was established, and has lasted for `lasted`.
    pub(crate) fn after_connection(&mut self, lasted: Duration) -> Duration {
        self.next = Some(self.backoff.first.min(self.backoff.max));
        self.backoff.first.saturating_sub(lasted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut waits = Waits::new(Backoff::default());
        let taken: Vec<_> = (0..11).map(|_| waits.after_failure().as_millis()).collect();
        let expected = [0, 20, 40, 80, 160, 320, 640, 1280, 2500, 2500, 2500];
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_connection_starts_the_waits_over() {
        let mut waits = Waits::new(Backoff::default());
        for _ in 0..9 {
            waits.after_failure();
        }
        assert_eq!(waits.after_connection(1000 * MS), Duration::ZERO);
        assert_eq!(waits.after_failure(), 20 * MS);
        assert_eq!(waits.after_failure(), 40 * MS);
        assert_eq!(
            waits.after_connection(5 * MS),
            15 * MS,
            "not in a tight loop"
        );
    }

    #[test]
    fn no_backoff_is_waited_longer_than_its_longest() {
        let (first, max) = (30 * MS, 10 * MS);
        let mut waits = Waits::new(Backoff { first, max });
        assert_eq!(waits.after_failure(), Duration::ZERO);
        assert_eq!(waits.after_failure(), 10 * MS);
        assert_eq!(waits.after_failure(), 10 * MS);
    }
}
