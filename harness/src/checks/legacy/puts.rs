//! Put: what is stored, what is refused, and in which order that is decided.

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Status};
use dht_protocol::{HashRange, Key};
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::{Checked, blamed_on};
use crate::wire::legacy::{talk, wrong};

/// Values that mean something elsewhere.
const OPAQUE: [(&str, &[u8]); 5] = [
    ("zeros", &[0; 40]),
    ("no-utf-8", &[0xff, 0xfe, 0x80, 0xc0]),
    ("blanks", b"  \t\n "),
    ("an-end", &[0; 16]),
    ("an-order", b"\x18\0\0\0\x18\0\0\0"),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "put.put-get",
            "Three records that are put are read back.",
            &[
                &req::LEG_PUT_STORED,
                &req::LEG_GET_VALUE,
                &req::LEG_ANSWER_COMES,
                &req::LEG_ANSWER_STATUS,
                &req::LEG_ANSWER_COMPLETE,
            ],
            |ground| Box::pin(put_get(ground)),
        )
        .subsumes("Put followed by Get"),
        check(
            "put.stored",
            "A record that is put is there for another connection too.",
            &[&req::LEG_PUT_STORED],
            |ground| Box::pin(stored(ground)),
        ),
        check(
            "put.replaces",
            "A Put replaces the value by a longer, a shorter and the same one.",
            &[&req::LEG_PUT_REPLACES],
            |ground| Box::pin(replaces(ground)),
        ),
        check(
            "put.one-record",
            "A key that is put twice is one record.",
            &[&req::LEG_PUT_REPLACES],
            |ground| Box::pin(one_record(ground)),
        ),
        check(
            "put.every-byte",
            "A value of all bytes that there are is stored as it is.",
            &[&req::LEG_PUT_OPAQUE],
            |ground| Box::pin(opaque(ground, Bytes::from_iter(0..=255))),
        ),
        check(
            "put.creates",
            "A Put creates its channel.",
            &[&req::LEG_PUT_CREATES],
            |ground| Box::pin(creates(ground)),
        ),
        check(
            "put.largest",
            "A value of 65503 bytes is stored.",
            &[&req::LEG_PUT_LARGE],
            |ground| Box::pin(sized(ground, &req::LEG_PUT_LARGE, 65_503)),
        ),
        check(
            "put.one-limit",
            "Values up to some length are stored, and longer ones refused as too big.",
            &[&req::LEG_PUT_ONE_LIMIT],
            |ground| Box::pin(one_limit(ground)),
        ),
        check(
            "put.too-big-read",
            "A value of 11 MiB is refused, and read to its end.",
            &[&req::LEG_PUT_TOO_BIG, &req::LEG_PUT_TOO_BIG_READ],
            |ground| Box::pin(too_big_read(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "put.foreign",
            "A Put of a key outside the range is answered WrongNode, and not stored.",
            &[&req::LEG_PUT_WRONG_NODE, &req::LEG_PUT_REFUSED_NOT_STORED],
            |ground| Box::pin(foreign(ground)),
        ),
        check(
            "put.foreign-edges",
            "The first and the last value of the range are inside, their neighbours outside.",
            &[&req::LEG_PUT_WRONG_NODE, &req::LEG_PUT_STORED],
            |ground| Box::pin(edges(ground)),
        ),
        check(
            "put.empty",
            "A Put of an empty value is answered EmptyValue.",
            &[&req::LEG_PUT_EMPTY],
            |ground| Box::pin(refused(ground, &req::LEG_PUT_EMPTY, 0, Status::EmptyValue)),
        ),
    ];
    checks.extend(OPAQUE.map(|(kind, value)| {
        check(
            format!("put.{kind}"),
            format!("A value of {kind} is stored as it is."),
            &[&req::LEG_PUT_OPAQUE],
            move |ground| Box::pin(opaque(ground, Bytes::from_static(value))),
        )
    }));
    checks.extend([1, 255, 256, 992].map(|length| {
        check(
            format!("put.length-{length}"),
            format!("A value of {length} bytes is stored."),
            &[&req::LEG_PUT_SMALL],
            move |ground| Box::pin(sized(ground, &req::LEG_PUT_SMALL, length)),
        )
    }));
    checks.extend([131_073, 1_048_576].map(|length| {
        let rule = &req::LEG_PUT_TOO_BIG;
        check(
            format!("put.too-big-{length}"),
            format!("A Put of {length} bytes is answered ValueTooBig."),
            &[rule],
            move |ground| Box::pin(refused(ground, rule, length, Status::ValueTooBig)),
        )
    }));
    for (kind, length) in [("empty", 0), ("too-big", 131_073)] {
        checks.push(check(
            format!("put.foreign-{kind}"),
            format!("A Put outside the range of a value that is {kind} is answered WrongNode."),
            &[&req::LEG_PUT_RANGE_FIRST],
            move |ground| Box::pin(range_first(ground, length)),
        ));
        checks.push(check(
            format!("put.kept-{kind}"),
            format!("A Put of a value that is {kind} leaves the record as it was."),
            &[&req::LEG_PUT_REFUSED_NOT_STORED],
            move |ground| Box::pin(kept(ground, length)),
        ));
        checks.push(check(
            format!("put.not-created-{kind}"),
            format!("A Put of a value that is {kind} creates no channel."),
            &[&req::LEG_PUT_REFUSED_NOT_CREATED],
            move |ground| Box::pin(not_created(ground, length)),
        ));
    }
    checks.push(check(
        "put.not-created-foreign",
        "A Put outside the range creates no channel.",
        &[&req::LEG_PUT_REFUSED_NOT_CREATED],
        |ground| Box::pin(not_created_foreign(ground)),
    ));
    checks
}

