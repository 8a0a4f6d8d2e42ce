//! The model as its users see it: operations and answers go in, refusals come out.
//!
//! * `legacy`: what comes over a legacy port.

mod legacy;

use dht_requirements::{self as req, Requirement};
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::{ChannelName, HashRange, Key};

use crate::alternatives::Alternatives;
use crate::answer::Answer;
use crate::dht::{Dht, NodeId, Party, Route};
use crate::limits;
use crate::operation::{Action, Operation};
use crate::refusal::{Allowed, Refusal};
use crate::rules::listing::Creation;
use crate::rules::selection::Selection;
use crate::rules::{Verdict, channel, client, listing, record};
use crate::state::ChannelState;

/// What is expected of the nodes apart from the rules.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Expectations {
    /// The nodes may remove a channel for a client that has no permission. One of the originals does.
    pub everyone_may_remove_channels: bool,
    /// Only channels whose names begin with this are this model's: others, which GetChannels may report,
    /// belong to somebody else and come and go at any time. Empty: all channels.
    pub namespace: Bytes,
    /// The nodes' legacy batches have the usual capacity. So they store and list values of up to
    /// [`limits::FULL_LEGACY_VALUE`] bytes over their legacy ports; otherwise only values of up to
    /// [`limits::LEGACY_VALUE`] bytes are sure.
    pub full_batches: bool,
}

/// Everything that a DHT may hold, given the answers so far. It begins with no node and no channel.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Model {
    expectations: Expectations,
    dht: Dht,
    /// Channels that are not here do not exist.
    channels: BTreeMap<ChannelName, Alternatives>,
    forgetful: bool,
}

impl Model {
    /// A model without nodes.
    pub fn new(expectations: Expectations) -> Self {
        Self {
            expectations,
            ..Self::default()
        }
    }

    /// Adds a node that holds nothing, or changes the range of one that is known. Either makes it the
    /// newest.
    pub fn announce(&mut self, node: NodeId, range: HashRange) {
        self.dht.announce(node, range);
    }

    /// Judges the answer to an operation of a client that is connected to every node. A refused answer
    /// leaves the model as it is.
    pub fn observe(&mut self, operation: &Operation, answer: &Answer) -> Result<(), Refusal> {
        self.observe_on(Route::Client, operation, answer)
    }

    /// Judges the answer to an operation that went this way.
    pub fn observe_on(
        &mut self,
        route: Route,
        operation: &Operation,
        answer: &Answer,
    ) -> Result<(), Refusal> {
        let refuse = |model: &Self, rule, why: &str| Refusal {
            rule,
            reason: format!("{operation} was answered {answer}: {why}"),
            allowed: model.allowed_on(route, operation),
        };
        if let Route::Legacy(node) = route {
            let judged = self.judge_legacy(node, operation, answer);
            return judged.map_err(|(rule, why)| refuse(self, rule, &why));
        }
        if !answer.is_for(operation) {
            return Err(refuse(
                self,
                &req::REQ_ANSWER_DEFINED,
                "that is not an answer to it",
            ));
        }
        let nodes = self.dht.audience(route);
        let judged = match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => self.judge_record(route, channel, *key, action, answer),
            _ if *answer == Answer::Error => Err((
                &req::REQ_ANSWER_DEFINED,
                "a healthy node does not fail at this".into(),
            )),
            Operation::GetAll { channel, .. } | Operation::Refresh { channel } => {
                self.judge_listing(&nodes, channel, selection(operation), answer)
            }
            Operation::GetChannels => self.judge_channels(&nodes, answer),
            Operation::RemoveChannel { channel, permitted } => {
                self.judge_removal(&nodes, channel, *permitted, answer)
            }
            Operation::GetHashRange => self.judge_ranges(&nodes, answer),
            // Neo has no answer to these.
            Operation::PutBatch { .. } | Operation::GetSize { .. } | Operation::Listen { .. } => {
                Ok(())
            }
        };
        judged.map_err(|(rule, why)| refuse(self, rule, &why))
    }

    /// The answers that are right for an operation of a client, besides [`Answer::Unknown`].
    pub fn allowed(&self, operation: &Operation) -> Allowed {
        self.allowed_on(Route::Client, operation)
    }

    /// The answers that are right for an operation that goes this way, besides [`Answer::Unknown`].
    pub fn allowed_on(&self, route: Route, operation: &Operation) -> Allowed {
        if let Route::Legacy(node) = route {
            return self.allowed_legacy(node, operation);
        }
        let nodes = self.dht.audience(route);
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => Allowed::Answers(self.record_answers(route, channel, *key, action)),
            Operation::GetAll { channel, .. } | Operation::Refresh { channel } => {
                let states = self.alternatives(channel);
                Allowed::Records(listing::expected(&states, &nodes, selection(operation)))
            }
            Operation::GetChannels => {
                let mut must = Vec::new();
                let mut may = Vec::new();
                for (name, alternatives) in self.own_channels() {
                    let judge = |listed| {
                        channel::judge_listed(alternatives.states(), &nodes, listed).is_refusal()
                    };
                    match (judge(true), judge(false)) {
                        (true, _) => {}
                        (false, true) => must.push(name.clone()),
                        (false, false) => may.push(name.clone()),
                    }
                }
                Allowed::Channels { must, may }
            }
            Operation::RemoveChannel { permitted, .. } => {
                let everyone = self.expectations.everyone_may_remove_channels;
                let mut answers = Vec::new();
                if *permitted || everyone {
                    answers.push(Answer::ChannelRemoved);
                }
                if !*permitted {
                    answers.push(Answer::NotPermitted);
                }
                Allowed::Answers(answers)
            }
            Operation::GetHashRange => Allowed::HashRanges(self.ranges(&nodes)),
            Operation::PutBatch { .. } | Operation::GetSize { .. } | Operation::Listen { .. } => {
                Allowed::Answers(Vec::new())
            }
        }
    }

    /// What the channels of this name may be.
    pub fn alternatives(&self, channel: &ChannelName) -> Vec<ChannelState> {
        match self.channels.get(channel) {
            Some(alternatives) => alternatives.states().to_vec(),
            None => vec![ChannelState::default()],
        }
    }

    /// The largest number of alternatives that any channel has. 1: nothing is uncertain, except what
    /// stands in single slots.
    pub fn width(&self) -> usize {
        let widths = self.channels.values().map(|one| one.states().len());
        widths.max().unwrap_or(1)
    }

    /// Nothing had to be forgotten: an answer is accepted if and only if some state allows it. Otherwise
    /// wrong answers may be accepted too.
    pub fn is_exact(&self) -> bool {
        !self.forgetful
    }
}

