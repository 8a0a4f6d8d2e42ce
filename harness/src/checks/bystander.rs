//! Somebody who has nothing to do with what a check does to the node: another connection with a record of
//! its own, and after it a new connection. Both must work as if nothing had happened.

use bytes::Bytes;
use dht_requirements::{self as req, Requirement};

use super::ground::Ground;
use crate::unkept::{Checked, Outcome, Unkept};
use crate::wire::Link;

/// The value of its record.
const VALUE: &[u8] = b"bystander";
/// The number of its record's key.
pub(super) const KEY: u64 = 0xb15;

/// What it sees kept or broken, whatever is done to the node.
pub(super) const SEEN: [&Requirement; 4] = [
    &req::ROBUST_SURVIVES,
    &req::ROBUST_DROP_LOCAL,
    &req::ROBUST_NEW_CONNECTIONS,
    &req::ROBUST_ACKNOWLEDGED_STAYS,
];

/// A connection that is there before a check begins.
#[derive(Debug)]
pub(super) struct Bystander(Link);

impl Bystander {
    /// Connects and stores its record.
    pub(super) async fn arrive(ground: &Ground) -> Checked<Self> {
        let mut link = ground.link().await?;
        let channel = ground.channel("bystander");
        link.store(&channel, ground.key(KEY), VALUE).await?;
        // What does not work before can prove no harm.
        see_record(&mut link, ground).await?;
        Ok(Self(link))
    }

    /// Its connection works, and so does a new one.
    pub(super) async fn leave(mut self, ground: &Ground) -> Checked {
        see_record(&mut self.0, ground)
            .await
            .map_err(harm(&req::ROBUST_DROP_LOCAL, "on another connection"))?;
        let harmed = harm(&req::ROBUST_NEW_CONNECTIONS, "on a new connection");
        let mut link = match ground.link().await {
            Ok(link) => link,
            Err(unkept) => return Err(harmed(unkept)),
        };
        see_record(&mut link, ground).await.map_err(harmed)
    }
}

async fn see_record(link: &mut Link, ground: &Ground) -> Checked {
    let (_, value) = link
        .get(&ground.channel("bystander"), ground.key(KEY))
        .await?;
    ground.expect(
        &req::ROBUST_ACKNOWLEDGED_STAYS,
        "Get of a record that was stored before",
        &["its value"],
        value == Some(Bytes::from_static(VALUE)),
        || format!("{value:?}"),
    )
}

/// What became of a bystander is the harm that the check has done.
pub(super) fn harm(requirement: &'static Requirement, place: &str) -> impl Fn(Unkept) -> Unkept {
    move |unkept| {
        unkept.seen_as(|found| {
            if found.requirement != &req::ROBUST_ACKNOWLEDGED_STAYS {
                found.requirement = requirement;
                found.outcome = Outcome::Harm;
                found.sent = format!("what this check does, and then {} {place}", found.sent);
            }
        })
    }
}
