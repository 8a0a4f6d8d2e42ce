//! Expectations of Put, Get, Exists and Remove, one at a time and many at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_client::RequestError;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::Failure;
use dht_requirements as req;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Checked, Context};
use crate::unkept::effect_of;
use crate::wire::quoted;

/// How many requests are under way at once where many are made.
const IN_FLIGHT: usize = 64;

impl Context<'_> {
    /// Puts a record.
    pub async fn put(&self, key: u64, value: impl Into<Bytes>) -> Checked {
        self.put_to("", key, value).await
    }

    /// Puts a record into another channel of the check.
    pub async fn put_to(&self, channel: &str, key: u64, value: impl Into<Bytes>) -> Checked {
        self.put_record(channel, self.key(key), value.into()).await
    }

    async fn put_record(&self, channel: &str, key: Key, value: Bytes) -> Checked {
        let sent = || format!("Put {key} {}", quoted(&value));
        let put = self
            .client
            .put(self.channel(channel), key, value.clone())
            .await;
        put.map_err(|error| self.failed(&req::PUT_ANSWER, &sent(), "Put (stored)", error))
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
        let sent = format!("Put {} {}", self.key(key), quoted(&value));
        let put = self
            .client
            .put(self.channel(""), self.key(key), value)
            .await;
        let refused = matches!(put, Err(RequestError::Failed(Failure::ValueTooBig { .. })));
        let expected = format!("refused by the client: more than {MAX_VALUE} bytes");
        self.expect(&req::DATA_VALUE_SIZES, &sent, &[&expected], refused, || {
            format!("{put:?}")
        })
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
        let gone = self.expect_no_record(key).await;
        gone.map_err(effect_of(&req::RMCHANNEL_STARTS_EMPTY))
    }

    async fn expect_get(&self, key: Key, expected: Option<Bytes>) -> Checked {
        let show = |value: &Option<Bytes>| match value {
            Some(value) => format!("Got {}", quoted(value)),
            None => "NoRecord".to_owned(),
        };
        let (sent, wanted) = (format!("Get {key}"), show(&expected));
        let got = self.client.get(self.channel(""), key).await;
        let got =
            got.map_err(|error| self.failed(&req::GET_VALUE_OF_AN_INSTANT, &sent, &wanted, error))?;
        let rule = match (&expected, &got) {
            (None, _) => &req::GET_ABSENT,
            (Some(_), None) => &req::DATA_PUT_VISIBLE,
            (Some(_), Some(_)) => &req::GET_VALUE_EXACT,
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
        let exists = exists
            .map_err(|error| self.failed(&req::DATA_GET_EXISTS_AGREE, &sent, wanted, error))?;
        self.expect(
            &req::DATA_GET_EXISTS_AGREE,
            &sent,
            &[wanted],
            exists == expected,
            || show(exists).to_owned(),
        )
    }

    /// Remove finds the record, or not.
    pub async fn expect_removed(&self, key: u64, expected: bool) -> Checked {
        self.expect_record_removed(self.key(key), expected).await
    }

    async fn expect_record_removed(&self, key: Key, expected: bool) -> Checked {
        let show = |removed| if removed { "Removed" } else { "NoRecord" };
        let (sent, wanted) = (format!("Remove {key}"), show(expected));
        let rule = match expected {
            true => &req::REMOVE_PRESENT,
            false => &req::REMOVE_ABSENT,
        };
        let removed = self.client.remove(self.channel(""), key).await;
        let removed = removed.map_err(|error| self.failed(rule, &sent, wanted, error))?;
        self.expect(rule, &sent, &[wanted], removed == expected, || {
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
