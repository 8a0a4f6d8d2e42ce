//! The client's timestamp: how far it may be off, and how long its message is.

use dht_protocol::neo::auth::Timestamp;
use dht_requirements::{self as req, Requirement};

use super::steps::{
    Challenged, expect_accepted, expect_closed, expect_refused, versions_exchanged,
};
use super::{Check, Ground, Tag};
use crate::unkept::Checked;

/// A timestamp out of the client's clock.
type Time = fn(u64) -> u64;
/// The name of a case, the timestamp in words, and itself.
type Tolerated = (&'static str, &'static str, Time);
/// And the requirement that is broken if the client is let in.
type Refused = (&'static str, &'static str, Time, &'static Requirement);

const DAY: u64 = 24 * 60 * 60;
const SIGN: u64 = 1 << 63;

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = TOLERATED.iter().map(tolerated).collect();
    checks.extend(REFUSED.iter().map(refused));
    checks.extend([0, 1, 4, 7, 9, 16, 999].map(length));
    checks
}

/// The clocks of client and node may differ a little by themselves, so the edge itself is not tested.
static TOLERATED: &[Tolerated] = &[
    ("right", "of now", |now| now),
    ("behind-1700", "1700 s behind", |now| {
        now.saturating_sub(1700)
    }),
    ("ahead-1700", "1700 s ahead", |now| now + 1700),
];

static REFUSED: &[Refused] = &[
    (
        "behind-1900",
        "1900 s behind",
        |now| now.saturating_sub(1900),
        &req::AUTH_TIMESTAMP_PAST,
    ),
    (
        "behind-a-day",
        "a day behind",
        |now| now.saturating_sub(DAY),
        &req::AUTH_TIMESTAMP_PAST,
    ),
    ("of-1970", "of 1970", |_| 1, &req::AUTH_TIMESTAMP_PAST),
    (
        "ahead-1900",
        "1900 s ahead",
        |now| now + 1900,
        &req::AUTH_TIMESTAMP_FUTURE,
    ),
    (
        "ahead-a-day",
        "a day ahead",
        |now| now + DAY,
        &req::AUTH_TIMESTAMP_FUTURE,
    ),
    (
        "ahead-32-bits",
        "2^32 s ahead",
        |now| now + (1 << 32),
        &req::AUTH_TIMESTAMP_FUTURE,
    ),
    (
        "largest-signed",
        "of 2^63 - 1",
        |_| SIGN - 1,
        &req::AUTH_TIMESTAMP_FUTURE,
    ),
    ("zero", "of 0", |_| 0, &req::AUTH_TIMESTAMP_ZERO),
    ("sign-bit", "of 2^63", |_| SIGN, &req::AUTH_TIMESTAMP_HUGE),
    (
        "sign-bit-and-now",
        "of 2^63 and the right time",
        |now| SIGN | now,
        &req::AUTH_TIMESTAMP_HUGE,
    ),
    (
        "minus-one",
        "of 2^64 - 1",
        |_| u64::MAX,
        &req::AUTH_TIMESTAMP_HUGE,
    ),
];

fn tolerated((case, words, time): &'static Tolerated) -> Check {
    Check::raw(
        format!("time.{case}"),
        format!("A client with a timestamp {words} is let in."),
        &[&req::AUTH_CLOCK_TOLERATED, &req::AUTH_ACCEPTED],
        move |ground| {
            Box::pin(async move {
                let sent = format!("a timestamp {words}, and the right code for it");
                let rule = &req::AUTH_CLOCK_TOLERATED;
                let mut challenged = Challenged::at(ground, time(ground.now())).await?;
                challenged.prove_rightly(ground.credential()).await;
                expect_accepted(&mut challenged.login, rule, &sent).await?;
                ground.open(challenged.login).sentinel().await
            })
        },
    )
}

fn refused((case, words, time, requirement): &'static Refused) -> Check {
    Check::raw(
        format!("time.{case}"),
        format!("A client with a timestamp {words} is refused."),
        &[requirement],
        move |ground| {
            Box::pin(async move {
                let sent = format!("a timestamp {words}, and the right code for it");
                let mut challenged = Challenged::at(ground, time(ground.now())).await?;
                challenged.prove_rightly(ground.credential()).await;
                expect_refused(&mut challenged.login, requirement, &sent).await
            })
        },
    )
    .tagged(Tag::Hostile)
}

fn length(length: usize) -> Check {
    Check::raw(
        format!("time.length-{length}"),
        format!("A timestamp message of length {length} closes the connection without a nonce."),
        &[&req::AUTH_TIMESTAMP_LENGTH],
        move |ground| Box::pin(of_length(ground, length)),
    )
    .tagged(Tag::Hostile)
}

/// The right time, cut off or with zeros behind it.
async fn of_length(ground: &Ground, length: usize) -> Checked {
    let mut login = versions_exchanged(ground).await?;
    let mut body = Timestamp(ground.now()).encode();
    body.resize(length, 0);
    login.send_message(&body).await;
    let sent = format!("a timestamp message of length {length}");
    expect_closed(&mut login, &req::AUTH_TIMESTAMP_LENGTH, &sent).await
}
