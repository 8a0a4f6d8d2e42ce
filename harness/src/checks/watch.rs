//! A GetAll or Mirror that runs while a check does other things; what it has delivered can be looked at
//! and waited for.

use dht_requirements::{self as req, Requirement};
use std::time::Duration;

use bytes::Bytes;
use dht_client::{ControlError, Controller, GetAll, Mirror};
use dht_protocol::Key;
use dht_protocol::neo::request::{get_all, mirror, stream::Notification};
use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::unkept::{Checked, Outcome, Unkept, broken};

/// How many answer times a stream may take for what is waited for: a period of a Mirror lies in between.
const PATIENCE: u32 = 3;

/// What a stream has delivered.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every node has begun.
    pub started: bool,
    /// How often the stream was suspended.
    pub suspended: usize,
    /// How often the connection broke.
    pub disconnected: usize,
    /// Is the stream suspended, as far as it has told?
    pub is_suspended: bool,
    /// What was delivered while it was suspended.
    pub leaked: Leaked,
    /// Records of a GetAll.
    pub records: Vec<(Key, Bytes)>,
    /// Keys of a GetAll.
    pub keys: Vec<Key>,
    /// Records that a Mirror told as written.
    pub updated: Vec<(Key, Bytes)>,
    /// Records of a Mirror's dumps.
    pub refreshed: Vec<(Key, Bytes)>,
    /// Keys that a Mirror told as removed.
    pub deleted: Vec<Key>,
    /// The Mirror lost changes.
    pub updates_lost: bool,
    /// The Mirror's channel was removed.
    pub channel_removed: bool,
    /// The stream was stopped.
    pub stopped: bool,
    /// The stream ended by itself.
    pub finished: bool,
    /// What went wrong.
    pub trouble: Option<String>,
}

/// Data that came in spite of a suspension.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leaked {
    /// Records, keys or changes.
    pub items: usize,
    /// What they took in their batches, in bytes.
    pub bytes: usize,
}

impl Seen {
    /// Has the stream ended?
    pub fn is_over(&self) -> bool {
        self.stopped || self.finished
    }

    fn note<T>(&mut self, notification: Notification<T>, item: impl FnOnce(&mut Self, T) -> usize) {
        match notification {
            Notification::Started => self.started = true,
            Notification::Item(_, data) => {
                let bytes = item(self, data);
                if self.is_suspended {
                    self.leaked.items += 1;
                    self.leaked.bytes += bytes;
                }
            }
            Notification::Suspended => {
                self.suspended += 1;
                self.is_suspended = true;
            }
            Notification::Resumed => self.is_suspended = false,
            Notification::Disconnected(_) => self.disconnected += 1,
            Notification::NodeError(_) => self.trouble = Some("the node answered Error".to_owned()),
            Notification::Unsupported(_, status) => self.trouble = Some(status.to_string()),
            Notification::Stopped => self.stopped = true,
            Notification::Finished => self.finished = true,
        }
    }
}

/// A stream under observation. Dropping it stops the stream.
#[derive(Debug)]
pub struct Watch {
    name: &'static str,
    control: Controller,
    seen: watch::Receiver<Seen>,
    limit: Duration,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Observes a GetAll; the node may take `answer_time` for an answer.
    pub fn get_all(stream: GetAll, answer_time: Duration) -> Self {
        Self::observe(
            stream.controller(),
            stream,
            "GetAll",
            answer_time,
            |seen, item| match item {
                get_all::Item::Record(key, value) => note_record(&mut seen.records, key, value),
                get_all::Item::Key(key) => note_key(&mut seen.keys, key),
            },
        )
    }

    /// Observes a Mirror; the node may take `answer_time` for an answer.
    pub fn mirror(stream: Mirror, answer_time: Duration) -> Self {
        Self::observe(
            stream.controller(),
            stream,
            "Mirror",
            answer_time,
            |seen, item| match item {
                mirror::Item::Updated(key, value) => note_record(&mut seen.updated, key, value),
                mirror::Item::Refreshed(key, value) => note_record(&mut seen.refreshed, key, value),
                mirror::Item::Deleted(key) => note_key(&mut seen.deleted, key),
                mirror::Item::UpdatesLost => {
                    seen.updates_lost = true;
                    0
                }
                mirror::Item::ChannelRemoved => {
                    seen.channel_removed = true;
                    0
                }
            },
        )
    }

