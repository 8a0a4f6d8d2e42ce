//! The bugs that stand along the way of bytes and messages, and how they act one after the other.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::RequestCode;

use super::fate::{Fate, MessageBug};
use super::message::Message;
use super::reaction::Harm;
use super::running::Running;
use super::wire::{InputBug, OutputBug, Said};
use crate::node::ConnectionId;

/// See the module.
#[derive(Default)]
pub(super) struct Filters {
    pub(super) input: Vec<Box<dyn InputBug>>,
    pub(super) output: Vec<OutputBug>,
    pub(super) arriving: Vec<MessageBug>,
    pub(super) leaving: Vec<MessageBug>,
    pub(super) running: Running,
    /// What bugs have done to the node and nobody has seen to yet.
    pub(super) harms: Vec<Harm>,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    Arriving,
    Leaving,
}

/// What is known of a message besides its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing<'a> {
    pub(super) direction: Direction,
    pub(super) connection: ConnectionId,
    pub(super) id: RequestId,
    pub(super) request: Option<RequestCode>,
    pub(super) number: u64,
    pub(super) opening: &'a [u8],
}

/// What bugs make of a message.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Payloads that go on.
    pub(super) passed: Vec<Vec<u8>>,
    /// Payloads that go on later.
    pub(super) held: Vec<Vec<u8>>,
}

impl Filters {
    /// Lets bugs act on a message.
    pub(super) fn meet(&mut self, passing: Passing<'_>, payload: &[u8]) -> Met {
        let bugs = match passing.direction {
            Direction::Arriving => &mut self.arriving,
            Direction::Leaving => &mut self.leaving,
        };
        let mut met = Met {
            passed: vec![payload.to_vec()],
            held: Vec::new(),
        };
        for bug in bugs {
            for payload in std::mem::take(&mut met.passed) {
                let message = Message {
                    connection: passing.connection,
                    id: passing.id,
                    request: passing.request,
                    number: passing.number,
                    payload: &payload,
                    opening: passing.opening,
                    running: &self.running,
                };
                match bug(&message) {
                    Fate::Pass => met.passed.push(payload),
                    Fate::Instead(payloads) => met.passed.extend(payloads),
                    Fate::Hold => met.held.push(payload),
                    Fate::Close => self.harms.push(Harm::Connection(passing.connection)),
                    Fate::Crash => self.harms.push(Harm::Crash),
                }
            }
        }
        met
    }

    /// Lets bugs act on what the node says, and adds it to `out`.
    pub(super) fn say(&mut self, said: Said, mut bytes: Vec<u8>, out: &mut Vec<u8>) {
        for bug in &mut self.output {
            bug(said, &mut bytes);
        }
        out.append(&mut bytes);
    }
}
