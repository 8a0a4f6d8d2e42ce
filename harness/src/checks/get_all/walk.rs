//! One GetAll of a check, on a connection of its own: what was stored, what came so far, and what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::get_all::{FromNode, Open, Settings};
use dht_protocol::neo::request::{RequestCode, SupportedStatus, put};
use dht_protocol::neo::{RequestId, batch};
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};

use super::Ground;
use crate::trace::Trace;
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::shown;
use crate::wire::talk::exists_answer;
use crate::wire::talk::record;
use crate::wire::{Heard, Link};
use dht_workload::rng::Rng;

/// How many large records there are, and how many bytes each has. Each is a batch of its own. Together they
/// are more than all the buffers between a node and a client that does not read: those of the system, which
/// are below 1 MiB on a connection of short segments ([`Ground::narrow_link`]), the client's first read, and
/// 256 KiB in the node. So the node cannot have come to the end before the client reads on.
const LARGE: u64 = 36;
const LARGE_VALUE: usize = 64_000;
/// How often it is tried to reach a GetAll in its midst. The first time is enough, unless a node gives one
/// connection far more turns than another ([`Beside`]).
const ATTEMPTS: usize = 3;
/// The answer of a Put that has stored its record.
const STORED: [u8; 1] = [put::Reply::Put as u8];

/// Records as they are stored.
pub(super) type Records = BTreeMap<Key, Bytes>;

/// A GetAll that has started.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) link: Link,
    pub(super) id: RequestId,
    /// What was sent, in words.
    pub(super) sent: String,
    /// What came so far; with keys only the values are empty.
    pub(super) got: Vec<(Key, Bytes)>,
    /// How many batches came so far.
    pub(super) batches: usize,
    pub(super) keys_only: bool,
    /// May it have ended before a control message reaches the node? Then that one is not acknowledged.
    pub(super) may_end: bool,
    /// Has Finished come?
    pub(super) finished: bool,
    /// How many records it must deliver at least.
    pub(super) due: usize,
    /// Stands by until the first control message has been sent to a GetAll in its midst.
    pub(super) beside: Option<Beside>,
}

/// A second connection, to let time pass for the node while nothing is read on the first.
///
/// A control message that is sent to a GetAll in its midst must not race with its end. As long as nothing is
/// read the node can neither end nor go on for ever: it runs into full buffers, and has nothing left to do
/// on that connection but to look at the message. That it has come so far shows in what it answers here
/// meanwhile: who serves connections by turns has had a turn for each record by then.
#[derive(Debug)]
pub(super) struct Beside {
    link: Link,
    trace: Arc<Trace>,
}

/// What the node said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// A batch; its records are in [`Walk::got`].
    Batch,
    /// Ack.
    Ack,
    /// Finished.
    Finished,
}

/// Reads the whole main channel.
pub(super) fn whole(ground: &Ground) -> Open {
    Open {
        start_suspended: false,
        channel: ground.channel(""),
        continue_from: None,
        settings: Settings::default(),
    }
}

/// The same, started suspended.
pub(super) fn suspended(ground: &Ground) -> Open {
    Open {
        start_suspended: true,
        ..whole(ground)
    }
}

/// Records with these numbers and short values.
pub(super) fn small(ground: &Ground, numbers: impl IntoIterator<Item = u64>) -> Records {
    let numbers = numbers.into_iter();
    numbers
        .map(|number| (ground.key(number), Bytes::from(format!("value {number}"))))
        .collect()
}

/// Records that compress badly, and that no buffer holds.
pub(super) fn large(ground: &Ground) -> Records {
    let mut rng = Rng::new(ground.seed());
    (0..LARGE)
        .map(|number| (ground.key(number), noise(&mut rng, LARGE_VALUE)))
        .collect()
}

