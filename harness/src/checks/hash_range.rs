//! GetHashRange: the range, told once and to everybody alike, by a request that does not end.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::get_hash_range::{Open, Update};
use dht_protocol::neo::request::{RequestCode, exists};
use dht_protocol::{HashRange, Key};
use dht_requirements::{self as req, Requirement};

use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
use crate::wire::{Link, Reaction};

/// The bytes of an empty range.
const EMPTY: (u64, u64) = (u64::MAX, 0);

/// Messages that no running GetHashRange expects: name, in words, the bytes.
const MESSAGES: [(&str, &str, &[u8]); 5] = [
    ("empty", "an empty message", &[]),
    ("byte", "a message of one byte", &[1]),
    ("ack", "an Ack", &[4]),
    ("opening", "its own opening again", &[1, 0]),
    ("long", "a message of 1,000 bytes", &[0x5a; 1000]),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "hashrange.layout",
            "The first answer of GetHashRange is 16 bytes without a type.",
            &[&req::RANGE_ANSWER],
            |ground| Box::pin(layout(ground)),
        ),
        Check::raw(
            "hashrange.legal",
            "The lower end of the hash range is not above the upper one.",
            &[&req::RANGE_LEGAL, &req::RANGE_ANSWER],
            |ground| Box::pin(legal(ground)),
        ),
        Check::raw(
            "hashrange.served",
            "Both ends of the told hash range are served, and their neighbours outside are not.",
            &[&req::RANGE_ANSWER],
            |ground| Box::pin(served(ground)),
        ),
        Check::raw(
            "hashrange.many-on-one",
            "A hundred GetHashRanges on one connection are told the same range.",
            &[&req::RANGE_SAME_FOR_ALL, &req::RANGE_ANSWER],
            |ground| Box::pin(many_on_one(ground)),
        ),
        Check::raw(
            "hashrange.many-connections",
            "GetHashRanges on eight connections are told the same range.",
            &[&req::RANGE_SAME_FOR_ALL, &req::RANGE_ANSWER],
            |ground| Box::pin(many_connections(ground)),
        ),
        Check::raw(
            "hashrange.guest",
            "A client that is not \"admin\" is told the same range.",
            &[&req::RANGE_SAME_FOR_ALL, &req::RANGE_ANSWER],
            |ground| Box::pin(guest(ground)),
        ),
        Check::raw(
            "hashrange.updates-only",
            "After the first answer nothing but ChangeHashRange and NewNode follows.",
            &[&req::RANGE_UPDATES, &req::RANGE_ANSWER],
            |ground| Box::pin(updates_only(ground)),
        ),
        Check::raw(
            "hashrange.endless",
            "A GetHashRange is still there after other requests on its connection have ended.",
            &[&req::RANGE_ENDLESS, &req::RANGE_ANSWER],
            |ground| Box::pin(endless(ground)),
        ),
    ];
    for (name, what, message) in MESSAGES {
        let title = format!("{what} to a running GetHashRange ends the connection or nothing.");
        let title = title[..1].to_uppercase() + &title[1..];
        let requirements: &[&'static Requirement] =
            &[&req::RANGE_UNEXPECTED_MESSAGE, &req::RANGE_ANSWER];
        let check = Check::raw(
            format!("hashrange.message-{name}"),
            title,
            requirements,
            move |ground| Box::pin(unexpected(ground, what, message)),
        );
        checks.push(check.hostile());
    }
    let checks = checks.into_iter();
    checks
        .map(|check| check.on(RequestCode::GetHashRange))
        .collect()
}

/// Opens a GetHashRange and hears its first answer: lower and upper end.
async fn ask(link: &mut Link) -> Checked<(RequestId, (u64, u64))> {
    let id = link.open(&Open.encode()).await;
    Ok((id, told(link, id).await?))
}

async fn told(link: &mut Link, id: RequestId) -> Checked<(u64, u64)> {
    link.supported(id).await?;
    let payload = link.answer(id, "the hash range").await?;
    let (ends, rest) = payload.as_chunks::<8>();
    match (ends, rest) {
        ([min, max], []) => Ok((u64::from_le_bytes(*min), u64::from_le_bytes(*max))),
        _ => {
            let (rule, outcome) = (&req::RANGE_ANSWER, Outcome::Answer);
            let expected = ["16 bytes: the lower and the upper end"];
            let observed = shown(&payload);
            Err(broken(rule, outcome, "GetHashRange", &expected, observed))
        }
    }
}

async fn layout(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (_, told) = ask(&mut link).await?;
    let known = (ground.range().min(), ground.range().max());
    ground.expect(
        &req::RANGE_ANSWER,
        "GetHashRange",
        &["the range that the node has told before"],
        told == known || told == EMPTY,
        || format!("{:#x} to {:#x}", told.0, told.1),
    )
}

