//! Expectations of Update.

use bytes::Bytes;
use dht_client::PendingUpdate;
use dht_protocol::neo::request::update::{Decision, Updated};
use dht_requirements::{self as req, Requirement};

use super::{Checked, Context, Unkept, shown_or_none};
use crate::wire::quoted;

impl Context<'_> {
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
        let reads = match value {
            Some(_) => &req::UPDATE_READ,
            None => &req::UPDATE_READ_ABSENT,
        };
        let updated = updated.map_err(|error| self.failed(reads, &sent, &wanted, error))?;
        let observed = || format!("{updated:?}, having read {}", shown_or_none(read.as_ref()));
        self.expect(reads, &sent, &[&wanted], read == value, observed)?;
        let rule = match value {
            Some(_) => ends(&decision),
            None => reads,
        };
        self.expect(rule, &sent, &[&wanted], updated == expected, observed)
    }

    /// The first step of an Update.
    pub async fn read_for_update(
        &self,
        key: u64,
        value: impl Into<Bytes>,
    ) -> Checked<PendingUpdate> {
        let (key, value) = (self.key(key), value.into());
        let sent = format!("Update {key}, first step");
        let wanted = format!("RecordValue {}", quoted(&value));
        let pending = self.client.update_later(self.channel(""), key).await;
        let pending =
            pending.map_err(|error| self.failed(&req::UPDATE_READ, &sent, &wanted, error))?;
        let read = pending
            .as_ref()
            .map(|pending| Bytes::copy_from_slice(pending.value()));
        self.expect(
            &req::UPDATE_READ,
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
        let updated =
            updated.map_err(|error| self.failed(&req::UPDATE_CONFLICT, &sent, &wanted, error))?;
        self.expect(
            &req::UPDATE_CONFLICT,
            &sent,
            &[&wanted],
            updated == expected,
            || format!("{updated:?}"),
        )
    }
}

/// How an Update with this decision ends that nobody disturbs.
fn ends(decision: &Decision) -> &'static Requirement {
    match decision {
        Decision::Replace(_) => &req::UPDATE_WRITE,
        Decision::Leave => &req::UPDATE_LEAVE,
        Decision::Delete => &req::UPDATE_REMOVE,
    }
}
