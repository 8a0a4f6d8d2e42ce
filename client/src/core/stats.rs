//! What the core counts of its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use dht_protocol::neo::request::RequestCode;

/// How long the requests of a kind took that have ended, however they ended. A GetHashRange, which does
/// not end, counts when a node has told its range.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RequestStats {
    /// How many.
    pub count: u64,
    /// All of them together.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl RequestStats {
    /// The time that one took on average; zero if there was none.
    pub fn mean(&self) -> Duration {
        match u32::try_from(self.count) {
            Ok(0) => Duration::ZERO,
            Ok(count) => self.total / count,
            // More than a division of durations can take; nanoseconds can, for five hundred years.
            Err(_) => Duration::from_nanos((self.total.as_nanos() / u128::from(self.count)) as u64),
        }
    }
}

/// The figures of all kinds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Times([RequestStats; RequestCode::ALL.len()]);

impl Times {
    pub(super) fn add(&mut self, request: RequestCode, took: Duration) {
        // Codes count from 1.
        let stats = &mut self.0[request as usize - 1];
        stats.count += 1;
        stats.total += took;
        stats.max = stats.max.max(took);
    }

    pub(super) fn by_request(&self) -> BTreeMap<RequestCode, RequestStats> {
        RequestCode::ALL.into_iter().zip(self.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ten_requests_are_counted() {
        let mut times = Times::default();
        for request in RequestCode::ALL {
            times.add(request, Duration::from_micros(10));
            times.add(request, Duration::from_micros(30));
        }
        let by_request = times.by_request();
        assert_eq!(by_request.len(), 10);
        for stats in by_request.values() {
            assert_eq!(stats.count, 2);
            assert_eq!(stats.mean(), Duration::from_micros(20));
            assert_eq!(stats.max, Duration::from_micros(30));
        }
        assert_eq!(RequestStats::default().mean(), Duration::ZERO);
    }
}
