//! The judgement of answers of the legacy protocol: of the same state, by rules of its own.

use dht_protocol::legacy::is_channel_name;
use dht_requirements as req;

use super::{Fault, Model, only};
use crate::alternatives::Alternatives;
use crate::answer::Answer;
use crate::dht::{NodeId, Party, Route};
use crate::limits;
use crate::operation::{Action, Operation};
use crate::refusal::Allowed;
use crate::rules::legacy::{self, batch, size};
use crate::rules::listing::{self, Creation};
use crate::rules::record;
use crate::rules::selection::Selection;

impl Model {
    pub(super) fn judge_legacy(
        &mut self,
        node: NodeId,
        operation: &Operation,
        answer: &Answer,
    ) -> Result<(), Fault> {
        if !answer.is_for_legacy(operation) {
            let why = "that is not an answer to it";
            return Err((&req::LEG_ANSWER_STATUS, why.to_owned()));
        }
        if illegal(operation) {
            return match answer {
                Answer::BadChannelName | Answer::Unknown => Ok(()),
                _ => Err((&req::LEG_NAME_BAD, "the name is not legal".to_owned())),
            };
        }
        match answer {
            Answer::BadChannelName => {
                return Err((&req::LEG_NAME_LEGAL, "the name is legal".to_owned()));
            }
            Answer::Error if !matches!(operation, Operation::Record { .. }) => {
                let why = "a healthy node does not fail at this";
                return Err((&req::LEG_ANSWER_COMES, why.to_owned()));
            }
            _ => {}
        }
        let nodes = self.dht.audience(Route::Legacy(node));
        let judged = match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                match self.dht.party(Route::Legacy(node), *key) {
                    // What a node has it tells, also if it is not responsible for it any more.
                    Party::WrongNode if matches!(action, Action::Get | Action::Exists) => {}
                    Party::WrongNode => {
                        let rule = match action {
                            Action::Put(_) => &req::LEG_PUT_WRONG_NODE,
                            _ => &req::LEG_REMOVE_WRONG_NODE,
                        };
                        return only(Answer::WrongNode, answer, rule, "outside its hash range");
                    }
                    Party::Nodes(_) | Party::NoNode => {}
                }
                let limit = self.legacy_limit();
                let unborn = Alternatives::default();
                let states = self.channels.get(channel).unwrap_or(&unborn).states();
                let step = |records: &[_]| legacy::step_alone(action, records, answer, limit);
                let verdict = record::judge(states, &nodes, *key, step);
                if verdict.is_refusal() {
                    let answers = |records: &[_]| legacy::answers_alone(action, records, limit);
                    let allowed = record::answers(states, &nodes, *key, answers);
                    let (rule, why) = legacy::fault(action, answer, &allowed);
                    return Err((rule, why.to_owned()));
                }
                self.apply(channel, verdict);
                Ok(())
            }
            Operation::GetAll { channel, .. } => {
                let unborn = Alternatives::default();
                let states = self.channels.get(channel).unwrap_or(&unborn).states();
                let (selection, delivered) = (
                    self.legacy_selection(operation),
                    listing::deliveries(answer),
                );
                let delivered = delivered.as_ref();
                listing::judge(states, &nodes, selection, delivered, Creation::Leaves)
                    .map(|verdict| self.apply(channel, verdict))
            }
            Operation::GetChannels => self.judge_channels(&nodes, answer),
            Operation::RemoveChannel { channel, .. } => {
                self.judge_removal(&nodes, channel, true, answer)
            }
            Operation::GetHashRange => self.judge_ranges(&nodes, answer),
            Operation::PutBatch { channel, records } => {
                let Some(range) = self.dht.range(node) else {
                    return Ok(());
                };
                let states = self.alternatives(channel);
                let verdict = batch::judge(&states, node, range, records, answer)?;
                self.apply(channel, verdict);
                Ok(())
            }
            Operation::GetSize { channel } => {
                let Answer::Size { records, .. } = answer else {
                    return Ok(());
                };
                match channel {
                    Some(channel) => {
                        let states = self.alternatives(channel);
                        let verdict = size::judge(&states, node, *records);
                        if verdict.is_refusal() {
                            return Err((&req::LEG_SIZE_RECORDS, self.count(node, operation)));
                        }
                        self.apply(channel, verdict);
                        Ok(())
                    }
                    None => {
                        let (least, most) = self.total(node);
                        if *records < least || most.is_some_and(|most| *records > most) {
                            return Err((&req::LEG_SIZE_ALL_RECORDS, self.count(node, operation)));
                        }
                        // What that tells of single records is not looked at.
                        self.forgetful |= most != Some(least);
                        Ok(())
                    }
                }
            }
            Operation::Listen { channel } => {
                let certainly = *answer == Answer::Listening;
                let verdict = legacy::listen(&self.alternatives(channel), node, certainly);
                self.apply(channel, verdict);
                Ok(())
            }
            Operation::Refresh { .. } => Ok(()),
        };
        judged.map_err(|(rule, why)| (legacy::rule(rule), why))
    }

    pub(super) fn allowed_legacy(&self, node: NodeId, operation: &Operation) -> Allowed {
        if illegal(operation) {
            return Allowed::Answers(vec![Answer::BadChannelName]);
        }
        let nodes = self.dht.audience(Route::Legacy(node));
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let reads = matches!(action, Action::Get | Action::Exists);
                if !reads && self.dht.party(Route::Legacy(node), *key) == Party::WrongNode {
                    return Allowed::Answers(vec![Answer::WrongNode]);
                }
                let states = self.alternatives(channel);
                let answers =
                    |records: &[_]| legacy::answers_alone(action, records, self.legacy_limit());
                Allowed::Answers(record::answers(&states, &nodes, *key, answers))
            }
            Operation::GetAll { channel, .. } => {
                let states = self.alternatives(channel);
                let selection = self.legacy_selection(operation);
                Allowed::Records(listing::expected(&states, &nodes, selection))
            }
            Operation::RemoveChannel { .. } => Allowed::Answers(vec![Answer::ChannelRemoved]),
            Operation::PutBatch { records, .. } => {
                let range = self.dht.range(node);
                Allowed::Answers(
                    range.map_or_else(Vec::new, |range| batch::answers(records, range)),
                )
            }
            Operation::GetSize { channel } => {
                let (least, most) = match channel {
                    Some(channel) => {
                        let possible = size::possible(&self.alternatives(channel), node);
                        (*possible.start(), Some(*possible.end()))
                    }
                    None => self.total(node),
                };
                Allowed::Count { least, most }
            }
            Operation::Listen { .. } => Allowed::Answers(vec![Answer::Listening]),
            Operation::GetChannels | Operation::GetHashRange | Operation::Refresh { .. } => {
                self.allowed_on(Route::Node(node), operation)
            }
        }
    }

    /// How many records the node may have in all channels; no upper bound if there are channels of others.
    fn total(&self, node: NodeId) -> (u64, Option<u64>) {
        let counts = self.own_channels().map(|(_, alternatives)| {
            let possible = size::possible(alternatives.states(), node);
            (*possible.start(), *possible.end())
        });
        let (least, most) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let alone = self.expectations.namespace.is_empty();
        (least, alone.then_some(most))
    }

    fn count(&self, node: NodeId, operation: &Operation) -> String {
        let allowed = self.allowed_legacy(node, operation);
        format!("there are {allowed}")
    }

    fn legacy_limit(&self) -> usize {
        match self.expectations.full_batches {
            true => limits::FULL_LEGACY_VALUE,
            false => limits::LEGACY_VALUE,
        }
    }

    fn legacy_selection<'a>(&self, operation: &'a Operation) -> Selection<'a> {
        Selection {
            limit: self.legacy_limit(),
            ..super::selection(operation)
        }
    }
}

/// Does the operation name a channel by what is no legal name?
fn illegal(operation: &Operation) -> bool {
    let name = operation.channel();
    name.is_some_and(|name| !is_channel_name(name))
}
