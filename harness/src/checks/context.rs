//! What a check has at hand: a client with a connection of its own, channels of its own, and expectations
//! that turn an answer into a verdict.
//!
//! Every expectation names the rule that it stands for, what was sent, and what would have been right, so
//! that a failure explains itself. An answer that does not come in time breaks the rule that every
//! request is answered (P03), whatever the check is about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dht_client::{Client, ControlError, PendingUpdate, RemoveChannelError, RequestError};
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::update::{Decision, Updated};
use dht_protocol::neo::request::{Failure, get_all, mirror};
use dht_protocol::{ChannelName, HashRange, Key};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Check;
use super::watch::Watch;
use crate::target::Target;
use crate::trace::Trace;
use crate::vigil::{self, Vigil};

/// How many requests are under way at once where many are made.
const IN_FLIGHT: usize = 64;
/// How many keys a range must have, so that the few thousand that a check uses differ.
const KEYS: u64 = 1 << 24;
/// How many requests a sentinel makes.
const SENTINEL: u64 = 20;

/// The result of a check, or of a part of one.
pub type Checked<T = ()> = Result<T, Unkept>;

/// Why a check did not end with all rules kept.
#[derive(Debug)]
pub enum Unkept {
    /// A rule is broken.
    Broken(Broken),
    /// The check could not tell.
    Inconclusive(String),
    /// The rules do not concern this node, or not this client of it.
    NotApplicable(String),
}

/// A broken rule.
#[derive(Debug)]
pub struct Broken {
    /// Its id.
    pub rule: &'static str,
    /// What was sent.
    pub sent: String,
    /// What would have been right.
    pub expected: Vec<String>,
    /// What came.
    pub observed: String,
}

/// What a check runs in.
#[derive(Debug)]
pub struct Context {
    client: Client,
    vigil: Vigil,
    trace: Arc<Trace>,
    range: HashRange,
    may_remove_channels: bool,
    prefix: String,
    seed: u64,
    timeout: Duration,
}

impl Context {
    /// Connects to the node of `target`. `name` must be unique in the run; the check's channels are named
    /// after it.
    pub async fn connect(
        target: &Target,
        seed: u64,
        name: &str,
        timeout: Duration,
    ) -> Checked<Self> {
        let range = target.range();
        if range
            .max()
            .checked_sub(range.min())
            .is_none_or(|width| width < KEYS)
        {
            let reason = format!("the node's range {range} has too few keys for the checks");
            return Err(Unkept::NotApplicable(reason));
        }
        let trace = Arc::new(Trace::default());
        let client = target.client(timeout, Some(trace.clone()));
        client.ready(timeout).await.map_err(|error| {
            Unkept::Broken(Broken {
                rule: "P66",
                sent: "version, authentication, GetHashRange".to_owned(),
                expected: vec!["the connection is accepted and the hash range told".to_owned()],
                observed: error.to_string(),
            })
        })?;
        let prefix = format!("dhtcheck_{seed:x}_{}", name.replace(['.', '-'], "_"));
        Ok(Self {
            vigil: Vigil::new(&client),
            client,
            trace,
            range,
            may_remove_channels: target.may_remove_channels(),
            prefix,
            seed,
            timeout,
        })
    }

    /// Removes what the check has left on the node, as far as that works, and disconnects.
    pub async fn close(self) {
        if let Ok(channels) = self.client.channels().collect_all().await {
            for channel in channels {
                if self.owns(&channel) {
                    // Not what is checked here.
                    let _ = self.client.remove_channel(channel).await;
                }
            }
        }
        self.client.shutdown();
    }

    /// Runs the check, unless the node breaks the protocol meanwhile.
    pub async fn run(&self, check: &Check) -> Checked {
        tokio::select! {
            biased;
            violation = self.vigil.violation() => Err(Unkept::Broken(Broken {
                rule: vigil::RULE,
                sent: "the requests of this check".to_owned(),
                expected: vec!["messages of the protocol".to_owned()],
                observed: violation,
            })),
            checked = self.run_to_the_end(check) => checked,
        }
    }

