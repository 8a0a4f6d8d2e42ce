//! What passes on all connections of a world, for those that stand still meanwhile.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// If no message has passed anywhere for so long, nothing is going to happen without those that wait.
pub(super) const QUIET: Duration = Duration::from_millis(5);
/// Nothing stands still for longer, whatever else happens.
const LONGEST: Duration = Duration::from_secs(1);

/// Counts messages of requests, by connection.
#[derive(Debug)]
pub(in crate::net) struct Traffic(watch::Sender<Vec<u64>>);

impl Traffic {
    /// Nothing has passed yet on so many connections.
    pub(in crate::net) fn new(connections: usize) -> Self {
        Self(watch::Sender::new(vec![0; connections]))
    }

    /// So many messages have passed on a connection.
    pub(super) fn passed(&self, connection: usize, messages: u64) {
        self.0.send_modify(|counts| {
            if let Some(count) = counts.get_mut(connection) {
                *count += messages;
            }
        });
    }

    /// Waits until so many messages have passed on other connections, or nothing passes at all.
    pub(super) async fn stand_still(&self, connection: usize, messages: u32) {
        let mut counts = self.0.subscribe();
        let others = |counts: &[u64]| {
            let others = counts.iter().enumerate();
            let others = others.filter(|(number, _)| *number != connection);
            others.map(|(_, count)| count).sum::<u64>()
        };
        let enough = others(&counts.borrow_and_update()) + u64::from(messages);
        let waiting = async {
            while others(&counts.borrow_and_update()) < enough {
                if !matches!(timeout(QUIET, counts.changed()).await, Ok(Ok(()))) {
                    return;
                }
            }
        };
        select(pin!(waiting), pin!(sleep(LONGEST))).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_on_other_connections_end_the_wait() {
        let traffic = Traffic::new(3);
        traffic.passed(1, 100);
        let mut waiting = pin!(traffic.stand_still(0, 3));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        traffic.passed(0, 5);
        traffic.passed(1, 2);
        assert_eq!(waiting.as_mut().now_or_never(), None);
        traffic.passed(2, 1);
        assert_eq!(waiting.as_mut().now_or_never(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_wait_and_so_does_too_much_of_the_wrong() {
        let traffic = Traffic::new(2);
        let begun = Instant::now();
        traffic.stand_still(0, 1).await;
        assert!(begun.elapsed() >= QUIET && begun.elapsed() < QUIET * 2);

        let chatter = async {
            loop {
                traffic.passed(0, 1);
                sleep(QUIET / 2).await;
            }
        };
        let begun = Instant::now();
        select(pin!(traffic.stand_still(0, 1)), pin!(chatter)).await;
        assert!(begun.elapsed() >= LONGEST && begun.elapsed() < LONGEST * 2);
    }
}