async fn legal(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (_, told) = ask(&mut link).await?;
    ground.expect(
        &req::RANGE_LEGAL,
        "GetHashRange",
        &["a lower end that is not above the upper one, or the empty range"],
        told.0 <= told.1 || told == EMPTY,
        || format!("{:#x} to {:#x}", told.0, told.1),
    )
}

async fn served(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (_, (min, max)) = ask(&mut link).await?;
    let cases = [
        (min.checked_sub(1), false),
        (Some(min), true),
        (Some(max), true),
        (max.checked_add(1), false),
    ];
    for (hash, inside) in cases {
        let Some(hash) = hash else { continue };
        let Some(only) = HashRange::new(hash, hash) else {
            continue;
        };
        let key: Key = only.nth_key(0);
        let reply = link.exists(&ground.channel(""), key).await?;
        let sent = format!("GetHashRange, then Exists of the key with the hash {hash:#x}");
        let expected = match inside {
            true => "served, as inside the range",
            false => "WrongNode, as outside the range",
        };
        let served = reply != exists::Reply::WrongNode;
        let rule = &req::RANGE_ANSWER;
        ground.expect(rule, &sent, &[expected], served == inside, || {
            reply.name().to_owned()
        })?;
    }
    Ok(())
}

/// All are told the same.
fn same(ground: &Ground, ranges: &[(u64, u64)], sent: &str) -> Checked {
    ground.expect(
        &req::RANGE_SAME_FOR_ALL,
        sent,
        &["the same range for all"],
        ranges.iter().all(|range| *range == ranges[0]),
        || format!("{ranges:x?}"),
    )
}

async fn many_on_one(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let mut ranges = Vec::new();
    for id in link.open_times(&Open.encode(), 100).await {
        ranges.push(told(&mut link, id).await?);
    }
    same(ground, &ranges, "100 GetHashRanges on one connection")
}

async fn many_connections(ground: &Ground) -> Checked {
    let mut links = Vec::new();
    let mut ranges = Vec::new();
    for _ in 0..8 {
        let mut link = ground.link().await?;
        ranges.push(ask(&mut link).await?.1);
        links.push(link);
    }
    same(ground, &ranges, "GetHashRange on each of 8 connections")
}

async fn guest(ground: &Ground) -> Checked {
    let mut guest = ground.link_as(ground.guest()?).await?;
    let mut link = ground.link().await?;
    let ranges = [ask(&mut link).await?.1, ask(&mut guest).await?.1];
    same(ground, &ranges, "GetHashRange by two clients")
}

async fn updates_only(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (id, _) = ask(&mut link).await?;
    link.store(&ground.channel(""), ground.key(1), "record")
        .await?;
    link.sentinel().await?;
    for payload in link.waiting(id) {
        ground.expect(
            &req::RANGE_UPDATES,
            "GetHashRange",
            &["only ChangeHashRange (02) and NewNode (01), of their exact lengths"],
            Update::decode(&payload).is_ok(),
            || shown(&payload),
        )?;
    }
    Ok(())
}

/// Opened again under its id, a request that has ended would begin anew and be answered.
async fn endless(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (id, _) = ask(&mut link).await?;
    for number in 0..10 {
        link.store(&ground.channel(""), ground.key(number), "record")
            .await?;
    }
    link.sentinel().await?;
    link.say(id, &Open.encode()).await;
    let sent = "GetHashRange, other requests, and its opening again with the same id";
    begun_anew(&mut link, id, &req::RANGE_ENDLESS, sent).await?;
    Ok(())
}

async fn unexpected(ground: &Ground, what: &str, message: &[u8]) -> Checked {
    let rule = &req::RANGE_UNEXPECTED_MESSAGE;
    let mut link = ground.link().await?;
    let (id, _) = ask(&mut link).await?;
    link.say(id, message).await;
    let sent = format!("GetHashRange, then {what}");
    let reaction = begun_anew(&mut link, id, rule, &sent).await?;
    ground.note(
        "Reaction to a message to a running GetHashRange",
        reaction.name(),
    );
    if reaction == Reaction::Ignored {
        link.say(id, &Open.encode()).await;
        let sent = format!("{sent}, then its opening again with the same id");
        begun_anew(&mut link, id, rule, &sent).await?;
    }
    Ok(())
}

/// What the node does about what was just sent. A supported status shows that the request had ended.
async fn begun_anew(
    link: &mut Link,
    id: RequestId,
    rule: &'static Requirement,
    sent: &str,
) -> Checked<Reaction> {
    let reaction = link.reaction(id).await;
    let expected = ["the connection closes", "the request goes on"];
    let (outcome, observed) = match &reaction {
        Reaction::Answered(payload) if Update::decode(payload).is_err() => {
            let observed = format!("the request had ended: it is answered {}", shown(payload));
            (Outcome::Answer, observed)
        }
        Reaction::Stuck => (Outcome::Silence, reaction.name().to_owned()),
        _ => return Ok(reaction),
    };
    Err(broken(rule, outcome, sent, &expected, observed))
}