    /// What the node says last must be right as well: a further answer comes behind it.
    async fn run_to_the_end(&self, check: &Check) -> Checked {
        (check.run)(self).await?;
        let channel = self.channel("sentinel");
        let exists = self.client.exists(channel, self.key(0)).await;
        exists.map_err(|error| self.failed("P03", "Exists (sentinel)", "NoRecord", error))?;
        match self.vigil.found() {
            // The vigil says what.
            true => std::future::pending().await,
            false => Ok(()),
        }
    }

    /// The messages so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The key with this number, in the node's range.
    pub fn key(&self, number: u64) -> Key {
        self.range.nth_key(number)
    }

    /// Breaks the connection; the client connects again.
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    fn channel(&self, name: &str) -> ChannelName {
        match name {
            "" => self.prefix.clone().into(),
            name => format!("{}-{name}", self.prefix).into(),
        }
    }

    /// Is it a channel of this check, and not of one whose name begins with the name of this one?
    fn owns(&self, channel: &ChannelName) -> bool {
        match channel.as_bytes().strip_prefix(self.prefix.as_bytes()) {
            Some(rest) => rest.is_empty() || rest.starts_with(b"-"),
            None => false,
        }
    }

    /// The rule is kept if `kept`.
    pub fn expect(
        &self,
        rule: &'static str,
        sent: &str,
        expected: &[&str],
        kept: bool,
        observed: impl FnOnce() -> String,
    ) -> Checked {
        if kept {
            return Ok(());
        }
        Err(Unkept::Broken(Broken {
            rule,
            sent: sent.to_owned(),
            expected: expected
                .iter()
                .map(|outcome| (*outcome).to_owned())
                .collect(),
            observed: observed(),
        }))
    }

    /// A failure where `expected` was due.
    fn failed(
        &self,
        rule: &'static str,
        sent: &str,
        expected: &str,
        error: RequestError,
    ) -> Unkept {
        let rule = match error {
            RequestError::Failed(Failure::TimedOut | Failure::Disconnected { .. }) => "P03",
            _ => rule,
        };
        let observed = match error {
            RequestError::Failed(Failure::TimedOut) => {
                format!("no answer within {} s", self.timeout.as_secs_f32())
            }
            error => error.to_string(),
        };
        Unkept::Broken(Broken {
            rule,
            sent: sent.to_owned(),
            expected: vec![expected.to_owned()],
            observed,
        })
    }

    /// Puts a record.
    pub async fn put(&self, key: u64, value: impl Into<Bytes>) -> Checked {
        self.put_to("", key, value).await
    }

    /// Puts a record into another channel of the check.
    pub async fn put_to(&self, channel: &str, key: u64, value: impl Into<Bytes>) -> Checked {
        self.put_record(channel, self.key(key), value.into()).await
    }

    async fn put_record(&self, channel: &str, key: Key, value: Bytes) -> Checked {
        let sent = || format!("Put {key} {}", shown(&value));
        let put = self
            .client
            .put(self.channel(channel), key, value.clone())
            .await;
        put.map_err(|error| self.failed("P14", &sent(), "Put (stored)", error))
    }

    /// Puts many records, some at a time.
    pub async fn put_all(&self, records: &BTreeMap<Key, Bytes>) -> Checked {
        let puts = side_by_side(records.clone(), |(key, value)| {
            self.put_record("", key, value)
        });
        self.quietly(&format!("Puts of {} records", records.len()), puts)
            .await
    }

    /// A value that is too long for a client to put.
    pub async fn expect_too_big(&self, key: u64, value: impl Into<Bytes>) -> Checked {
        let value = value.into();
        let sent = format!("Put {} {}", self.key(key), shown(&value));
        let put = self
            .client
            .put(self.channel(""), self.key(key), value)
            .await;
        let refused = matches!(put, Err(RequestError::Failed(Failure::ValueTooBig { .. })));
        let expected = format!("refused by the client: more than {MAX_VALUE} bytes");
        self.expect("A5", &sent, &[&expected], refused, || format!("{put:?}"))
    }

    /// Get finds this value.
    pub async fn expect_value(&self, key: u64, value: impl Into<Bytes>) -> Checked {
        self.expect_get(self.key(key), Some(value.into())).await
    }

