//! The core's requests, from their start to their end.

use std::collections::BTreeMap;

use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::stream::ControlError;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{
    RequestCode, exists, get, get_all, get_channels, mirror, put, remove, remove_channel,
};
use dht_protocol::neo::{Now, RequestId};

use super::half::{self, AnyHalf, Event};
use super::pace::Paced;
use super::stats::Times;
use super::{
    Active, Backlog, Core, MAX_ACTIVE_REQUESTS, Output, Request, RequestStats, Told,
    TooManyRequests,
};

/// Requests.
impl Core {
    /// Starts a request. What it tells comes as [`Output::Request`], perhaps at once.
    pub fn start(&mut self, request: Request, now: Now) -> Result<RequestId, TooManyRequests> {
        if self.active_requests() >= MAX_ACTIVE_REQUESTS {
            return Err(TooManyRequests);
        }
        let id = self.next_id;
        self.next_id = id.next();
        let wires = &mut self.wires;
        let half = match request {
            Request::Put(open) => {
                let newest = self.registry.covering(open.record.key).into_iter().next();
                match put::Client::new(open) {
                    Ok(client) => AnyHalf::Put(half::visit(client, newest, id, wires, Told::Put)),
                    Err(failure) => {
                        let told = Told::Put(Err(failure));
                        wires.push(Output::Request { id, told });
                        return Ok(id);
                    }
                }
            }
            Request::Get(record) => {
                let nodes = self.registry.covering(record.key);
                AnyHalf::Get(half::visit(
                    get::Client::new(record),
                    nodes,
                    id,
                    wires,
                    Told::Get,
                ))
            }
            Request::Exists(record) => {
                let nodes = self.registry.covering(record.key);
                let client = exists::Client::new(record);
                AnyHalf::Exists(half::visit(client, nodes, id, wires, Told::Exists))
            }
            Request::Remove(record) => {
                // Oldest first, so that a failure on the way brings no older copy to light (P22).
                let nodes = self.registry.covering(record.key).into_iter().rev();
                let client = remove::Client::new(record);
                AnyHalf::Remove(half::visit(client, nodes, id, wires, Told::Remove))
            }
            Request::Update(record) => {
                let nodes = self.registry.covering(record.key);
                AnyHalf::Update(half::update(record, nodes, id, wires))
            }
            Request::GetAll(channel, settings) => {
                AnyHalf::GetAll(Paced::new(get_all::Client::new(channel, settings)))
            }
            Request::Mirror(channel, settings) => {
                AnyHalf::Mirror(Paced::new(mirror::Client::new(channel, settings)))
            }
            Request::GetChannels => {
                AnyHalf::GetChannels(Gathering::new(get_channels::Client::default()))
            }
            Request::RemoveChannel(channel) => {
                AnyHalf::RemoveChannel(Gathering::new(remove_channel::Client::new(channel)))
            }
        };
        self.begin(id, half, now);
        Ok(id)
    }

    /// The user's decision on an Update that has told the record's value. Nothing happens if none is
    /// awaited.
    pub fn decide(&mut self, id: RequestId, decision: Decision, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.decide(id, decision, &mut self.wires);
            self.end_if_over(id, now);
        }
        self.tell_losses(now);
    }

    /// Suspends, resumes or stops a GetAll or Mirror.
    pub fn control(
        &mut self,
        id: RequestId,
        control: Control,
        now: Now,
    ) -> Result<(), ControlError> {
        let active = self.requests.get_mut(&id).ok_or(ControlError::Ended)?;
        let accepted = active.half.control(id, control, &mut self.wires);
        self.end_if_over(id, now);
        self.tell_losses(now);
        accepted
    }

    /// The user of a GetAll or Mirror has that much still to read. The nodes are suspended while it is
    /// much, and resumed afterwards.
    pub fn pace(&mut self, id: RequestId, backlog: Backlog, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.pace(id, backlog, &mut self.wires);
            self.end_if_over(id, now);
        }
        self.tell_losses(now);
    }

    /// The user does not want to wait any longer. A request for one record tells it so, with
    /// [`Failure::TimedOut`](dht_protocol::neo::request::Failure::TimedOut), unless it has ended; its
    /// node is not told. An Update that awaits a decision leaves the record. GetAll and Mirror are
    /// stopped. GetChannels and RemoveChannel are forgotten.
    pub fn abandon(&mut self, id: RequestId, now: Now) {
        match self.requests.get(&id).map(|active| &active.half) {
            Some(AnyHalf::GetChannels(_) | AnyHalf::RemoveChannel(_)) => self.end(id, now),
            Some(_) => {
                self.tell(id, &Event::Abandoned, now);
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
    fn begin(&mut self, id: RequestId, mut half: AnyHalf, now: Now) {
        if matches!(
            half,
            AnyHalf::GetAll(_)
                | AnyHalf::Mirror(_)
                | AnyHalf::GetChannels(_)
                | AnyHalf::RemoveChannel(_)
        ) {
            let nodes: Vec<_> = self.wires.nodes.keys().copied().collect();
            for node in nodes {
                half.handle(id, Event::NodeAdded(node), &mut self.wires);
            }
            for node in self.wires.open_nodes() {
                half.handle(id, Event::Connected(node), &mut self.wires);
            }
        }
        let begun = now.elapsed;
        self.requests.insert(id, Active { half, begun });
        self.end_if_over(id, now);
        self.tell_losses(now);
    }

    pub(super) fn tell(&mut self, id: RequestId, event: &Event<'_>, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.handle(id, event.clone(), &mut self.wires);
            self.end_if_over(id, now);
        }
    }

    pub(super) fn tell_all(&mut self, event: &Event<'_>, now: Now) {
        let ids: Vec<_> = self.requests.keys().copied().collect();
        for id in ids {
            self.tell(id, event, now);
        }
    }

    /// Tells the requests of the connections that were lost. What they do about it may close others.
    pub(super) fn tell_losses(&mut self, now: Now) {
        while let Some(node) = self.wires.next_lost() {
            self.tell_all(&Event::Disconnected(node), now);
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
