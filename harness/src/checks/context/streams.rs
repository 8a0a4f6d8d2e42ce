//! Expectations of GetAll and Mirror; what they deliver meanwhile is in [`watch`](super::super::watch).

use dht_requirements::{self as req, Requirement};
use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::{get_all, mirror};

use super::super::watch::Watch;
use super::{Checked, Context};
use crate::wire::quoted;

impl Context<'_> {
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
        let rule = if filter.is_empty() {
            &req::GETALL_COMPLETE
        } else {
            &req::GETALL_FILTER_ALL_MATCHING
        };
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
        let seen = watch
            .until(&req::REQ_ANSWERED, "Finished", |seen| seen.finished)
            .await?;
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
        rule: &'static Requirement,
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
                        quoted(value),
                        quoted(&put)
                    ),
                ),
                // For the requests that deliver a channel once this is a rule of its own.
                (None, Some(_)) if sent.starts_with("GetAll") => {
                    (&req::GETALL_NO_DUPLICATE, format!("record {key} twice"))
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
            self.patience(),
        )
    }

    /// Starts a Mirror on the check's channel.
    pub fn mirror(&self, settings: mirror::Settings) -> Watch {
        Watch::mirror(
            self.client.mirror(self.channel(""), settings),
            self.patience(),
        )
    }
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}
