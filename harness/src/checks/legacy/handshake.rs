//! GetVersion and GetResponsibleRange.

use dht_protocol::legacy::{Answer, Order};
use dht_requirements as req;

use super::check;
use super::scene::expect;
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::legacy::LegacyLink;
use crate::wire::legacy::link::told;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "handshake.sanity",
            "Version and range are told on one connection, and told again.",
            &[&req::LEG_VERSION_ANSWER, &req::LEG_RANGE_ANSWER],
            |ground| Box::pin(sanity(ground)),
        )
        .subsumes("Handshake / Sanity"),
        check(
            "handshake.version",
            "GetVersion is answered with the version of the protocol.",
            &[&req::LEG_VERSION_ANSWER],
            |ground| Box::pin(version(ground)),
        ),
        check(
            "handshake.range",
            "GetResponsibleRange is answered with a range that is one.",
            &[&req::LEG_RANGE_ANSWER, &req::LEG_RANGE_VALID],
            |ground| Box::pin(range(ground)),
        ),
        check(
            "handshake.same-range",
            "Both ports tell the same range.",
            &[&req::LEG_RANGE_SAME],
            |ground| Box::pin(same_range(ground)),
        ),
        check(
            "handshake.two-connections",
            "Version and range are told at the same time on two connections.",
            &[
                &req::LEG_VERSION_ANSWER,
                &req::LEG_RANGE_ANSWER,
                &req::LEG_CONN_SEVERAL,
            ],
            |ground| Box::pin(two_connections(ground)),
        ),
    ]
}

async fn sanity(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    for _ in 0..2 {
        hear_version(&mut link).await?;
        hear_range(&mut link).await?;
    }
    Ok(())
}

async fn version(ground: &Ground) -> Checked {
    hear_version(&mut ground.legacy_link().await?).await
}

async fn range(ground: &Ground) -> Checked {
    hear_range(&mut ground.legacy_link().await?).await
}

async fn same_range(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let answer = link.ask(&Order::GetResponsibleRange).await?;
    let expected = Answer::Range(ground.range());
    let (rule, wanted) = (&req::LEG_RANGE_SAME, told(&expected));
    expect(
        rule,
        "GetResponsibleRange",
        &wanted,
        answer == expected,
        || told(&answer),
    )
}

async fn two_connections(ground: &Ground) -> Checked {
    let (mut one, mut other) = (ground.legacy_link().await?, ground.legacy_link().await?);
    one.send(&Order::GetVersion).await;
    other.send(&Order::GetResponsibleRange).await;
    let range = other.answer(Order::GetResponsibleRange.command()).await?;
    is_range(&range)?;
    let version = one.answer(Order::GetVersion.command()).await?;
    let (rule, expected) = (&req::LEG_VERSION_ANSWER, told(&Answer::version()));
    expect(
        rule,
        "GetVersion",
        &expected,
        version == Answer::version(),
        || told(&version),
    )
}

async fn hear_version(link: &mut LegacyLink) -> Checked {
    let rule = &req::LEG_VERSION_ANSWER;
    link.expect(rule, &Order::GetVersion, &Answer::version())
        .await
}

async fn hear_range(link: &mut LegacyLink) -> Checked {
    is_range(&link.ask(&Order::GetResponsibleRange).await?)
}

fn is_range(answer: &Answer) -> Checked {
    match answer {
        Answer::Range(_) => Ok(()),
        other => Err(broken(
            &req::LEG_RANGE_ANSWER,
            Outcome::Answer,
            "GetResponsibleRange",
            &["Ok (200), and a range"],
            told(other),
        )),
    }
}