async fn put_get(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let records = [(0xa, "foo"), (0xb, "bar"), (0xc, "doo")];
    for (number, value) in records {
        scene.store(number, value).await?;
    }
    for (number, value) in records {
        scene
            .expect_value(&req::LEG_GET_VALUE, number, value)
            .await?;
    }
    Ok(())
}

async fn stored(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let mut other = Scene::open(ground).await?;
    other.expect_value(&req::LEG_PUT_STORED, 1, "value").await
}

async fn replaces(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for value in ["a value", "a longer value", "short", "short", "other"] {
        scene.store(1, value).await?;
        scene.expect_value(&req::LEG_PUT_REPLACES, 1, value).await?;
    }
    Ok(())
}

async fn one_record(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "first").await?;
    scene.store(1, "second").await?;
    let records = [(scene.key(1), Bytes::from_static(b"second"))];
    scene.expect_records(&req::LEG_PUT_REPLACES, &records).await
}

async fn opaque(ground: &Ground, value: Bytes) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, value.clone()).await?;
    scene.expect_value(&req::LEG_PUT_OPAQUE, 1, value).await
}

async fn creates(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_PUT_CREATES;
    scene.expect_listed(rule, "Put", true).await
}

async fn sized(ground: &Ground, rule: &'static Requirement, length: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let value = sample::value(1, length);
    let order = scene.put(1, value.clone());
    scene.expect_status(rule, &order, Status::Ok).await?;
    scene.expect_value(rule, 1, value).await
}

async fn one_limit(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let lengths = [
        992, 993, 65_503, 65_504, 65_505, 100_000, 131_072, 131_073, 1_000_000,
    ];
    let rule = &req::LEG_PUT_ONE_LIMIT;
    let (mut largest, mut limit) = (0, None);
    for length in lengths {
        let value = sample::value(length, usize::try_from(length).unwrap_or(0));
        let order = scene.put(length, value.clone());
        let status = scene.link.ask(&order).await?.status();
        let sent = format!("Put of {length} bytes");
        match (status, limit) {
            (Status::Ok, None) => {
                scene.expect_value(rule, length, value).await?;
                largest = length;
            }
            (Status::Ok, Some(limit)) => {
                let expected = format!("ValueTooBig (410), as for {limit} bytes");
                expect(rule, &sent, &expected, false, || "Ok (200)".to_owned())?;
            }
            (Status::ValueTooBig, _) => limit = limit.or(Some(length)),
            (other, _) => {
                let expected = "Ok (200) or ValueTooBig (410)";
                expect(rule, &sent, expected, false, || other.to_string())?;
            }
        }
    }
    ground.note(
        "legacy: the largest value that a Put stores, of some lengths",
        format!("{largest} bytes"),
    );
    Ok(())
}