/// The rule that an answer breaks, and how.
type Fault = (&'static Requirement, String);

/// The judgements, one for each group of operations. Each changes the model only if it accepts.
impl Model {
    fn judge_record(
        &mut self,
        route: Route,
        channel: &ChannelName,
        key: Key,
        action: &Action,
        answer: &Answer,
    ) -> Result<(), Fault> {
        let nodes = match self.dht.party(route, key) {
            Party::Nodes(nodes) => nodes,
            Party::WrongNode => {
                return only(
                    Answer::WrongNode,
                    answer,
                    &req::REQ_INSIDE_SERVED,
                    "outside its hash range",
                );
            }
            Party::NoNode => {
                return only(
                    Answer::NoNode,
                    answer,
                    &req::PUT_ANSWER,
                    "outside every hash range",
                );
            }
        };
        if *answer == Answer::ValueTooBig && may_refuse(route, action) {
            return Ok(());
        }
        let alternatives = self.channels.get(channel);
        let unborn = Alternatives::default();
        let states = alternatives.unwrap_or(&unborn).states();
        let step = |records: &[_]| client::step(action, records, answer);
        let verdict = record::judge(states, &nodes, key, step);
        if verdict.is_refusal() {
            let answers = |records: &[_]| client::answers(action, records);
            let allowed = record::answers(states, &nodes, key, answers);
            let (rule, why) = record::fault(action, answer, &allowed);
            return Err((rule, why.to_owned()));
        }
        self.apply(channel, verdict);
        Ok(())
    }

    fn record_answers(
        &self,
        route: Route,
        channel: &ChannelName,
        key: Key,
        action: &Action,
    ) -> Vec<Answer> {
        let nodes = match self.dht.party(route, key) {
            Party::Nodes(nodes) => nodes,
            Party::WrongNode => return vec![Answer::WrongNode],
            Party::NoNode => return vec![Answer::NoNode],
        };
        let right = |records: &[_]| client::answers(action, records);
        let mut answers = record::answers(&self.alternatives(channel), &nodes, key, right);
        if may_refuse(route, action) {
            answers.push(Answer::ValueTooBig);
        }
        answers
    }

    fn judge_listing(
        &mut self,
        nodes: &[NodeId],
        channel: &ChannelName,
        selection: Selection<'_>,
        answer: &Answer,
    ) -> Result<(), Fault> {
        let unborn = Alternatives::default();
        let states = self.channels.get(channel).unwrap_or(&unborn).states();
        let delivered = listing::deliveries(answer);
        let delivered = delivered.as_ref();
        let verdict = listing::judge(states, nodes, selection, delivered, Creation::Creates)?;
        self.apply(channel, verdict);
        Ok(())
    }

    fn judge_channels(&mut self, nodes: &[NodeId], answer: &Answer) -> Result<(), Fault> {
        let Answer::Channels(names) = answer else {
            return Ok(());
        };
        let mut listed = BTreeSet::new();
        for name in names.iter().filter(|name| self.owns(name)) {
            if !listed.insert(name) {
                return Err((&req::CHANNELS_UNIQUE, format!("{name:?} is listed twice")));
            }
            if !self.channels.contains_key(name) {
                return Err((&req::CHANNELS_REAL, format!("{name:?} does not exist")));
            }
        }
        let mut verdicts = Vec::new();
        for (name, alternatives) in self.own_channels() {
            let is_listed = listed.contains(name);
            let verdict = channel::judge_listed(alternatives.states(), nodes, is_listed);
            match (verdict.is_refusal(), is_listed) {
                (true, true) => {
                    return Err((
                        &req::CHANNELS_REAL,
                        format!("{name:?} does not exist there"),
                    ));
                }
                (true, false) => {
                    return Err((&req::CHANNELS_COMPLETE, format!("{name:?} is missing")));
                }
                (false, _) => verdicts.push((name.clone(), verdict)),
            }
        }
        for (name, verdict) in verdicts {
            self.apply(&name, verdict);
        }
        Ok(())
    }

    fn judge_removal(
        &mut self,
        nodes: &[NodeId],
        channel: &ChannelName,
        permitted: bool,
        answer: &Answer,
    ) -> Result<(), Fault> {
        let possible = permitted || self.expectations.everyone_may_remove_channels;
        let certainly = match answer {
            Answer::NotPermitted if permitted => {
                return Err((&req::REQ_ANSWER_DEFINED, "the client is admin".to_owned()));
            }
            Answer::ChannelRemoved if !possible => {
                return Err((
                    &req::RMCHANNEL_FORBIDDEN,
                    "the client is not admin".to_owned(),
                ));
            }
            Answer::ChannelRemoved => true,
            Answer::Unknown if possible => false,
            _ => return Ok(()),
        };
        if let Some(alternatives) = self.channels.get(channel) {
            let verdict = channel::remove(alternatives.states(), nodes, certainly);
            self.apply(channel, verdict);
        }
        Ok(())
    }

    fn judge_ranges(&self, nodes: &[NodeId], answer: &Answer) -> Result<(), Fault> {
        let Answer::HashRanges(ranges) = answer else {
            return Ok(());
        };
        let mut ranges = ranges.clone();
        ranges.sort_unstable();
        match ranges == self.ranges(nodes) {
            true => Ok(()),
            false => Err((
                &req::RANGE_ANSWER,
                "that is not what was announced".to_owned(),
            )),
        }
    }

    /// In order.
    fn ranges(&self, nodes: &[NodeId]) -> Vec<HashRange> {
        let ranges = nodes.iter().filter_map(|node| self.dht.range(*node));
        let mut ranges: Vec<_> = ranges.collect();
        ranges.sort_unstable();
        ranges
    }

    fn owns(&self, name: &ChannelName) -> bool {
        name.as_bytes().starts_with(&self.expectations.namespace)
    }

    fn own_channels(&self) -> impl Iterator<Item = (&ChannelName, &Alternatives)> {
        self.channels.iter().filter(|(name, _)| self.owns(name))
    }

    fn apply(&mut self, name: &ChannelName, verdict: Verdict) {
        let alternatives = match self.channels.get_mut(name) {
            Some(alternatives) => alternatives,
            None => self.channels.entry(name.clone()).or_default(),
        };
        self.forgetful |= !alternatives.apply(verdict);
        if alternatives.are_gone() {
            self.channels.remove(name);
        }
    }
}

/// A key operation that nobody is responsible for has one right answer, and changes nothing (P12, P14).
fn only(
    right: Answer,
    answer: &Answer,
    rule: &'static Requirement,
    where_: &str,
) -> Result<(), Fault> {
    match answer {
        Answer::Unknown => Ok(()),
        answer if *answer == right => Ok(()),
        _ => Err((rule, format!("the key is {where_}"))),
    }
}

/// May a client refuse a value that a GetAll could not deliver?
fn may_refuse(route: Route, action: &Action) -> bool {
    let too_big = matches!(action, Action::Put(value) if value.len() > limits::GET_ALL_VALUE);
    too_big && route == Route::Client
}

/// Which records the operation wants.
fn selection(operation: &Operation) -> Selection<'_> {
    match operation {
        Operation::GetAll {
            keys_only, filter, ..
        } => Selection {
            keys_only: *keys_only,
            filter,
            limit: limits::GET_ALL_VALUE,
        },
        _ => Selection {
            keys_only: false,
            filter: &[],
            limit: limits::REFRESH_VALUE,
        },
    }
}