    /// Get finds no record.
    pub async fn expect_no_record(&self, key: u64) -> Checked {
        self.expect_get(self.key(key), None).await
    }

    /// Get finds no record, because its channel was removed.
    pub async fn expect_gone_with_channel(&self, key: u64) -> Checked {
        match self.expect_no_record(key).await {
            Err(Unkept::Broken(broken)) if broken.rule == "A18.2" => Err(Unkept::Broken(Broken {
                rule: "A4",
                ..broken
            })),
            checked => checked,
        }
    }

    async fn expect_get(&self, key: Key, expected: Option<Bytes>) -> Checked {
        let show = |value: &Option<Bytes>| match value {
            Some(value) => format!("Got {}", shown(value)),
            None => "NoRecord".to_owned(),
        };
        let (sent, wanted) = (format!("Get {key}"), show(&expected));
        let got = self.client.get(self.channel(""), key).await;
        let got = got.map_err(|error| self.failed("P16", &sent, &wanted, error))?;
        let rule = if expected.is_some() && got.is_none() {
            "A18.1"
        } else {
            "A18.2"
        };
        self.expect(rule, &sent, &[&wanted], got == expected, || show(&got))
    }

    /// Exists finds the record, or not.
    pub async fn expect_exists(&self, key: u64, expected: bool) -> Checked {
        self.expect_record_exists(self.key(key), expected).await
    }

    async fn expect_record_exists(&self, key: Key, expected: bool) -> Checked {
        let show = |exists| if exists { "RecordExists" } else { "NoRecord" };
        let (sent, wanted) = (format!("Exists {key}"), show(expected));
        let exists = self.client.exists(self.channel(""), key).await;
        let exists = exists.map_err(|error| self.failed("P19", &sent, wanted, error))?;
        self.expect("P19", &sent, &[wanted], exists == expected, || {
            show(exists).to_owned()
        })
    }

    /// Remove finds the record, or not.
    pub async fn expect_removed(&self, key: u64, expected: bool) -> Checked {
        self.expect_record_removed(self.key(key), expected).await
    }

    async fn expect_record_removed(&self, key: Key, expected: bool) -> Checked {
        let show = |removed| if removed { "Removed" } else { "NoRecord" };
        let (sent, wanted) = (format!("Remove {key}"), show(expected));
        let removed = self.client.remove(self.channel(""), key).await;
        let removed = removed.map_err(|error| self.failed("P20", &sent, wanted, error))?;
        self.expect("A18.3", &sent, &[wanted], removed == expected, || {
            show(removed).to_owned()
        })
    }

    /// Removes many records, all of which are there.
    pub async fn remove_all(&self, keys: &[Key]) -> Checked {
        let removes = side_by_side(keys.to_vec(), |key| self.expect_record_removed(key, true));
        self.quietly(&format!("Removes of {} records", keys.len()), removes)
            .await
    }

    /// Get and Exists find each of these records.
    pub async fn expect_all_values(&self, records: &BTreeMap<Key, Bytes>) -> Checked {
        let reads = side_by_side(records.clone(), async |(key, value)| {
            self.expect_get(key, Some(value)).await?;
            self.expect_record_exists(key, true).await
        });
        self.quietly(
            &format!("Get and Exists of {} records", records.len()),
            reads,
        )
        .await
    }

    /// Get and Exists find none of these records.
    pub async fn expect_absent(&self, keys: &[Key]) -> Checked {
        let reads = side_by_side(keys.to_vec(), async |key| {
            self.expect_get(key, None).await?;
            self.expect_record_exists(key, false).await
        });
        self.quietly(
            &format!("Get and Exists of {} absent records", keys.len()),
            reads,
        )
        .await
    }

    /// Update finds this value, or no record, and ends like this.
    pub async fn expect_update(
        &self,
        key: u64,
        decision: Decision,
        expected: Updated,
        value: Option<Bytes>,
    ) -> Checked {
        let key = self.key(key);
        let sent = format!("Update {key} ({decision:?})");
        let wanted = format!(
            "{expected:?}, having read {}",
            shown_or_none(value.as_ref())
        );
        let mut read = None;
        let updated = self
            .client
            .update(self.channel(""), key, |value: &[u8]| {
                read = Some(Bytes::copy_from_slice(value));
                decision.clone()
            })
            .await;
        let updated = updated.map_err(|error| self.failed("P70", &sent, &wanted, error))?;
        self.expect(
            "A12",
            &sent,
            &[&wanted],
            (updated, &read) == (expected, &value),
            || format!("{updated:?}, having read {}", shown_or_none(read.as_ref())),
        )
    }

