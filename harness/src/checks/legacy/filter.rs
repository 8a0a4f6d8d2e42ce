//! GetAllFilter: which records come.

use bytes::Bytes;
use dht_protocol::Key;
use dht_requirements::{self as req, Requirement};

use super::scene::{Scene, same_records};
use super::{check, lethal};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;
use crate::wire::legacy::link::named;
use crate::wire::legacy::talk;

/// The values that are searched.
const VALUES: [&[u8]; 9] = [
    b"needle",
    b"needle at the start",
    b"ends with needle",
    b"has a needle inside",
    b"needl",
    b"Needle",
    b"n",
    b"\0\xff\0",
    b"hay",
];

pub(super) fn checks() -> Vec<Check> {
    let cases: [(&str, &str, &[u8], &Requirement); 7] = [
        (
            "matches",
            "Values that have the filter at either end, inside, or are it, are found.",
            b"needle",
            &req::LEG_GETALL_FILTER_MATCHES,
        ),
        (
            "only",
            "Values that have nearly the filter are not found.",
            b"needle",
            &req::LEG_GETALL_FILTER_ONLY,
        ),
        (
            "one-byte",
            "A filter of one byte finds every value with that byte.",
            b"n",
            &req::LEG_GETALL_FILTER_MATCHES,
        ),
        (
            "binary",
            "A filter of any bytes finds the value that has them.",
            b"\xff\0",
            &req::LEG_GETALL_FILTER_MATCHES,
        ),
        (
            "none",
            "A filter that no value has finds nothing.",
            b"thimble",
            &req::LEG_GETALL_FILTER_ONLY,
        ),
        (
            "longer",
            "A filter longer than every value finds nothing.",
            b"has a needle inside and more",
            &req::LEG_GETALL_FILTER_ONLY,
        ),
        (
            "case",
            "Upper and lower case are different.",
            b"Needle",
            &req::LEG_GETALL_FILTER_ONLY,
        ),
    ];
    let mut checks: Vec<_> = cases
        .into_iter()
        .map(|(name, title, filter, rule)| {
            check(
                format!("getallfilter.{name}"),
                title,
                &[rule],
                move |ground| Box::pin(filtered(ground, filter, rule)),
            )
        })
        .collect();
    checks.push(check(
        "getallfilter.keys",
        "A filter does not search keys.",
        &[&req::LEG_GETALL_FILTER_ONLY],
        |ground| Box::pin(keys(ground)),
    ));
    checks.push(lethal(
        "getallfilter.empty",
        "An empty filter does not end the node.",
        &[&req::LEG_GETALL_FILTER_EMPTY],
        |ground| Box::pin(empty(ground)),
    ));
    checks
}

async fn filled(ground: &Ground) -> Checked<(Scene<'_>, Vec<(Key, Bytes)>)> {
    let values = VALUES.into_iter().zip(0..);
    let records: Vec<_> = values
        .map(|(value, number)| (ground.key(number), Bytes::from_static(value)))
        .collect();
    Ok((Scene::with(ground, &records).await?, records))
}

async fn filtered(ground: &Ground, filter: &'static [u8], rule: &'static Requirement) -> Checked {
    let (mut scene, records) = filled(ground).await?;
    let order = talk::get_all_filter(&scene.channel, filter);
    let found = scene.link.records(&order).await?;
    let has = |value: &[u8]| value.windows(filter.len()).any(|part| part == filter);
    let matching = records.into_iter().filter(|(_, value)| has(value));
    let matching: Vec<_> = matching.collect();
    same_records(rule, &named(&order), &matching, found)
}

async fn keys(ground: &Ground) -> Checked {
    let records = [(ground.key(1), Bytes::from_static(b"value"))];
    let mut scene = Scene::with(ground, &records).await?;
    let digits = ground.key(1).to_string();
    let order = talk::get_all_filter(&scene.channel, digits[4..12].to_owned());
    let found = scene.link.records(&order).await?;
    let rule = &req::LEG_GETALL_FILTER_ONLY;
    same_records(rule, &named(&order), &[], found)
}

async fn empty(ground: &Ground) -> Checked {
    let (mut scene, _) = filled(ground).await?;
    let order = talk::get_all_filter(&scene.channel, "");
    // What is answered, if anything, is not said.
    scene.link.send(&order).await;
    let limit = tokio::time::Instant::now() + ground.patience();
    scene.link.socket().receive(limit).await;
    super::robustness::still_serves(ground, &req::LEG_GETALL_FILTER_EMPTY).await
}
