//! How far a node's clock is off, found out by logins: a node lets a known client in while the time that it
//! sends is within half an hour of the node's (`neo-transport.md` 6.1). Which times are accepted tells the
//! node's, though no message of the protocol does.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::Credential;
use dht_protocol::neo::auth::MAX_CLOCK_DIFFERENCE;
use futures_util::future::join_all;

use super::finding::{Finding, Question};
use super::now;
use crate::trace::Trace;
use crate::wire::handshake::Step;
use crate::wire::{Login, Socket};

/// Half of the window in which a node accepts times, in seconds.
const WINDOW: i64 = MAX_CLOCK_DIFFERENCE as i64;
/// How much the clocks may differ without being worth a word, in seconds.
const TOLERABLE: i64 = 300;
const HOUR: i64 = 3_600;
/// How many hours a clock may be off for this to find it: every wrong time zone, and a little more.
const HOURS: i64 = 15;

/// Logs in again and again.
pub(super) struct Logins<'a> {
    pub(super) node: SocketAddrV4,
    pub(super) credential: &'a Credential,
    pub(super) patience: Duration,
}

/// What is known of the node's clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Clock {
    /// It is ahead of the clock here by so many seconds; behind, where they are negative.
    Between(i64, i64),
    /// No clock explains what the node accepts.
    Narrow,
    /// No time is accepted.
    Unknown,
}

/// A login and whether it was accepted: with a time so many seconds ahead of the clock here.
type Tried = (i64, bool);

/// For a client that is let in: does it only just succeed?
pub(super) async fn near(logins: &Logins<'_>) -> Clock {
    let mut tried = logins.with([-1_500, -900, -300, 300, 900, 1_500]).await;
    tried.push((0, true));
    Clock::from(&tried)
}

/// For a client that is refused: would it be let in at another time?
pub(super) async fn far(logins: &Logins<'_>) -> Clock {
    // The window is two half hours wide: one of these is in it.
    let hours = (-HOURS..=HOURS).filter(|hours| *hours != 0);
    let mut tried = logins.with(hours.map(|hours| hours * HOUR)).await;
    tried.push((0, false));
    if let Clock::Between(low, high) = Clock::from(&tried) {
        // A login half a window ahead of a time is accepted if the node's clock has reached that time.
        let finer = (1..).map(|step| low + step * TOLERABLE);
        let finer = finer.take_while(|ahead| *ahead < high);
        let finer = logins.with(finer.map(|ahead| ahead + WINDOW)).await;
        tried.extend(finer);
    }
    Clock::from(&tried)
}

impl Logins<'_> {
    /// Logs in with these times, all at once. Those that are not answered are left out.
    async fn with(&self, ahead: impl IntoIterator<Item = i64>) -> Vec<Tried> {
        let tried = join_all(ahead.into_iter().map(|ahead| self.accepted(ahead))).await;
        tried.into_iter().flatten().collect()
    }

    async fn accepted(&self, ahead: i64) -> Option<Tried> {
        let time = now().checked_add_signed(ahead)?;
        let connecting = Socket::connect(self.node, Arc::new(Trace::default()), self.patience);
        let mut login = Login::new(connecting.await.ok()?);
        match login.log_in(self.credential, time).await {
            Step::Said(accepted) => Some((ahead, accepted)),
            Step::Closed(_) | Step::Silent | Step::Garbage(_) => None,
        }
    }
}

impl Clock {
    /// Of one client's logins; those that are refused are so because of their time if any is accepted.
    fn from(tried: &[Tried]) -> Self {
        let accepted = || tried.iter().filter(|(_, accepted)| *accepted);
        let times = accepted().map(|(ahead, _)| *ahead);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
            return Self::Unknown;
        };
        let (mut low, mut high) = (last - WINDOW, first + WINDOW);
        for (ahead, accepted) in tried {
            match accepted {
                false if *ahead < first => low = low.max(ahead + WINDOW + 1),
                false => high = high.min(ahead - WINDOW - 1),
                true => {}
            }
        }
        match low <= high {
            true => Self::Between(low, high),
            false => Self::Narrow,
        }
    }

    /// Was any login accepted?
    pub(super) fn is_told(self) -> bool {
        self != Self::Unknown
    }

    pub(super) fn finding(self) -> Finding {
        let question = Question::Clock;
        let advice = "Set the clocks of both machines, best by NTP. A node refuses clients whose clocks \
                      differ by more than 1,800 s, and one that differs by less is judged wrongly.";
        match self {
            Self::Between(low, high) if low >= -TOLERABLE && high <= TOLERABLE => {
                Finding::ok(question, "the clocks differ by 5 min at most")
            }
            Self::Between(low, high) if low > 0 || high < 0 => {
                let middle = low.midpoint(high);
                let side = if middle > 0 { "ahead of" } else { "behind" };
                let found = format!(
                    "the node's clock is about {} {side} the one here",
                    spoken(middle)
                );
                Finding::wrong(question, found, advice)
            }
            Self::Between(..) => Finding::cannot_tell(
                question,
                "the clocks differ by less than 1,800 s; not all logins with other times were answered",
            ),
            Self::Narrow => Finding::wrong(
                question,
                "logins with times some minutes before and behind the one here are refused",
                "The node must accept times up to 1,800 s before and behind its own. `dhtcheck certify \
                 --filter NEO-AUTH` tells which it does.",
            ),
            Self::Unknown => Finding::cannot_tell(
                question,
                format!(
                    "no login with a time up to {HOURS} h before or behind the one here was accepted"
                ),
            ),
        }
    }
}

/// A time that is known roughly: `40 min`, `5 h 10 min`.
fn spoken(seconds: i64) -> String {
    let minutes = seconds.unsigned_abs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0 | 1, _) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a node whose clock is ahead by `skew` says to these times.
    fn tried(skew: i64, window: i64, times: &[i64]) -> Vec<Tried> {
        let accepted = |ahead: &i64| (*ahead, (ahead - skew).abs() <= window);
        times.iter().map(accepted).collect()
    }

    #[test]
    fn no_clock_is_ruled_out_that_may_be_right() {
        let times: Vec<i64> = (-20..=20).map(|step| step * 600).collect();
        for skew in (-7_200..=7_200).step_by(7) {
            let Clock::Between(low, high) = Clock::from(&tried(skew, WINDOW, &times)) else {
                panic!("{skew} is found");
            };
            assert!((low..=high).contains(&skew), "{low}..{high}: {skew}");
            assert!(high - low <= 600, "{low}..{high}");
        }
    }

    #[test]
    fn a_node_that_accepts_too_little_has_no_clock() {
        let times = [-1_500, -900, -300, 0, 300, 900, 1_500];
        assert_eq!(Clock::from(&tried(0, 60, &times)), Clock::Narrow);
        assert_eq!(Clock::from(&tried(9_000, WINDOW, &times)), Clock::Unknown);
        assert_eq!(Clock::from(&[]), Clock::Unknown);
    }

    #[test]
    fn says_on_which_side_the_clock_is() {
        let found = |low, high| Clock::Between(low, high).finding().found;
        assert!(found(3_500, 3_800).contains("about 61 min ahead of"));
        assert!(found(-18_700, -18_500).contains("about 5 h 10 min behind"));
        assert!(found(-900, -301).contains("about 10 min behind"));
        assert!(found(-300, 300).contains("5 min at most"));
        assert!(found(-1_800, 1_800).contains("not all logins"));
    }
}