    /// The first step of an Update.
    pub async fn read_for_update(
        &self,
        key: u64,
        value: impl Into<Bytes>,
    ) -> Checked<PendingUpdate> {
        let (key, value) = (self.key(key), value.into());
        let sent = format!("Update {key}, first step");
        let wanted = format!("RecordValue {}", shown(&value));
        let pending = self.client.update_later(self.channel(""), key).await;
        let pending = pending.map_err(|error| self.failed("A12", &sent, &wanted, error))?;
        let read = pending
            .as_ref()
            .map(|pending| Bytes::copy_from_slice(pending.value()));
        self.expect(
            "A12",
            &sent,
            &[&wanted],
            read.as_ref() == Some(&value),
            || shown_or_none(read.as_ref()),
        )?;
        pending.ok_or_else(|| Unkept::Inconclusive("the record vanished".to_owned()))
    }

    /// The second step ends like this.
    pub async fn expect_decided(
        &self,
        pending: PendingUpdate,
        decision: Decision,
        expected: Updated,
    ) -> Checked {
        let sent = format!("Update, second step ({decision:?})");
        let wanted = format!("{expected:?}");
        let updated = pending.decide(decision).await;
        let updated = updated.map_err(|error| self.failed("A18.6", &sent, &wanted, error))?;
        self.expect("A18.6", &sent, &[&wanted], updated == expected, || {
            format!("{updated:?}")
        })
    }

    /// Removes a channel of the check.
    pub async fn remove_channel(&self, channel: &str) -> Checked {
        let sent = "RemoveChannel";
        let removed = self.client.remove_channel(self.channel(channel)).await;
        removed.map_err(|error| match error {
            RemoveChannelError::Request(error) => self.failed("A4", sent, "ChannelRemoved", error),
            RemoveChannelError::NotPermitted { .. } if !self.may_remove_channels => {
                Unkept::NotApplicable(
                    "the client is not \"admin\", so it may not remove channels".to_owned(),
                )
            }
            refused => Unkept::Broken(Broken {
                rule: "P23",
                sent: sent.to_owned(),
                expected: vec!["ChannelRemoved, to the client \"admin\"".to_owned()],
                observed: refused.to_string(),
            }),
        })
    }

    /// GetChannels lists these channels of the check, each once, and no other ones of it.
    pub async fn expect_channels(&self, names: &[&str]) -> Checked {
        let mut expected: Vec<_> = names.iter().map(|name| self.channel(name)).collect();
        expected.sort();
        let sent = "GetChannels";
        let wanted = format!("{expected:?}, each once, in any order");
        let channels = self.client.channels().collect_all().await;
        let channels = channels.map_err(|error| self.failed("P25", sent, &wanted, error))?;
        let mut listed: Vec<_> = channels
            .into_iter()
            .filter(|name| self.owns(name))
            .collect();
        listed.sort();
        self.expect("A18.10", sent, &[&wanted], listed == expected, || {
            format!("{listed:?}")
        })
    }

    /// GetAll delivers what of `records` the settings ask for.
    pub async fn expect_get_all(
        &self,
        settings: get_all::Settings,
        records: &BTreeMap<Key, Bytes>,
    ) -> Checked {
        let filter = String::from_utf8_lossy(&settings.value_filter).into_owned();
        let keys_only = settings.keys_only;
        let sent = format!(
            "GetAll{}{}",
            if keys_only { ", keys only" } else { "" },
            if filter.is_empty() {
                String::new()
            } else {
                format!(", values with \"{filter}\"")
            }
        );
        let rule = if filter.is_empty() { "A18.4" } else { "P47" };
        let expected: BTreeMap<_, _> = records
            .iter()
            .filter(|(_, value)| filter.is_empty() || contains(value, filter.as_bytes()))
            .map(|(key, value)| {
                (
                    *key,
                    if keys_only {
                        Bytes::new()
                    } else {
                        value.clone()
                    },
                )
            })
            .collect();
        let mut watch = self.get_all(settings);
        let seen = watch.until("P03", "Finished", |seen| seen.finished).await?;
        let delivered: Vec<_> = match keys_only {
            true => seen
                .keys
                .into_iter()
                .map(|key| (key, Bytes::new()))
                .collect(),
            false => seen.records,
        };
        self.expect_records(rule, &sent, &delivered, &expected)
    }

