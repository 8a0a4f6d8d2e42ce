//! Put: its answer, and what it does to a record that is there.

use dht_protocol::neo::request::{RequestCode, put};
use dht_requirements as req;

use super::records::Records;
use crate::checks::{Check, Ground, sample};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::talk::put_opening;

/// What a value is replaced by: id, title, the old length, the new one.
const REPLACEMENTS: [(&str, &str, usize, usize); 6] = [
    ("longer", "a longer one", 5, 500),
    ("shorter", "a shorter one", 500, 5),
    ("same-length", "another of the same length", 100, 100),
    ("one-byte-less", "one that is a byte shorter", 257, 256),
    ("much-longer", "one of 65,512 bytes", 1, 65_512),
    ("much-shorter", "a single byte", 65_512, 1),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "put.answer",
            "A Put of a new record is answered Put, once.",
            &[&req::PUT_ANSWER],
            |ground| Box::pin(answer(ground)),
        ),
        Check::raw(
            "put.guest",
            "A client that is not \"admin\" may put, read and remove records.",
            &[&req::PUT_ANSWER, &req::GET_PRESENT, &req::REMOVE_PRESENT],
            |ground| Box::pin(guest(ground)),
        ),
        Check::raw(
            "put.identical",
            "A Put of the value that is stored already is answered like any other.",
            &[&req::PUT_IDENTICAL],
            |ground| Box::pin(identical(ground)),
        ),
        Check::raw(
            "put.pipelined",
            "Many Puts of one key in one piece are all answered, and one of the values stays.",
            &[&req::PUT_ANSWER, &req::PUT_REPLACES],
            |ground| Box::pin(pipelined(ground)),
        ),
        Check::raw(
            "put.one-record",
            "A key that was put three times is listed once by GetAll.",
            &[&req::PUT_ONE_RECORD],
            |ground| Box::pin(one_record(ground)),
        ),
        Check::raw(
            "put.one-removal",
            "A key that was put three times is gone after one Remove.",
            &[&req::PUT_ONE_RECORD],
            |ground| Box::pin(one_removal(ground)),
        ),
        Check::raw(
            "put.creates-channel",
            "A Put into a channel that does not exist creates it, and GetChannels lists it.",
            &[&req::PUT_CREATES_CHANNEL],
            |ground| Box::pin(creates_channel(ground)),
        ),
    ];
    checks.extend(REPLACEMENTS.map(|(id, title, old, new)| {
        Check::raw(
            format!("put.{id}"),
            format!("A Put replaces the whole value by {title}."),
            &[&req::PUT_REPLACES],
            move |ground| Box::pin(replaces(ground, old, new)),
        )
    }));
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Put)).collect()
}

async fn answer(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let opening = put_opening(&records.channel, ground.key(1), "value");
    let id = records.link.open_supported(&opening).await?;
    let answer = put::Reply::Put.encode();
    let expected = "Put (stored)";
    records
        .link
        .expect(id, &req::PUT_ANSWER, expected, &answer)
        .await?;
    records
        .link
        .expect_nothing_more(id, &req::PUT_ANSWER, "Put")
        .await
}

async fn guest(ground: &Ground) -> Checked {
    let mut records = Records::as_guest(ground).await?;
    let key = ground.key(1);
    records.put(key, "of a guest").await?;
    records
        .expect_value(key, "of a guest", &req::GET_PRESENT)
        .await?;
    records
        .expect_removed(key, true, &req::REMOVE_PRESENT)
        .await
}

async fn identical(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    for _ in 0..3 {
        records.expect_put(key, "same", &req::PUT_IDENTICAL).await?;
        records
            .expect_value(key, "same", &req::PUT_IDENTICAL)
            .await?;
    }
    Ok(())
}

async fn pipelined(ground: &Ground) -> Checked {
    const PUTS: usize = 20;
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    let puts: Vec<_> = (1..=PUTS)
        .map(|number| put_opening(&records.channel, key, format!("value {number}")))
        .collect();
    for id in records.link.open_at_once(&puts).await {
        records.link.supported(id).await?;
        let answer = put::Reply::Put.encode();
        records
            .link
            .expect(id, &req::PUT_ANSWER, "Put (stored)", &answer)
            .await?;
    }
    // Which of them is the last one is the node's business.
    let sent = format!("{PUTS} Puts of one key at once, and Get");
    let (reply, value) = records.link.get(&records.channel, key).await?;
    let one_of_them = value
        .as_ref()
        .is_some_and(|value| (1..=PUTS).any(|number| *value == format!("value {number}")));
    let expected = ["one of the values, whole"];
    ground.expect(&req::PUT_REPLACES, &sent, &expected, one_of_them, || {
        format!("{} {value:?}", reply.name())
    })
}

async fn one_record(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    for value in ["one", "two", "three"] {
        records.put(key, value).await?;
    }
    let channel = records.channel.clone();
    let listed = records.link.all_records(&channel).await?;
    let expected = ["one record, with the last value"];
    let kept = listed == [(key, "three".into())];
    let sent = "three Puts of one key, and GetAll";
    ground.expect(&req::PUT_ONE_RECORD, sent, &expected, kept, || {
        format!("{listed:?}")
    })
}

async fn one_removal(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    for value in ["one", "two", "three"] {
        records.put(key, value).await?;
    }
    let requirement = &req::PUT_ONE_RECORD;
    records.expect_removed(key, true, requirement).await?;
    records.expect_absent(key, requirement).await?;
    records.expect_removed(key, false, requirement).await
}

async fn creates_channel(ground: &Ground) -> Checked {
    let channel = ground.channel("created");
    let mut records = Records::of(ground, channel.clone()).await?;
    records.put(ground.key(1), "value").await?;
    let names = records.link.channels().await?;
    if names.contains(&channel) {
        return Ok(());
    }
    Err(broken(
        &req::PUT_CREATES_CHANNEL,
        Outcome::Data,
        "Put into a new channel, and GetChannels",
        &["the channel is listed"],
        "it is not",
    ))
}

async fn replaces(ground: &Ground, old: usize, new: usize) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, vec![b'-'; old]).await?;
    records.put(key, sample::value(1, new)).await?;
    records
        .expect_value(key, sample::value(1, new), &req::PUT_REPLACES)
        .await
}
