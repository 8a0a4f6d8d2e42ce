//! What users of requests for one record are told, and what the history of the record allows.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::update::{self, Decision, Updated};
use dht_protocol::neo::request::visit::Outcome;
use dht_protocol::neo::request::{Failure, RecordName};

use crate::support::Memory;
use crate::tasks::Judge;
use crate::world::World;

/// The only failures that are nobody's fault.
fn excused(failure: &Failure) {
    let excuses = matches!(
        failure,
        Failure::Disconnected { .. } | Failure::TimedOut | Failure::NoNode
    );
    assert!(excuses, "{failure}");
}

pub(crate) trait RecordJudge {
    fn key(&self) -> u64;
}

/// A record, the moments when the request was started on the nodes that cover it, and what it writes.
pub(crate) struct Record {
    channel: &'static str,
    key: u64,
    moments: Vec<usize>,
    pub(crate) value: Bytes,
}

/// The values that a record has had on a node since the request was started.
pub(crate) type History = Vec<Option<Bytes>>;

impl Record {
    pub(crate) fn new(channel: &'static str, key: u64, world: &World) -> Self {
        let covering = world.covering(key);
        Self {
            channel,
            key,
            moments: covering.map(|node| node.moment(channel, key)).collect(),
            value: Bytes::new(),
        }
    }

    pub(crate) fn writing(self, value: Bytes) -> Self {
        Self { value, ..self }
    }

    pub(crate) fn name(&self) -> RecordName {
        RecordName {
            channel: self.channel.into(),
            key: Key(self.key),
        }
    }

    fn histories(&self, world: &World) -> Vec<History> {
        let covering = world.covering(self.key).zip(&self.moments);
        let history =
            |(node, moment): (&Memory, &usize)| node.since(self.channel, self.key, *moment);
        covering.map(history).collect()
    }

    /// Did any node have this value?
    fn had(&self, value: Option<&Bytes>, world: &World) -> bool {
        let histories = self.histories(world);
        histories.iter().flatten().any(|had| had.as_ref() == value)
    }

    /// Was every node without it once?
    fn was_absent(&self, world: &World) -> bool {
        let histories = self.histories(world);
        histories.iter().all(|history| history.contains(&None))
    }
}

impl RecordJudge for Record {
    fn key(&self) -> u64 {
        self.key
    }
}

/// Put.
impl Judge<Outcome<()>> for Record {
    fn told(&mut self, told: Outcome<()>, world: &World) -> bool {
        match told {
            Ok(()) => assert!(self.had(Some(&self.value), world), "P14"),
            Err(failure) => excused(&failure),
        }
        true
    }

    fn settled(&self, world: &World) {
        let histories = self.histories(world);
        let written = |value: &&Option<Bytes>| value.as_ref() == Some(&self.value);
        let times = histories.iter().flatten().filter(written).count();
        assert!(times <= 1, "stored {times} times (P15)");
    }
}

/// Get.
impl Judge<Outcome<Option<Bytes>>> for Record {
    fn told(&mut self, told: Outcome<Option<Bytes>>, world: &World) -> bool {
        match told {
            Ok(Some(value)) => assert!(self.had(Some(&value), world), "P16"),
            Ok(None) => assert!(self.was_absent(world), "P18"),
            Err(failure) => excused(&failure),
        }
        true
    }
}

pub(crate) struct Presence(pub(crate) Record);

impl RecordJudge for Presence {
    fn key(&self) -> u64 {
        self.0.key
    }
}

impl Judge<Outcome<bool>> for Presence {
    fn told(&mut self, told: Outcome<bool>, world: &World) -> bool {
        match told {
            Ok(true) => {
                let histories = self.0.histories(world);
                assert!(histories.iter().flatten().any(Option::is_some));
            }
            Ok(false) => assert!(self.0.was_absent(world), "P18"),
            Err(failure) => excused(&failure),
        }
        true
    }
}

pub(crate) struct Removal(pub(crate) Record);

impl RecordJudge for Removal {
    fn key(&self) -> u64 {
        self.0.key
    }
}

impl Judge<Outcome<bool>> for Removal {
    fn told(&mut self, told: Outcome<bool>, world: &World) -> bool {
        match told {
            Ok(true) => {
                let histories = self.0.histories(world);
                let mut steps = histories.iter().flat_map(|history| history.windows(2));
                assert!(
                    steps.any(|step| step[0].is_some() && step[1].is_none()),
                    "P20"
                );
            }
            Ok(false) => {
                assert!(self.0.was_absent(world), "P20");
                let unchanged = self
                    .0
                    .histories(world)
                    .iter()
                    .all(|history| history.len() == 1);
                assert!(unchanged || !world.alone, "P21");
            }
            Err(failure) => excused(&failure),
        }
        true
    }
}

/// Update.
pub(crate) struct Change {
    pub(crate) record: Record,
    pub(crate) decision: Decision,
    pub(crate) read: Option<Bytes>,
}

impl Judge<update::Notification> for Change {
    fn told(&mut self, told: update::Notification, world: &World) -> bool {
        match told {
            update::Notification::Received(value) => {
                assert!(self.record.had(Some(&value), world));
                assert!(self.read.replace(value).is_none(), "P77");
                return false;
            }
            update::Notification::Ended(Ok(Updated::Done)) => match &self.decision {
                Decision::Replace(new) => {
                    let histories = self.record.histories(world);
                    let mut steps = histories.iter().flat_map(|history| history.windows(2));
                    let step = steps.find(|step| step[1].as_ref() == Some(new)).unwrap();
                    assert!(step[0].is_none() || step[0] == self.read, "P70: {step:?}");
                    let oldest = &histories[0];
                    let moved = histories.len() > 1 && oldest.contains(&self.read);
                    assert!(!moved || oldest.last() == Some(&None), "P75");
                }
                Decision::Delete => {
                    let histories = self.record.histories(world);
                    assert!(histories.iter().any(|history| history.contains(&None)));
                }
                Decision::Leave => assert!(self.read.is_some()),
            },
            update::Notification::Ended(Ok(Updated::NoRecord)) => {
                assert!(self.record.was_absent(world) && self.read.is_none(), "P18");
            }
            update::Notification::Ended(Ok(Updated::Conflict)) => {
                let Decision::Replace(new) = &self.decision else {
                    panic!("nothing can conflict with {:?}", self.decision);
                };
                assert!(!self.record.had(Some(new), world), "P71");
            }
            update::Notification::Ended(Err(failure)) => excused(&failure),
        }
        true
    }
}
