//! Several Updates of the same record: of those that read the same value one wins.

use dht_protocol::Key;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::update::{FromClient, FromNode};
use dht_requirements::{self as req, Requirement};

use super::talk::{NEW, OLD, Subject, decide, hear, replace};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Link;

const RULE: &Requirement = &req::UPDATE_ONE_WINNER;
/// How many Updates compete.
const MANY: usize = 16;
/// How many connections count together, and how far each.
const COUNTING: usize = 4;
const ROUNDS: u64 = 5;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "updating.two-connections",
            "Of two Updates on two connections that read the same value the first to write wins.",
            &[&req::UPDATE_ONE_WINNER, &req::UPDATE_WRITE],
            |ground| Box::pin(two_connections(ground)),
        ),
        Check::raw(
            "updating.one-connection",
            "Of two Updates whose decisions come in one segment of one connection the first wins.",
            &[&req::UPDATE_ONE_WINNER, &req::UPDATE_WRITE],
            |ground| Box::pin(one_connection(ground)),
        ),
        Check::raw(
            "updating.many-readers",
            "Of 16 Updates on 4 connections that read the same value exactly one writes.",
            &[&req::UPDATE_ONE_WINNER, &req::UPDATE_WRITE],
            |ground| Box::pin(many_readers(ground)),
        ),
        Check::raw(
            "updating.counter",
            "Four clients that count with Updates, and try again after a conflict, lose no count.",
            &[&req::UPDATE_ONE_WINNER, &req::UPDATE_WRITE],
            |ground| Box::pin(counter(ground)),
        ),
        Check::raw(
            "updating.loser-tries-again",
            "An Update that was refused succeeds when it reads the new value.",
            &[&req::UPDATE_CONFLICT, &req::UPDATE_WRITE],
            |ground| Box::pin(loser_tries_again(ground)),
        ),
        Check::raw(
            "updating.other-keys",
            "Updates of several keys at the same time do not get in each other's way.",
            &[&req::UPDATE_WRITE],
            |ground| Box::pin(other_keys(ground)),
        ),
        Check::raw(
            "updating.same-key-elsewhere",
            "An Update does not conflict with writes to the same key of another channel.",
            &[&req::UPDATE_WRITE],
            |ground| Box::pin(same_key_elsewhere(ground)),
        ),
        Check::raw(
            "updating.reverse-order",
            "Updates that wait on one connection may be decided in any order.",
            &[&req::UPDATE_WRITE, &req::UPDATE_READ],
            |ground| Box::pin(reverse_order(ground)),
        ),
    ]
}

async fn two_connections(ground: &Ground) -> Checked {
    let (mut first, mut second) = (ground.link().await?, ground.link().await?);
    let subject = Subject::stored(ground, &mut first).await?;
    let one = subject.read(&mut first, OLD).await?;
    let two = subject.read(&mut second, OLD).await?;
    let (ok, conflict) = (FromNode::Ok, FromNode::UpdateConflict);
    let rule = &req::UPDATE_WRITE;
    decide(&mut second, two, &replace(OLD, b"second"), rule, &ok).await?;
    decide(&mut first, one, &replace(OLD, b"first"), RULE, &conflict).await?;
    let sent = "two Updates of a record";
    subject.holds(&mut first, RULE, sent, Some(b"second")).await
}

async fn one_connection(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let one = subject.read(&mut link, OLD).await?;
    let two = subject.read(&mut link, OLD).await?;
    let first = replace(OLD, b"first").encode();
    let second = replace(OLD, b"second").encode();
    link.say_at_once(&[(two, &second), (one, &first)]).await;
    let sent = "two Updates of a record, decided in one segment";
    let (ok, conflict) = (FromNode::Ok, FromNode::UpdateConflict);
    let rule = &req::UPDATE_WRITE;
    hear(&mut link, two, sent, rule, "Ok for the first", &ok).await?;
    let expected = "UpdateConflict for the second";
    hear(&mut link, one, sent, RULE, expected, &conflict).await?;
    subject.holds(&mut link, RULE, sent, Some(b"second")).await
}

async fn many_readers(ground: &Ground) -> Checked {
    let mut links = Vec::new();
    for _ in 0..4 {
        links.push(ground.link().await?);
    }
    let subject = Subject::stored(ground, &mut links[0]).await?;
    let mut readers = Vec::new();
    for number in 0..MANY {
        let at = number % links.len();
        readers.push((at, subject.read(&mut links[at], OLD).await?));
    }
    for (number, (at, id)) in readers.iter().enumerate() {
        let decision = replace(OLD, &written(number)).encode();
        links[*at].say(*id, &decision).await;
    }
    let mut winners = Vec::new();
    for (number, (at, id)) in readers.iter().enumerate() {
        if ended(&mut links[*at], *id).await? {
            winners.push(number);
        }
    }
    let sent = "16 Updates that read the same value, each with another new one";
    match winners[..] {
        [winner] => {
            let value = written(winner);
            subject.holds(&mut links[0], RULE, sent, Some(&value)).await
        }
        _ => {
            // That nobody wins breaks another rule than that several do.
            let rule = match winners[..] {
                [] => &req::UPDATE_WRITE,
                _ => RULE,
            };
            let observed = format!("{} are answered Ok", winners.len());
            let expected = ["one is answered Ok, the others UpdateConflict"];
            Err(broken(rule, Outcome::Answer, sent, &expected, observed))
        }
    }
}

