//! The core's requests, from their start to their end.

use std::collections::BTreeMap;

use dht_protocol::neo::client::{Backlog, ClientRequest, Event, Request, Told};
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::stream::ControlError;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{Effect, RequestCode};
use dht_protocol::neo::{Now, RequestId};

use super::stats::Times;
use super::{Active, Core, MAX_ACTIVE_REQUESTS, RequestStats, TooManyRequests};

/// Requests.
impl Core {
    /// Starts a request. What it tells comes as [`Output::Request`](super::Output::Request), perhaps at once.
    pub fn start(&mut self, request: Request, now: Now) -> Result<RequestId, TooManyRequests> {
        if self.active_requests() >= MAX_ACTIVE_REQUESTS {
            return Err(TooManyRequests);
        }
        let id = self.next_id;
        self.next_id = id.next();
        let mut effects = Vec::new();
        match ClientRequest::start(request, &self.registry, &mut effects) {
            Some(half) => self.begin(id, half, effects, now),
            None => self.wires.tell(id, effects),
        }
        Ok(id)
    }

    /// The user's decision on an Update that has told the record's value. Nothing happens if none is
    /// awaited.
    pub fn decide(&mut self, id: RequestId, decision: Decision, now: Now) {
        self.with(id, now, |half, effects| half.decide(decision, effects));
        self.tell_losses(now);
    }

    /// Suspends, resumes or stops a GetAll or Mirror.
    pub fn control(
        &mut self,
        id: RequestId,
        control: Control,
        now: Now,
    ) -> Result<(), ControlError> {
        let accepted = self.with(id, now, |half, effects| half.control(control, effects));
        self.tell_losses(now);
        accepted.unwrap_or(Err(ControlError::Ended))
    }

    /// The user of a GetAll or Mirror has that much still to read. The nodes are suspended while it is
    /// much, and resumed afterwards.
    pub fn pace(&mut self, id: RequestId, backlog: Backlog, now: Now) {
        let open = self.wires.open_nodes();
        self.with(id, now, |half, effects| half.pace(backlog, open, effects));
        self.tell_losses(now);
    }

    /// The user does not want to wait any longer. A request for one record tells it so, with
    /// [`Failure::TimedOut`](dht_protocol::neo::request::Failure::TimedOut), unless it has ended; its
    /// node is not told. An Update that awaits a decision leaves the record. GetAll and Mirror are
    /// stopped. GetChannels and RemoveChannel are forgotten.
    pub fn abandon(&mut self, id: RequestId, now: Now) {
        match self.requests.get(&id).map(|active| &active.half) {
            Some(ClientRequest::GetChannels(_) | ClientRequest::RemoveChannel(_)) => {
                self.end(id, now);
            }
            Some(_) => {
                self.tell(id, Event::Abandoned, now);
                self.tell_losses(now);
            }
            None => {}
        }
    }

    /// How many requests are active, the permanent GetHashRange included. Those that were
    /// [abandoned](Self::abandon) do not count, except where a node is still to be told something.
    pub fn active_requests(&self) -> usize {
        self.requests.len() + 1
    }

    /// Of how many nodes the range is known.
    pub fn known_ranges(&self) -> usize {
        self.registry.len()
    }

    /// How long requests took, for all ten kinds.
    pub fn request_stats(&self) -> BTreeMap<RequestCode, RequestStats> {
        self.times.by_request()
    }

    /// Counts requests from zero again.
    pub fn reset_request_stats(&mut self) {
        self.times = Times::default();
    }

    /// Tells a new request which nodes there are.
    fn begin(&mut self, id: RequestId, half: ClientRequest, effects: Vec<Effect<Told>>, now: Now) {
        let on_all_nodes = half.runs_on_all_nodes();
        let begun = now.elapsed;
        let active = self.requests.entry(id).or_insert(Active { half, begun });
        self.wires.carry_out(id, &mut active.half, effects);
        if on_all_nodes {
            let nodes: Vec<_> = self.wires.nodes.keys().copied().collect();
            for node in nodes {
                self.tell(id, Event::NodeAdded(node), now);
            }
            for node in self.wires.open_nodes() {
                self.tell(id, Event::Connected(node), now);
            }
        }
        self.end_if_over(id, now);
        self.tell_losses(now);
    }

    pub(super) fn tell(&mut self, id: RequestId, event: Event<'_>, now: Now) {
        self.with(id, now, |half, effects| half.handle(event, effects));
    }

    pub(super) fn tell_all(&mut self, event: Event<'_>, now: Now) {
        let ids: Vec<_> = self.requests.keys().copied().collect();
        for id in ids {
            self.tell(id, event, now);
        }
    }

    /// Does something with a request and what comes of it. `None` if the request is not active.
    fn with<T>(
        &mut self,
        id: RequestId,
        now: Now,
        event: impl FnOnce(&mut ClientRequest, &mut Vec<Effect<Told>>) -> T,
    ) -> Option<T> {
        let half = &mut self.requests.get_mut(&id)?.half;
        let mut effects = Vec::new();
        let result = event(half, &mut effects);
        self.wires.carry_out(id, half, effects);
        self.end_if_over(id, now);
        Some(result)
    }

    /// Tells the requests of the connections that were lost. What they do about it may close others.
    pub(super) fn tell_losses(&mut self, now: Now) {
        while let Some(node) = self.wires.next_lost() {
            self.tell_all(Event::Disconnected(node), now);
        }
    }

    fn end_if_over(&mut self, id: RequestId, now: Now) {
        if self
            .requests
            .get(&id)
            .is_some_and(|active| active.half.is_over())
        {
            self.end(id, now);
        }
    }

    fn end(&mut self, id: RequestId, now: Now) {
        if let Some(active) = self.requests.remove(&id) {
            let took = now.elapsed.saturating_sub(active.begun);
            self.times.add(active.half.code(), took);
        }
    }
}
