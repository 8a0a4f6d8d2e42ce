//! The node's nonce.

use std::collections::BTreeSet;

use dht_protocol::neo::auth::Timestamp;
use dht_requirements as req;

use super::steps::{Challenged, expect_nonce, versions_exchanged};
use super::{Check, Ground};
use crate::unkept::Checked;

/// How many nonces are compared.
const NONCES: usize = 8;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "nonce.four-bytes",
            "The timestamp is answered with a nonce of four bytes.",
            &[&req::AUTH_NONCE_SENT],
            |ground| Box::pin(four_bytes(ground)),
        ),
        Check::raw(
            "nonce.one-after-another",
            "Connections that come one after another get nonces of their own.",
            &[&req::AUTH_NONCE_FRESH],
            |ground| Box::pin(fresh(ground, false)),
        ),
        Check::raw(
            "nonce.at-once",
            "Connections that are open at once get nonces of their own for the same timestamp.",
            &[&req::AUTH_NONCE_FRESH],
            |ground| Box::pin(fresh(ground, true)),
        ),
    ]
}

async fn four_bytes(ground: &Ground) -> Checked {
    let mut login = versions_exchanged(ground).await?;
    login.send_message(&Timestamp(ground.now()).encode()).await;
    let nonce = expect_nonce(&mut login, &req::AUTH_NONCE_SENT, "the timestamp").await;
    nonce.map(drop)
}

/// That two nonces are the same by chance happens once in 150 million runs.
async fn fresh(ground: &Ground, at_once: bool) -> Checked {
    let timestamp = ground.now();
    let (mut nonces, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..NONCES {
        let challenged = Challenged::at(ground, timestamp).await?;
        nonces.push(challenged.nonce);
        if at_once {
            kept.push(challenged);
        }
    }
    let different: BTreeSet<_> = nonces.iter().collect();
    ground.expect(
        &req::AUTH_NONCE_FRESH,
        &format!("the same timestamp on {NONCES} connections"),
        &["another nonce on each"],
        different.len() == NONCES,
        || format!("{nonces:02x?}"),
    )
}
