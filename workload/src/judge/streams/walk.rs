//! One GetAll: what was asked for, and what came.

use bytes::Bytes;
use dht_model::Answer;
use dht_protocol::Key;
use dht_requirements::Requirement;

use super::fault;
use crate::case::{At, Protocol, Step};
use crate::judge::Fault;
use crate::recording::{Entry, StreamRecord, Time};
use crate::world::{Control, Event};

/// One GetAll, whether it was watched or answered as a whole.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) at: At,
    pub(super) step: &'a Step,
    pub(super) protocol: Protocol,
    pub(super) channel: &'a str,
    pub(super) keys_only: bool,
    pub(super) filter: &'a [u8],
    pub(super) began: Time,
    /// When it was known that the node had begun; unknown where only the whole was answered.
    pub(super) started: Option<Time>,
    pub(super) deliveries: Vec<Delivery<'a>>,
    /// When it was known to be complete.
    pub(super) finished: Option<Time>,
    pub(super) suspended: bool,
    /// How many connections were lost.
    pub(super) losses: usize,
    /// It was watched, so that a lost connection was told.
    pub(super) watched: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery<'a> {
    pub(super) time: Time,
    pub(super) key: Key,
    /// With keys only there is none.
    pub(super) value: Option<&'a Bytes>,
    /// How many connections were lost before.
    pub(super) losses: usize,
}

impl<'a> Walk<'a> {
    /// That of a step which read everything.
    pub(super) fn of_entry(entry: &'a Entry) -> Option<Self> {
        let (time, _) = entry.ended.as_ref()?;
        let delivery = |key, value| Delivery {
            time: *time,
            key,
            value,
            losses: 0,
        };
        let deliveries = match entry.answer()? {
            Answer::Records(records) => records
                .iter()
                .map(|(key, value)| delivery(*key, Some(value)))
                .collect(),
            Answer::Keys(keys) => keys.iter().map(|key| delivery(*key, None)).collect(),
            _ => return None,
        };
        let walk = Self::new(entry.at, &entry.step, entry.invoked)?;
        Some(Self {
            protocol: entry.protocol,
            deliveries,
            finished: Some(*time),
            ..walk
        })
    }

    /// That of a stream; `None` for a Mirror.
    pub(super) fn of_stream(stream: &'a StreamRecord) -> Option<Self> {
        let mut walk = Self::new(stream.at, &stream.step, stream.invoked)?;
        walk.watched = true;
        let mut controls = stream.controlled.iter();
        walk.suspended = controls.any(|(_, control)| *control == Control::Suspend);
        for (time, event) in &stream.told {
            let (key, value) = match event {
                Event::Record(key, value) => (*key, Some(value)),
                Event::Key(key) => (*key, None),
                other => {
                    match other {
                        Event::Started => walk.started = Some(*time),
                        Event::Disconnected => walk.losses += 1,
                        Event::Finished => walk.finished = Some(*time),
                        _ => {}
                    }
                    continue;
                }
            };
            walk.deliveries.push(Delivery {
                time: *time,
                key,
                value,
                losses: walk.losses,
            });
        }
        Some(walk)
    }

    fn new(at: At, step: &'a Step, began: Time) -> Option<Self> {
        let (Step::GetAll {
            channel,
            keys_only,
            filter,
        }
        | Step::OpenGetAll {
            channel,
            keys_only,
            filter,
            ..
        }) = step
        else {
            return None;
        };
        Some(Self {
            at,
            step,
            protocol: Protocol::Neo,
            channel,
            keys_only: *keys_only,
            filter: filter.as_bytes(),
            began,
            started: None,
            deliveries: Vec::new(),
            finished: None,
            suspended: false,
            losses: 0,
            watched: false,
        })
    }

    pub(super) fn fault(
        &self,
        requirement: &'static Requirement,
        allowed: &str,
        observed: String,
    ) -> Fault {
        fault(requirement, self.at, self.step, allowed, observed)
    }

    /// Does the filter let this value pass?
    pub(super) fn wants(&self, value: &[u8]) -> bool {
        let mut windows = value.windows(self.filter.len().max(1));
        self.filter.is_empty() || windows.any(|window| window == self.filter)
    }
}