fn written(number: usize) -> Vec<u8> {
    format!("by Update {number}").into_bytes()
}

/// Is this UpdateRecord answered Ok, and not UpdateConflict?
async fn ended(link: &mut Link, id: RequestId) -> Checked<bool> {
    match link.hear_update(id).await? {
        FromNode::Ok => Ok(true),
        FromNode::UpdateConflict => Ok(false),
        other => {
            let (rule, outcome) = (&req::REQ_ANSWER_DEFINED, Outcome::Answer);
            let (sent, expected) = ("UpdateRecord", ["Ok (06) or UpdateConflict (08)"]);
            Err(broken(rule, outcome, sent, &expected, other.name()))
        }
    }
}

/// All read, then all write; who is refused counts again in the next round, until everybody has counted
/// as far as it should.
async fn counter(ground: &Ground) -> Checked {
    let mut links = Vec::new();
    for _ in 0..COUNTING {
        links.push((ground.link().await?, ROUNDS));
    }
    let subject = Subject::new(ground, 1);
    subject.store(&mut links[0].0, &0_u64.to_le_bytes()).await?;
    let mut counted = 0_u64;
    let total = ROUNDS * COUNTING as u64;
    let sent = "Updates that each add 1 to the value read, by four clients";
    for _ in 0..total {
        let mut reading = Vec::new();
        let before = counted.to_le_bytes();
        for (place, (link, left)) in links.iter_mut().enumerate() {
            if *left > 0 {
                let id = link.open_supported(&subject.reading()).await?;
                let due = FromNode::RecordValue(before.to_vec().into());
                let expected = format!("RecordValue with {counted} counted");
                hear(link, id, sent, RULE, &expected, &due).await?;
                reading.push((place, id));
            }
        }
        let after = (counted + 1).to_le_bytes();
        for (place, id) in &reading {
            let decision = replace(&before, &after).encode();
            links[*place].0.say(*id, &decision).await;
        }
        for (place, id) in reading {
            let (link, left) = &mut links[place];
            if ended(link, id).await? {
                *left -= 1;
                counted += 1;
            }
        }
    }
    // Each round should have had a winner.
    let rule = match counted == total {
        true => RULE,
        false => &req::UPDATE_WRITE,
    };
    let (link, value) = (&mut links[0].0, total.to_le_bytes());
    subject.holds(link, rule, sent, Some(&value)).await
}

async fn loser_tries_again(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    subject.store(&mut link, b"theirs").await?;
    let (rule, conflict) = (&req::UPDATE_CONFLICT, FromNode::UpdateConflict);
    decide(&mut link, id, &replace(OLD, NEW), rule, &conflict).await?;
    let id = subject.read(&mut link, b"theirs").await?;
    let rule = &req::UPDATE_WRITE;
    let decision = replace(b"theirs", NEW);
    decide(&mut link, id, &decision, rule, &FromNode::Ok).await?;
    let sent = "an Update after one that was refused";
    subject.holds(&mut link, rule, sent, Some(NEW)).await
}

async fn other_keys(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let mut reading = Vec::new();
    for number in 0..8 {
        let subject = Subject::new(ground, number);
        subject.store(&mut link, OLD).await?;
        reading.push((subject.read(&mut link, OLD).await?, subject));
    }
    let rule = &req::UPDATE_WRITE;
    let sent = "Updates of eight keys at the same time";
    for (id, Subject { key, .. }) in &reading {
        let decision = replace(OLD, &named(*key));
        decide(&mut link, *id, &decision, rule, &FromNode::Ok).await?;
    }
    for (_, subject) in &reading {
        let value = named(subject.key);
        subject.holds(&mut link, rule, sent, Some(&value)).await?;
    }
    Ok(())
}

fn named(key: Key) -> Vec<u8> {
    format!("the value of {key}").into_bytes()
}

async fn same_key_elsewhere(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let elsewhere = Subject {
        channel: ground.channel("other"),
        key: subject.key,
    };
    let id = subject.read(&mut link, OLD).await?;
    elsewhere.store(&mut link, b"elsewhere").await?;
    let rule = &req::UPDATE_WRITE;
    decide(&mut link, id, &replace(OLD, NEW), rule, &FromNode::Ok).await?;
    let sent = "an Update, and meanwhile a Put of the same key to another channel";
    subject.holds(&mut link, rule, sent, Some(NEW)).await?;
    let value = Some(&b"elsewhere"[..]);
    elsewhere.holds(&mut link, rule, sent, value).await
}

async fn reverse_order(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let mut reading = Vec::new();
    for number in 0..3 {
        let subject = Subject::new(ground, number);
        subject.store(&mut link, OLD).await?;
        reading.push((subject.read(&mut link, OLD).await?, subject));
    }
    let rule = &req::UPDATE_WRITE;
    let decisions = [
        (replace(OLD, NEW), Some(NEW)),
        (FromClient::RemoveRecord, None),
        (FromClient::LeaveRecord, Some(OLD)),
    ];
    let sent = "three Updates on one connection, the last decided first";
    for ((id, subject), (decision, value)) in reading.iter().rev().zip(decisions) {
        decide(&mut link, *id, &decision, rule, &FromNode::Ok).await?;
        subject.holds(&mut link, rule, sent, value).await?;
    }
    Ok(())
}