/// Random bytes.
pub(super) fn noise(rng: &mut Rng, length: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.number().to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// Stores records, without waiting for one before the next.
pub(super) async fn store(link: &mut Link, channel: &ChannelName, records: &Records) -> Checked {
    let mut openings = Vec::new();
    for (key, value) in records {
        let open = put::Open {
            record: record(channel, *key),
            value: value.clone(),
        };
        openings.push((link.fresh_id(), open.encode()));
    }
    let messages: Vec<(RequestId, &[u8])> = openings
        .iter()
        .map(|(id, opening)| (*id, &opening[..]))
        .collect();
    link.say_at_once(&messages).await;
    for (id, _) in messages {
        link.supported(id).await?;
        let rule = &req::REQ_INSIDE_SERVED;
        link.expect(id, rule, "Put (stored)", &STORED).await?;
    }
    Ok(())
}

/// Tries again what could not tell, since the GetAll had ended too early.
pub(super) async fn persist<F: Future<Output = Checked>>(attempt: impl Fn() -> F) -> Checked {
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(Unkept::Inconclusive(_)) => {}
            checked => return checked,
        }
    }
    attempt().await
}

/// A control message as it is sent.
pub(super) fn message(control: Control) -> [u8; 1] {
    FromClient::Control(control).encode()
}

/// Its name.
pub(super) fn name(control: Control) -> &'static str {
    FromClient::Control(control).name()
}

/// Whatever is broken is a breach of `rule`, since `expected` was due.
pub(super) fn as_breach(
    rule: &'static Requirement,
    expected: &'static str,
) -> impl Fn(Unkept) -> Unkept {
    move |unkept| match unkept {
        Unkept::Broken(found) => {
            broken(rule, found.outcome, found.sent, &[expected], found.observed)
        }
        other => other,
    }
}

impl Beside {
    async fn let_time_pass(&mut self) -> Checked {
        self.trace.hide();
        for _ in 0..LARGE {
            self.link.sentinel().await?;
        }
        self.trace.show(&format!(
            "{LARGE} Exists on another connection, all answered"
        ));
        Ok(())
    }
}

impl Walk {
    /// Starts a GetAll.
    pub(super) async fn start(mut link: Link, open: &Open) -> Checked<Self> {
        let id = link.start_get_all(open).await?;
        let begun = match open.start_suspended {
            true => "GetAll started suspended",
            false => "GetAll",
        };
        Ok(Self {
            link,
            id,
            sent: begun.to_owned(),
            got: Vec::new(),
            batches: 0,
            keys_only: open.settings.keys_only,
            may_end: false,
            finished: false,
            due: 0,
            beside: None,
        })
    }

    /// A GetAll with values that was opened otherwise, and is supported: hears Started.
    pub(super) async fn begun(mut link: Link, id: RequestId, sent: &str) -> Checked<Self> {
        let mut started = Vec::new();
        FromNode::Started.encode(&mut started);
        link.expect(id, &req::CTL_STARTED_FIRST, "Started", &started)
            .await?;
        Ok(Self {
            link,
            id,
            sent: sent.to_owned(),
            got: Vec::new(),
            batches: 0,
            keys_only: false,
            may_end: false,
            finished: false,
            due: 0,
            beside: None,
        })
    }

    /// Stores records in the main channel and starts a suspended GetAll of it.
    pub(super) async fn held(ground: &Ground, records: &Records) -> Checked<Self> {
        let mut link = ground.link().await?;
        store(&mut link, &ground.channel(""), records).await?;
        Self::start(link, &suspended(ground)).await
    }

    /// Stores so many records that no buffer holds them, and starts a GetAll. Unless they are read, it is
    /// in their midst.
    pub(super) async fn running(ground: &Ground) -> Checked<(Self, Records)> {
        ground.trace().hide();
        let beside = Beside {
            link: ground.link().await?,
            trace: ground.trace().clone(),
        };
        let mut link = ground.narrow_link().await?;
        let records = large(ground);
        store(&mut link, &ground.channel(""), &records).await?;
        let stored = format!("{LARGE} Put of {LARGE_VALUE} bytes, all stored");
        ground.trace().show(&stored);
        let mut walk = Self::start(link, &whole(ground)).await?;
        walk.may_end = true;
        walk.beside = Some(beside);
        walk.due = records.len();
        while walk.batches == 0 {
            walk.hear().await?;
        }
        Ok((walk, records))
    }

    /// The same, suspended in the midst.
    pub(super) async fn paused(ground: &Ground) -> Checked<(Self, Records)> {
        let (mut walk, records) = Self::running(ground).await?;
        walk.control(Control::Suspend).await;
        walk.hear_ack(&req::CTL_SUSPEND_ACKED).await?;
        walk.no_more_acks(&req::CTL_SUSPEND_ACKED).await?;
        Ok((walk, records))
    }

