//! Expectations of GetAll and Mirror; what they deliver meanwhile is in [`watch`](super::super::watch).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::{get_all, mirror};
use dht_requirements::{self as req, Requirement};

use super::super::watch::Watch;
use super::{Checked, Context};
use crate::wire::quoted;

/// What is broken if other records are delivered than should be.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// One is missing.
    pub missing: &'static Requirement,
    /// One comes twice.
    pub twice: &'static Requirement,
    /// One has another value.
    pub value: &'static Requirement,
    /// One comes that should not.
    pub surplus: &'static Requirement,
}

impl Delivery {
    /// By a GetAll of a whole channel.
    pub const GET_ALL: Self = Self {
        missing: &req::GETALL_COMPLETE,
        twice: &req::GETALL_NO_DUPLICATE,
        value: &req::GETALL_VALUES,
        surplus: &req::GETALL_ONLY_CHANNEL,
    };

    /// By a GetAll with these settings.
    fn of(settings: &get_all::Settings) -> Self {
        let (missing, surplus) = match (settings.keys_only, settings.value_filter.is_empty()) {
            (false, true) => return Self::GET_ALL,
            (true, true) => (&req::GETALL_KEYS_COMPLETE, Self::GET_ALL.surplus),
            (false, false) => (
                &req::GETALL_FILTER_ALL_MATCHING,
                &req::GETALL_FILTER_ONLY_MATCHING,
            ),
            (true, false) => (&req::GETALL_FILTER_KEYS_ONLY, &req::GETALL_FILTER_KEYS_ONLY),
        };
        Self {
            missing,
            surplus,
            ..Self::GET_ALL
        }
    }
}

/// The same, whatever is wrong.
impl From<&'static Requirement> for Delivery {
    fn from(requirement: &'static Requirement) -> Self {
        Self {
            missing: requirement,
            twice: requirement,
            value: requirement,
            surplus: requirement,
        }
    }
}

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
        let delivery = Delivery::of(&settings);
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
        self.expect_records(delivery, &sent, &delivered, &expected)
    }

    /// Exactly these records were delivered, each once, in any order.
    pub fn expect_records(
        &self,
        delivery: impl Into<Delivery>,
        sent: &str,
        delivered: &[(Key, Bytes)],
        expected: &BTreeMap<Key, Bytes>,
    ) -> Checked {
        let delivery = delivery.into();
        let wanted = format!(
            "{} records, each once, with the values that were put",
            expected.len()
        );
        let mut missing = expected.clone();
        for (key, value) in delivered {
            let (rule, problem) = match (missing.remove(key), expected.get(key)) {
                (Some(put), _) if put == *value => continue,
                (Some(put), _) => (
                    delivery.value,
                    format!(
                        "record {key} with {} instead of {}",
                        quoted(value),
                        quoted(&put)
                    ),
                ),
                (None, Some(_)) => (delivery.twice, format!("record {key} twice")),
                (None, None) => (
                    delivery.surplus,
                    format!("record {key}, which is not in the channel or does not match"),
                ),
            };
            return self.expect(rule, sent, &[&wanted], false, || problem);
        }
        let rule = delivery.missing;
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
        let period = Duration::from_secs(settings.periodic_refresh_s.into());
        Watch::mirror(
            self.client.mirror(self.channel(""), settings),
            self.patience() + period,
        )
    }
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}