    /// `note` takes an item and says how many bytes it took in its batch.
    fn observe<T>(
        control: Controller,
        mut stream: impl Stream<Item = Notification<T>> + Send + Unpin + 'static,
        name: &'static str,
        answer_time: Duration,
        note: impl Fn(&mut Seen, T) -> usize + Send + 'static,
    ) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let task = tokio::spawn(async move {
            while let Some(event) = stream.next().await {
                sender.send_modify(|seen| seen.note(event, &note));
            }
        });
        Self {
            name,
            control,
            seen,
            limit: PATIENCE * answer_time,
            task,
        }
    }

    /// What was delivered so far.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits for something. If the stream ends without it, or the time is up, `rule` is broken: `what`
    /// should have come.
    pub async fn until(
        &mut self,
        rule: &'static Requirement,
        what: &str,
        condition: impl Fn(&Seen) -> bool,
    ) -> Checked<Seen> {
        self.until_after(Duration::ZERO, rule, what, condition)
            .await
    }

    /// Waits for something that by the protocol itself takes a time.
    pub async fn until_after(
        &mut self,
        time: Duration,
        rule: &'static Requirement,
        what: &str,
        condition: impl Fn(&Seen) -> bool,
    ) -> Checked<Seen> {
        let limit = time + self.limit;
        let enough = |seen: &Seen| {
            condition(seen) || seen.is_over() || seen.updates_lost || seen.trouble.is_some()
        };
        let waited = timeout(limit, self.seen.wait_for(enough)).await;
        let came_in_time = matches!(waited, Ok(Ok(_)));
        drop(waited);
        let seen = self.seen();
        if condition(&seen) {
            return Ok(seen);
        }
        if seen.updates_lost {
            let reason = "the Mirror said that it lost changes (UpdateOverflow), which it may";
            return Err(Unkept::Inconclusive(reason.to_owned()));
        }
        let reason = match &seen.trouble {
            Some(trouble) => trouble.clone(),
            None if came_in_time => "the end of the stream".to_owned(),
            None => format!("nothing of the kind within {} s", limit.as_secs_f32()),
        };
        let outcome = match came_in_time {
            true => Outcome::Closed,
            false => Outcome::Silence,
        };
        let observed = format!("{reason}, after {}", summary(&seen));
        Err(broken(rule, outcome, self.name, &[what], observed))
    }

    /// Waits for the start.
    pub async fn started(&mut self) -> Checked<Seen> {
        self.until(&req::REQ_ANSWERED, "Started", |seen| seen.started)
            .await
    }

    /// Asks for silence. A stream that has ended is silent.
    pub fn suspend(&self) -> Checked {
        match self.control.suspend() {
            Ok(()) | Err(ControlError::Ended) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks to go on, and waits until the stream does. What has leaked until then is known by then.
    pub async fn resume(&mut self) -> Checked<Seen> {
        match self.control.resume() {
            // A stream that has ended in spite of the suspension has told everything.
            Ok(()) | Err(ControlError::Ended) => {}
            Err(error) => return Err(error.into()),
        }
        let over = |seen: &Seen| !seen.is_suspended || seen.is_over();
        self.until(&req::CTL_RESUME_ACKED, "the Ack of Resume", over)
            .await
    }

    /// Asks for the end.
    pub fn stop(&self) -> Checked {
        Ok(self.control.stop()?)
    }

    /// Asks for the end, and waits for it.
    pub async fn stopped(&mut self) -> Checked<Seen> {
        self.stop()?;
        self.until(&req::CTL_STOP_ACKED, "the Ack of Stop", |seen| seen.stopped)
            .await
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Notes a record, and says how many bytes it took in its batch.
fn note_record(records: &mut Vec<(Key, Bytes)>, key: Key, value: Bytes) -> usize {
    let bytes = size_of::<Key>() + value.len();
    records.push((key, value));
    bytes
}

/// Notes a key, and says how many bytes it took in its batch.
fn note_key(keys: &mut Vec<Key>, key: Key) -> usize {
    keys.push(key);
    size_of::<Key>()
}

fn summary(seen: &Seen) -> String {
    let counts = [
        (seen.records.len(), "records"),
        (seen.keys.len(), "keys"),
        (seen.updated.len(), "updated"),
        (seen.refreshed.len(), "refreshed"),
        (seen.deleted.len(), "deleted"),
    ];
    let told: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match (told.is_empty(), seen.started) {
        (true, true) => "Started".to_owned(),
        (true, false) => "nothing".to_owned(),
        (false, _) => told.join(", "),
    }
}
