//! GetAll that goes on behind a key.

use dht_protocol::Key;
use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_requirements as req;

use super::complete::read_on;
use super::walk::{Records, Walk, small, store, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};
use crate::wire::Link;

/// How many records the channel has.
const RECORDS: u64 = 12;
/// Behind which of them GetAll goes on, in the order of the node.
const PLACES: [(&str, usize); 4] = [
    ("first", 0),
    ("middle", 5),
    ("last-but-one", 10),
    ("last", 11),
];
/// Bytes of a GetAll with a filter of no bytes behind the flag that says whether to continue: a key, whether
/// only keys are wanted, the length of the filter.
const BEHIND_CONTINUING: usize = 8 + 1 + 8;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, place) in PLACES {
        for keys_only in [false, true] {
            checks.push(continued_check(name, place, keys_only));
        }
        checks.push(Check::raw(
            format!("getall-continue.removed-{name}"),
            format!(
                "GetAll that goes on behind the {name} record, which was removed, delivers \
                     the rest."
            ),
            &[
                &req::GETALL_CONTINUE_REMOVED,
                &req::GETALL_VALUES,
                &req::GETALL_ONLY_CHANNEL,
            ],
            move |ground| Box::pin(removed(ground, place)),
        ));
    }
    checks.push(Check::raw(
        "getall-continue.ignored",
        "The key to go on behind is ignored if going on is not asked for.",
        &[&req::GETALL_CONTINUE_IGNORED, &req::GETALL_NO_DUPLICATE],
        |ground| Box::pin(ignored(ground)),
    ));
    let checks = checks.into_iter();
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn continued_check(name: &str, place: usize, keys_only: bool) -> Check {
    let (suffix, what) = match keys_only {
        true => ("-keys", "GetAll with keys_only"),
        false => ("", "GetAll"),
    };
    Check::raw(
        format!("getall-continue.{name}{suffix}"),
        format!("{what} that goes on behind the {name} record delivers those behind it alone."),
        &[&req::GETALL_CONTINUE_REST, &req::GETALL_CONTINUE_NO_REPEAT],
        move |ground| Box::pin(continued(ground, place, keys_only)),
    )
}

/// Stores records, and finds the order of the node.
async fn ordered(ground: &Ground) -> Checked<(Link, Records, Vec<Key>)> {
    let mut link = ground.link().await?;
    let records = small(ground, 0..RECORDS);
    store(&mut link, &ground.channel(""), &records).await?;
    let walk = read_on(link, &whole(ground)).await?;
    walk.complete(&records, &req::GETALL_COMPLETE)?;
    let order = walk.got.into_iter().map(|(key, _)| key).collect();
    Ok((walk.link, records, order))
}

async fn continued(ground: &Ground, place: usize, keys_only: bool) -> Checked {
    let (link, mut records, order) = ordered(ground).await?;
    let walk = behind(ground, link, &order, place, keys_only).await?;
    let (before, rest) = order.split_at(place + 1);
    if let Some((key, _)) = walk.got.iter().find(|(key, _)| before.contains(key)) {
        let expected = ["no record that came before, nor that of the key itself"];
        let (rule, observed) = (
            &req::GETALL_CONTINUE_NO_REPEAT,
            format!("the record of {key}"),
        );
        return Err(walk.broke(rule, Outcome::Data, &expected, observed));
    }
    records.retain(|key, _| rest.contains(key));
    walk.complete(&records, &req::GETALL_CONTINUE_REST)
}

/// Records that were delivered before may come again (F08).
async fn removed(ground: &Ground, place: usize) -> Checked {
    let (mut link, mut records, order) = ordered(ground).await?;
    link.remove(&ground.channel(""), order[place]).await?;
    records.remove(&order[place]);
    let walk = behind(ground, link, &order, place, false).await?;
    let again = walk.got.iter().any(|(key, _)| order[..place].contains(key));
    if place > 0 {
        let answer = match again {
            true => "repeats the records before it",
            false => "delivers only the records behind it",
        };
        ground.note("GetAll that goes on behind a removed record", answer);
    }
    walk.nothing_wrong(&records)?;
    walk.has(&order[place + 1..], &req::GETALL_CONTINUE_REMOVED)
}

async fn behind(
    ground: &Ground,
    link: Link,
    order: &[Key],
    place: usize,
    keys_only: bool,
) -> Checked<Walk> {
    let open = Open {
        continue_from: Some(order[place]),
        settings: Settings {
            keys_only,
            ..Settings::default()
        },
        ..whole(ground)
    };
    let mut walk = read_on(link, &open).await?;
    walk.sent = format!("GetAll behind {}, number {place} of 12", order[place]);
    Ok(walk)
}

async fn ignored(ground: &Ground) -> Checked {
    let (mut link, records, order) = ordered(ground).await?;
    let mut opening = whole(ground).encode();
    let at = opening.len() - BEHIND_CONTINUING;
    opening[at..at + 8].copy_from_slice(&order[5].0.to_le_bytes());
    let id = link.open_supported(&opening).await?;
    let mut walk = Walk::begun(link, id, "GetAll with a key and without continuing").await?;
    walk.finish(&req::GETALL_CONTINUE_IGNORED).await?;
    walk.complete(&records, &req::GETALL_CONTINUE_IGNORED)
}