    /// Sends a control message.
    pub(super) async fn control(&mut self, control: Control) {
        self.say(&message(control), name(control)).await;
    }

    /// Sends any message; `what` it is.
    pub(super) async fn say(&mut self, payload: &[u8], what: &str) {
        self.sent = format!("{}, {what}", self.sent);
        self.link.say(self.id, payload).await;
    }

    /// Sends several control messages in one piece.
    pub(super) async fn say_at_once(&mut self, controls: &[Control]) {
        let payloads: Vec<_> = controls.iter().map(|control| message(*control)).collect();
        let names: Vec<_> = controls.iter().map(|control| name(*control)).collect();
        self.sent = format!("{}, at once {}", self.sent, names.join(" "));
        let messages: Vec<(RequestId, &[u8])> = payloads
            .iter()
            .map(|payload| (self.id, &payload[..]))
            .collect();
        self.link.say_at_once(&messages).await;
    }

    /// The next message, which is due.
    pub(super) async fn hear(&mut self) -> Checked<Said> {
        if self.finished && self.may_end {
            return Err(self.ended_early());
        }
        let payload = self.link.answer(self.id, "a message of GetAll").await?;
        self.take(&payload)
    }

    /// What came and was not looked at.
    pub(super) async fn hear_waiting(&mut self) -> Checked<Vec<Said>> {
        let mut said = Vec::new();
        for _ in self.link.waiting(self.id) {
            said.push(self.hear().await?);
        }
        Ok(said)
    }

    /// Hears up to an Ack, which is due; else `rule` is broken.
    pub(super) async fn hear_ack(&mut self, rule: &'static Requirement) -> Checked {
        if let Some(mut beside) = self.beside.take() {
            beside.let_time_pass().await?;
        }
        loop {
            match self.hear().await? {
                Said::Ack => return Ok(()),
                Said::Batch => {}
                Said::Finished if self.may_end => return Err(self.ended_early()),
                Said::Finished => {
                    let (outcome, observed) = (Outcome::Answer, "Finished without Ack");
                    return Err(self.broke(rule, outcome, &["Ack"], observed));
                }
            }
        }
    }

    /// Hears up to Finished and acknowledges it; an Ack breaks `rule`.
    pub(super) async fn finish(&mut self, rule: &'static Requirement) -> Checked {
        loop {
            match self.hear().await? {
                Said::Finished => break,
                Said::Batch => {}
                Said::Ack => return Err(self.surplus_ack(rule)),
            }
        }
        self.link.acknowledge(self.id).await;
        Ok(())
    }

    /// No further Ack comes, as a sentinel shows; else `rule` is broken. Batches that come are taken.
    pub(super) async fn no_more_acks(&mut self, rule: &'static Requirement) -> Checked {
        self.link.sentinel().await?;
        match self.hear_waiting().await?.contains(&Said::Ack) {
            true => Err(self.surplus_ack(rule)),
            false => Ok(()),
        }
    }

    /// It ended before it saw a control message. If it has left out records that is no wonder, and can be
    /// told: they were too few to fill the buffers.
    fn ended_early(&self) -> Unkept {
        if self.sent.ends_with("Suspend") && self.got.len() < self.due {
            let (rule, expected) = (&req::GETALL_SUSPEND_LOSSLESS, ["Ack, or all records"]);
            let observed = format!("Finished behind {} of {} records", self.got.len(), self.due);
            return self.broke(rule, Outcome::Data, &expected, observed);
        }
        Unkept::Inconclusive("the GetAll ended before it could be controlled".to_owned())
    }

    fn surplus_ack(&self, rule: &'static Requirement) -> Unkept {
        let expected = ["exactly one Ack for each control message"];
        self.broke(rule, Outcome::Extra, &expected, "another Ack")
    }