    /// Exactly these records were delivered, each once, in any order.
    pub fn expect_records(
        &self,
        rule: &'static str,
        sent: &str,
        delivered: &[(Key, Bytes)],
        expected: &BTreeMap<Key, Bytes>,
    ) -> Checked {
        let wanted = format!(
            "{} records, each once, with the values that were put",
            expected.len()
        );
        let mut missing = expected.clone();
        for (key, value) in delivered {
            let (rule, problem) = match (missing.remove(key), expected.get(key)) {
                (Some(put), _) if put == *value => continue,
                (Some(put), _) => (
                    rule,
                    format!(
                        "record {key} with {} instead of {}",
                        shown(value),
                        shown(&put)
                    ),
                ),
                // For the requests that deliver a channel once this is a rule of its own.
                (None, Some(_)) if sent.starts_with("GetAll") => {
                    ("P45", format!("record {key} twice"))
                }
                (None, Some(_)) => (rule, format!("record {key} twice")),
                (None, None) => (
                    rule,
                    format!("record {key}, which is not in the channel or does not match"),
                ),
            };
            return self.expect(rule, sent, &[&wanted], false, || problem);
        }
        self.expect(rule, sent, &[&wanted], missing.is_empty(), || {
            let first: Vec<_> = missing.keys().take(3).map(Key::to_string).collect();
            format!(
                "{} records are missing, such as {}",
                missing.len(),
                first.join(", ")
            )
        })
    }

    /// Starts a GetAll on the check's channel.
    pub fn get_all(&self, settings: get_all::Settings) -> Watch {
        Watch::get_all(
            self.client.get_all(self.channel(""), settings),
            self.timeout,
        )
    }

    /// Starts a Mirror on the check's channel.
    pub fn mirror(&self, settings: mirror::Settings) -> Watch {
        Watch::mirror(self.client.mirror(self.channel(""), settings), self.timeout)
    }

    /// Requests on the same connection that are answered one after another: what the node had to say
    /// before them, it has said by then.
    pub async fn sentinel(&self) -> Checked {
        let exists = async {
            for _ in 0..SENTINEL {
                let channel = self.channel("sentinel");
                let exists = self.client.exists(channel, self.key(0)).await;
                exists
                    .map_err(|error| self.failed("P03", "Exists (sentinel)", "NoRecord", error))?;
            }
            Ok(())
        };
        self.quietly(&format!("{SENTINEL} Exists, all answered"), exists)
            .await
    }

    /// Makes requests that are not what the check is about: they are shown only if one of them fails.
    async fn quietly(&self, what: &str, requests: impl Future<Output = Checked>) -> Checked {
        self.trace.hide();
        requests.await?;
        self.trace.show(what);
        Ok(())
    }
}

impl From<ControlError> for Unkept {
    fn from(error: ControlError) -> Self {
        Self::Inconclusive(format!("the request could not be controlled: {error}"))
    }
}

/// Does something with each of `items`, some at a time, until one is not as it should be.
async fn side_by_side<T, F: Future<Output = Checked>>(
    items: impl IntoIterator<Item = T>,
    each: impl FnMut(T) -> F,
) -> Checked {
    stream::iter(items)
        .map(each)
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

fn shown(value: &[u8]) -> String {
    match value.len() {
        0..=32 => format!("\"{}\"", value.escape_ascii()),
        length => format!("\"{}\"... ({length} bytes)", value[..24].escape_ascii()),
    }
}

fn shown_or_none(value: Option<&Bytes>) -> String {
    value.map_or_else(|| "no record".to_owned(), |value| shown(value))
}
