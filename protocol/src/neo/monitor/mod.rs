//! The wire monitor: listens at the client's end of one connection and judges every message of both
//! directions by the requests' own client halves. It sends nothing and changes nothing.
//!
//! It has no list of which message is legal when. A message of the client is legal if the half, told
//! something by a user, would send exactly this message now; a message of the node is legal if the half
//! accepts it. What the halves leave open, because a client has no use for it, is added here:
//!
//! * where nothing is open, or nothing is awaited from the node any more, the node says nothing
//!   (`neo-transport.md` 8.2, P02, P30);
//! * a suspended request keeps to the bound of P31.
//!
//! Client messages are heard when they leave, which may be later than they were decided on: a control
//! message that was on its way when the final message came is as legal as before it.
//!
//! * `opening`: from the first message of a request to a half that would send it.
//! * `watched`: one request.
//! * [`Listener`]: the same for who hears bytes.
//! * `quota`: what may come while a request is suspended.
//! * [`breach`](Breach): what is wrong with a message, in words.
//! * `name`: what messages are called. [`Coverage`]: what was heard, for who wants to know.

mod breach;
mod coverage;
mod listener;
mod name;
mod opening;
mod quota;
mod watched;

pub use breach::{Breach, Last, Wrong};
pub use coverage::Coverage;
pub use listener::Listener;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dissect::Side;
use super::header::RequestId;
use super::registry::Registry;
use super::request::RequestCode;
use crate::key::HashRange;
use watched::Watched;

/// Requests that have ended, of which something is still known.
const REMEMBERED: usize = 64;
/// Requests that are not judged any more. Who breaks the protocol more often than that is not judged at all.
const GIVEN_UP: usize = 1024;

/// A message in a state of its request: what a run has covered of the request's automaton.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Transition {
    /// The request.
    pub request: RequestCode,
    /// The state of the client's half before the message, [`BEGIN`](Self::BEGIN) before the first one.
    pub state: &'static str,
    /// What the message is called.
    pub message: &'static str,
    /// Who sent it.
    pub from: Side,
}

impl Transition {
    /// The state in which a request is begun.
    pub const BEGIN: &'static str = "Begin";
}

/// Judges one connection, from the end of its authentication on.
///
/// It remembers the requests that are under way, a bounded number of those that have ended, and the
/// transitions, of which there are finitely many.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// One node that covers everything.
    registry: Registry,
    open: BTreeMap<RequestId, Watched>,
    ended: VecDeque<(RequestId, Last)>,
    given_up: BTreeSet<u64>,
    /// `None` if nobody wants to know.
    coverage: Option<Coverage>,
}

impl Default for Monitor {
    fn default() -> Self {
        let mut registry = Registry::default();
        registry.learn(watched::NODE, HashRange::FULL);
        Self {
            registry,
            open: BTreeMap::new(),
            ended: VecDeque::new(),
            given_up: BTreeSet::new(),
            coverage: None,
        }
    }
}

impl Monitor {
    /// Nothing has been said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client has sent a message of the request `id`. After a breach nothing more is said about the
    /// same id.
    pub fn sent(&mut self, id: u64, payload: &[u8]) -> Result<(), Breach> {
        self.heard(Side::Client, id, payload)
    }

    /// The client has received a message of the request `id`.
    pub fn received(&mut self, id: u64, payload: &[u8]) -> Result<(), Breach> {
        self.heard(Side::Node, id, payload)
    }

    /// A monitor that also remembers what it has heard of the automata; see [`coverage`](Self::coverage).
    pub fn covering() -> Self {
        Self {
            coverage: Some(Coverage::default()),
            ..Self::default()
        }
    }

    /// What has been heard so far, if the monitor was asked to remember it.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// The connection has ended; what is heard next is a new one.
    pub fn closed(&mut self) {
        self.open.clear();
        self.ended.clear();
        self.given_up.clear();
        if let Some(coverage) = &mut self.coverage {
            coverage.closed();
        }
    }

    /// How many requests are under way.
    pub fn active(&self) -> usize {
        self.open.len()
    }

    fn heard(&mut self, side: Side, id: u64, payload: &[u8]) -> Result<(), Breach> {
        if self.given_up.contains(&id) || self.given_up.len() >= GIVEN_UP {
            return Ok(());
        }
        let Some(request_id) = RequestId::new(id) else {
            let breach = Breach::new(side, None, id, Wrong::ZeroId);
            return Err(self.give_up(breach));
        };
        match side {
            Side::Client => self.client_says(request_id, payload),
            Side::Node => self.node_says(request_id, payload),
        }
        .map_err(|breach| self.give_up(breach))
    }

    fn client_says(&mut self, id: RequestId, payload: &[u8]) -> Result<(), Breach> {
        let breach = |code, wrong| Breach::new(Side::Client, code, id.get(), wrong);
        if let Some(watched) = self.open.get_mut(&id) {
            let code = watched.code();
            let transition = watched
                .sent(payload)
                .map_err(|wrong| breach(Some(code), wrong))?;
            self.note(id, transition);
            self.forget_if_over(id, Side::Client, transition.message);
            return Ok(());
        }
        let begun = opening::begin(payload, &self.registry);
        let (watched, message) = begun.map_err(|(code, wrong)| {
            // A word too much for a request that has ended looks like a first one.
            let last = self.last(id).filter(|_| code.is_none());
            match last {
                Some(last) => breach(Some(last.request), Wrong::Over(last)),
                None => breach(code, wrong),
            }
        })?;
        let transition = Transition {
            request: watched.code(),
            state: Transition::BEGIN,
            message,
            from: Side::Client,
        };
        self.note(id, transition);
        self.open.insert(id, watched);
        Ok(())
    }

    fn node_says(&mut self, id: RequestId, payload: &[u8]) -> Result<(), Breach> {
        let breach = |code, wrong| Breach::new(Side::Node, code, id.get(), wrong);
        let Some(watched) = self.open.get_mut(&id) else {
            return Err(match self.last(id) {
                Some(last) => breach(Some(last.request), Wrong::Over(last)),
                None => breach(None, Wrong::NothingOpen),
            });
        };
        let code = watched.code();
        let transition = watched
            .received(payload)
            .map_err(|wrong| breach(Some(code), wrong))?;
        self.note(id, transition);
        self.forget_if_over(id, Side::Node, transition.message);
        Ok(())
    }

    fn note(&mut self, id: RequestId, transition: Transition) {
        if let Some(coverage) = &mut self.coverage {
            coverage.heard(id, transition);
        }
    }

    fn forget_if_over(&mut self, id: RequestId, from: Side, message: &'static str) {
        if !self.open.get(&id).is_some_and(Watched::is_over) {
            return;
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.ended(id);
        }
        if let Some(watched) = self.open.remove(&id) {
            if self.ended.len() == REMEMBERED {
                self.ended.pop_front();
            }
            let request = watched.code();
            self.ended.push_back((
                id,
                Last {
                    request,
                    from,
                    message,
                },
            ));
        }
    }

    /// The last message of the request that had the id last, if that has ended.
    fn last(&self, id: RequestId) -> Option<Last> {
        let ended = self.ended.iter().rev().find(|(ended, _)| *ended == id);
        ended.map(|(_, last)| *last)
    }

    fn give_up(&mut self, breach: Breach) -> Breach {
        self.given_up.insert(breach.id);
        if let Some(id) = RequestId::new(breach.id) {
            self.open.remove(&id);
        }
        breach
    }
}

#[cfg(test)]
mod tests;