    /// The id serves for a new request; else `rule` is broken.
    pub(super) async fn reuse(&mut self, ground: &Ground, rule: &'static Requirement) -> Checked {
        let opening = record(&ground.channel(""), ground.key(0)).opening(RequestCode::Exists);
        self.say(&opening, "Exists with the same id").await;
        let expected = ["supported, and RecordExists or NoRecord"];
        for answer in 0..2 {
            let (outcome, observed) = match self.link.hear(self.id).await {
                Heard::Message(payload) => {
                    let due = match answer {
                        0 => payload == SupportedStatus::Supported.encode()[..],
                        _ => exists_answer(&payload).is_some(),
                    };
                    if due {
                        continue;
                    }
                    (Outcome::Answer, shown(&payload))
                }
                Heard::Closed(closing) => (
                    Outcome::Closed,
                    format!("the connection closed ({closing})"),
                ),
                Heard::Silence => (Outcome::Silence, "nothing".to_owned()),
            };
            return Err(self.broke(rule, outcome, &expected, observed));
        }
        Ok(())
    }

    /// Everything of a channel that nobody changed has come, once and right; a record that has not breaks
    /// `lost`.
    pub(super) fn complete(&self, records: &Records, lost: &'static Requirement) -> Checked {
        self.nothing_wrong(records)?;
        self.has(records.keys(), lost)
    }

    /// The records of these keys have come; else `lost` is broken.
    pub(super) fn has<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
        lost: &'static Requirement,
    ) -> Checked {
        let got: BTreeSet<_> = self.got.iter().map(|(key, _)| *key).collect();
        match keys.into_iter().find(|key| !got.contains(key)) {
            None => Ok(()),
            Some(key) => {
                let expected = format!("among others the record of {key}");
                let observed = match got.len() {
                    0 => "no record".to_owned(),
                    1 => "one record, another".to_owned(),
                    count => format!("{count} records without it"),
                };
                Err(self.broke(lost, Outcome::Data, &[&expected], observed))
            }
        }
    }

    /// What has come belongs to the channel, is right, and came once.
    pub(super) fn nothing_wrong(&self, records: &Records) -> Checked {
        let mut seen = BTreeSet::new();
        for (key, value) in &self.got {
            let Some(stored) = records.get(key) else {
                let expected = ["records of the channel"];
                let observed = format!("key {key} with {}", shown(value));
                let rule = &req::GETALL_ONLY_CHANNEL;
                return Err(self.broke(rule, Outcome::Data, &expected, observed));
            };
            if !seen.insert(key) {
                let observed = format!("the record of {key} twice");
                let (rule, expected) = (&req::GETALL_NO_DUPLICATE, ["each record once"]);
                return Err(self.broke(rule, Outcome::Data, &expected, observed));
            }
            if !self.keys_only && value != stored {
                let expected = format!("key {key} with {}", shown(stored));
                let observed = format!("key {key} with {}", shown(value));
                let rule = &req::GETALL_VALUES;
                return Err(self.broke(rule, Outcome::Data, &[&expected], observed));
            }
        }
        Ok(())
    }

    /// A requirement is broken by what this GetAll did.
    pub(super) fn broke(
        &self,
        rule: &'static Requirement,
        outcome: Outcome,
        expected: &[&str],
        observed: impl Into<String>,
    ) -> Unkept {
        broken(rule, outcome, self.sent.clone(), expected, observed)
    }

    fn take(&mut self, payload: &Bytes) -> Checked<Said> {
        let expected = ["Ack, RecordBatch or Finished"];
        let rule = &req::REQ_ANSWER_DEFINED;
        match FromNode::decode(payload) {
            Ok(FromNode::Ack) => Ok(Said::Ack),
            Ok(FromNode::Finished) => {
                self.finished = true;
                Ok(Said::Finished)
            }
            Ok(FromNode::RecordBatch(block)) => {
                let records = match self.keys_only {
                    true => batch::decode_keys(&block)
                        .map(|keys| keys.into_iter().map(|key| (key, Bytes::new())).collect()),
                    false => batch::decode_records(&block),
                };
                let records = records.map_err(|error| {
                    let expected = ["a batch that can be read"];
                    self.broke(rule, Outcome::Data, &expected, error.to_string())
                })?;
                self.got.extend(records);
                self.batches += 1;
                Ok(Said::Batch)
            }
            Ok(FromNode::Started | FromNode::Error) | Err(_) => {
                Err(self.broke(rule, Outcome::Answer, &expected, shown(payload)))
            }
        }
    }
}
