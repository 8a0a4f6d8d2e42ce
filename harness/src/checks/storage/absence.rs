//! What Get, Exists and Remove answer if there is no record, for whatever reason.

use dht_protocol::neo::request::RequestCode;
use dht_requirements::{self as req, Requirement};

use super::records::Records;
use crate::checks::{Check, Ground};
use crate::unkept::Checked;

/// Why there is no record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Why {
    NeverPut,
    NoChannel,
    Removed,
}

const WHYS: [(Why, &str, &str); 3] = [
    (
        Why::NeverPut,
        "absent",
        "of a key that was never put, beside other records,",
    ),
    (
        Why::NoChannel,
        "absent-channel",
        "in a channel that does not exist",
    ),
    (Why::Removed, "removed", "of a record that was removed"),
];

const REQUESTS: [(RequestCode, &Requirement); 3] = [
    (RequestCode::Get, &req::GET_ABSENT),
    (RequestCode::Exists, &req::EXISTS_ABSENT),
    (RequestCode::Remove, &req::REMOVE_ABSENT),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (request, rule) in REQUESTS {
        let name = request.name();
        for (why, slug, words) in WHYS {
            let slug = match (request, why) {
                (RequestCode::Remove, Why::Removed) => "twice",
                _ => slug,
            };
            let check = Check::raw(
                format!("{}.{slug}", name.to_lowercase()),
                format!("{name} {words} is answered NoRecord."),
                &[rule],
                move |ground| Box::pin(no_record(ground, request, why, rule)),
            );
            checks.push(check.on(request));
        }
    }
    checks
}

async fn no_record(
    ground: &Ground,
    request: RequestCode,
    why: Why,
    rule: &'static Requirement,
) -> Checked {
    let (there, nowhere) = (ground.key(1), ground.key(2));
    let mut records = match why {
        Why::NoChannel => Records::of(ground, ground.channel("nowhere")).await?,
        Why::NeverPut | Why::Removed => Records::open(ground).await?,
    };
    if why != Why::NoChannel {
        records.put(there, "value").await?;
    }
    if why == Why::Removed {
        let removed = &req::REMOVE_PRESENT;
        records.expect_removed(there, true, removed).await?;
    }
    let key = match why {
        Why::NeverPut => nowhere,
        Why::NoChannel | Why::Removed => there,
    };
    match request {
        RequestCode::Exists => records.expect_exists(key, false, rule).await,
        RequestCode::Remove => records.expect_removed(key, false, rule).await,
        _ => records.expect_absent(key, rule).await,
    }
}
