//! Exists: its answers, which are numbered unlike those of Get.

use dht_protocol::neo::request::RequestCode;
use dht_requirements as req;

use super::records::Records;
use crate::checks::{Check, Ground};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        Check::raw(
            "exists.present",
            "An Exists of a record that is present is answered RecordExists.",
            &[&req::EXISTS_PRESENT],
            |ground| Box::pin(present(ground)),
        ),
        Check::raw(
            "exists.reads-only",
            "An Exists neither makes a record nor changes one.",
            &[&req::EXISTS_PRESENT, &req::EXISTS_ABSENT, &req::GET_ABSENT],
            |ground| Box::pin(reads_only(ground)),
        ),
    ];
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Exists)).collect()
}

async fn present(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    records.put(ground.key(1), "value").await?;
    records
        .expect_exists(ground.key(1), true, &req::EXISTS_PRESENT)
        .await
}

async fn reads_only(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let (there, nowhere) = (ground.key(1), ground.key(2));
    records.put(there, "value").await?;
    for _ in 0..2 {
        records
            .expect_exists(there, true, &req::EXISTS_PRESENT)
            .await?;
        records
            .expect_exists(nowhere, false, &req::EXISTS_ABSENT)
            .await?;
    }
    records.expect_absent(nowhere, &req::GET_ABSENT).await
}