async fn too_big_read(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let length = 11 * 1024 * 1024;
    let mut order = wrong::put_of_length(&scene.channel, scene.key(1), length);
    order.extend(vec![7; usize::try_from(length).unwrap_or(0)]);
    scene.link.send_bytes(&order).await;
    let command = dht_protocol::legacy::Command::Put;
    let answer = scene.link.answer(command).await;
    let rule = &req::LEG_PUT_TOO_BIG_READ;
    let answer = answer.map_err(blamed_on(rule))?;
    let kept = answer == Answer::Status(Status::ValueTooBig);
    let (sent, expected) = ("Put of 11 MiB", "ValueTooBig (410)");
    expect(&req::LEG_PUT_TOO_BIG, sent, expected, kept, || {
        answer.status().to_string()
    })?;
    scene.link.expect_nothing_more(rule, sent).await
}

async fn foreign(ground: &Ground) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    // So that the channel is there, which not every node reads from otherwise.
    scene.store(1, "value").await?;
    let (rule, channel) = (&req::LEG_PUT_WRONG_NODE, scene.channel.clone());
    let order = talk::put(&channel, key, "value");
    scene.expect_status(rule, &order, Status::WrongNode).await?;
    let rule = &req::LEG_PUT_REFUSED_NOT_STORED;
    let (order, none) = (talk::exists(&channel, key), Answer::Exists(false));
    scene.link.expect(rule, &order, &none).await
}

async fn edges(ground: &Ground) -> Checked {
    let range = ground.range();
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let at = |place: u64| HashRange::new(place, place).map(|range| range.nth_key(0));
    let mut expected: Vec<(Key, Status)> = Vec::new();
    let mut add = |place: Option<u64>, status| {
        expected.extend(place.and_then(at).map(|key| (key, status)));
    };
    add(Some(range.min()), Status::Ok);
    add(Some(range.max()), Status::Ok);
    add(range.min().checked_sub(1), Status::WrongNode);
    add(range.max().checked_add(1), Status::WrongNode);
    for (key, status) in expected {
        let rule = match status {
            Status::Ok => &req::LEG_PUT_STORED,
            _ => &req::LEG_PUT_WRONG_NODE,
        };
        let order = talk::put(&channel, key, "value");
        scene.expect_status(rule, &order, status).await?;
    }
    Ok(())
}

async fn refused(
    ground: &Ground,
    rule: &'static Requirement,
    length: usize,
    status: Status,
) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = scene.put(1, vec![7; length]);
    scene.expect_status(rule, &order, status).await
}

async fn range_first(ground: &Ground, length: usize) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::put(&scene.channel, key, vec![7; length]);
    let rule = &req::LEG_PUT_RANGE_FIRST;
    scene.expect_status(rule, &order, Status::WrongNode).await
}

async fn kept(ground: &Ground, length: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let order = scene.put(1, vec![7; length]);
    let rule = &req::LEG_PUT_REFUSED_NOT_STORED;
    match scene.link.ask(&order).await?.status() {
        Status::Ok => crate::unkept::not_applicable("the node stores such a value"),
        _ => scene.expect_value(rule, 1, "value").await,
    }
}

async fn not_created(ground: &Ground, length: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = scene.put(1, vec![7; length]);
    let rule = &req::LEG_PUT_REFUSED_NOT_CREATED;
    match scene.link.ask(&order).await?.status() {
        Status::Ok => crate::unkept::not_applicable("the node stores such a value"),
        _ => {
            scene
                .expect_listed(rule, "a Put that is refused", false)
                .await
        }
    }
}

async fn not_created_foreign(ground: &Ground) -> Checked {
    let key = ground.foreign_key(1)?;
    let mut scene = Scene::open(ground).await?;
    let order = talk::put(&scene.channel, key, "value");
    scene.link.ask(&order).await?;
    let rule = &req::LEG_PUT_REFUSED_NOT_CREATED;
    scene
        .expect_listed(rule, "a Put outside the range", false)
        .await
}
