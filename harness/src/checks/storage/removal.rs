//! Remove: its answers, and what it leaves.

use dht_protocol::neo::request::{RequestCode, remove};
use dht_requirements as req;

use super::records::Records;
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        Check::raw(
            "remove.present",
            "A Remove of a record that is present is answered Removed.",
            &[&req::REMOVE_PRESENT],
            |ground| Box::pin(present(ground)),
        ),
        Check::raw(
            "remove.gone",
            "After Removed neither Get nor Exists nor GetAll finds the record.",
            &[&req::REMOVE_GONE],
            |ground| Box::pin(gone(ground)),
        ),
        Check::raw(
            "remove.put-again",
            "A record that was removed can be put, read and removed again.",
            &[&req::REMOVE_PRESENT, &req::GET_VALUE_EXACT],
            |ground| Box::pin(put_again(ground)),
        ),
        Check::raw(
            "remove.others-stay",
            "A Remove leaves the other records of the channel as they were.",
            &[&req::REMOVE_OTHERS_STAY],
            |ground| Box::pin(others_stay(ground)),
        ),
        Check::raw(
            "remove.channel-stays",
            "A channel whose last record was removed is still listed by GetChannels.",
            &[&req::REMOVE_CHANNEL_STAYS],
            |ground| Box::pin(channel_stays(ground)),
        ),
        Check::raw(
            "remove.race",
            "Of Removes of one record on two connections at the same time one is answered Removed.",
            &[&req::REMOVE_ONE_WINNER],
            |ground| Box::pin(race(ground)),
        ),
        Check::raw(
            "remove.race-pipelined",
            "Of many Removes of one record in one piece one is answered Removed.",
            &[&req::REMOVE_ONE_WINNER],
            |ground| Box::pin(race_pipelined(ground)),
        ),
    ];
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Remove)).collect()
}

async fn present(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    records.put(ground.key(1), "value").await?;
    records
        .expect_removed(ground.key(1), true, &req::REMOVE_PRESENT)
        .await
}

async fn gone(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, "value").await?;
    records
        .expect_removed(key, true, &req::REMOVE_PRESENT)
        .await?;
    records.expect_absent(key, &req::REMOVE_GONE).await?;
    records.expect_exists(key, false, &req::REMOVE_GONE).await?;
    let channel = records.channel.clone();
    let listed = records.link.all_records(&channel).await?;
    let sent = "Put, Remove and GetAll";
    let expected = ["no records"];
    ground.expect(
        &req::REMOVE_GONE,
        sent,
        &expected,
        listed.is_empty(),
        || format!("{listed:?}"),
    )
}

async fn put_again(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    for value in ["first", "second", "third"] {
        records.put(key, value).await?;
        records
            .expect_value(key, value, &req::GET_VALUE_EXACT)
            .await?;
        records
            .expect_removed(key, true, &req::REMOVE_PRESENT)
            .await?;
    }
    Ok(())
}

async fn others_stay(ground: &Ground) -> Checked {
    const KEYS: u64 = 20;
    let mut records = Records::open(ground).await?;
    for number in 0..KEYS {
        records
            .put(ground.key(number), format!("value {number}"))
            .await?;
    }
    // Whatever the node's order is, some of these have a neighbour that stays.
    let removed = |number: u64| number.is_multiple_of(4);
    for number in (0..KEYS).filter(|number| removed(*number)) {
        records
            .link
            .remove(&records.channel, ground.key(number))
            .await?;
    }
    for number in (0..KEYS).filter(|number| !removed(*number)) {
        let value = format!("value {number}");
        records
            .expect_value(ground.key(number), value, &req::REMOVE_OTHERS_STAY)
            .await?;
    }
    Ok(())
}

async fn channel_stays(ground: &Ground) -> Checked {
    let channel = ground.channel("emptied");
    let mut records = Records::of(ground, channel.clone()).await?;
    records.put(ground.key(1), "value").await?;
    records
        .expect_removed(ground.key(1), true, &req::REMOVE_PRESENT)
        .await?;
    if records.link.channels().await?.contains(&channel) {
        return Ok(());
    }
    Err(broken(
        &req::REMOVE_CHANNEL_STAYS,
        Outcome::Data,
        "Put, Remove of the channel's only record, and GetChannels",
        &["the channel is listed"],
        "it is not",
    ))
}

async fn race(ground: &Ground) -> Checked {
    const ROUNDS: u64 = 20;
    let mut records = Records::open(ground).await?;
    let mut other = ground.link().await?;
    for round in 0..ROUNDS {
        let key = ground.key(round);
        records.put(key, "value").await?;
        let opening = record(&records.channel, key).opening(RequestCode::Remove);
        let here = records.link.open(&opening).await;
        let there = other.open(&opening).await;
        let mut answers = Vec::new();
        for (link, id) in [(&mut records.link, here), (&mut other, there)] {
            link.supported(id).await?;
            answers.push(link.answer(id, "Removed or NoRecord").await?);
        }
        one_winner(ground, "Remove of one record on two connections", &answers)?;
    }
    Ok(())
}

async fn race_pipelined(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    records.put(ground.key(1), "value").await?;
    let opening = record(&records.channel, ground.key(1)).opening(RequestCode::Remove);
    let mut answers = Vec::new();
    for id in records.link.open_times(&opening, 8).await {
        records.link.supported(id).await?;
        answers.push(records.link.answer(id, "Removed or NoRecord").await?);
    }
    one_winner(ground, "8 Removes of one record in one piece", &answers)
}

/// Exactly one of these answers is Removed.
fn one_winner(ground: &Ground, sent: &str, answers: &[bytes::Bytes]) -> Checked {
    let removed = remove::Reply::Removed.encode();
    let winners = answers.iter().filter(|answer| answer[..] == removed);
    let winners = winners.count();
    let expected = ["Removed once, and else NoRecord"];
    ground.expect(
        &req::REMOVE_ONE_WINNER,
        sent,
        &expected,
        winners == 1,
        || format!("Removed {winners} times"),
    )
}
